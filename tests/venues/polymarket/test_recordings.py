"""Recorded messages are read without loss; those the venue no longer sends are refused."""

import csv
import gzip
import json
from pathlib import Path

import msgspec
import pytest

from domain.book import BookDelta, BookSnapshot, MarketListed, MarketResolved, TickSizeChange, TradePrint
from domain.errors import PolybotError
from domain.fill import FillStatus, Liquidity
from domain.market import Market, MarketStatus
from domain.order import OrderSide, OrderStatus, OrderType
from tests.venues.polymarket.listeners import MarketDiary
from tests.venues.polymarket.recordings import DATA, needs_recordings
from venues.polymarket.account_wire import Identity, WireOrder, WireTrade, order_report, trade_reports
from venues.polymarket.clob import ClobMarket, WireBook
from venues.polymarket.gamma_wire import ItemError, WireEvent, WireMarket, read_group, read_market
from venues.polymarket.market_codec import MarketCodec

pytestmark = needs_recordings

MESSAGES = {
    "py_book.json": BookSnapshot,
    "py_last_trade_price.json": TradePrint,
    "py_price_change_v2.json": BookDelta,
    "py_tick_size_change.json": TickSizeChange,
    "ws_book_snapshot.json": BookSnapshot,
    "ws_last_trade.json": TradePrint,
    "ws_market_book_msg.json": BookSnapshot,
    "ws_market_last_trade_msg.json": TradePrint,
    "ws_market_new_market_msg.json": MarketListed,
    "ws_market_price_change_msg.json": BookDelta,
    "ws_market_resolved_msg.json": MarketResolved,
    "ws_market_tick_size_msg.json": TickSizeChange,
    "ws_quotes.json": BookDelta,
    "ws_tick_size_change.json": TickSizeChange,
}


def read(folder: str, name: str) -> bytes:
    return (DATA / folder / name).read_bytes()


@pytest.mark.protocol("4.3")
@pytest.mark.parametrize("name", MESSAGES)
def test_a_recorded_message_becomes_its_event(name: str) -> None:
    diary = MarketDiary()
    codec = MarketCodec(diary)
    codec.feed(read("polymarket_ws/messages", name), 1)
    assert codec.bad == 0
    assert len(diary.events) == 1
    assert isinstance(diary.events[0], MESSAGES[name])


def test_best_prices_are_ignored_and_the_form_of_before_2025_is_refused() -> None:
    codec = MarketCodec(MarketDiary())
    codec.feed(read("polymarket_ws/messages", "ws_market_best_bid_ask_msg.json"), 1)
    assert (codec.ignored, codec.bad) == (1, 0)
    codec.feed(read("polymarket_ws/messages", "py_price_change.json"), 1)
    assert codec.bad == 1


@pytest.mark.protocol("4.4")
@pytest.mark.parametrize(
    "path", sorted((DATA / "polymarket_user").glob("*order_[cfmpuv]*.json")) or [Path("none")], ids=lambda p: p.name
)
def test_every_recorded_order_event_is_read(path: Path) -> None:
    order = msgspec.json.decode(path.read_bytes(), type=WireOrder)
    report = order_report(order)
    assert report.order_id == order.id
    assert report.status is not OrderStatus.UNKNOWN
    assert report.at_ns > 1_500_000_000_000_000_000


def test_a_killed_fok_is_cancelled_with_the_venues_words() -> None:
    report = order_report(msgspec.json.decode(read("polymarket_user", "ws_user_order_fok_killed.json"), type=WireOrder))
    assert report.status is OrderStatus.CANCELLED
    assert report.reason == "order couldn't be fully filled. fok orders are fully filled or killed."
    assert report.size_matched is None
    assert report.original_size == 20_000_000  # 12 dollars at 0.6
    assert report.order_type is OrderType.FOK


