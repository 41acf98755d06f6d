"""The whole client against the simulated venue, which shares no code with it and checks every signature by other libraries."""

import dataclasses
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from domain.amounts import marketable_size
from domain.fill import FillStatus, Liquidity
from domain.market import Market
from domain.money import parse_micros
from domain.order import Effect, OrderDraft, OrderSide, OrderStatus, OrderType
from domain.reports import Accepted, OrderReport, Rejected, TradeReport, Uncertain
from markets.books import Books
from tests.venues.polymarket.listeners import AccountDiary
from tests.venues.polymarket.pacing import alone
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS
from tests.venues.polymarket.ws_server import until
from tests.venues.simulator.kit import CountingIds, RunningVenue, running_venue
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.connect import Public, Trading, open_public, open_trading
from venues.polymarket.gateway import PolymarketGateway
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import SignatureType

ACCOUNT = "sim:test"
LATER = 1e12
WALLETS = {
    SignatureType.EOA: ADDRESS,
    SignatureType.POLY_PROXY: VECTORS["derived_wallets"]["proxy"],
    SignatureType.POLY_GNOSIS_SAFE: VECTORS["derived_wallets"]["safe"],
    SignatureType.POLY_1271: VECTORS["derived_wallets"]["deposit_wallet_beacon"],
}


@pytest.fixture
async def venue(warm_folder: Path, tmp_path: Path) -> AsyncIterator[RunningVenue]:
    async with running_venue(Path(shutil.copytree(warm_folder, tmp_path / "venue"))) as running:
        yield running


def config(venue: RunningVenue, **more: Any) -> PolymarketConfig:
    ws = venue.url.replace("http", "ws")
    return PolymarketConfig(account=ACCOUNT, clob_url=venue.url, gamma_url=venue.url + "/gamma", ws_url=ws, **more)


@pytest.fixture
async def public(venue: RunningVenue) -> AsyncIterator[Public]:
    public = open_public(config(venue), clock=venue.clock, rng=Random(1), budgets=alone())
    yield public
    await public.close()


async def open_account(venue: RunningVenue, kind: SignatureType = SignatureType.EOA) -> Trading:
    wallet = WALLETS[kind]
    owner = {} if kind is SignatureType.EOA else {"owner": ADDRESS, "signature_type": int(kind)}
    status, _ = await venue.fund(wallet, "1000", **owner)
    assert status == 200
    return await open_trading(
        config(venue, signature_type=kind, funder="" if kind is SignatureType.EOA else wallet),
        LocalSigner(PRIVATE_KEY), clock=venue.clock, ids=CountingIds(), rng=Random(1), budgets=alone(),
    )  # fmt: skip


@pytest.fixture
async def trading(venue: RunningVenue) -> AsyncIterator[Trading]:
    trading = await open_account(venue)
    yield trading
    await trading.close()


async def some_market(venue: RunningVenue, public: Public, *, neg_risk: bool = False) -> Market:
    chosen = await venue.some_market(neg_risk=neg_risk)
    found = await public.catalog.market(chosen["conditionId"])
    assert found is not None
    return found


async def best_prices(public: Public, token_id: str) -> tuple[int, int]:
    (book,) = await public.clob.books([token_id])
    return parse_micros(book.bids[-1].price), parse_micros(book.asks[-1].price)


async def status_of(gateway: PolymarketGateway, order_id: str) -> OrderStatus:
    report = await gateway.order(order_id)
    assert report is not None
    return report.status


def draft(market: Market, **more: Any) -> OrderDraft:
    fields: dict[str, Any] = {
        "account": ACCOUNT, "decision_id": "d", "intent_id": "i", "strategy": "s", "market": market, "token_id": market.token_ids[0],
        "side": OrderSide.BUY, "order_type": OrderType.GTC, "price": market.tick, "size": 10_000_000, "effect": Effect.OPEN,
    }  # fmt: skip
    return OrderDraft(**{**fields, **more})


