"""Reports as rows of text: for a terminal, and as CSV for spreadsheets. Amounts are exact decimals, shares of a whole are parts of one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from domain.money import format_micros
from trading.reports import Report, Result
from trading.statement import AMOUNTS, Amounts, Statement

Row = list[str]

_RESULT_AMOUNTS = (
    "profit", "realised", "fees", "rewards", "rounding", "volume", "exposure", "max_drawdown",
)  # fmt: skip


def report_rows(report: Report) -> list[Row]:
    """Return a header, a row for each group, and the total."""
    head = [report.by.value, "title", *_RESULT_AMOUNTS, "fills", "maker_share", "positions_closed", "win_rate"]
    return [head, *(_result(row) for row in report.rows), _result(report.total)]


def _result(row: Result) -> Row:
    amounts = [format_micros(getattr(row, name)) for name in _RESULT_AMOUNTS]
    return [
        row.key,
        row.title,
        *amounts,
        str(row.fills),
        _part(row.maker_share),
        str(row.positions_closed),
        _part(row.win_rate),
    ]


def _part(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def statement_rows(statement: Statement) -> list[Row]:
    """Return the balances, the movements between them, the shares, and how the books stand to the venue's word."""
    rows = [["", *AMOUNTS], ["Opening balance", *_amounts(statement.opening)]]
    rows += [[line.title, *_amounts(line.amounts)] for line in statement.lines]
    rows += [["Closing balance", *_amounts(statement.closing)], []]
    if statement.venue is None:
        rows.append(["The venue has not been read yet"])
    else:
        word = statement.venue
        rows += [
            [f"Cash at the venue, {word.read_at:%Y-%m-%d %H:%M:%S} UTC", format_micros(word.cash)],
            ["Unexplained difference (venue − books)", format_micros(word.unexplained)],
            ["Booked since", format_micros(word.booked_since)],
        ]
    rows += [[f"Taken over: {line.title}", format_micros(line.amounts.cash)] for line in statement.differences]
    if statement.tokens:
        rows += [[], ["Shares", "opening", "came", "went", "closing", "venue, where it differs"]]
    for token in statement.tokens:
        shares = (token.opening, token.came, token.went, token.closing)
        name = f"{token.question or token.market_id}: {token.outcome or token.token_id}"
        rows.append([name, *map(format_micros, shares), "" if token.venue is None else format_micros(token.venue)])
    return rows


def _amounts(amounts: Amounts) -> Row:
    return [format_micros(getattr(amounts, name)) for name in AMOUNTS]


_FILL_COLUMNS = (
    "matched_at", "market_id", "question", "outcome", "side", "price", "size", "fee", "liquidity", "status", "strategy", "trade_id", "order_id",
)  # fmt: skip


def fill_rows(fills: Iterable[dict[str, Any]]) -> list[Row]:
    """Return a header and a row for each fill, from the API's form of them."""
    return [list(_FILL_COLUMNS), *([str(fill[name]) for name in _FILL_COLUMNS] for fill in fills)]


def as_csv(rows: Sequence[Row]) -> str:
    """Return rows as CSV (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    csv.writer(out).writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def _harmless(cell: str) -> str:
    formula = cell[:1] in ("=", "+", "@", "\t", "\r") or (cell[:1] == "-" and not cell[1:2].isdigit())
    return f"'{cell}" if formula else cell


def as_table(rows: Sequence[Row], *, widest: int = 48) -> str:
    """Return rows as aligned columns, long texts cut."""
    cut = [[cell if len(cell) <= widest else f"{cell[: widest - 1]}…" for cell in row] for row in rows]
    columns = max((len(row) for row in cut), default=0)
    widths = [max((len(row[at]) for row in cut if at < len(row) and len(row) > 1), default=0) for at in range(columns)]
    lines = []
    for row in cut:
        cells = [cell.ljust(widths[at]) if at == 0 else cell.rjust(widths[at]) for at, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"