def test_partial_and_full_matches_and_the_venues_own_cancel_are_told_apart() -> None:
    statuses = {
        name: order_report(
            msgspec.json.decode(read("polymarket_user", f"ws_user_order_{name}.json"), type=WireOrder)
        ).status
        for name in ("placement", "update", "matched", "cancellation", "venue_cancel")
    }
    assert statuses == {
        "placement": OrderStatus.LIVE,
        "update": OrderStatus.PARTIALLY_FILLED,
        "matched": OrderStatus.MATCHED,
        "cancellation": OrderStatus.CANCELLED,
        "venue_cancel": OrderStatus.CANCELLED,
    }


@pytest.mark.protocol("3.8")
def test_recorded_rest_orders_are_read() -> None:
    page = json.loads(read("polymarket_user", "http_open_orders_page.json"))
    orders = [
        *page["data"],
        *(json.loads(read("polymarket_user", f"http_open_order{x}.json")) for x in ("", "_sell_fok")),
    ]
    reports = [order_report(msgspec.convert(order, WireOrder)) for order in orders]
    assert [r.status for r in reports] == [
        OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.PARTIALLY_FILLED, OrderStatus.MATCHED,
    ]  # fmt: skip


@pytest.mark.protocol("3.8")
def test_our_part_of_a_recorded_trade_with_many_makers_is_our_own_entries() -> None:
    trade = msgspec.json.decode(read("polymarket_user", "py_user_trade4.json"), type=WireTrade)
    ours = Identity("a93a3d32-74fa-dd2b-4b67-98bfa6fc5cb5", "0x0000000000000000000000000000000000000001")
    reports = trade_reports(trade, ours)
    assert [(r.order_id[:8], r.price, r.size, r.side, r.liquidity, r.status) for r in reports] == [
        ("0x3ad09f", 400_000, 5_000_000, OrderSide.BUY, Liquidity.MAKER, FillStatus.CONFIRMED),
        ("0x67b598", 300_000, 5_000_000, OrderSide.BUY, Liquidity.MAKER, FillStatus.CONFIRMED),
    ]


@pytest.mark.parametrize("name", ["py_user_trade2", "ws_user_trade", "ws_user_trade_msg", "http_trade_report"])
def test_a_recorded_taker_trade_is_ours_at_the_top(name: str) -> None:
    trade = msgspec.json.decode(read("polymarket_user", f"{name}.json"), type=WireTrade)
    with pytest.raises(ValueError, match="given as ours"):
        trade_reports(trade, Identity("nobody", "0x0"))
    (report,) = trade_reports(trade, Identity(trade.owner, "0x0"))
    assert report.order_id == trade.taker_order_id
    assert report.liquidity is Liquidity.TAKER
    assert report.matched_ns > 1_700_000_000_000_000_000


def test_a_maker_entry_without_side_takes_the_opposite_on_the_same_token_and_the_same_on_the_complement() -> None:
    trade = msgspec.json.decode(read("polymarket_user", "py_user_trade1.json"), type=WireTrade)
    assert trade.maker_orders is not None
    complement, same, *_ = trade.maker_orders
    assert (trade.side, trade.trader_side) == ("BUY", "MAKER")
    for entry, side in ((complement, OrderSide.BUY), (same, OrderSide.SELL)):
        (report,) = trade_reports(trade, Identity(entry.owner, "0x0"))
        assert (report.side, report.token_id) == (side, entry.asset_id)


@pytest.mark.protocol("3.9")
@pytest.mark.parametrize("name", ["clob_book_response.json", "py_book.json"])
def test_recorded_rest_books_are_read(name: str) -> None:
    book = msgspec.json.decode(read("polymarket_clob_rest", name), type=WireBook)
    assert book.bids
    assert book.asks


@pytest.mark.protocol("3.9")
def test_recorded_clob_markets_are_read() -> None:
    page = json.loads(gzip.decompress(read("polymarket_clob_rest", "clob_markets_100.json.gz")))
    markets = [msgspec.convert(item, ClobMarket, strict=False) for item in page["data"]]
    assert len(markets) == 100
    for name in ("clob_market_closed_binary_accepting_false.json", "clob_market_closed_binary_accepting_true.json"):
        assert msgspec.json.decode(read("polymarket_clob_rest", name), type=ClobMarket).closed


