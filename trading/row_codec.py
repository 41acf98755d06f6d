"""Journal rows ↔ table columns: the one place that knows both, used by the PostgreSQL journal and by the in-memory one.

`encode` turns a row into a `Write`, the decoders turn columns back into rows. Orders have their own file (`trading.order_rows`), so have leg groups
and arbitrage executions (`trading.leg_rows`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from domain.fill import Fill, FillKey, FillStatus, Liquidity
from domain.halt import Halt, HaltScope
from domain.ledger import LedgerAccount, LedgerEntry
from domain.order import OrderSide
from domain.ports import AuditRecord, BalanceRecord, EquityRecord, HaltLifted, JournalRow
from domain.position import Position, PositionStatus
from trading.leg_rows import LEG_ENCODERS
from trading.order_rows import ORDER_ENCODERS
from trading.row_write import JsonText, Verb, Write, optional_ns, to_datetime, to_ns


def encode(row: JournalRow) -> Write:
    """Return how `row` is written."""
    return _ENCODERS[type(row)](row)


def _fill(row: Fill) -> Write:
    columns = {
        "trade_id": row.key.trade_id,
        "order_id": row.key.order_id,
        "position_id": row.position_id,
        "account": row.account,
        "market_id": row.market_id,
        "token_id": row.token_id,
        "side": row.side.value,
        "price_ticks": row.price,
        "size_units": row.size,
        "fee_units": row.fee,
        "fee_rate_micros": row.fee_rate,
        "liquidity": row.liquidity.value,
        "status": row.status.value,
        "strategy_name": row.strategy,
        "transaction_hash": row.transaction_hash,
        "matched_at": to_datetime(row.matched_ns),
    }
    return Write(Verb.UPSERT, "fills", columns, ("account", "trade_id", "order_id"))


def _ledger_entry(row: LedgerEntry) -> Write:
    columns = {
        "journal_id": row.journal_id,
        "account": row.account,
        "ledger_account": row.ledger_account.value,
        "asset": row.asset,
        "amount_units": row.amount,
        "kind": row.kind,
        "strategy_name": row.strategy,
        "market_id": row.market_id,
        "token_id": row.token_id,
        "created_at": to_datetime(row.at_ns),
    }
    return Write(Verb.INSERT, "ledger_entries", columns)


def _position(row: Position) -> Write:
    columns = {
        "id": row.id,
        "account": row.account,
        "wallet": row.account.partition(":")[2],
        "market_id": row.market_id,
        "token_id": row.token_id,
        "side": row.side,
        "direction": OrderSide.BUY.value,
        "strategy_name": row.strategy,
        "settled_units": row.settled,
        "unsettled_units": row.unsettled,
        "cost_units": row.cost,
        "entry_price_ticks": row.entry_price,
        "realised_units": row.realised,
        "fees_units": row.fees,
        "take_profit_ticks": row.take_profit,
        "stop_loss_ticks": row.stop_loss,
        "exit_price_ticks": row.exit_price,
        "payout_ticks": row.payout,
        "status": row.status.value,
        "opened_at": to_datetime(row.opened_ns),
        "closed_at": to_datetime(row.closed_ns),
    }
    return Write(Verb.UPSERT, "positions", columns, ("id",))


def _halt(row: Halt) -> Write:
    columns = {
        "account": row.account,
        "scope": row.scope.value,
        "target": row.target,
        "reason": row.reason,
        "set_by": row.set_by,
        "set_at": to_datetime(row.set_ns),
        "lifted_by": "",
        "lifted_at": None,
    }
    return Write(Verb.INSERT, "halts", columns)


def _halt_lifted(row: HaltLifted) -> Write:
    columns = {
        "account": row.account,
        "scope": row.scope,
        "target": row.target,
        "set_at": to_datetime(row.set_ns),
        "lifted_by": row.lifted_by,
        "lifted_at": to_datetime(row.lifted_ns),
    }
    return Write(Verb.UPDATE, "halts", columns, ("account", "scope", "target", "set_at"))


def _audit(row: AuditRecord) -> Write:
    columns = {
        "event": row.event,
        "account": row.account,
        "detail": JsonText(json.dumps(row.detail, sort_keys=True)),
        "created_at": to_datetime(row.at_ns),
    }
    return Write(Verb.INSERT, "audit_log", columns)


def _equity(row: EquityRecord) -> Write:
    columns = {
        "account": row.account,
        "cash_units": row.cash,
        "inventory_cost_units": row.inventory_cost,
        "inventory_value_units": row.inventory_value,
        "realised_units": row.realised,
        "fees_units": row.fees,
        "receivable_units": row.receivable,
        "deposits_units": row.deposits,
        "created_at": to_datetime(row.at_ns),
    }
    return Write(Verb.INSERT, "equity_snapshots", columns)


def _balances(row: BalanceRecord) -> Write:
    columns = {
        "account": row.account,
        "venue_cash_units": row.venue_cash,
        "book_cash_units": row.book_cash,
        "tokens": JsonText(json.dumps(row.tokens, sort_keys=True)),
        "created_at": to_datetime(row.at_ns),
    }
    return Write(Verb.INSERT, "venue_balances", columns)


_ENCODERS: dict[type, Callable[[Any], Write]] = {
    Fill: _fill,
    LedgerEntry: _ledger_entry,
    Position: _position,
    Halt: _halt,
    HaltLifted: _halt_lifted,
    AuditRecord: _audit,
    EquityRecord: _equity,
    BalanceRecord: _balances,
    **ORDER_ENCODERS,
    **LEG_ENCODERS,
}


def decode_fill(columns: Mapping[str, Any]) -> Fill:
    """Return a fill from a `fills` row."""
    return Fill(
        key=FillKey(columns["trade_id"], columns["order_id"]),
        account=columns["account"],
        market_id=columns["market_id"],
        token_id=columns["token_id"],
        side=OrderSide(columns["side"]),
        price=columns["price_ticks"],
        size=columns["size_units"],
        fee=columns["fee_units"],
        fee_rate=columns["fee_rate_micros"],
        liquidity=Liquidity(columns["liquidity"]),
        status=FillStatus(columns["status"]),
        strategy=columns["strategy_name"],
        matched_ns=to_ns(columns["matched_at"]),
        transaction_hash=columns["transaction_hash"],
        position_id=str(columns["position_id"]),
    )


def decode_position(columns: Mapping[str, Any]) -> Position:
    """Return a position from a `positions` row."""
    return Position(
        id=str(columns["id"]),
        account=columns["account"],
        market_id=columns["market_id"],
        token_id=columns["token_id"],
        side=columns["side"],
        strategy=columns["strategy_name"],
        settled=columns["settled_units"],
        unsettled=columns["unsettled_units"],
        cost=columns["cost_units"],
        realised=columns["realised_units"],
        fees=columns["fees_units"],
        take_profit=columns["take_profit_ticks"],
        stop_loss=columns["stop_loss_ticks"],
        opened_ns=to_ns(columns["opened_at"]),
        closed_ns=optional_ns(columns["closed_at"]),
        exit_price=columns["exit_price_ticks"],
        status=PositionStatus(columns["status"]),
        payout=columns["payout_ticks"],
    )


def decode_halt(columns: Mapping[str, Any]) -> Halt:
    """Return an active halt from a `halts` row."""
    return Halt(
        account=columns["account"],
        scope=HaltScope(columns["scope"]),
        target=columns["target"],
        reason=columns["reason"],
        set_by=columns["set_by"],
        set_ns=to_ns(columns["set_at"]),
    )


def balance_entry(account: str, ledger_account: str, asset: str, amount: int) -> LedgerEntry:
    """Return an opening balance: the sum of everything journaled so far for one ledger account and asset."""
    return LedgerEntry(
        journal_id="",
        account=account,
        ledger_account=LedgerAccount(ledger_account),
        asset=asset,
        amount=amount,
        kind="balance",
    )
