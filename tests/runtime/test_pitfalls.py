"""What breaks real bots, done to the whole trader over real sockets: each pitfall of the venue, and how the trader comes out of it.

Pitfalls 8 to 11 (balances, wallets, plain addresses) are in `tests/venues/polymarket/wallet/test_pitfalls.py`.
"""

from __future__ import annotations

import asyncio
from functools import partial
from random import Random

import pytest

from domain.amounts import marketable_size
from domain.fill import FillStatus
from domain.halt import HaltScope
from domain.market import Market
from domain.money import MICRO, format_micros
from domain.order import OrderSide, OrderStatus, OrderType
from domain.signal import Cancel
from runtime.kernel import Kernel
from tests.runtime.kit import signal
from tests.runtime.wire_kit import DEPOSIT, Desk, buy, done, equal_to_the_venue, liquid_market, place, settled
from tests.venues.polymarket.listeners import MarketDiary
from tests.venues.simulator.kit import RunningVenue, trader
from tests.waiting import until
from trading.limits import RiskLimits
from trading.own_orders import OwnOrder
from trading.risk import Refusal
from venues.polymarket.channel import Keepalive
from venues.polymarket.feed import PolymarketFeed
from venues.polymarket.silence import Watchfulness
from venues.simulator.faults.model import (
    Answer,
    Freeze,
    Hold,
    Lose,
    Restart,
    Settle,
    Silence,
    StaleBook,
    TickChange,
    When,
    Where,
)

ALWAYS = When(times=None)
POST = Where(method="POST", path="/order")
WATCHFUL = Watchfulness(silence=2.0, every=0.02, grace=0.02)
"""Silence in seconds of the venue's clock, the rest in real ones."""


def refusal(kernel: Kernel, market: Market, **changes: object) -> tuple[Refusal | None, str]:
    """Submit an intent; return why risk refuses it, and the details."""
    decision = kernel.executor.submit(signal(kernel, market, **changes))
    assert decision is not None
    return decision.refusal, decision.detail


async def books_equal(desk: Desk, kernel: Kernel) -> bool:
    """Tell whether every book of the trader is the venue's own."""
    exchange = desk.venue.venue.world.exchange
    for book in kernel.books:
        truth = exchange.book(book.token_id)
        assert truth is not None
        for side, levels in ((OrderSide.BUY, truth.bids), (OrderSide.SELL, truth.asks)):
            indices, sizes = book.venue_levels(side)
            held = {book.grid.micros[index]: round(size * MICRO) for index, size in zip(indices, sizes, strict=True)}
            if held != dict(levels):
                return False
    return all(book.usable for book in kernel.books)


async def hit(venue: RunningVenue, market: Market, own: OwnOrder, size: str, number: int = 7) -> None:
    """Let a rival sell into our bid."""
    chosen = {"tokens": list(market.token_ids), "negRisk": market.neg_risk, "conditionId": market.condition_id}
    rival = await trader(venue, number, "10000")
    price = format_micros(MICRO - own.order.draft.price)
    status, body = await rival.place(chosen, "BUY", price, size, "FAK", token=1)
    assert status == 200, body


async def resting_bid(kernel: Kernel, market: Market, size: int = 20 * MICRO) -> OwnOrder:
    """Place the best bid of the market."""
    book = kernel.books.get(market.token_ids[0])
    assert book is not None
    own = await place(kernel, market, price=min(book.best_bid + market.tick, book.best_ask - market.tick), size=size)
    assert own.status is OrderStatus.LIVE, own.reason
    return own


@pytest.mark.protocol("9.1")
async def test_01_a_socket_that_goes_silent_while_pong_goes_on_is_found_and_replaced(desk: Desk) -> None:
    kernel = (await desk.start(care=WATCHFUL)).kernel
    frozen = desk.venue.arm(Freeze(), Where(channel="market"))
    desk.venue.pass_time(1)
    await desk.venue.struck(frozen)
    desk.venue.pass_time(20, step=0.25)
    await until(lambda: books_equal(desk, kernel))
    assert isinstance(kernel.ports.feed, PolymarketFeed)
    assert kernel.ports.feed.deaf_sockets >= 1


