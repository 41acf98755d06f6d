"""What the account has at stake in markets: which they are, what a resolution pays, what a refusal showed to be outdated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.market import Market
from domain.money import MICRO
from domain.reports import NOT_ENOUGH_BALANCE, OFF_GRID, Trouble

if TYPE_CHECKING:
    from runtime.kernel import Kernel


class Stakes:
    """The stakes of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def markets(self) -> set[str]:
        """Return the ids of the markets with a position, an open order, or shares that are being transferred."""
        portfolio = self._kernel.portfolio
        held = {position.market_id for position in portfolio.positions.open()} | self._kernel.reconciler.arriving
        return held | {own.order.draft.market.id for own in portfolio.orders.open()}

    def remembered(self) -> set[str]:
        """Return the ids of the markets of every order and position in memory, final ones too."""
        portfolio = self._kernel.portfolio
        return {own.order.draft.market.id for own in portfolio.orders.all()} | portfolio.positions.market_ids()

    def settle(self, market: Market) -> None:
        """Close the positions of a resolved market. Without a winner both tokens pay half: the catalogue says so of no other."""
        kernel = self._kernel
        if not kernel.config.mode.places_orders:
            return
        payouts = {None: (MICRO // 2, MICRO // 2), 0: (MICRO, 0), 1: (0, MICRO)}[market.winner]
        kernel.desk.apply(kernel.portfolio.resolve(market, payouts, now_ns=kernel.ports.clock.now_ns()))

    async def resync(self, market: Market, trouble: Trouble) -> None:
        """Read again what a refusal showed to be outdated. Raises `VenueError`."""
        kernel = self._kernel
        if trouble.code == NOT_ENOUGH_BALANCE:
            await kernel.ports.gateway.refresh_balances(market.token_ids)
        else:
            await kernel.watch.reread(market, off_grid=trouble.code == OFF_GRID)
        kernel.account_events.gap.set()
