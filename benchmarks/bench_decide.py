"""The risk decision: `decide_and_reserve` in the midst of trading: 500 markets, 100 positions, 200 open orders, exclusive events of ten.

Then what makes it dearer: many decisions in one turn, an event of sixty markets, two thousand open orders; and a sale. Timed is a decision and the
letting go of what it reserved. Clock and ids are those of the trader. The peer is nautilus_trader's way of an order through its compiled
RiskEngine, which knows no caps on markets and events, no books' age, no halts and no orders of one's own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import cycle, islice

from benchmarks import peers
from benchmarks.measure import Result, microseconds
from domain.book import Level
from domain.fill import FillStatus
from domain.ledger import LedgerAccount
from domain.market import Market
from domain.order import Effect, OrderSide, OrderStatus
from domain.signal import TradeSignal
from infra.clock import SystemClock
from infra.ids import RandomIds
from markets.order_book import OrderBook
from tests.trading import factories as f
from trading.halts import Halts
from trading.limits import RiskLimits
from trading.portfolio import Portfolio
from trading.risk import RiskCore
from trading.venue_state import VenueState

MARKETS, OUTCOMES, WIDE_EVENT = 500, 10, 60
POSITIONS, ORDERS, MANY_ORDERS = 100, 200, 2_000
AT_ONCE = 15
TURNS = 8
USUAL = "decide_and_reserve"
NAUTILUS = "nautilus_trader 1.221.0"
FREE = RiskLimits(
    max_order_notional=10**12,
    max_market_notional=10**12,
    max_event_notional=10**12,
    max_venue_notional=10**12,
    max_total_notional=10**12,
    max_open_positions=10_000,
    max_book_age_ms=3_600_000,
)


def run() -> list[Result]:
    usual, many, selling = Account(MARKETS, ORDERS), Account(MARKETS, MANY_ORDERS), Account(MARKETS, ORDERS)
    wide, purchases = usual.markets[:WIDE_EVENT], usual.purchases(usual.markets[WIDE_EVENT:])
    at_once = f"decide_and_reserve, {AT_ONCE} in one turn"
    candidates = {
        USUAL: usual.decide(purchases),
        at_once: usual.decide_at_once(purchases),
        f"decide_and_reserve, event of {WIDE_EVENT} markets": usual.decide(usual.purchases(wide)),
        f"decide_and_reserve, {MANY_ORDERS:,} open orders": many.decide(many.purchases(many.markets[WIDE_EVENT:])),
        "decide_and_reserve, sale": selling.decide(selling.sales()),
    }
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []

    def turn() -> None:
        ours.append(microseconds(candidates, rounds=15, seconds=0.005))

    try:
        with peers.running("nautilus", ["nautilus_trader[polymarket]==1.221.0"], "nautilus_risk.py") as peer:
            for _ in range(TURNS):
                turn()
                theirs.append(peer.round())
    except peers.PeerUnavailableError as error:
        print(error, file=sys.stderr)
        for _ in range(TURNS):
            turn()
    spent, peer_spent = peers.best(ours), peers.best(theirs) if theirs else {}
    spent[at_once] /= AT_ONCE
    usual_spent = spent.pop(USUAL)
    return [
        Result(USUAL, "µs", usual_spent, peer_spent.get("submitted"), f"{NAUTILUS}: order made, tracked, checked"),
        Result(USUAL, "µs", usual_spent, peer_spent.get("checked"), f"{NAUTILUS}: its checks alone, compiled"),
        *(Result(name, "µs", each) for name, each in spent.items()),
    ]


class Account:
    """An account over `markets` markets with `orders` open orders: the first sixty markets are one event, the others ten to an event."""

    def __init__(self, markets: int, orders: int) -> None:
        clock = SystemClock()
        self.markets = [_market(number) for number in range(markets)]
        by_id = {market.id: market for market in self.markets}
        by_condition = {market.condition_id: market for market in self.markets}
        self.portfolio = Portfolio(f.ACCOUNT, by_condition.get)
        self.portfolio.transfer(
            journal_id="d",
            kind="deposit",
            debit=LedgerAccount.CASH,
            credit=LedgerAccount.EQUITY,
            amount=10**11,
            now_ns=1,
        )
        for number in range(POSITIONS + orders):
            self._order(self.markets[number * 7 % markets], clock.now_ns(), filled=number < POSITIONS)
        book = _book()
        self.risk = RiskCore(
            self.portfolio,
            Halts(f.ACCOUNT),
            FREE,
            clock,
            RandomIds(),
            VenueState(),
            book_of=lambda _: book,
            lease_valid=lambda: True,
            committed=by_id.__contains__,
            market_of=by_id.get,
            exclusive=lambda _: True,
        )

    def _order(self, market: Market, now_ns: int, *, filled: bool) -> None:
        order = f.order(f.draft(market=market, token_id=market.token_ids[0], price=400_000))
        own = self.portfolio.add(order, now_ns)
        own.status, own.acknowledged = OrderStatus.LIVE, True
        self.portfolio.orders.refresh(own)
        if filled:
            trade = f.trade(order, order.draft.size, status=FillStatus.CONFIRMED)
            self.portfolio.apply_trade(trade, now_ns=now_ns)

    def purchases(self, markets: Sequence[Market]) -> list[TradeSignal]:
        return [
            f.signal(market=market, token_id=market.token_ids[0], created_ns=0, expires_ns=2**62) for market in markets
        ]

    def sales(self) -> list[TradeSignal]:
        """Return a sale of every position."""
        by_id = {market.id: market for market in self.markets}
        return [
            f.signal(
                market=by_id[position.market_id],
                token_id=position.token_id,
                side=OrderSide.SELL,
                effect=Effect.REDUCE,
                created_ns=0,
                expires_ns=2**62,
            )
            for position in self.portfolio.positions.open()
        ]

    def decide(self, signals: Sequence[TradeSignal]) -> Callable[[], object]:
        """Return a function that decides on the next of `signals`, in turn."""
        risk, turn = self.risk, cycle(signals)

        def next_one() -> None:
            risk.reservations.release(risk.decide_and_reserve(next(turn)).decision_id)

        return next_one

    def decide_at_once(self, signals: Sequence[TradeSignal]) -> Callable[[], object]:
        """Return a function that decides on the next few of `signals` before any of them is let go."""
        risk, turn = self.risk, cycle(signals)

        def next_few() -> None:
            decisions = [risk.decide_and_reserve(signal) for signal in islice(turn, AT_ONCE)]
            for decision in decisions:
                risk.reservations.release(decision.decision_id)

        return next_few


def _market(number: int) -> Market:
    event = "wide" if number < WIDE_EVENT else f"e{number // OUTCOMES}"
    tokens = (f"{number}001", f"{number}002")
    return f.market(id=f"m{number}", condition_id=f"0xc{number}", token_ids=tokens, group_id=event)


def _book() -> OrderBook:
    book = OrderBook("any", "any", 10_000)
    book.replace([Level("0.49", "100")], [Level("0.51", "100")])
    book.trusted, book.received_ns = True, SystemClock().now_ns()
    return book
