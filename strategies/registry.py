"""The strategies of a trader: their life cycle, their counters, and what an operator may change while they run.

`TRANSITIONS` is the only word on which state may follow which. A strategy that raises while starting, or too often while running, ends in `error` and
stays there until somebody starts it again; the others go on. Wrong parameters change nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from domain.errors import InvalidTransitionError, PolybotError
from domain.ports import Clock
from domain.status import StrategyInfo, StrategyState
from strategies.parameters import Parameters, parse
from strategies.strategy import Strategy

_S = StrategyState
TRANSITIONS: dict[StrategyState, frozenset[StrategyState]] = {
    _S.PENDING: frozenset({_S.INITIALIZING}),
    _S.INITIALIZING: frozenset({_S.RUNNING, _S.ERROR}),
    _S.RUNNING: frozenset({_S.STOPPING}),
    _S.STOPPING: frozenset({_S.STOPPED, _S.ERROR}),
    _S.STOPPED: frozenset({_S.INITIALIZING}),
    _S.ERROR: frozenset({_S.INITIALIZING}),
}

ERROR_LIMIT = 10
"""A strategy that raises this often within `ERROR_WINDOW_NS` is stopped."""
ERROR_WINDOW_NS = 60_000_000_000

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class UnknownStrategyError(PolybotError, LookupError):
    """No strategy has this name."""


@dataclass(slots=True)
class Registered:
    """A strategy and what is known of its run."""

    strategy: Strategy[Any]
    enabled: bool
    state: StrategyState = StrategyState.PENDING
    signals_sent: int = 0
    last_signal_ns: int | None = None
    error_count: int = 0
    last_error: str = ""
    budget_overruns: int = 0
    recent_errors: deque[int] = field(default_factory=lambda: deque(maxlen=ERROR_LIMIT))

    @property
    def name(self) -> str:
        return self.strategy.name

    @property
    def running(self) -> bool:
        return self.state is StrategyState.RUNNING

    def move(self, state: StrategyState) -> None:
        if state not in TRANSITIONS[self.state]:
            raise InvalidTransitionError(f"strategy {self.name} is {self.state}, it cannot become {state}")
        self.state = state

    def note_error(self, error: Exception, now_ns: int) -> bool:
        """Count an error; True when there were too many of late."""
        self.error_count += 1
        self.last_error = f"{type(error).__name__}: {error}"[:300]
        self.recent_errors.append(now_ns)
        return len(self.recent_errors) == ERROR_LIMIT and now_ns - self.recent_errors[0] <= ERROR_WINDOW_NS

    def info(self) -> StrategyInfo:
        return StrategyInfo(
            name=self.name,
            state=self.state,
            enabled=self.enabled,
            signals_sent=self.signals_sent,
            error_count=self.error_count,
            budget_overruns=self.budget_overruns,
            last_signal_ns=self.last_signal_ns,
            last_error=self.last_error,
            parameters=self.strategy.parameters.to_json(),
            refusals=dict(self.strategy.refusals),
        )


class Registry:
    """Strategies by name. `generation` grows whenever who runs, or who wants which market, may have changed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._strategies: dict[str, Registered] = {}
        self.generation = 0

    def __iter__(self) -> Iterator[Registered]:
        return iter(self._strategies.values())

    def add(self, strategy: Strategy[Any], *, enabled: bool) -> None:
        """Register a strategy, pending.

        Raises:
            ValueError: the name is taken.
        """
        if strategy.name in self._strategies:
            raise ValueError(f"strategy {strategy.name!r} is registered already")
        self._strategies[strategy.name] = Registered(strategy, enabled)

    def get(self, name: str) -> Registered:
        """Return a strategy by name; `UnknownStrategyError` when there is none."""
        try:
            return self._strategies[name]
        except KeyError:
            known = ", ".join(self._strategies) or "none"
            raise UnknownStrategyError(f"strategy {name!r} is not registered, known: {known}") from None

    def list_info(self) -> list[StrategyInfo]:
        """Return what every strategy does now."""
        return [registered.info() for registered in self]

    def start_enabled(self) -> None:
        """Start every enabled strategy that does not run."""
        for registered in self:
            if registered.enabled and not registered.running:
                self.start(registered.name)

    def stop_all(self) -> None:
        """Stop every running strategy; `enabled` stays as it is."""
        for registered in self:
            if registered.running:
                self.stop(registered.name)

    def start(self, name: str) -> None:
        """Bring a strategy to `running`, or to `error` when it cannot start."""
        registered = self.get(name)
        registered.move(StrategyState.INITIALIZING)
        registered.recent_errors.clear()
        now = self._clock.now_ns()
        try:
            registered.strategy.on_start(now)
        except Exception as error:
            log.exception("strategy did not start", strategy=name)
            registered.note_error(error, now)
            registered.move(StrategyState.ERROR)
        else:
            registered.move(StrategyState.RUNNING)
            log.info("strategy started", strategy=name)
        self.generation += 1

    def stop(self, name: str) -> None:
        """Bring a running strategy to `stopped`, or to `error` when it raised while stopping."""
        self._stop(self.get(name), StrategyState.STOPPED)

    def fail(self, registered: Registered, error: Exception) -> None:
        """Count what a running strategy raised; past the limit it is stopped and ends in `error`."""
        too_many = registered.note_error(error, self._clock.now_ns())
        log.error("strategy raised", strategy=registered.name, errors=registered.error_count, exc_info=error)
        if too_many and registered.running:
            log.error("strategy stopped: it raised too often", strategy=registered.name, limit=ERROR_LIMIT)
            self._stop(registered, StrategyState.ERROR)

    def configure(self, name: str, values: Mapping[str, Any], *, enabled: bool) -> None:
        """Replace a running or resting strategy's parameters, then start or stop it as `enabled` says.

        `values` are complete: what is not named takes its default.

        Raises:
            ParameterError: a value is wrong; parameters and state stay as they were.
            UnknownStrategyError: no strategy has this name.
        """
        registered = self.get(name)
        strategy = registered.strategy
        parameters: Parameters = parse(strategy.parameters_type, values, strategy=name)
        if parameters != strategy.parameters:
            strategy.configure(parameters)
            self.generation += 1
            log.info("strategy has new parameters", strategy=name, parameters=parameters.to_json())
        if enabled != registered.enabled:
            registered.enabled = enabled
            if enabled and not registered.running:
                self.start(name)
            elif not enabled and registered.running:
                self.stop(name)

    def _stop(self, registered: Registered, final: StrategyState) -> None:
        registered.move(StrategyState.STOPPING)
        now = self._clock.now_ns()
        try:
            registered.strategy.on_stop(now)
        except Exception as error:
            log.exception("strategy raised while stopping", strategy=registered.name)
            registered.note_error(error, now)
            final = StrategyState.ERROR
        registered.move(final)
        self.generation += 1
        log.info("strategy stopped", strategy=registered.name, state=final.value)