@pytest.mark.protocol("9.2")
async def test_02_prices_come_from_live_order_books_and_an_old_book_stops_new_risk(desk: Desk) -> None:
    kernel = (await desk.start(limits=RiskLimits())).kernel
    market = liquid_market(kernel)
    desk.venue.clock.move(60)
    assert refusal(kernel, market)[0] is Refusal.STALE_BOOK


@pytest.mark.protocol("9.3", "4.2")
async def test_03_nothing_is_pinged_before_the_subscription_so_no_socket_is_closed(desk: Desk) -> None:
    public = (await desk.start()).public
    diary = MarketDiary()
    feed = PolymarketFeed(
        desk.venue.url.replace("http", "ws"), public.clob, clock=desk.venue.clock, rng=Random(1),
        keepalive=Keepalive(ping_every=0.01, dead_after=1.0),
    )  # fmt: skip
    await feed.start(diary)
    await feed.watch(liquid_market(desk.lives[0].kernel).token_ids)

    async def connected() -> bool:
        return feed.connected

    await until(connected)
    await asyncio.sleep(0.1)
    assert feed.connected
    assert diary.gaps == []
    assert feed.shards[0].channel.connections == 1
    await feed.stop()


@pytest.mark.protocol("9.4")
async def test_04_a_ghost_fill_is_never_sold_and_its_failure_restores_the_account(desk: Desk) -> None:
    trader_ = await desk.start()
    kernel = trader_.kernel
    market = liquid_market(kernel)
    desk.venue.arm(Settle(steps=((2.0, "FAILED"),)), Where(wallet=desk.signer.address), ALWAYS)
    book = kernel.books.get(market.token_ids[0])
    own = await place(
        kernel, market, order_type=OrderType.FAK, price=book.best_ask, size=marketable_size(book.best_ask, 10 * MICRO)
    )
    await until(lambda: filled(own))
    position = kernel.portfolio.positions.get(market.token_ids[0], "test")
    assert position.holding.settled == 0
    assert refusal(kernel, market, side=OrderSide.SELL, effect="reduce")[0] is Refusal.NO_TOKENS
    await settled(desk, kernel)
    assert {fill.status for fill in kernel.portfolio.fills.values()} == {FillStatus.FAILED}
    assert kernel.portfolio.positions.size(market.token_ids[0]) == 0
    assert kernel.portfolio.ledger.cash == DEPOSIT
    await equal_to_the_venue(desk, trader_, market)


async def filled(own: OwnOrder) -> bool:
    return own.filled > 0


@pytest.mark.protocol("9.5")
async def test_05_when_one_of_two_fills_fails_the_other_one_counts(desk: Desk) -> None:
    trader_ = await desk.start()
    kernel = trader_.kernel
    market = liquid_market(kernel)
    own = await resting_bid(kernel, market)
    desk.venue.arm(Settle(steps=((1.0, "FAILED"),)), Where(wallet=desk.signer.address), When(skip=1))
    for number in (7, 8):
        await hit(desk.venue, market, own, "10", number)
    await until(lambda: all_filled(own))
    await settled(desk, kernel)
    statuses = sorted(fill.status for fill in kernel.portfolio.fills.values())
    assert statuses == [FillStatus.CONFIRMED, FillStatus.FAILED]
    assert kernel.portfolio.positions.size(market.token_ids[0]) == 10 * MICRO
    await equal_to_the_venue(desk, trader_, market)


async def all_filled(own: OwnOrder) -> bool:
    return own.status is OrderStatus.MATCHED


