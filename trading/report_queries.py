"""The SQL of the reports: a handful of statements, each one pass over an account's rows of a period. Every amount is an integer in micro-units.

Money comes from the ledger, at the time it was booked, so that a report adds up to it; volume, counts and roles come from the fills that have not
failed and are trades, at the time they matched. Keys are texts: a strategy, a market's id, a category, an arbitrage type, or the day a period begins
(UTC). All that becomes of a position is of the arbitrage type whose legs bought into it: its sale, its merge, its market's end.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.db import connection


class By(StrEnum):
    """What a report groups by. Weeks begin on Monday."""

    STRATEGY = "strategy"
    MARKET = "market"
    CATEGORY = "category"
    ARBITRAGE = "arbitrage"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"

    @property
    def is_period(self) -> bool:
        return self in (By.DAY, By.WEEK, By.MONTH)


_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """From `start` until before `end`."""

    start: datetime
    end: datetime


class MoneyRow(NamedTuple):
    """What the ledger says of one group. `exposure` is inventory at cost at the end of the span (of a period: what it added)."""

    key: str
    realised: int
    fees: int
    rewards: int
    rounding: int
    exposure: int


class FillRow(NamedTuple):
    key: str
    fills: int
    volume: int
    maker_volume: int


class PositionRow(NamedTuple):
    key: str
    closed: int
    won: int


_LEDGER_KEY = {
    By.STRATEGY: "e.strategy_name",
    By.MARKET: "e.market_id",
    By.CATEGORY: "coalesce(m.category, '')",
    By.ARBITRAGE: "coalesce(a.arb_type, '')",
    By.TOTAL: "''",
}
_ROW_KEY = _LEDGER_KEY | {By.STRATEGY: "r.strategy_name", By.MARKET: "r.market_id"}
_OF_ARBITRAGE = """(
  SELECT l.position_id, min(g.arb_type) AS arb_type
  FROM orders o JOIN leg_groups g ON g.id = o.leg_group JOIN fills l ON l.order_id = o.id AND l.account = o.account
  WHERE o.account = %(account)s AND o.leg_group <> '' AND g.arb_type <> '' GROUP BY 1
)"""
# A journal is named `<kind>:<trade id>:<order id>`, or `resolution:<position id>`.
_JOURNAL_JOIN = """
LEFT JOIN (
  SELECT f.trade_id || ':' || f.order_id AS name, p.arb_type FROM {positions} AS p JOIN fills f ON f.position_id = p.position_id
  UNION ALL SELECT p.position_id::text, p.arb_type FROM {positions} AS p
) AS a ON a.name = substr(e.journal_id, length(e.kind) + 2)
"""
_LEDGER_JOIN = {
    By.CATEGORY: "LEFT JOIN markets m ON m.id = e.market_id",
    By.ARBITRAGE: _JOURNAL_JOIN.format(positions=_OF_ARBITRAGE),
}
_FILL_JOIN = {
    By.CATEGORY: "LEFT JOIN markets m ON m.id = r.market_id",
    By.ARBITRAGE: "LEFT JOIN " + _OF_ARBITRAGE + " AS a ON a.position_id = r.position_id",
}
_POSITION_JOIN = _FILL_JOIN | {By.ARBITRAGE: "LEFT JOIN " + _OF_ARBITRAGE + " AS a ON a.position_id = r.id"}


def _period(by: By, column: str) -> str:
    return f"to_char(date_trunc('{by.value}', {column} AT TIME ZONE 'UTC'), 'YYYY-MM-DD')"


def _ledger_key(by: By) -> str:
    return _period(by, "e.created_at") if by.is_period else _LEDGER_KEY[by]


_MONEY = """
SELECT {key},
  coalesce(-sum(e.amount_units) FILTER (WHERE e.ledger_account = 'realised' AND e.created_at >= %(start)s), 0)::bigint,
  coalesce(sum(e.amount_units) FILTER (WHERE e.ledger_account = 'fees' AND e.created_at >= %(start)s), 0)::bigint,
  coalesce(-sum(e.amount_units) FILTER (WHERE e.ledger_account = 'rewards' AND e.created_at >= %(start)s), 0)::bigint,
  coalesce(-sum(e.amount_units) FILTER (WHERE e.ledger_account = 'rounding' AND e.created_at >= %(start)s), 0)::bigint,
  coalesce(sum(e.amount_units) FILTER (WHERE e.ledger_account = 'inventory'), 0)::bigint
