"""One suite for both journals: what was submitted is durable, in order, all or nothing, and fenced by the lease."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import psycopg
import pytest
from django.db import connection

from domain.arbitrage import ArbExecution, ArbLeg, ArbStatus, ArbType
from domain.errors import JournalError, JournalUncertainError, LeaseLostError
from domain.fill import Fill, FillKey, FillStatus, Liquidity
from domain.halt import Halt, HaltScope
from domain.ledger import LedgerAccount, LedgerEntry
from domain.legs import GroupState, Leg, LegGroup, LegGroupState, LegPolicy
from domain.money import MICRO
from domain.order import OrderSide, OrderStatus, OrderType
from domain.ports import AuditRecord, EquityRecord, HaltLifted, Journal, OrderState, ProfitSpan
from domain.position import Position, PositionStatus
from infra.clock import SystemClock
from markets.store import save_markets
from tests.trading import factories as f
from trading.journal_memory import MemoryJournal, MemoryTables
from trading.journal_postgres import PostgresJournal
from trading.lease import MemoryLeases, PostgresLeases


class Disk:
    """A journal that can be opened again, and its lease."""

    def __init__(self, conninfo: str | None) -> None:
        self.conninfo = conninfo
        self.tables = MemoryTables()
        self.epoch = 0
        self.open_journals: list[Journal] = []

    def journal(self, epoch: int | None = None) -> MemoryJournal | PostgresJournal:
        def current() -> int:
            return self.epoch if epoch is None else epoch

        made = (
            PostgresJournal(self.conninfo, f.ACCOUNT, epoch=current, market_of=lambda _: f.market())
            if self.conninfo
            else MemoryJournal(self.tables, f.ACCOUNT, current, lambda _: f.market())
        )
        self.open_journals.append(made)
        return made

    def leases(self, journal) -> MemoryLeases | PostgresLeases:
        if self.conninfo:
            return PostgresLeases(journal.call, SystemClock(), grace=0.2)
        return MemoryLeases(self.tables, SystemClock(), grace=0.2)

    async def take_lease(self, journal, holder: str = "me", ttl: float = 5.0):
        lease = await self.leases(journal).acquire(f.ACCOUNT, holder, ttl)
        self.epoch = lease.epoch
        return lease

    async def close(self) -> None:
        for journal in self.open_journals:
            await journal.close()


@pytest.fixture
def database(committed_database: str) -> str:
    """A database with one committed market."""
    save_markets([f.market()], [])
    connection.close()
    return committed_database


@pytest.fixture(params=["memory", "postgres"])
def where(request) -> str | None:
    return request.getfixturevalue("database") if request.param == "postgres" else None


@pytest.fixture
async def disk(where):
    made = Disk(where)
    yield made
    await made.close()


@pytest.fixture
async def postgres(database):
    made = Disk(database)
    yield made
    await made.close()


FILL = Fill(
    key=FillKey("t1", "0xabc"),
    account=f.ACCOUNT,
    market_id="m1",
    token_id=f.YES,
    side=OrderSide.BUY,
    price=520_000,
    size=10 * MICRO,
    fee=99_840,
    fee_rate=40_000,
    liquidity=Liquidity.TAKER,
    status=FillStatus.MATCHED,
    strategy="test",
    matched_ns=f.NOW + 123_000,
    transaction_hash="",
    position_id="6f1d5f0e-2d52-5c0c-9d0b-6a2b1f0a7c11",
)
POSITION = Position(
    id=FILL.position_id,
    account=f.ACCOUNT,
    market_id="m1",
    token_id=f.YES,
    side="token1",
    strategy="test",
    settled=0,
    unsettled=10 * MICRO,
    cost=5_200_000,
    realised=-3,
    fees=99_840,
    take_profit=620_000,
    stop_loss=None,
    opened_ns=f.NOW,
    closed_ns=None,
    exit_price=None,
    status=PositionStatus.OPEN,
)


def entries(journal_id: str, amount: int) -> list[LedgerEntry]:
    return [
        LedgerEntry(
            journal_id=journal_id,
            account=f.ACCOUNT,
            ledger_account=account,
            asset="collateral",
            amount=signed,
            kind="deposit",
            at_ns=f.NOW,
        )
        for account, signed in ((LedgerAccount.CASH, amount), (LedgerAccount.EQUITY, -amount))
    ]


async def test_everything_submitted_is_loaded_again_exactly(disk: Disk) -> None:
    journal = disk.journal()
    await disk.take_lease(journal)
    order = f.order(
        f.draft(order_type=OrderType.GTD, expires_ns=f.NOW + 5_000_000_000, take_profit=600_000, reason="why")
    )
    halt = Halt(account=f.ACCOUNT, scope=HaltScope.MARKET, target="m1", reason="odd", set_by="me", set_ns=f.NOW)
    state = OrderState(order_id=order.id, status=OrderStatus.LIVE, filled=MICRO, reason="", updated_ns=f.NOW + 5_000)
    audit = AuditRecord(event="deposit", account=f.ACCOUNT, detail={"amount": 5, "why": "x"}, at_ns=f.NOW)
    equity = EquityRecord(
        account=f.ACCOUNT, cash=1, inventory_cost=2, inventory_value=3, realised=4, fees=5, at_ns=f.NOW
    )

    await journal.submit([order])
    await journal.submit([state, FILL, POSITION, *entries("d1", 100), halt, audit, equity])
    await journal.submit(
        [replace(FILL, status=FillStatus.CONFIRMED), replace(POSITION, settled=10 * MICRO, unsettled=0)]
    )
    await journal.submit(entries("d2", -30))
    loaded = await disk.journal().load()

    assert loaded.orders == ((order, state),)
    assert loaded.fills == (replace(FILL, status=FillStatus.CONFIRMED),)
    assert loaded.positions == (replace(POSITION, settled=10 * MICRO, unsettled=0),)
    assert {(e.ledger_account, e.amount) for e in loaded.ledger} == {
        (LedgerAccount.CASH, 70),
        (LedgerAccount.EQUITY, -70),
    }
    assert loaded.halts == (halt,)


async def test_a_leg_group_is_loaded_again_as_it_was_decided_and_as_it_stands(disk: Disk) -> None:
    journal = disk.journal()
    await disk.take_lease(journal)
    market = f.market()
    leg = Leg(intent_id="i-1", market=market, token_id=f.YES, side=OrderSide.BUY, price=400_000)
    group = LegGroup(
        id="00000000-0000-4000-8000-00000000aaaa", account=f.ACCOUNT, name="g", strategy="arb", policy=LegPolicy.SEQUENTIAL,
        legs=(leg, replace(leg, intent_id="i-2", token_id=f.NO)), size=10 * MICRO, payoff=-5, created_ns=f.NOW, arb_type="rebalancing",
        opportunity_id="o", edge_bps=-7,
    )  # fmt: skip
    state = LegGroupState(
        group_id=group.id, state=GroupState.UNWINDING, reason="why", residual=(10 * MICRO, -3), updated_ns=f.NOW + 1000
    )
    execution = ArbExecution(
        id=group.id, account=f.ACCOUNT, opportunity_id="o", arb_type=ArbType.REBALANCING, leg_group_id="g", strategy="arb",
        gross_edge_bps=100, expected=1, fees=2, slippage=-3, net_pnl=-4, residual=5, residual_cost=6, status=ArbStatus.PARTIAL,
        started_ns=f.NOW, completed_ns=None,
    )  # fmt: skip
    row = ArbLeg(
        execution_id=group.id, account=f.ACCOUNT, number=0, order_id="0x1", market_id=market.id, token_id=f.YES, side=OrderSide.BUY,
        expected_price=400_000, filled_price=None, size=10, filled=0, unwound=0, residual=0, fee=0, slippage_bps=0, status="live",
    )  # fmt: skip
    await journal.submit([group])
    await journal.submit([state])
    await journal.submit([execution, row])
    await journal.submit([replace(execution, net_pnl=7), replace(row, filled_price=390_000)])

    ((loaded, loaded_state),) = (await disk.journal().load()).groups

    assert (loaded, loaded_state) == (group, state)


@pytest.mark.parametrize("settled", [FillStatus.CONFIRMED, FillStatus.MATCHED])
async def test_an_old_group_is_loaded_with_all_of_its_orders_while_a_fill_of_one_is_not_settled(
    database: str, settled: FillStatus
) -> None:
    disk = Disk(database)
    journal = PostgresJournal(
        database, f.ACCOUNT, epoch=lambda: disk.epoch, market_of=lambda _: f.market(), horizon=lambda: f.NOW + MICRO
    )
    disk.open_journals.append(journal)
    await disk.take_lease(journal)
    first, second = Leg(intent_id="i-1", market=f.market(), token_id=f.YES, side=OrderSide.BUY, price=400_000), None
    second = replace(first, intent_id="i-2", token_id=f.NO)
    group = LegGroup(
        id="00000000-0000-4000-8000-00000000aaaa", account=f.ACCOUNT, name="g", strategy="arb", policy=LegPolicy.ALL_OR_NONE,
        legs=(first, second), size=10 * MICRO, payoff=MICRO, created_ns=f.NOW,
    )  # fmt: skip
    state = LegGroupState(group_id=group.id, state=GroupState.FILLED, reason="", residual=(0, 0), updated_ns=f.NOW)
    orders = [
        f.order(f.draft(intent_id=leg.intent_id, token_id=leg.token_id, leg_group=group.id)) for leg in group.legs
    ]
    over = [
        OrderState(order_id=each.id, status=OrderStatus.MATCHED, filled=10 * MICRO, reason="", updated_ns=f.NOW)
        for each in orders
    ]
    fills = [
        replace(FILL, key=FillKey(f"t{n}", each.id), token_id=each.draft.token_id, status=status)
        for n, (each, status) in enumerate(zip(orders, (FillStatus.CONFIRMED, settled), strict=True))
    ]
    await journal.submit([group])
    await journal.submit([state, *orders])
    await journal.submit([*over, *fills])

    loaded = await journal.load()
    await disk.close()

    wanted = settled is FillStatus.MATCHED
    assert [found for found, _ in loaded.groups] == ([group] if wanted else [])
    assert {order.id for order, _ in loaded.orders} == ({order.id for order in orders} if wanted else set())


async def test_a_lifted_halt_is_not_loaded(disk: Disk) -> None:
    journal = disk.journal()
    await disk.take_lease(journal)
    halt = Halt(account=f.ACCOUNT, scope=HaltScope.ALL, target="", reason="odd", set_by="me", set_ns=f.NOW)
    lifted = HaltLifted(
        account=f.ACCOUNT, scope="all", target="", set_ns=f.NOW, lifted_by="ada", lifted_ns=f.NOW + 1_000_000
    )

    await journal.submit([halt])
    await journal.submit([lifted])

    assert (await journal.load()).halts == ()


async def test_profits_are_those_since_a_moment_or_since_the_limits_halt_was_lifted(disk: Disk) -> None:
    journal = disk.journal()
    await disk.take_lease(journal)

    def record(profit: int, at: int) -> EquityRecord:
        return EquityRecord(
            account=f.ACCOUNT,
            cash=1,
            inventory_cost=5,
            inventory_value=7,
            realised=profit,
            fees=2,
            at_ns=f.NOW + at * 1000,
        )

    await journal.submit([record(profit, at) for at, profit in enumerate((30, 70, 50))])
    assert await journal.profits(f.NOW, "daily_loss") == ProfitSpan(30, 70)
    assert await journal.profits(f.NOW + 2000, "daily_loss") == ProfitSpan(50, 50)
    assert await journal.profits(f.NOW + 9000, "daily_loss") is None
    halt = Halt(
        account=f.ACCOUNT,
        scope=HaltScope.ALL,
        target="daily_loss",
        reason="much",
        set_by="polybot",
        set_ns=f.NOW + 2000,
    )
    lifted = HaltLifted(
        account=f.ACCOUNT,
        scope="all",
        target="daily_loss",
        set_ns=f.NOW + 2000,
        lifted_by="ada",
        lifted_ns=f.NOW + 3000,
    )
    await journal.submit([halt])
    await journal.submit([lifted])
    assert await journal.profits(f.NOW, "daily_loss") is None
    await journal.submit([record(40, 4)])
    assert await journal.profits(f.NOW, "daily_loss") == ProfitSpan(40, 40)
    assert await journal.profits(f.NOW, "session_loss") == ProfitSpan(30, 70)


async def test_rows_of_one_call_are_written_together_or_not_at_all(disk: Disk) -> None:
    journal = disk.journal()
    await disk.take_lease(journal)
    missing = OrderState(order_id="0xmissing", status=OrderStatus.LIVE, filled=0, reason="", updated_ns=f.NOW)

    with pytest.raises(JournalError):
        await journal.submit([f.order(), missing])

    assert (await journal.load()).orders == ()


async def test_one_bad_row_harms_no_neighbour_in_the_same_commit(disk: Disk) -> None:
    journal = disk.journal()
    await disk.take_lease(journal)
    order = f.order()
    await journal.submit([order])
    good = [f.order() for _ in range(5)]

    answers = await asyncio.gather(
        *(journal.submit([each]) for each in (*good[:3], order, *good[3:])), return_exceptions=True
    )

    assert [type(answer) for answer in answers if answer is not None] == [JournalError]
    assert {each.id for each, _ in (await journal.load()).orders} == {order.id, *(each.id for each in good)}


async def test_the_journal_of_a_trader_that_lost_its_lease_writes_nothing(disk: Disk) -> None:
    old = disk.journal(epoch=1)
    await disk.take_lease(old, "old", ttl=0.1)
    await disk.take_lease(disk.journal(), "new")

    with pytest.raises(LeaseLostError):
        await old.submit([f.order()])

    assert (await old.load()).orders == ()


async def test_a_lease_waits_out_its_holder_and_cannot_be_renewed_afterwards(disk: Disk) -> None:
    journal = disk.journal()
    first = await disk.take_lease(journal, "one", ttl=0.3)
    begun = SystemClock().monotonic()
    assert (await disk.leases(journal).renew(first, 0.3)).epoch == first.epoch

    second = await disk.take_lease(journal, "two")

    assert SystemClock().monotonic() - begun >= 0.4
    assert second.epoch == first.epoch + 1
    with pytest.raises(LeaseLostError):
        await disk.leases(journal).renew(first, 5.0)


async def test_a_released_lease_is_free_at_once(disk: Disk) -> None:
    journal = disk.journal()
    first = await disk.take_lease(journal, "one", ttl=60.0)
    await disk.leases(journal).release(first)

    async with asyncio.timeout(2.0):
        second = await disk.take_lease(journal, "two")

    assert second.epoch == first.epoch + 1


async def test_many_intents_share_few_commits(postgres: Disk) -> None:
    journal = postgres.journal()
    await postgres.take_lease(journal)
    before = await journal.call(_transactions)

    await asyncio.gather(*(journal.submit([f.order()]) for _ in range(300)))

    after = await journal.call(_transactions)
    assert after - before < 60


async def test_what_is_submitted_in_one_turn_is_one_transaction(postgres: Disk) -> None:
    journal = postgres.journal()
    await postgres.take_lease(journal)

    first = journal.submit([f.order()])
    time.sleep(0.05)  # noqa: ASYNC251 - the loop does not turn meanwhile, and the writer would have the time
    await asyncio.gather(first, journal.submit([f.order()]))

    made = await journal.call(lambda pg: pg.execute("SELECT DISTINCT xmin FROM orders").fetchall())
    assert len(made) == 1


async def test_a_row_is_loaded_as_it_was_whatever_its_texts_and_bytes(postgres: Disk) -> None:
    journal = postgres.journal()
    await postgres.take_lease(journal)
    texts = [
        "",
        '"quoted"',
        "back\\slash \\x41 \\u0041",
        "{}[],:",
        "line\nand\ttab\x01\x7f",
        "naïve ☂ 🂡 \u2028",
        "NULL",
        "$1 %s %(a)s",
    ]
    made = [f.order(f.draft(reason=text)) for text in texts]
    orders = [replace(each, prepared=replace(each.prepared, payload=bytes(range(256)))) for each in made]
    said = [AuditRecord(event="said", account=f.ACCOUNT, detail={"why": text}, at_ns=f.NOW) for text in texts]

    await journal.submit([*orders, *said])

    assert {each.id: each for each, _ in (await journal.load()).orders} == {each.id: each for each in orders}
    rows = await journal.call(lambda pg: pg.execute("SELECT detail FROM audit_log ORDER BY id").fetchall())
    assert [row["detail"]["why"] for row in rows] == texts


def _transactions(pg) -> int:
    return pg.execute("SELECT pg_current_xact_id()::text::bigint AS id").fetchone()["id"]


async def test_a_connection_that_breaks_before_the_commit_is_a_definite_failure(postgres: Disk) -> None:
    journal = postgres.journal()
    await postgres.take_lease(journal)
    await journal.submit([f.order()])
    await asyncio.to_thread(_kill_journal_connections, postgres.conninfo)

    with pytest.raises(JournalError) as caught:
        await journal.submit([f.order()])
    assert not isinstance(caught.value, JournalUncertainError)

    await journal.submit([f.order()])
    assert len((await journal.load()).orders) == 2


def _kill_journal_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'polybot-journal' AND datname = current_database()"
        )


async def test_a_connection_that_breaks_during_the_commit_leaves_it_uncertain(postgres: Disk, monkeypatch) -> None:
    journal = postgres.journal()
    await postgres.take_lease(journal)

    def commit_then_lose_the_answer(self) -> None:
        commit(self)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    commit = psycopg.Connection.commit
    order = f.order()
    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "commit", commit_then_lose_the_answer)
        with pytest.raises(JournalUncertainError):
            await journal.submit([order])

    assert [each.id for each, _ in (await journal.load()).orders] == [order.id]


async def test_nothing_is_written_behind_an_uncertain_commit(postgres: Disk, monkeypatch) -> None:
    journal = postgres.journal()
    await postgres.take_lease(journal)

    def break_off(self) -> None:
        self.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "commit", break_off)
        with pytest.raises(JournalUncertainError):
            await journal.submit([f.order()])
    answers = await asyncio.gather(
        journal.submit([f.order()]), journal.record([POSITION, FILL]), return_exceptions=True
    )

    assert {type(answer) for answer in answers} == {JournalUncertainError}
    assert (await journal.load()).orders == ()


async def test_who_stops_waiting_does_not_keep_the_rows_from_being_written(disk: Disk) -> None:
    journal = disk.journal()
    await disk.take_lease(journal)
    order = f.order()

    journal.submit([order]).cancel()
    await journal.submit([f.order()])

    assert order.id in {each.id for each, _ in (await journal.load()).orders}


@pytest.mark.parametrize("reason", ["half a pair: \ud800", "nothing: \x00"])
async def test_a_text_the_database_cannot_hold_is_a_definite_failure_and_the_journal_goes_on(
    postgres: Disk, reason: str
) -> None:
    journal = postgres.journal()
    await postgres.take_lease(journal)
    bad, good = f.order(f.draft(reason=reason)), f.order()

    with pytest.raises(JournalError) as caught:
        await journal.submit([bad])
    assert not isinstance(caught.value, JournalUncertainError)

    async with asyncio.timeout(5):
        await journal.submit([good])
    assert [each.id for each, _ in (await journal.load()).orders] == [good.id]


LATER = f.NOW + 1_000_000_000_000


async def test_a_start_loads_what_may_still_change_and_what_became_final_lately(postgres: Disk) -> None:
    journal = postgres.journal()
    await postgres.take_lease(journal)

    async def story(name: str, *, state: OrderStatus, position: PositionStatus, fill: FillStatus, at: int) -> None:
        order = replace(f.order(order_id=f"0x{name}"), created_ns=f.NOW)
        identity = f.CountingIds().uuid()
        closed = {"closed_ns": at, "settled": 0, "unsettled": 0} if position is PositionStatus.CLOSED else {}
        await journal.submit([order])
        await journal.submit(
            [
                OrderState(order_id=order.id, status=state, filled=0, reason="", updated_ns=at),
                replace(FILL, key=FillKey(f"t-{name}", order.id), status=fill, position_id=identity, matched_ns=at),
                replace(POSITION, id=identity, status=position, **closed),
                *entries(f"j-{name}", 10),
            ]
        )

    old, new = f.NOW, LATER + 5
    over, settled = OrderStatus.MATCHED, FillStatus.CONFIRMED
    await story("forgotten", state=over, position=PositionStatus.CLOSED, fill=settled, at=old)
    await story("held", state=over, position=PositionStatus.OPEN, fill=settled, at=old)
    await story("open", state=OrderStatus.LIVE, position=PositionStatus.CLOSED, fill=settled, at=old)
    await story("unsettled", state=over, position=PositionStatus.CLOSED, fill=FillStatus.MINED, at=old)
    await story("lately", state=over, position=PositionStatus.CLOSED, fill=settled, at=new)

    whole = await journal.load()
    again = PostgresJournal(
        postgres.conninfo,
        f.ACCOUNT,
        epoch=lambda: postgres.epoch,
        market_of=lambda _: f.market(),
        horizon=lambda: LATER,
    )
    postgres.open_journals.append(again)
    loaded = await again.load()

    assert {order.id for order, _ in loaded.orders} == {"0xopen", "0xunsettled", "0xlately"}
    assert {fill.key.trade_id for fill in loaded.fills} == {"t-held", "t-open", "t-unsettled", "t-lately"}
    assert {position.id for position in loaded.positions} == {fill.position_id for fill in loaded.fills}
    assert set(loaded.ledger) == set(whole.ledger)
    assert (loaded.since_ns, whole.since_ns) == (LATER, 0)
    assert len(whole.orders) == 5


async def test_a_position_is_loaded_with_all_its_fills_however_old(postgres: Disk) -> None:
    journal = postgres.journal()
    await postgres.take_lease(journal)
    order = f.order()
    first, second = (
        replace(FILL, key=FillKey(name, order.id), status=FillStatus.CONFIRMED, matched_ns=at)
        for name, at in (("t-old", f.NOW), ("t-new", LATER + 5))
    )
    await journal.submit([order])
    await journal.submit(
        [first, second, replace(POSITION, status=PositionStatus.CLOSED, closed_ns=f.NOW, settled=0, unsettled=0)]
    )

    again = PostgresJournal(
        postgres.conninfo,
        f.ACCOUNT,
        epoch=lambda: postgres.epoch,
        market_of=lambda _: f.market(),
        horizon=lambda: LATER,
    )
    postgres.open_journals.append(again)

    assert {fill.key.trade_id for fill in (await again.load()).fills} == {"t-old", "t-new"}
