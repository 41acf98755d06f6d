"""Cancelling: by id, all of an account, all of an account in a market or on a token.

An answer names what was cancelled and gives the venue's reason for the rest; it says nothing of fills that came first. A delayed order cannot
be cancelled. Another account's order is as good as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

from venues.exchange.commands import CancelAll, CancelMarketOrders, CancelOrders
from venues.exchange.events import CancelAnswer, CommandRefused, Event, VenueStatus
from venues.exchange.orders import end_order
from venues.exchange.records import OrderRecord
from venues.exchange.state import State

NOT_FOUND = "order can't be found - already canceled or matched"
ALREADY_DONE = "already canceled or matched"
DELAYED = "cannot cancel because the order is in pending/delayed status"


def cancel_orders(state: State, command: CancelOrders, events: list[Event]) -> CancelAnswer:
    refused: dict[str, str] = {}
    wanted: list[OrderRecord] = []
    for order_id in dict.fromkeys(command.order_ids):
        order = state.orders.get(order_id)
        if order is None or order.account != command.account:
            refused[order_id] = NOT_FOUND
        elif not order.status.open:
            refused[order_id] = ALREADY_DONE
        else:
            wanted.append(order)
    return _cancel(state, command.account, wanted, refused, events)


def cancel_all(state: State, command: CancelAll, events: list[Event]) -> CancelAnswer:
    return _cancel(state, command.account, _open(state, command.account), {}, events)


def cancel_market_orders(
    state: State, command: CancelMarketOrders, events: list[Event]
) -> CancelAnswer | CommandRefused:
    if not (command.condition_id or command.token_id):
        return CommandRefused("CancelMarketOrders", "neither a market nor a token was named, expected at least one")
    wanted = [
        order
        for order in _open(state, command.account)
        if command.condition_id in ("", order.condition_id) and command.token_id in ("", order.token_id)
    ]
    return _cancel(state, command.account, wanted, {}, events)


def _open(state: State, account: str) -> list[OrderRecord]:
    return list(state.open_of.get(account, {}).values())


def _cancel(
    state: State, account: str, wanted: Iterable[OrderRecord], refused: dict[str, str], events: list[Event]
) -> CancelAnswer:
    canceled: list[str] = []
    for order in wanted:
        if order.status is VenueStatus.DELAYED:
            refused[order.id] = DELAYED
        else:
            end_order(state, order, VenueStatus.CANCELED, "", events)
            canceled.append(order.id)
    return CancelAnswer(account, tuple(canceled), refused)