@pytest.mark.protocol("6.2")
def test_every_recorded_active_market_is_read() -> None:
    items = json.loads(gzip.decompress(read("polymarket_gamma", "active_markets_100_20251104.json.gz")))
    markets = [read_market(msgspec.convert(item, WireMarket), "polymarket") for item in items]
    assert len(markets) == 100
    assert sum(market.neg_risk for market in markets) == 68
    mamdani = markets[0]
    assert (mamdani.id, mamdani.tick, mamdani.min_size, mamdani.group_id) == ("538932", 1_000, 5_000_000, "23246")
    assert mamdani.tradable
    assert mamdani.volume == 123_082_232_722_589
    assert mamdani.end_ns == 1_762_257_600_000_000_000


def test_every_recorded_five_minute_market_is_read_with_its_winner_and_fees() -> None:
    lines = gzip.decompress(read("polymarket_gamma", "btc_5m_markets_20260724.jsonl.gz")).splitlines()
    rows = [json.loads(line) for line in lines]
    raws = [json.loads(row["raw"]) if isinstance(row["raw"], str) else row["raw"] for row in rows]
    markets = [read_market(msgspec.convert(raw, WireMarket), "polymarket") for raw in raws]
    assert len(markets) == 292
    winners = [market.outcomes[market.winner] for market in markets if market.winner is not None]
    assert winners.count("Down") == 152
    assert winners.count("Up") == 140
    assert all(market.status is MarketStatus.SETTLED for market in markets)
    assert all(market.fees.rate > 0 for market in markets)


def test_recorded_edge_cases_of_the_listing_are_read_or_refused_with_a_reason() -> None:
    results: dict[str, Market | str] = {}
    for path in sorted((DATA / "polymarket_gamma" / "messages").glob("gamma_market*.json")):
        try:
            results[path.stem.removeprefix("gamma_market")] = read_market(
                msgspec.json.decode(path.read_bytes(), type=WireMarket), "polymarket"
            )
        except ItemError as error:
            results[path.stem.removeprefix("gamma_market")] = str(error)
    refused = {name for name, result in results.items() if isinstance(result, str)}
    assert "_closed_nonbinary_legacy" in refused
    assert results[""] == "fees are enabled, but there is no feeSchedule"
    money_line = results["_sports_market_money_line"]
    assert isinstance(money_line, Market)
    assert money_line.closed_ns is not None
    assert not any(result.tradable for result in results.values() if isinstance(result, Market) and result.closed_ns)


@pytest.mark.protocol("6.3")
def test_a_recorded_event_holds_its_markets() -> None:
    (event,) = msgspec.json.decode(read("polymarket_gamma/messages", "gamma_event.json"), type=list[WireEvent])
    wires = [msgspec.json.decode(raw, type=WireMarket) for raw in event.markets]
    markets = [read_market(wire, "polymarket", group_id=str(event.id)) for wire in wires]
    group = read_group(event, {market.id: wire for market, wire in zip(markets, wires, strict=True)})
    assert len(group.market_ids) == 2
    assert group.exclusive
    assert all(market.group_id == group.id == "30829" for market in markets)


def test_recorded_election_markets_have_readable_lists() -> None:
    with gzip.open(DATA / "polymarket_gamma" / "election_markets_500.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    read_count = 0
    for row in rows:
        wire = WireMarket(
            id=row["id"], condition_id=row["conditionId"], clob_token_ids=row["clobTokenIds"], outcomes=row["outcomes"],
            order_price_min_tick_size="0.01", order_min_size="5",
        )  # fmt: skip
        try:
            read_market(wire, "polymarket")
        except PolybotError:
            continue
        read_count += 1
    assert read_count > 450
