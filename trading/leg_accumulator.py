"""Collects the signals of a leg group until all are there. What is not complete in time, or contradicts itself, is dropped whole and audited.

Nothing of an incomplete group has been decided or reserved, so dropping it costs nothing. Groups and their legs are bounded in number.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.arbitrage import ArbType
from domain.errors import MoneyError
from domain.legs import MAX_LEGS, LegPolicy
from domain.money import MICRO, parse_micros
from domain.signal import TradeSignal

GROUP = "leg_group_id"
COUNT = "leg_count"
POLICY = "leg_policy"
ARB_TYPE = "arb_type"
OPPORTUNITY = "opp_id"
PAYOFF = "payoff"
"""What a whole set brings at the least, in dollars; one, when nothing is said."""
EDGE = "gross_edge_bps"

_REMEMBERED = 1_000
_NAME_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Collected:
    """A group whose signals are all there, and what they say of it together."""

    name: str
    policy: LegPolicy
    signals: tuple[TradeSignal, ...]
    payoff: int = MICRO
    arb_type: str = ""
    opportunity_id: str = ""
    edge_bps: int | None = None


@dataclass(slots=True)
class _Pending:
    count: int
    timer: asyncio.TimerHandle
    signals: list[TradeSignal] = field(default_factory=list)


class LegGroupAccumulator:
    """Groups of one account that are being collected.

    Args:
        gap: seconds between a group's first signal and the last moment for its last.
        on_complete: called with every group whose signals are all there.
        on_dropped: called with a group's name, what was collected of it, a code and the reason, when it is given up.
    """

    def __init__(
        self,
        *,
        gap: float,
        most: int,
        on_complete: Callable[[Collected], None],
        on_dropped: Callable[[str, tuple[TradeSignal, ...], str, str], None],
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._gap = gap
        self._most = most
        self._on_complete = on_complete
        self._on_dropped = on_dropped
        self._pending: dict[str, _Pending] = {}
        self._over: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, signal: TradeSignal) -> None:
        """Take one signal; completes or drops its group, or waits for the others."""
        name = f"{signal.source}:{signal.metadata[GROUP]}"
        if name in self._over:
            self._drop(name, (signal,), "late", "its group was decided or dropped before")
            return
        pending = self._pending.get(name)
        if pending is None:
            wrong = _wrong_alone(signal)
            if wrong:
                self._drop(name, (signal,), "invalid", wrong)
                return
            if len(self._pending) >= self._most:
                self._drop(name, (signal,), "busy", f"{self._most} groups are being collected")
                return
            timer = asyncio.get_running_loop().call_later(self._gap, self._too_late, name)
            pending = self._pending[name] = _Pending(int(signal.metadata[COUNT]), timer)
        pending.signals.append(signal)
        wrong = _wrong_together(pending.signals)
        if wrong:
            self._give_up(name, "invalid", wrong)
        elif len(pending.signals) == pending.count:
            self._complete(name)

    def cancel(self, reason: str) -> int:
        """Drop every group that is being collected; returns how many there were."""
        names = list(self._pending)
        for name in names:
            self._give_up(name, "cancelled", reason)
        return len(names)

    def _complete(self, name: str) -> None:
        signals = self._take(name)
        first = signals[0].metadata
        self.counters["complete"] += 1
        self._on_complete(
            Collected(
                name=first[GROUP],
                policy=LegPolicy(first[POLICY]),
                signals=signals,
                payoff=parse_micros(first.get(PAYOFF, "1")),
                arb_type=first.get(ARB_TYPE, ""),
                opportunity_id=first.get(OPPORTUNITY, ""),
                edge_bps=int(first[EDGE]) if EDGE in first else None,
            )
        )

    def _too_late(self, name: str) -> None:
        pending = self._pending[name]
        self._give_up(name, "incomplete", f"{len(pending.signals)} of {pending.count} legs came in {self._gap:g} s")

    def _give_up(self, name: str, code: str, reason: str) -> None:
        self._drop(name, self._take(name), code, reason)

    def _drop(self, name: str, signals: tuple[TradeSignal, ...], code: str, reason: str) -> None:
        self.counters[f"dropped_{code}"] += 1
        self._on_dropped(name, signals, code, reason)

    def _take(self, name: str) -> tuple[TradeSignal, ...]:
        pending = self._pending.pop(name)
        pending.timer.cancel()
        self._over[name] = None
        if len(self._over) > _REMEMBERED:
            self._over.popitem(last=False)
        return tuple(pending.signals)


def _wrong_alone(signal: TradeSignal) -> str:
    """Return what is wrong with what a signal says of its group, or ''."""
    says = signal.metadata
    if not 0 < len(says[GROUP]) <= _NAME_LENGTH:
        return f"{GROUP} was {len(says[GROUP])} characters long, expected 1 to {_NAME_LENGTH}"
    count = says.get(COUNT, "")
    if not (count.isascii() and count.isdigit()) or not 2 <= int(count) <= MAX_LEGS:
        return f"{COUNT} was {count!r}, expected 2 to {MAX_LEGS}"
    if says.get(POLICY) not in set(LegPolicy):
        return f"{POLICY} was {says.get(POLICY)!r}, expected {', '.join(LegPolicy)}"
    if says.get(ARB_TYPE, "") not in {"", *ArbType}:
        return f"{ARB_TYPE} was {says[ARB_TYPE]!r}, expected {', '.join(ArbType)}"
    try:
        parse_micros(says.get(PAYOFF, "1"))
        int(says.get(EDGE, "0"))
    except (MoneyError, ValueError) as error:
        return f"{PAYOFF} or {EDGE}: {error}"
    return ""


def _wrong_together(signals: list[TradeSignal]) -> str:
    """Return how the newest signal contradicts the others, or ''."""
    *others, newest = signals
    for other in others:
        for key in (COUNT, POLICY, ARB_TYPE, PAYOFF, OPPORTUNITY, EDGE):
            if other.metadata.get(key) != newest.metadata.get(key):
                return f"its legs differ in {key}"
        if other.id == newest.id:
            return "one signal came twice"
        if other.token_id == newest.token_id:
            return "two legs are in one token"
    return ""
