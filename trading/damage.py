"""Damaged journal rows, told and acted on: new risk is halted where they lie until a named person has mended them and lifts the halt.

A market's rows halt the market. Rows that name no market halt everything, under a target of their own, so that lifting that halt lifts no other. What
reduces risk goes on. The reason names the first row, what is wrong with it and how to mend it; the audit log names every one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

import structlog

from domain.fill import FillStatus
from domain.halt import HaltScope
from domain.ledger import LedgerAccount
from domain.order import Order, OrderSide, OrderStatus
from domain.ports import BadRow, JournalState
from trading.desk import Desk
from trading.positions import DUST
from trading.row_reader import DAMAGED

JOURNAL = "journal"
"""The target of the halt of everything."""
MEND = "correct the row or restore it from a backup, check the account against the venue"
MOST_AUDITED = 100

_log = structlog.get_logger(__name__)


def with_proof(state: JournalState, contradiction: Callable[[Order], str]) -> JournalState:
    """Return the state with every open order of which `contradiction` says why it is not what was sent: such an order is unknown, and bad."""
    orders, bad = [], list(state.bad)
    for order, known in state.orders:
        wrong = "" if known.status.terminal else contradiction(order)
        if wrong:
            bad.append(BadRow(table="orders", key=order.id, wrong=wrong, market_id=order.draft.market.id))
            orders.append((order, replace(known, status=OrderStatus.UNKNOWN, reason=DAMAGED)))
        else:
            orders.append((order, known))
    return replace(state, orders=tuple(orders), bad=tuple(bad))


def contradictions(state: JournalState) -> list[BadRow]:
    """Return where positions say something else than their fills, or than the ledger: rows are missing or were changed.

    Says nothing when damaged rows were left out already: then the rest is known to be incomplete.
    """
    if state.bad:
        return []
    by_fills: defaultdict[str, int] = defaultdict(int)
    for fill in state.fills:
        if fill.status is not FillStatus.FAILED:
            by_fills[fill.position_id] += fill.size if fill.side is OrderSide.BUY else -fill.size
    by_token: defaultdict[str, int] = defaultdict(int)
    market_ids: dict[str, str] = {}
    found = []
    for row in state.positions:
        by_token[row.token_id] += row.size
        market_ids[row.token_id] = row.market_id
        if row.payout is None and abs(by_fills[row.id] - row.size) > DUST:
            wrong = f"it holds {row.size} micro-shares of {row.token_id[:12]}…, its fills {by_fills[row.id]}"
            found.append(BadRow(table="positions", key=row.id, wrong=wrong, market_id=row.market_id))
    booked = {entry.asset: entry.amount for entry in state.ledger if entry.ledger_account is LedgerAccount.TOKENS}
    for token_id in by_token | booked:
        shares, entered = by_token.get(token_id, 0), booked.get(token_id, 0)
        if abs(shares - entered) > DUST:
            wrong = f"its entries sum to {entered} micro-shares, the positions to {shares}"
            market_id = market_ids.get(token_id, "")
            found.append(BadRow(table="ledger_entries", key=token_id, wrong=wrong, market_id=market_id))
    return found


def act_on(desk: Desk, bad: Iterable[BadRow]) -> None:
    """Halt new risk where rows are damaged."""
    rows = list(bad)
    by_market: defaultdict[str, list[BadRow]] = defaultdict(list)
    for row in rows:
        by_market[row.market_id].append(row)
    for row in rows[:MOST_AUDITED]:
        _log.error(
            "journal row cannot be believed", table=row.table, key=row.key, wrong=row.wrong, market_id=row.market_id
        )
        desk.audit("journal_row_damaged", table=row.table, key=row.key, wrong=row.wrong, market=row.market_id)
    for market_id, damaged in by_market.items():
        first, more = damaged[0], len(damaged) - 1
        others = f" and {more} more in the audit log" if more else ""
        reason = f"damaged row in {first.table}, {first.key}: {first.wrong}{others}"
        scope = HaltScope.MARKET if market_id else HaltScope.ALL
        desk.stop(scope, market_id or JOURNAL, reason=reason, fix=MEND)
