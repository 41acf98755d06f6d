"""What time does to orders, and what may be forgotten: only what is over, and what nobody holds or remembers."""

from __future__ import annotations

from heapq import heappop

from domain.market import Market
from venues.exchange.commands import Advance, Prune
from venues.exchange.events import Event, Pruned, VenueStatus
from venues.exchange.orders import end_order, release
from venues.exchange.records import TradeRecord
from venues.exchange.state import State


def advance(_state: State, _command: Advance, _events: list[Event]) -> None:
    """Do nothing: time has passed already."""


def pass_time(state: State, now_ns: int, events: list[Event]) -> None:
    """Release delayed orders and stop GTD orders that are due, each at its own time, so that the driver's rhythm changes nothing."""
    while state.timers and state.timers[0][0] <= now_ns:
        due_ns, _, order_id = heappop(state.timers)
        order = state.orders.get(order_id)
        if order is None or not order.status.open:
            continue
        state.now_ns = max(state.now_ns, due_ns)
        if order.due_ns == due_ns:
            release(state, order, events)
        else:
            end_order(state, order, VenueStatus.CANCELED_EXPIRED_ORDER, "order expired", events)
    state.now_ns = max(state.now_ns, now_ns)


def prune(state: State, command: Prune, _events: list[Event]) -> Event:
    """Forget what ended before the given time: orders, trades, their timers, empty holdings, and markets without a trace."""
    orders = [o for o in state.orders.values() if not o.status.open and o.updated_ns < command.before_ns]
    trades = [t for t in state.trades.values() if t.status.terminal and t.updated_ns < command.before_ns]
    for order in orders:
        state.forget_order(order)
    for trade in trades:
        _forget_trade(state, trade)
    state.vault.forget_empty()
    state.prune_timers()
    markets = _without_trace(state, command.before_ns)
    for market in markets:
        state.remove_market(market)
    return Pruned(
        tuple(order.id for order in orders),
        tuple(trade.id for trade in trades),
        tuple(market.condition_id for market in markets),
    )


def _without_trace(state: State, before_ns: int) -> list[Market]:
    """Return the markets resolved before the given time of which nobody holds or remembers anything."""
    over = [
        record.market
        for record in state.markets.values()
        if record.payouts is not None and not record.collateral and (record.market.closed_ns or 0) < before_ns
    ]
    if not over:
        return []
    held = {asset for assets in state.vault.holdings.values() for asset in assets}
    named = {order.condition_id for order in state.orders.values()} | {t.condition_id for t in state.trades.values()}
    return [market for market in over if market.condition_id not in named and held.isdisjoint(market.token_ids)]


def _forget_trade(state: State, trade: TradeRecord) -> None:
    del state.trades[trade.id]
    for account in {trade.account} | {maker.account for maker in trade.makers}:
        trades = state.trades_of[account]
        del trades[trade.id]
        if not trades:
            del state.trades_of[account]
