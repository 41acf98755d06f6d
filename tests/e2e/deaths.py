"""The ways in which the platform's processes die: ended with SIGKILL, alone or together, or frozen for longer than the trader's lease.

Each way says what it does to the lease's epoch: a new epoch is a new start of trading, and nothing but the death of the trader, or of its database,
is a reason for one.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import psutil

from tests.e2e.running import Platform

LEASE_SECONDS = 4.0
"""What `kills` sets as the trader's lease: short, so that its successor need not wait long."""
FROZEN_SECONDS = LEASE_SECONDS * 1.75


class Epoch(StrEnum):
    """What a death does to the lease's epoch."""

    RISES = "rises"
    STAYS = "stays"
    MAY_RISE = "may rise"


@dataclass(frozen=True)
class Death:
    """One way to die. `act` returns when it is over, and the process may come back; `victims` are programs that the launcher starts again."""

    name: str
    act: Callable[[Platform], None]
    epoch: Epoch
    weight: int
    victims: tuple[str, ...]


def _kill(*words: str) -> Callable[[Platform], None]:
    def act(platform: Platform) -> None:
        # All are found before the first dies: together means together.
        for process in [_found(platform, word) for word in words]:
            process.kill()

    return act


def _freeze(platform: Platform) -> None:
    trader = _found(platform, "runtrader")
    trader.send_signal(signal.SIGSTOP)
    time.sleep(FROZEN_SECONDS)
    with contextlib.suppress(psutil.NoSuchProcess):
        trader.send_signal(signal.SIGCONT)


def _found(platform: Platform, word: str) -> psutil.Process:
    return server(platform, word) if word in ("postgres", "valkey-server") else platform.program(word)


def server(platform: Platform, name: str) -> psutil.Process:
    """Return the embedded server that keeps its data below the platform's own."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            if process.name() == name and any(str(platform.var) in part for part in [*line, process.cwd()]):
                return process
    raise AssertionError(f"no {name} runs on the platform's data")


DEATHS = {
    death.name: death
    for death in (
        Death("trader", _kill("runtrader"), Epoch.RISES, 10, ("trader",)),
        Death("trader+postgresql", _kill("runtrader", "postgres"), Epoch.RISES, 3, ("trader",)),
        Death("trader+venue", _kill("runtrader", "runvenue"), Epoch.RISES, 2, ("trader", "venue")),
        Death("trader frozen", _freeze, Epoch.MAY_RISE, 3, ()),
        Death("postgresql", _kill("postgres"), Epoch.MAY_RISE, 3, ()),
        Death("venue", _kill("runvenue"), Epoch.STAYS, 3, ("venue",)),
        Death("valkey", _kill("valkey-server"), Epoch.STAYS, 2, ()),
        Death("web", _kill("uvicorn"), Epoch.STAYS, 2, ("web",)),
    )
}
"""By name. The weights make the trader die in most of the cases: it is the one with something to forget."""
