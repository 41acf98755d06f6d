"""Budgets in virtual time: what the venue's table allows and no more, cancels last to be held back, headers believed in both directions."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest
import redis as blocking
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.rate_limit_redis import RedisLender
from infra.redis import async_client
from tests.sim.virtual_time import VirtualClock, run_virtual
from venues.polymarket import rate_table
from venues.polymarket.budgets import Budgets
from venues.polymarket.pace import OverBudgetError
from venues.polymarket.rate_headers import read_rate_headers
from venues.polymarket.rate_table import GENERAL, RULES, TIERS, Kind

ORDER, ORDERS = ("POST", "/order"), ("POST", "/orders")
CANCEL, CANCELS, CANCEL_ALL = ("DELETE", "/order"), ("DELETE", "/orders"), ("DELETE", "/cancel-all")


def in_virtual_time(story):
    """Run `story(clock, budgets)`, budgets without a lender."""
    clock = VirtualClock()

    async def main():
        await story(clock, Budgets("venue", clock))

    run_virtual(main, clock)


async def send(budgets, request, cost=1, *, deadline=0.0, status=200, **headers):
    """Send at once or not at all, and be answered at once."""
    ticket = await budgets.clob.admit(*request, cost, deadline)
    told = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    budgets.clob.answered(ticket, status, told)


async def burst(budgets, request, cost=1, most=10_000, **more):
    """Send until it is refused; returns how often it was not."""
    for sent in range(most):
        try:
            await send(budgets, request, cost, **more)
        except OverBudgetError:
            return sent
    return most


def test_a_signer_of_the_standard_tier_places_three_quarters_of_its_burst_at_once_and_then_forty_a_second():
    async def story(clock, budgets):
        assert await burst(budgets, ORDER) == 45
        begun = clock.monotonic()
        for _ in range(40):
            await send(budgets, ORDER, deadline=begun + 10)
        assert clock.monotonic() - begun == pytest.approx(1.0, abs=0.01)

    in_virtual_time(story)


def test_a_batch_costs_its_orders_and_a_cancel_its_ids():
    async def story(clock, budgets):
        assert await burst(budgets, ORDERS, cost=15) == 3
        assert await burst(budgets, CANCEL, most=89) == 89
        # The last token is enough for all of them: a cancel bucket of this tier may owe.
        await send(budgets, CANCELS, cost=500)
        with pytest.raises(OverBudgetError) as held:
            await send(budgets, CANCEL)
        assert held.value.retry_after == pytest.approx(500 / 80, abs=0.1)

    in_virtual_time(story)


def test_an_order_that_would_wait_beyond_its_deadline_is_refused_at_once():
    async def story(clock, budgets):
        await burst(budgets, ORDER)
        begun = clock.monotonic()
        with pytest.raises(OverBudgetError, match=r"clob POST /orders is used up, free again in 0\.4 s") as held:
            await budgets.clob.admit(*ORDERS, 15, begun + 0.3)
        assert clock.monotonic() == begun
        assert held.value.retry_after == pytest.approx(15 / 40, abs=0.01)
        await budgets.clob.admit(*ORDERS, 15, begun + 0.4)
        assert clock.monotonic() - begun == pytest.approx(15 / 40, abs=0.01)

    in_virtual_time(story)


def test_an_order_that_could_not_be_taken_back_is_not_placed():
    async def story(clock, budgets):
        await send(budgets, CANCELS, cost=200)
        with pytest.raises(OverBudgetError):
            await send(budgets, ORDER)
        await asyncio.sleep((200 - 90 + 9) / 80 + 0.01)
        await send(budgets, ORDER)

    in_virtual_time(story)


def test_a_cancel_of_everything_is_charged_with_what_it_cancelled():
    async def story(clock, budgets):
        await send(budgets, CANCEL_ALL)
        budgets.clob.cancelled(400)
        with pytest.raises(OverBudgetError) as held:
            await send(budgets, CANCEL)
        assert held.value.retry_after == pytest.approx(312 / 80, abs=0.1)

    in_virtual_time(story)


def test_a_cancel_of_everything_whose_answer_says_what_is_left_is_not_charged_twice():
    async def story(clock, budgets):
        await send(budgets, CANCEL_ALL, poly_ratelimit_remaining=50)
        budgets.clob.cancelled(40)
        assert budgets.signer.left(Kind.CANCEL, clock.monotonic())[0] == 50

    in_virtual_time(story)


def test_the_venues_word_corrects_downwards_and_upwards():
    async def story(clock, budgets):
        await send(budgets, ORDER, poly_ratelimit_remaining=5)
        assert await burst(budgets, ORDER) == 5
        ticket_of_the_last = await budgets.clob.admit(*CANCEL, 1, None)
        budgets.clob.answered(ticket_of_the_last, 200, {})
        await asyncio.sleep(0.05)
        await send(budgets, ORDER, poly_ratelimit_remaining=30)
        assert await burst(budgets, ORDER) == 30

    in_virtual_time(story)


def test_an_answer_does_not_give_back_what_was_sent_after_its_question():
    async def story(clock, budgets):
        first = await budgets.clob.admit(*ORDER, 1, None)
        for _ in range(20):
            await budgets.clob.admit(*ORDER, 1, None)
        # The venue had taken the first only: the twenty are still on their way.
        budgets.clob.answered(first, 200, {"poly-ratelimit-remaining": "59"})
        assert await burst(budgets, ORDER) == 45 - 21 + (59 - 20 - (45 - 21))

    in_virtual_time(story)


def test_a_lost_answer_counts_as_taken_and_does_not_hold_later_corrections_up():
    async def story(clock, budgets):
        lost = await budgets.clob.admit(*ORDERS, 15, None)
        budgets.clob.answered(lost, 0, {})
        await send(budgets, ORDER, poly_ratelimit_remaining=44)
        assert await burst(budgets, ORDER) == 44

    in_virtual_time(story)


def test_the_tier_is_learnt_from_an_answer_and_an_unknown_one_changes_nothing():
    async def story(clock, budgets):
        await send(budgets, ORDER, poly_ratelimit_tier="Gold", poly_ratelimit_remaining=599)
        assert budgets.signer.tier_name == "gold"
        assert budgets.signer.left(Kind.PLACE, clock.monotonic()) == (450, 450)
        await send(budgets, CANCEL, poly_ratelimit_tier="Unobtainium")
        assert budgets.signer.tier_name == "gold"

    in_virtual_time(story)


def test_in_a_tier_that_may_not_owe_a_cancel_waits_for_all_its_tokens():
    async def story(clock, budgets):
        await send(budgets, CANCEL, poly_ratelimit_tier="platinum")
        await asyncio.sleep(10)
        await send(budgets, CANCELS, cost=1000)
        with pytest.raises(OverBudgetError):
            await send(budgets, CANCELS, cost=100)

    in_virtual_time(story)


def test_a_429_closes_its_endpoint_for_as_long_as_it_says_and_no_other():
    async def story(clock, budgets):
        await send(budgets, ORDER, status=429, retry_after=7)
        with pytest.raises(OverBudgetError) as held:
            await send(budgets, ORDER)
        assert held.value.retry_after == pytest.approx(7)
        await send(budgets, ORDERS)
        await send(budgets, CANCEL)
        await asyncio.sleep(7)
        await send(budgets, ORDER)

    in_virtual_time(story)


@pytest.mark.parametrize(
    ("request_", "headers", "seconds"),
    [
        (ORDER, {}, 5),
        (CANCEL, {}, 1),
        (CANCEL, {"retry_after": 999_999}, 10),
        (ORDER, {"retry_after": 999_999}, 60),
        (ORDER, {"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 5),
        (ORDER, {"retry_after": "-3"}, 5),
        (ORDER, {"poly_ratelimit_reset": 1_790_000_000 + 3}, 3),
        (ORDER, {"poly_ratelimit_reset": 1_690_000_000}, 5),
    ],
)
def test_a_429_without_a_usable_time_closes_for_a_usual_one(request_, headers, seconds):
    async def story(clock, budgets):
        await send(budgets, request_, status=429, **headers)
        with pytest.raises(OverBudgetError) as held:
            await send(budgets, request_)
        assert held.value.retry_after == pytest.approx(seconds, abs=0.1)

    in_virtual_time(story)


def test_a_wrong_header_cannot_stop_cancels_for_long():
    async def story(clock, budgets):
        await send(budgets, CANCEL, poly_ratelimit_remaining=-(10**12))
        with pytest.raises(OverBudgetError) as held:
            await send(budgets, CANCEL)
        assert held.value.retry_after < 31
        await send(budgets, ORDER, deadline=40.0, poly_ratelimit_remaining=10**12)
        assert await burst(budgets, ORDER) <= 45

    in_virtual_time(story)


@pytest.mark.parametrize("text", ["", "x", "1.5", "１２", "9" * 40, "--5", "0x10", "nan"])
def test_headers_that_are_no_numbers_say_nothing(text):
    told = read_rate_headers({"poly-ratelimit-remaining": text, "retry-after": text, "poly-ratelimit-reset": text})
    assert (told.remaining, told.reset, told.retry_after) == (None, None, None)
    assert not told.warning


def test_warnings_are_counted():
    async def story(clock, budgets):
        await send(budgets, ORDER, poly_ratelimit_warning="true")
        assert budgets.signer.warnings == 1

    in_virtual_time(story)


def test_reads_and_orders_leave_a_part_of_the_general_budget_to_cancels():
    async def story(clock, budgets):
        await send(budgets, CANCEL, poly_ratelimit_tier="elite")
        await asyncio.sleep(30)
        # The process's own share of the 9000 requests that the whole CLOB allows in ten seconds.
        own = 9_000 // 8
        reads = await burst(budgets, ("GET", "/nothing/special"))
        assert reads == own - own // 4
        assert await burst(budgets, ORDER) == 0
        assert await burst(budgets, CANCEL) == min(own - reads, 5_000 // 8)

    in_virtual_time(story)


def test_reads_wait_for_room_and_no_longer_than_their_patience():
    async def story(clock, budgets):
        for _ in range(25 - 25 // 4):
            await budgets.clob.admit("GET", "/balance-allowance")
        begun = clock.monotonic()
        with pytest.raises(OverBudgetError, match=r"GET /balance-allowance is used up"):
            await budgets.clob.admit("GET", "/balance-allowance", 1, begun + 5)
        assert clock.monotonic() == begun
        await budgets.clob.admit("GET", "/balance-allowance")
        assert clock.monotonic() - begun == pytest.approx(10.71, abs=0.05)

    in_virtual_time(story)


def test_figures_say_what_is_left_and_what_was_held_back():
    async def story(clock, budgets):
        await burst(budgets, ORDER)
        await send(budgets, ORDER, deadline=9.0)
        await send(budgets, CANCEL, status=429)
        await budgets.gamma.admit("GET", "/events/keyset")
        figures = {figure.name: figure for figure in budgets.figures()}
        assert (figures["orders (standard)"].left, figures["orders (standard)"].limit) == (0, 45)
        assert figures["cancels (standard)"].left == 89
        placed = figures["clob POST /order"]
        assert (placed.requests, placed.waits, placed.refusals, placed.too_many) == (46, 1, 1, 0)
        assert figures["clob DELETE /order"].too_many == 1
        assert figures["gamma GET /events"].left == 500 // 8 - 1
        assert "clob POST /orders" not in figures

    in_virtual_time(story)


# The venue's table, as a model of its own.

REQUESTS = [
    ORDER,
    ORDERS,
    CANCEL,
    CANCELS,
    ("GET", "/data/orders"),
    ("GET", "/data/order/0x1"),
    ("GET", "/balance-allowance"),
]
COSTS = {ORDERS: 15, CANCELS: 300}


class Venue:
    """Counts what arrives against the published table, independently of how the client does."""

    def __init__(self):
        self.times = {}
        orders, cancels = TIERS["standard"].orders, TIERS["standard"].cancels
        self.buckets = {
            "POST": [orders[1], 0.0, orders[0], orders[1]],
            "DELETE": [cancels[1], 0.0, cancels[0], cancels[1]],
        }

    def arrive(self, now, method, path, cost):
        rule = next(rule for rule in RULES["clob"] if rule.matches(method, path))
        for name, requests, seconds in (*rule.limits, *GENERAL["clob"]):
            times = self.times.setdefault((name, seconds), deque())
            times.append(now)
            while times[0] <= now - seconds:
                times.popleft()
            assert len(times) <= requests, f"{name}: {len(times)} in {seconds} s"
        if rule.kind is Kind.READ:
            return None
        bucket = self.buckets[method]
        tokens = min(bucket[3], bucket[0] + (now - bucket[1]) * bucket[2])
        assert tokens > 0 if method == "DELETE" else tokens >= cost, f"429 for {method} {path}"
        bucket[:2] = tokens - cost, now
        return int(tokens - cost)


STEPS = st.lists(
    st.tuples(st.sampled_from(REQUESTS), st.integers(1, 80), st.floats(0.0, 2.0), st.booleans()), min_size=1, max_size=8
)


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(STEPS, st.sampled_from([0.0, 0.1, 0.25]))
@example([(CANCELS, 60, 2.0, False), (ORDER, 80, 1.0, False), (CANCEL, 80, 1.0, False)], 0.0)
@example([(ORDERS, 60, 1.0, True), (ORDER, 80, 1.0, True), (ORDERS, 60, 1.0, False), (CANCEL, 80, 0.0, True)], 0.25)
def test_whatever_is_sent_when_the_venue_never_has_a_reason_to_refuse(steps, jitter):
    clock, venue = VirtualClock(), Venue()

    async def one(budgets, request, cost, slow):
        try:
            ticket = await budgets.clob.admit(*request, cost, clock.monotonic() + 1.0)
        except OverBudgetError:
            return
        # Some requests travel slower than others.
        await asyncio.sleep(jitter if slow else 0.0)
        left = venue.arrive(clock.monotonic(), *request, cost)
        await asyncio.sleep(0.1)
        budgets.clob.answered(ticket, 200, {} if left is None else {"poly-ratelimit-remaining": str(left)})

    async def main():
        budgets, on_the_way = Budgets("venue", clock), []
        for request, how_many, pause, slow in steps:
            # A cancel that owes and is overtaken is the one that the venue may refuse: where requests overtake, nothing owes.
            most = 1 if jitter and request is CANCELS else COSTS.get(request, 1)
            for number in range(how_many):
                cost = 1 + number % most if request in COSTS else 1
                on_the_way.append(asyncio.ensure_future(one(budgets, request, cost, slow and number % 2 == 0)))
            await asyncio.sleep(pause)
        await asyncio.gather(*on_the_way)
        assert venue.times

    run_virtual(main, clock)


async def test_what_a_process_needs_beyond_its_own_share_is_leased_through_redis(redis_url):
    clock = SystemClock()
    both = [Budgets("venue", clock, RedisLender(async_client(redis_url), clock, RandomIds())) for _ in range(2)]
    reads = [budgets.clob.admit("GET", "/balance-allowance") for budgets in both for _ in range(50)]
    async with asyncio.timeout(5):
        await asyncio.gather(*reads)
    for budgets in both:
        await budgets.probe()
        await budgets.close()

    with blocking.Redis.from_url(redis_url) as server:
        blocks = server.zrange("rl:venue.clob.balance:10", 0, -1)
        # Each has an eighth of the 200 for itself, of which reads leave a quarter.
        assert 2 * (50 - 19) <= sum(int(block.rpartition(b":")[2]) for block in blocks) <= 100
        assert 0 < server.pttl("rl:venue.clob.balance:10") <= 11_500


def test_every_endpoint_of_the_table_has_one_rule_and_every_limit_can_be_shared():
    names = [(host, rule.method, rule.path) for host, rules in RULES.items() for rule in rules]
    assert len(names) == len(set(names))
    assert set(GENERAL) == set(RULES) == {"clob", "gamma", "data", "relayer"}
    assert rate_table.EVERY_HOST[1] == 15_000
