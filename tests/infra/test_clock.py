"""The steady clock passes evenly, whatever happens to the machine's date."""

from __future__ import annotations

import pytest

from infra.clock import SteadyClock, SystemClock

SECOND = 1_000_000_000


class Machine:
    """A machine whose date and whose count of seconds a test sets."""

    def __init__(self) -> None:
        self.date_ns, self.seconds = 1_790_000_000 * SECOND, 5_000.0

    def now_ns(self) -> int:
        return self.date_ns

    def monotonic(self) -> float:
        return self.seconds

    def live(self, seconds: float) -> None:
        self.date_ns += int(seconds * SECOND)
        self.seconds += seconds


@pytest.mark.parametrize("jump", [-3600, -5, 7, 86_400])
def test_a_date_that_is_set_moves_no_moment_and_is_told(jump: int) -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    begun = clock.now_ns()

    machine.live(10)
    assert clock.machine_ahead() == pytest.approx(0)
    machine.date_ns += jump * SECOND
    machine.live(10)

    assert clock.now_ns() - begun == 20 * SECOND
    assert clock.machine_ahead() == pytest.approx(jump)


def test_the_machines_clocks_agree_at_the_beginning_and_go_on() -> None:
    machine = SystemClock()
    clock = SteadyClock(machine)

    first, second = clock.now_ns(), clock.now_ns()

    assert first <= second
    assert abs(clock.machine_ahead()) < 1
    assert machine.monotonic() <= machine.monotonic()
