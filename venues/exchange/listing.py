"""The venue's own acts on a market: open it, change its tick, stop it, resolve it."""

from __future__ import annotations

from dataclasses import replace

from domain.errors import InvalidOrderError
from domain.market import Market, MarketStatus
from domain.money import MICRO
from domain.ticks import tick_size
from venues.exchange.commands import (
    EndOrders,
    ListMarket,
    LoseOrders,
    Resolve,
    SetAccepting,
    SetBook,
    SetDelay,
    SetTerms,
    SetTick,
)
from venues.exchange.events import (
    AcceptingChanged,
    BookSwitched,
    CommandRefused,
    Event,
    MarketListed,
    MarketResolved,
    OrdersLost,
    TickChanged,
    VenueStatus,
)
from venues.exchange.orders import drop_order, end_order
from venues.exchange.records import OrderRecord
from venues.exchange.state import MarketRecord, State


def list_market(state: State, command: ListMarket, _events: list[Event]) -> Event:
    market = command.market
    first, second = market.token_ids
    problem = _tick_problem(market.tick)
    if market.condition_id in state.markets or first in state.by_token or second in state.by_token:
        problem = f"market {market.condition_id} or one of its tokens is already listed"
    elif first == second or not (first and second and market.condition_id):
        problem = "condition id and tokens must be named and different"
    elif market.status is not MarketStatus.ACTIVE or market.winner is not None:
        problem = f"market {market.condition_id} is {market.status}, expected an active one"
    problem = problem or _negative_problem(market)
    if problem:
        return CommandRefused("ListMarket", problem)
    state.add_market(MarketRecord(market=market))
    return MarketListed(market)


def set_tick(state: State, command: SetTick, _events: list[Event]) -> Event:
    record = _active(state, command.condition_id)
    if record is None:
        return _not_active("SetTick", command.condition_id)
    problem = _tick_problem(command.tick)
    if problem:
        return CommandRefused("SetTick", problem)
    old = record.market.tick
    record.market = replace(record.market, tick=command.tick)
    return TickChanged(command.condition_id, record.market.token_ids, old, command.tick)


def set_delay(state: State, command: SetDelay, _events: list[Event]) -> Event | None:
    record = _active(state, command.condition_id)
    if record is None:
        return _not_active("SetDelay", command.condition_id)
    if command.delay_ms < 0:
        return CommandRefused("SetDelay", "the taker delay must not be negative")
    record.market = replace(record.market, taker_delay_ms=command.delay_ms)
    return None


def set_terms(state: State, command: SetTerms, _events: list[Event]) -> Event | None:
    terms = command.market
    record = _active(state, terms.condition_id)
    if record is None:
        return _not_active("SetTerms", terms.condition_id)
    problem = _tick_problem(terms.tick) or _negative_problem(terms)
    if problem:
        return CommandRefused("SetTerms", problem)
    record.market = replace(
        record.market,
        tick=terms.tick,
        min_size=terms.min_size,
        fees=terms.fees,
        taker_delay_ms=terms.taker_delay_ms,
        accepting_orders=terms.accepting_orders,
    )
    return None


def set_accepting(state: State, command: SetAccepting, _events: list[Event]) -> Event:
    record = _active(state, command.condition_id)
    if record is None:
        return _not_active("SetAccepting", command.condition_id)
    record.market = replace(record.market, accepting_orders=command.accepting)
    return AcceptingChanged(command.condition_id, command.accepting)


def set_book(state: State, command: SetBook, _events: list[Event]) -> Event:
    record = _active(state, command.condition_id)
    if record is None:
        return _not_active("SetBook", command.condition_id)
    record.has_book = command.open
    return BookSwitched(command.condition_id, command.open)


def end_orders(state: State, command: EndOrders, events: list[Event]) -> Event | None:
    if command.status.open:
        return CommandRefused("EndOrders", f"status was {command.status}, expected one of an order that ended")
    for order in _open_orders(state, command.condition_id):
        if order.status is VenueStatus.DELAYED or not command.delayed_only:
            end_order(state, order, command.status, command.reason, events)
    return None


def lose_orders(state: State, _command: LoseOrders, _events: list[Event]) -> Event:
    lost = _open_orders(state, "")
    for order in lost:
        drop_order(state, order)
    return OrdersLost(tuple(order.id for order in lost))


def resolve(state: State, command: Resolve, events: list[Event]) -> Event:
    record = _active(state, command.condition_id)
    if record is None:
        return _not_active("Resolve", command.condition_id)
    if command.winner not in (0, 1, None):
        return CommandRefused("Resolve", f"winner was {command.winner}, expected 0, 1 or none for both")
    for order in list(record.open_orders.values()):
        end_order(state, order, VenueStatus.CANCELED_MARKET_RESOLVED, "market resolved", events)
    record.payouts = {None: (MICRO // 2, MICRO // 2), 0: (MICRO, 0), 1: (0, MICRO)}[command.winner]
    record.market = replace(
        record.market,
        status=MarketStatus.SETTLED,
        accepting_orders=False,
        winner=command.winner,
        closed_ns=state.now_ns,
    )
    return MarketResolved(command.condition_id, record.market.token_ids, command.winner, record.payouts)


def _open_orders(state: State, condition_id: str) -> list[OrderRecord]:
    return [
        order
        for record in state.markets.values()
        if condition_id in ("", record.market.condition_id)
        for order in record.open_orders.values()
    ]


def _active(state: State, condition_id: str) -> MarketRecord | None:
    record = state.markets.get(condition_id)
    return record if record is not None and record.payouts is None else None


def _not_active(command: str, condition_id: str) -> CommandRefused:
    return CommandRefused(command, f"market {condition_id} is not known or already resolved")


def _tick_problem(tick: int) -> str:
    try:
        tick_size(tick)
    except InvalidOrderError as error:
        return str(error)
    return ""


def _negative_problem(market: Market) -> str:
    negative = market.min_size < 0 or market.taker_delay_ms < 0
    return "minimum size and taker delay must not be negative" if negative else ""
