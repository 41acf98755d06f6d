"""Whatever is asked of the exchange, in whatever order: value is conserved, nothing is negative, and the log decides the state."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from domain.fees import FeeSchedule
from domain.fill import FillStatus
from domain.order import OrderType
from tests.venues.exchange.invariants import Listener, check_all
from tests.venues.exchange.kit import BUY, FAK, FOK, GTC, GTD, SECOND, SELL, START, market
from venues.exchange import Exchange
from venues.exchange import commands as c
from venues.exchange import events as e

ACCOUNTS = ("ann", "bob", "cid")
MARKETS = {
    "plain": market("plain", fees=FeeSchedule(rate=40_000), min_size=0),
    "slow": market("slow", tick=1_000, fees=FeeSchedule(rate=250_000, exponent=2), taker_delay_ms=2_000),
}
TICKS = {"plain": 10_000, "slow": 1_000}

accounts = st.sampled_from(ACCOUNTS)
names = st.sampled_from(tuple(MARKETS))
outcomes = st.sampled_from((0, 1))
sides = st.sampled_from((BUY, SELL))
ticks_from_middle = st.integers(-4, 4)
hundredths = st.integers(500, 2_000)
seldom = st.sampled_from((False,) * 7 + (True,))


class ExchangeMachine(RuleBasedStateMachine):
    order_ids = Bundle("order_ids")
    trade_ids = Bundle("trade_ids")

    def __init__(self) -> None:
        super().__init__()
        self.exchange = Exchange("property")
        self.listener = Listener()
        self.log: list[tuple[int, c.Command]] = []
        self.now = START
        self.placed = 0

    def do(self, command: c.Command) -> list[e.Event]:
        self.log.append((self.now, command))
        events = self.exchange.step(self.now, command)
        self.listener.hear(events)
        return events

    def matched(self, events: list[e.Event]):
        return multiple(*(event.trade.id for event in events if isinstance(event, e.TradeMatched)))

    @initialize()
    def open(self) -> None:
        for listed in MARKETS.values():
            self.do(c.ListMarket(listed))
        for account in ACCOUNTS:
            self.do(c.Deposit(account, 150_000_000))
            for name in MARKETS:
                self.do(c.Split(account, name, 50_000_000))

    @rule(target=order_ids, account=accounts, name=names, outcome=outcomes, side=sides, step=ticks_from_middle,
          size=hundredths, order_type=st.sampled_from((GTC, GTC, GTC, GTD)), post_only=st.sampled_from((False, False, False, True)))  # fmt: skip
    def place_resting(self, account, name, outcome, side, step, size, order_type, post_only):
        price, shares = 500_000 + step * TICKS[name], size * 10_000
        cash = price * shares // 1_000_000
        expiration = self.now // SECOND + 180 if order_type is GTD else 0
        return self._place(account, name, outcome, side, order_type, cash, shares, expiration, post_only)

    @rule(account=accounts, name=names, outcome=outcomes, middle=ticks_from_middle, size=hundredths)
    def quote(self, account, name, outcome, middle, size):
        """Three levels on either side; quotes around different middles trade with each other."""
        for away in (1, 2, 3):
            for side, step in ((BUY, middle - away), (SELL, middle + away)):
                price = 500_000 + step * TICKS[name]
                self._place(account, name, outcome, side, GTC, price * size // 100, size * 10_000)

    @rule(account=accounts, name=names, outcome=outcomes, step=ticks_from_middle, dollars=st.integers(1, 25),
          order_type=st.sampled_from((FOK, FAK)), target=trade_ids)  # fmt: skip
    def market_buy(self, account, name, outcome, step, dollars, order_type):
        cash = dollars * 1_000_000
        shares = cash * 1_000_000 // (500_000 + step * TICKS[name]) // 100 * 100
        self._place(account, name, outcome, BUY, order_type, cash, shares)
        return self.matched(self.events)

    @rule(account=accounts, name=names, outcome=outcomes, step=ticks_from_middle, size=hundredths,
          order_type=st.sampled_from((FOK, FAK)), target=trade_ids)  # fmt: skip
    def market_sell(self, account, name, outcome, step, size, order_type):
        shares = size * 10_000
        self._place(account, name, outcome, SELL, order_type, (500_000 + step * TICKS[name]) * size // 100, shares)
        return self.matched(self.events)

    def _place(self, account, name, outcome, side, order_type: OrderType, cash, shares, expiration=0, post_only=False):
        self.placed += 1
        order_id = f"o{self.placed}"
        maker, taker = (cash, shares) if side is BUY else (shares, cash)
        token_id = MARKETS[name].token_ids[outcome]
        self.events = self.do(
            c.PlaceOrder(order_id, account, token_id, side, order_type, maker, taker, expiration, post_only)
        )
        answer = self.events[-1]
        if isinstance(answer, e.OrderAccepted) and answer.status is not e.VenueStatus.DELAYED:
            self._check_fills(answer, side, order_type, maker, cash, shares, post_only)
        return order_id

    def _check_fills(self, answer, side, order_type, maker, cash, shares, post_only):
        if order_type is FOK:
            assert answer.making == maker
        if post_only:
            assert answer.trade_ids == ()
        for trade in (event.trade for event in self.events if isinstance(event, e.TradeMatched)):
            if trade.taker_order_id == answer.order_id:
                worse = (
                    trade.price * shares > cash * 1_000_000 if side is BUY else trade.price * shares < cash * 1_000_000
                )
                assert not worse
                assert trade.size == sum(fill.size for fill in trade.makers)

    @rule(account=accounts, order_id=order_ids)
    def cancel(self, account, order_id):
        self.do(c.CancelOrders(account, (order_id,)))

    @rule(account=accounts, sure=seldom)
    def cancel_all(self, account, sure):
        if sure:
            self.do(c.CancelAll(account))

    @rule(account=accounts, name=names, outcome=outcomes)
    def cancel_market(self, account, name, outcome):
        self.do(c.CancelMarketOrders(account, name, MARKETS[name].token_ids[outcome]))

    @rule(order_id=consumes(order_ids))
    def place_again(self, order_id):
        order = self.exchange.order(order_id)
        if order is not None:
            again = c.PlaceOrder(order_id, order.account, order.token_id, order.side, order.order_type,
                                 order.maker_amount, order.taker_amount)  # fmt: skip
            events = self.do(again)
            assert events[-1].code in (e.RefusalCode.DUPLICATED, e.RefusalCode.NO_ORDERBOOK)

    @rule(statuses=st.lists(st.sampled_from(FillStatus), max_size=6))
    def settle(self, statuses):
        for trade, status in zip(self.exchange.unsettled_trades(), statuses, strict=False):
            self.do(c.Settle(trade.id, status))

    @rule(trade_id=trade_ids, status=st.sampled_from(FillStatus))
    def settle_any(self, trade_id, status):
        self.do(c.Settle(trade_id, status))

    @rule(account=accounts, name=names, amount=st.integers(1, 60_000_000))
    def move_funds(self, account, name, amount):
        for command in (
            c.Split(account, name, amount),
            c.Merge(account, name, amount // 2 + 1),
            c.Deposit(account, amount),
        ):
            self.do(command)
        self.do(c.Withdraw(account, amount))

    @rule(name=names, tick=st.sampled_from((100_000, 10_000, 5_000, 2_500, 1_000, 100)), sure=seldom)
    def change_tick(self, name, tick, sure):
        self.do(c.SetTick(name, tick if sure else 100))

    @rule(name=names, sure=seldom)
    def stop_or_resume(self, name, sure):
        self.do(c.SetAccepting(name, not sure))

    @rule(name=names, has_book=st.booleans(), sure=seldom)
    def take_or_give_the_book(self, name, has_book, sure):
        self.do(c.SetBook(name, has_book or not sure))

    @rule(name=names, sure=seldom)
    def end_or_lose_orders(self, name, sure):
        if sure:
            self.do(c.EndOrders("", e.VenueStatus.CANCELED_ENGINE_RESTART, delayed_only=True))
            self.do(c.EndOrders(name, e.VenueStatus.CANCELED_GAME_STARTED))
            self.do(c.LoseOrders())

    @rule(milliseconds=st.sampled_from((0, 1, 500, 1_999, 2_000, 30_000, 130_000)))
    def wait(self, milliseconds):
        self.now += milliseconds * 1_000_000
        self.do(c.Advance())

    @rule(seconds=st.sampled_from((0, 1, 100)))
    def prune(self, seconds):
        self.do(c.Prune(self.now - seconds * SECOND))

    @rule(name=names, winner=st.sampled_from((0, 1, None)), sure=seldom)
    def resolve(self, name, winner, sure):
        if sure:
            self.do(c.Resolve(name, winner))

    @rule(name=names, account=accounts)
    def redeem(self, name, account):
        self.do(c.Redeem(account, name))
        self.do(c.RedeemAll(name))

    @rule()
    def restart_from_a_snapshot(self):
        before = self.exchange.dump()
        self.exchange = Exchange.load(before)
        assert self.exchange.dump() == before

    @invariant()
    def everything_adds_up(self) -> None:
        check_all(self.exchange)
        self.listener.compare(self.exchange)

    def teardown(self) -> None:
        again = Exchange("property")
        for now, command in self.log:
            again.step(now, command)
        assert again.state_hash() == self.exchange.state_hash()


TestExchange = ExchangeMachine.TestCase
TestExchange.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