@pytest.mark.protocol("9.6")
async def test_06_a_match_that_does_not_settle_for_a_minute_stops_new_risk_until_it_does(desk: Desk) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    desk.venue.arm(Settle(steps=((100.0, "CONFIRMED"),)), Where(wallet=desk.signer.address))
    own = await resting_bid(kernel, market)
    await hit(desk.venue, market, own, "20")
    await until(lambda: all_filled(own))
    await until(lambda: ready_books(kernel))
    await kernel.settlement.check()
    assert refusal(kernel, market, price=20_000)[0] is None
    desk.venue.pass_time(70, step=1.0)
    await kernel.settlement.check()
    code, detail = refusal(kernel, market, price=30_000)
    assert code is Refusal.VENUE
    assert "not settled for more than a minute" in detail
    desk.venue.pass_time(40, step=1.0)
    await settled(desk, kernel)
    await until(lambda: ready_books(kernel))
    await kernel.settlement.check()

    async def allowed() -> bool:
        return refusal(kernel, market, price=40_000)[0] is None

    await until(allowed)  # a minute passed in a moment: a write that was on its way counted as unanswered


@pytest.mark.protocol("9.7")
async def test_07_an_order_whose_end_is_never_told_is_looked_up(desk: Desk) -> None:
    trader_ = await desk.start()
    kernel = trader_.kernel
    market = liquid_market(kernel)
    own = await resting_bid(kernel, market)
    desk.venue.arm(Lose(), Where(channel="user"), ALWAYS)
    await hit(desk.venue, market, own, "20")
    desk.venue.pass_time(60, step=1.0)
    await until(lambda: all_filled(own))
    await settled(desk, kernel)
    await equal_to_the_venue(desk, trader_, market)


@pytest.mark.protocol("9.12")
async def test_12_an_order_version_mismatch_stops_new_risk_and_says_what_to_do(desk: Desk) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    posts = desk.venue.arm(Answer(status=400, body='{"error":"order_version_mismatch"}'), POST, ALWAYS)
    own = await place(kernel, market, price=20_000, size=50 * MICRO)
    assert own.status is OrderStatus.REJECTED
    (halt,) = kernel.halts.active()
    assert halt.scope is HaltScope.VENUE
    assert "order_version_mismatch" in halt.reason
    assert refusal(kernel, market, price=20_000)[0] is Refusal.HALTED
    assert posts.struck == 1


@pytest.mark.protocol("9.13", "3.2")
async def test_13_awkward_sizes_are_cut_to_what_the_venue_takes_and_never_refused_for_decimals(desk: Desk) -> None:
    kernel = (await desk.start()).kernel
    watched = {book.market_id for book in kernel.books}
    markets = [market for market_id in watched if (market := kernel.markets.get(market_id)) is not None]
    for market in markets:
        book = kernel.books.get(market.token_ids[0])
        if not book.two_sided or market.taker_delay_ms:
            continue
        for size in (7_770_000, 11_110_000, 16_080_000):
            intent = signal(kernel, market, order_type=OrderType.FAK, price=book.best_ask, size=size)
            decision = kernel.executor.submit(intent)
            if decision is not None and decision.draft is not None:
                await until(partial(ended, desk, kernel, intent.id))
    reasons = [own.reason for own in kernel.portfolio.orders.all() if own.status is OrderStatus.REJECTED]
    assert not [reason for reason in reasons if not reason.startswith("fak_not_filled")], reasons
    assert any(own.filled for own in kernel.portfolio.orders.all())


async def ended(desk: Desk, kernel: Kernel, intent_id: str) -> bool:
    desk.venue.pass_time(0.05)
    return any(own.order.draft.intent_id == intent_id and own.status.terminal for own in kernel.portfolio.orders.all())


@pytest.mark.protocol("9.14")
async def test_14_a_tick_that_changes_in_flight_costs_one_refusal_and_the_next_order_is_on_the_new_grid(
    desk: Desk,
) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    desk.venue.arm(TickChange(tick="0.1"), Where(method="POST", path="/order", market=market.condition_id))
    own = await place(kernel, market, price=20_000, size=50 * MICRO)
    assert own.status is OrderStatus.REJECTED
    assert own.reason.startswith("off_grid")
    await until(lambda: regridded(kernel, market))
    current = kernel.markets.get(market.id)
    await until(lambda: ready_again(desk, kernel, current))
    again = await place(kernel, current, price=100_000, size=20 * MICRO)
    assert again.status is OrderStatus.LIVE, again.reason


