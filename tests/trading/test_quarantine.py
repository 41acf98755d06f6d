"""Trades in quarantine: booked as soon as that is right, by name left out when somebody lifts their halt, and never twice a reason to stop."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from domain.fill import FillKey, FillStatus
from domain.halt import HaltScope
from domain.money import MICRO
from domain.order import OrderStatus
from runtime.unknown_markets import LONGEST_PAUSE, MOST_ASKED
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual
from trading.quarantine import said


def outside(**changes):
    """Return a trade that was made outside."""
    facts = {"status": FillStatus.CONFIRMED, "transaction_hash": "0xab", "matched_ns": f.NOW}
    return f.trade(f.order(), 10 * MICRO, **(facts | changes))


def hear(rig: Rig, trade) -> None:
    rig.desk.apply(rig.portfolio.apply_trade(trade, now_ns=rig.clock.now_ns()))


async def restarted(rig: Rig) -> Rig:
    """Return another trader on the same journal."""
    await asyncio.sleep(1)
    again = Rig(rig.clock, tables=rig.tables, deposit=0)
    state = await again.journal.load()
    again.portfolio.restore(state)
    again.halts.restore(state.halts)
    return again


def halted(rig: Rig) -> list[str]:
    return [halt.target for halt in rig.halts.active()]


@virtual
async def test_a_trade_in_a_market_that_is_not_listed_is_booked_once_that_one_market_was_read(clock) -> None:
    rig = Rig(clock)
    rig.unlisted["0xc1"] = rig.markets.pop("m1")
    rig.venue.reports.append(outside(matched_ns=clock.now_ns()))

    await rig.reconciler.run()

    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO
    assert (rig.portfolio.quarantine, halted(rig)) == ({}, [])
    assert rig.venue.calls("market") == [("market", "0xc1")]


@virtual
async def test_a_market_that_the_venue_does_not_know_is_asked_for_ever_more_rarely_and_its_trade_says_so(clock) -> None:
    rig = Rig(clock)
    del rig.markets["m1"]
    rig.venue.reports.append(outside(matched_ns=clock.now_ns()))
    for _ in range(300):
        await rig.reconciler.run()
        clock.advance(60)

    assert [held.reason for held in rig.portfolio.quarantine.values()] == [
        "its market is not known: the venue does not know it either"
    ]
    # In 5 hours: at once, 1, 2, 4, 8, 16, 32 and 64 minutes after that, and then every hour.
    assert len(rig.venue.calls("market")) == 11
    assert len(rig.audited("fill_quarantined")) == 1
    assert halted(rig) == ["0xc1"]


@virtual
async def test_a_market_that_could_not_be_read_is_read_the_next_time(clock) -> None:
    rig = Rig(clock)
    rig.unlisted["0xc1"] = rig.markets.pop("m1")
    rig.venue.down.add("market")
    rig.venue.reports.append(outside(matched_ns=clock.now_ns()))
    await rig.reconciler.run()
    (held,) = rig.portfolio.quarantine.values()
    assert "could not be read from the venue" in held.reason

    rig.venue.down.clear()
    clock.advance(31)
    await rig.reconciler.run()

    assert (rig.portfolio.quarantine, rig.portfolio.positions.size(f.YES)) == ({}, 10 * MICRO)


@virtual
async def test_a_round_asks_for_a_few_markets_only_and_the_next_for_the_others(clock) -> None:
    rig = Rig(clock)
    conditions = [f"0xd{number}" for number in range(MOST_ASKED + 2)]
    for condition in conditions:
        rig.venue.reports.append(outside(trade_id=condition, condition_id=condition, matched_ns=clock.now_ns()))

    await rig.reconciler.run()
    assert [call[1] for call in rig.venue.calls("market")] == conditions[:MOST_ASKED]
    await rig.reconciler.run()

    assert [call[1] for call in rig.venue.calls("market")] == conditions
    clock.advance(LONGEST_PAUSE)
    rig.venue.reports.clear()
    rig.portfolio.quarantine.clear()
    await rig.reconciler.run()
    assert rig.portfolio.unread == {}


@virtual
async def test_lifting_the_halt_books_what_is_right_by_now_and_leaves_the_rest_out_by_name(clock) -> None:
    rig = Rig(clock)
    own = await rig.place(size=20 * MICRO)
    early, odd = (
        f.trade(own.order, 30 * MICRO, trade_id="t-1"),
        f.trade(own.order, 10 * MICRO, trade_id="t-2", price=900_000),
    )
    hear(rig, early)
    hear(rig, odd)
    assert halted(rig) == ["m1"]
    # The venue takes back the size it told first, which nothing here hears of but this.
    rig.portfolio.quarantine[FillKey("t-1", own.id)] = replace(
        rig.portfolio.quarantine[FillKey("t-1", own.id)], report=replace(early, size=10 * MICRO)
    )

    assert rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="ada")

    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO
    assert (rig.portfolio.quarantine, halted(rig)) == ({}, [])
    (left,) = rig.portfolio.dismissed.values()
    assert said(left).startswith(f"trade t-2 of order {own.id} (buy 10 at $0.9): trade at 900000 is worse")
    (row,) = rig.audited("fill_dismissed")
    assert (row.detail["trade"], row.detail["by"], row.detail["reason"]) == ("t-2", "ada", left.reason)


@virtual
async def test_what_somebody_has_dealt_with_halts_nothing_again_also_after_a_restart_until_the_venue_says_otherwise(
    clock,
) -> None:
    rig = Rig(clock)
    del rig.markets["m1"]
    trade = outside(matched_ns=clock.now_ns())
    hear(rig, trade)
    clock.advance(1)
    rig.desk.resume(HaltScope.MARKET, "0xc1", lifted_by="ada")

    for each in (rig, await restarted(rig)):
        each.markets.pop("m1", None)
        hear(each, trade)
        assert (each.portfolio.quarantine, halted(each)) == ({}, [])

    hear(rig, replace(trade, size=11 * MICRO))
    assert halted(rig) == ["0xc1"]
    assert [held.report.size for held in rig.portfolio.quarantine.values()] == [11 * MICRO]


@virtual
async def test_what_was_dismissed_is_booked_all_the_same_when_its_market_becomes_known(clock) -> None:
    rig = Rig(clock)
    market = rig.markets.pop("m1")
    hear(rig, outside(matched_ns=clock.now_ns()))
    rig.desk.resume(HaltScope.MARKET, "0xc1", lifted_by="ada")
    rig.unlisted["0xc1"] = market

    await rig.reconciler.run()

    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO
    assert (rig.portfolio.dismissed, (await restarted(rig)).portfolio.dismissed) == ({}, {})


@virtual
async def test_a_trade_booked_at_another_price_than_it_was_quarantined_at_does_not_come_back_with_a_restart(
    clock,
) -> None:
    rig = Rig(clock)
    own = await rig.place()
    hear(rig, f.trade(own.order, 10 * MICRO, price=900_000, trade_id="t-1"))
    hear(rig, f.trade(own.order, 10 * MICRO, trade_id="t-1"))
    assert (rig.portfolio.quarantine, rig.portfolio.positions.size(f.YES)) == ({}, 10 * MICRO)

    assert (await restarted(rig)).portfolio.quarantine == {}


@virtual
async def test_a_changed_trade_that_the_venue_takes_back_leaves_quarantine(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    booked = rig.fill(own, 10 * MICRO)
    hear(rig, replace(booked, size=9 * MICRO))
    assert len(rig.portfolio.quarantine) == 1

    hear(rig, booked)

    assert (rig.portfolio.quarantine, (await restarted(rig)).portfolio.quarantine) == ({}, {})
    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO


@virtual
async def test_a_token_of_another_market_halts_the_market_itself_not_a_name_that_stops_nothing(clock) -> None:
    rig = Rig(clock)
    hear(rig, outside(token_id="elsewhere"))

    assert halted(rig) == ["m1"]
    assert rig.refusal() == "halted"


@virtual
async def test_a_market_that_becomes_known_is_halted_by_its_own_name_when_the_trade_stays_wrong(clock) -> None:
    rig = Rig(clock)
    market = rig.markets.pop("m1")
    trade = outside(token_id="elsewhere")
    hear(rig, trade)
    rig.markets["m1"] = market
    hear(rig, trade)
    assert halted(rig) == ["0xc1", "m1"]

    rig.desk.resume(HaltScope.MARKET, "0xc1", lifted_by="ada")
    assert [held.market_id for held in rig.portfolio.quarantine.values()] == ["m1"]
    rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="ada")
    assert (rig.portfolio.quarantine, halted(rig)) == ({}, [])


@virtual
async def test_money_is_explained_again_once_the_quarantine_is_dealt_with(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.fill(own, 50 * MICRO)
    rig.venue.orders.clear()
    rig.portfolio.move(own, OrderStatus.CANCELLED, "", clock.now_ns())
    rig.venue.cash = rig.portfolio.ledger.cash - 25 * MICRO
    rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="ada")

    for _ in range(30):
        clock.advance(60)
        await rig.reconciler.run()

    assert rig.portfolio.ledger.cash == rig.venue.cash
