"""The risk decision: `decide_and_reserve` for an account with 20 positions and 100 open orders in five events of ten markets each."""

from __future__ import annotations

from benchmarks.measure import Result, microseconds
from domain.fill import FillStatus
from domain.ledger import LedgerAccount
from domain.market import Market
from domain.order import OrderStatus
from domain.signal import TradeSignal
from tests.sim.virtual_time import VirtualClock
from tests.trading import factories as f
from tests.trading.kit import Book
from trading.halts import Halts
from trading.limits import RiskLimits
from trading.portfolio import Portfolio
from trading.risk import RiskCore
from trading.venue_state import VenueState

EVENTS, OUTCOMES = 5, 10
POSITIONS, ORDERS = 20, 100
FREE = RiskLimits(
    max_order_notional=10**12,
    max_market_notional=10**12,
    max_event_notional=10**12,
    max_venue_notional=10**12,
    max_total_notional=10**12,
    max_open_positions=10_000,
)


def run() -> list[Result]:
    risk, markets = _account()
    signals = [
        f.signal(market=market, token_id=market.token_ids[0], created_ns=0, expires_ns=2**62) for market in markets
    ]

    def decide(turn: list[TradeSignal]) -> None:
        for signal in turn:
            decision = risk.decide_and_reserve(signal)
            risk.reservations.release(decision.decision_id)

    def first_of_all_at_once() -> None:
        decisions = [risk.decide_and_reserve(signal) for signal in signals[:15]]
        for decision in decisions:
            risk.reservations.release(decision.decision_id)

    spent = microseconds({"one": lambda: decide(signals), "many": first_of_all_at_once})
    return [
        Result("decide_and_reserve", "µs", spent["one"] / len(signals)),
        Result("decide_and_reserve, 15 in one turn", "µs each", spent["many"] / 15),
    ]


def _account() -> tuple[RiskCore, list[Market]]:
    clock = VirtualClock()
    markets = [
        f.market(
            id=f"m{number}",
            condition_id=f"0xc{number}",
            token_ids=(f"{number}001", f"{number}002"),
            group_id=f"e{number // OUTCOMES}",
        )
        for number in range(EVENTS * OUTCOMES)
    ]
    by_id = {market.id: market for market in markets}
    portfolio = Portfolio(f.ACCOUNT, lambda condition: by_id.get("m" + condition.removeprefix("0xc")))
    portfolio.transfer(
        journal_id="d", kind="deposit", debit=LedgerAccount.CASH, credit=LedgerAccount.EQUITY, amount=10**11, now_ns=1
    )
    for number in range(POSITIONS + ORDERS):
        market = markets[number * 7 % len(markets)]
        order = f.order(f.draft(market=market, token_id=market.token_ids[0], price=400_000))
        own = portfolio.add(order, clock.now_ns())
        own.status, own.acknowledged = OrderStatus.LIVE, True
        portfolio.orders.refresh(own)
        if number < POSITIONS:
            trade = f.trade(order, order.draft.size, status=FillStatus.CONFIRMED)
            portfolio.apply_trade(trade, now_ns=clock.now_ns())
    book = Book(best_bid=490_000, best_ask=510_000, received_ns=clock.now_ns())
    risk = RiskCore(
        portfolio,
        Halts(f.ACCOUNT),
        FREE,
        clock,
        f.CountingIds(),
        VenueState(),
        book_of=lambda _: book,
        lease_valid=lambda: True,
        committed=by_id.__contains__,
        market_of=by_id.get,
        exclusive={"e0", "e1"}.__contains__,
    )
    return risk, markets