async def regridded(kernel: Kernel, market: Market) -> bool:
    current = kernel.markets.get(market.id)
    return current is not None and current.tick == 100_000


async def ready_again(desk: Desk, kernel: Kernel, market: Market) -> bool:
    desk.venue.pass_time(1, step=0.25)
    now = kernel.ports.clock.monotonic()
    return not kernel.venue_state.stops_opening(market.id, now, post_only=False) and all(
        kernel.books.get(token).usable for token in market.token_ids
    )


@pytest.mark.protocol("9.15", "3.5")
async def test_15_a_restarting_engine_pauses_orders_then_lets_only_resting_ones_in_and_loses_nothing(
    desk: Desk,
) -> None:
    trader_ = await desk.start(absence=2.0)
    kernel = trader_.kernel
    market = liquid_market(kernel)
    resting = await place(kernel, market, price=20_000, size=50 * MICRO)
    desk.venue.arm(Restart(down_seconds=5, post_only_seconds=30))
    desk.venue.pass_time(0.1)
    during = await place(kernel, market, price=30_000, size=50 * MICRO)
    assert during.status is OrderStatus.UNKNOWN
    assert refusal(kernel, market, price=40_000)[0] is Refusal.VENUE
    for _ in range(4):
        desk.venue.pass_time(2, step=0.5)
        await asyncio.sleep(0.05)
    await until(lambda: over(desk, during))
    assert during.status is OrderStatus.REJECTED
    await until(lambda: ready_books(kernel))
    assert refusal(kernel, market, price=40_000)[0] is Refusal.VENUE
    maker = await place(kernel, market, price=40_000, size=50 * MICRO, post_only=True)
    assert maker.status is OrderStatus.LIVE, maker.reason
    assert resting.status is OrderStatus.LIVE
    desk.venue.pass_time(130, step=1.0)
    await until(lambda: ready_books(kernel))
    assert refusal(kernel, market, price=50_000)[0] is None


async def over(desk: Desk, own: OwnOrder) -> bool:
    desk.venue.pass_time(0.5)
    return own.status.terminal


async def ready_books(kernel: Kernel) -> bool:
    return kernel.ports.account_feed.connected and all(book.usable for book in kernel.books)


@pytest.mark.protocol("9.16")
async def test_16_a_delayed_order_is_neither_filled_nor_sent_again_until_the_venue_says_more(desk: Desk) -> None:
    trader_ = await desk.start()
    kernel = trader_.kernel
    market = liquid_market(kernel)
    desk.venue.arm(Hold(milliseconds=3000), Where(market=market.condition_id))
    desk.venue.pass_time(0.1)
    book = kernel.books.get(market.token_ids[0])
    own = await place(
        kernel, market, order_type=OrderType.FAK, price=book.best_ask, size=marketable_size(book.best_ask, 10 * MICRO)
    )
    assert own.status is OrderStatus.DELAYED
    assert own.filled == 0
    kernel.executor.submit(Cancel(id="c-1", source="test", order_id=own.id, reason="never mind"))
    await asyncio.sleep(0.1)
    assert own.status is OrderStatus.DELAYED
    await until(lambda: over(desk, own))
    await settled_or_nothing(desk, kernel, own)
    assert len(desk.venue.venue.world.exchange.orders(desk.signer.address)) == 1
    await equal_to_the_venue(desk, trader_, market)


async def settled_or_nothing(desk: Desk, kernel: Kernel, own: OwnOrder) -> None:
    if own.filled:
        await settled(desk, kernel)


@pytest.mark.protocol("9.17")
async def test_17_a_blocked_region_is_a_rejection_that_only_a_person_can_mend(desk: Desk) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    page = desk.venue.arm(Answer(name="cloudflare_403"), POST, ALWAYS)
    own = await place(kernel, market, price=20_000, size=50 * MICRO)
    assert own.status is OrderStatus.REJECTED
    (halt,) = kernel.halts.active()
    assert halt.scope is HaltScope.VENUE
    assert refusal(kernel, market, price=20_000)[0] is Refusal.HALTED
    assert page.struck == 1
    assert kernel.risk.reservations.free_cash == DEPOSIT


