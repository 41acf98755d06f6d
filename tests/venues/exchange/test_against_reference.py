"""The exchange and a naive second one agree on every answer, every fill and every balance."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.fees import FeeSchedule
from domain.fill import FillStatus
from domain.money import MICRO
from domain.order import OrderSide, OrderType
from tests.venues.exchange.kit import BUY, SELL, Venue
from tests.venues.exchange.reference import Reference
from venues.exchange import commands as c
from venues.exchange import events as e

ACCOUNTS = ("ann", "bob", "cid")
TOKENS = ("m:yes", "m:no")
CODES = {
    e.RefusalCode.POST_ONLY_WOULD_CROSS: "refused: post-only",
    e.RefusalCode.MARKETABLE_MIN: "refused: a dollar",
    e.RefusalCode.NOT_ENOUGH_BALANCE: "refused: balance",
    e.RefusalCode.FOK_NOT_FILLED: "refused: fok",
    e.RefusalCode.FAK_NOT_FILLED: "refused: fak",
}

prices = st.integers(35, 65)
places = st.tuples(
    st.just("place"),
    st.sampled_from(ACCOUNTS),
    st.sampled_from((0, 1)),
    st.sampled_from((BUY, SELL)),
    st.sampled_from((OrderType.GTC, OrderType.GTC, OrderType.GTC, OrderType.FAK, OrderType.FOK)),
    prices,
    st.integers(1, 30_00),
    st.booleans(),
)
cancels = st.tuples(st.just("cancel"), st.sampled_from(ACCOUNTS), st.integers(0, 60))
settles = st.tuples(st.just("settle"), st.integers(0, 20), st.booleans())
steps = st.lists(st.one_of(places, places, places, cancels, settles), min_size=1, max_size=60)


class Pair:
    """The two exchanges side by side."""

    def __init__(self, fee_rate: int) -> None:
        self.venue = Venue(fees=FeeSchedule(rate=fee_rate), min_size=0)
        self.reference = Reference(Fraction(fee_rate, MICRO))
        self.placed = 0
        self.trade_numbers: dict[str, int] = {}
        for account in ACCOUNTS:
            self.venue.fund(account, "40", pairs="40")
            self.reference.usable[account, "cash"] = 40 * MICRO
            for token in (0, 1):
                self.reference.usable[account, token] = 40 * MICRO

    def place(self, account, token, side, order_type, cents, hundredths, post_only):
        self.placed += 1
        order_id = f"o{self.placed}"
        shares, spends_cash = hundredths * 10_000, side is BUY and not order_type.rests
        if spends_cash:
            shares = shares * 100 // cents // 100 * 100  # an amount whose cash is whole cents, cut to four decimals
            cash = hundredths * 10_000
        else:
            cash = cents * shares // 100
        if not shares:
            return
        post_only = post_only and order_type.rests
        maker, taker = (cash, shares) if side is BUY else (shares, cash)
        command = c.PlaceOrder(order_id, account, TOKENS[token], side, order_type, maker, taker, 0, post_only)
        answer = self.venue.do(command)
        if isinstance(answer, e.OrderRefused) and answer.code is e.RefusalCode.TICK_SIZE and spends_cash:
            return  # too few shares to tell the price from its neighbour
        price = Fraction(cents, 100)
        kind = order_type.value
        expected = self.reference.place(order_id, account, token, side is BUY, kind, price, shares, cash, post_only)
        assert self._fills(answer) == expected

    def _fills(self, answer):
        if isinstance(answer, e.OrderRefused):
            return CODES[answer.code]
        assert isinstance(answer, e.OrderAccepted), answer
        fills = []
        for event in self.venue.got(e.TradeMatched):
            self.trade_numbers[event.trade.id] = len(self.trade_numbers) + 1
            same = [fill for fill in event.trade.makers if fill.token_id == event.trade.token_id]
            fills += [
                (fill.order_id, fill.size, fill.cash if fill in same else fill.size - fill.cash)
                for fill in event.trade.makers
            ]
        return fills

    def cancel(self, account, number):
        answer = self.venue.do(c.CancelOrders(account, (f"o{number}",)))
        assert bool(answer.canceled) == self.reference.cancel(account, f"o{number}")

    def settle(self, index, good):
        unsettled = self.venue.exchange.unsettled_trades()
        if unsettled:
            trade = unsettled[index % len(unsettled)]
            self.venue.do(c.Settle(trade.id, FillStatus.CONFIRMED if good else FillStatus.FAILED))
            self.reference.settle(self.trade_numbers[trade.id], good)

    def agree(self) -> None:
        exchange = self.venue.exchange
        for account in (*ACCOUNTS, "venue"):
            assert exchange.balance(account).available == self.reference.usable[account, "cash"]
            for token in (0, 1):
                assert exchange.balance(account, TOKENS[token]).available == self.reference.usable[account, token]
        resting = {order.order_id: order.size for order in self.reference.orders}
        levels = self.venue.bids() + self.venue.asks()
        assert sum(size for _, size in levels) == sum(resting.values())
        assert {o.id for account in ACCOUNTS for o in exchange.open_orders(account)} == set(resting)


@pytest.mark.parametrize("fee_rate", [0, 40_000])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(actions=steps)
def test_both_exchanges_agree(fee_rate, actions):
    pair = Pair(fee_rate)
    for name, *arguments in actions:
        getattr(pair, name)(*arguments)
        pair.agree()


def test_the_comparison_sees_fills_of_every_kind():
    pair = Pair(40_000)
    pair.place("ann", 0, BUY, OrderType.GTC, 50, 1000, False)
    pair.place("bob", 0, OrderSide.SELL, OrderType.GTC, 50, 400, False)
    pair.place("bob", 1, BUY, OrderType.FAK, 50, 600, False)
    pair.place("cid", 1, SELL, OrderType.GTC, 40, 500, False)
    pair.place("cid", 0, SELL, OrderType.GTC, 60, 500, False)
    assert {fill.kind for t in pair.venue.exchange.trades("ann") for fill in t.makers} == {
        e.MatchKind.COMPLEMENTARY,
        e.MatchKind.MINT,
    }
    assert pair.venue.exchange.trades("cid")[0].makers[0].kind is e.MatchKind.MERGE
    pair.agree()
