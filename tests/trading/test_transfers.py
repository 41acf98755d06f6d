"""Shares that come and go without a trade: adopted when nothing else explains them, at what they are worth or have cost, and nothing before that."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fill import Fill, FillStatus, Liquidity
from domain.halt import HaltScope
from domain.ledger import LedgerAccount, imbalances
from domain.market import MarketStatus
from domain.money import MICRO
from domain.order import Effect, OrderSide
from domain.reports import TradeReport
from tests.sim.virtual_time import VirtualClock, run_virtual
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.trading.test_reconcile import agree, event, round_of
from tests.waiting import virtual
from trading.portfolio import EXTERNAL

BID = 490_000


async def rounds(rig: Rig, count: int = 3) -> None:
    for _ in range(count):
        await round_of(rig)


def identity(rig: Rig) -> None:
    """Cash, inventory at cost, fees and what was realised are what was deposited in cash and in kind."""
    ledger = rig.portfolio.ledger
    beside = (LedgerAccount.EQUITY, LedgerAccount.TRANSFERS, LedgerAccount.TOKENS, LedgerAccount.COUNTERPARTY)
    assert sum(ledger.balance(account) for account in LedgerAccount if account not in beside) == ledger.deposits
    assert ledger.balance(LedgerAccount.INVENTORY) == rig.portfolio.positions.total_cost


async def steady(rig: Rig) -> None:
    """Hold ten shares of the first outcome for $5, as the venue says too."""
    rig.hold()
    agree(rig)
    await round_of(rig)


@virtual
async def test_shares_that_arrive_are_adopted_at_the_best_bid_and_nobody_has_earned_anything(clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    rig.venue.tokens[f.YES] += 7 * MICRO

    await rounds(rig, 2)
    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO
    assert rig.halts.active() == []
    await rounds(rig, 2)

    position = rig.portfolio.positions.get(f.YES, EXTERNAL)
    ledger = rig.portfolio.ledger
    assert position is not None
    assert (position.holding.settled, position.holding.cost) == (7 * MICRO, 7 * BID)
    assert ledger.cash == 1_000 * MICRO - 5 * MICRO
    assert -ledger.balance(LedgerAccount.TRANSFERS) == 7 * BID
    assert (ledger.deposits, ledger.profit, ledger.realised) == (1_000 * MICRO + 7 * BID, 0, 0)
    assert rig.ledger_kinds().count("transfer_in") == 4
    assert rig.audited("transfer_adopted")[0].detail["size"] == 7 * MICRO
    assert rig.halts.active() == []
    identity(rig)
    before = len(rig.journal.submitted)
    await round_of(rig)
    assert [row for row in rig.journal.submitted[before:] if isinstance(row, Fill)] == []


@virtual
async def test_shares_that_leave_go_at_average_cost_and_realise_nothing(clock) -> None:
    rig = Rig(clock)
    rig.hold(strategy="a")
    rig.hold(size=3 * MICRO, price=333_333, strategy="b")
    agree(rig)
    await round_of(rig)
    rig.venue.tokens[f.YES] = 1 * MICRO

    await rounds(rig)

    ledger = rig.portfolio.ledger
    assert rig.portfolio.positions.size(f.YES) == 1 * MICRO
    assert rig.portfolio.positions.get(f.YES, "a") is None
    assert ledger.cash == rig.venue.cash
    assert (ledger.realised, ledger.profit) == (0, 0)
    assert ledger.balance(LedgerAccount.TRANSFERS) == 5 * MICRO + 666_666
    assert set(rig.ledger_kinds()) == {"buy", "transfer_out"}
    assert rig.halts.active() == []
    closed = [p for p in rig.portfolio.positions.holding(f.YES) if p.strategy == "a"]
    assert closed == []
    identity(rig)


@virtual
async def test_shares_of_a_market_in_which_nothing_is_held_are_found_by_the_index(clock) -> None:
    rig = Rig(clock)
    other = f.market(id="m2", condition_id="0xc2", token_ids=("2-yes", "2-no"))
    rig.markets[other.id] = other
    await steady(rig)
    rig.venue.tokens["2-no"] = 20 * MICRO
    rig.index.listed = [f.YES, "2-no"]

    await rounds(rig, 10)
    assert rig.reconciler.arriving == {"m2"}
    await rounds(rig, 4)

    assert rig.portfolio.positions.size("2-no") == 20 * MICRO
    assert rig.reconciler.arriving == set()
    assert rig.index.asked <= 3


@virtual
async def test_a_few_shares_that_anybody_may_send_open_no_position(clock) -> None:
    rig = Rig(clock)
    rig.venue.tokens = {f.YES: f.market().min_size - 1}
    rig.index.listed = [f.YES]

    await rounds(rig, 8)

    assert rig.portfolio.positions.size(f.YES) == 0
    assert rig.halts.active() == []


@virtual
async def test_what_the_wallet_held_before_the_books_were_opened_is_part_of_what_was_deposited(clock) -> None:
    rig = Rig(clock, deposit=0)
    rig.venue.cash, rig.venue.tokens, rig.index.listed = 50 * MICRO, {f.YES: 20 * MICRO}, [f.YES]

    await round_of(rig, first=True)
    await rounds(rig)

    assert rig.portfolio.ledger.deposits == 50 * MICRO + 20 * BID
    assert rig.portfolio.ledger.cash == 50 * MICRO
    identity(rig)


@virtual
async def test_shares_wait_until_there_is_a_price_for_them(clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    rig.venue.tokens[f.YES] += 7 * MICRO
    book, rig.book = rig.book, None

    await rounds(rig, 6)
    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO
    assert rig.halts.active() == []
    rig.book = book
    await round_of(rig)

    assert rig.portfolio.positions.size(f.YES) == 17 * MICRO


@virtual
async def test_shares_that_nobody_bids_for_are_worth_next_to_nothing(clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    rig.venue.tokens[f.YES] += 7 * MICRO
    rig.book.best_bid = 0

    await rounds(rig)

    assert rig.portfolio.ledger.deposits == 1_000 * MICRO + 7


@virtual
async def test_a_transfer_with_cash_in_the_same_direction_is_both(clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    rig.venue.tokens[f.YES] += 7 * MICRO
    rig.venue.cash += 40 * MICRO

    await rounds(rig, 4)

    assert rig.portfolio.positions.size(f.YES) == 17 * MICRO
    assert rig.portfolio.ledger.cash == rig.venue.cash
    assert rig.portfolio.ledger.deposits == 1_040 * MICRO + 7 * BID
    assert rig.halts.active() == []


@pytest.mark.parametrize(("shares", "cash"), [(5 * MICRO, -2 * MICRO), (-5 * MICRO, 2 * MICRO)])
@virtual
async def test_shares_against_cash_are_a_trade_that_nobody_told_and_halt(shares, cash, clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    rig.venue.tokens[f.YES] += shares
    rig.venue.cash += cash

    await rounds(rig, 5)

    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO
    assert [halt.target for halt in rig.halts.active()] == ["m1"]


@virtual
async def test_a_settlement_that_is_late_is_never_taken_for_a_transfer(clock) -> None:
    rig = Rig(clock)
    rig.hold(settled=False)
    agree(rig)
    rig.venue.tokens = {f.YES: 0}
    await rounds(rig, 8)

    assert "transfer_out" not in rig.ledger_kinds()
    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO


@virtual
async def test_a_trade_that_waits_in_quarantine_explains_the_shares_of_its_market(clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    odd = f.trade(f.order(f.draft(token_id=f.NO)), 4 * MICRO, status=FillStatus.CONFIRMED, matched_ns=clock.now_ns())
    rig.desk.apply(rig.portfolio.apply_trade(replace(odd, price=MICRO), now_ns=clock.now_ns()))
    rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="ada")
    rig.venue.tokens[f.YES] += 4 * MICRO

    await rounds(rig, 6)

    assert "transfer_in" not in rig.ledger_kinds()


@virtual
async def test_a_redemption_that_the_catalogue_does_not_know_yet_is_no_transfer(clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    rig.venue.tokens[f.YES] = 0

    def resolve(name: str) -> None:
        if name == "market":
            rig.markets["m1"] = replace(rig.markets["m1"], status=MarketStatus.CLOSED)

    rig.venue.before = resolve
    await rounds(rig, 6)

    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO
    assert "transfer_out" not in rig.ledger_kinds()
    assert rig.venue.calls("market") == [("market", "0xc1")]


@virtual
async def test_a_market_that_cannot_be_read_again_proves_nothing(clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    rig.venue.tokens[f.YES] = 0
    rig.venue.down = {"market"}

    await rounds(rig, 6)
    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO
    rig.venue.down = set()
    await round_of(rig)

    assert rig.portfolio.positions.size(f.YES) == 0


@virtual
async def test_a_difference_that_changes_begins_anew(clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    for _ in range(6):
        rig.venue.tokens[f.YES] += MICRO
        await round_of(rig)

    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO
    assert rig.halts.active() == []


@virtual
async def test_nothing_is_adopted_in_a_market_that_is_halted_until_somebody_lifts_that(clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    rig.desk.halt(HaltScope.MARKET, "m1", reason="looking", set_by="ada")
    rig.venue.tokens[f.YES] -= 4 * MICRO
    await rounds(rig, 4)
    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO

    rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="ada")
    await rounds(rig, 4)

    assert rig.portfolio.positions.size(f.YES) == 6 * MICRO


@virtual
async def test_shares_of_both_outcomes_and_both_ways_in_an_event_are_no_transfers(clock) -> None:
    rig = Rig(clock)
    markets = event(3)
    rig.markets = {market.id: market for market in markets}
    rig.hold(size=10 * MICRO, market=markets[0], token_id=f.NO)
    rig.venue.cash = rig.portfolio.ledger.cash
    rig.venue.tokens = {f.NO: 2 * MICRO, "1-yes": 8 * MICRO}
    rig.index.listed = ["1-yes"]
    await rounds(rig, 5)
    assert "transfer_out" not in rig.ledger_kinds()
    assert [halt.target for halt in rig.halts.active()] == ["m1"]

    other = Rig(clock)
    await steady(other)
    other.venue.tokens = {f.YES: 15 * MICRO, f.NO: 5 * MICRO}
    await rounds(other, 5)
    assert "transfer_in" not in other.ledger_kinds()


@virtual
async def test_shares_that_an_open_sale_holds_are_not_taken_out_of_the_books(clock) -> None:
    rig = Rig(clock)
    await steady(rig)
    own = await rig.place(side=OrderSide.SELL, effect=Effect.REDUCE, price=600_000, size=10 * MICRO)
    rig.venue.tokens[f.YES] = 0
    await rounds(rig, 4)
    assert rig.portfolio.available_tokens(f.YES) == 0
    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO

    await rig.flow.cancel(own, "enough")
    await rig.resolver.resolve_due()
    rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="ada")
    await rounds(rig, 5)
    assert rig.portfolio.positions.size(f.YES) == 0
    assert rig.portfolio.available_tokens(f.YES) == 0


@virtual
async def test_a_restart_finds_what_was_adopted_and_goes_on_from_what_was_not(clock) -> None:
    rig = Rig(clock, deposit=0)
    await round_of(rig, first=True)
    await steady(rig)
    rig.venue.tokens[f.YES] += 7 * MICRO
    await rounds(rig)
    rig.venue.tokens[f.YES] -= 12 * MICRO
    await rounds(rig, 2)
    await asyncio.sleep(1)

    again = Rig(clock, tables=rig.tables, deposit=0)
    again.venue.cash, again.venue.tokens = rig.venue.cash, rig.venue.tokens
    again.portfolio.restore(await again.journal.load())
    assert again.portfolio.positions.size(f.YES) == 17 * MICRO
    assert again.portfolio.ledger._balances == rig.portfolio.ledger._balances
    await rounds(again, 4)

    assert again.portfolio.positions.size(f.YES) == 5 * MICRO
    assert again.portfolio.ledger.cash == again.venue.cash
    assert again.halts.active() == []
    identity(again)


def moved(step: int, side: OrderSide, size: int, price: int, *, transfer: bool) -> TradeReport:
    return TradeReport(
        trade_id=f"t{step}",
        order_id=f"o{step}",
        condition_id=f.market().condition_id,
        token_id=f.YES,
        side=side,
        price=price,
        size=size,
        liquidity=Liquidity.TRANSFER if transfer else Liquidity.TAKER,
        status=FillStatus.CONFIRMED if transfer else FillStatus.MATCHED,
        matched_ns=f.NOW + step,
    )


_STEPS = st.tuples(
    st.booleans(), st.booleans(), st.integers(1, 10**12), st.integers(1, MICRO - 1), st.sampled_from(["ends", "fails", "waits"])
)  # fmt: skip


@given(st.lists(_STEPS, max_size=12))
def test_books_with_transfers_balance_whatever_fails_around_them(steps) -> None:
    async def run() -> None:
        rig = Rig(clock)
        trades = []
        for number, (transfer, buys, size, price, end) in enumerate(steps):
            held = rig.portfolio.positions.size(f.YES)
            side = OrderSide.BUY if buys or held <= 0 else OrderSide.SELL
            report = moved(number, side, size if side is OrderSide.BUY else min(size, held), price, transfer=transfer)
            rig.desk.apply(rig.portfolio.apply_trade(report, now_ns=f.NOW + number))
            if not transfer and end != "waits":
                status = FillStatus.FAILED if end == "fails" else FillStatus.CONFIRMED
                trades.append(replace(report, status=status))
            identity(rig)
        for report in trades:
            rig.desk.apply(rig.portfolio.apply_trade(report, now_ns=f.NOW + 100))
            identity(rig)
        entries = [row for row in rig.journal.submitted if hasattr(row, "ledger_account")]
        assert imbalances(entries) == {}

    clock = VirtualClock()
    run_virtual(run, clock)
