"""Reports: what an account earned in a span of time, grouped as asked. Read with a few statements (`trading.report_queries`), composed here.

The sums of a report are the ledger's: profit = realised − fees + rewards + rounding, over all groups exactly what the ledger says of the span. What
belongs to no group (a reward to no strategy, a trade to no arbitrage) has the empty key, so nothing is ever left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from trading import report_queries as queries
from trading.report_queries import By, EquityPoint, Span

CURVE_POINTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One group of a report, micro-dollars. `maker_share` and `win_rate` are parts of one, None where there is nothing to take a part of.

    `exposure` is inventory at cost at the end of the span, for a period at its own end. `max_drawdown` is of the realised profit after fees.
    """

    key: str
    title: str
    realised: int = 0
    fees: int = 0
    rewards: int = 0
    rounding: int = 0
    exposure: int = 0
    max_drawdown: int = 0
    fills: int = 0
    volume: int = 0
    maker_volume: int = 0
    positions_closed: int = 0
    positions_won: int = 0

    @property
    def profit(self) -> int:
        return self.realised - self.fees + self.rewards + self.rounding

    @property
    def maker_share(self) -> float | None:
        return self.maker_volume / self.volume if self.volume else None

    @property
    def win_rate(self) -> float | None:
        return self.positions_won / self.positions_closed if self.positions_closed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`rows` by group (periods in order, other groups the most profitable first), their `total`, and the worth of the account over the span.

    `equity_drawdown` is the largest fall of the profit with inventory at the best bids.
    """

    account: str
    span: Span
    by: By
    rows: list[Result]
    total: Result
    equity_drawdown: int
    curve: list[EquityPoint] = field(default_factory=list)


def profit_report(account: str, span: Span, by: By) -> Report:
    """Return the report of an account over a span: a fixed number of statements, whatever it holds."""
    rows = _results(account, span, by)
    exposure = sum(row.exposure for row in rows)
    if by.is_period:
        before = queries.inventory_before(account, span)
        exposure += before
        rows = _with_exposure(sorted(rows, key=lambda row: row.key), before)
    else:
        rows.sort(key=lambda row: (-row.profit, row.key))
    if by is By.MARKET:
        known = queries.questions([row.key for row in rows])
        rows = [replace(row, title=known.get(row.key, row.title)) for row in rows]
    drawdown = queries.drawdowns(account, span, By.TOTAL).get("", 0)
    total = replace(_sum(rows), exposure=exposure, max_drawdown=drawdown)
    return Report(
        account=account,
        span=span,
        by=by,
        rows=rows,
        total=total,
        equity_drawdown=queries.equity_drawdown(account, span),
        curve=queries.equity_curve(account, span, most=CURVE_POINTS),
    )


def _results(account: str, span: Span, by: By) -> list[Result]:
    """Return every group that has money, fills or closed positions within the span, or inventory at its end."""
    drawdowns = queries.drawdowns(account, span, by)
    found: dict[str, Result] = {}

    def group(key: str) -> Result:
        return found.get(key) or Result(key=key, title=key or _NAMELESS.get(by, ""))

    for money in queries.money(account, span, by):
        found[money.key] = replace(
            group(money.key),
            realised=money.realised,
            fees=money.fees,
            rewards=money.rewards,
            rounding=money.rounding,
            exposure=money.exposure,
            max_drawdown=drawdowns.get(money.key, 0),
        )
    for fill in queries.fills(account, span, by):
        found[fill.key] = replace(group(fill.key), fills=fill.fills, volume=fill.volume, maker_volume=fill.maker_volume)
    for position in queries.positions(account, span, by):
        found[position.key] = replace(group(position.key), positions_closed=position.closed, positions_won=position.won)
    return [row for row in found.values() if _says_something(row)]


_SUMMED = (
    "realised", "fees", "rewards", "rounding", "fills", "volume", "maker_volume", "positions_closed", "positions_won",
)  # fmt: skip


def _sum(rows: Iterable[Result]) -> Result:
    sums = dict.fromkeys(_SUMMED, 0)
    for row in rows:
        for name in _SUMMED:
            sums[name] += getattr(row, name)
    return Result(key="", title="total", **sums)


_NAMELESS = {
    By.STRATEGY: "no strategy",
    By.MARKET: "no market",
    By.CATEGORY: "no category",
    By.ARBITRAGE: "no arbitrage",
}


def _says_something(row: Result) -> bool:
    money = (row.realised, row.fees, row.rewards, row.rounding, row.exposure)
    return any((*money, row.fills, row.positions_closed))


def _with_exposure(rows: Iterable[Result], before: int) -> list[Result]:
    """Return periods with the inventory at the end of each, from what each added to it."""
    found = []
    for row in rows:
        before += row.exposure
        found.append(replace(row, exposure=before))
    return found
