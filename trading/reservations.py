"""What is free to spend and to sell: the account's own view, minus what decided intents hold until their orders are tracked.

Everyone who sells (strategies, take-profit, stop-loss, operators) shares `sellable`: settled shares of one's own position that no other order has
on offer. Nothing here is awaited, so no two decisions overlap.
"""

from __future__ import annotations

from domain.market import Market
from domain.order import OrderDraft, OrderSide
from trading.account_state import AccountState


class Reservations:
    """Decided intents of one account, each from its decision until its order reserves by itself."""

    def __init__(self, state: AccountState) -> None:
        self._state = state
        self._held: dict[str, tuple[OrderDraft, int]] = {}
        self._margins: dict[str, int] = {}
        self.touched: dict[str, Market] = {}
        """Markets in which something changed; whoever keeps figures of them takes them out."""

    def hold(self, draft: OrderDraft, cost: int) -> None:
        self._held[draft.decision_id] = (draft, cost)
        self.touched[draft.market.id] = draft.market

    def release(self, decision_id: str) -> None:
        """Let go: the order is tracked now, or will never be. Raises `KeyError` for what was never decided or released before."""
        draft, _ = self._held.pop(decision_id)
        self.touched[draft.market.id] = draft.market

    def hold_margin(self, key: str, amount: int) -> None:
        """Keep cash free for what may have to be bought later; replaces what was kept under `key`."""
        self._margins[key] = amount

    def release_margin(self, key: str) -> None:
        self._margins.pop(key, None)

    def holds(self, decision_id: str) -> bool:
        return decision_id in self._held

    def drafts(self) -> list[OrderDraft]:
        return [draft for draft, _ in self._held.values()]

    def in_market(self, market_id: str) -> list[tuple[OrderDraft, int]]:
        """Return the decided intents in a market, each with what it may cost."""
        return [held for held in self._held.values() if held[0].market.id == market_id]

    @property
    def free_cash(self) -> int:
        """Cash that nothing holds and that has settled."""
        held = sum(cost for _, cost in self._held.values()) + sum(self._margins.values())
        return self._state.available_cash - held

    def sellable(self, token_id: str, strategy: str) -> int:
        """Return the shares of a strategy's own position that it can sell now; never negative.

        What others hold of the token is not its to sell, and what they are short of is missing from the wallet.
        """
        position = self._state.positions.get(token_id, strategy)
        if position is None:
            return 0
        sells = [draft for draft in self.drafts() if draft.side is OrderSide.SELL and draft.token_id == token_id]
        own = sum(draft.size for draft in sells if draft.strategy == strategy)
        of_wallet = self._state.available_tokens(token_id) - sum(draft.size for draft in sells)
        of_position = position.holding.settled - self._state.orders.reserved_tokens(token_id, strategy) - own
        return max(0, min(of_wallet, of_position))
