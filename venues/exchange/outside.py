"""Bids and trades of another venue, for an account that only pretends to trade there.

They do not obey the rules for clients' orders: a level of a real book has any size. Both sides of such a trade are accounts of this exchange, so
what one gets the other gives, as always.
"""

from __future__ import annotations

from domain.money import MICRO, multiply_ceil
from domain.order import OrderSide, OrderType
from venues.exchange import rules
from venues.exchange.commands import Hit, PlaceOrder, Quote
from venues.exchange.events import CommandRefused, Event, OrderAccepted, VenueStatus
from venues.exchange.matching import LevelPlan, MakerPart, Plan
from venues.exchange.orders import accepted, admit, execute, new_order, rest
from venues.exchange.records import OrderRecord
from venues.exchange.state import MarketRecord, State
from venues.exchange.vault import COLLATERAL


def quote(state: State, command: Quote, events: list[Event]) -> OrderAccepted | CommandRefused:
    record = state.by_token.get(command.token_id)
    if record is None or not record.readable:
        return CommandRefused("Quote", rules.NO_ORDERBOOK.text)
    problem = _problem(state, command.order_id, command.account, command.price, command.size)
    if problem:
        return CommandRefused("Quote", problem)
    order = _bid(state, record, command.order_id, command.account, command.token_id, command.price, command.size)
    if record.book.crossed_by(order.is_bid, order.ladder_price):
        return CommandRefused("Quote", "it would match at once")
    admit(state, order, events)
    rest(state, record, order)
    return accepted(order)


def hit(state: State, command: Hit, events: list[Event]) -> OrderAccepted | CommandRefused:
    target = state.orders.get(command.target)
    if target is None or target.status is not VenueStatus.LIVE:
        return CommandRefused("Hit", f"order {command.target} does not rest")
    record = state.markets[target.condition_id]
    if not record.readable:
        return CommandRefused("Hit", rules.NO_ORDERBOOK.text)
    if command.size > target.remaining:
        return CommandRefused("Hit", f"size was {command.size}, expected at most {target.remaining}")
    buys = target.side is OrderSide.BUY
    token_id = record.market.complement(target.token_id) if buys else target.token_id
    price = MICRO - target.price if buys else target.price
    problem = _problem(state, command.order_id, command.account, price, command.size)
    if problem:
        return CommandRefused("Hit", problem)
    order = _bid(state, record, command.order_id, command.account, token_id, price, command.size)
    cash = order.maker_amount
    part = MakerPart(target, command.size, cash)
    admit(state, order, events)
    execute(
        state, record, order, Plan([LevelPlan(target.ladder_price, price, command.size, cash, 0, [part])], 0), events
    )
    return accepted(order)


def _problem(state: State, order_id: str, account: str, price: int, size: int) -> str:
    if not (order_id and account) or order_id in state.orders:
        return "order id and account must be named, and the id be new"
    if not (0 < price < MICRO and 0 < size <= rules.MAX_AMOUNT):
        return f"price was {price} and size {size}, expected a price within a dollar and a positive size"
    refusal = rules.check_balance(state.vault.available(account, COLLATERAL), multiply_ceil(price, size))
    return refusal.text if refusal is not None else ""


def _bid(
    state: State, record: MarketRecord, order_id: str, account: str, token_id: str, price: int, size: int
) -> OrderRecord:
    cash = multiply_ceil(price, size)
    command = PlaceOrder(order_id, account, token_id, OrderSide.BUY, OrderType.GTC, cash, size)
    return new_order(state, command, record, price)
