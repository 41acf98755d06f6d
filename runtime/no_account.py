"""The account half of a trader that only watches: no channel, no orders, and every attempt a clear refusal."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import VenueError
from domain.order import OrderDraft, PreparedOrder
from domain.ports import AccountListener
from domain.reports import Balances, CancelOutcome, OrderReport, Rejected, SendOutcome, TradeReport

_REFUSED = "monitor mode has no account: it places and reads no orders"


class NoAccountFeed:
    """The `AccountFeed` port without an account."""

    connected = False
    refused = 0

    async def start(self, listener: AccountListener) -> None:
        raise VenueError(_REFUSED)

    async def stop(self) -> None:
        """Nothing was started."""


class NoGateway:
    """The `OrderGateway` port without an account."""

    def __init__(self, account: str) -> None:
        self.account = account

    async def prepare(self, draft: OrderDraft) -> PreparedOrder:
        raise VenueError(_REFUSED)

    async def send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        return Rejected(order_id=prepared.order_id, code="monitor_mode", text=_REFUSED)

    async def send_many(self, prepared: Sequence[PreparedOrder], deadline: float) -> list[SendOutcome]:
        return [await self.send(order, deadline) for order in prepared]

    async def cancel(self, order_ids: Sequence[str]) -> CancelOutcome:
        raise VenueError(_REFUSED)

    async def cancel_all(self) -> CancelOutcome:
        raise VenueError(_REFUSED)

    async def cancel_market(self, condition_id: str = "", token_id: str = "") -> CancelOutcome:
        raise VenueError(_REFUSED)

    async def order(self, order_id: str) -> OrderReport | None:
        raise VenueError(_REFUSED)

    async def open_orders(self) -> list[OrderReport]:
        raise VenueError(_REFUSED)

    async def trades(self, after_ns: int = 0) -> list[TradeReport]:
        raise VenueError(_REFUSED)

    async def balances(self, token_ids: Sequence[str]) -> Balances:
        raise VenueError(_REFUSED)

    async def refresh_balances(self, token_ids: Sequence[str]) -> None:
        raise VenueError(_REFUSED)
