"""A database that was filled by the first version is brought up to date with nothing lost, and today's trader starts on it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from domain.fill import Fill, FillKey, FillStatus, Liquidity
from domain.ledger import EntryKind, LedgerAccount, LedgerEntry
from domain.money import MICRO
from domain.order import OrderSide, OrderStatus
from domain.ports import AuditRecord, EquityRecord, JournalRow
from domain.position import Position
from tests.trading import factories as f
from tests.trading import rows
from trading import models
from trading.change import Change
from trading.journal_load import load_state
from trading.portfolio import Portfolio
from trading.report_queries import By, Span
from trading.reports import profit_report
from trading.row_codec import encode
from trading.row_write import Verb
from trading.statement import statement

FIRST = [("trading", "0001_initial"), ("markets", "0001_initial")]
TABLES = (
    "orders",
    "fills",
    "positions",
    "ledger_entries",
    "equity_snapshots",
    "commands",
    "halts",
    "audit_log",
    "leases",
)
OTHER = "paper:second"
SECOND = 10**9
COMMAND = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def first_version(postgres_url, django_db_setup, django_db_blocker) -> Iterator[str]:
    """An empty database as the first version made it; Django speaks to it as long as the test lasts."""
    with django_db_blocker.unblock():
        database = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = conninfo_to_dict(postgres_url)["dbname"]
        try:
            MigrationExecutor(connection).migrate(FIRST)
            yield postgres_url
        finally:
            connection.close()
            connection.settings_dict["NAME"] = database


def insert(table: str, **columns: Any) -> None:
    """Write a row with those of its columns that the table has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        known = {name for (name,) in cursor.fetchall()}
        kept = {name: value for name, value in columns.items() if name in known}
        names, places = ", ".join(f'"{name}"' for name in kept), ", ".join(["%s"] * len(kept))
        cursor.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places})', list(kept.values()))


def write(*journaled: JournalRow) -> None:
    for row in journaled:
        encoded = encode(row)
        if encoded.verb is Verb.UPDATE:
            rows.write(row)
        else:
            insert(encoded.table, **encoded.columns)


class FirstTrader:
    """What a trader of the first version left behind, for one account."""

    def __init__(self, account: str) -> None:
        self.portfolio = Portfolio(account, lambda condition: f.market() if condition == "0xc1" else None)
        self.account = account
        self.clock = itertools.count(f.NOW, 60 * SECOND)
        self.latest: dict[object, JournalRow] = {}
        self.others: list[JournalRow] = []

    def note(self, change: Change) -> None:
        for row in change.rows:
            match row:
                case Fill():
                    self.latest[row.key] = row
                case Position():
                    self.latest[row.id] = row
                case LedgerEntry() | AuditRecord():
                    self.others.append(row)

    def transfer(self, kind: EntryKind, counterpart: LedgerAccount, amount: int) -> None:
        now = next(self.clock)
        self.note(
            self.portfolio.transfer(
                journal_id=f"{kind}:{now}", kind=kind, debit=LedgerAccount.CASH, credit=counterpart, amount=amount, now_ns=now
            )
        )  # fmt: skip

    def trade(self, side: OrderSide, price: int, size: int, trade_id: str) -> str:
        now = next(self.clock)
        order = replace(f.order(f.draft(account=self.account, side=side, price=price, size=size)), created_ns=now)
        own = self.portfolio.add(order, now)
        own.status = OrderStatus.LIVE
        report = f.trade(
            order, size, trade_id=trade_id, matched_ns=now, status=FillStatus.CONFIRMED, liquidity=Liquidity.TAKER
        )
        self.note(self.portfolio.apply_trade(report, now_ns=now))
        write(order, own.state())
        return order.id

    def look(self) -> None:
        """Write an equity snapshot."""
        ledger = self.portfolio.ledger
        inventory = ledger.balance(LedgerAccount.INVENTORY)
        record = EquityRecord(
            account=self.account, cash=ledger.cash, inventory_cost=inventory, inventory_value=inventory, realised=ledger.realised,
            fees=ledger.balance(LedgerAccount.FEES), at_ns=next(self.clock),
        )  # fmt: skip
        write(record)

    def live(self) -> None:
        """Deposit, look, buy, sell a part, look, see the market resolved, look, be paid, withdraw, look."""
        self.transfer(EntryKind.DEPOSIT, LedgerAccount.EQUITY, 1_000 * MICRO)
        self.look()
        self.trade(OrderSide.BUY, 400_000, 10 * MICRO, f"{self.account}-t1")
        self.trade(OrderSide.SELL, 500_000, 4 * MICRO, f"{self.account}-t2")
        self.look()
        self.note(self.portfolio.resolve(f.market(), (MICRO, 0), now_ns=next(self.clock)))
        self.look()
        self.transfer(EntryKind.PAYOUT, LedgerAccount.RECEIVABLE, 6 * MICRO)
        self.transfer(EntryKind.WITHDRAWAL, LedgerAccount.EQUITY, -100 * MICRO)
        self.look()
        write(*self.latest.values(), *self.others)


