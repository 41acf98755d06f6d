"""What the venue lets whom do right now: the engine's mode, the standing of accounts, and a few switches. State of the world.

It changes only by the inputs of `inputs.ModeChange` (submit one to the venue), so that a killed venue goes on in the mode it was in.
`check_*` raise `RefusalError` with the venue's status, text and headers; they change nothing. Agents obey the engine's mode too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

from venues.simulator.inputs import RestartEngine, SetAccount, SetEngine, SetSwitch
from venues.simulator.refusals import (
    bad_request,
    cancel_only,
    post_only_mode,
    service_not_ready,
    trading_disabled,
    turned_away,
)

_MS_NS = 1_000_000
_SECOND_NS = 1_000_000_000
RETRY_SECONDS = 1
"""What a venue says that does not know how long it will take."""


class Engine(StrEnum):
    """What the matching engine takes: everything; post-only orders and cancels; cancels; nothing (by decision, or while it starts)."""

    OPEN = "open"
    POST_ONLY = "post_only"
    CANCEL_ONLY = "cancel_only"
    DISABLED = "disabled"
    DOWN = "down"


class Standing(StrEnum):
    """What an address may do. An allow-listed plain wallet trades also where plain wallets need listing."""

    NORMAL = "normal"
    ALLOW_LISTED = "allow_listed"
    CLOSED_ONLY = "closed_only"
    BANNED = "banned"


class Switch(StrEnum):
    """What can be on or off: all new orders are blocked by region; plain wallets must be listed; refused orders are answered HTTP 200."""

    GEOBLOCK = "geoblock"
    LISTED_PLAIN_WALLETS = "listed_plain_wallets"
    REFUSALS_IN_200 = "refusals_in_200"


@dataclass(frozen=True, slots=True)
class Phase:
    """The engine is in `mode` until `until_ns`, for ever when that is None."""

    mode: Engine
    until_ns: int | None


@dataclass(slots=True)
class Modes:
    """All modes of one venue."""

    phases: tuple[Phase, ...] = ()
    standings: dict[str, Standing] = field(default_factory=dict)
    switches: set[Switch] = field(default_factory=set)

    def restart(self, now_ns: int, event: RestartEngine) -> None:
        """Take the engine down, then let only post-only orders in for a while."""
        up_ns = now_ns + event.down_ms * _MS_NS
        self.phases = (Phase(Engine.DOWN, up_ns), Phase(Engine.POST_ONLY, up_ns + event.post_only_ms * _MS_NS))

    def set_engine(self, now_ns: int, event: SetEngine) -> None:
        """Put the engine into one mode, for a while or until changed again."""
        mode = Engine(event.mode)
        until_ns = now_ns + event.milliseconds * _MS_NS if event.milliseconds else None
        self.phases = () if mode is Engine.OPEN else (Phase(mode, until_ns),)

    def set_account(self, event: SetAccount) -> None:
        """Give an address another standing."""
        self.standings[event.address] = Standing(event.standing)

    def set_switch(self, event: SetSwitch) -> None:
        """Turn a switch on or off."""
        switch = Switch(event.name)
        (self.switches.add if event.on else self.switches.discard)(switch)

    def phase(self, now_ns: int) -> Phase:
        """Return the mode the engine is in and when that ends."""
        for phase in self.phases:
            if phase.until_ns is None or now_ns < phase.until_ns:
                return phase
        return Phase(Engine.OPEN, None)

    def engine(self, now_ns: int) -> Engine:
        """Return the mode the engine is in."""
        return self.phase(now_ns).mode if self.phases else Engine.OPEN

    def standing(self, address: str) -> Standing:
        return self.standings.get(address, Standing.NORMAL)

    def check_region(self) -> None:
        """Check that new orders are let through to the venue at all; asked before who is calling."""
        if Switch.GEOBLOCK in self.switches:
            raise turned_away()

    def check_place(self, now_ns: int, post_only: bool) -> None:
        """Check that the engine takes orders; `post_only` tells that all orders of the request are."""
        phase = self.phase(now_ns)
        if phase.mode is Engine.CANCEL_ONLY:
            raise cancel_only()
        if phase.mode is Engine.POST_ONLY and not post_only:
            raise post_only_mode(_seconds_left(phase, now_ns))
        _check_running(phase, now_ns)

    def check_cancel(self, now_ns: int) -> None:
        """Check that the engine takes cancels."""
        _check_running(self.phase(now_ns), now_ns)

    def check_account(self, addresses: tuple[str, ...], reduces: bool) -> None:
        """Check that the addresses behind an order may trade; `reduces` tells that it is a SELL."""
        for address in addresses:
            standing = self.standing(address)
            if standing is Standing.BANNED:
                raise bad_request(f"'{address}' address banned")
            if standing is Standing.CLOSED_ONLY and not reduces:
                raise bad_request(f"'{address}' address in closed only mode")

    def check_plain_wallet(self, address: str) -> None:
        """Check that a plain wallet (signature type 0) may trade."""
        unlisted = self.standing(address) is not Standing.ALLOW_LISTED
        if Switch.LISTED_PLAIN_WALLETS in self.switches and unlisted:
            raise bad_request("maker address not allowed, please use the deposit wallet flow")


def _check_running(phase: Phase, now_ns: int) -> None:
    if phase.mode is Engine.DOWN:
        raise service_not_ready(_seconds_left(phase, now_ns))
    if phase.mode is Engine.DISABLED:
        raise trading_disabled()


def _seconds_left(phase: Phase, now_ns: int) -> int:
    return RETRY_SECONDS if phase.until_ns is None else max(1, ceil((phase.until_ns - now_ns) / _SECOND_NS))