FROM ledger_entries e {join}
WHERE e.account = %(account)s AND e.asset = 'collateral' AND e.created_at < %(end)s AND e.created_at >= %(first)s
  AND e.ledger_account IN ('realised', 'fees', 'rewards', 'rounding', 'inventory')
GROUP BY 1
"""


def money(account: str, span: Span, by: By) -> list[MoneyRow]:
    """Return the ledger's sums by group. For periods, `exposure` is what the period added to the inventory; see `inventory_before`."""
    query = _MONEY.format(key=_ledger_key(by), join=_LEDGER_JOIN.get(by, ""))
    # What is held was bought at any time; of a period only its own movements are asked for.
    first = span.start if by.is_period else _EVER
    return [MoneyRow(*row) for row in _rows(query, account, span, first=first)]


_INVENTORY_BEFORE = """
SELECT coalesce(sum(amount_units), 0)::bigint FROM ledger_entries
WHERE account = %(account)s AND asset = 'collateral' AND ledger_account = 'inventory' AND created_at < %(start)s
"""


def inventory_before(account: str, span: Span) -> int:
    """Return the inventory at cost when the span begins."""
    return int(_rows(_INVENTORY_BEFORE, account, span)[0][0])


_DRAWDOWN = """
WITH steps AS (
  SELECT {key} AS key, min(e.id) AS place, -sum(e.amount_units) AS profit
  FROM ledger_entries e {join}
  WHERE e.account = %(account)s AND e.asset = 'collateral' AND e.created_at >= %(start)s AND e.created_at < %(end)s
    AND e.ledger_account IN ('realised', 'fees', 'rewards', 'rounding')
  GROUP BY 1, e.journal_id
), curve AS (
  SELECT key, place, sum(profit) OVER (PARTITION BY key ORDER BY place) AS worth FROM steps
), peaks AS (
  SELECT key, worth, greatest(0, max(worth) OVER (PARTITION BY key ORDER BY place)) AS peak FROM curve
)
SELECT key, max(peak - worth)::bigint FROM peaks GROUP BY key
"""


def drawdowns(account: str, span: Span, by: By) -> dict[str, int]:
    """Return by group how far its realised profit after fees fell from its highest point within the span (0 at its beginning)."""
    query = _DRAWDOWN.format(key=_ledger_key(by), join=_LEDGER_JOIN.get(by, ""))
    return dict(_rows(query, account, span))


_FILLS = """
SELECT {key}, count(*), coalesce(sum(r.price_ticks * r.size_units / 1000000), 0)::bigint,
  coalesce(sum(r.price_ticks * r.size_units / 1000000) FILTER (WHERE r.liquidity = 'maker'), 0)::bigint
FROM fills r {join}
WHERE r.account = %(account)s AND r.status <> 'failed' AND r.liquidity <> 'transfer' AND r.matched_at >= %(start)s AND r.matched_at < %(end)s
GROUP BY 1
"""


def fills(account: str, span: Span, by: By) -> list[FillRow]:
    """Return number and volume of the trades by group; each fill's dollars are rounded down."""
    key = _period(by, "r.matched_at") if by.is_period else _ROW_KEY[by]
    return [FillRow(*row) for row in _rows(_FILLS.format(key=key, join=_FILL_JOIN.get(by, "")), account, span)]


_POSITIONS = """
SELECT {key}, count(*), count(*) FILTER (WHERE r.realised_units > r.fees_units)
FROM positions r {join}
WHERE r.account = %(account)s AND r.status = 'closed' AND r.closed_at >= %(start)s AND r.closed_at < %(end)s
GROUP BY 1
"""


def positions(account: str, span: Span, by: By) -> list[PositionRow]:
    """Return how many positions were closed by group, and how many of them with a profit after fees."""
    key = _period(by, "r.closed_at") if by.is_period else _ROW_KEY[by]
    query = _POSITIONS.format(key=key, join=_POSITION_JOIN.get(by, ""))
    return [PositionRow(*row) for row in _rows(query, account, span)]


_EQUITY_DRAWDOWN = """
WITH curve AS (
  SELECT created_at, cash_units + inventory_value_units + receivable_units - deposits_units AS profit
  FROM equity_snapshots WHERE account = %(account)s AND created_at >= %(start)s AND created_at < %(end)s
)
SELECT coalesce(max(peak - profit), 0)::bigint
FROM (SELECT profit, max(profit) OVER (ORDER BY created_at) AS peak FROM curve) AS peaks
"""


