"""What the API shows of orders, positions, fills, the ledger, halts and the trader's status."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from domain.halt import HaltScope
from domain.money import MICRO
from domain.order import OrderStatus
from domain.position import PositionStatus
from domain.status import TraderStatus
from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.redis import sync_client
from markets import keys
from proto.envelope import EventEncoder
from proto.status_mapping import status_to_proto
from tests.trading import factories as f
from tests.trading import rows
from trading.models import EquitySnapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("boss"))
    return client


@pytest.fixture(autouse=True)
def _account(db, redis_url):
    rows.trading_account()


@pytest.fixture
def redis(redis_url):
    with sync_client(redis_url) as client:
        yield client


def ids(answer):
    return [row["id"] for row in answer.json()["results"]]


def test_an_order_is_shown_with_its_market_in_exact_decimals(api):
    order = rows.order(
        OrderStatus.PARTIALLY_FILLED, filled=2_500_000, price=510_000, token_id=f.NO, take_profit=600_000
    )
    (shown,) = api.get("/api/orders").json()["results"]
    assert shown["id"] == order.id
    assert (shown["market_id"], shown["question"], shown["outcome"]) == ("m1", "Will it?", "No")
    assert (shown["price"], shown["size"], shown["filled_size"]) == ("0.51", "10", "2.5")
    assert (shown["side"], shown["order_type"], shown["effect"], shown["status"]) == (
        "buy",
        "GTC",
        "open",
        "partially_filled",
    )
    assert (shown["take_profit"], shown["stop_loss"], shown["status_reason"]) == ("0.6", None, "because")
    assert api.get(f"/api/orders/{order.id}").json() == shown


def test_signed_bytes_never_leave(api):
    rows.order()
    shown = api.get("/api/orders").json()["results"][0]
    assert not {"payload", "signature", "salt"} & shown.keys()


def test_orders_are_filtered_by_status_market_and_strategy(api):
    live = rows.order(OrderStatus.LIVE, age=1)
    unknown = rows.order(OrderStatus.UNKNOWN, age=2)
    matched = rows.order(OrderStatus.MATCHED, filled=10 * MICRO, age=3, strategy="other")
    assert ids(api.get("/api/orders")) == [live.id, unknown.id, matched.id]
    assert ids(api.get("/api/orders?status=open")) == [live.id, unknown.id]
    assert ids(api.get("/api/orders?status=matched")) == [matched.id]
    assert ids(api.get("/api/orders?strategy=other")) == [matched.id]
    assert ids(api.get("/api/orders?market=m2")) == []


def test_an_unknown_status_is_refused_with_those_that_exist(api):
    answer = api.get("/api/orders?status=done")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid"
    assert "partially_filled" in answer.json()["detail"]["status"][0]


def test_pages_follow_each_other_without_gap_or_repetition(api):
    made = [rows.order(age=number).id for number in range(7)]
    first = api.get("/api/orders?limit=3").json()
    second = api.get("/api/orders", {"limit": 3, "cursor": first["next"]}).json()
    third = api.get("/api/orders", {"limit": 3, "cursor": second["next"]}).json()
    assert [row["id"] for page in (first, second, third) for row in page["results"]] == made
    assert third["next"] is None


def test_a_cursor_that_no_page_gave_is_refused_by_name(api):
    answer = api.get("/api/orders?cursor=zzz")
    assert answer.status_code == 400
    assert "cursor" in answer.json()["detail"]


@pytest.mark.parametrize("limit", ["0", "-1", "501", "x", "²", "9" * 5_000])
def test_a_limit_that_no_page_can_have_is_refused_by_name(api, limit):
    answer = api.get("/api/orders", {"limit": limit})
    assert (answer.status_code, list(answer.json()["detail"])) == (400, ["limit"])


def test_another_account_is_shown_only_when_asked_for(api):
    rows.lease("sim:other", seconds=-60)
    ours, other = rows.order(), rows.order(account="sim:other")
    assert ids(api.get("/api/orders")) == [ours.id]
    assert ids(api.get("/api/orders?account=sim:other")) == [other.id]


def test_a_position_is_marked_at_the_best_bid(api, redis):
    rows.position(size=10 * MICRO, price=400_000)
    bid = {"best_bid": "0.47", "bid_size": "5", "best_ask": "", "ask_size": "", "version": 1, "timestamp": 1}
    redis.hset(keys.bbo(f.YES), mapping=bid)
    (shown,) = api.get("/api/positions").json()["results"]
    assert (shown["size"], shown["entry_price"], shown["cost"]) == ("10", "0.4", "4")
    assert (shown["mark_price"], shown["unrealized_pnl"]) == ("0.47", "0.7")
    assert (shown["take_profit"], shown["stop_loss"], shown["status"]) == ("0.6", None, "open")


def test_what_is_not_known_is_null_and_not_zero(api):
    rows.position()
    (shown,) = api.get("/api/positions").json()["results"]
    assert (shown["mark_price"], shown["unrealized_pnl"]) == (None, None)
    assert api.get("/api/ledger").json()["unrealised"] is None


def test_positions_are_all_shown_unless_only_the_open_or_the_closed_ones_are_asked_for(api):
    open_ = rows.position()
    closed = rows.position(f.NO, status=PositionStatus.CLOSED, settled=0, cost=0, closed_ns=f.NOW, exit_price=500_000)
    assert ids(api.get("/api/positions?status=open")) == [open_.id]
    assert ids(api.get("/api/positions?status=closed")) == [closed.id]
    assert set(ids(api.get("/api/positions?status=all"))) == {open_.id, closed.id}
    assert ids(api.get("/api/positions")) == ids(api.get("/api/positions?status=all"))
    assert api.get("/api/positions?status=shut").status_code == 400


def test_fills_are_shown_newest_first(api):
    order = rows.order()
    rows.fill(order, 1), rows.fill(order, 2, size=1_000_000)
    newest, oldest = api.get("/api/fills").json()["results"]
    assert (newest["trade_id"], oldest["trade_id"]) == ("t2", "t1")
    assert (oldest["price"], oldest["size"], oldest["fee"]) == ("0.5", "4", "0.01234")
    assert (oldest["outcome"], oldest["liquidity"], oldest["status"]) == ("Yes", "taker", "confirmed")


def test_profit_comes_from_the_ledger(api, redis):
    rows.ledger("deposit", cash=1000 * MICRO, equity=-1000 * MICRO)
    rows.ledger("buy", cash=-4_010_000, inventory=4_000_000, fees=10_000)
    rows.ledger("sell", cash=2_500_000, inventory=-2_000_000, realised=-500_000)
    rows.position(size=5 * MICRO, price=400_000)
    bid = {"best_bid": "0.5", "bid_size": "5", "best_ask": "", "ask_size": "", "version": 1, "timestamp": 1}
    redis.hset(keys.bbo(f.YES), mapping=bid)
    shown = api.get("/api/ledger").json()
    assert (shown["account"], shown["balanced"], shown["deposits"]) == (f.ACCOUNT, True, "1000")
    assert (shown["cash"], shown["inventory_cost"], shown["inventory_value"]) == ("998.49", "2", "2.5")
    assert (shown["realised"], shown["fees"], shown["profit"], shown["unrealised"]) == ("0.5", "0.01", "0.49", "0.5")


def test_books_that_do_not_balance_are_said_to(api):
    rows.ledger("wrong", cash=5)
    assert api.get("/api/ledger").json()["balanced"] is False


def test_the_curve_is_thinned_and_ends_with_the_newest_point(api):
    for number in range(1203):
        rows.equity(number, cash=1000 * MICRO, cost=10 * MICRO, value=12 * MICRO)
    curve = api.get("/api/ledger").json()["curve"]
    assert 300 < len(curve) <= 500
    newest = EquitySnapshot.objects.latest("created_at").created_at
    assert curve[-1]["at"] == newest.isoformat().replace("+00:00", "Z")
    assert [point["at"] for point in curve] == sorted(point["at"] for point in curve)
    assert (curve[0]["equity"], curve[0]["unrealised"]) == ("1012", "2")


def test_without_any_trader_everything_is_empty_and_nothing_fails(api):
    from trading.models import Lease

    Lease.objects.all().delete()
    for address in ("orders", "positions", "fills"):
        assert api.get(f"/api/{address}").json() == {"next": None, "results": []}
    assert api.get("/api/ledger").json()["account"] is None
    assert api.get("/api/halt").json() == {"halts": [], "quarantine": []}
    status = api.get("/api/status").json()
    assert (status["online"], status["mode"], status["age_seconds"]) == (False, "offline", None)


def test_active_halts_are_shown_with_who_set_them_and_why(api):
    rows.halt(HaltScope.MARKET, "m1")
    (shown,) = api.get("/api/halt").json()["halts"]
    assert (shown["scope"], shown["target"]) == ("market", "m1")
    assert (shown["reason"], shown["set_by"]) == ("look first", "somebody")


def status_of(**changes):
    facts = {
        "mode": "full",
        "account": f.ACCOUNT,
        "venue": "simulator",
        "ready": True,
        "feed_connected": True,
        "user_feed_connected": True,
        "last_message_ns": f.NOW,
        "uptime_seconds": 5,
        "epoch": 3,
        "open_orders": 2,
        "unknown_orders": 0,
        "open_positions": 1,
        "watched_markets": 30,
        "venue_mode": "paused for 4 s more (engine_restarting)",
        "refused_frames": 4,
        "counters": {"accepted": 7, "group_filled": 1},
        "leg_groups": 1,
        "active_strategies": ("flash_crash", "mean_reversion"),
    }
    return TraderStatus(**(facts | changes))


def test_the_status_is_what_the_trader_last_said(api, redis):
    encoder = EventEncoder(SystemClock(), RandomIds(), epoch=3)
    redis.set(f"status:{f.ACCOUNT}", encoder.encode(status_to_proto(status_of())))
    shown = api.get("/api/status").json()
    assert (shown["online"], shown["ready"], shown["mode"], shown["open_orders"]) == (True, True, "full", 2)
    assert shown["strategies"] == ["flash_crash", "mean_reversion"]
    assert shown["venue_mode"] == "paused for 4 s more (engine_restarting)"
    assert shown["refused_frames"] == 4
    assert (shown["counters"], shown["leg_groups"]) == ({"accepted": 7, "group_filled": 1}, 1)
    assert 0 <= shown["age_seconds"] < 60


def test_a_trader_that_fell_silent_is_offline(api, redis):
    redis.set(
        f"status:{f.ACCOUNT}", EventEncoder(f.FixedClock(), RandomIds(), epoch=3).encode(status_to_proto(status_of()))
    )
    shown = api.get("/api/status").json()
    assert shown["online"] is False
    assert shown["age_seconds"] > 60


def test_reading_goes_on_while_redis_is_away(api, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    rows.position()
    assert api.get("/api/positions").json()["results"][0]["mark_price"] is None
    assert api.get("/api/status").json()["online"] is False
