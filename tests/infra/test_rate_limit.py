"""Token buckets, counted windows and leases: never more than the limit in any window, whoever takes what when."""

from __future__ import annotations

import asyncio
import math
from collections import deque

import pytest
import redis as blocking
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.clock import SystemClock
from infra.errors import ServiceError
from infra.ids import RandomIds
from infra.rate_limit import NEVER, SlidingCount, TokenBucket
from infra.rate_limit_redis import RedisLender
from infra.rate_limit_window import PROCESSES, LimitWindow
from infra.redis import async_client
from tests.infra.sole_lender import SoleLender
from tests.markets.builders import ManualClock

MOMENTS = st.floats(min_value=0.0, max_value=3.0)


def most_in_any_window(times: list[float], seconds: float) -> int:
    """Return the largest number of times within any `seconds`."""
    window: deque[float] = deque()
    most = 0
    for time in sorted(times):
        window.append(time)
        while window[0] <= time - seconds:
            window.popleft()
        most = max(most, len(window))
    return most


def test_a_bucket_gives_its_burst_at_once_and_then_its_rate():
    bucket = TokenBucket(10, 3, now=0.0)
    for _ in range(3):
        assert bucket.wait(0.0, 1) == 0
        bucket.take(0.0, 1)
    assert bucket.wait(0.0, 1) == pytest.approx(0.1)
    assert bucket.wait(0.1, 1) == 0
    assert bucket.wait(0.0, 4) == NEVER
    assert bucket.tokens(100.0) == 3


def test_a_debt_is_paid_by_the_refill_and_a_new_rate_keeps_the_tokens():
    bucket = TokenBucket(10, 20, now=0.0)
    bucket.take(0.0, 50)
    assert bucket.wait(0.0, 1) == pytest.approx(3.1)
    bucket.resize(1.0, 20, 40)
    assert bucket.tokens(1.0) == pytest.approx(-20)
    assert bucket.wait(1.0, 1) == pytest.approx(1.05)


@given(st.lists(st.tuples(MOMENTS, st.integers(1, 5)), max_size=60))
def test_a_bucket_that_is_asked_never_gives_more_than_its_burst_and_its_rate(asked):
    bucket, now, taken = TokenBucket(7, 11, now=0.0), 0.0, []
    for pause, cost in asked:
        now += pause
        if bucket.wait(now, cost) == 0:
            bucket.take(now, cost)
            taken.append((now, cost))
    for first, (begun, _) in enumerate(taken):
        total = 0
        for end, cost in taken[first:]:
            total += cost
            assert total <= 11 + 7 * (end - begun) + 1e-6


@given(st.lists(st.tuples(MOMENTS, st.integers(1, 30)), max_size=60))
def test_a_sliding_count_never_lets_more_than_its_limit_into_a_window(asked):
    count, now, taken = SlidingCount(10, 2.0), 0.0, []
    for pause, wanted in asked:
        now += pause
        for _ in range(wanted):
            if count.wait(now) == 0:
                count.take(now)
                taken.append(now)
    assert most_in_any_window(taken, 2.0) <= 10


def test_a_sliding_count_says_exactly_when_there_is_room_again():
    count = SlidingCount(10, 5.0)
    count.take(0.0, 4)
    count.take(1.0, 6)
    wait = count.wait(1.0)
    assert count.wait(1.0, keep=3) == wait
    assert count.wait(1.0, keep=4) > wait
    assert count.wait(1.0, keep=10) == NEVER
    assert count.left(1.0 + wait - 0.01) == 0
    assert count.left(1.0 + wait + 1e-9) == 4


class Lender:
    """What `sliding_window.lua` does, on a clock of the test."""

    def __init__(self, window: LimitWindow) -> None:
        self.shared, self.counted_for = window.shared, window.counted_for
        self.blocks: list[tuple[float, int]] = []

    def lend(self, now: float, wanted: int) -> tuple[int, float]:
        self.blocks = [(at, count) for at, count in self.blocks if at > now - self.counted_for]
        lent = max(0, min(wanted, self.shared - sum(count for _, count in self.blocks)))
        if lent:
            self.blocks.append((now, lent))
        return lent, self.blocks[0][0] + self.counted_for - now if self.blocks else 0.0


