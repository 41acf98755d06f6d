"""Times small functions fairly: candidates take turns, and the best of many rounds counts.

Absolute figures move with the machine's load; candidates that take turns suffer the same load, so their ratios hold.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

TARGET_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report. `ratio` says how many times better `ours` is than `peer`; a result without a peer stands alone.

    `higher_is_better` is for throughputs (`unit` then reads like "events/s").
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    higher_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        if self.peer is None or not self.ours or not self.peer:
            return None
        return self.ours / self.peer if self.higher_is_better else self.peer / self.ours


def microseconds(
    candidates: Mapping[str, Callable[[], object]], *, rounds: int = 7, seconds: float = TARGET_SECONDS
) -> dict[str, float]:
    """Return the microseconds one call of each candidate takes: the best of `rounds` interleaved rounds of about `seconds` each.

    On a busy machine short rounds fit between two interruptions by other programs, and the best of many of them is undisturbed.
    """
    numbers = {name: _calls_per_round(function, seconds) for name, function in candidates.items()}
    best = dict.fromkeys(candidates, float("inf"))
    gc.collect()
    for _ in range(rounds):
        for name, function in candidates.items():
            best[name] = min(best[name], _time(function, numbers[name]))
    return {name: took * 1e6 for name, took in best.items()}


def _time(function: Callable[[], object], number: int) -> float:
    start = perf_counter()
    for _ in range(number):
        function()
    return (perf_counter() - start) / number


def _calls_per_round(function: Callable[[], object], wanted: float) -> int:
    number = 1
    while (seconds := min(_time(function, number) for _ in range(3))) * number < wanted / 10:
        number *= 4
    return max(1, int(wanted / seconds))
