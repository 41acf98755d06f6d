"""What strategies may read of the account: their own positions, and what of them is free to sell. Memory only, never blocking."""

from __future__ import annotations

from domain.position import Position
from trading.portfolio import Portfolio
from trading.reservations import Reservations


class StrategyView:
    """A reading of one account on behalf of strategies."""

    def __init__(self, portfolio: Portfolio, reservations: Reservations) -> None:
        self._portfolio = portfolio
        self._reservations = reservations

    def position(self, token_id: str, strategy: str) -> Position | None:
        """Return the open position of `strategy` in a token."""
        position = self._portfolio.positions.get(token_id, strategy)
        return position.position() if position is not None else None

    def positions(self, strategy: str) -> list[Position]:
        """Return all open positions of `strategy`."""
        return [position.position() for position in self._portfolio.positions.open() if position.strategy == strategy]

    def working(self, token_id: str, strategy: str) -> bool:
        """Tell whether an order of `strategy` in a token may still be filled."""
        drafts = [own.order.draft for own in self._portfolio.orders.open()] + self._reservations.drafts()
        return any(draft.token_id == token_id and draft.strategy == strategy for draft in drafts)

    def available(self, token_id: str, strategy: str) -> int:
        """Return the shares of the strategy's own position that can be sold now."""
        return self._reservations.sellable(token_id, strategy)
