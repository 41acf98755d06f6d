"""What `prepare` lets through, the venue has nothing to say against: decimals, grid, sizes, flags, expirations, money.

The venue's side of the comparison is the simulated one's own reading of the body, its own signature check and its own rules, which share no code with
the client.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from msgspec import structs

from domain.errors import InvalidOrderError
from domain.fees import NO_FEES, FeeSchedule
from domain.ledger import LedgerAccount
from domain.market import Market
from domain.money import MICRO
from domain.order import Effect, OrderDraft, OrderSide, OrderType, PreparedOrder
from domain.signal import TradeSignal
from domain.ticks import TICK_SIZES
from tests.trading.scripted import Book
from tests.venues.polymarket.test_gateway import API_KEY, NO, NOW_NS, SECRET, YES, FixedClock, draft
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from tests.venues.simulator.kit import CountingIds
from trading.halts import Halts
from trading.limits import RiskLimits
from trading.portfolio import Portfolio
from trading.risk import RiskCore
from trading.venue_state import VenueState
from venues.exchange import commands as c
from venues.exchange import events as e
from venues.exchange.exchange import Exchange
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.gateway import PolymarketGateway
from venues.polymarket.signer import LocalSigner
from venues.simulator.clob.order_payload import read_order
from venues.simulator.clob.signatures import SignedOrder, order_digest, order_signer
from venues.simulator.contracts import exchange_of

pytestmark = pytest.mark.protocol("3.1", "3.2", "3.4", "9.13")

T = TypeVar("T")
CHANCE = {e.RefusalCode.POST_ONLY_WOULD_CROSS, e.RefusalCode.FOK_NOT_FILLED, e.RefusalCode.FAK_NOT_FILLED}
"""Refusals that depend on the book of the moment, which no client can rule out."""

GATEWAY = PolymarketGateway(
    PolymarketConfig(account="sim:test"),
    LocalSigner(PRIVATE_KEY),
    ApiCredentials(ADDRESS, API_KEY, SECRET, "pass"),
    http=None,  # type: ignore[arg-type]  # preparing sends nothing
    connection=None,  # type: ignore[arg-type]
    clock=FixedClock(),
    ids=CountingIds(),
)


def now(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("preparing waited for something")


def listed(tick: int, **changes: Any) -> Market:
    facts: dict[str, Any] = {
        "id": "1", "venue": "polymarket", "question": "?", "slug": "s", "condition_id": "0x" + "cc" * 32, "token_ids": (YES, NO),
        "tick": tick, "min_size": 5 * MICRO,
    }  # fmt: skip
    return Market(**(facts | changes))


def venue_of(market: Market, *, cash: int, bid: int = 0, ask: int = 0) -> Exchange:
    """Return an exchange with one market, somebody's quotes, and our account."""
    exchange = Exchange("test")
    steps: list[c.Command] = [
        c.ListMarket(market),
        c.Deposit("maker", 10**13),
        c.Split("maker", market.condition_id, 10**12),
        c.Deposit(ADDRESS, 10**12 + cash),
        c.Split(ADDRESS, market.condition_id, 10**12),
    ]
    shares = 10**9
    if bid:
        steps.append(c.PlaceOrder("b", "maker", YES, OrderSide.BUY, OrderType.GTC, bid * shares // MICRO, shares))
    if ask:
        steps.append(c.PlaceOrder("a", "maker", YES, OrderSide.SELL, OrderType.GTC, shares, ask * shares // MICRO))
    for step in steps:
        answer = exchange.step(NOW_NS, step)
        assert not isinstance(answer[-1], e.OrderRefused | e.CommandRefused), answer[-1]
    return exchange


def offer(exchange: Exchange, prepared: PreparedOrder, *, neg_risk: bool = False) -> e.Event:
    """Read a body as the venue does, prove its signature, and put the order to the exchange."""
    envelope = read_order(prepared.payload)
    wire = envelope.order
    signed = SignedOrder(
        salt=wire.salt,
        maker=wire.maker,
        signer=wire.signer,
        token_id=int(wire.token_id),
        maker_amount=int(wire.maker_amount),
        taker_amount=int(wire.taker_amount),
        side=0 if wire.side == "BUY" else 1,
        signature_type=wire.signature_type,
        timestamp=int(wire.timestamp),
        metadata=bytes.fromhex(wire.metadata[2:]),
        builder=bytes.fromhex(wire.builder[2:]),
    )
    contract = exchange_of(neg_risk)
    assert order_digest(signed, contract) == prepared.order_id
    assert order_signer(signed, contract, wire.signature) == ADDRESS
    assert envelope.owner == API_KEY
    command = c.PlaceOrder(
        prepared.order_id,
        wire.maker,
        wire.token_id,
        OrderSide(wire.side.lower()),
        OrderType(envelope.order_type),
        int(wire.maker_amount),
        int(wire.taker_amount),
        expiration_s=int(wire.expiration),
        post_only=envelope.post_only,
    )
    return exchange.step(NOW_NS, command)[-1]


ticks = st.sampled_from(sorted(TICK_SIZES))


@st.composite
def drafts(draw: st.DrawFn) -> OrderDraft:
    """Orders of every type, on and off the grid, near every limit a venue has."""
    tick = draw(ticks)
    market = listed(
        tick,
        min_size=draw(st.sampled_from([0, 10_000, MICRO, 5 * MICRO])),
        neg_risk=draw(st.booleans()),
        accepting_orders=draw(st.integers(0, 9)) > 0,
    )
    on_grid = st.integers(0, MICRO // tick).map(lambda steps: steps * tick)
    order_type = draw(st.sampled_from(OrderType))
    ends = st.integers(0, 400).map(lambda seconds: NOW_NS + seconds * 1_000_000_000 + 1)
    cents = st.integers(1, 3_000_000).map(lambda hundredths: hundredths * 10_000)
    whole = st.integers(1, 30_000).map(lambda shares: shares * MICRO)
    return draft(
        market=market,
        token_id=draw(st.sampled_from(market.token_ids)),
        side=draw(st.sampled_from(OrderSide)),
        order_type=order_type,
        price=draw(on_grid if draw(st.integers(0, 9)) else st.integers(0, MICRO)),
        size=draw((whole | cents) if draw(st.integers(0, 9)) else st.integers(-5, 40 * MICRO)),
        post_only=draw(st.booleans()) if order_type.rests else draw(st.integers(0, 9)) == 0,
        expires_ns=draw(ends) if (order_type is OrderType.GTD) is (draw(st.integers(0, 9)) > 0) else None,
    )


@settings(max_examples=200, deadline=None)
@given(drafts())
def test_no_prepared_order_is_refused_for_what_can_be_known_before(order: OrderDraft) -> None:
    try:
        prepared = now(GATEWAY.prepare(order))
    except InvalidOrderError:
        event("not prepared")
        return
    tick = order.market.tick
    bid = TICK_SIZES[tick].floor(MICRO // 2)
    exchange = venue_of(order.market, cash=10**12, bid=bid, ask=bid + tick)
    answer = offer(exchange, prepared, neg_risk=order.market.neg_risk)
    event(f"{order.order_type} {type(answer).__name__}")
    if isinstance(answer, e.OrderRefused):
        # Whether an order that may rest takes at once is for risk to say, which knows the book.
        crosses = answer.code is e.RefusalCode.MARKETABLE_MIN and order.order_type.rests
        assert answer.code in CHANCE or crosses, answer


@pytest.mark.parametrize("tick", sorted(TICK_SIZES))
@pytest.mark.parametrize("order_type", OrderType)
@pytest.mark.parametrize("side", OrderSide)
def test_an_ordinary_order_of_every_kind_is_prepared_and_taken_on_every_grid(
    tick: int, order_type: OrderType, side: OrderSide
) -> None:
    market = listed(tick)
    price = TICK_SIZES[tick].floor(MICRO // 2)
    ends = NOW_NS + 200 * 1_000_000_000 if order_type is OrderType.GTD else None
    order = draft(market=market, side=side, order_type=order_type, price=price, size=10 * MICRO, expires_ns=ends)
    exchange = venue_of(
        market, cash=10**9, bid=price if side is OrderSide.SELL else 0, ask=price if side is OrderSide.BUY else 0
    )
    assert isinstance(offer(exchange, now(GATEWAY.prepare(order))), e.OrderAccepted)


schedules = st.sampled_from([NO_FEES, *(FeeSchedule(rate=rate) for rate in (40_000, 50_000, 70_000, 250_000))])


@pytest.mark.protocol("5.1")
@settings(max_examples=150, deadline=None)
@given(data=st.data(), tick=ticks, fees=schedules, cash=st.integers(MICRO, 60 * MICRO))
def test_what_risk_lets_through_is_prepared_and_the_money_is_there_fees_included(
    data: st.DataObject, tick: int, fees: FeeSchedule, cash: int
) -> None:
    """A purchase decided with the last cent of an account: the venue, which takes its fee on top, never lacks the money for it."""
    market = listed(tick, fees=fees)
    steps = MICRO // tick
    bid_steps = data.draw(st.integers(1, steps - 2))
    bid, ask = bid_steps * tick, data.draw(st.integers(bid_steps + 1, steps - 1)) * tick
    order_type = data.draw(st.sampled_from(OrderType))
    signal = TradeSignal(
        id="s",
        source="test",
        market=market,
        token_id=YES,
        side=OrderSide.BUY,
        price=data.draw(st.integers(tick, MICRO - tick)),
        size=data.draw(st.integers(5 * MICRO, 400 * MICRO)),
        effect=Effect.OPEN,
        created_ns=NOW_NS,
        expires_ns=NOW_NS + 1,
        order_type=order_type,
        post_only=order_type.rests and data.draw(st.booleans()),
        rest_until_ns=NOW_NS + 125 * 1_000_000_000 if order_type is OrderType.GTD else None,
    )
    decision = _risk(cash, bid, ask).decide_and_reserve(signal)
    if decision.draft is None:
        event(f"refused by risk: {decision.refusal}")
    draft = decision.draft
    assume(draft is not None)
    assert draft is not None
    order = structs.replace(draft, account="sim:test")
    answer = offer(venue_of(market, cash=cash, bid=bid, ask=ask), now(GATEWAY.prepare(order)))
    event(f"{order_type} {type(answer).__name__}")
    if isinstance(answer, e.OrderRefused):
        assert answer.code in CHANCE, answer


def _risk(cash: int, bid: int, ask: int) -> RiskCore:
    portfolio = Portfolio("sim:test", lambda _: None)
    portfolio.transfer(
        journal_id="d",
        kind="deposit",
        debit=LedgerAccount.CASH,
        credit=LedgerAccount.EQUITY,
        amount=cash,
        now_ns=NOW_NS,
    )
    return RiskCore(
        portfolio,
        Halts("sim:test"),
        RiskLimits(min_price=1, max_price=MICRO - 1),
        FixedClock(),
        CountingIds(),
        VenueState(),
        book_of=lambda _: Book(best_bid=bid, best_ask=ask, received_ns=NOW_NS),
        lease_valid=lambda: True,
        committed=lambda _: True,
        market_of=lambda _: None,
        exclusive=lambda _: False,
    )