@pytest.mark.protocol("6.1")
async def test_the_whole_catalogue_is_read_and_each_market_alone_is_the_same(public: Public) -> None:
    markets, groups = await public.catalog.markets()
    assert len(markets) >= 30
    assert len(groups) >= 10
    assert sum(len(group.market_ids) >= 3 for group in groups) >= 5
    assert any(market.neg_risk for market in markets)
    assert public.catalog.skipped == 0
    for market in markets[:10]:
        alone = await public.catalog.market(market.condition_id)
        assert alone is not None
        assert dataclasses.replace(alone, volume=0, volume_24h=0, category=market.category) == dataclasses.replace(
            market, volume=0, volume_24h=0
        )
    assert await public.catalog.market("0x" + "00" * 32) is None


@pytest.mark.protocol("4.3")
async def test_books_follow_the_venue_to_the_last_level(venue: RunningVenue, public: Public) -> None:
    markets, _ = await public.catalog.markets()
    watched = [market for market in markets if market.tradable][:8]
    tokens = [token for market in watched for token in market.token_ids]
    books = Books(venue.clock, public.feed.request_snapshot)
    for market in watched:
        books.watch(market)
    await public.feed.start(books)
    await public.feed.watch(tokens)
    await until(lambda: public.feed.connected and all(book.trusted for book in books))
    for _ in range(20):
        venue.pass_time(0.5)
        await until(lambda: True)
    truth = {book.token_id: book for book in await public.clob.books(tokens)}

    def equal() -> bool:
        return all(book.same_levels(truth[book.token_id].bids, truth[book.token_id].asks) for book in books)

    await until(equal)
    assert public.clob.wrong_hashes == 0
    assert sum(shard.codec.bad for shard in public.feed.shards) == 0
    assert public.feed.shards[0].codec.frames > 100
    assert books.counters.malformed == 0


@pytest.mark.protocol("3.1", "9.10")
@pytest.mark.parametrize("kind", SignatureType)
async def test_every_account_type_places_reads_and_cancels_an_order(
    venue: RunningVenue, public: Public, kind: SignatureType
) -> None:
    trading = await open_account(venue, kind)
    gateway = trading.gateway
    for neg_risk in (False, True):
        market = await some_market(venue, public, neg_risk=neg_risk)
        prepared = await gateway.prepare(draft(market, post_only=True))
        assert await gateway.send(prepared, LATER) == Accepted(order_id=prepared.order_id, status=OrderStatus.LIVE)
        report = await gateway.order(prepared.order_id)
        assert report is not None
        assert (report.status, report.price, report.original_size, report.size_matched) == (
            OrderStatus.LIVE, market.tick, 10_000_000, 0,
        )  # fmt: skip
        assert [r.order_id for r in await gateway.open_orders()] == [prepared.order_id]
        duplicate = await gateway.send(prepared, LATER)
        assert isinstance(duplicate, Uncertain)
        assert "uplicated" in duplicate.text
        outcome = await gateway.cancel([prepared.order_id, "0x" + "00" * 32])
        assert outcome.cancelled == (prepared.order_id,)
        assert list(outcome.refused) == ["0x" + "00" * 32]
        assert await status_of(gateway, prepared.order_id) is OrderStatus.CANCELLED
    await trading.close()


