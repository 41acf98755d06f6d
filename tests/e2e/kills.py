"""The behaviour of `make kills`: ends the platform's real processes with SIGKILL at random moments, fifty times, and looks at what is left.

A platform of its own (own ports, own data) trades on the simulated venue. Which process dies, and after how long, comes from the seed: trader,
venue, web, PostgreSQL, Valkey. After each death the trader has to be ready again, with no halt. In the end new risk is stopped, everything settles,
and the statement has to agree with the venue's to the micro-unit. `python -m tests.e2e.kills --seed 3 --times 50`.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import time
from collections.abc import Callable

import psutil

from tests.e2e.running import Platform, eventually, started

VICTIMS = {
    "trader": lambda platform: platform.program("runtrader"),
    "venue": lambda platform: platform.program("runvenue"),
    "web": lambda platform: platform.program("uvicorn"),
    "postgresql": lambda platform: _server(platform, "postgres"),
    "valkey": lambda platform: _server(platform, "valkey-server"),
}
"""How each process is found."""
LONGEST_WAIT = 4.0
NOTICED_WITHIN = 3.0
"""How long the status may still speak of the time before."""
BACK_WITHIN = 90.0
AGREES_WITHIN = 120.0


def _server(platform: Platform, name: str) -> psutil.Process:
    """Return the embedded server that keeps its data below the platform's own."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            if process.name() == name and any(str(platform.var) in part for part in [*line, process.cwd()]):
                return process
    raise AssertionError(f"no {name} runs on the platform's data")


def kill(platform: Platform, rng: random.Random) -> str:
    """End one process at a random moment; returns which."""
    time.sleep(rng.uniform(0.0, LONGEST_WAIT))
    name = rng.choice(list(VICTIMS))
    VICTIMS[name](platform).kill()
    return name


def recovered(platform: Platform, name: str, epoch: int) -> None:
    """Wait until the trader is ready again, a killed one under an epoch after `epoch`. Fails where it halted something."""

    def ready() -> bool:
        status = platform.get("/api/status")
        if name == "trader" and status["epoch"] <= epoch:
            return False
        return bool(status["online"] and status["ready"] and status["user_ws_connected"])

    eventually(ready, within=BACK_WITHIN, what=f"a ready trader after {name} was killed")
    halts = eventually(lambda: platform.get("/api/halt"), within=30, what="the list of halts")["halts"]
    assert not halts, f"after {name}: {halts}"


def agrees(platform: Platform) -> None:
    """Stop new risk, wait for what is on its way, and compare with the venue."""
    platform.post("/api/halt", {"scope": "all", "reason": "the end"})
    eventually(
        lambda: platform.get("/api/status")["ready"] and platform.get("/api/reports/statement")["agrees"],
        within=AGREES_WITHIN,
        what="a statement that agrees with the venue's",
    )


def run(platform: Platform, seed: int, times: int, told: Callable[[str], None] = lambda _: None) -> None:
    """Kill `times` processes, one after the other, and look after each."""
    rng = random.Random(seed)
    for number in range(1, times + 1):
        epoch = eventually(lambda: platform.get("/api/status"), within=30, what="a status")["epoch"]
        name = kill(platform, rng)
        begun = time.monotonic()
        time.sleep(NOTICED_WITHIN)
        recovered(platform, name, epoch)
        told(f"{number:>3}/{times}  {name:<11} back after {time.monotonic() - begun:5.1f} s")
    agrees(platform)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, default=50)
    arguments = parser.parse_args()
    with started() as platform:
        run(platform, arguments.seed, arguments.times, told=print)
    return 0


if __name__ == "__main__":
    sys.exit(main())
