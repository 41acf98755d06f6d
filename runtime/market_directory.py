"""All markets the trader knows, by id, condition and token, and which of their rows are durable.

Rows come first: a market is `committed`, and thereby tradable, once `save` has returned. Memory is bounded: what was settled a day ago and concerns
nothing of ours any more is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from heapq import nsmallest

from domain.market import ConditionGroup, Market, MarketStatus


class MarketDirectory:
    """Markets by every name they go by."""

    def __init__(self) -> None:
        self._by_id: dict[str, Market] = {}
        self._by_condition: dict[str, str] = {}
        self._by_token: dict[str, str] = {}
        self._committed: set[str] = set()
        self._groups: dict[str, ConditionGroup] = {}
        self._settled_since: dict[str, int] = {}

    def put(self, markets: Iterable[Market]) -> None:
        """Take over markets whose rows are durable."""
        for market in markets:
            self._by_id[market.id] = market
            self._by_condition[market.condition_id] = market.id
            for token_id in market.token_ids:
                self._by_token[token_id] = market.id
            self._committed.add(market.id)

    def put_groups(self, groups: Iterable[ConditionGroup]) -> None:
        """Take over events as they are listed."""
        self._groups.update({group.id: group for group in groups})

    def forget(self, now_ns: int, after_ns: int, *, keep: AbstractSet[str]) -> None:
        """Drop markets that have been settled for `after_ns` and are not in `keep`, and groups without a market left.

        Call it now and then: that long a listing, which lags, cannot bring one back as open.
        """
        settled = {market.id for market in self._by_id.values() if market.status is MarketStatus.SETTLED} - keep
        self._settled_since = {market_id: self._settled_since.get(market_id, now_ns) for market_id in settled}
        for market_id in [each for each, since in self._settled_since.items() if now_ns - since >= after_ns]:
            market = self._by_id.pop(market_id)
            del self._settled_since[market_id]
            self._by_condition.pop(market.condition_id, None)
            for token_id in market.token_ids:
                self._by_token.pop(token_id, None)
            self._committed.discard(market_id)
        self._groups = {
            key: group for key, group in self._groups.items() if any(m in self._by_id for m in group.market_ids)
        }

    @property
    def groups(self) -> tuple[ConditionGroup, ...]:
        return tuple(self._groups.values())

    def exclusive(self, event: str) -> bool:
        """Tell whether at most one market of an event pays YES; one that is not known counts as not exclusive."""
        group = self._groups.get(event)
        return group is not None and group.exclusive

    def conversion_fee_bips(self, market: Market) -> int:
        """Return what the venue keeps of a conversion in a market's event; 0 for one that is not known."""
        group = self._groups.get(market.group_id or "")
        return group.conversion_fee_bips if group is not None else 0

    def committed(self, market_id: str) -> bool:
        return market_id in self._committed

    def get(self, market_id: str) -> Market | None:
        return self._by_id.get(market_id)

    def by_condition(self, condition_id: str) -> Market | None:
        return self._by_id.get(self._by_condition.get(condition_id, ""))

    def of_token(self, token_id: str) -> Market | None:
        return self._by_id.get(self._by_token.get(token_id, ""))

    def event_of(self, market: Market) -> list[Market]:
        """Return the unresolved markets of a market's event; looks through all, for rare use."""
        return [each for each in self.unsettled() if each.group_id == market.group_id]

    def required(self, market_id: str) -> Market:
        """Return a market that a journaled row refers to; `KeyError` names the one whose row is gone."""
        return self._by_id[market_id]

    def settled(self, market_id: str) -> bool:
        market = self._by_id.get(market_id)
        return market is not None and market.status is MarketStatus.SETTLED

    def resolved(self, token_id: str) -> bool:
        return self.settled(self._by_token.get(token_id, ""))

    def unsettled(self) -> list[Market]:
        """Return the markets that have not been resolved, as discovery wants to know them."""
        return [market for market in self._by_id.values() if market.status is not MarketStatus.SETTLED]

    def most_traded(self, count: int) -> list[Market]:
        """Return the `count` tradable markets with the highest 24 h volume."""
        tradable = (market for market in self._by_id.values() if market.tradable)
        return nsmallest(count, tradable, key=lambda market: (-market.volume_24h, -market.volume, market.id))
