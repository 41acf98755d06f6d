"""Reports add up to the ledger, statements to the micro-unit, for any sequence of events; and each shows one account."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from domain.fill import Fill, FillStatus, Liquidity
from domain.ledger import EntryKind, LedgerAccount, LedgerEntry
from domain.money import MICRO
from domain.order import Order, OrderSide, OrderStatus
from domain.ports import BalanceRecord, JournalRow
from domain.position import Position
from domain.reports import IncomeReport, TradeReport
from markets.store import save_markets
from tests.trading import factories as f
from tests.trading import rows
from trading import models
from trading.change import Change
from trading.portfolio import Portfolio
from trading.report_queries import By, Span
from trading.report_span import SpanError, parse_span
from trading.report_table import as_csv, as_table, report_rows, statement_rows
from trading.reports import profit_report
from trading.row_codec import encode
from trading.statement import statement
from trading.store import ledger_summary

pytestmark = pytest.mark.django_db

DAY_NS = 86_400 * 10**9
START = datetime(2026, 9, 1, tzinfo=UTC)
"""A Tuesday."""
OTHER = "paper:second"


def ns(days: float) -> int:
    return int(START.timestamp()) * 10**9 + int(days * DAY_NS)


def days(first: float, last: float) -> Span:
    return Span(START + timedelta(days=first), START + timedelta(days=last))


ALL = days(-10, 100)


class Books:
    """An account that lives through events; `flush` writes what the journal would have written."""

    def __init__(self, account: str = f.ACCOUNT) -> None:
        self.markets = {
            "m1": f.market(category="Politics"),
            "m2": f.market(id="m2", slug="m2", condition_id="0xc2", token_ids=("21", "22"), category="Sports"),
        }
        by_condition = {market.condition_id: market for market in self.markets.values()}
        self.account = account
        self.portfolio = Portfolio(account, by_condition.get)
        self.entries: list[LedgerEntry] = []
        self.latest: dict[object, Fill | Position] = {}
        self.checks: list[BalanceRecord] = []
        self.trades: list[TradeReport] = []
        self.orders: list[Order] = []
        self.count = 0

    def note(self, change: Change) -> None:
        for row in change.rows:
            if isinstance(row, LedgerEntry):
                self.entries.append(row)
            elif isinstance(row, Fill):
                self.latest[row.key] = row
            elif isinstance(row, Position):
                self.latest[row.id] = row

    def move(self, kind: EntryKind, counterpart: LedgerAccount, amount: int, at_ns: int) -> None:
        self.count += 1
        self.note(
            self.portfolio.transfer(
                journal_id=f"{kind}:{self.count}",
                kind=kind,
                debit=LedgerAccount.CASH,
                credit=counterpart,
                amount=amount,
                now_ns=at_ns,
            )
        )

    def trade(self, market: str, outcome: int, side: OrderSide, price: int, size: int, at_ns: int, **changes) -> None:
        """Trade by an order of `strategy`, or outside polybot where that is empty; `kind` as for `Portfolio.apply_trade`."""
        strategy, kind = changes.pop("strategy", "mean_reversion"), changes.pop("kind", None)
        group = changes.pop("group", "")
        token = self.markets[market].token_ids[outcome]
        draft = f.draft(
            account=self.account,
            market=self.markets[market],
            token_id=token,
            side=side,
            price=price,
            size=size,
            strategy=strategy,
            leg_group=group,
        )
        order = f.order(draft)
        if group:
            self.orders.append(order)
        if strategy:
            own = self.portfolio.add(order, at_ns)
            own.status = OrderStatus.LIVE
        facts = {"matched_ns": at_ns, "status": FillStatus.CONFIRMED, "liquidity": Liquidity.TAKER} | changes
        self.trades.append(f.trade(order, size, **facts))
        self.note(self.portfolio.apply_trade(self.trades[-1], now_ns=at_ns, kind=kind))

    def fail(self, number: int, at_ns: int) -> None:
        """Let the settlement of a trade fail."""
        report = replace(self.trades[number % len(self.trades)], status=FillStatus.FAILED)
        self.note(self.portfolio.apply_trade(report, now_ns=at_ns))

    def check(self, venue_cash: int, at_ns: int, **tokens: tuple[int, int]) -> None:
        cash = self.portfolio.ledger.cash
        self.checks.append(
            BalanceRecord(account=self.account, venue_cash=venue_cash, book_cash=cash, tokens=tokens, at_ns=at_ns)
        )

    def flush(self) -> None:
        save_markets(list(self.markets.values()), [])
        if not models.Lease.objects.filter(account=self.account).exists():
            rows.lease(self.account, seconds=10)
        kinds: tuple[tuple[Any, type, Iterable[JournalRow]], ...] = (
            (models.LedgerEntry, LedgerEntry, self.entries),
            (models.Fill, Fill, self.latest.values()),
            (models.Position, Position, self.latest.values()),
        )
        for model, kind, found in kinds:
            columns = [encode(row).columns for row in found if isinstance(row, kind)]
            model.objects.bulk_create([model(**each) for each in columns], batch_size=2_000)
        rows.write(*self.checks, *self.orders)


def a_week() -> Books:
    """A deposit; a winner of one strategy, a loser of another, one outside; a payout, a reward, a rebate, rounding."""
    books = Books()
    books.move(EntryKind.DEPOSIT, LedgerAccount.EQUITY, 1_000 * MICRO, ns(-1))
    books.trade("m1", 0, OrderSide.BUY, 400_000, 100 * MICRO, ns(0.5), liquidity=Liquidity.MAKER)
    books.trade("m1", 0, OrderSide.SELL, 500_000, 100 * MICRO, ns(1.5))
    books.trade("m2", 1, OrderSide.BUY, 600_000, 50 * MICRO, ns(2.5), strategy="flash_crash")
    books.trade("m2", 1, OrderSide.SELL, 500_000, 50 * MICRO, ns(3.5), strategy="flash_crash")
    books.trade("m1", 1, OrderSide.BUY, 300_000, 10 * MICRO, ns(4.5), strategy="")
    books.note(books.portfolio.resolve(books.markets["m1"], (0, MICRO), now_ns=ns(5)))
    books.move(EntryKind.PAYOUT, LedgerAccount.RECEIVABLE, 10 * MICRO, ns(5.5))
    books.move(EntryKind.ROUNDING, LedgerAccount.ROUNDING, -3, ns(5.6))
    books.move(EntryKind.DEPOSIT, LedgerAccount.EQUITY, 2 * MICRO, ns(6))
    books.note(books.portfolio.pay(IncomeReport(id="r1", rebate=False, amount=2 * MICRO, at_ns=ns(6)), now_ns=ns(6.1)))
    books.trade("m2", 0, OrderSide.BUY, 200_000, 30 * MICRO, ns(6.5))
    return books


def by_key(report):
    return {row.key: row for row in report.rows}


def test_profit_by_strategy_has_every_figure():
    books = a_week()
    books.flush()
    report = profit_report(f.ACCOUNT, days(0, 7), By.STRATEGY)
    found = by_key(report)
    assert set(found) == {"mean_reversion", "flash_crash", "external", ""}
    winner, loser, external, nobody = (found[key] for key in ("mean_reversion", "flash_crash", "external", ""))
    fee = books.markets["m1"].fees.taker_fee
    assert winner.realised == 10 * MICRO
    assert winner.fees == fee(500_000, 100 * MICRO) + fee(200_000, 30 * MICRO)
    assert (winner.fills, winner.volume, winner.maker_volume) == (3, 96 * MICRO, 40 * MICRO)
    assert winner.maker_share == pytest.approx(40 / 96)
    assert (winner.positions_closed, winner.positions_won, winner.win_rate, winner.exposure) == (1, 1, 1.0, 6 * MICRO)
    assert (loser.realised, loser.win_rate) == (-5 * MICRO, 0.0)
    assert loser.max_drawdown == 5 * MICRO + loser.fees
    assert (external.realised, external.exposure) == (7 * MICRO, 0)
    assert (nobody.rewards, nobody.rounding, nobody.profit) == (2 * MICRO, -3, 2 * MICRO - 3)
    assert [row.key for row in report.rows] == sorted(found, key=lambda key: -found[key].profit)


@pytest.mark.parametrize("by", list(By))
def test_the_groups_add_up_to_the_total_and_the_total_to_the_ledger(by):
    books = a_week()
    books.flush()
    report = profit_report(f.ACCOUNT, ALL, by)
    for name in ("profit", "realised", "fees", "rewards", "rounding", "volume", "fills"):
        assert sum(getattr(row, name) for row in report.rows) == getattr(report.total, name), name
    summary = ledger_summary(f.ACCOUNT)
    assert report.total.profit == summary.profit == books.portfolio.ledger.profit
    assert report.total.exposure == summary.inventory


def test_profit_by_market_and_category_and_arbitrage():
    a_week().flush()
    markets = by_key(profit_report(f.ACCOUNT, ALL, By.MARKET))
    assert markets["m1"].title == "Will it?"
    assert markets["m1"].realised == 17 * MICRO
    categories = by_key(profit_report(f.ACCOUNT, ALL, By.CATEGORY))
    assert (categories["Politics"].realised, categories["Sports"].realised) == (17 * MICRO, -5 * MICRO)
    arbitrage = profit_report(f.ACCOUNT, ALL, By.ARBITRAGE)
    assert [row.key for row in arbitrage.rows] == [""]
    assert arbitrage.total.realised == 12 * MICRO


def test_what_an_arbitrage_holds_until_its_market_ends_or_sells_again_is_profit_of_its_type():
    books = a_week()
    for outcome, price in ((0, 400_000), (1, 550_000)):
        books.trade("m2", outcome, OrderSide.BUY, price, 10 * MICRO, ns(7), strategy="arb", group=rows.GROUP)
    books.trade("m2", 0, OrderSide.SELL, 430_000, 4 * MICRO, ns(7.1), strategy="arb")
    pair = {"strategy": "", "kind": EntryKind.MERGE, "liquidity": Liquidity.MAKER}
    books.trade("m2", 1, OrderSide.SELL, 500_000, 2 * MICRO, ns(7.2), trade_id="merge:0xc2:7", **pair)
    books.note(books.portfolio.resolve(books.markets["m2"], (MICRO, 0), now_ns=ns(8)))
    books.flush()
    rows.leg_group()

    found = by_key(profit_report(f.ACCOUNT, ALL, By.ARBITRAGE))

    ours = found["rebalancing"]
    fee = books.markets["m2"].fees.taker_fee
    # YES: 4 sold at 0.43 that cost 0.40, 6 paid a dollar; NO: 2 merged at 0.50 that cost 0.55, 8 paid nothing.
    assert ours.realised == 120_000 + 3_600_000 - 100_000 - 4_400_000
    assert ours.fees == fee(400_000, 10 * MICRO) + fee(550_000, 10 * MICRO) + fee(430_000, 4 * MICRO)
    assert (ours.fills, ours.exposure, ours.positions_closed, ours.positions_won) == (4, 0, 2, 1)
    assert found[""].profit + ours.profit == books.portfolio.ledger.profit


def test_days_weeks_and_months_are_those_of_utc():
    a_week().flush()
    assert [row.key for row in profit_report(f.ACCOUNT, days(0, 7), By.DAY).rows] == [
        "2026-09-01", "2026-09-02", "2026-09-03", "2026-09-04", "2026-09-05", "2026-09-06", "2026-09-07",
    ]  # fmt: skip
    weeks = by_key(profit_report(f.ACCOUNT, days(0, 7), By.WEEK))
    assert list(weeks) == ["2026-08-31", "2026-09-07"]
    assert list(by_key(profit_report(f.ACCOUNT, ALL, By.MONTH))) == ["2026-09-01"]


def test_the_exposure_of_a_period_is_what_was_held_at_its_end():
    books = a_week()
    books.flush()
    held = by_key(profit_report(f.ACCOUNT, days(0, 7), By.DAY))
    assert held["2026-09-01"].exposure == 40 * MICRO
    assert held["2026-09-02"].exposure == 0
    assert held["2026-09-03"].exposure == 30 * MICRO
    assert held["2026-09-07"].exposure == 6 * MICRO


def test_the_worth_of_the_account_falls_by_what_was_lost_and_not_by_what_was_withdrawn():
    a_week().flush()
    at = int((START - datetime.fromtimestamp(f.NOW / 1e9, UTC)).total_seconds())
    for number, (cash, receivable, deposits) in enumerate([(100, 0, 100), (90, 20, 100), (60, 20, 80), (150, 0, 150)]):
        units = {"receivable": receivable * MICRO, "deposits": deposits * MICRO}
        rows.equity(at + number * 86_400, cash=cash * MICRO, **units)
    report = profit_report(f.ACCOUNT, days(0, 7), By.TOTAL)
    assert report.equity_drawdown == 10 * MICRO
    assert [point.equity for point in report.curve] == [100 * MICRO, 110 * MICRO, 80 * MICRO, 150 * MICRO]


def test_the_curve_of_a_new_account_is_fine_and_that_of_an_old_one_is_bounded():
    a_week().flush()
    for number in range(600):
        rows.equity(number, cash=number)
    short = profit_report(f.ACCOUNT, ALL, By.TOTAL).curve
    assert 300 <= len(short) <= 401
    assert short[-1].equity == 599
    rows.equity(90 * 86_400, cash=1)
    assert profit_report(f.ACCOUNT, ALL, By.TOTAL).curve[-1].equity == 599
    assert len(profit_report(f.ACCOUNT, days(-1000, 1000), By.TOTAL).curve) == 2


def test_a_statement_goes_from_balance_to_balance():
    books = a_week()
    books.check(books.portfolio.ledger.cash, ns(6.9))
    books.flush()
    found = statement(f.ACCOUNT, days(0, 7))
    assert (found.opening.cash, found.opening.deposits) == (1_000 * MICRO, 1_000 * MICRO)
    assert [line.kind for line in found.lines] == [
        "buy", "sell", "external_buy", "resolution", "payout", "reward", "rounding",
    ]  # fmt: skip
    lines = {line.kind: line.amounts for line in found.lines}
    assert (lines["reward"].cash, lines["reward"].rewards, lines["reward"].deposits) == (2 * MICRO, 2 * MICRO, 0)
    assert (lines["payout"].cash, lines["payout"].receivable) == (10 * MICRO, -10 * MICRO)
    assert found.closing.cash == books.portfolio.ledger.cash
    assert [(line.kind, line.amounts.cash) for line in found.differences] == [("rounding", -3)]
    assert found.agrees
    assert found.venue is not None
    assert (found.venue.unexplained, found.venue.booked_since) == (0, 0)
    (left,) = [token for token in found.tokens if token.closing]
    assert (left.question, left.outcome, left.closing) == ("Will it?", "Yes", 30 * MICRO)


def test_shares_that_were_transferred_are_deposits_in_kind_and_no_trades():
    books = a_week()
    before = profit_report_of(books)
    moves = {"strategy": "", "liquidity": Liquidity.TRANSFER}
    books.trade("m2", 1, OrderSide.BUY, 400_000, 10 * MICRO, ns(6.6), kind=EntryKind.TRANSFER_IN, **moves)
    books.trade("m2", 1, OrderSide.SELL, 900_000, 4 * MICRO, ns(6.7), kind=EntryKind.TRANSFER_OUT, **moves)
    books.flush()

    found = statement(f.ACCOUNT, days(0, 7))
    lines = {line.kind: line for line in found.lines}
    came, went = lines["transfer_in"], lines["transfer_out"]
    assert (came.title, came.amounts.deposits, came.amounts.inventory) == (
        "Shares transferred in",
        4 * MICRO,
        4 * MICRO,
    )
    assert (went.title, went.amounts.deposits, went.amounts.realised) == ("Shares transferred out", -1_600_000, 0)
    assert all(line.amounts.imbalance == 0 for line in found.lines)
    assert found.closing.deposits == books.portfolio.ledger.deposits == ledger_summary(f.ACCOUNT).deposits
    (row,) = [token for token in found.tokens if token.token_id == "22"]
    assert (row.came, row.went, row.closing) == (60 * MICRO, 54 * MICRO, 6 * MICRO)
    after = profit_report(f.ACCOUNT, days(0, 7), By.TOTAL).total
    assert (after.profit, after.fills, after.volume) == before
    assert after.exposure == books.portfolio.ledger.balance(LedgerAccount.INVENTORY)


def profit_report_of(books: Books) -> tuple[int, int, int]:
    """Return profit, number and volume of the trades so far, by the account itself."""
    fills = books.portfolio.fills.values()
    return books.portfolio.ledger.profit, len(fills), sum(fill.price * fill.size // MICRO for fill in fills)


def test_a_difference_to_the_venue_is_shown_to_the_micro_unit():
    books = a_week()
    books.check(books.portfolio.ledger.cash - 7, ns(6.6), **{"21": (29 * MICRO, 30 * MICRO)})
    books.trade("m2", 0, OrderSide.BUY, 200_000, 10 * MICRO, ns(6.8))
    books.flush()
    found = statement(f.ACCOUNT, days(0, 7))
    assert not found.agrees
    assert found.venue is not None
    assert found.venue.unexplained == -7
    assert found.closing.cash == found.venue.cash - found.venue.unexplained + found.venue.booked_since
    assert [token.venue for token in found.tokens if token.token_id == "21"] == [29 * MICRO]
    text = as_table(statement_rows(found))
    assert "Unexplained difference (venue − books)" in text
    assert "-0.000007" in text


def test_shares_that_only_the_venue_knows_of_are_a_difference_too():
    books = a_week()
    books.check(books.portfolio.ledger.cash, ns(6.6), **{"22": (5 * MICRO, 0), "gone": (1, 0)})
    books.flush()
    found = statement(f.ACCOUNT, days(6.55, 7))
    assert not found.agrees
    shown = {token.token_id: token for token in found.tokens}
    assert (shown["22"].question, shown["22"].outcome, shown["22"].closing, shown["22"].venue) == (
        "Will it?", "No", 0, 5 * MICRO,
    )  # fmt: skip
    assert (shown["gone"].market_id, shown["gone"].closing, shown["gone"].venue) == ("", 0, 1)
    assert "gone" in as_table(statement_rows(found))


def test_a_statement_before_the_venue_was_read_does_not_say_that_it_agrees():
    a_week().flush()
    found = statement(f.ACCOUNT, ALL)
    assert found.venue is None
    assert not found.agrees


_EVENTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("trade"),
            st.sampled_from(["m1", "m2"]),
            st.integers(0, 1),
            st.sampled_from(OrderSide),
            st.integers(1, 99).map(lambda cents: cents * 10_000),
            st.integers(1, 50 * MICRO),
            st.sampled_from([Liquidity.MAKER, Liquidity.TAKER]),
            st.sampled_from(["a", "b", ""]),
            st.sampled_from([FillStatus.CONFIRMED, FillStatus.MATCHED]),
        ),
        st.tuples(st.just("fail"), st.integers(0, 20)),
        st.tuples(st.just("deposit"), st.integers(-20 * MICRO, 20 * MICRO).filter(bool)),
        st.tuples(st.just("pay"), st.integers(1, MICRO), st.booleans()),
        st.tuples(st.just("round"), st.integers(-20, 20).filter(bool)),
        st.tuples(st.just("pair"), st.sampled_from([EntryKind.SPLIT, EntryKind.MERGE]), st.integers(1, 10 * MICRO)),
        st.tuples(st.just("resolve"), st.sampled_from([(0, MICRO), (MICRO, 0), (MICRO // 2, MICRO // 2)])),
    ),
    max_size=25,
)


def live_through(events) -> Books:
    books = Books()
    books.move(EntryKind.DEPOSIT, LedgerAccount.EQUITY, 1_000 * MICRO, ns(0))
    for number, event in enumerate(events):
        at = ns(0.4 * (number + 1))
        match event:
            case ("trade", market, outcome, side, price, size, liquidity, strategy, status):
                books.trade(
                    market, outcome, side, price, size, at, liquidity=liquidity, strategy=strategy, status=status
                )
            case ("fail", number) if books.trades:
                books.fail(number, at)
            case ("deposit", amount):
                kind = EntryKind.DEPOSIT if amount > 0 else EntryKind.WITHDRAWAL
                books.move(kind, LedgerAccount.EQUITY, amount, at)
            case ("pay", amount, rebate):
                paid = IncomeReport(id=str(at), rebate=rebate, amount=amount, at_ns=at)
                books.note(books.portfolio.pay(paid, now_ns=at))
            case ("round", amount):
                books.move(EntryKind.ROUNDING, LedgerAccount.ROUNDING, amount, at)
            case ("pair", kind, size):
                side = OrderSide.BUY if kind is EntryKind.SPLIT else OrderSide.SELL
                for outcome in (0, 1):
                    books.trade(
                        "m1", outcome, side, 500_000, size, at, strategy="", kind=kind, liquidity=Liquidity.MAKER
                    )
            case ("resolve", payouts):
                books.note(books.portfolio.resolve(books.markets["m1"], payouts, now_ns=at))
                owed = books.portfolio.ledger.balance(LedgerAccount.RECEIVABLE)
                if owed:
                    books.move(EntryKind.PAYOUT, LedgerAccount.RECEIVABLE, owed, at)
    return books


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(events=_EVENTS, cut=st.floats(0, 10), by=st.sampled_from(By))
def test_whatever_happens_the_books_balance_and_the_reports_add_up_to_them(db, events, cut, by):
    for model in (models.LedgerEntry, models.Fill, models.Position):
        model.objects.all().delete()
    books = live_through(events)
    books.flush()
    ledger = books.portfolio.ledger
    assert ledger_summary(f.ACCOUNT).balanced

    whole = statement(f.ACCOUNT, ALL)
    assert (whole.closing.cash, whole.closing.deposits) == (ledger.cash, ledger.deposits)
    assert whole.closing.imbalance == 0
    assert all(line.amounts.imbalance == 0 for line in whole.lines)
    for token in whole.tokens:
        assert token.closing == books.portfolio.positions.size(token.token_id)

    before, after = statement(f.ACCOUNT, days(-10, cut)), statement(f.ACCOUNT, days(cut, 100))
    assert before.closing == after.opening
    assert after.closing == whole.closing

    report = profit_report(f.ACCOUNT, ALL, by)
    assert report.total.profit == sum(row.profit for row in report.rows) == ledger.profit
    halves = [profit_report(f.ACCOUNT, span, by) for span in (days(-10, cut), days(cut, 100))]
    assert sum(half.total.profit for half in halves) == ledger.profit
    good = [row for row in books.latest.values() if isinstance(row, Fill) and row.status is not FillStatus.FAILED]
    assert report.total.fills == len(good)
    assert report.total.volume == sum(row.price * row.size // MICRO for row in good)


def test_a_report_takes_as_many_statements_for_much_as_for_little():
    books = Books()
    books.move(EntryKind.DEPOSIT, LedgerAccount.EQUITY, 1_000 * MICRO, ns(0))
    for number in range(60):
        side = (OrderSide.BUY, OrderSide.SELL)[number % 2]
        books.trade(f"m{1 + number % 2}", number % 2, side, 500_000, MICRO, ns(number / 10), strategy=f"s{number % 9}")
    books.flush()
    for read, most in ((lambda: profit_report(f.ACCOUNT, ALL, By.MARKET), 11), (lambda: statement(f.ACCOUNT, ALL), 3)):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            read()
        assert len(queries) <= most


def test_csv_holds_what_the_report_says_and_no_formulas():
    a_week().flush()
    report = profit_report(f.ACCOUNT, ALL, By.STRATEGY)
    head, *body = csv.reader(io.StringIO(as_csv(report_rows(report))))
    assert head[:3] == ["strategy", "title", "profit"]
    assert len(body) == len(report.rows) + 1
    assert {row[0]: row[3] for row in body}["flash_crash"] == "-5"
    evil = [["=cmd()", "+1", "-2.5", "@x", "-x", "plain"]]
    assert next(csv.reader(io.StringIO(as_csv(evil)))) == ["'=cmd()", "'+1", "-2.5", "'@x", "'-x", "plain"]


NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)


def test_a_span_is_whole_days_of_utc():
    assert parse_span("2026-09-01", "2026-09-07", NOW) == days(0, 7)
    assert parse_span("", "", NOW) == Span(datetime(2026, 8, 12, tzinfo=UTC), NOW)
    moment = parse_span("2026-09-01T02:00:00+02:00", "", NOW)
    assert moment.start == START


@pytest.mark.parametrize(
    ("start", "end"),
    [("yesterday", ""), ("2026-09-31", ""), ("2026-09-02", "2026-09-01"), ("2026-09-01T10:00", ""), ("", "9999-12-31")],
)
def test_a_span_that_cannot_be_meant_is_refused(start, end):
    with pytest.raises(SpanError, match="expected"):
        parse_span(start, end, NOW)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("report", *arguments, stdout=out)
    return out.getvalue()


SPAN = ("--from", "2026-09-01", "--to", "2026-09-07")


def test_the_command_prints_tables_json_and_csv():
    a_week().flush()
    table = run("pnl", "--by", "strategy", *SPAN)
    assert table.startswith(f.ACCOUNT)
    assert "flash_crash" in table
    assert json.loads(run("pnl", "--format", "json", *SPAN))["total"]["realised"] == "12"
    assert run("statement", "--format", "csv", *SPAN).startswith(",cash,inventory")
    assert "Opening balance" in run("statement", *SPAN)
    assert len(run("fills", "--format", "csv", *SPAN).splitlines()) == 7
    assert len(json.loads(run("fills", "--format", "json", *SPAN))) == 6


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_an_account_that_never_traded_has_empty_reports(form):
    rows.trading_account()
    for report in ("pnl", "statement", "fills"):
        assert run(report, "--format", form)
    assert "total" in run("pnl")
    assert "The venue has not been read yet" in run("statement")
    assert json.loads(run("statement", "--format", "json"))["lines"] == []
    assert len(run("fills", "--format", "csv").splitlines()) == 1


def test_the_command_names_what_is_wrong():
    with pytest.raises(CommandError, match="no trader has run yet"):
        run("pnl")
    a_week().flush()
    with pytest.raises(CommandError, match="expected one of sim:test"):
        run("pnl", "--account", "live:0x1")
    with pytest.raises(CommandError, match="expected a day"):
        run("pnl", "--from", "soon")


@pytest.fixture
def api():
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("boss"))
    return client


QUERY = {"from": "2026-09-01", "to": "2026-09-07"}


def test_the_api_has_reports_and_statements(api):
    a_week().flush()
    report = api.get("/api/reports/profit", QUERY | {"by": "category"}).json()
    assert (report["account"], report["by"], report["total"]["realised"]) == (f.ACCOUNT, "category", "12")
    assert report["start"] == "2026-09-01T00:00:00Z"
    found = api.get("/api/reports/statement", QUERY).json()
    assert (found["opening"]["cash"], found["agrees"], found["venue"]) == ("1000", False, None)
    download = api.get("/api/reports/profit", QUERY | {"as": "csv"})
    assert download["Content-Type"].startswith("text/csv")
    assert 'filename="profit-by-strategy-2026-09-01-2026-09-08.csv"' in download["Content-Disposition"]
    assert len(api.get("/api/reports/fills", QUERY).content.decode().splitlines()) == 7


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        ("profit", {"by": "colour"}),
        ("profit", {"as": "pdf"}),
        ("profit", {"from": "x"}),
        ("statement", {"to": "2026-13-01"}),
        ("fills", {"to": "2026-09-01T00:00:00"}),
        ("fills", {"account": "live:0x"}),
    ],
)
def test_the_api_says_what_it_expected(api, address, wrong):
    a_week().flush()
    answer = api.get(f"/api/reports/{address}", wrong)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid"
    assert list(answer.json()["detail"]) == list(wrong)


def test_each_account_has_its_own_report_and_statement(api):
    a_week().flush()
    other = Books(OTHER)
    other.move(EntryKind.DEPOSIT, LedgerAccount.EQUITY, 5 * MICRO, ns(0))
    other.trade("m1", 0, OrderSide.BUY, 400_000, MICRO, ns(1), liquidity=Liquidity.MAKER)
    other.flush()
    models.Lease.objects.filter(account=OTHER).update(expires_at=START)
    for account, fills, cash in ((f.ACCOUNT, 6, None), (OTHER, 1, "4.6")):
        named = QUERY | {"account": account}
        report, found = api.get("/api/reports/profit", named).json(), api.get("/api/reports/statement", named).json()
        assert (report["account"], found["account"]) == (account, account)
        assert report["total"]["fills"] == fills
        assert cash is None or found["closing"]["cash"] == cash
        assert len(api.get("/api/reports/fills", named).content.decode().splitlines()) == fills + 1
    assert api.get("/api/reports/profit", QUERY).json()["account"] == f.ACCOUNT
