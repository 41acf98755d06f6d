"""What the markets of one event are worth, moment by moment: latent values that drift, jump on news and end at the outcome.

Binary markets walk in logits; the markets of an exclusive event share one softmax, so their values sum to one; the rungs of a ladder
share one quantity, so a lower rung is never worth less than a higher one. In the last stretch before the end the outcome is drawn from
these very values and they converge to it. All figures are probabilities as floats: statistics of the agents, never money.
"""

from __future__ import annotations

import math
import random

from venues.simulator.world.universe import NANOS, EventKind, EventSpec

_LOW, _HIGH = 0.004, 0.996
_FINAL_LOGITS = {0: 5.5, 1: -5.5, None: 0.0}
"""Where values end, by the token that pays."""
SPLIT_SHARE = 0.06
"""How many binary events are void: both tokens pay half."""
_RUNG = 1.1


class EventValue:
    """The latent state of one event. `volatility` is the standard deviation of a latent over one second."""

    def __init__(self, rng: random.Random, event: EventSpec) -> None:
        self._kind = event.kind
        self._end_ns = event.end_ns
        lifetime = (event.end_ns - event.opened_ns) / NANOS
        # Short-lived events move more; the whole life brings about one logit of movement on top of a lively minimum.
        self.volatility = max(0.003, 1.0 / math.sqrt(lifetime))
        self.final_ns = event.end_ns - int(min(75.0, lifetime / 4) * NANOS)
        self._updated_ns = event.opened_ns
        self._winners: list[int | None] | None = None
        count = len(event.markets)
        if self._kind is EventKind.EXCLUSIVE:
            self._latents = [rng.gauss(0.0, 0.55) for _ in range(count)]
        elif self._kind is EventKind.LADDER:
            self._latents = [rng.uniform(0.4, 0.6) * (count - 1) * _RUNG]
        else:
            self._latents = [rng.uniform(-0.6, 0.6)]
        self._count = count

    def values(self, now_ns: int) -> list[float]:
        """Return the fair YES value of each market at `now_ns`."""
        logits = [_logit(value) for value in self._drifting()]
        if self._winners is not None:
            weight = min(1.0, max(0.0, (now_ns - self.final_ns) / (self._end_ns - self.final_ns))) ** 1.5
            ends = [_FINAL_LOGITS[winner] for winner in self._winners]
            logits = [(1 - weight) * logit + weight * end for logit, end in zip(logits, ends, strict=True)]
        return [min(max(_logistic(logit), _LOW), _HIGH) for logit in logits]

    def drift(self, rng: random.Random, now_ns: int) -> None:
        """Move the latents on to `now_ns`; a long silence counts as one minute, so that a venue that was off does not leap."""
        seconds = min(60.0, max(0.0, (now_ns - self._updated_ns) / NANOS))
        self._updated_ns = max(now_ns, self._updated_ns)
        step = self.volatility * math.sqrt(seconds)
        self._latents = [min(max(latent + rng.gauss(0.0, step), -6.0), 10.0) for latent in self._latents]

    def news(self, market: int, value: float) -> None:
        """Make `market` worth `value` from now on; the other markets of the event give way."""
        target = _logit(value)
        if self._kind is EventKind.EXCLUSIVE:
            others = sum(math.exp(latent) for i, latent in enumerate(self._latents) if i != market)
            self._latents[market] = target + math.log(others)
        elif self._kind is EventKind.LADDER:
            self._latents[0] = target + market * _RUNG
        else:
            self._latents[0] = target

    def draw_outcome(self, rng: random.Random) -> list[int | None]:
        """Decide, once, which token of each market pays, with today's values as probabilities; None: both pay half (binary events only)."""
        if self._winners is None:
            values = self._drifting()
            draw = rng.random()
            if self._kind is EventKind.EXCLUSIVE:
                winner = _pick(values, draw)
                self._winners = [0 if index == winner else 1 for index in range(self._count)]
            elif self._kind is EventKind.BINARY and values[0] <= draw and draw >= 1 - SPLIT_SHARE:
                self._winners = [None]
            else:
                # One draw for all rungs keeps a ladder consistent.
                self._winners = [0 if draw < value else 1 for value in values]
        return self._winners

    def _drifting(self) -> list[float]:
        if self._kind is EventKind.EXCLUSIVE:
            weights = [math.exp(latent) for latent in self._latents]
            total = sum(weights)
            return [weight / total for weight in weights]
        if self._kind is EventKind.LADDER:
            return [_logistic(self._latents[0] - index * _RUNG) for index in range(self._count)]
        return [_logistic(self._latents[0])]


def _pick(weights: list[float], draw: float) -> int:
    """Return the index whose share of the weights contains `draw` in [0, 1)."""
    mark = draw * sum(weights)
    for index, weight in enumerate(weights):
        mark -= weight
        if mark < 0:
            return index
    return len(weights) - 1


def _logit(value: float) -> float:
    value = min(max(value, 0.001), 0.999)
    return math.log(value / (1 - value))


def _logistic(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