class Fleet:
    """Processes that want as much as they can get of one limit of 100 in 10 seconds, looked at every twentieth of a second."""

    STEP = 0.05

    def __init__(self) -> None:
        self.windows = [LimitWindow("x", 100, 10.0) for _ in range(PROCESSES)]
        for window in self.windows:
            window.ask_again(0.0)
        self.lender = Lender(self.windows[0])
        self.now = 0.0
        self.taken: list[float] = []

    def live(self, who: int, habit: str, steps: int) -> None:
        """`grab`: lease and use at once. `hoard`: lease now, use in the last moment of the block. `alone`: the lender is away. `idle`: do nothing."""
        window = self.windows[who]
        if habit == "idle":
            return
        if habit == "alone":
            window.ask_again(self.now + 1.0)
        if habit != "hoard" or not window._blocks or window._blocks[0][0] <= self.now + self.STEP:
            self.use(window)
        for _ in range(steps):
            wanted = window.wanted(self.now)
            if not wanted:
                break
            lent, again = self.lender.lend(self.now + 0.01, wanted)
            window.granted(lent, self.now, again)
            if habit == "grab":
                self.use(window)

    def use(self, window: LimitWindow) -> None:
        while window.wait(self.now) == 0:
            window.take(self.now)
            self.taken.append(self.now)


