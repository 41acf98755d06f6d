"""What is free to spend and to sell: the account's own view, minus what decided intents hold until their orders are tracked.

Everyone who sells (strategies, take-profit, stop-loss, operators) shares `sellable`: settled shares of one's own position that no other order has
on offer. Nothing here is awaited, so no two decisions overlap.
"""

from __future__ import annotations

from collections import defaultdict

from domain.market import Market
from domain.order import OrderDraft, OrderSide
from trading.account_state import AccountState


class Reservations:
    """Decided intents of one account, each from its decision until its order reserves by itself."""

    def __init__(self, state: AccountState) -> None:
        self._state = state
        self._held: dict[str, tuple[OrderDraft, int]] = {}
        self._by_market: defaultdict[str, dict[str, tuple[OrderDraft, int]]] = defaultdict(dict)
        self._margins: dict[str, int] = {}
        self._cash = 0
        self.touched: dict[str, Market] = {}
        """Markets in which something changed; whoever keeps figures of them takes them out."""

    def hold(self, draft: OrderDraft, cost: int) -> None:
        if draft.decision_id in self._held:
            raise AssertionError(f"decision {draft.decision_id} was reserved twice")
        market_id = draft.market.id
        self._held[draft.decision_id] = self._by_market[market_id][draft.decision_id] = (draft, cost)
        self._cash += cost
        self.touched[market_id] = draft.market

    def release(self, decision_id: str) -> None:
        """Let go: the order is tracked now, or will never be. Raises `KeyError` for what was never decided or released before."""
        draft, cost = self._held.pop(decision_id)
        market_id = draft.market.id
        in_market = self._by_market[market_id]
        del in_market[decision_id]
        if not in_market:
            del self._by_market[market_id]
        self._cash -= cost
        self.touched[market_id] = draft.market

    def hold_margin(self, key: str, amount: int) -> None:
        """Keep cash free for what may have to be bought later; replaces what was kept under `key`."""
        self.release_margin(key)
        self._margins[key] = amount
        self._cash += amount

    def release_margin(self, key: str) -> None:
        self._cash -= self._margins.pop(key, 0)

    def holds(self, decision_id: str) -> bool:
        return decision_id in self._held

    def drafts(self) -> list[OrderDraft]:
        return [draft for draft, _ in self._held.values()]

    def in_market(self, market_id: str) -> list[tuple[OrderDraft, int]]:
        """Return the decided intents in a market, each with what it may cost."""
        in_market = self._by_market.get(market_id)
        return list(in_market.values()) if in_market else []

    @property
    def free_cash(self) -> int:
        """Cash that nothing holds and that has settled."""
        return self._state.available_cash - self._cash

    def sellable(self, token_id: str, strategy: str) -> int:
        """Return the shares of a strategy's own position that it can sell now; never negative.

        What others hold of the token is not its to sell, and what they are short of is missing from the wallet.
        """
        position = self._state.positions.get(token_id, strategy)
        if position is None:
            return 0
        decided = (draft for draft, _ in self.in_market(position.market_id))
        sells = [draft for draft in decided if draft.side is OrderSide.SELL and draft.token_id == token_id]
        own = sum(draft.size for draft in sells if draft.strategy == strategy)
        of_wallet = self._state.available_tokens(token_id) - sum(draft.size for draft in sells)
        of_position = position.holding.settled - self._state.orders.reserved_tokens(token_id, strategy) - own
        return max(0, min(of_wallet, of_position))
