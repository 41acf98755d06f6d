"""The index's book-keeping: average prices, splits, conversions, and sizes that always are what the exchange holds."""

from __future__ import annotations

import pytest

from domain.fill import FillStatus
from domain.money import MICRO, parse_micros
from tests.venues.exchange.kit import BUY, SELL, Venue
from venues.exchange import commands as c
from venues.exchange.events import FundsMoved, FundsReason, TradeMoved
from venues.simulator.world.ledger import Ledger
from venues.simulator.world.positions import Position, Positions
from venues.simulator.world.price_history import PriceHistory

d = parse_micros
YES, NO = "m:yes", "m:no"


def test_what_is_sold_costs_the_average_of_what_was_bought():
    position = Position()
    position.buy(d("10"), d("4"), d("0.1"), 100)
    position.buy(d("30"), d("18"), d("0.3"), 200)
    assert position.average == d("0.55")
    assert position.sell(d("20"), d("13"), 300) == d("2")
    assert (position.size, position.cost, position.fees) == (d("20"), d("11"), d("0.2"))
    assert position.average == d("0.55")
    assert position.sell(d("20"), d("10"), 400) == d("-1")
    assert (position.size, position.cost, position.fees, position.realized) == (0, 0, 0, d("1"))
    assert position.average == d("0.55")
    assert (position.first_s, position.last_s) == (100, 400)


def test_a_split_costs_fifty_cents_a_token_and_a_merge_brings_them_back():
    positions = Positions()
    split = FundsMoved("w", FundsReason.SPLIT, "m", -d("10"), {YES: d("10"), NO: d("10")})
    assert positions.moved(split, {}, 1) == 0
    assert positions.of("w", YES).average == positions.of("w", NO).average == d("0.5")
    merge = FundsMoved("w", FundsReason.MERGE, "m", d("4"), {YES: -d("4"), NO: -d("4")})
    assert positions.moved(merge, {}, 2) == 0
    assert positions.of("w", YES).size == d("6")


def test_a_redemption_realises_the_payout_of_each_token():
    positions = Positions()
    positions.of("w", YES).buy(d("10"), d("6"), 0, 1)
    positions.of("w", NO).buy(d("5"), d("2"), 0, 1)
    redeemed = FundsMoved("w", FundsReason.REDEMPTION, "m", d("10"), {YES: -d("10"), NO: -d("5")})
    assert positions.moved(redeemed, {YES: MICRO, NO: 0}, 2) == d("4") - d("2")
    assert positions.of("w", YES).realized == d("4")
    assert positions.of("w", NO).realized == -d("2")


def test_a_conversion_carries_the_cost_over_less_the_cash_it_returned():
    positions = Positions()
    for token in ("a:no", "b:no"):
        positions.of("w", token).buy(d("10"), d("7"), 0, 1)
    moved = {"a:no": -d("10"), "b:no": -d("10"), "c:yes": d("10"), "d:yes": d("10")}
    # Two NOs at 0.70 cost $14 and return $10: the two YES cost the other $4.
    assert positions.moved(FundsMoved("w", FundsReason.CONVERSION, "a", d("10"), moved), {}, 2) == 0
    assert positions.of("w", "a:no").size == 0
    assert positions.of("w", "c:yes").average == positions.of("w", "d:yes").average == d("0.2")


def test_cash_and_transfers_are_no_profit():
    positions = Positions()
    assert positions.moved(FundsMoved("w", FundsReason.DEPOSIT, "", d("1000"), {}), {}, 1) == 0
    positions.of("w", YES).buy(d("10"), d("7"), 0, 1)
    assert positions.moved(FundsMoved("w", FundsReason.TRANSFER, "m", 0, {YES: -d("4")}), {}, 2) == 0
    assert positions.moved(FundsMoved("v", FundsReason.TRANSFER, "m", 0, {YES: d("4")}), {}, 2) == 0
    assert (positions.of("w", YES).size, positions.of("v", YES).size) == (d("6"), d("4"))


def booked(venue: Venue, ledger: Ledger) -> None:
    """Let the ledger hear the events of the venue's last step."""
    for event in venue.events:
        if isinstance(event, TradeMoved) and event.trade.status is FillStatus.CONFIRMED:
            ledger.confirmed(event.trade)
        elif isinstance(event, FundsMoved):
            payouts = venue.exchange.payouts("m")
            ledger.moved(event, dict(zip((YES, NO), payouts, strict=True)) if payouts else {}, venue.now)


