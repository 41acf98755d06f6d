"""The user channel against a real WebSocket server."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.fill import FillStatus, Liquidity
from domain.order import OrderSide, OrderStatus, OrderType
from domain.reports import OrderReport, TradeReport
from infra.clock import SystemClock
from tests.venues.polymarket.listeners import AccountDiary
from tests.venues.polymarket.test_feed import NoPause
from tests.venues.polymarket.ws_server import CONDITION, VenueSockets, until, venue_sockets
from venues.polymarket.account_wire import Identity
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.channel import Keepalive
from venues.polymarket.user_feed import PolymarketAccountFeed

KEY, WALLET = "00000000-0000-4000-8000-000000000001", "0xAbCd000000000000000000000000000000000001"
OTHER = {"owner": "someone", "maker_address": "0x9999000000000000000000000000000000000009"}
YES, NO = "71321", "52114"


def order(**more: Any) -> dict:
    return {
        "event_type": "order", "type": "PLACEMENT", "id": "0xabc", "owner": KEY, "order_owner": KEY, "market": CONDITION, "asset_id": YES,
        "side": "BUY", "price": "0.5", "original_size": "10", "size_matched": "0", "outcome": "Yes", "associate_trades": None,
        "order_type": "GTC", "status": "LIVE", "maker_address": WALLET, "created_at": "1777374000", "expiration": "0",
        "timestamp": "1777374000789", **more,
    }  # fmt: skip


def maker(order_id: str, amount: str, price: str, **more: Any) -> dict:
    return {"order_id": order_id, "owner": KEY, "maker_address": WALLET, "matched_amount": amount, "price": price, "fee_rate_bps": "0",
            "asset_id": NO, "outcome": "No", "outcome_index": 1, "side": "BUY", **more}  # fmt: skip


def trade(*makers: dict, **more: Any) -> dict:
    return {
        "event_type": "trade", "type": "TRADE", "id": "t1", "taker_order_id": "0xtaker", "market": CONDITION, "asset_id": YES, "side": "BUY",
        "size": "10", "price": "0.52", "fee_rate_bps": "0", "status": "MATCHED", "outcome": "Yes", "owner": KEY, "trade_owner": KEY,
        "maker_address": WALLET, "transaction_hash": "", "bucket_index": 0, "trader_side": "TAKER", "match_time": "1777374001",
        "last_update": "1777374001", "timestamp": "1777374001123", "maker_orders": list(makers), **more,
    }  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[VenueSockets]:
    async with venue_sockets() as sockets:
        yield sockets


@pytest.fixture
async def diary(server: VenueSockets) -> AsyncIterator[AccountDiary]:
    """A connected feed's diary; the first entry is the gap of connecting."""
    diary = AccountDiary()
    feed = PolymarketAccountFeed(
        server.url,
        ApiCredentials("0xE0A", KEY, "c2VjcmV0", "pass"),
        Identity(KEY, WALLET),
        clock=SystemClock(),
        rng=NoPause(),
        keepalive=Keepalive(ping_every=0.05),
    )
    await feed.start(diary)
    await until(lambda: feed.connected)
    yield diary
    await feed.stop()


async def _told(server: VenueSockets, diary: AccountDiary, *frames: Any) -> list:
    before = len(diary.events)
    sentinel = order(id="sentinel")
    await server.push(*frames, sentinel)
    await until(lambda: any(isinstance(e, OrderReport) and e.order_id == "sentinel" for e in diary.events[before:]))
    return [e for e in diary.events[before:] if not (isinstance(e, OrderReport) and e.order_id == "sentinel")]


@pytest.mark.protocol("4.4")
async def test_credentials_travel_in_the_first_frame_and_every_connection_begins_with_a_gap(
    server: VenueSockets, diary: AccountDiary
) -> None:
    assert server.received == [{"type": "user", "auth": {"apiKey": KEY, "secret": "c2VjcmV0", "passphrase": "pass"}}]
    assert diary.events == ["user channel connected"]
    await server.drop_all()
    await until(lambda: len(diary.events) == 2)
    assert diary.events == ["user channel connected"] * 2
    assert server.log[0] == "user"


async def test_an_order_event_becomes_a_report(server: VenueSockets, diary: AccountDiary) -> None:
    (report,) = await _told(server, diary, order(size_matched="2.5", associate_trades=["t1", "t2"]))
    assert report == OrderReport(
        order_id="0xabc", status=OrderStatus.PARTIALLY_FILLED, condition_id=CONDITION, token_id=YES, side=OrderSide.BUY, price=500_000,
        original_size=10_000_000, size_matched=2_500_000, order_type=OrderType.GTC, trade_ids=("t1", "t2"), reason="",
        at_ns=1_777_374_000_789_000_000,
    )  # fmt: skip


