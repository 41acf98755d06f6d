"""What a paper account remembers across processes, and how another one is begun."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from domain.errors import InvalidOrderError, WrongAccountError
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide, OrderStatus, OrderType
from domain.reports import Accepted, Uncertain
from tests.conformance.gateway.bench import CENT, NEVER, SHARE
from tests.conformance.gateway.paper_bench import MARKET, PaperBench, WrittenCatalog, WrittenFeed, paper_bench
from tests.venues.polymarket.listeners import MarketDiary
from tests.venues.simulator.kit import CountingIds, ManualClock
from venues.paper.connect import Paper, begin_another, newest, open_account
from venues.paper.gateway import Latency, PaperGateway
from venues.paper.store import PaperStore, PaperStoreError


def opened(folder: Path, name: str = "bench") -> Paper:
    return open_account(
        folder, name, balance=1_000 * MICRO, venue="polymarket", feed=WrittenFeed(), catalog=WrittenCatalog(), clock=ManualClock(),
        ids=CountingIds(), latency=Latency(),
    )  # fmt: skip


async def some_history(folder: Path) -> tuple[str, str]:
    """Leave a filled and a resting order behind; return the state's hash and the resting order's id."""
    async with paper_bench(folder) as bench:
        await bench.owned(10 * SHARE)
        resting = await bench.placed(price=30 * CENT)
        return bench.paper.paper.exchange.state_hash(), resting.order_id


async def test_a_restart_finds_the_same_state(tmp_path: Path) -> None:
    state, resting = await some_history(tmp_path)
    paper = opened(tmp_path)
    assert paper.paper.exchange.state_hash() == state
    assert [report.order_id for report in await paper.gateway.open_orders()] == [resting]
    await paper.close()


async def test_an_order_found_again_joins_behind_what_is_shown_then(tmp_path: Path) -> None:
    _, resting = await some_history(tmp_path)
    feed, clock = WrittenFeed(), ManualClock()
    paper = open_account(
        tmp_path, "bench", balance=0, venue="polymarket", feed=feed, catalog=WrittenCatalog(), clock=clock, ids=CountingIds(), latency=Latency(),
    )  # fmt: skip
    clock.move(60)
    bench = PaperBench(paper, feed, clock)
    await paper.feed.start(MarketDiary())
    bench._levels[True] = {30 * CENT: 70 * SHARE}
    bench.show()
    known = paper.paper.market_of(MARKET.token_ids[0])
    assert known is not None
    assert known.resting[resting].ahead == 70 * SHARE
    await paper.close()


async def test_a_log_torn_by_a_kill_loses_its_last_line_only(tmp_path: Path) -> None:
    await some_history(tmp_path)
    log = tmp_path / "bench" / "log"
    whole = log.read_bytes()
    log.write_bytes(whole + b'1234abcd [99,[[1,{"ty')
    await opened(tmp_path).close()
    assert log.read_bytes() == whole


@pytest.mark.parametrize("damage", ["flipped", "cut out", "snapshot"])
async def test_any_other_damage_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    await some_history(tmp_path)
    log, snapshot = tmp_path / "bench" / "log", tmp_path / "bench" / "snapshot"
    lines = log.read_bytes().splitlines(keepends=True)
    if damage == "flipped":
        log.write_bytes(lines[0].replace(b"1", b"2", 1) + b"".join(lines[1:]))
    elif damage == "cut out":
        log.write_bytes(lines[0] + b"".join(lines[2:]))
    else:
        snapshot.write_bytes(b"\x00" + snapshot.read_bytes()[1:])
    with pytest.raises(PaperStoreError, match=r"damaged.*manage\.py paper reset"):
        opened(tmp_path)


async def test_a_new_snapshot_holds_what_the_log_held(tmp_path: Path) -> None:
    state, _ = await some_history(tmp_path)
    store = PaperStore(tmp_path / "bench")
    exchange = store.load()
    assert exchange is not None
    log = (tmp_path / "bench" / "log").read_bytes()
    store.compact(exchange)
    # A crash before the log was cut leaves lines that the snapshot already holds.
    (tmp_path / "bench" / "log").write_bytes(log)
    store.close()
    paper = opened(tmp_path)
    assert paper.paper.exchange.state_hash() == state
    await paper.close()


async def test_one_process_at_a_time_and_no_reset_under_a_running_trader(tmp_path: Path) -> None:
    paper = opened(tmp_path)
    with pytest.raises(PaperStoreError, match="running trader"):
        opened(tmp_path)
    with pytest.raises(PaperStoreError, match="running trader"):
        begin_another(tmp_path, "bench", MICRO, ManualClock(), CountingIds())
    await paper.close()


async def test_a_reset_begins_another_account_and_leaves_the_old_one_as_it_was(tmp_path: Path) -> None:
    state, _ = await some_history(tmp_path)
    accounts = [
        begin_another(tmp_path, "bench", dollars * MICRO, ManualClock(), CountingIds())
        for dollars in (*range(2, 11), 50)
    ]
    assert accounts == [f"paper:bench.{number}" for number in range(2, 12)]
    paper = opened(tmp_path)
    assert (paper.gateway.account, (await paper.gateway.balances([])).cash) == ("paper:bench.11", 50 * MICRO)
    await paper.close()
    old = PaperStore(tmp_path / "bench")
    exchange = old.load()
    assert exchange is not None
    assert exchange.state_hash() == state
    old.close()


def test_the_first_reset_names_the_first_account(tmp_path: Path) -> None:
    assert newest(tmp_path, "mine") == "mine"
    assert begin_another(tmp_path, "mine", MICRO, ManualClock(), CountingIds()) == "paper:mine"
    (tmp_path / "mine-else").mkdir()
    assert newest(tmp_path, "mine") == "mine"


async def test_orders_of_other_accounts_and_other_venues_are_refused(tmp_path: Path) -> None:
    async with paper_bench(tmp_path) as bench:
        with pytest.raises(WrongAccountError):
            await bench.prepared(account="live:0x01")
        other = Market(id="1", venue="kalshi", question="?", slug="s", condition_id="0xc", token_ids=("11", "12"))
        with pytest.raises(InvalidOrderError, match="kalshi"):
            await bench.prepared(market=other)


async def test_an_order_meets_the_book_that_is_there_when_it_arrives_and_not_the_one_it_was_sent_at(
    tmp_path: Path,
) -> None:
    async with paper_bench(tmp_path) as bench:
        await bench.rival(OrderSide.SELL, 50 * CENT, 20 * SHARE)
        slow = PaperGateway(
            bench.paper.paper, "polymarket", clock=ManualClock(), ids=CountingIds(), latency=Latency(there=0.02)
        )
        prepared = await slow.prepare(bench.draft(order_type=OrderType.FAK, price=50 * CENT, size=20 * SHARE))
        sending = asyncio.create_task(slow.send(prepared, NEVER))
        await asyncio.sleep(0)
        bench._levels[False] = {50 * CENT: 3 * SHARE}
        bench.show()
        await sending
        report = await slow.order(prepared.order_id)
        assert report is not None
        assert report.size_matched == 3 * SHARE


async def test_a_book_that_is_watched_no_more_fills_nothing(tmp_path: Path) -> None:
    async with paper_bench(tmp_path) as bench:
        await bench.rival(OrderSide.SELL, 50 * CENT, 20 * SHARE)
        await bench.paper.feed.unwatch(list(MARKET.token_ids))
        prepared = await bench.prepared(order_type=OrderType.FAK, price=50 * CENT, size=5 * SHARE)
        outcome = await bench.gateway.send(prepared, NEVER)
        assert not isinstance(outcome, Accepted)


async def test_what_cannot_be_remembered_is_uncertain_and_ends_the_venue(tmp_path: Path) -> None:
    async with paper_bench(tmp_path) as bench:
        prepared = await bench.prepared()
        assert bench.paper.store is not None
        bench.paper.paper.broken = "the disk is full"
        assert isinstance(await bench.gateway.send(prepared, NEVER), Uncertain)
        assert not bench.account_feed.connected
        bench.paper.paper.broken = ""
        assert await bench.gateway.order(prepared.order_id) is None
        outcome = await bench.gateway.send(prepared, NEVER)
        assert outcome == Accepted(order_id=prepared.order_id, status=OrderStatus.LIVE)
