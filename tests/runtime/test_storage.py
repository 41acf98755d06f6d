"""PostgreSQL as a kernel's memory: journal, lease and markets on one writer thread, against the real server."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from django.db import connection

from domain.errors import JournalError, LeaseLostError
from domain.fill import FillStatus
from domain.halt import HaltScope
from domain.ledger import LedgerAccount
from domain.legs import Leg, LegGroup, LegPolicy
from domain.market import ConditionGroup, Market, MarketStatus
from domain.money import MICRO
from domain.order import OrderSide, OrderStatus
from domain.reports import TradeReport
from infra.clock import SystemClock
from markets.store import load_groups, load_markets
from runtime.storage import PostgresStorage
from tests.trading import factories as f
from trading.halts import Halts
from trading.journal_memory import MemoryJournal, MemoryTables
from trading.portfolio import Portfolio


class Trader:
    """One trader's storage, journal and lease."""

    def __init__(self, conninfo: str, *, clock=None, account: str = f.ACCOUNT) -> None:
        self.account, self.epoch = account, 0
        self.storage = PostgresStorage(conninfo, account, "polymarket", clock or SystemClock(), grace=0.1)
        self.markets = {"m1": f.market()}
        self.journal = self.storage.journal(lambda: self.epoch, self.markets.__getitem__)
        self.leases = self.storage.leases(self.journal)

    async def take_lease(self, ttl: float = 30.0):
        lease = await self.leases.acquire(self.account, "me", ttl)
        self.epoch = lease.epoch
        return lease


@pytest.fixture
async def traders(committed_database: str):
    made: list[Trader] = []

    def build(**named) -> Trader:
        made.append(Trader(committed_database, **named))
        return made[-1]

    yield build
    for trader in made:
        await trader.journal.close()


def in_thread(work):
    def run():
        try:
            return work()
        finally:
            connection.close()

    return asyncio.to_thread(run)


async def test_markets_and_groups_are_saved_and_loaded_on_the_writer_thread(traders) -> None:
    trader = traders()
    market = f.market(group_id="g1")
    group = ConditionGroup(id="g1", title="Event", market_ids=("m1",))

    await trader.storage.save_markets(trader.journal, [market], [])
    await trader.storage.save_markets(trader.journal, [], [group])

    loaded = await trader.storage.load_markets(trader.journal)
    assert [(each.id, each.token_ids, each.fees, each.group_id) for each in loaded] == [
        ("m1", market.token_ids, market.fees, "g1")
    ]
    assert [each.title for each in await in_thread(load_groups)] == ["Event"]


async def test_settled_markets_are_loaded_only_when_the_account_traded_them(traders) -> None:
    trader = traders()
    await trader.take_lease()
    names = ("m1", "traded", "over", "closed")
    await trader.storage.save_markets(
        trader.journal, [f.market(id=n, slug=n, condition_id=n, token_ids=(f"{n}1", f"{n}2")) for n in names], []
    )
    traded = f.market(id="traded", slug="traded", condition_id="traded", token_ids=("traded1", "traded2"))
    trader.markets["traded"] = traded
    await trader.journal.submit([f.order(f.draft(market=traded, token_id="traded1"))])
    settled = {"status": MarketStatus.SETTLED, "winner": 0}
    changed = [
        replace(traded, **settled),
        f.market(id="over", slug="over", condition_id="over", token_ids=("over1", "over2"), **settled),
        f.market(id="closed", slug="closed", condition_id="closed", token_ids=("closed1", "closed2"), status=MarketStatus.CLOSED),
    ]  # fmt: skip
    await trader.storage.save_markets(trader.journal, changed, [])

    assert {each.id for each in await trader.storage.load_markets(trader.journal)} == {"m1", "traded", "closed"}
    assert len(await in_thread(load_markets)) == 4


async def test_the_markets_of_another_account_are_not_ours_to_load(traders) -> None:
    ours, theirs = traders(), traders(account="sim:other")
    await theirs.take_lease()
    await theirs.storage.save_markets(theirs.journal, [f.market()], [])
    await theirs.journal.submit([f.order(f.draft(account="sim:other"))])
    await theirs.storage.save_markets(theirs.journal, [f.market(status=MarketStatus.SETTLED, winner=1)], [])

    assert await ours.storage.load_markets(ours.journal) == []
    assert (await ours.journal.load()).orders == ()


async def test_the_journal_is_fenced_by_the_lease_of_the_same_storage(traders) -> None:
    old, new = traders(), traders()
    lease = await old.take_lease(ttl=0.1)
    await old.storage.save_markets(old.journal, [f.market()], [])
    await old.journal.submit([f.order()])

    assert (await new.take_lease()).epoch == lease.epoch + 1

    with pytest.raises(LeaseLostError):
        await old.journal.submit([f.order()])
    with pytest.raises(LeaseLostError):
        await old.leases.renew(lease, 5.0)
    assert len((await new.journal.load()).orders) == 1


class DayLater(SystemClock):
    def now_ns(self) -> int:
        return f.NOW + 3 * 86_400_000_000_000