STATUSES = {
    "LIVE": (OrderStatus.LIVE, ""),
    "MATCHED": (OrderStatus.MATCHED, ""),
    "DELAYED": (OrderStatus.DELAYED, ""),
    "UNMATCHED": (OrderStatus.LIVE, ""),
    "INVALID": (OrderStatus.CANCELLED, "invalid"),
    "CANCELED": (OrderStatus.CANCELLED, ""),
    "CANCELED_MARKET_RESOLVED": (OrderStatus.CANCELLED, "market_resolved"),
    "CANCELED_NOT_ENOUGH_BALANCE": (OrderStatus.CANCELLED, "not_enough_balance"),
    "CANCELED_EXPIRED_ORDER": (OrderStatus.EXPIRED, "expired_order"),
    "CANCELED_by the operator": (OrderStatus.CANCELLED, "by the operator"),
    "ORDER_STATUS_CANCELED": (OrderStatus.CANCELLED, ""),
    "SOMETHING_NEW": (OrderStatus.UNKNOWN, "SOMETHING_NEW"),
}


@pytest.mark.protocol("4.4")
@pytest.mark.parametrize("status", STATUSES)
async def test_every_status_is_understood_and_new_ones_are_unknown(
    server: VenueSockets, diary: AccountDiary, status: str
) -> None:
    (report,) = await _told(server, diary, order(status=status))
    assert (report.status, report.reason) == STATUSES[status]


@pytest.mark.protocol("4.4")
async def test_empty_strings_and_millisecond_times_are_understood(server: VenueSockets, diary: AccountDiary) -> None:
    killed = order(
        size_matched="",
        created_at="",
        order_type="FOK",
        price="0.6",
        original_size="12",
        outcome="",
        status="CANCELED_x",
    )
    old = order(created_at="1703875200000", timestamp="")
    first, second = await _told(server, diary, killed, old)
    assert (first.size_matched, first.original_size) == (None, 20_000_000)
    assert second.at_ns == 1_703_875_200_000_000_000


async def test_a_fak_sell_counts_shares_where_a_fak_buy_counts_dollars(
    server: VenueSockets, diary: AccountDiary
) -> None:
    sell, buy = await _told(
        server,
        diary,
        order(order_type="FAK", side="SELL", original_size="12"),
        order(order_type="FAK", original_size="12"),
    )
    assert (sell.original_size, buy.original_size) == (12_000_000, 24_000_000)


@pytest.mark.protocol("4.4")
async def test_our_taker_trade_is_reported_once_with_its_own_price(server: VenueSockets, diary: AccountDiary) -> None:
    (report,) = await _told(server, diary, trade(maker("0xm", "10", "0.48", **OTHER)))
    assert report == TradeReport(
        trade_id="t1", order_id="0xtaker", condition_id=CONDITION, token_id=YES, side=OrderSide.BUY, price=520_000, size=10_000_000,
        liquidity=Liquidity.TAKER, status=FillStatus.MATCHED, matched_ns=1_777_374_001_000_000_000,
    )  # fmt: skip


@pytest.mark.protocol("4.4")
async def test_as_a_maker_our_entry_counts_on_its_own_token_and_entries_of_one_order_are_summed(
    server: VenueSockets, diary: AccountDiary
) -> None:
    frame = trade(
        maker("0xours", "4", "0.48"),
        maker("0xtheirs", "1", "0.48", **OTHER),
        maker("0xours", "5", "0.48"),
        maker("0xalso", "2.5", "0.47", owner="an older key of ours", maker_address=WALLET.lower()),
        trader_side="MAKER", owner="someone", maker_address="0x9", status="MINED", transaction_hash="0xfeed",
    )  # fmt: skip
    reports = await _told(server, diary, frame)
    assert [(r.order_id, r.token_id, r.side, r.price, r.size) for r in reports] == [
        ("0xours", NO, OrderSide.BUY, 480_000, 9_000_000),
        ("0xalso", NO, OrderSide.BUY, 470_000, 2_500_000),
    ]
    assert {(r.liquidity, r.status, r.transaction_hash) for r in reports} == {
        (Liquidity.MAKER, FillStatus.MINED, "0xfeed")
    }