def fill_tables() -> dict[str, FirstTrader]:
    insert(
        "markets", id="m1", venue="polymarket", question="Will it?", slug="will-it", outcome_1="Yes", outcome_2="No", token_id_1=f.YES,
        token_id_2=f.NO, condition_id="0xc1", neg_risk=False, status="active", accepting_orders=True, category="", volume_units=0,
        volume_24h_units=0, tick_units=10_000, minimum_size_units=5 * MICRO, fee_rate_micros=40_000, fee_exponent=1, fee_taker_only=True,
        fee_rebate_micros=0, taker_delay_ms=0, rules_hash="",
    )  # fmt: skip
    traders = {account: FirstTrader(account) for account in (f.ACCOUNT, OTHER)}
    soon = datetime.now(UTC) + timedelta(days=1)
    for account, trader in traders.items():
        trader.live()
        insert("leases", account=account, holder="first", epoch=3, expires_at=soon)
        insert(
            "halts", account=account, scope="all", target="", reason="lunch", set_by="ada", set_at=soon, lifted_by=""
        )
    insert(
        "commands", id=COMMAND, kind="cancel_all", payload="{}", idempotency_key="k", issued_by="ada", expires_at=soon, status="pending",
        result="{}",
    )  # fmt: skip
    return traders


def counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            found[table] = cursor.fetchone()[0]
        return found


def test_a_filled_database_of_the_first_version_is_brought_up_to_date_and_traded_on(first_version: str) -> None:
    traders = fill_tables()
    before = counts()
    assert min(before.values()) > 0

    call_command("migrate", verbosity=0)

    assert counts() == before
    for account, trader in traders.items():
        ledger = trader.portfolio.ledger
        snapshots = list(models.EquitySnapshot.objects.filter(account=account).order_by("created_at"))
        assert [(row.deposits_units, row.receivable_units) for row in snapshots] == [
            (1_000 * MICRO, 0),
            (1_000 * MICRO, 0),
            (1_000 * MICRO, 6 * MICRO),
            (900 * MICRO, 0),
        ]
        last = snapshots[-1]
        worth = last.cash_units + last.inventory_value_units + last.receivable_units
        assert worth - last.deposits_units == ledger.profit
        with psycopg.connect(first_version, row_factory=dict_row) as journal:
            state = load_state(journal, account, 0, lambda _: f.market())
        again = Portfolio(account, lambda _: f.market())
        again.restore(state)
        assert again.ledger.cash == ledger.cash
        assert again.fills == trader.portfolio.fills
        assert {own.id for own in again.orders.all()} == {own.id for own in trader.portfolio.orders.all()}
        assert again.positions.size(f.YES) == 0
        assert [halt.reason for halt in state.halts] == ["lunch"]
        ever = Span(datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        assert statement(account, ever).closing.cash == ledger.cash
        assert profit_report(account, ever, By.STRATEGY).total.profit == ledger.profit


def test_after_the_upgrade_a_trade_may_be_of_two_accounts_and_a_command_of_before_is_nobodys(
    first_version: str,
) -> None:
    fill_tables()
    call_command("migrate", verbosity=0)

    assert models.Command.objects.get(id=COMMAND).account == ""
    for account in (f.ACCOUNT, OTHER):
        order = rows.order(account=account)
        rows.fill(order, key=FillKey("shared", "0xsame"))
    assert models.Fill.objects.filter(trade_id="shared").count() == 2
