"""Every intent is decided on once: protections stop what opens and never what reduces, and what was reserved is released exactly once."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidOrderError
from domain.fees import FeeSchedule
from domain.fill import FillStatus
from domain.halt import HaltScope
from domain.ledger import LedgerAccount
from domain.market import MarketStatus
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus, OrderType
from domain.ports import Lease
from tests.sim.virtual_time import VirtualClock
from tests.trading import factories as f
from tests.trading.kit import SECOND, Rig
from tests.trading.scripted import Book
from tests.waiting import virtual
from trading.limits import RiskLimits
from trading.risk import Refusal

SELL = {"side": OrderSide.SELL, "effect": Effect.REDUCE}


@virtual
async def test_an_accepted_intent_becomes_a_draft_that_holds_its_worst_cost(clock) -> None:
    rig = Rig(clock)

    decision = rig.decide(price=500_000, size=10 * MICRO, take_profit=600_000, stop_loss=400_000, reason="why")

    draft = decision.draft
    assert draft is not None
    assert draft.decision_id == decision.decision_id
    assert (draft.account, draft.price, draft.size, draft.take_profit, draft.stop_loss, draft.reason) == (
        f.ACCOUNT, 500_000, 10 * MICRO, 600_000, 400_000, "why",
    )  # fmt: skip
    fee = f.market().fees.worst_buy_fee(500_000, 10 * MICRO)
    assert rig.risk.reservations.free_cash == 1_000 * MICRO - 5 * MICRO - fee


REFUSALS = {
    Refusal.EXPIRED: {"expires_ns": f.NOW},
    Refusal.NOT_OF_MARKET: {"token_id": "777"},
    Refusal.OFF_GRID: {"price": MICRO},
    Refusal.PRICE_BAND: {"price": 5_000, "market": f.market(tick=1_000), "size": 300 * MICRO},
    Refusal.TOO_SMALL: {"size": 4 * MICRO},
    Refusal.ORDER_CAP: {"size": 200 * MICRO},
    Refusal.NO_TOKENS: {"side": OrderSide.SELL},
    Refusal.NO_REDUCTION: {"effect": Effect.REDUCE},
    Refusal.EXPIRATION: {"order_type": OrderType.GTD},
}


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
@virtual
async def test_what_is_wrong_with_an_intent_has_a_code_of_its_own(refusal, clock) -> None:
    rig = Rig(clock)

    assert rig.refusal(**REFUSALS[refusal]) == refusal
    assert rig.risk.reservations.free_cash == 1_000 * MICRO


@virtual
async def test_an_end_of_resting_belongs_to_a_gtd_order_and_to_no_other(clock) -> None:
    rig = Rig(clock)
    end = f.NOW + 600 * SECOND

    assert rig.refusal(rest_until_ns=end) == Refusal.EXPIRATION
    decision = rig.decide(order_type=OrderType.GTD, rest_until_ns=end)
    assert decision.draft is not None
    assert decision.draft.expires_ns == end


@pytest.mark.parametrize("effect", Effect)
@virtual
async def test_a_market_that_takes_no_orders_or_has_no_row_yet_is_refused_for_everyone(effect, clock) -> None:
    rig = Rig(clock)
    rig.hold()
    side = OrderSide.BUY if effect is Effect.OPEN else OrderSide.SELL

    for closed in (f.market(accepting_orders=False), f.market(status=MarketStatus.SETTLED), f.market(id="m2")):
        assert rig.refusal(market=closed, effect=effect, side=side) == Refusal.NOT_TRADABLE


@pytest.mark.parametrize("effect", Effect)
@virtual
async def test_without_the_lease_nothing_is_decided(effect, clock) -> None:
    rig = Rig(clock)
    rig.hold()
    rig.lease.lease = Lease(f.ACCOUNT, "me", 1, clock.monotonic())

    assert (
        rig.refusal(effect=effect, side=OrderSide.BUY if effect is Effect.OPEN else OrderSide.SELL) == Refusal.NO_LEASE
    )


@pytest.mark.parametrize(
    ("scope", "target"),
    [(HaltScope.ALL, ""), (HaltScope.VENUE, "polymarket"), (HaltScope.MARKET, "m1"), (HaltScope.STRATEGY, "test")],
)
@virtual
async def test_a_halt_stops_what_opens_in_its_scope(scope, target, clock) -> None:
    rig = Rig(clock)
    rig.desk.halt(scope, target, reason="look", set_by="ada")

    assert rig.refusal() == Refusal.HALTED
    rig.desk.resume(scope, target, lifted_by="ada")
    assert rig.refusal() == ""


@virtual
async def test_halts_of_other_scopes_stop_nothing_here(clock) -> None:
    rig = Rig(clock)
    for scope, target in (
        (HaltScope.VENUE, "kalshi"),
        (HaltScope.MARKET, "m2"),
        (HaltScope.STRATEGY, "other"),
        (HaltScope.ARBITRAGE, ""),
    ):
        rig.desk.halt(scope, target, reason="look", set_by="ada")

    assert rig.refusal() == ""


@virtual
async def test_what_is_missing_or_old_counts_as_danger(clock) -> None:
    rig = Rig(clock)
    rig.book = None
    assert rig.refusal() == Refusal.NO_BOOK
    rig.book = Book(trusted=False)
    assert rig.refusal() == Refusal.NO_BOOK
    rig.book = Book(received_ns=clock.now_ns())
    clock.advance(5.1)
    assert rig.risk.decide_and_reserve(rig.signal()).refusal == Refusal.STALE_BOOK


@virtual
async def test_after_the_clock_was_put_back_a_book_has_no_age_and_counts_as_old(clock) -> None:
    rig = Rig(clock)
    rig.book = Book(received_ns=clock.now_ns() + 3_600_000_000_000)

    refused = rig.risk.decide_and_reserve(rig.signal())

    assert refused.refusal == Refusal.STALE_BOOK
    assert "3600000 ms ahead" in refused.detail


def test_a_reduction_is_stopped_by_no_protection_whatsoever() -> None:
    @virtual
    async def all_at_once(clock) -> None:
        tight = RiskLimits(
            max_order_notional=1, max_market_notional=1, max_total_notional=1, max_open_positions=1, min_price=600_000, max_price=700_000
        )  # fmt: skip
        rig = Rig(clock, limits=tight)
        rig.hold()
        for scope, target in (
            (HaltScope.ALL, ""),
            (HaltScope.VENUE, "polymarket"),
            (HaltScope.MARKET, "m1"),
            (HaltScope.STRATEGY, "test"),
        ):
            rig.desk.halt(scope, target, reason="look", set_by="ada")
        for book in (None, Book(trusted=False), Book(received_ns=0)):
            rig.book = book
            decision = rig.risk.decide_and_reserve(rig.signal(**SELL, price=300_000))
            assert decision.draft is not None, decision
            rig.risk.reservations.release(decision.decision_id)

    all_at_once()


@virtual
async def test_a_reduction_needs_no_cash_even_when_more_is_promised_than_there_is(clock) -> None:
    rig = Rig(clock, deposit=5 * MICRO + 200_000)
    rig.hold()
    ledger = rig.portfolio.ledger
    ledger.post(ledger.transfer("w", "withdrawal", LedgerAccount.EQUITY, LedgerAccount.CASH, 2 * MICRO, 0))
    assert rig.risk.reservations.free_cash < 0

    assert rig.refusal(**SELL) == ""


@virtual
async def test_a_reduction_is_cut_to_what_is_settled_and_free(clock) -> None:
    rig = Rig(clock)
    rig.hold(12 * MICRO)
    rig.hold(8 * MICRO, settled=False)
    rig.track(**SELL, price=600_000, size=5 * MICRO)

    decision = rig.decide(**SELL, size=100 * MICRO)

    assert decision.draft is not None
    assert decision.draft.size == 7 * MICRO
    assert rig.refusal(**SELL, price=510_000) == Refusal.NO_TOKENS


@virtual
async def test_a_strategy_cannot_sell_what_another_one_holds(clock) -> None:
    rig = Rig(clock)
    rig.hold(10 * MICRO, strategy="one")
    rig.hold(10 * MICRO, strategy="two")

    first = rig.decide(**SELL, source="one", size=20 * MICRO)
    assert first.draft is not None
    assert first.draft.size == 10 * MICRO
    assert rig.refusal(**SELL, source="one", size=5 * MICRO) == Refusal.NO_TOKENS
    assert rig.refusal(**SELL, source="three", size=5 * MICRO) == Refusal.NO_TOKENS
    assert rig.refusal(**SELL, source="two", size=10 * MICRO) == ""


@virtual
async def test_what_one_position_is_short_of_is_missing_for_the_others(clock) -> None:
    rig = Rig(clock)
    rig.hold(10 * MICRO, strategy="one")
    short = rig.track(**SELL, strategy="two", size=6 * MICRO)
    rig.fill(short, 6 * MICRO)

    decision = rig.decide(**SELL, source="one", size=10 * MICRO)

    assert decision.draft is None
    assert decision.refusal == Refusal.TOO_SMALL


@virtual
async def test_what_a_strategy_has_on_offer_or_unsettled_is_not_taken_from_another_ones_shares(clock) -> None:
    rig = Rig(clock)
    rig.hold(10 * MICRO, strategy="one")
    rig.hold(10 * MICRO, strategy="two")
    rig.track(**SELL, strategy="one", price=600_000, size=8 * MICRO)
    assert rig.refusal(**SELL, source="one", size=10 * MICRO) == Refusal.TOO_SMALL

    rig.hold(30 * MICRO, settled=False, strategy="three")
    assert rig.refusal(**SELL, source="three", size=10 * MICRO) == Refusal.NO_TOKENS
    assert rig.refusal(**SELL, source="two", size=10 * MICRO) == ""


@virtual
async def test_nothing_is_bought_outside_the_band(clock) -> None:
    rig = Rig(clock, limits=RiskLimits(min_price=100_000, max_price=600_000, max_slippage=MICRO))
    for price, refused in ((90_000, Refusal.PRICE_BAND), (100_000, ""), (600_000, ""), (610_000, Refusal.PRICE_BAND)):
        assert rig.refusal(price=price, size=20 * MICRO) == refused


@virtual
async def test_prices_fall_on_the_grid_without_getting_worse(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    buy = rig.decide(price=487_654)
    sell = rig.decide(**SELL, price=512_345)
    assert buy.draft is not None
    assert sell.draft is not None
    assert (buy.draft.price, sell.draft.price) == (480_000, 520_000)

    coarse = f.market(tick=100_000)
    assert rig.refusal(market=coarse, price=40_000, size=50 * MICRO) == Refusal.OFF_GRID
    assert rig.refusal(market=coarse, **SELL, price=960_000) == Refusal.OFF_GRID


@virtual
async def test_a_market_with_a_tick_of_no_venue_is_an_error_that_says_so(clock) -> None:
    with pytest.raises(InvalidOrderError, match="tick size"):
        Rig(clock).decide(market=f.market(tick=30_000))


@virtual
async def test_a_taker_buys_for_a_dollar_or_more(clock) -> None:
    rig = Rig(clock)
    rig.book = Book(best_bid=90_000, best_ask=100_000)

    assert rig.refusal(price=100_000, size=9_990_000, order_type=OrderType.FAK) == Refusal.TOO_SMALL
    assert rig.refusal(price=100_000, size=9_990_000) == Refusal.TOO_SMALL
    assert rig.refusal(price=90_000, size=9_990_000) == ""
    assert rig.refusal(price=100_000, size=10_000_000) == ""


SELF_TRADES = [
    ({"price": 500_000}, {**SELL, "price": 500_000}),
    ({"price": 510_000}, {**SELL, "price": 500_000}),
    ({**SELL, "price": 500_000}, {"price": 500_000}),
    ({"price": 500_000}, {"token_id": f.NO, "price": 500_000}),
    ({"token_id": f.NO, "price": 400_000}, {"price": 600_000}),
    ({**SELL, "token_id": f.NO, "price": 400_000}, {**SELL, "price": 600_000}),
]


@pytest.mark.parametrize(("resting", "wanted"), SELF_TRADES)
@virtual
async def test_an_order_that_would_trade_with_ourselves_is_refused_on_either_token(resting, wanted, clock) -> None:
    rig = Rig(clock)
    rig.hold(20 * MICRO)
    rig.hold(20 * MICRO, token_id=f.NO)
    rig.track(**resting)

    assert rig.refusal(**wanted) == Refusal.SELF_TRADE


@virtual
async def test_what_was_decided_a_moment_ago_counts_against_a_self_trade_too(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    assert rig.refusal(price=490_000) == ""

    assert rig.refusal(**SELL, price=490_000) == Refusal.SELF_TRADE
    assert rig.refusal(**SELL, price=500_000) == ""


@virtual
async def test_orders_that_do_not_meet_stand_side_by_side(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    rig.track(price=480_000)

    assert rig.refusal(**SELL, price=490_000) == ""
    assert rig.refusal(token_id=f.NO, price=510_000) == ""


@virtual
async def test_an_order_that_perhaps_exists_keeps_others_from_opening_but_not_from_reducing(clock) -> None:
    rig = Rig(clock)
    rig.hold()
    rig.track(OrderStatus.UNKNOWN, price=500_000)

    assert rig.refusal(token_id=f.NO, price=500_000) == Refusal.SELF_TRADE
    assert rig.refusal(**SELL, price=500_000) == ""


@virtual
async def test_caps_count_what_is_held_resting_and_decided(clock) -> None:
    limits = RiskLimits(max_order_notional=60 * MICRO, max_market_notional=100 * MICRO, max_total_notional=150 * MICRO)
    free = FeeSchedule()
    first, second = f.market(fees=free), f.market(id="m2", condition_id="0xc2", token_ids=("2001", "2002"), fees=free)

    def rig_with_two_markets() -> Rig:
        rig = Rig(clock, limits=limits)
        rig.markets = rig.markets | {"m1": first, "m2": second}
        return rig

    for how in ("held", "resting", "decided"):
        rig = rig_with_two_markets()
        if how == "held":
            rig.hold(100 * MICRO, market=first)
        elif how == "resting":
            rig.track(size=100 * MICRO, market=first, price=500_000)
        else:
            rig.decide(size=100 * MICRO, market=first)
        assert rig.refusal(market=first, size=100 * MICRO + 10_000) == Refusal.MARKET_CAP, how
        assert rig.refusal(market=first, size=100 * MICRO, price=490_000) == "", how
        assert rig.refusal(market=second, token_id="2001", size=110 * MICRO) == Refusal.TOTAL_CAP, how
        assert rig.refusal(market=second, token_id="2001", size=100 * MICRO) == "", how


@virtual
async def test_positions_are_counted_by_token_and_more_of_the_same_is_no_new_one(clock) -> None:
    rig = Rig(clock, limits=RiskLimits(max_open_positions=2))
    rig.hold()
    rig.track(token_id=f.NO, price=300_000)
    rig.markets["m2"] = other = f.market(id="m2", condition_id="0xc2", token_ids=("2001", "2002"))

    assert rig.refusal(market=other, token_id="2001") == Refusal.POSITION_CAP
    assert rig.refusal(price=490_000) == ""


@virtual
async def test_cash_includes_the_worst_fee_and_what_orders_hold(clock) -> None:
    fee = f.market().fees.worst_buy_fee(500_000, 10 * MICRO)
    assert Rig(clock, deposit=5 * MICRO + fee - 1).refusal() == Refusal.NO_CASH
    rig = Rig(clock, deposit=10 * MICRO + 2 * fee)
    assert rig.refusal() == ""
    rig.track()
    assert rig.refusal() == Refusal.NO_CASH


@virtual
async def test_a_marketable_purchase_reserves_the_fee_of_its_worst_price(clock) -> None:
    rig = Rig(clock)

    decision = rig.decide(order_type=OrderType.FAK, price=900_000, size=10 * MICRO)

    assert decision.draft is not None
    spent = 9 * MICRO
    assert rig.risk.reservations.free_cash == 1_000 * MICRO - spent - f.market().fees.worst_spend_fee(spent)


@virtual
async def test_a_reservation_is_released_exactly_once(clock) -> None:
    rig = Rig(clock)
    decision = rig.decide()

    rig.risk.reservations.release(decision.decision_id)

    assert rig.risk.reservations.free_cash == 1_000 * MICRO
    assert not rig.risk.reservations.holds(decision.decision_id)
    with pytest.raises(KeyError):
        rig.risk.reservations.release(decision.decision_id)


MARKETS = [
    f.market(id=f"m{n}", condition_id=f"0xc{n}", token_ids=(f"{n}001", f"{n}002"), tick=10_000) for n in (1, 2, 3)
]
LIMITS = RiskLimits(
    max_order_notional=20 * MICRO,
    max_market_notional=30 * MICRO,
    max_total_notional=60 * MICRO,
    max_open_positions=3,
    max_slippage=MICRO,
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 1),
        st.sampled_from((OrderSide.BUY, OrderSide.SELL)),
        st.sampled_from((OrderType.GTC, OrderType.FAK)),
        st.integers(2, 98),
        st.integers(500, 4_000),
        st.sampled_from(("decided", "resting", "filled", "cancelled", "half")),
        st.sampled_from(("one", "two")),
    ),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_no_sequence_of_intents_breaks_a_cap_spends_money_twice_or_sells_what_is_not_there(steps) -> None:
    clock = VirtualClock()
    rig = Rig(clock, limits=LIMITS, deposit=50 * MICRO)
    rig.journal.submit = lambda rows: None  # type: ignore[method-assign,assignment]
    rig.desk.write = lambda rows: None  # type: ignore[method-assign]
    rig.markets = {market.id: market for market in MARKETS}
    for number, token, side, kind, cents, hundredths, fate, strategy in steps:
        market = MARKETS[number]
        decision = rig.decide(
            market=market, token_id=market.token_ids[token], side=side, order_type=kind, price=cents * 10_000, size=hundredths * 10_000,
            effect=Effect.OPEN if side is OrderSide.BUY else Effect.REDUCE, source=strategy,
        )  # fmt: skip
        if decision.draft is not None and fate != "decided":
            own = rig.portfolio.add(f.order(decision.draft), clock.now_ns())
            rig.risk.reservations.release(decision.decision_id)
            own.status = OrderStatus.SUBMITTED
            rig.portfolio.acknowledge(own, OrderStatus.LIVE, (), clock.now_ns())
            if fate in ("filled", "half"):
                size = decision.draft.size if fate == "filled" else max(decision.draft.size // 2, 1)
                rig.portfolio.apply_trade(f.trade(own.order, size, status=FillStatus.CONFIRMED), now_ns=clock.now_ns())
            if fate == "cancelled":
                rig.portfolio.move(own, OrderStatus.CANCELLED, "", clock.now_ns())
        _check_invariants(rig)


def _worst_cost(draft) -> int:
    """Return what a purchase can cost, by its own arithmetic: the price, and the fee of the dearest price up to it."""
    notional = -(-draft.price * draft.size // MICRO)
    dearest = max(
        range(10_000, draft.price + 1, 10_000), key=lambda price: draft.market.fees.taker_fee(price, MICRO) / price
    )
    if draft.order_type is OrderType.FAK:
        return notional + draft.market.fees.taker_fee(dearest, notional * MICRO // dearest)
    return notional + max(
        draft.market.fees.taker_fee(price, draft.size) for price in range(10_000, draft.price + 1, 10_000)
    )


def _check_invariants(rig: Rig) -> None:
    portfolio, held = rig.portfolio, rig.risk.reservations
    decided = [draft for draft in held.drafts() if draft.side is OrderSide.BUY]
    assert portfolio.ledger.cash - portfolio.orders.reserved_cash - sum(map(_worst_cost, decided)) >= 0
    cash: dict[str, int] = defaultdict(int)
    tokens: set[str] = set()
    for position in portfolio.positions.open():
        cash[position.market_id] += position.holding.cost
        if position.holding.size:
            tokens.add(position.token_id)
    for own in portfolio.orders.open():
        if own.order.draft.side is OrderSide.BUY:
            cash[own.order.draft.market.id] += own.reserved_cash
            tokens.add(own.order.draft.token_id)
    for draft in decided:
        cash[draft.market.id] += _worst_cost(draft)
        tokens.add(draft.token_id)
    assert sum(cash.values()) <= LIMITS.max_total_notional
    assert len(tokens) <= LIMITS.max_open_positions
    for market in MARKETS:
        assert cash[market.id] <= LIMITS.max_market_notional
        for token in market.token_ids:
            assert portfolio.available_tokens(token) >= 0
            for position in portfolio.positions.of_token(token):
                offered = [
                    d
                    for d in held.drafts()
                    if (d.token_id, d.side, d.strategy) == (token, OrderSide.SELL, position.strategy)
                ]
                resting = portfolio.orders.reserved_tokens(token, position.strategy)
                assert position.holding.settled - resting - sum(draft.size for draft in offered) >= 0