async def test_a_trade_with_ourselves_reports_both_orders(server: VenueSockets, diary: AccountDiary) -> None:
    reports = await _told(server, diary, trade(maker("0xm", "10", "0.48")))
    assert [(r.order_id, r.liquidity) for r in reports] == [("0xtaker", Liquidity.TAKER), ("0xm", Liquidity.MAKER)]


async def test_a_trade_of_others_is_not_ours(server: VenueSockets, diary: AccountDiary) -> None:
    assert await _told(server, diary, trade(maker("0xm", "1", "0.4", **OTHER), trader_side="", **OTHER)) == []


@pytest.mark.parametrize(("side", "expected"), [("BUY", 513_334), ("SELL", 513_333)])
async def test_an_average_price_with_many_decimals_is_rounded_against_us(
    server: VenueSockets, diary: AccountDiary, side: str, expected: int
) -> None:
    (report,) = await _told(server, diary, trade(price="0.51333333333", side=side))
    assert report.price == expected


@pytest.mark.protocol("4.4")
async def test_frames_without_event_type_and_with_the_other_spelling_of_match_time_are_read(
    server: VenueSockets, diary: AccountDiary
) -> None:
    bare_trade, bare_order = trade(matchtime="1777374005"), order()
    for frame in (bare_trade, bare_order):
        del frame["event_type"]
    del bare_trade["match_time"]
    first, second = await _told(server, diary, [bare_trade, bare_order])
    assert first.matched_ns == 1_777_374_005_000_000_000
    assert isinstance(second, OrderReport)


@pytest.mark.protocol("4.4", "9.4")
@pytest.mark.parametrize("status", ["MATCHED", "MINED", "CONFIRMED", "RETRYING", "FAILED"])
async def test_every_trade_status_is_passed_on(server: VenueSockets, diary: AccountDiary, status: str) -> None:
    (report,) = await _told(server, diary, trade(status=status))
    assert report.status is FillStatus(status.lower())


BAD = {
    "not json": b"<html>",
    "truncated": json.dumps(trade()).encode()[:-40],
    "unknown trade status": trade(status="EVAPORATED"),
    "negative size": trade(size="-1"),
    "size nobody can have": trade(size="NaN"),
    "unknown side": order(side="HOLD"),
    "unknown order type": order(order_type="GTX"),
    "time is a word": trade(match_time="yesterday"),
}


@pytest.mark.parametrize("frame", BAD.values(), ids=BAD.keys())
async def test_an_unreadable_frame_may_have_been_evidence_so_it_is_told(
    server: VenueSockets, diary: AccountDiary, frame: Any
) -> None:
    ((kind, reason),) = await _told(server, diary, frame)
    assert kind == "refused"
    assert reason.startswith("a frame of the user channel was refused: ")


HOSTILE = {
    "a fill that is someone else's": trade(**OTHER),
    "a fill nobody owns": trade(owner="", maker_address=""),
    "a price of nothing": trade(price="0"),
    "a negative price": trade(price="-0.5"),
    "a price of one": trade(price="1"),
    "a price above one": trade(price="1.01"),
    "an enormous price": trade(price="9" * 400),
    "a price in another notation": trade(price="5e-1"),
    "no size": trade(size="0"),
    "a negative size": trade(size="-10"),
    "an enormous size": trade(size="1000000001"),
    "a size too long to be meant": trade(size="1" * 5000),
    "not a number": trade(size="NaN"),
    "infinity": trade(size="Infinity"),
    "an unknown trade status": trade(status="SETTLED_BY_MAGIC"),
    "an unknown side": trade(side="HOLD"),
    "a maker's fill outside the book": trade(maker("0xm", "5", "1.2"), trader_side="MAKER", **OTHER),
    "a maker's negative fill": trade(maker("0xm", "-5", "0.4"), trader_side="MAKER", **OTHER),
    "an order above one": order(price="1.5"),
    "an order below nothing": order(price="-0.1"),
    "an order larger than the world": order(original_size="1000000001"),
    "an order that matched less than nothing": order(size_matched="-1"),
    "a type nobody has": order(order_type="IOC"),
    "a time that is none": order(timestamp="yesterday"),
}


@pytest.mark.parametrize("frame", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_cannot_be_believed_changes_nothing_and_is_told(
    server: VenueSockets, diary: AccountDiary, frame: Any
) -> None:
    ((kind, _),) = await _told(server, diary, frame)
    assert kind == "refused"


async def test_other_events_are_ignored(server: VenueSockets, diary: AccountDiary) -> None:
    assert await _told(server, diary, {"event_type": "weather"}, []) == []
