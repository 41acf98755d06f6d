"""Which orders the venue takes now, as far as its answers tell: normal, post-only, cancel-only or paused; and what else keeps new risk waiting.

Pure: times are monotonic seconds given by the caller. Every mode ends by itself, so nobody has to lift it. New risk waits for a mode to end. What
reduces risk is tried all the same, because a mode's refusal is proof and costs nothing, except while the venue's engine restarts: its answers then
prove nothing, and an order that may have been taken would keep the shares that are to be sold. After a restart nothing is taken from the book for two
minutes. Source: the venue's documentation of restarts and modes.
"""

from __future__ import annotations

from enum import StrEnum

from domain.reports import (
    CANCEL_ONLY,
    ENGINE_RESTARTING,
    OVER_BUDGET,
    POST_ONLY_MODE,
    TRADING_DISABLED,
    Policy,
    Trouble,
)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
MODE_SECONDS = 30.0
"""How long a mode is believed to last when the venue names no end; then it is tried again."""
AFTER_RESTART_SECONDS = 120.0
"""How long nothing is taken from the book after the engine restarted."""


class VenueMode(StrEnum):
    NORMAL = "normal"
    POST_ONLY = "post_only"
    CANCEL_ONLY = "cancel_only"
    PAUSED = "paused"


class VenueState:
    """What one account's venue takes. `hold` and `release` are for reasons of our own, each under its name."""

    def __init__(self) -> None:
        self._holds: dict[tuple[str, str], str] = {}
        self._until = dict.fromkeys((VenueMode.PAUSED, VenueMode.CANCEL_ONLY, VenueMode.POST_ONLY), float("-inf"))
        self._why = dict.fromkeys(self._until, "")
        self._pause = 0.0
        self._restarting = False

    def note(self, trouble: Trouble, now: float) -> VenueMode | None:
        """Learn from a trouble that asks to try again later; returns the mode it begins, None when it begins none."""
        if trouble.policy is not Policy.RETRY_AFTER:
            return None
        before = self.mode(now)
        if trouble.code == POST_ONLY_MODE:
            wait = AFTER_RESTART_SECONDS if trouble.retry_after is None else trouble.retry_after
            self._set(VenueMode.POST_ONLY, now + wait, trouble.code)
        elif trouble.code == CANCEL_ONLY:
            self._set(VenueMode.CANCEL_ONLY, now + _or(trouble.retry_after, MODE_SECONDS), trouble.code)
        elif trouble.code in (TRADING_DISABLED, OVER_BUDGET):
            self._set(VenueMode.PAUSED, now + _or(trouble.retry_after, MODE_SECONDS), trouble.code)
        else:
            self._back_off(trouble, now)
        after = self.mode(now)
        return after if after is not before else None

    def _back_off(self, trouble: Trouble, now: float) -> None:
        """Pause, each time for twice as long; answers to requests that left before the pause do not make it longer."""
        if now >= self._until[VenueMode.PAUSED]:
            self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        until = now + max(self._pause, trouble.retry_after or 0.0)
        self._set(VenueMode.PAUSED, until, trouble.code)
        if trouble.code == ENGINE_RESTARTING:
            self._restarting = True
            self.restarted(until)

    def _set(self, mode: VenueMode, until: float, why: str) -> None:
        self._until[mode] = max(self._until[mode], until)
        self._why[mode] = why

    def restarted(self, now: float) -> None:
        """The engine is back, or will be at `now`: nothing is taken from the book for a while."""
        self._set(VenueMode.POST_ONLY, now + AFTER_RESTART_SECONDS, "restarted")

    def served(self, now: float) -> None:
        """The venue took an order: what paused it is over, and the next pause is short again."""
        if now >= self._until[VenueMode.PAUSED]:
            self._pause, self._restarting = 0.0, False

    def hold(self, name: str, why: str, market_id: str = "") -> None:
        """Keep new risk waiting for a reason of our own, in one market or in all, until it is released."""
        self._holds[name, market_id] = why

    def release(self, name: str, market_id: str = "") -> None:
        self._holds.pop((name, market_id), None)

    def mode(self, now: float) -> VenueMode:
        """Return the narrowest mode that holds."""
        for mode, until in self._until.items():
            if now < until:
                return mode
        return VenueMode.NORMAL

    def stops_opening(self, market_id: str, now: float, *, post_only: bool) -> str:
        """Return why an order that opens risk must wait, or ''; what only rests may be placed in a post-only window."""
        held = self._held(market_id) if self._holds else ""
        mode = self.mode(now)
        if held or mode is VenueMode.NORMAL or (mode is VenueMode.POST_ONLY and post_only):
            return held
        return self._text(mode, now)

    def _held(self, market_id: str) -> str:
        return next((why for (_, where), why in self._holds.items() if where in ("", market_id)), "")

    def stops_reducing(self, now: float) -> str:
        """Return why even an order that reduces risk must wait, or ''."""
        if self._restarting and self.mode(now) is VenueMode.PAUSED:
            return self._text(VenueMode.PAUSED, now)
        return ""

    def text(self, now: float) -> str:
        """Return what to show: "normal", or the mode with its reason and time, and everything on hold."""
        mode = self.mode(now)
        said = [self._text(mode, now)] if mode is not VenueMode.NORMAL else []
        return "; ".join([*said, *self._holds.values()]) or mode.value

    def _text(self, mode: VenueMode, now: float) -> str:
        name = mode.value.replace("_", "-")
        return f"{name} for {self._until[mode] - now:.0f} s more ({self._why[mode]})"


def _or(seconds: float | None, default: float) -> float:
    return default if seconds is None else seconds