def equity_drawdown(account: str, span: Span) -> int:
    """Return how far the profit with inventory at the best bids fell from its highest point within the span, by the equity snapshots."""
    return int(_rows(_EQUITY_DRAWDOWN, account, span)[0][0])


_CURVE = """
WITH points AS (
  SELECT created_at, cash_units + inventory_value_units + receivable_units AS equity, deposits_units,
    extract(epoch FROM created_at - min(created_at) OVER ()) AS age,
    greatest(extract(epoch FROM max(created_at) OVER () - min(created_at) OVER ()) / %(most)s, 0.001) AS step
  FROM equity_snapshots WHERE account = %(account)s AND created_at >= %(start)s AND created_at < %(end)s
)
SELECT DISTINCT ON (floor(age / step)) created_at, equity, deposits_units
FROM points ORDER BY floor(age / step), created_at DESC
"""


class EquityPoint(NamedTuple):
    at: datetime
    equity: int
    deposits: int


def equity_curve(account: str, span: Span, *, most: int) -> list[EquityPoint]:
    """Return the account's worth over time: the last snapshot of each of `most` equal parts of the time from the first to the last one."""
    return [EquityPoint(*row) for row in _rows(_CURVE, account, span, most=most)]


_MOVEMENTS = """
SELECT kind, ledger_account, coalesce(sum(amount_units) FILTER (WHERE created_at >= %(start)s), 0)::bigint,
  coalesce(sum(amount_units) FILTER (WHERE created_at < %(start)s), 0)::bigint
FROM ledger_entries WHERE account = %(account)s AND asset = 'collateral' AND created_at < %(end)s
GROUP BY 1, 2
"""


def movements(account: str, span: Span) -> list[tuple[str, str, int, int]]:
    """Return (kind, ledger account, moved within the span, moved before it) of the collateral."""
    return _rows(_MOVEMENTS, account, span)


_TOKENS = """
SELECT e.token_id, e.market_id, coalesce(m.question, ''),
  CASE WHEN m.token_id_1 = e.token_id THEN m.outcome_1 WHEN m.token_id_2 = e.token_id THEN m.outcome_2 ELSE '' END,
  e.before, e.came, e.went
FROM (
  SELECT token_id, max(market_id) AS market_id,
    coalesce(sum(amount_units) FILTER (WHERE created_at < %(start)s), 0)::bigint AS before,
    coalesce(sum(amount_units) FILTER (WHERE created_at >= %(start)s AND amount_units > 0), 0)::bigint AS came,
    coalesce(-sum(amount_units) FILTER (WHERE created_at >= %(start)s AND amount_units < 0), 0)::bigint AS went
  FROM ledger_entries WHERE account = %(account)s AND ledger_account = 'tokens' AND created_at < %(end)s
  GROUP BY token_id
) AS e LEFT JOIN markets m ON m.id = e.market_id
WHERE e.before <> 0 OR e.came <> 0 OR e.went <> 0
ORDER BY 3, 4, 1
"""


def tokens(account: str, span: Span) -> list[tuple[str, str, str, str, int, int, int]]:
    """Return (token, market, question, outcome, held before, came, went) of every token that was held or moved."""
    return _rows(_TOKENS, account, span)


_NAMES = """
SELECT t.id, coalesce(m.id, ''), coalesce(m.question, ''),
  CASE WHEN m.token_id_1 = t.id THEN m.outcome_1 WHEN m.token_id_2 = t.id THEN m.outcome_2 ELSE '' END
FROM unnest(%(ids)s::text[]) AS t(id) LEFT JOIN markets m ON t.id IN (m.token_id_1, m.token_id_2)
ORDER BY 3, 4, 1
"""


def token_names(token_ids: list[str]) -> list[tuple[str, str, str, str]]:
    """Return (token, market, question, outcome) of tokens; what is not known of one is empty."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, {"ids": token_ids})
        return list(cursor.fetchall())


_QUESTIONS = "SELECT id, question FROM markets WHERE id = ANY(%(ids)s)"


def questions(market_ids: list[str]) -> dict[str, str]:
    """Return the questions of markets."""
    with connection.cursor() as cursor:
        cursor.execute(_QUESTIONS, {"ids": market_ids})
        return dict(cursor.fetchall())


def _rows(query: str, account: str, span: Span, **more: datetime | float) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"account": account, "start": span.start, "end": span.end, **more})
        return list(cursor.fetchall())
