"""Budgets: what a signer and a network address may send, what the answers say of it, and when they are refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.venues.simulator.kit import trader
from tests.venues.simulator.test_modes import raw
from venues.simulator.clob.limits import TIERS, SignerLimits, tier_of
from venues.simulator.inputs import SetEngine
from venues.simulator.ip_limits import IpLimits
from venues.simulator.refusals import RefusalError

pytestmark = pytest.mark.protocol("3.11")
NOW = 1_790_000_000 * 10**9
MILLION = 10**12


def limits(volume: int = 0) -> SignerLimits:
    return SignerLimits(lambda _address: volume)


def test_a_tier_is_earned_by_volume():
    assert [tier_of(tier.volume * 10**6).name for tier in TIERS] == [tier.name for tier in TIERS]
    assert tier_of(29_999 * 10**6).name == "Standard"
    table = {
        tier.name: (tier.orders.refill, tier.orders.burst, tier.cancels.refill, tier.cancels.burst) for tier in TIERS
    }
    assert table["Standard"] == (40, 60, 80, 120)
    assert table["Gold"] == (400, 600, 800, 1200)
    assert table["Diamond"] == (525, 787, 1050, 1575)


def test_orders_are_refused_when_they_cost_more_than_there_is_and_come_back_with_time():
    bucket = limits()
    headers = bucket.orders("a", 55, NOW)
    assert headers == {
        "Poly-RateLimit-Remaining": "5",
        "Poly-RateLimit-Reset": str(NOW // 10**9 + 2),
        "Poly-RateLimit-Tier": "Standard",
        "Poly-RateLimit-Warning": "true",
    }
    with pytest.raises(RefusalError) as refused:
        bucket.orders("a", 15, NOW)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
    assert bucket.orders("b", 15, NOW)["Poly-RateLimit-Remaining"] == "45"
    assert bucket.orders("a", 15, NOW + 250_000_000)["Poly-RateLimit-Remaining"] == "0"


@pytest.mark.parametrize(("volume", "overdraws"), [(0, True), (499_999 * 10**6, True), (3 * MILLION, False)])
def test_cancels_of_lower_tiers_overdraw_and_those_of_higher_ones_do_not(volume, overdraws):
    bucket = limits(volume)
    burst = tier_of(volume).cancels.burst
    bucket.cancels("a", burst - 1, NOW)
    if overdraws:
        assert bucket.cancels("a", 50, NOW)["Poly-RateLimit-Remaining"] == "-49"
        with pytest.raises(RefusalError):
            bucket.cancels("a", 1, NOW)
    else:
        with pytest.raises(RefusalError):
            bucket.cancels("a", 50, NOW)
        assert bucket.cancels("a", 1, NOW)["Poly-RateLimit-Remaining"] == "0"


def test_a_tier_is_looked_at_again_after_a_minute():
    volumes = [0]
    bucket = SignerLimits(lambda _address: volumes[-1])
    assert bucket.orders("a", 1, NOW)["Poly-RateLimit-Tier"] == "Standard"
    volumes.append(10 * MILLION)
    assert bucket.orders("a", 1, NOW + 59 * 10**9)["Poly-RateLimit-Tier"] == "Standard"
    assert bucket.orders("a", 1, NOW + 60 * 10**9)["Poly-RateLimit-Tier"] == "Elite"


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 15)), max_size=60))
def test_no_signer_ever_gets_more_than_burst_and_refill(requests):
    bucket, now, admitted = limits(), NOW, 0
    for milliseconds, cost in requests:
        now += milliseconds * 10**6
        try:
            remaining = int(bucket.orders("a", cost, now)["Poly-RateLimit-Remaining"])
        except RefusalError:
            continue
        admitted += cost
        assert 0 <= remaining <= 60
    assert admitted <= 60 + 40 * (now - NOW) / 1e9 + 1e-6


async def test_answers_carry_the_budget_and_too_many_orders_are_refused(venue):
    client = await trader(venue)
    market = await venue.some_market()
    batch = [client.order(market, "BUY", "0.02", "5") for _ in range(15)]
    status, headers, _ = await raw(venue, client, "POST", "/orders", batch)
    assert (status, headers["Poly-RateLimit-Remaining"], headers["Poly-RateLimit-Tier"]) == (200, "45", "Standard")
    status, headers, _ = await raw(venue, client, "POST", "/order", client.order(market, "BUY", "0.02", "4"))
    assert (status, headers["Poly-RateLimit-Remaining"]) == (400, "44")
    for left in ("29", "14"):
        _, headers, _ = await raw(venue, client, "POST", "/orders", batch)
        assert headers["Poly-RateLimit-Remaining"] == left
    status, headers, text = await raw(venue, client, "POST", "/orders", batch)
    assert (status, json.loads(text), headers["Retry-After"]) == (429, {"error": "Too Many Requests"}, "1")
    venue.clock.move(1)
    assert (await raw(venue, client, "POST", "/orders", batch))[0] == 200


async def test_cancelling_costs_what_it_cancels(venue):
    client = await trader(venue)
    market = await venue.some_market()
    ids = [(await client.place(market, "BUY", "0.02", "5"))[1]["orderID"] for _ in range(6)]
    for method_path, payload, left in (
        ("/order", {"orderID": ids[0]}, 119),
        ("/orders", ids[:3], 116),
        ("/cancel-market-orders", {"market": market["conditionId"]}, 112),
        ("/cancel-all", None, 111),
    ):
        status, headers, _ = await raw(venue, client, "DELETE", method_path, payload)
        assert (status, headers["Poly-RateLimit-Remaining"]) == (200, str(left))


async def test_a_refusal_by_the_engine_still_tells_the_budget(venue):
    client = await trader(venue)
    venue.venue.submit(SetEngine("down"))
    order = client.order(await venue.some_market(), "BUY", "0.02", "5")
    status, headers, _ = await raw(venue, client, "POST", "/order", order)
    assert (status, headers["Poly-RateLimit-Remaining"]) == (425, "59")
    assert headers["Retry-After"]


def test_a_network_address_waits_a_little_and_is_then_refused():
    clock = [NOW]
    budget = IpLimits(lambda: clock[0])
    delays = [budget.admit("1.2.3.4", "GET", "/tick-size") for _ in range(203)]
    assert max(delays[:200]) <= 0 < delays[200] < delays[202] <= 0.2
    budget.admit("1.2.3.4", "GET", "/tick-size")
    with pytest.raises(RefusalError) as refused:
        budget.admit("1.2.3.4", "GET", "/tick-size")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
    assert budget.admit("5.6.7.8", "GET", "/tick-size") <= 0
    assert budget.admit("1.2.3.4", "GET", "/neg-risk") <= 0
    clock[0] += 10**9
    assert budget.admit("1.2.3.4", "GET", "/tick-size") <= 0


def test_ten_minute_budgets_hold_where_ten_second_ones_would_let_through():
    clock = [NOW]
    budget = IpLimits(lambda: clock[0])
    admitted = 0
    try:
        for _ in range(60):
            for _ in range(250):
                budget.admit("a", "DELETE", "/cancel-all")
                admitted += 1
            clock[0] += 10 * 10**9
    except RefusalError:
        pass
    assert 6000 <= admitted < 60 * 250


async def test_reads_are_refused_beyond_their_budget_and_administration_never(venue):
    statuses = [(await venue.get("/ok"))[0] for _ in range(105)]
    assert statuses[:100] == [200] * 100
    assert statuses[-1] == 429
    for _ in range(120):
        assert (await venue.get("/admin/venue"))[0] == 200
