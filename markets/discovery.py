"""Discovery: what the venue lists, compared with what is known. The trader and the Celery task run the same function.

A listing that breaks off raises `VenueError`: nothing was saved, nothing is taken for closed. A market that is missing from a complete listing is
looked up by itself before it is closed; when that fails it stays as it was, for the next run. Rows are saved in portions, so that a large listing
never keeps a database connection from other work for long.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

import structlog

from domain.errors import VenueError
from domain.market import ConditionGroup, Market, MarketStatus
from domain.ports import MarketCatalog

Save = Callable[[Sequence[Market], Sequence[ConditionGroup]], Awaitable[None]]

LOOKUPS = 100
"""Missing markets looked up in one run; the rest waits for the next."""
_FAILED_LOOKUPS = 3
_PORTION = 250
_VOLUME_STEP = 100
"""A volume is news when it moved by more than one part in this many."""

_BETWEEN_PAUSES = 2_000
"""Markets compared before other work gets its turn: a venue may list a hundred thousand."""
# A stored market has a time of creation even if the venue names none.
_facts = attrgetter(
    *(f.name for f in dataclasses.fields(Market) if f.name not in {"volume", "volume_24h", "created_ns"})
)

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What one run found.

    `markets` are all listed markets and the missing ones as they are now, `groups` all listed groups. `new` and `changed` are those of `markets` that
    were saved because they differ from what was known, `gone` those that were active and are not any more. Missing markets that
    could not be looked up are in none of them; `missing` counts them.
    """

    markets: tuple[Market, ...]
    groups: tuple[ConditionGroup, ...]
    new: tuple[Market, ...]
    changed: tuple[Market, ...]
    gone: tuple[Market, ...]
    missing: int


async def discover(
    catalog: MarketCatalog,
    save: Save,
    *,
    known: Iterable[Market] = (),
    known_groups: Iterable[ConditionGroup] = (),
) -> Discovery:
    """List the venue and save what is new or different from `known` and `known_groups`.

    Give all markets that are not settled as `known`: what is not given is new, and is never missed.

    Raises:
        VenueError: the listing broke off; nothing was saved.
    """
    listed, groups = await catalog.markets()
    before = {market.id: market for market in known}
    listed_ids = {market.id for market in listed}
    absent = [m for m in before.values() if m.id not in listed_ids and m.status is not MarketStatus.SETTLED]
    found, missing = await _look_up(catalog, absent)
    markets = {market.id: market for market in (*listed, *found)}
    new = tuple(market for market in markets.values() if market.id not in before)
    changed = tuple(await _changed(before, markets))
    groups_before = {group.id: group for group in known_groups}
    for portion in _portions((*new, *changed)):
        await save(portion, ())
    # After the markets: memberships refer to their rows.
    fresh = {market.id for market in new}
    news = [g for g in groups if _group_differs(groups_before.get(g.id), g) or not fresh.isdisjoint(g.market_ids)]
    for group_portion in _portions(news):
        await save((), group_portion)
    active = {market.id for market in before.values() if market.status is MarketStatus.ACTIVE}
    gone = tuple(m for m in changed if m.id in active and m.status is not MarketStatus.ACTIVE)
    _log.info(
        "markets_discovered", listed=len(listed), new=len(new), changed=len(changed), gone=len(gone), missing=missing
    )
    return Discovery(
        markets=tuple(markets.values()), groups=tuple(groups), new=new, changed=changed, gone=gone, missing=missing
    )


async def _changed(before: dict[str, Market], markets: dict[str, Market]) -> list[Market]:
    changed = []
    for number, market in enumerate(markets.values(), start=1):
        if market.id in before and _differs(before[market.id], market):
            changed.append(market)
        if number % _BETWEEN_PAUSES == 0:
            await asyncio.sleep(0)
    return changed


async def _look_up(catalog: MarketCatalog, absent: Sequence[Market]) -> tuple[list[Market], int]:
    """Return the absent markets as the venue knows them now, active ones first, and how many are still missing."""
    found: list[Market] = []
    failures = 0
    for market in sorted(absent, key=lambda m: (m.status is not MarketStatus.ACTIVE, -(m.closed_ns or 0)))[:LOOKUPS]:
        try:
            current = await catalog.market(market.condition_id)
        except VenueError as error:
            failures += 1
            _log.warning("market_lookup_failed", market_id=market.id, reason=str(error))
            if failures == _FAILED_LOOKUPS:
                break
            continue
        if current is None:
            current = dataclasses.replace(market, status=MarketStatus.CLOSED, accepting_orders=False)
        found.append(dataclasses.replace(current, group_id=current.group_id or market.group_id))
    return found, len(absent) - len(found)


def _differs(before: Market, now: Market) -> bool:
    """Tell whether a market changed: in anything but its volumes, or in a volume by more than a percent."""
    if _moved(before.volume, now.volume) or _moved(before.volume_24h, now.volume_24h):
        return True
    return bool(_facts(before) != _facts(now))


def _moved(before: int, now: int) -> bool:
    return abs(now - before) * _VOLUME_STEP > max(before, now)


def _group_differs(before: ConditionGroup | None, now: ConditionGroup) -> bool:
    """Tell whether a group is new, has other words, or has a member more; members that are not listed any more stay."""
    if before is None or not set(now.market_ids) <= set(before.market_ids):
        return True
    return dataclasses.replace(before, market_ids=()) != dataclasses.replace(now, market_ids=())


def _portions(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _PORTION):
        yield items[start : start + _PORTION]
