"""Clients' orders and cancels on their way into the exchange: which key placed what, ids that work once, one answer for all of an owner's wallets."""

from __future__ import annotations

from collections.abc import Iterable

from domain.order import OrderSide, OrderType
from venues.exchange.commands import CancelAll, CancelMarketOrders, CancelOrders, Command, PlaceOrder
from venues.exchange.events import CancelAnswer, Event, OrderAccepted, OrderRefused, RefusalCode
from venues.simulator.inputs import Cancel, CancelMarket, Place
from venues.simulator.world.floor import Floor
from venues.simulator.world.history import History


class OrderEntry:
    """The way in. Methods return the event that answers the client where the exchange's own answer is not it."""

    def __init__(self, floor: Floor, history: History) -> None:
        self._floor = floor
        self._history = history

    def place(self, event: Place) -> Event | None:
        """Place an order; an id that was ever taken is refused, however long ago it ended."""
        history = self._history
        if event.order_id in history.orders:
            text = f"order {event.order_id} is invalid. Duplicated."
            return OrderRefused(event.order_id, event.account, RefusalCode.DUPLICATED, text)
        command = PlaceOrder(
            order_id=event.order_id,
            account=event.account,
            token_id=event.token_id,
            side=OrderSide(event.side),
            order_type=OrderType(event.order_type),
            maker_amount=event.maker_amount,
            taker_amount=event.taker_amount,
            expiration_s=event.expiration,
            post_only=event.post_only,
        )
        history.owner_keys[event.order_id] = event.api_key
        answer = self._floor.do(command)[-1]
        if not isinstance(answer, OrderAccepted) and event.order_id not in history.orders:
            del history.owner_keys[event.order_id]
        elif event.builder:
            history.builders[event.order_id] = event.builder
        return None

    def cancel(self, event: Cancel) -> Event:
        """Cancel orders by id."""
        return self._cancel([CancelOrders(account, event.order_ids) for account in event.accounts])

    def cancel_market(self, event: CancelMarket) -> Event:
        """Cancel all orders, or those of one market or token."""
        return self._cancel([_cancel_market(account, event) for account in event.accounts])

    def cancel_of_key(self, api_key: str, accounts: Iterable[str]) -> None:
        """Cancel every open order of `accounts` that was placed with a key; those that still wait for their delay stay."""
        for account in accounts:
            placed = [order.id for order in self._floor.exchange.open_orders(account)]
            order_ids = tuple(one for one in placed if self._history.owner_keys.get(one) == api_key)
            if order_ids:
                self._floor.do(CancelOrders(account, order_ids))

    def _cancel(self, commands: list[Command]) -> CancelAnswer:
        """Carry out one owner's cancel over all its wallets; a refusal by one wallet counts only when no other had the order."""
        canceled: list[str] = []
        refused: dict[str, str] = {}
        for command in commands:
            answer = self._floor.do(command)[-1]
            if isinstance(answer, CancelAnswer):
                canceled.extend(answer.canceled)
                refused.update(answer.not_canceled)
        reasons = {order_id: reason for order_id, reason in refused.items() if order_id not in canceled}
        return CancelAnswer("", tuple(canceled), reasons)


def _cancel_market(account: str, event: CancelMarket) -> Command:
    if not event.condition_id and not event.token_id:
        return CancelAll(account)
    return CancelMarketOrders(account, event.condition_id, event.token_id)
