"""Whatever the world does: value is conserved, nobody gets more than the book and the trades allowed, and the same events give the same fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fill import FillStatus
from domain.order import OrderSide
from tests.venues.paper.kit import ACCOUNT, BUY, FAK, FOK, GTC, MARKET, SELL, Desk
from venues.exchange import Exchange
from venues.exchange import events as e
from venues.paper.market import STREET

PRICES = st.integers(35, 65)
SIZES = st.sampled_from([0, 1, 3.5, 7, 20, 55.25])
SIDES = st.sampled_from([BUY, SELL])
TOKENS = st.sampled_from(["yes", "no"])

Step = tuple[Any, ...]
steps = st.one_of(
    st.tuples(st.just("level"), SIDES, PRICES, SIZES),
    st.tuples(st.just("print"), SIDES, PRICES, SIZES.filter(bool), TOKENS),
    st.tuples(st.just("send"), SIDES, PRICES, st.integers(5, 40), st.sampled_from([GTC, GTC, FAK, FOK]), TOKENS),
    st.tuples(st.just("book"), st.dictionaries(st.integers(35, 49), SIZES, max_size=4), st.dictionaries(st.integers(51, 65), SIZES, max_size=4)),
    st.tuples(st.just("gap")),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("after"), st.sampled_from([0.05, 0.5, 3.0])),
)  # fmt: skip
histories = st.lists(steps, max_size=40)


def run(history: list[Step], watch: Callable[[Desk], None] = lambda desk: None) -> Desk:
    desk = Desk()
    desk.give(MARKET, "yes", 100)
    desk.book({45: 20, 44: 30}, {55: 20, 56: 30})
    for what, *details in history:
        if what == "gap":
            desk.witness.on_gap(["yes", "no"], "test")
        elif what == "cancel":
            for order in desk.exchange.open_orders(ACCOUNT)[:1]:
                desk.cancel(order.id)
        elif what == "print":
            *first, token = details
            desk.print(*first, token=token)
        elif what == "send":
            *first, token = details
            desk.send(*first, token=token)
        else:
            getattr(desk, what)(*details)
        watch(desk)
    return desk


def value(exchange: Exchange) -> int:
    """Return all cash and all locked collateral."""
    return sum(exchange.balance(each).settled for each in exchange.accounts()) + exchange.collateral("c")


@given(histories)
@settings(max_examples=150, deadline=None)
def test_value_is_conserved_and_nothing_is_ever_negative(history: list[Step]) -> None:
    def watch(desk: Desk) -> None:
        assert value(desk.exchange) == desk.exchange.deposited
        for account in desk.exchange.accounts():
            for balance in desk.exchange.balances(account).values():
                assert min(balance.settled, balance.available, balance.reserved, balance.incoming) >= 0
        held = {
            token: sum(desk.exchange.balance(each, token).settled for each in desk.exchange.accounts())
            for token in MARKET.token_ids
        }
        assert set(held.values()) == {desk.exchange.collateral("c")}
        assert desk.exchange.open_orders(STREET) == []

    run(history, watch)


@given(histories)
@settings(max_examples=150, deadline=None)
def test_no_fill_is_better_than_its_limit_and_no_queue_is_negative(history: list[Step]) -> None:
    def watch(desk: Desk) -> None:
        known = desk.paper.market_of("yes")
        live = {order.id for order in desk.exchange.open_orders(ACCOUNT) if order.status is e.VenueStatus.LIVE}
        assert set(known.resting) == live
        for resting in known.resting.values():
            view = desk.exchange.order(resting.order_id)
            assert resting.remaining == view.size - view.size_matched > 0
            assert resting.ahead is None or resting.ahead >= 0

    desk = run(history, watch)
    for order in desk.exchange.orders(ACCOUNT):
        cash = order.price * order.size_matched
        rounding = 1_000_000 * max(1, len(order.trade_ids))
        if order.side is OrderSide.BUY:
            assert order.cash_matched * 1_000_000 <= cash + rounding
        else:
            assert order.cash_matched * 1_000_000 >= cash - rounding


@given(histories)
@settings(max_examples=150, deadline=None)
def test_takers_never_get_more_than_was_ever_shown_nor_makers_more_than_was_traded_or_moved_into_them(
    history: list[Step],
) -> None:
    shown = 90.0 + 10
    traded = 0.0

    def offered(step: Step) -> float:
        match step:
            case ("level", _, _, size):
                return float(size)
            case ("book", bids, asks):
                return float(sum(bids.values()) + sum(asks.values()))
        return 0.0

    shown += sum(offered(step) for step in history)
    traded += sum(step[3] for step in history if step[0] == "print")
    desk = run(history)
    taken = made = 0.0
    for trade in desk.exchange.trades(ACCOUNT):
        street = sum(maker.size for maker in trade.makers if maker.account == STREET) / 1e6
        if trade.account == ACCOUNT:
            taken += street
        else:
            made += trade.size / 1e6
    assert taken <= shown
    assert made <= traded + shown - taken


@given(histories)
@settings(max_examples=75, deadline=None)
def test_the_same_events_give_the_same_fills_and_the_remembered_turns_the_same_state(history: list[Step]) -> None:
    first, second = run(history), run(history)
    assert first.exchange.state_hash() == second.exchange.state_hash()
    replayed = Exchange(first.exchange.venue_id)
    for turn in first.memory.turns:
        for at_ns, command in turn:
            replayed.step(at_ns, command)
    assert replayed.state_hash() == first.exchange.state_hash()


@given(histories)
@settings(max_examples=75, deadline=None)
def test_everything_comes_to_rest(history: list[Step]) -> None:
    desk = run(history)
    for order in desk.exchange.open_orders(ACCOUNT):
        desk.cancel(order.id)
    desk.after(10)
    assert desk.exchange.open_orders(ACCOUNT) == []
    assert {trade.status for trade in desk.exchange.trades(ACCOUNT)} <= {FillStatus.CONFIRMED}
