"""What /api/arbitrage/ shows: executions with their legs, one with everything that happened to it, and what all of them brought."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User
from rest_framework.test import APIClient

from arbitrage.store import recent_executions
from domain.arbitrage import ArbExecution, ArbLeg, ArbStatus, ArbType
from domain.money import MICRO
from domain.order import OrderSide, OrderStatus
from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.redis import sync_client
from polybot_site.roles import sync_roles
from proto.envelope import EventEncoder
from proto.status_mapping import status_to_proto
from tests.trading import factories as f
from tests.trading import rows
from tests.trading.test_api_reads import status_of

pytestmark = pytest.mark.django_db
SECOND = 1_000_000_000
REBALANCING, COMBINATORIAL = ArbType.REBALANCING, ArbType.COMBINATORIAL


@pytest.fixture(autouse=True)
def _account(db, redis_url):
    rows.trading_account()


@pytest.fixture
def api():
    """A viewer: whoever may look may see what arbitrage brings."""
    sync_roles()
    user = User.objects.create_user("looker")
    user.groups.add(Group.objects.get(name="viewer"))
    client = APIClient()
    client.force_authenticate(user)
    return client


def execution(number: int, *, age: int = 0, **changes) -> ArbExecution:
    """Write an execution of two legs that began `age` seconds before now and took one."""
    facts = {
        "id": str(UUID(int=number, version=4)),
        "account": f.ACCOUNT,
        "opportunity_id": "",
        "arb_type": REBALANCING,
        "leg_group_id": f"g-{number}",
        "strategy": "arb",
        "gross_edge_bps": 250,
        "expected": 200_000,
        "fees": 10_000,
        "slippage": 5_000,
        "net_pnl": 150_000,
        "residual": 0,
        "residual_cost": 0,
        "status": ArbStatus.FILLED,
        "started_ns": f.NOW - age * SECOND,
        "completed_ns": f.NOW - (age - 1) * SECOND,
    }
    made = ArbExecution(**(facts | changes))
    rows.write(made, *(leg(made, place) for place in range(2)))
    return made


def leg(of: ArbExecution, number: int, **changes) -> ArbLeg:
    facts = {
        "execution_id": of.id,
        "account": of.account,
        "number": number,
        "order_id": f"0x{number}",
        "market_id": "m1",
        "token_id": (f.YES, f.NO)[number],
        "side": OrderSide.BUY,
        "expected_price": 400_000,
        "filled_price": 404_000,
        "size": 10 * MICRO,
        "filled": 10 * MICRO,
        "unwound": 0,
        "residual": 0,
        "fee": 5_000,
        "slippage_bps": 100,
        "status": "matched",
    }
    return ArbLeg(**(facts | changes))


def ids(answer):
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["results"]]


def test_an_execution_is_shown_with_its_legs_in_exact_decimals(api):
    made = execution(1)
    (shown,) = api.get("/api/arbitrage/executions").json()["results"]

    assert (shown["id"], shown["arb_type"], shown["status"], shown["strategy"]) == (
        made.id,
        "rebalancing",
        "filled",
        "arb",
    )
    assert (shown["expected"], shown["net_pnl"], shown["fees"], shown["slippage"]) == ("0.2", "0.15", "0.01", "0.005")
    assert [(one["number"], one["outcome"], one["filled_price"]) for one in shown["legs"]] == [
        (0, "Yes", "0.404"),
        (1, "No", "0.404"),
    ]
    assert (shown["legs"][0]["slippage_bps"], shown["legs"][0]["fee"]) == (100.0, "0.005")


def test_executions_are_filtered_by_what_they_are(api):
    good = execution(1, age=1)
    bad = execution(2, age=2, status=ArbStatus.FAILED, arb_type=COMBINATORIAL, strategy="other", opportunity_id="o-1")
    list_ = "/api/arbitrage/executions"
    assert ids(api.get(list_)) == [good.id, bad.id]
    assert ids(api.get(f"{list_}?type=combinatorial")) == [bad.id]
    assert ids(api.get(f"{list_}?status=filled")) == [good.id]
    assert ids(api.get(f"{list_}?strategy=other")) == [bad.id]
    assert ids(api.get(f"{list_}?opportunity=o-1")) == [bad.id]
    assert ids(api.get(f"{list_}?group=g-1")) == [good.id]
    assert ids(api.get(f"{list_}?market=m1")) == [good.id, bad.id]
    assert ids(api.get(f"{list_}?market=m2")) == []
    assert "combinatorial" in api.get(f"{list_}?type=magic").json()["detail"]["type"][0]
    assert api.get(f"{list_}?status=done").status_code == 400


def test_pages_follow_each_other_without_gap_or_repetition(api):
    made = [execution(number, age=number // 2).id for number in range(2, 9)]
    pages, cursor = [], None
    while not pages or cursor:
        page = api.get("/api/arbitrage/executions", {"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        pages.append([row["id"] for row in page["results"]])
        cursor = page["next"]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(each for page in pages for each in page) == sorted(made)


def test_the_number_of_queries_does_not_grow_with_the_executions(api, django_assert_max_num_queries):
    for number in range(1, 30):
        execution(number, age=number)
    with django_assert_max_num_queries(8):
        assert len(ids(api.get("/api/arbitrage/executions"))) == 29


def test_executions_belong_to_their_account(api):
    rows.lease("sim:other", seconds=-60)
    ours, other = execution(1), execution(2, account="sim:other", net_pnl=-MICRO)
    assert ids(api.get("/api/arbitrage/executions")) == [ours.id]
    assert ids(api.get("/api/arbitrage/executions?account=sim:other")) == [other.id]
    assert api.get(f"/api/arbitrage/executions/{other.id}").status_code == 404
    assert api.get(f"/api/arbitrage/executions/{other.id}?account=sim:other").status_code == 200
    since = "2020-01-01"
    assert api.get(f"/api/arbitrage/profit?since={since}").json()["total"]["net_pnl"] == "0.15"
    theirs = api.get(f"/api/arbitrage/profit?since={since}&account=sim:other").json()
    assert (theirs["account"], theirs["total"]["net_pnl"]) == ("sim:other", "-1")
    assert api.get("/api/arbitrage/profit?account=nobody").status_code == 400


def test_one_execution_comes_with_its_group_its_orders_and_their_fills(api):
    rows.leg_group()
    first = rows.order(OrderStatus.MATCHED, filled=10 * MICRO, age=2, leg_group=rows.GROUP)
    exit_ = rows.order(OrderStatus.MATCHED, filled=10 * MICRO, age=1, leg_group=rows.GROUP, token_id=f.NO)
    rows.order()
    rows.fill(first, 1), rows.fill(exit_, 2)

    shown = api.get(f"/api/arbitrage/executions/{rows.GROUP}").json()

    assert (shown["group"]["policy"], shown["group"]["state"], shown["group"]["size"]) == (
        "all_or_none",
        "failed",
        "10",
    )
    assert [order["id"] for order in shown["orders"]] == [first.id, exit_.id]
    assert [fill["order_id"] for fill in shown["fills"]] == [first.id, exit_.id]
    assert shown["residual"] == "10"


def test_what_does_not_exist_is_not_found(api):
    assert api.get(f"/api/arbitrage/executions/{UUID(int=9)}").status_code == 404


def test_the_profit_is_summed_together_and_by_type(api):
    execution(1, age=40)
    execution(2, age=30, net_pnl=-50_000, status=ArbStatus.FAILED, residual_cost=MICRO)
    execution(3, age=20, arb_type=COMBINATORIAL, net_pnl=0)
    execution(4, age=10, net_pnl=-1_000, completed_ns=None, status=ArbStatus.PENDING)

    shown = api.get("/api/arbitrage/profit?since=2020-01-01").json()

    total = shown["total"]
    assert (total["executions"], total["running"], total["wins"], total["losses"], total["failed"]) == (4, 1, 1, 1, 1)
    # What is on its way is not expected to have brought anything yet; what it has cost is certain.
    assert (total["expected"], total["net_pnl"], total["residual_cost"]) == ("0.6", "0.099", "1")
    assert [(each["arb_type"], each["net_pnl"]) for each in shown["by_type"]] == [
        ("combinatorial", "0"),
        ("rebalancing", "0.099"),
    ]
    assert [(point["expected"], point["net_pnl"]) for point in shown["curve"]] == [
        ("0.2", "0.15"),
        ("0.4", "0.1"),
        ("0.6", "0.1"),
    ]
    only = api.get("/api/arbitrage/profit?since=2020-01-01&type=combinatorial").json()
    assert (only["total"]["executions"], len(only["curve"]), only["session"]) == (1, 1, False)


def test_a_long_curve_is_thinned_and_keeps_its_end(api, monkeypatch):
    monkeypatch.setattr("arbitrage.api.views.CURVE_POINTS", 10)
    for number in range(1, 36):
        execution(number, age=100 - number, net_pnl=1_000)
    points = api.get("/api/arbitrage/profit?since=2020-01-01").json()["curve"]
    assert len(points) <= 10
    assert points[-1]["net_pnl"] == "0.035"


def test_without_a_moment_it_is_the_running_traders_session(api, redis_url):
    execution(1, age=100)
    in_session = execution(2, age=10)
    began = f.NOW - 50 * SECOND
    with sync_client(redis_url) as redis:
        encoder = EventEncoder(SystemClock(), RandomIds(), epoch=3)
        redis.set(f"status:{f.ACCOUNT}", encoder.encode(status_to_proto(status_of(session_ns=began))))

    shown = api.get("/api/arbitrage/profit").json()

    assert shown["session"] is True
    assert datetime.fromisoformat(shown["since"]) == datetime.fromtimestamp(began // SECOND, UTC)
    assert shown["total"]["executions"] == 1
    assert shown["curve"][0]["at"].startswith(
        datetime.fromtimestamp(in_session.completed_ns / 1e9, UTC).isoformat()[:16]
    )


def test_without_a_trader_it_is_today(api):
    shown = api.get("/api/arbitrage/profit").json()
    assert (shown["session"], shown["total"]["executions"], shown["curve"]) == (False, 0, [])
    assert shown["since"].endswith("T00:00:00Z")
    refused = api.get("/api/arbitrage/profit?since=yesterday")
    assert refused.status_code == 400
    assert refused.json()["detail"] == {"since": ["since was 'yesterday', expected a day such as 2026-11-22"]}


def test_nobody_changes_an_execution_by_the_api(api):
    made = execution(1)
    for method in (api.post, api.put, api.delete):
        assert method(f"/api/arbitrage/executions/{made.id}").status_code in (403, 405)


def test_what_was_journaled_is_read_again_as_it_was(api):
    older = execution(1, age=5)
    newer = execution(2, completed_ns=None, status=ArbStatus.PENDING)
    found = recent_executions(f.ACCOUNT, recent=10)

    def cut(made: ArbExecution) -> ArbExecution:
        """Return it with times as precise as PostgreSQL keeps them."""
        ended = made.completed_ns
        return replace(made, started_ns=made.started_ns // 1000 * 1000, completed_ns=ended and ended // 1000 * 1000)

    assert found == [(cut(each), [leg(each, 0), leg(each, 1)]) for each in (older, newer)]
    assert recent_executions(f.ACCOUNT, recent=1) == found[1:]
