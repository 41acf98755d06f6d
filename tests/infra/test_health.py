"""Health that tells the truth."""

import asyncio

from infra.health import HealthMonitor


class ManualClock:
    def __init__(self):
        self.seconds = 1000.0

    def now_ns(self):
        return int(self.seconds * 1e9)

    def monotonic(self):
        return self.seconds


async def healthy():
    pass


async def broken():
    raise ConnectionError("refused")


async def hanging():
    await asyncio.sleep(3600)


async def test_a_check_that_never_ran_is_not_healthy():
    monitor = HealthMonitor(ManualClock())
    monitor.register("redis", 10, healthy)
    (status,) = monitor.statuses()
    assert (status.ok, status.age, status.last_error) == (False, None, "not checked yet")


async def test_a_check_is_healthy_after_success_and_grows_old():
    clock = ManualClock()
    monitor = HealthMonitor(clock)
    monitor.register("redis", 10, healthy)
    assert [(s.ok, s.age) for s in await monitor.run_once()] == [(True, 0)]
    clock.seconds += 30
    assert monitor.statuses()[0].ok
    clock.seconds += 1
    (status,) = monitor.statuses()
    assert (status.ok, status.age, status.last_error) == (False, 31, "last success 31 s ago")


async def test_a_failing_or_hanging_probe_is_reported_with_its_reason_and_harms_no_other():
    monitor = HealthMonitor(ManualClock(), timeout=0.05)
    for name, probe in (("postgres", broken), ("venue", hanging), ("redis", healthy)):
        monitor.register(name, 10, probe)
    assert [(s.name, s.ok, s.last_error) for s in await monitor.run_once()] == [
        ("postgres", False, "refused"),
        ("venue", False, "no answer within 0.05 s"),
        ("redis", True, ""),
    ]


async def test_a_check_that_fails_after_success_is_unhealthy_at_once():
    answers = iter([healthy, broken])

    async def turning():
        await next(answers)()

    monitor = HealthMonitor(ManualClock())
    monitor.register("redis", 10, turning)
    assert (await monitor.run_once())[0].ok
    assert not (await monitor.run_once())[0].ok


async def test_started_checks_run_each_at_its_own_interval_until_stopped():
    runs = {"often": 0, "seldom": 0}
    enough = asyncio.Event()

    def probe(name):
        async def count():
            runs[name] += 1
            if runs["often"] == 5:
                enough.set()

        return count

    monitor = HealthMonitor(ManualClock())
    monitor.register("often", 0.001, probe("often"))
    monitor.register("seldom", 3600, probe("seldom"))
    monitor.start()
    await asyncio.wait_for(enough.wait(), 10)
    await monitor.stop()
    before = dict(runs)
    await asyncio.sleep(0.01)
    assert runs == before
    assert runs["seldom"] == 1