HABITS = st.lists(
    st.tuples(
        st.sampled_from(["grab", "grab", "hoard", "hoard", "alone", "idle"]), st.integers(1, 60), st.integers(1, 4)
    ),
    min_size=6,
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(HABITS)
@example([("grab", 1, 1), ("hoard", 45, 4), ("idle", 180, 1), ("grab", 40, 4)])
@example([("grab", 1, 1), ("hoard", 20, 4), ("idle", 205, 1), ("grab", 40, 4)])
@example([("grab", 240, 4), ("grab", 240, 4)])
def test_processes_that_share_a_limit_never_exceed_it_together(habits):
    fleet = Fleet()
    for habit, steps, leases in habits:
        for _ in range(steps):
            for who in range(PROCESSES):
                fleet.live(who, habit, leases)
            fleet.now += fleet.STEP
    assert most_in_any_window(fleet.taken, 10.0 * 1.05) <= 100


def test_a_quiet_process_leases_nothing_and_a_busy_one_ever_larger_blocks():
    window = LimitWindow("x", 2000, 10.0)
    window.ask_again(0.0)
    for _ in range(124):
        window.take(0.0)
    assert window.wanted(0.0) == 0
    window.take(0.0)
    sizes = []
    for step in range(3):
        now = 0.01 * step
        sizes.append(window.wanted(now))
        window.granted(sizes[-1], now, 0.0)
        for _ in range(sizes[-1] + 10):
            assert window.wait(now) == 0
            window.take(now)
    assert sizes == [250, 250, 250]
    assert window.shared // 4 == 250
    # Later, when less is used, less is wanted.
    window.granted(window.wanted(1.0), 1.0, 0.0)
    for _ in range(30):
        window.take(3.0)
    assert window.wanted(3.0) == 60


def test_a_block_that_was_not_used_in_time_is_not_used_at_all():
    window = LimitWindow("x", 80, 10.0)
    for _ in range(10):
        window.take(0.0)
    window.granted(20, asked_at=0.0, again_in=0.0)
    assert window.left(0.99) == 20
    assert window.left(1.0) == 0


def test_reads_leave_of_the_private_share_what_cancels_need():
    window = LimitWindow("x", 160, 10.0)
    for _ in range(15):
        assert window.wait(0.0, 0.25) == 0
        window.take(0.0)
    assert window.wait(0.0, 0.25) > 0
    assert window.wait(0.0, 0.0) == 0
    assert window.left(0.0) == 5


def test_a_limit_too_small_to_share_is_refused():
    with pytest.raises(ValueError, match="expected more than 4"):
        LimitWindow("x", 4, 1.0)


def test_a_process_that_is_alone_gets_the_whole_shared_half_and_no_more():
    clock = ManualClock()
    window = LimitWindow("x", 400, 10.0)
    news: list[bool] = []
    lender = SoleLender(clock)
    lender.serve((window,), lambda: news.append(True))
    taken = []
    for _ in range(2_000):
        now = clock.monotonic()
        if window.wait(now) == 0:
            window.take(now)
            taken.append(now)
        lender.wake()
        clock.advance(0.02)
    assert news
    assert 180 <= most_in_any_window(taken, 10.5) <= 200 + 50


# On the real server.


class Process:
    """One process's window and its leases."""

    def __init__(self, url: str, clock: SystemClock, limit: int = 400, seconds: float = 2.0) -> None:
        self.clock = clock
        self.window = LimitWindow("venue.endpoint", limit, seconds)
        self.lender = RedisLender(async_client(url), clock, RandomIds())
        self.news = asyncio.Event()
        self.taken: list[float] = []
        self.lender.serve((self.window,), self.news.set)

    async def take_all(self, seconds: float, enough: int = 10**9) -> None:
        """Take what there is for so long, or until it was `enough`."""
        until = self.clock.monotonic() + seconds
        while (now := self.clock.monotonic()) < until and len(self.taken) < enough:
            wait = self.window.wait(now)
            if wait == 0:
                self.window.take(now)
                self.taken.append(now)
            if self.window.wanted(now):
                self.lender.wake()
            await asyncio.sleep(min(wait, 0.02))


async def test_two_processes_share_one_window_through_redis(redis_url):
    clock = SystemClock()
    processes = [Process(redis_url, clock), Process(redis_url, clock)]
    # In so many seconds two private shares are 100, and nobody waits for them when enough is lent.
    await asyncio.gather(*(process.take_all(3.5, enough=120) for process in processes))
    for process in processes:
        await process.lender.close()

    taken = sorted(processes[0].taken + processes[1].taken)
    assert most_in_any_window(taken, 2.0) <= 400
    assert [len(process.taken) for process in processes] == [120, 120]
    with blocking.Redis.from_url(redis_url) as server:
        blocks = server.zrange("rl:venue.endpoint:2", 0, -1)
        assert sum(int(block.rpartition(b":")[2]) for block in blocks) <= 200
        assert 0 < server.pttl("rl:venue.endpoint:2") <= 2_000 * 1.05 + 200


async def test_the_script_lends_no_more_than_is_left_and_says_when_to_ask_again(redis_url):
    from infra import rate_limit_redis

    with blocking.Redis.from_url(redis_url) as server:
        lend = server.register_script(rate_limit_redis._SLIDING_WINDOW)
        assert lend(keys=["rl:a:10"], args=[10_000, 100, 70, "p-1"])[:2] == [70, 30]
        assert lend(keys=["rl:a:10"], args=[10_000, 100, 70, "q-1"])[:2] == [30, 0]
        lent, left, again = lend(keys=["rl:a:10"], args=[10_000, 100, 1, "p-2"])
        assert (lent, left) == (0, 0)
        assert 0 < again <= 10_000
        assert lend(keys=["rl:b:10"], args=[10_000, 100, 1, "p-3"])[:2] == [1, 99]
        assert lend(keys=["rl:c:10"], args=[1, 5, 5, "p-4"])[0] == 5
        while server.exists("rl:c:10"):
            pass
        assert lend(keys=["rl:c:10"], args=[10_000, 5, 5, "p-5"])[0] == 5


async def test_without_redis_a_process_keeps_to_its_private_share_and_says_so():
    clock = SystemClock()
    process = Process("redis://127.0.0.1:1/0", clock)
    await process.take_all(1.5, enough=400 // 8)
    await process.take_all(0.3)
    process.lender.wake()
    async with asyncio.timeout(5):
        await process.news.wait()
    assert len(process.taken) == 400 // 8
    with pytest.raises(ServiceError, match="rate limits are not shared"):
        await process.lender.probe()
    await process.lender.close()


async def test_redis_that_comes_back_is_used_again(redis_url):
    clock = SystemClock()
    process = Process(redis_url, clock)
    process.window.ask_again(clock.monotonic() + 0.1)
    process.lender._away = "gone"
    await process.take_all(1.9, enough=400 // 8 + 1)
    await process.lender.probe()
    assert len(process.taken) > 400 // 8
    await process.lender.close()


def test_the_lender_counts_a_block_for_as_long_as_it_may_be_used_and_a_window_more():
    for seconds in (10.0, 60.0, 600.0):
        window = LimitWindow("x", 1000, seconds)
        assert window.counted_for == pytest.approx(seconds * 1.05 + seconds / 10)
        assert math.isclose(window.life, seconds / 10)


async def test_a_lender_can_be_closed_at_any_moment_of_its_conversation_with_the_server(redis_url):
    clock = SystemClock()
    for moment in range(30):
        window = LimitWindow(f"venue.closed{moment}", 100, 10.0)
        lender = RedisLender(async_client(redis_url), clock, RandomIds())
        lender.serve((window,), lambda: None)
        for _ in range(12):
            window.take(clock.monotonic())
        lender.wake()
        for _ in range(moment):
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await lender.close()
