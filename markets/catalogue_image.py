"""Markets and groups in Redis, kept alive: each is written when it changes and again before it expires. Settled markets, and groups that have no
other, are written once more; then they are forgotten here and expire there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from domain.market import ConditionGroup, Market, MarketStatus
from infra.redis_pipe import Write
from markets import keys
from proto.market_mapping import group_to_proto, market_to_proto

REFRESH_SECONDS = 120.0
"""Well within the shorter of the two lives."""


class CatalogueImage:
    """Remembers what to keep alive; `write_next` writes one."""

    def __init__(self) -> None:
        self._markets: dict[str, Market] = {}
        self._groups: dict[str, ConditionGroup] = {}
        # When each was last written (monotonic), the longest ago first; None is never.
        self._written: OrderedDict[tuple[str, str], float | None] = OrderedDict()

    def put(self, markets: Iterable[Market], groups: Iterable[ConditionGroup]) -> None:
        """Take over new and changed ones; the others are left as they are."""
        for market in markets:
            if self._markets.get(market.id) != market:
                self._markets[market.id] = market
                self._due_now(("market", market.id))
        for group in groups:
            if self._groups.get(group.id) != group:
                self._groups[group.id] = group
                self._due_now(("group", group.id))

    def begin_anew(self) -> None:
        for key in self._written:
            self._written[key] = None

    def _due_now(self, key: tuple[str, str]) -> None:
        self._written[key] = None
        self._written.move_to_end(key, last=False)

    def wait(self, now: float) -> float | None:
        """Return the seconds until something is due, None when there is nothing."""
        for written in self._written.values():
            return 0.0 if written is None else max(written + REFRESH_SECONDS - now, 0.0)
        return None

    def write_next(self, write: Write, now: float) -> None:
        """Write the one that waits longest."""
        key, _ = self._written.popitem(last=False)
        kind, name = key
        if kind == "group":
            group = self._groups[name]
            _write_group(write, group)
            if self._markets.keys().isdisjoint(group.market_ids):
                del self._groups[name]
                return
        else:
            market = self._markets[name]
            _write_market(write, market)
            if market.status is MarketStatus.SETTLED:
                del self._markets[name]
                return
        self._written[key] = now


def _write_market(write: Write, market: Market) -> None:
    key = keys.market(market.id)
    write("HSET", key, "data", market_to_proto(market).SerializeToString())
    write("EXPIRE", key, keys.MARKET_SECONDS)
    for token_id in market.token_ids:
        write("SET", keys.market_of_token(token_id), market.id, "EX", keys.MARKET_SECONDS)


def _write_group(write: Write, group: ConditionGroup) -> None:
    key = keys.group(group.id)
    write("HSET", key, "data", group_to_proto(group).SerializeToString())
    write("EXPIRE", key, keys.GROUP_SECONDS)
    for market_id in group.market_ids:
        write("SET", keys.group_of_market(market_id), group.id, "EX", keys.GROUP_SECONDS)