async def test_an_account_of_days_ago_is_restored_with_its_position_and_without_its_finished_orders(traders) -> None:
    trader = traders()
    await trader.take_lease(ttl=0.1)
    await trader.storage.save_markets(trader.journal, [f.market()], [])
    before = Portfolio(f.ACCOUNT, lambda _: f.market())
    rows = before.transfer(
        journal_id="deposit:1", kind="deposit", debit=LedgerAccount.CASH, credit=LedgerAccount.EQUITY, amount=100 * MICRO, now_ns=f.NOW
    ).rows  # fmt: skip
    await trader.journal.submit(rows)
    for status in (OrderStatus.MATCHED, OrderStatus.CANCELLED, OrderStatus.LIVE):
        own = before.add(f.order(), f.NOW)
        await trader.journal.submit([own.order])
        own.status = OrderStatus.LIVE
        if status is OrderStatus.MATCHED:
            trade = f.trade(own.order, 10 * MICRO, status=FillStatus.CONFIRMED)
            await trader.journal.submit(before.apply_trade(trade, now_ns=f.NOW).rows)
        else:
            await trader.journal.submit(before.move(own, status, "", f.NOW).rows or [own.state()])

    again = traders(clock=DayLater())
    after = Portfolio(f.ACCOUNT, lambda _: f.market())
    after.restore(await again.journal.load())

    assert [own.status for own in after.orders.all()] == [OrderStatus.LIVE]
    assert after.positions.settled(f.YES) == 10 * MICRO
    assert after.ledger.cash == before.ledger.cash == 95 * MICRO
    assert not after.apply_trade(trade, now_ns=f.NOW)


async def test_only_settled_markets_that_the_loaded_rows_name_are_loaded(traders) -> None:
    trader = traders()
    await trader.take_lease()
    names = ("over", "open", "held", "group")
    markets = {n: f.market(id=n, slug=n, condition_id=n, token_ids=(f"{n}1", f"{n}2")) for n in names}
    trader.markets |= markets
    await trader.storage.save_markets(trader.journal, list(markets.values()), [])
    account = Portfolio(f.ACCOUNT, markets.get)
    for name in ("over", "open", "held"):
        own = account.add(f.order(f.draft(market=markets[name], token_id=f"{name}1")), f.NOW)
        await trader.journal.submit([own.order])
        own.status = OrderStatus.LIVE
        if name == "over":
            await trader.journal.submit(account.move(own, OrderStatus.CANCELLED, "", f.NOW).rows)
        if name == "held":
            trade = f.trade(own.order, 10 * MICRO, status=FillStatus.CONFIRMED)
            await trader.journal.submit(account.apply_trade(trade, now_ns=f.NOW).rows)
    leg = Leg(intent_id="i-1", market=markets["group"], token_id="group1", side=OrderSide.BUY, price=400_000)
    group = LegGroup(
        id="00000000-0000-4000-8000-00000000aaaa", account=f.ACCOUNT, name="g", strategy="arb", policy=LegPolicy.SEQUENTIAL,
        legs=(leg, replace(leg, intent_id="i-2", token_id="group2")), size=10 * MICRO, payoff=MICRO, created_ns=f.NOW,
    )  # fmt: skip
    await trader.journal.submit([group])
    settled = [replace(market, status=MarketStatus.SETTLED, winner=0) for market in markets.values()]
    await trader.storage.save_markets(trader.journal, settled, [])

    again = traders(clock=DayLater())
    loaded = {market.id: market for market in await again.storage.load_markets(again.journal)}
    again.markets.clear()
    again.markets |= loaded

    assert loaded.keys() == {"open", "held", "group"}
    assert (await again.journal.load()).bad == ()


async def quarantined(trader: Trader) -> tuple[TradeReport, ...]:
    return tuple(held.report for held in (await trader.journal.load()).quarantined)


async def test_trades_in_quarantine_are_loaded_until_they_are_booked_or_their_halt_is_lifted(traders) -> None:
    trader = traders()
    await trader.take_lease()
    await trader.storage.save_markets(trader.journal, [f.market()], [])
    known: dict[str, Market] = {}
    account, halts = Portfolio(f.ACCOUNT, known.get), Halts(f.ACCOUNT)
    outside = f.trade(f.order(), 10 * MICRO, status=FillStatus.CONFIRMED, transaction_hash="0xab")
    odd = f.trade(f.order(), 10 * MICRO, condition_id="0xodd")
    for trade in (outside, odd):
        await trader.journal.submit(account.apply_trade(trade, now_ns=f.NOW).rows)
    assert await quarantined(trader) == (outside, odd)

    known["0xc1"] = f.market()
    await trader.journal.submit(account.apply_trade(outside, now_ns=f.NOW).rows)
    assert await quarantined(trader) == (odd,)

    halt = halts.set(HaltScope.MARKET, "0xodd", reason="odd", set_by="polybot", now_ns=f.NOW)
    await trader.journal.submit([halt])
    assert await quarantined(trader) == (odd,)
    await trader.journal.submit([halts.lift(HaltScope.MARKET, "0xodd", lifted_by="ada", now_ns=f.NOW + 1_000_000)])
    assert (await trader.journal.load()).quarantined == ()


async def test_a_database_that_fails_is_an_error_of_the_journal_and_its_thread_goes_on(traders) -> None:
    trader = traders()
    await trader.journal.call(lambda c: c.execute("ALTER TABLE markets RENAME TO elsewhere").rowcount)

    with pytest.raises(JournalError, match="markets"):
        await trader.storage.load_markets(trader.journal)
    with pytest.raises(JournalError, match="markets"):
        await trader.storage.save_markets(trader.journal, [f.market()], [])

    await trader.journal.call(lambda c: c.execute("ALTER TABLE elsewhere RENAME TO markets").rowcount)
    assert await trader.storage.load_markets(trader.journal) == []


async def test_a_journal_of_another_make_is_refused(traders) -> None:
    trader = traders()
    foreign = MemoryJournal(MemoryTables(), f.ACCOUNT, lambda: 0, trader.markets.__getitem__)

    with pytest.raises(TypeError, match="MemoryJournal"):
        trader.storage.leases(foreign)
