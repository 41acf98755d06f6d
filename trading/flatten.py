"""Flatten: sells what a halted scope holds, in slices the book can take, and never below a bound that is set once.

Each token has its floor: the best bid of the first look less the slippage allowed (a restart looks for the first time again). A slice is as large as
what is bid at the floor or above, and leaves no rest that is too small to be sold. It is a sale like any other (`trading.sales`). What is unsettled,
has no trusted book, or is bid for below the floor, is looked at again until the time is over. What is left then is named with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.market import Market
from domain.money import floor_to, format_micros
from domain.order import OrderSide
from domain.ports import Ids
from domain.signal import Intent, Urgency
from domain.ticks import SIZE_STEP
from trading.desk import Desk
from trading.positions import OpenPosition
from trading.reservations import Reservations
from trading.risk import BookView, Decision
from trading.sales import Sales

LOOK_SECONDS = 0.5
LONGEST_SECONDS = 120.0
DEPTH = 100
"""Levels of a book that a slice may reach over."""


class DeepBook(BookView, Protocol):
    """A book with its levels, best first, as (price, size)."""

    def levels(self, side: OrderSide, depth: int = DEPTH) -> Sequence[tuple[int, int]]: ...


@dataclass(slots=True)
class Progress:
    """How far a flattening is: slices sold, positions that are left to sell, and by position why it is not sold now, or never will be."""

    slices: int = 0
    held: int = 0
    waiting: dict[str, str] = field(default_factory=dict)

    def said(self) -> dict[str, object]:
        return {"slices": self.slices, "positions_left": self.held, "waiting": dict(self.waiting)}


class Flatten:
    """Sells for one account.

    Args:
        submit: hands an intent to the executor and returns what was decided on a sale.
        book_of: the order book of a token, None when it is not watched.
        market_of: finds a market by its id.
    """

    def __init__(
        self,
        desk: Desk,
        reservations: Reservations,
        ids: Ids,
        *,
        submit: Callable[[Intent], Decision | None],
        book_of: Callable[[str], DeepBook | None],
        market_of: Callable[[str], Market | None],
    ) -> None:
        self._desk = desk
        self._reservations = reservations
        self._sales = Sales(desk.portfolio, desk.clock, ids, submit=submit)
        self._book_of = book_of
        self._market_of = market_of

    async def run(
        self,
        covers: Callable[[OpenPosition], bool],
        *,
        slippage: int,
        by: str,
        goes_on: Callable[[], bool],
        report: Callable[[dict[str, object]], Awaitable[object]],
    ) -> Progress:
        """Sell every position that `covers` names, until nothing that can be sold is left, time is over, or `goes_on` is false.

        `slippage` is in micro-dollars a share, below the best bid of the first look. `report` is told whenever something changed.
        """
        clock, progress, told = self._desk.clock, Progress(), None
        floors: dict[str, int] = {}
        end = clock.monotonic() + LONGEST_SECONDS
        while True:
            self._look(covers, floors, slippage, by, progress)
            if progress.said() != told:
                told = progress.said()
                await report(told)
            if not progress.held or not goes_on() or clock.monotonic() >= end:
                return progress
            await asyncio.sleep(LOOK_SECONDS)

    def _look(
        self, covers: Callable[[OpenPosition], bool], floors: dict[str, int], slippage: int, by: str, progress: Progress
    ) -> None:
        """Sell one slice of each position that can be sold now."""
        progress.held = 0
        progress.waiting.clear()
        for position in list(self._desk.portfolio.positions.open()):
            if not covers(position) or position.holding.size <= 0:
                continue
            name = f"{position.market_id} {position.side} of {position.strategy}"
            market = self._market_of(position.market_id)
            if market is not None and position.holding.size < market.min_size:
                progress.waiting[name] = "fewer shares than the market takes"
                continue
            progress.held += 1
            wait = (
                self._sell(position, market, floors, slippage, by) if market is not None else "its market is not known"
            )
            if wait:
                progress.waiting[name] = wait
            else:
                progress.slices += 1

    def _sell(self, position: OpenPosition, market: Market, floors: dict[str, int], slippage: int, by: str) -> str:
        """Sell a slice of a position; returns why there is none now, or ''."""
        book = self._book_of(position.token_id)
        if not market.tradable or book is None or not book.trusted or not book.best_bid:
            return "nobody can be seen to bid"
        floor = floors.setdefault(position.token_id, market.tick_size.ceil(max(book.best_bid - slippage, market.tick)))
        bid = sum(size for price, size in book.levels(OrderSide.BUY, DEPTH) if price >= floor)
        free = self._reservations.sellable(position.token_id, position.strategy)
        opposed = self._sales.clear_the_way(position, market, floor, "in the way of a flattening")
        size = _slice(bid, free, market.min_size)
        if opposed or size < market.min_size:
            return (
                f"less is bid at {format_micros(floor)} than the market takes"
                if bid < free
                else "not settled, or for sale"
            )
        decision = self._sales.sell(
            position, market, price=floor, size=size, urgency=Urgency.IMMEDIATE, reason=f"flattened by {by}"
        )
        if decision is None or decision.draft is None:
            return decision.detail if decision is not None else "not decided"
        self._desk.audit(
            "flatten_slice", market=market.id, strategy=position.strategy, size=decision.draft.size, floor=floor, by=by
        )
        return ""


def _slice(bid: int, free: int, least: int) -> int:
    """Return how much of `free` is sold into `bid`: what stays behind is nothing, or enough to be sold later."""
    size = min(bid, free)
    if 0 < free - size < least <= free - least:
        size = free - least
    return floor_to(size, SIZE_STEP)
