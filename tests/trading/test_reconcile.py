"""The venue's word against our books: differences with an explanation converge, others halt, and a second look changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fill import FillStatus, Liquidity
from domain.halt import HaltScope
from domain.ledger import LedgerAccount
from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus
from domain.ports import BalanceRecord
from tests.trading import factories as f
from tests.trading.kit import SECOND, Rig
from tests.waiting import virtual
from trading.outside import conversion


def agree(rig: Rig) -> None:
    """Let the venue hold what our books say."""
    rig.venue.cash = rig.portfolio.ledger.cash
    rig.venue.tokens = {token: rig.portfolio.positions.size(token) for token in (f.YES, f.NO)}


async def round_of(rig: Rig, **named):
    """Run one round a while after everything that happened before."""
    rig.clock.advance(30)
    return await rig.reconciler.run(**named)


def balance(rig: Rig, account: LedgerAccount) -> int:
    return rig.portfolio.ledger.balance(account)


@virtual
async def test_books_that_agree_stay_as_they_are_round_after_round(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    await rig.place(price=480_000)
    agree(rig)
    await asyncio.sleep(0.1)
    before = len(rig.journal.submitted)

    for _ in range(3):
        outcome = await round_of(rig)
        assert (outcome.complete, outcome.cash_difference, outcome.token_differences, outcome.missing_orders) == (
            True, 0, 0, 0,
        )  # fmt: skip

    # What the venue holds is written down once.
    assert [type(row) for row in rig.journal.submitted[before:]] == [BalanceRecord]


@virtual
async def test_the_money_found_at_the_very_first_start_is_a_deposit(clock) -> None:
    rig = Rig(clock, deposit=0)
    rig.venue.cash = 250 * MICRO

    await round_of(rig, first=True)

    assert rig.portfolio.ledger.cash == rig.portfolio.ledger.deposits == 250 * MICRO
    assert (await round_of(rig)).cash_difference == 0


@pytest.mark.parametrize(("amount", "kind", "rounds"), [(100 * MICRO, "deposit", 2), (-100 * MICRO, "withdrawal", 3)])
@virtual
async def test_a_transfer_made_outside_is_adopted_when_rounds_agree_and_a_loss_has_lasted_a_minute(
    amount, kind, rounds, clock
) -> None:
    rig = Rig(clock)
    rig.venue.cash += amount

    for _ in range(rounds - 1):
        assert (await round_of(rig)).cash_difference == amount
        assert rig.portfolio.ledger.deposits == 1_000 * MICRO
    await round_of(rig)
    assert rig.portfolio.ledger.deposits == 1_000 * MICRO + amount
    assert rig.ledger_kinds() == [kind, kind]
    assert (await round_of(rig)).cash_difference == 0
    assert rig.ledger_kinds() == [kind, kind]


@virtual
async def test_a_difference_that_does_not_last_is_forgotten(clock) -> None:
    rig = Rig(clock)
    rig.venue.cash += MICRO
    await round_of(rig)
    rig.venue.cash += MICRO
    await round_of(rig)
    rig.venue.cash -= 2 * MICRO
    await round_of(rig)

    assert rig.ledger_kinds() == []


@virtual
async def test_nothing_is_concluded_while_orders_are_on_their_way_or_fills_unsettled(clock) -> None:
    for unrest in ("unknown", "submitted", "unread", "unsettled"):
        rig = Rig(clock)
        if unrest == "unsettled":
            rig.hold(settled=False)
        else:
            own = rig.track(OrderStatus.UNKNOWN if unrest == "unknown" else OrderStatus.SUBMITTED)
            own.needs_read = unrest == "unread"
        rig.venue.cash += 50 * MICRO
        rig.venue.tokens = {f.YES: 99 * MICRO}
        for _ in range(3):
            await round_of(rig)
        assert rig.ledger_kinds().count("deposit") == 0, unrest
        assert rig.halts.active() == [], unrest


@virtual
async def test_news_during_the_round_put_the_comparison_off(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.venue.cash += 50 * MICRO
    clock.advance(30)

    def fill_meanwhile(name: str) -> None:
        if name == "balances":
            clock.advance(0.1)
            rig.fill(own, 4 * MICRO)

    rig.venue.before = fill_meanwhile
    for _ in range(2):
        assert (await rig.reconciler.run()).cash_difference == 0
        clock.advance(30)

    assert rig.portfolio.ledger.deposits == 1_000 * MICRO


@virtual
async def test_rounding_converges_within_its_bound_for_new_fills(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    agree(rig)
    await round_of(rig)
    rig.hold(price=400_000)
    agree(rig)
    rig.venue.cash -= 20

    await round_of(rig)

    assert balance(rig, LedgerAccount.ROUNDING) == 20
    assert rig.portfolio.ledger.cash == rig.venue.cash
    assert rig.halts.active() == []


@virtual
async def test_rounding_needs_new_fills(clock) -> None:
    rig = Rig(clock)
    for _ in range(5):
        rig.hold(price=400_000)
    agree(rig)
    await round_of(rig)
    rig.venue.cash -= 20

    await round_of(rig)
    assert balance(rig, LedgerAccount.ROUNDING) == 0
    for _ in range(2):
        await round_of(rig)
    assert rig.ledger_kinds()[-1] == "withdrawal"


@virtual
async def test_money_that_a_wrong_fee_may_have_taken_is_booked_and_halts_the_markets_of_its_fills(clock) -> None:
    rig = Rig(clock)
    agree(rig)
    await round_of(rig)
    rig.hold(100 * MICRO)
    agree(rig)
    rig.venue.cash -= MICRO

    for _ in range(2):
        await round_of(rig)
        assert rig.halts.active() == []
    await round_of(rig)

    assert rig.ledger_kinds()[-1] == "misbooked"
    assert rig.portfolio.ledger.deposits == 1_000 * MICRO
    assert [(halt.scope, halt.target) for halt in rig.halts.active()] == [(HaltScope.MARKET, "m1")]
    assert "$1 are missing after 1 fills" in rig.halts.active()[0].reason
    rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="ada")
    await round_of(rig)
    assert rig.halts.active() == []


@virtual
async def test_a_withdrawal_larger_than_any_fee_is_a_withdrawal_also_after_fills(clock) -> None:
    rig = Rig(clock)
    rig.hold(10 * MICRO)
    agree(rig)
    rig.venue.cash -= 500 * MICRO

    for _ in range(3):
        await round_of(rig)

    assert rig.portfolio.ledger.deposits == 500 * MICRO
    assert rig.halts.active() == []


@virtual
async def test_money_is_not_explained_away_while_a_trade_is_in_quarantine(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.fill(own, 50 * MICRO)
    rig.venue.orders.clear()
    rig.portfolio.move(own, OrderStatus.CANCELLED, "", clock.now_ns())
    agree(rig)
    rig.venue.cash -= 25 * MICRO

    for _ in range(4):
        await round_of(rig)

    assert rig.portfolio.ledger.deposits == 1_000 * MICRO
    assert rig.ledger_kinds() == []


@virtual
async def test_a_trade_in_quarantine_is_booked_once_its_market_is_known_also_after_a_restart(clock) -> None:
    rig = Rig(clock)
    market = rig.markets.pop("m1")
    outside = f.trade(f.order(), 10 * MICRO, status=FillStatus.CONFIRMED, transaction_hash="0xab")
    rig.desk.apply(rig.portfolio.apply_trade(outside, now_ns=clock.now_ns()))
    await asyncio.sleep(1)

    again = Rig(clock, tables=rig.tables, deposit=0)
    del again.markets["m1"]
    again.portfolio.restore(await again.journal.load())
    assert again.portfolio.unbooked() == [outside]
    await round_of(again)
    assert again.portfolio.positions.size(f.YES) == 0

    again.markets["m1"] = market
    await round_of(again)
    await asyncio.sleep(1)

    assert again.portfolio.positions.size(f.YES) == 10 * MICRO
    assert (await again.journal.load()).quarantined == ()


@virtual
async def test_who_lifts_the_halt_of_a_trade_in_quarantine_has_dealt_with_it(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.fill(own, 50 * MICRO)
    await asyncio.sleep(1)
    assert [held.lifted for held in (await rig.journal.load()).quarantined] == [False]

    rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="ada")
    await asyncio.sleep(1)

    assert [held.lifted for held in (await rig.journal.load()).quarantined] == [True]


@virtual
async def test_a_payout_that_arrived_settles_what_is_receivable(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    rig.portfolio.resolve(f.market(), (MICRO, 0), now_ns=clock.now_ns())
    rig.venue.cash = rig.portfolio.ledger.cash + 10 * MICRO

    await round_of(rig)

    assert balance(rig, LedgerAccount.RECEIVABLE) == 0
    assert rig.portfolio.ledger.cash == rig.venue.cash
    assert rig.portfolio.ledger.deposits == 1_000 * MICRO


@virtual
async def test_what_a_payout_of_a_half_is_rounded_less_for_the_wallet_than_by_position_is_rounding(clock) -> None:
    rig = Rig(clock)
    for strategy in ("a", "b"):
        rig.hold(size=10_000_001, strategy=strategy)
    agree(rig)
    await round_of(rig)
    rig.portfolio.resolve(f.market(), (MICRO // 2, MICRO // 2), now_ns=clock.now_ns())
    assert balance(rig, LedgerAccount.RECEIVABLE) == 10_000_000
    rig.venue.cash += 10_000_001
    rig.venue.tokens = {}

    for _ in range(3):
        await round_of(rig)

    assert rig.portfolio.ledger.cash == rig.venue.cash
    assert balance(rig, LedgerAccount.RECEIVABLE) == 0
    assert -balance(rig, LedgerAccount.ROUNDING) == 1
    assert rig.portfolio.ledger.deposits == 1_000 * MICRO


@virtual
async def test_more_than_a_payout_and_its_rounding_is_a_deposit(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    agree(rig)
    await round_of(rig)
    rig.portfolio.resolve(f.market(), (MICRO, 0), now_ns=clock.now_ns())
    rig.venue.cash += 10 * MICRO + 21
    rig.venue.tokens = {}

    for _ in range(3):
        await round_of(rig)

    assert rig.portfolio.ledger.deposits == 1_000 * MICRO + 21


@pytest.mark.parametrize("difference", [5 * MICRO, -5 * MICRO, 10_001])
@virtual
async def test_a_difference_in_shares_that_lasts_halts_its_market(difference, clock) -> None:
    rig = Rig(clock)
    rig.hold()
    agree(rig)
    rig.venue.tokens[f.YES] += difference
    rig.venue.cash -= difference

    assert (await round_of(rig)).token_differences == 1
    assert rig.halts.active() == []
    await round_of(rig)
    assert [(halt.scope, halt.target) for halt in rig.halts.active()] == [(HaltScope.MARKET, "m1")]


@virtual
async def test_dust_and_shares_of_resolved_markets_make_no_difference(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    agree(rig)
    rig.venue.tokens[f.YES] += 10_000
    for _ in range(2):
        await round_of(rig)
    rig.markets["m1"] = replace(rig.markets["m1"], winner=0)
    rig.venue.tokens[f.YES] = 0
    for _ in range(2):
        assert (await round_of(rig)).token_differences == 0

    assert rig.halts.active() == []


@virtual
async def test_cash_and_shares_that_differ_together_are_no_transfer(clock) -> None:
    rig = Rig(clock)
    rig.hold(100 * MICRO)
    agree(rig)
    await round_of(rig)
    rig.venue.tokens[f.YES] -= 50 * MICRO
    rig.venue.cash += 30 * MICRO

    for _ in range(3):
        await round_of(rig)

    assert "deposit" not in rig.ledger_kinds()
    assert rig.halts.active()


@virtual
async def test_a_trade_made_outside_is_adopted_with_its_cash(clock) -> None:
    rig = Rig(clock)
    stranger = f.order()
    rig.venue.reports = [f.trade(stranger, 10 * MICRO, status=FillStatus.CONFIRMED, matched_ns=clock.now_ns())]
    rig.venue.cash -= 5 * MICRO
    rig.venue.tokens = {f.YES: 10 * MICRO}

    for _ in range(3):
        await round_of(rig)

    assert rig.portfolio.positions.get(f.YES, "external") is not None
    assert rig.portfolio.ledger.cash == rig.venue.cash
    assert rig.halts.active() == []
    assert len(rig.audited("external_trade_adopted")) == 1


@virtual
async def test_a_sale_made_outside_is_taken_from_the_position_that_holds_the_shares(clock) -> None:
    rig = Rig(clock)
    rig.hold(strategy="one")
    stranger = f.order(f.draft(side=OrderSide.SELL, effect=Effect.REDUCE, price=600_000))
    rig.venue.reports = [f.trade(stranger, 10 * MICRO, status=FillStatus.CONFIRMED, matched_ns=clock.now_ns())]
    rig.venue.cash += MICRO

    await round_of(rig)

    assert rig.portfolio.positions.get(f.YES, "one") is None
    assert rig.portfolio.ledger.realised == MICRO
    assert rig.halts.active() == []


@virtual
async def test_an_open_order_nobody_here_placed_is_cancelled_and_audited(clock) -> None:
    rig = Rig(clock)
    stranger = f.order()
    rig.venue.foreign = [f.report(stranger, OrderStatus.LIVE)]
    own = await rig.place()

    assert (await round_of(rig)).foreign_orders == 1

    assert rig.venue.foreign == []
    assert rig.audited("foreign_orders_cancelled")[0].detail["first"] == stranger.id
    assert own.status is OrderStatus.LIVE
    assert (await round_of(rig)).foreign_orders == 0


@virtual
async def test_an_order_the_venue_does_not_list_any_more_is_read(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.venue.orders[own.id] = replace(rig.venue.orders[own.id], status=OrderStatus.CANCELLED)

    assert (await round_of(rig)).missing_orders == 1
    assert own.needs_read
    await rig.resolver.resolve_due()

    assert own.status is OrderStatus.CANCELLED


@virtual
async def test_an_order_that_arrived_during_the_round_is_not_missing(clock) -> None:
    rig = Rig(clock)
    placed = []

    async def place_meanwhile() -> None:
        clock.advance(0.01)
        rig.venue.before = None
        placed.append(await rig.place())

    rig.venue.before = lambda name: place_meanwhile() if name == "trades" else None

    assert (await round_of(rig)).missing_orders == 0
    assert not placed[0].needs_read


@pytest.mark.parametrize("call", ["open_orders", "trades", "balances"])
@virtual
async def test_a_venue_that_cannot_be_read_changes_nothing(call, clock) -> None:
    rig = Rig(clock)
    rig.hold()
    rig.venue.down = {call}
    rig.venue.foreign = [f.report(f.order(), OrderStatus.LIVE)]
    await asyncio.sleep(0.1)
    before = len(rig.journal.submitted)

    outcome = await round_of(rig)

    assert not outcome.complete
    assert rig.journal.submitted[before:] == []


@virtual
async def test_trades_are_read_from_before_open_orders_at_start_and_from_the_last_read_later(clock) -> None:
    rig = Rig(clock)
    asked = []
    trades = rig.venue.trades

    async def note(after_ns: int = 0):
        asked.append(after_ns)
        return await trades(after_ns)

    rig.venue.instead("trades", note)
    old = rig.track()
    rig.venue.drafts[old.id] = old.order.draft
    rig.venue.rest(old.id)
    clock.advance(3_600)
    rig.hold(price=400_000)
    await rig.reconciler.run()
    first = clock.now_ns()
    clock.advance(3_600)
    await rig.reconciler.run()
    unsettled = rig.hold(price=410_000, settled=False)
    settling = clock.now_ns()
    clock.advance(3_600)
    await rig.reconciler.run()
    await rig.reconciler.run()

    margin = 300 * SECOND
    assert unsettled.filled
    assert asked == [each - margin for each in (old.order.created_ns, first, settling, settling)]


@virtual
async def test_fills_of_orders_that_ended_shortly_before_a_crash_are_looked_for(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    await asyncio.sleep(600)
    missed = f.trade(own.order, 4 * MICRO, status=FillStatus.CONFIRMED, matched_ns=clock.now_ns())
    await asyncio.sleep(600)
    later = rig.hold(price=400_000)
    await rig.flow.cancel(own, "enough")
    await asyncio.sleep(0.1)

    again = Rig(clock, deposit=0, tables=rig.tables)
    again.venue.reports = [missed]
    again.portfolio.restore(await rig.journal.load())
    await again.reconciler.run()

    assert again.portfolio.orders.get(own.id).filled == 4 * MICRO
    assert again.portfolio.orders.get(later.id) is not None


@virtual
async def test_a_taker_fee_of_our_own_making_needs_no_reconciling(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.fill(own, 10 * MICRO, liquidity=Liquidity.TAKER)
    rig.venue.orders.clear()
    agree(rig)

    assert (await round_of(rig)).cash_difference == 0
    assert rig.portfolio.ledger.cash == 1_000 * MICRO - 5 * MICRO - 100_000


@virtual
async def test_a_merge_made_outside_is_adopted_as_external_and_nothing_halts(clock) -> None:
    rig = Rig(clock)
    rig.hold(size=10 * MICRO, price=400_000)
    rig.hold(token_id=f.NO, size=6 * MICRO, price=500_000)
    agree(rig)
    await round_of(rig)
    for token in (f.YES, f.NO):
        rig.venue.tokens[token] -= 6 * MICRO
    rig.venue.cash += 6 * MICRO

    for _ in range(3):
        await round_of(rig)

    assert rig.halts.active() == []
    assert (rig.portfolio.positions.size(f.YES), rig.portfolio.positions.size(f.NO)) == (4 * MICRO, 0)
    assert rig.portfolio.ledger.cash == rig.venue.cash
    assert rig.ledger_kinds().count("merge") > 0
    assert not {"deposit", "withdrawal", "misbooked"} & set(rig.ledger_kinds())
    assert rig.portfolio.ledger.realised == 600_000


@virtual
async def test_a_split_made_outside_is_adopted_and_gives_the_shares_to_nobodys_strategy(clock) -> None:
    rig = Rig(clock)
    rig.hold(size=10 * MICRO)
    agree(rig)
    await round_of(rig)
    for token in (f.YES, f.NO):
        rig.venue.tokens[token] += 7_000_001
    rig.venue.cash -= 7_000_001

    for _ in range(3):
        await round_of(rig)

    assert rig.halts.active() == []
    assert rig.portfolio.positions.size(f.NO) == 7_000_001
    assert rig.portfolio.positions.get(f.YES, "external").holding.size == 7_000_001
    assert rig.portfolio.ledger.cash == rig.venue.cash
    assert not {"deposit", "withdrawal", "misbooked"} & set(rig.ledger_kinds())


@virtual
async def test_shares_of_both_outcomes_that_vanish_without_their_cash_halt_their_market(clock) -> None:
    rig = Rig(clock)
    rig.hold(size=10 * MICRO)
    rig.hold(token_id=f.NO, size=10 * MICRO)
    agree(rig)
    await round_of(rig)
    for token in (f.YES, f.NO):
        rig.venue.tokens[token] -= 5 * MICRO

    for _ in range(2):
        await round_of(rig)

    assert [(halt.scope, halt.target) for halt in rig.halts.active()] == [(HaltScope.MARKET, "m1")]
    assert rig.portfolio.positions.size(f.YES) == 10 * MICRO


@virtual
async def test_a_merge_takes_from_every_holder_of_the_shares(clock) -> None:
    rig = Rig(clock)
    rig.hold(size=4 * MICRO, strategy="a")
    rig.hold(size=3 * MICRO, strategy="b")
    rig.hold(token_id=f.NO, size=7 * MICRO, strategy="a")
    agree(rig)
    await round_of(rig)
    for token in (f.YES, f.NO):
        rig.venue.tokens[token] -= 6 * MICRO
    rig.venue.cash += 6 * MICRO

    await round_of(rig)

    sizes = {p.strategy: p.holding.size for p in rig.portfolio.positions.of_token(f.YES) if p.holding.size}
    assert sizes == {"b": MICRO}
    assert rig.halts.active() == []
    assert rig.portfolio.ledger.cash == rig.venue.cash


@virtual
async def test_a_merge_read_half_way_is_adopted_in_the_next_round(clock) -> None:
    rig = Rig(clock)
    rig.hold(size=10 * MICRO)
    rig.hold(token_id=f.NO, size=10 * MICRO)
    agree(rig)
    await round_of(rig)
    rig.venue.tokens[f.YES] -= 5 * MICRO
    await round_of(rig)
    rig.venue.tokens[f.NO] -= 5 * MICRO
    rig.venue.cash += 5 * MICRO

    for _ in range(2):
        await round_of(rig)

    assert rig.halts.active() == []
    assert rig.portfolio.positions.size(f.YES) == 5 * MICRO


def event(count: int) -> list[Market]:
    """Return the markets of one exclusive event; the first one's tokens are the usual ones."""
    return [
        f.market(
            id=f"m{number + 1}",
            condition_id=f"0xc{number + 1}",
            token_ids=(f.YES, f.NO) if number == 0 else (f"{number}-yes", f"{number}-no"),
            neg_risk=True,
            group_id="e1",
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("lots", [1, 2])
@virtual
async def test_a_conversion_made_outside_is_adopted_and_nothing_halts(lots, clock) -> None:
    rig = Rig(clock)
    markets = event(5)
    rig.markets = {market.id: market for market in markets}
    for market in markets[:lots]:
        rig.hold(size=10 * MICRO, market=market, token_id=market.token_ids[1], price=700_000)
    rig.venue.cash = rig.portfolio.ledger.cash
    rig.venue.tokens = {market.token_ids[1]: 10 * MICRO for market in markets[:lots]}
    await round_of(rig)
    before = rig.portfolio.ledger.cash
    for market in markets[:lots]:
        rig.venue.tokens[market.token_ids[1]] -= 8 * MICRO
    for market in markets[lots:]:
        rig.venue.tokens[market.token_ids[0]] = 8 * MICRO
    rig.venue.cash += (lots - 1) * 8 * MICRO

    for _ in range(3):
        await round_of(rig)

    sizes = rig.portfolio.positions.size
    assert rig.halts.active() == []
    assert {sizes(market.token_ids[1]) for market in markets[:lots]} == {2 * MICRO}
    assert {sizes(market.token_ids[0]) for market in markets[lots:]} == {8 * MICRO}
    assert rig.portfolio.ledger.cash == rig.venue.cash == before + (lots - 1) * 8 * MICRO
    assert not {"deposit", "withdrawal", "misbooked"} & set(rig.ledger_kinds())


@virtual
async def test_no_shares_that_go_without_their_yes_shares_coming_halt_their_market(clock) -> None:
    rig = Rig(clock)
    markets = event(3)
    rig.markets = {market.id: market for market in markets}
    rig.hold(size=10 * MICRO, market=markets[0], token_id=f.NO)
    rig.venue.cash = rig.portfolio.ledger.cash
    rig.venue.tokens = {f.NO: 2 * MICRO, "1-yes": 8 * MICRO}

    for _ in range(2):
        await round_of(rig)

    assert [halt.target for halt in rig.halts.active()] == ["m1"]
    assert rig.portfolio.positions.size(f.NO) == 10 * MICRO


@given(
    splits=st.lists(st.integers(-(10**12), 10**12).filter(lambda size: abs(size) > 20_000), min_size=2, max_size=40),
    given_count=st.integers(1, 40),
    size=st.integers(20_001, 10**12),
    fee_bips=st.sampled_from([0, 1, 150, 10_000]),
)
def test_a_conversion_is_told_from_the_splits_around_it_and_booked_to_the_micro_dollar(
    splits: list[int], given_count: int, size: int, fee_bips: int
) -> None:
    markets = event(len(splits))
    lots = min(given_count, len(splits))
    received = size - size * fee_bips // 10_000
    differences, cash = {}, (lots - 1) * received - sum(splits)
    for number, (market, split) in enumerate(zip(markets, splits, strict=True)):
        differences[market.token_ids[0]] = split + (0 if number < lots else received)
        differences[market.token_ids[1]] = split - (size if number < lots else 0)
    if fee_bips and (size - received <= 20_000 or lots == len(splits)):
        return  # too small a fee to tell who gave, or nobody is left to show what arrived

    move = conversion(markets, differences, fee_bips)

    assert move is not None
    assert move.cash == cash
    assert (move.fee == 0) == (fee_bips == 0)
    assert 0 <= move.fee <= (size - received) * lots
    assert all(0 < leg.price < MICRO for leg in move.legs)
    booked = -sum(leg.size * leg.price for leg in move.legs)
    dust = sum(abs(size) for size in differences.values() if abs(size) <= 10_000)
    assert abs(booked - (cash + move.fee) * MICRO) <= (dust + 1) * MICRO


@pytest.mark.parametrize("fee_bips", [0, 200])
@virtual
async def test_a_conversion_in_an_event_of_which_nothing_was_held_is_found_by_the_index(fee_bips, clock) -> None:
    rig = Rig(clock)
    rig.fee_bips = fee_bips
    markets = event(4)
    rig.markets = {market.id: market for market in markets}
    rig.venue.cash = rig.portfolio.ledger.cash
    await round_of(rig)
    received = 6 * MICRO - 6 * MICRO * fee_bips // 10_000
    rig.venue.cash -= 20 * MICRO - received
    rig.venue.tokens = {"1-yes": 10 * MICRO, "1-no": 4 * MICRO, "2-yes": 10 * MICRO, "2-no": 4 * MICRO}
    rig.venue.tokens |= {f.YES: received, "3-yes": received}
    rig.index.listed = list(rig.venue.tokens)

    for _ in range(4):
        await round_of(rig)

    sizes = rig.portfolio.positions.size
    assert rig.halts.active() == []
    assert {token: sizes(token) for token in rig.venue.tokens} == rig.venue.tokens
    assert rig.portfolio.ledger.cash == rig.venue.cash
    fee = 2 * (6 * MICRO - received) * 3 // 4
    assert balance(rig, LedgerAccount.FEES) == pytest.approx(fee, abs=5)
    assert set(rig.ledger_kinds()) <= {"deposit", "conversion", "rounding", *(["conversion_fee"] if fee_bips else [])}


@virtual
async def test_a_fee_that_the_event_does_not_charge_explains_nothing(clock) -> None:
    rig = Rig(clock)
    markets = event(3)
    rig.markets = {market.id: market for market in markets}
    rig.hold(size=10 * MICRO, market=markets[0], token_id=f.NO, price=700_000)
    rig.venue.cash = rig.portfolio.ledger.cash
    rig.venue.tokens = {f.NO: 2 * MICRO, "1-yes": 7_840_000, "2-yes": 7_840_000}

    for _ in range(2):
        await round_of(rig)

    assert [halt.target for halt in rig.halts.active()] == ["m1"]


@virtual
async def test_a_split_where_nothing_was_held_is_no_wrong_fee_however_late_it_is_listed(clock) -> None:
    rig = Rig(clock)
    rig.hold(size=100 * MICRO, price=400_000)
    agree(rig)
    await round_of(rig)
    rig.hold(size=100 * MICRO, price=400_000)
    agree(rig)
    other = f.market(id="m2", condition_id="0xc2", token_ids=("2-yes", "2-no"))
    rig.markets[other.id] = other
    rig.venue.cash -= 2 * MICRO
    rig.venue.tokens |= {"2-yes": 2 * MICRO, "2-no": 2 * MICRO}
    rig.index.down = True
    await round_of(rig)
    rig.index.down = False
    await round_of(rig)
    rig.index.listed = ["2-yes"]

    for _ in range(3):
        await round_of(rig)

    assert rig.halts.active() == []
    assert rig.portfolio.positions.size("2-no") == 2 * MICRO
    assert rig.portfolio.ledger.cash == rig.venue.cash
    assert not {"misbooked", "withdrawal"} & set(rig.ledger_kinds())
    asked = rig.index.asked
    for _ in range(20):
        await round_of(rig)
    assert rig.index.asked == asked + 2, "while the books agree the index is asked every five minutes only"


@virtual
async def test_missing_money_is_followed_through_the_rounding_of_new_fills(clock) -> None:
    rig = Rig(clock)
    rig.hold(size=10 * MICRO)
    agree(rig)
    await round_of(rig)
    rig.venue.cash -= 700 * MICRO
    for _ in range(3):
        rig.hold(size=10 * MICRO)
        rig.venue.tokens[f.YES] += 10 * MICRO
        rig.venue.cash = rig.portfolio.ledger.cash - 700 * MICRO - 7
        await round_of(rig)

    assert rig.ledger_kinds()[-1] == "withdrawal"
    assert rig.portfolio.ledger.cash == rig.venue.cash


@virtual
async def test_differing_shares_are_read_from_the_chain_again_before_anything_halts(clock) -> None:
    rig = Rig(clock)
    rig.hold(size=10 * MICRO)
    agree(rig)
    await round_of(rig)
    assert "refresh_balances" not in [call[0] for call in rig.venue.log]
    rig.venue.tokens[f.YES] -= 3 * MICRO

    await round_of(rig)

    assert ("refresh_balances", f.YES) in rig.venue.log
    assert rig.halts.active() == []
    rig.venue.tokens[f.YES] += 3 * MICRO
    await round_of(rig)
    assert rig.halts.active() == []
