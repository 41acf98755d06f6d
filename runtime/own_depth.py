"""Tells the books which depth is our own, so that strategies never trade against themselves in thought."""

from __future__ import annotations

from domain.order import OrderSide, OrderStatus
from markets.books import Books
from trading.own_orders import OwnOrder

_VISIBLE = frozenset({OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCELLING})
_Level = tuple[str, OrderSide, int]


class OwnDepth:
    """Sums our resting orders per level and hands each change to the books."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._sizes: dict[str, tuple[_Level, int]] = {}
        self._levels: dict[_Level, int] = {}

    def order_changed(self, own: OwnOrder) -> None:
        draft = own.order.draft
        level = (draft.token_id, draft.side, draft.price)
        visible = own.remaining if draft.order_type.rests and own.status in _VISIBLE else 0
        _, before = self._sizes.pop(own.id, (level, 0))
        if visible:
            self._sizes[own.id] = (level, visible)
        if visible == before:
            return
        total = self._levels.get(level, 0) + visible - before
        if total:
            self._levels[level] = total
        else:
            self._levels.pop(level, None)
        self._books.set_own(draft.token_id, draft.side, draft.price, total)
