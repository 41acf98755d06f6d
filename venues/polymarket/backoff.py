"""Waiting times between attempts: they double up to a cap and are spread at random, so that many clients do not return at once."""

from __future__ import annotations

from random import Random


class Backoff:
    """`next` returns the seconds to wait before the next attempt, `reset` starts over after a success."""

    def __init__(self, rng: Random, *, first: float = 0.5, cap: float = 30.0) -> None:
        self._rng = rng
        self._first = first
        self._cap = cap
        self._attempts = 0

    def next(self) -> float:
        ceiling: float = min(self._cap, self._first * 2 ** min(self._attempts, 32))
        self._attempts += 1
        return ceiling * (0.5 + 0.5 * self._rng.random())

    def reset(self) -> None:
        self._attempts = 0
