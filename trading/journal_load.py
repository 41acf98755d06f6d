"""What a start reads from PostgreSQL: everything that may still change, and what became final only lately.

What does not say whether it is over, is not. A leg group is loaded with all of its orders while one of their fills is not settled. A position is
loaded with all of its fills, because it is folded from them. Balances of the ledger are sums over everything that was ever journaled.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from domain.market import Market
from domain.ports import JournalState, ProfitSpan
from trading.leg_rows import leg_markets
from trading.quarantine import SELECT_QUARANTINED
from trading.row_reader import SKEW_NS, RowReader
from trading.row_write import to_datetime, to_ns

Connection = psycopg.Connection[dict[str, Any]]

_ORDERS = """
SELECT * FROM orders WHERE account = %(account)s
AND (updated_at >= %(since)s OR (status NOT IN ('matched', 'cancelled', 'rejected', 'expired')) IS NOT FALSE
     OR id IN (SELECT order_id FROM fills WHERE account = %(account)s AND status NOT IN ('confirmed', 'failed'))
     OR leg_group IN (SELECT id FROM leg_groups WHERE account = %(account)s
                      AND (updated_at >= %(since)s OR (state NOT IN ('filled', 'partial', 'cancelled', 'failed')) IS NOT FALSE))
     OR leg_group IN (SELECT o.leg_group FROM orders o JOIN fills f ON f.order_id = o.id AND f.account = o.account
                      WHERE o.account = %(account)s AND o.leg_group <> '' AND f.status NOT IN ('confirmed', 'failed')))
ORDER BY created_at, id
"""
_POSITIONS = """
SELECT * FROM positions WHERE account = %(account)s
AND (status = 'open' OR closed_at >= %(since)s OR (settled_units + unsettled_units <> 0) IS NOT FALSE
     OR id IN (SELECT position_id FROM fills WHERE account = %(account)s
               AND (matched_at >= %(since)s OR order_id = ANY(%(orders)s))))
ORDER BY opened_at, id
"""
_FILLS = """
SELECT * FROM fills f WHERE account = %(account)s
AND (position_id = ANY(%(positions)s) OR NOT EXISTS (SELECT FROM positions p WHERE p.id = f.position_id AND p.account = f.account))
ORDER BY id
"""
_BALANCES = """
SELECT ledger_account, asset, sum(amount_units)::bigint AS amount FROM ledger_entries WHERE account = %(account)s
GROUP BY ledger_account, asset HAVING sum(amount_units) <> 0
"""
_JOURNALS = """
SELECT journal_id, CASE WHEN sum(amount_units) <> 0 THEN 'its ' || asset || ' sums to ' || sum(amount_units) || ', expected 0'
    ELSE 'created_at ' || max(created_at) || ' has not come yet' END AS wrong
FROM ledger_entries WHERE account = %(account)s GROUP BY journal_id, asset
HAVING sum(amount_units) <> 0 OR max(created_at) > %(latest)s ORDER BY min(id) LIMIT 100
"""
_HALTS = "SELECT * FROM halts WHERE account = %(account)s AND (lifted_at IS NULL OR lifted_by = '') ORDER BY id"

_GROUPS = """
SELECT * FROM leg_groups WHERE account = %(account)s
AND (updated_at >= %(since)s OR (state NOT IN ('filled', 'partial', 'cancelled', 'failed')) IS NOT FALSE
     OR id IN (SELECT o.leg_group FROM orders o JOIN fills f ON f.order_id = o.id AND f.account = o.account
               WHERE o.account = %(account)s AND f.status NOT IN ('confirmed', 'failed')))
ORDER BY created_at, id
"""
_INCOMES = (
    "SELECT journal_id, created_at FROM ledger_entries WHERE account = %(account)s AND ledger_account = 'rewards'"
)
_OPENED = "SELECT min(created_at) AS opened FROM ledger_entries WHERE account = %(account)s"


_PROFITS = """
WITH records AS (
    SELECT id, realised_units - fees_units + inventory_value_units - inventory_cost_units AS profit FROM equity_snapshots
    WHERE account = %(account)s AND created_at >= greatest(%(since)s, (
        SELECT max(lifted_at) FROM halts WHERE account = %(account)s AND scope = 'all' AND target = %(limit)s)))
