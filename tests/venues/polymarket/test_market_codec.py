"""Frames of the market channel become events; bad ones are counted and harm nobody."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.book import (
    BookDelta,
    BookSnapshot,
    Level,
    LevelChange,
    MarketListed,
    MarketResolved,
    TickSizeChange,
    TradePrint,
)
from domain.order import OrderSide
from tests.venues.polymarket.listeners import MarketDiary
from venues.polymarket.market_codec import MarketCodec

YES, NO, CONDITION = "71321", "52114", "0x" + "ab" * 32


def change(token: str = YES, price: str = "0.49", size: str = "35.5", side: str = "BUY") -> dict:
    return {
        "asset_id": token,
        "price": price,
        "size": size,
        "side": side,
        "hash": "aa",
        "best_bid": "0.49",
        "best_ask": "0.52",
    }


def price_change(*changes: dict, **more: Any) -> dict:
    return {
        "market": CONDITION,
        "price_changes": list(changes),
        "timestamp": "1777374001456",
        "event_type": "price_change",
        **more,
    }


def book(token: str = YES, **more: Any) -> dict:
    return {
        "event_type": "book", "market": CONDITION, "asset_id": token, "timestamp": "1777374000456", "hash": "c0ad",
        "bids": [{"price": "0.48", "size": "30"}, {"price": "0.49", "size": "20.5"}], "asks": [{"price": "0.52", "size": "100"}],
        "tick_size": "0.01", "last_trade_price": "0.5", **more,
    }  # fmt: skip


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def told(*frames: bytes) -> tuple[MarketDiary, MarketCodec]:
    diary = MarketDiary()
    codec = MarketCodec(diary)
    for frame in frames:
        codec.feed(frame, 42)
    return diary, codec


@pytest.mark.protocol("4.3")
def test_a_price_change_becomes_one_delta_with_both_tokens() -> None:
    diary, codec = told(compact(price_change(change(), change(NO, "0.51", side="SELL"))))
    (delta,) = diary.events
    assert isinstance(delta, BookDelta)
    assert (delta.condition_id, delta.venue_ms, delta.received_ns) == (CONDITION, 1777374001456, 42)
    first, second = delta.changes
    assert isinstance(first, LevelChange)
    assert (first.token_id, first.side, first.price, first.size) == (YES, "BUY", "0.49", "35.5")
    assert (first.best_bid, first.best_ask) == ("0.49", "0.52")
    assert (second.token_id, second.side) == (NO, "SELL")
    assert (codec.frames, codec.bad, codec.ignored) == (1, 0, 0)


def test_the_order_of_keys_and_the_spacing_do_not_matter() -> None:
    frame = price_change(change())
    shuffled = {key: frame[key] for key in ("event_type", "timestamp", "price_changes", "market")}
    without_type = {key: value for key, value in frame.items() if key != "event_type"}
    variants = (compact(shuffled), json.dumps(frame, indent=1).encode(), compact(without_type), compact([frame]))
    for variant in variants:
        diary, codec = told(variant)
        assert [len(delta.changes) for delta in diary.of(BookDelta)] == [1]
        assert codec.bad == 0


@pytest.mark.protocol("4.2", "4.3")
def test_an_array_of_books_becomes_one_snapshot_each() -> None:
    diary, _ = told(compact([book(YES), book(NO)]))
    assert diary.books == [YES, NO]
    snapshot = diary.events[0]
    assert snapshot.bids[-1] == Level("0.49", "20.5")
    assert snapshot.asks == [Level("0.52", "100")]
    assert (snapshot.tick, snapshot.hash, snapshot.last_trade_price) == (10_000, "c0ad", "0.5")


@pytest.mark.protocol("4.3")
def test_later_books_may_come_without_tick_size_and_last_trade() -> None:
    frame = book()
    del frame["tick_size"], frame["last_trade_price"], frame["hash"]
    diary, _ = told(compact(frame))
    assert (diary.events[0].tick, diary.events[0].last_trade_price, diary.events[0].hash) == (None, "", "")


@pytest.mark.protocol("4.3")
def test_a_trade_is_in_micro_units_of_the_traded_token() -> None:
    frame = {
        "event_type": "last_trade_price", "market": CONDITION, "asset_id": NO, "price": "0.521", "size": "10.25", "side": "SELL",
        "fee_rate_bps": "", "transaction_hash": "0x1", "timestamp": "1777374000456",
    }  # fmt: skip
    diary, _ = told(compact(frame))
    assert diary.events == [TradePrint(NO, CONDITION, OrderSide.SELL, 521_000, 10_250_000, 1777374000456, 42)]


@pytest.mark.protocol("4.3", "9.14")
def test_a_tick_size_change_names_both_grids() -> None:
    frame = {
        "event_type": "tick_size_change", "market": CONDITION, "asset_id": YES, "old_tick_size": "0.01", "new_tick_size": "0.0025",
        "timestamp": "1",
    }  # fmt: skip
    diary, _ = told(compact(frame))
    assert diary.events == [TickSizeChange(YES, CONDITION, 10_000, 2_500, 1, 42)]


@pytest.mark.protocol("4.3", "6.4")
def test_resolutions_and_new_markets_are_passed_on() -> None:
    resolved = {
        "event_type": "market_resolved", "id": "1", "market": CONDITION, "assets_ids": [YES, NO], "winning_asset_id": NO,
        "winning_outcome": "No", "timestamp": "7", "tags": ["x"], "event_message": {"id": "3"},
    }  # fmt: skip
    split = {**resolved, "winning_asset_id": ""}
    listed = {
        "event_type": "new_market", "id": "1", "question": "Will it?", "market": CONDITION, "assets_ids": [YES, NO], "timestamp": "8",
        "fee_schedule": {"rate": "0.04"}, "line": "", "outcomes": ["Yes", "No"],
    }  # fmt: skip
    diary, _ = told(compact(resolved), compact(split), compact(listed))
    assert diary.events == [
        MarketResolved(CONDITION, NO, 7, 42),
        MarketResolved(CONDITION, "", 7, 42),
        MarketListed(CONDITION, [YES, NO], 8, 42),
    ]


def test_best_prices_and_unknown_events_are_ignored_without_being_bad() -> None:
    best = {
        "event_type": "best_bid_ask",
        "market": CONDITION,
        "asset_id": YES,
        "best_bid": "0.4",
        "best_ask": "0.6",
        "timestamp": "1",
    }
    news = {"event_type": "weather", "market": CONDITION, "timestamp": "1"}
    diary, codec = told(compact(best), compact(news), b"[]")
    assert diary.events == []
    assert (codec.ignored, codec.bad) == (2, 0)


BAD_FRAMES = {
    "truncated": compact(price_change(change()))[:-20],
    "truncated fast tail": b'{"market":"0x1","event_type":"price_change"}',
    "not json": b"<html>503</html>",
    "empty": b"",
    "wrong utf-8": b'{"market":"\xff\xfe","timestamp":"1","bids":[],"asks":[],"asset_id":"1"}',
    "deeply nested": b"[" * 100_000,
    "number": b"17",
    "string": b'"PONG?"',
    "no type and no telling fields": compact({"market": CONDITION, "timestamp": "1"}),
    "price as number": compact(price_change({**change(), "price": 0.5})),
    "changes missing": compact({"event_type": "price_change", "market": CONDITION, "timestamp": "1", "x": 1}),
    "timestamp is a word": compact(price_change(change(), timestamp="soon")),
    "book without asks": compact({**book(), "asks": None}),
    "book without token": compact({**book(), "asset_id": ""}),
    "book on an unknown grid": compact({**book(), "tick_size": "0.3"}),
    "new grid unknown": compact({"event_type": "tick_size_change", "market": CONDITION, "asset_id": YES, "old_tick_size": "0.01",
                                 "new_tick_size": "0.07", "timestamp": "1"}),
}  # fmt: skip


def trade(**more: Any) -> bytes:
    return compact({"event_type": "last_trade_price", "market": CONDITION, "asset_id": YES, "price": "0.5", "size": "5", "side": "BUY",
                    "timestamp": "1", **more})  # fmt: skip


BAD_TRADES = {
    "price above 1": trade(price="1.01"),
    "price 0": trade(price="0"),
    "negative price": trade(price="-0.5"),
    "negative size": trade(size="-5"),
    "no size": trade(size="0"),
    "absurd size": trade(size="1e30"),
    "more shares than exist": trade(size="2000000000"),
    "not a number": trade(size="NaN"),
    "unknown side": trade(side="HOLD"),
}


@pytest.mark.parametrize("frame", [*BAD_FRAMES.values(), *BAD_TRADES.values()], ids=[*BAD_FRAMES, *BAD_TRADES])
def test_a_bad_frame_is_counted_and_the_next_one_is_read(frame: bytes) -> None:
    diary, codec = told(frame, compact(price_change(change())))
    assert codec.bad == 1
    assert [type(event).__mro__[1] for event in diary.events] == [BookDelta]


def test_one_bad_object_of_an_array_does_not_harm_the_others() -> None:
    diary, codec = told(compact([book(YES), {**book(NO), "bids": 7}, book("3")]))
    assert diary.books == [YES, "3"]
    assert codec.bad == 1


def test_bad_frames_are_logged_at_most_once_a_second(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture
) -> None:
    codec = MarketCodec(MarketDiary())
    for now_ns in (2_000_000_000, 2_100_000_000, 2_999_999_999, 3_000_000_000):
        codec.feed(b"garbage", now_ns)
    assert (capsys.readouterr().out + caplog.text).count("market frame refused") == 2
    assert codec.bad == 4


def test_a_failing_listener_is_not_mistaken_for_a_bad_frame() -> None:
    class Failing(MarketDiary):
        def on_delta(self, delta: BookDelta) -> None:
            raise ValueError("bug")

    codec = MarketCodec(Failing())
    with pytest.raises(ValueError, match="bug"):
        codec.feed(compact(price_change(change())), 1)
    assert codec.bad == 0


def test_only_tokens_of_this_connection_are_passed_on() -> None:
    diary = MarketDiary()
    heard: dict = {YES: None}
    codec = MarketCodec(diary, heard)
    codec.feed(compact(price_change(change(YES), change(NO))), 1)
    codec.feed(compact(price_change(change(NO))), 2)
    codec.feed(compact([book(NO), book(YES)]), 3)
    codec.feed(trade(asset_id=NO), 4)
    assert [[c.token_id for c in delta.changes] for delta in diary.of(BookDelta)] == [[YES]]
    assert diary.books == [YES]
    assert diary.of(TradePrint) == []
    assert heard[YES] is diary.events[-1]
    assert list(heard) == [YES]


decimals = st.decimals(min_value=0, max_value=1, places=4).map(lambda d: f"{d.normalize():f}")
level_changes = st.builds(
    change, st.sampled_from([YES, NO, "9" * 77]), decimals, decimals, st.sampled_from(["BUY", "SELL"])
)


@given(st.lists(level_changes, min_size=1, max_size=6), st.integers(1, 10**13))
@settings(max_examples=60, deadline=None)
def test_any_price_change_is_read_as_a_plain_json_parser_reads_it(changes: list[dict], stamp: int) -> None:
    diary, codec = told(compact(price_change(*changes, timestamp=str(stamp), event_type="price_change")))
    (delta,) = diary.events
    assert delta.venue_ms == stamp
    assert [(c.token_id, c.price, c.size, c.side) for c in delta.changes] == [
        (c["asset_id"], c["price"], c["size"], c["side"]) for c in changes
    ]
    assert codec.bad == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.sampled_from(
        ["event_type", "market", "asset_id", "timestamp", "bids", "asks", "price_changes", "price", "size", "side", "winning_asset_id",
         "tick_size", "new_tick_size", "old_tick_size", "question", "assets_ids", "best_bid"]), children, max_size=8),
    max_leaves=20,
)  # fmt: skip


@given(st.binary(max_size=200) | json_values.map(compact))
@settings(max_examples=300, deadline=None)
def test_whatever_arrives_the_codec_goes_on(frame: bytes) -> None:
    diary, codec = told(frame, compact(price_change(change())))
    assert isinstance(diary.events[-1], BookDelta)
    assert codec.frames == 2
    for snapshot in diary.of(BookSnapshot):
        assert snapshot.token_id
