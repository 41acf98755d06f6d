"""Trades from match to settlement: what they move, and what confirming or failing does.

A trade is matched → mined → confirmed, with retrying in between where settlement needs another attempt, or failed. Confirmed delivers
both sides, failed gives both back; both are final.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.fill import FILL_TRANSITIONS, FillStatus
from domain.order import OrderSide
from venues.exchange.commands import Settle
from venues.exchange.events import CommandRefused, Event, MakerFill, MatchKind, TradeMoved
from venues.exchange.matching import LevelPlan
from venues.exchange.records import OrderRecord, TradeRecord
from venues.exchange.state import MarketRecord, State
from venues.exchange.vault import COLLATERAL, Leg


def open_trade(state: State, record: MarketRecord, taker: OrderRecord, level: LevelPlan) -> TradeRecord:
    """Record what one level of a plan matched and put the funds of all sides in flight."""
    state.trades_seen += 1
    digits = state.derived_hash("trade", state.trades_seen)
    trade = TradeRecord(
        number=state.trades_seen,
        id=f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}",
        taker_order_id=taker.id,
        account=taker.account,
        condition_id=taker.condition_id,
        token_id=taker.token_id,
        side=taker.side,
        price=level.price,
        size=level.size,
        cash=level.cash,
        fee=level.fee,
        fee_rate=record.market.fees.rate,
        status=FillStatus.MATCHED,
        matched_ns=state.now_ns,
        updated_ns=state.now_ns,
        makers=tuple(_maker_fill(taker, order, size, cash) for order, size, cash in level.parts),
    )
    for leg in legs(trade, state.fee_account):
        state.vault.bind(leg)
    state.add_trade(trade)
    record.last_price = level.ladder_price
    return trade


def settle(state: State, command: Settle, _events: list[Event]) -> Event:
    """Move a trade to the wanted status, or refuse what its present one does not allow."""
    trade = state.trades.get(command.trade_id)
    if trade is None:
        return CommandRefused("Settle", f"trade {command.trade_id} is not known")
    if trade.status.terminal or command.status not in FILL_TRANSITIONS[trade.status]:
        return CommandRefused("Settle", f"trade {trade.id} is {trade.status}, it cannot become {command.status}")
    trade.status = command.status
    trade.updated_ns = state.now_ns
    if command.status is FillStatus.CONFIRMED:
        _confirm(state, trade)
    elif command.status is FillStatus.FAILED:
        for leg in legs(trade, state.fee_account):
            state.vault.unbind(leg)
    _update_hash(state, trade)
    if trade.status.terminal:
        del state.unsettled[trade.id]
    return TradeMoved(trade.view())


def legs(trade: TradeRecord, fee_account: str) -> Iterator[Leg]:
    """Yield what each party gives and gets, the taker first, the fee last."""
    if trade.side is OrderSide.BUY:
        yield Leg(trade.account, COLLATERAL, trade.cash + trade.fee, trade.token_id, trade.size)
    else:
        yield Leg(trade.account, trade.token_id, trade.size, COLLATERAL, trade.cash - trade.fee)
    for maker in trade.makers:
        if maker.side is OrderSide.BUY:
            yield Leg(maker.account, COLLATERAL, maker.cash, maker.token_id, maker.size)
        else:
            yield Leg(maker.account, maker.token_id, maker.size, COLLATERAL, maker.cash)
    if trade.fee:
        yield Leg(fee_account, COLLATERAL, 0, COLLATERAL, trade.fee)


def _maker_fill(taker: OrderRecord, order: OrderRecord, size: int, cash: int) -> MakerFill:
    if order.token_id == taker.token_id:
        kind, own_cash = MatchKind.COMPLEMENTARY, cash
    else:
        # The two prices of a pair add up to one dollar, so the two cash amounts add up to the size.
        kind, own_cash = MatchKind.MINT if order.side is OrderSide.BUY else MatchKind.MERGE, size - cash
    return MakerFill(order.id, order.account, order.token_id, order.side, order.price, size, own_cash, kind)


def _confirm(state: State, trade: TradeRecord) -> None:
    for leg in legs(trade, state.fee_account):
        state.vault.deliver(leg)
    record = state.markets[trade.condition_id]
    for maker in trade.makers:
        if maker.kind is MatchKind.MINT:
            record.collateral += maker.size
        elif maker.kind is MatchKind.MERGE:
            record.collateral -= maker.size


def _update_hash(state: State, trade: TradeRecord) -> None:
    """A transaction exists once it was mined; a retry replaces it."""
    if trade.status is FillStatus.RETRYING:
        trade.transaction_hash = ""
    elif trade.status is not FillStatus.FAILED and not trade.transaction_hash:
        trade.attempts += 1
        trade.transaction_hash = "0x" + state.derived_hash("transaction", f"{trade.id}/{trade.attempts}")
