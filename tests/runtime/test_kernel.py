"""Start is recovery, what breaks the state stops the trader, and the next one goes on where it was."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.errors import JournalError, VenueError
from domain.halt import HaltScope
from domain.ledger import LedgerAccount
from domain.money import MICRO
from domain.order import OrderSide, OrderStatus, OrderType
from runtime.config import Mode
from runtime.kernel import Kernel
from tests.runtime.kit import SECOND, SELL, House, events_of, gateway_of, open_at_venue, place, rest, signal
from tests.sim.world import ACCOUNT, START_CASH, TRADER
from trading.journal_memory import MemoryJournal
from trading.lease import MemoryLeases
from venues.exchange import commands as c


@pytest.fixture
def house() -> House:
    return House()


async def started(house: House, **settings: Any) -> Kernel:
    kernel = house.kernel(**settings)
    await kernel.start()
    await asyncio.sleep(0.2)
    return kernel


def test_a_first_start_finds_the_money_watches_the_markets_and_is_ready(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)

        assert kernel.ready
        assert kernel.portfolio.ledger.cash == kernel.portfolio.ledger.deposits == START_CASH
        assert len(kernel.books) == 12
        assert all(book.usable for book in kernel.books)
        await asyncio.sleep(1)
        status = events_of(kernel).statuses[-1]
        assert (status.ready, status.account, status.watched_markets, status.cash) == (True, ACCOUNT, 6, START_CASH)

    house.run(main)


def test_an_order_becomes_a_fill_a_position_and_ledger_entries(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        market = house.market()

        own = await place(kernel, market, order_type=OrderType.FAK)
        await house.settle(kernel)

        assert own.status is OrderStatus.MATCHED
        position = kernel.portfolio.positions.get(market.token_ids[0], "test")
        assert position is not None
        assert position.holding.settled == house.world.exchange.balance(TRADER, market.token_ids[0]).settled > 0
        assert kernel.portfolio.ledger.cash == house.world.exchange.balance(TRADER).settled
        assert events_of(kernel).fills
        assert events_of(kernel).positions
        assert [decision for _, decision in events_of(kernel).signals] == ["accepted"]

    house.run(main)


def test_a_restart_takes_up_orders_positions_ledger_and_halts(house: House) -> None:
    async def main() -> None:
        first = await started(house)
        market = house.market()
        await place(first, market, order_type=OrderType.FAK)
        resting = await rest(first, house.market(1))
        first.desk.halt(HaltScope.MARKET, "m3", reason="odd", set_by="ada")
        await house.settle(first)
        cash = first.portfolio.ledger.cash
        await house.kill(first)

        second = await started(house)

        assert second.lease.epoch == first.lease.epoch + 1
        assert second.portfolio.orders.get(resting.id).status is OrderStatus.LIVE
        assert second.portfolio.positions.size(market.token_ids[0]) == 10 * MICRO
        assert second.portfolio.ledger.cash == cash
        assert [halt.target for halt in second.halts.active()] == ["m3"]
        assert second.reconciler is not first.reconciler
        await asyncio.sleep(10)
        assert {row["kind"] for row in house.world.tables.rows["ledger_entries"]} == {"deposit", "buy"}

    house.run(main)


def test_what_happened_while_the_trader_was_dead_is_found_at_the_start(house: House) -> None:
    async def main() -> None:
        first = await started(house)
        market = house.market()
        book = first.books.get(market.token_ids[0])
        own = await place(first, market, price=book.best_bid, size=20 * MICRO)
        await house.kill(first)
        house.world.step(c.CancelOrders("maker", tuple(house.world._agent_orders[market.condition_id])))
        house.world.place(
            "noise", "n-1", market.token_ids[0], OrderSide.SELL, own.order.draft.price, 20 * MICRO, OrderType.FAK
        )

        second = await started(house)

        assert second.portfolio.orders.get(own.id).status is OrderStatus.MATCHED
        assert second.portfolio.positions.size(market.token_ids[0]) == 20 * MICRO

    house.run(main)


def break_reads(kernel: Kernel, what: str) -> None:
    if what == "listing":
        setattr(kernel.ports.catalog, "down", True)  # noqa: B010
    else:
        gateway_of(kernel).down.add(what)


@pytest.mark.parametrize("what", ["listing", "read open orders", "read trades", "read balances"])
def test_a_start_without_the_venue_fails_trades_nothing_and_gives_the_lease_back(house: House, what: str) -> None:
    async def main() -> None:
        kernel = house.kernel()
        break_reads(kernel, what)

        with pytest.raises(VenueError):
            await kernel.start()
        assert not kernel.ready
        await kernel.stop("the start failed")

        assert kernel.stopped.result() == "the start failed"
        begun = house.world.clock.monotonic()
        again = await started(house)
        assert again.ready
        assert house.world.clock.monotonic() - begun < 1.0

    house.run(main)


def test_a_start_fails_when_doubtful_orders_cannot_be_read(house: House) -> None:
    async def main() -> None:
        first = await started(house)
        gateway_of(first).slow.add("send")
        decision = first.executor.submit(signal(first, house.market(), price=20_000))
        assert decision.draft is not None
        await asyncio.sleep(0.5)
        await house.kill(first)

        second = house.kernel()
        gateway_of(second).down.add("read order")
        with pytest.raises(VenueError, match="orders could not be read"):
            await second.start()
        assert not second.ready

    house.run(main)


@pytest.mark.parametrize("when", ["lease", "load"])
def test_a_start_without_the_journal_fails_and_trades_nothing(house: House, when: str, monkeypatch) -> None:
    async def fail(*_: object) -> None:
        raise JournalError("database: connection refused")

    async def main() -> None:
        kernel = house.kernel()
        if when == "lease":
            monkeypatch.setattr(kernel.ports.storage, "leases", lambda _: type("Leases", (), {"acquire": fail})())
        else:
            monkeypatch.setattr(kernel.journal, "load", fail)

        with pytest.raises(JournalError):
            await kernel.start()
        monkeypatch.undo()
        await kernel.stop("the start failed")

        assert not kernel.ready
        assert "send" not in house.log
        assert (await started(house)).ready

    house.run(main)


def test_a_start_that_is_interrupted_gives_the_lease_back(house: House) -> None:
    async def main() -> None:
        kernel = house.kernel()
        gateway_of(kernel).slow.add("read balances")
        starting = asyncio.create_task(kernel.start())
        await asyncio.sleep(0.5)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await kernel.stop("interrupted")

        begun = house.world.clock.monotonic()
        assert (await started(house)).ready
        assert house.world.clock.monotonic() - begun < 1.0

    house.run(main)


def test_a_second_trader_waits_until_the_first_ones_lease_has_run_out(house: House) -> None:
    async def main() -> None:
        await house.kill(await started(house))
        begun = house.world.clock.monotonic()

        second = await started(house)

        assert second.ready
        assert house.world.clock.monotonic() - begun > 3.0

    house.run(main)


def test_a_lost_lease_stops_the_trader_and_leaves_the_orders_to_the_next(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        await rest(kernel, house.market())
        house.world.tables.epochs[ACCOUNT] += 1

        reason = await asyncio.wait_for(asyncio.shield(kernel.stopped), 10)
        assert "another trader" in reason or "newer epoch" in reason
        assert not kernel.ready
        kernel.lease.lease = None
        await kernel.stop("broken")
        assert open_at_venue(house) == 1

    house.run(main)


def test_a_lease_that_cannot_be_renewed_keeps_orders_here_and_comes_back(house: House, monkeypatch) -> None:
    async def main() -> None:
        kernel = await started(house)
        renew = MemoryLeases.renew

        async def fail(*_: object) -> None:
            raise JournalError("database: connection refused")

        monkeypatch.setattr("trading.lease.MemoryLeases.renew", fail)
        await asyncio.sleep(4)
        refused = kernel.executor.submit(signal(kernel, house.market()))
        assert refused is not None
        assert refused.refusal == "no_lease"
        assert not kernel.stopped.done()

        monkeypatch.setattr("trading.lease.MemoryLeases.renew", renew)
        await asyncio.sleep(2)
        assert (await rest(kernel, house.market())).status is OrderStatus.LIVE

    house.run(main)


def test_evidence_that_cannot_be_journaled_stops_the_trader_and_the_next_one_knows_it(
    house: House, monkeypatch
) -> None:
    async def main() -> None:
        kernel = await started(house)
        market = house.market()
        own = await rest(kernel, market)
        monkeypatch.setattr(MemoryJournal, "_write", lambda self, writes: JournalError("disk full"))
        await kernel.flow.cancel(own, "enough")

        reason = await asyncio.wait_for(asyncio.shield(kernel.stopped), 5)
        assert "disk full" in reason
        refused = kernel.executor.submit(signal(kernel, market))
        assert refused is not None
        await asyncio.sleep(0.5)
        assert house.log.count("send") == 1
        monkeypatch.undo()
        await kernel.stop(reason)

        second = await started(house)
        await asyncio.sleep(1)
        assert second.portfolio.orders.get(own.id).status is OrderStatus.CANCELLED

    house.run(main)


def test_a_task_that_dies_stops_the_trader_and_says_which(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)

        async def explode() -> None:
            raise RuntimeError("a bug")

        kernel.spawn("settings", explode)

        assert await asyncio.wait_for(asyncio.shield(kernel.stopped), 5) == "settings died: RuntimeError: a bug"
        assert not kernel.ready

    house.run(main)


def test_a_monitor_decides_nothing_and_needs_no_account(house: House) -> None:
    async def main() -> None:
        kernel = await started(house, mode=Mode.MONITOR)
        market = house.market()

        kernel._submit(signal(kernel, market))
        await asyncio.sleep(5)

        assert [decision for _, decision in events_of(kernel).signals] == ["monitor"]
        assert house.log == []
        await kernel.stop("done")
        assert not [entry for entry in house.log if not entry.startswith("stop")]

    house.run(main)


def test_a_gap_in_the_account_channel_is_reconciled_at_once_and_again_until_it_could_be(house: House) -> None:
    async def main() -> None:
        kernel = await started(house, reconcile_every=600.0)
        house.log.clear()
        gateway_of(kernel).down.add("read trades")

        kernel.account_events.on_gap("reconnected")
        await asyncio.sleep(3)
        assert house.log.count("read trades") >= 2
        assert kernel.account_events.gap.is_set()

        gateway_of(kernel).down.clear()
        await asyncio.sleep(3)
        assert not kernel.account_events.gap.is_set()

    house.run(main)


@pytest.mark.parametrize(("winner", "paid"), [(0, 10 * MICRO), (1, 0)])
def test_a_resolution_pays_the_winner_and_closes_the_position(house: House, winner: int, paid: int) -> None:
    async def main() -> None:
        kernel = await started(house)
        market = house.market()
        await place(kernel, market, order_type=OrderType.FAK)
        await house.settle(kernel)
        profit = kernel.portfolio.ledger.realised
        cost = kernel.portfolio.positions.total_cost

        house.world.step(c.Resolve(market.condition_id, winner))
        house.world.step(c.RedeemAll(market.condition_id))
        await asyncio.sleep(8)

        assert kernel.portfolio.positions.get(market.token_ids[0], "test") is None
        assert kernel.portfolio.ledger.realised - profit == paid - cost
        assert kernel.portfolio.ledger.cash == house.world.exchange.balance(TRADER).settled
        assert kernel.portfolio.ledger.balance(LedgerAccount.RECEIVABLE) == 0
        assert kernel.halts.active() == []

    house.run(main)


def test_an_even_split_pays_half_once_the_catalogue_says_so(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        market = house.market()
        await place(kernel, market, order_type=OrderType.FAK)
        await house.settle(kernel)

        house.world.step(c.Resolve(market.condition_id, None))
        await asyncio.sleep(0.2)
        assert kernel.portfolio.positions.get(market.token_ids[0], "test") is not None
        house.world.step(c.RedeemAll(market.condition_id))
        await asyncio.sleep(12)

        assert kernel.portfolio.positions.get(market.token_ids[0], "test") is None
        assert kernel.portfolio.ledger.cash == house.world.exchange.balance(TRADER).settled
        assert kernel.portfolio.ledger.balance(LedgerAccount.RECEIVABLE) == 0

    house.run(main)


def test_a_market_that_was_resolved_while_the_trader_was_dead_is_settled_at_the_start(house: House) -> None:
    async def main() -> None:
        first = await started(house)
        market = house.market()
        await place(first, market, order_type=OrderType.FAK)
        await house.settle(first)
        await house.kill(first)
        house.world.step(c.Resolve(market.condition_id, 0))

        second = await started(house)

        assert second.portfolio.positions.get(market.token_ids[0], "test") is None
        assert second.portfolio.ledger.realised > 0

    house.run(main)


def test_a_stop_loss_is_carried_out_by_the_timer_when_the_shares_settle_in_a_still_book(house: House) -> None:
    async def main() -> None:
        kernel = await started(house)
        market = house.market()
        bid = kernel.books.get(market.token_ids[0]).best_bid
        await place(kernel, market, order_type=OrderType.FAK, stop_loss=bid)
        await asyncio.sleep(1)
        assert [signal.side for signal, _ in events_of(kernel).signals] == [OrderSide.BUY]

        await house.settle(kernel)
        await asyncio.sleep(1)

        assert [signal.side for signal, _ in events_of(kernel).signals] == [OrderSide.BUY, OrderSide.SELL]
        assert kernel.portfolio.positions.size(market.token_ids[0]) == 0

    house.run(main)


def test_worth_is_recorded_and_memory_forgets_what_has_long_been_final(house: House, monkeypatch) -> None:
    monkeypatch.setattr("runtime.upkeep.REMEMBER_NS", 60 * SECOND)
    monkeypatch.setattr("runtime.upkeep.FORGET_SECONDS", 10.0)

    async def main() -> None:
        kernel = await started(house)
        market = house.market()
        await place(kernel, market, order_type=OrderType.FAK)
        await house.settle(kernel)
        bid = kernel.books.get(market.token_ids[0]).best_bid
        await place(kernel, market, order_type=OrderType.FAK, price=bid, **SELL)
        await house.settle(kernel)
        resting = await rest(kernel, house.market(1))
        assert len(kernel.portfolio.orders) == 3
        cash = kernel.portfolio.ledger.cash

        await asyncio.sleep(90)

        assert [own.id for own in kernel.portfolio.orders.all()] == [resting.id]
        assert kernel.portfolio.fills == {}
        assert kernel.portfolio.ledger.cash == cash
        assert len(house.world.tables.rows["equity_snapshots"]) >= 9

    house.run(main)