SELECT (SELECT profit FROM records ORDER BY id LIMIT 1) AS first, max(profit) AS highest FROM records
"""


def load_profits(connection: Connection, account: str, since_ns: int, limit: str) -> ProfitSpan | None:
    """Return the profits of an account's equity records since a moment, or since a limit's halt was last lifted."""
    values = {"account": account, "since": to_datetime(since_ns), "limit": limit}
    row = connection.execute(_PROFITS, values).fetchone()
    return ProfitSpan(row["first"], row["highest"]) if row is not None and row["first"] is not None else None


def load_market_ids(connection: Connection, account: str, since_ns: int) -> set[str]:
    """Return the markets that the rows of `load_state` name."""
    values = {"account": account, "since": to_datetime(since_ns)}
    connection.execute("SET LOCAL statement_timeout = 0")
    orders = connection.execute(_named(_ORDERS), values).fetchall()
    positions = connection.execute(_named(_POSITIONS), values | {"orders": [row["id"] for row in orders]}).fetchall()
    fills = connection.execute(_named(_FILLS), values | {"positions": [row["id"] for row in positions]}).fetchall()
    legs = {market_id for row in connection.execute(_GROUPS, values).fetchall() for market_id in leg_markets(row)}
    return legs | {row["market_id"] for row in (*orders, *positions, *fills)}


def _named(query: LiteralString) -> sql.Composed:
    return sql.SQL("SELECT id, market_id FROM ({}) AS loaded").format(sql.SQL(query))


def load_state(
    connection: Connection,
    account: str,
    since_ns: int,
    market_of: Callable[[str], Market],
    now_ns: int | None = None,
) -> JournalState:
    """Return an account's state; what was final before `since_ns` is left out, what lies in the future of `now_ns` is not believed."""
    latest = datetime.max.replace(tzinfo=UTC) if now_ns is None else to_datetime(now_ns + SKEW_NS)
    values = {"account": account, "since": to_datetime(since_ns), "latest": latest}

    def rows(query: LiteralString, **more: object) -> list[dict[str, Any]]:
        return connection.execute(query, values | more).fetchall()

    # A start reads everything in one go, however long that takes.
    connection.execute("SET LOCAL statement_timeout = 0")
    reader = RowReader(account, market_of, since_ns=since_ns, now_ns=now_ns)
    order_rows = rows(_ORDERS)
    position_rows = rows(_POSITIONS, orders=[row["id"] for row in order_rows])
    orders = reader.orders(order_rows)
    fills = reader.fills(rows(_FILLS, positions=[row["id"] for row in position_rows]))
    positions = reader.positions(position_rows, fills)
    balances = reader.balances((row["ledger_account"], row["asset"], row["amount"]) for row in rows(_BALANCES))
    reader.journals((row["journal_id"], row["wrong"]) for row in rows(_JOURNALS))
    halts, groups = reader.halts(rows(_HALTS)), reader.groups(rows(_GROUPS))
    incomes = rows(_INCOMES)
    quarantined = reader.quarantined((row["detail"], row["lifted"]) for row in rows(SELECT_QUARANTINED))
    return JournalState(
        orders=orders,
        fills=fills,
        ledger=balances,
        positions=positions,
        halts=halts,
        groups=groups,
        since_ns=since_ns,
        opened_ns=_moment(rows(_OPENED)[0]["opened"]),
        incomes=frozenset(row["journal_id"] for row in incomes),
        income_ns=_moment(max((row["created_at"] for row in incomes), default=None)),
        bad=tuple(reader.bad),
        damaged_fills=frozenset(reader.damaged_fills),
        unsure_ns=reader.unsure_ns,
        quarantined=quarantined,
    )


def _moment(moment: datetime | None) -> int | None:
    return None if moment is None else to_ns(moment)