@pytest.mark.protocol("9.18")
@pytest.mark.parametrize("answer", ["could_not_run_500", "silence"])
async def test_18_an_order_taken_behind_an_error_is_found_by_its_id_and_never_sent_again(
    desk: Desk, answer: str
) -> None:
    kernel = (await desk.start()).kernel
    market = liquid_market(kernel)
    do = Silence(seconds=1) if answer == "silence" else Answer(name=answer)
    desk.venue.arm(do, POST, When(stage="after"))
    own = await sent(desk, kernel, market)
    await until(lambda: live(own))
    assert len(desk.venue.venue.world.exchange.orders(desk.signer.address)) == 1


async def sent(desk: Desk, kernel: Kernel, market: Market) -> OwnOrder:
    """Send an order, letting the venue's time pass while its answer is awaited."""
    placing = asyncio.create_task(place(kernel, market, price=20_000, size=50 * MICRO))
    while not placing.done():
        desk.venue.pass_time(0.5)
        await asyncio.sleep(0.01)
    return await placing


async def live(own: OwnOrder) -> bool:
    return own.status is OrderStatus.LIVE


@pytest.mark.protocol("9.18")
async def test_18_an_error_in_front_of_an_order_is_no_order_once_the_venue_has_denied_it_long_enough(
    desk: Desk,
) -> None:
    kernel = (await desk.start(absence=5.0)).kernel
    market = liquid_market(kernel)
    desk.venue.arm(Answer(name="could_not_run_500"), POST, When(stage="before"))
    own = await sent(desk, kernel, market)
    assert own.status is OrderStatus.UNKNOWN
    await asyncio.sleep(0.3)
    assert own.status is OrderStatus.UNKNOWN
    assert kernel.risk.reservations.free_cash < DEPOSIT
    await until(lambda: over(desk, own))
    assert own.status is OrderStatus.REJECTED
    assert kernel.risk.reservations.free_cash == DEPOSIT


@pytest.mark.protocol("9.19")
async def test_19_a_stale_wide_book_of_rest_is_not_believed(desk: Desk) -> None:
    kernel = (await desk.start(care=WATCHFUL)).kernel
    desk.venue.arm(StaleBook(), Where(path="/book*"), ALWAYS)
    for book in kernel.books:
        kernel.ports.feed.request_snapshot(book.token_id)
    desk.venue.pass_time(10, step=0.25)
    await until(lambda: books_equal(desk, kernel))
    assert isinstance(kernel.ports.feed, PolymarketFeed)
    assert kernel.ports.feed.deaf_sockets == 0


@pytest.mark.protocol("9.20")
async def test_20_a_fill_that_a_cancels_answer_hides_is_found_by_reading(desk: Desk) -> None:
    trader_ = await desk.start()
    kernel = trader_.kernel
    market = liquid_market(kernel)
    own = await resting_bid(kernel, market)
    desk.venue.arm(Lose(), Where(channel="user"), ALWAYS)
    await hit(desk.venue, market, own, "8")
    kernel.executor.submit(Cancel(id="c-1", source="test", order_id=own.id, reason="enough"))
    await until(lambda: done(own))
    assert (own.status, own.filled) == (OrderStatus.CANCELLED, 8 * MICRO)
    await settled(desk, kernel)
    assert kernel.portfolio.positions.size(market.token_ids[0]) == 8 * MICRO
    await equal_to_the_venue(desk, trader_, market)


@pytest.mark.protocol("9.20")
async def test_20_the_price_of_a_fill_is_the_trades_and_not_the_orders(desk: Desk) -> None:
    trader_ = await desk.start()
    market = liquid_market(trader_.kernel)
    own = await buy(desk, trader_.kernel, market)
    fills = [fill for fill in trader_.kernel.portfolio.fills.values() if fill.key.order_id == own.id]
    trades = [trade for trade in await trader_.trading.gateway.trades() if trade.order_id == own.id]
    assert {(fill.price, fill.size) for fill in fills} == {(trade.price, trade.size) for trade in trades}