@pytest.mark.protocol("3.8", "4.4")
async def test_a_fill_is_reported_alike_by_the_answer_the_channel_and_rest_until_it_is_confirmed(
    venue: RunningVenue, public: Public, trading: Trading
) -> None:
    market = await some_market(venue, public)
    token = market.token_ids[0]
    _, ask = await best_prices(public, token)
    diary = AccountDiary()
    await trading.account_feed.start(diary)
    await until(lambda: diary.events == ["user channel connected"])
    size = marketable_size(ask, 7_000_000)
    prepared = await trading.gateway.prepare(draft(market, order_type=OrderType.FAK, price=ask, size=size))
    outcome = await trading.gateway.send(prepared, LATER)
    assert isinstance(outcome, Accepted)
    assert outcome.status is OrderStatus.MATCHED
    assert outcome.trade_ids
    await until(lambda: diary.of(TradeReport))
    venue.pass_time(10)
    await until(lambda: any(r.status is FillStatus.CONFIRMED for r in diary.of(TradeReport)))
    trades = await trading.gateway.trades(venue.clock.now_ns() - 3_600_000_000_000)
    assert {t.trade_id for t in trades} == set(outcome.trade_ids) == {t.trade_id for t in diary.of(TradeReport)}
    assert sum(t.size for t in trades) >= size
    for report in (*trades, *diary.of(TradeReport)):
        assert (report.order_id, report.token_id, report.side, report.liquidity) == (
            prepared.order_id, token, OrderSide.BUY, Liquidity.TAKER,
        )  # fmt: skip
        assert report.price <= ask
    order = await trading.gateway.order(prepared.order_id)
    assert order is not None
    assert (order.status, order.original_size) == (OrderStatus.MATCHED, size)
    balances = await trading.gateway.balances([token])
    assert balances.tokens[token] == sum(t.size for t in trades)
    assert balances.cash < 1_000_000_000
    seen = {report.order_id for report in diary.of(OrderReport)}
    assert seen <= {prepared.order_id}

    bid, _ = await best_prices(public, token)
    sell = await trading.gateway.prepare(
        draft(market, side=OrderSide.SELL, order_type=OrderType.FAK, price=bid, size=size, effect=Effect.REDUCE)
    )
    assert isinstance(await trading.gateway.send(sell, LATER), Accepted)


@pytest.mark.protocol("3.10")
async def test_what_the_venue_refuses_is_rejected_with_its_code(
    venue: RunningVenue, public: Public, trading: Trading
) -> None:
    market = await some_market(venue, public)
    token = market.token_ids[0]
    bid, ask = await best_prices(public, token)
    cases = {
        "fok_not_filled": draft(market, order_type=OrderType.FOK, price=ask, size=marketable_size(ask, 1_500_000_000)),
        "fak_not_filled": draft(market, order_type=OrderType.FAK, price=market.tick, size=500_000_000),
        "post_only_would_cross": draft(market, price=ask, post_only=True),
        "not_enough_balance": draft(market, side=OrderSide.SELL, price=ask),
        "off_grid": draft(dataclasses.replace(market, tick=100), price=bid - 100),
        "below_min_size": draft(dataclasses.replace(market, min_size=0), size=1_000_000),
    }
    for code, bad in cases.items():
        outcome = await trading.gateway.send(await trading.gateway.prepare(bad), LATER)
        assert isinstance(outcome, Rejected), (code, outcome)
        assert outcome.code == code
        left = await trading.gateway.order(outcome.order_id)
        assert left is None or (left.status.terminal and not left.size_matched)
    too_much = await trading.gateway.prepare(draft(market, price=bid, size=100_000_000_000))
    refused: Any = await trading.gateway.send(too_much, LATER)
    assert refused.code == "not_enough_balance"


@pytest.mark.protocol("3.4")
async def test_a_gtd_order_is_taken_and_ends_when_it_shall(
    venue: RunningVenue, public: Public, trading: Trading
) -> None:
    market = await some_market(venue, public)
    end = venue.clock.now_ns() + 150_000_000_000
    prepared = await trading.gateway.prepare(draft(market, order_type=OrderType.GTD, expires_ns=end))
    assert isinstance(await trading.gateway.send(prepared, LATER), Accepted)
    venue.jump(140)
    assert await status_of(trading.gateway, prepared.order_id) is OrderStatus.LIVE
    venue.jump(12)
    assert (await status_of(trading.gateway, prepared.order_id)).terminal


@pytest.mark.protocol("3.6")
async def test_cancel_all_leaves_nothing(venue: RunningVenue, public: Public, trading: Trading) -> None:
    market = await some_market(venue, public)
    sent = [await trading.gateway.prepare(draft(market, price=market.tick * (n + 1))) for n in range(3)]
    for prepared in sent:
        assert isinstance(await trading.gateway.send(prepared, LATER), Accepted)
    outcome = await trading.gateway.cancel_all()
    assert set(outcome.cancelled) == {prepared.order_id for prepared in sent}
    assert await trading.gateway.open_orders() == []


async def test_the_venues_clock_is_read(venue: RunningVenue, public: Public) -> None:
    assert await public.clob.server_time() == venue.clock.now_ns() // 10**9