def test_sizes_are_what_the_exchange_has_settled_and_failed_trades_never_appear():
    venue, ledger = Venue(), Ledger("v")
    for account in ("anna", "bert"):
        venue.do(c.Deposit(account, d("500")))
        booked(venue, ledger)
    venue.do(c.Split("bert", "m", d("100")))
    booked(venue, ledger)
    venue.place("bert", SELL, "yes", "0.60", "50")
    venue.place("anna", BUY, "yes", "0.60", "30")
    venue.place("anna", BUY, "no", "0.40", "20")
    venue.place("bert", BUY, "yes", "0.60", "20")
    first, *rest = venue.exchange.unsettled_trades()
    venue.do(c.Settle(first.id, FillStatus.RETRYING))
    venue.do(c.Settle(first.id, FillStatus.FAILED))
    booked(venue, ledger)
    assert not [row for row in ledger.entries["anna"] if row.kind == "TRADE"]
    assert rest
    for trade in rest:
        for status in (FillStatus.MINED, FillStatus.CONFIRMED):
            venue.do(c.Settle(trade.id, status))
            booked(venue, ledger)
    venue.do(c.Merge("bert", "m", d("10")))
    booked(venue, ledger)
    venue.do(c.Resolve("m", 0))
    venue.do(c.RedeemAll("m"))
    booked(venue, ledger)
    for account in ("anna", "bert"):
        for token in (YES, NO):
            assert ledger.positions.of(account, token).size == venue.exchange.balance(account, token).settled == 0
    profits = sum(totals.realized for totals in ledger.totals.values())
    paid_in = 2 * d("500")
    assert profits == sum(venue.exchange.balance(name).settled for name in ("anna", "bert")) - paid_in


def test_each_party_of_a_match_has_its_own_row_in_its_own_terms():
    venue, ledger = Venue(), Ledger("v")
    venue.fund("anna"), venue.fund("bert")
    venue.place("bert", BUY, "no", "0.40", "10")
    venue.place("anna", BUY, "yes", "0.60", "10")
    for trade in venue.exchange.unsettled_trades():
        for status in (FillStatus.MINED, FillStatus.CONFIRMED):
            venue.do(c.Settle(trade.id, status))
    booked(venue, ledger)
    rows = [(row.wallet, row.token_id, row.side, row.price, row.size, row.taker) for row in ledger.tape["m"]]
    assert rows == [("anna", YES, "BUY", d("0.6"), d("10"), True), ("bert", NO, "BUY", d("0.4"), d("10"), False)]
    assert len({row.transaction_hash for row in ledger.tape["m"]}) == 1


def test_a_ledger_survives_its_way_through_a_snapshot():
    ledger = Ledger("v")
    ledger.moved(FundsMoved("w", FundsReason.SPLIT, "m", -d("10"), {YES: d("10"), NO: d("10")}), {}, 10**18)
    copy = Ledger.__new__(Ledger)
    copy.__setstate__(ledger.__getstate__())
    assert copy.entries == ledger.entries
    assert copy.totals == ledger.totals
    assert copy.positions.held == ledger.positions.held
    copy.moved(FundsMoved("w", FundsReason.MERGE, "m", d("1"), {YES: -d("1"), NO: -d("1")}), {}, 10**18)
    assert [row.number for row in copy.entries["w"]] == [0, 1]


def test_prices_are_kept_to_the_minute_for_a_day_and_to_ten_minutes_for_a_month():
    history, start = PriceHistory(), 1_800_000_000
    minutes = 3 * 1440
    for minute in range(minutes):
        history.add("m", start + 60 * minute, minute + 1)
    end = start + 60 * minutes
    last_hour = history.points("m", end - 3600, end, 60)
    assert [price for _, price in last_hour] == list(range(minutes - 59, minutes + 1))
    whole = history.points("m", 0, end, 60)
    assert whole[0] == (start, 1)
    assert [at for at, _ in whole] == sorted({at for at, _ in whole})
    assert len(whole) == 2 * 144 + 1440
    assert history.before("m", start + 605) == 11
    assert history.change("m", end - 3600, minutes) == 59
    assert history.change("unknown", 0, 5) == 0
    history.forget(["m"])
    assert history.points("m", 0, end, 60) == []


@pytest.mark.parametrize("step", [60, 600, 3600])
def test_a_step_has_one_point_at_most_its_last(step):
    history = PriceHistory()
    for second in range(0, 7200, 60):
        history.add("m", second, second + 1)
    points = history.points("m", 0, 7200, step)
    assert [at for at, _ in points] == [min(edge + step, 7200) - 60 for edge in range(0, 7200, step)]
