"""Carries out `inputs.ModeChange`: what changes in the modes, and what becomes of resting orders and books."""

from __future__ import annotations

from venues.exchange.commands import EndOrders, LoseOrders, SetAccepting
from venues.exchange.events import VenueStatus
from venues.simulator.inputs import ModeChange, RestartEngine, SetAccount, SetEngine, SetMarket, SetSwitch
from venues.simulator.world.floor import Floor
from venues.simulator.world.lifecycle import Lifecycle
from venues.simulator.world.modes import Engine


class ModeChanges:
    """Turns the venue's modes. What names a market that is unknown or over changes nothing."""

    def __init__(self, floor: Floor, lifecycle: Lifecycle) -> None:
        self._floor = floor
        self._lifecycle = lifecycle

    def apply(self, event: ModeChange) -> None:
        """Carry out one change."""
        modes, now_ns = self._floor.modes, self._floor.now_ns
        if isinstance(event, RestartEngine):
            modes.restart(now_ns, event)
            self._end_delayed()
            self._after_restart(event.orders)
        elif isinstance(event, SetEngine):
            modes.set_engine(now_ns, event)
            if modes.engine(now_ns) is not Engine.OPEN:
                self._end_delayed()
        elif isinstance(event, SetAccount):
            modes.set_account(event)
        elif isinstance(event, SetSwitch):
            modes.set_switch(event)
        else:
            self._market(event)

    def _end_delayed(self) -> None:
        """End what waits for its delay: it would meet an engine that must not match."""
        reason = "the matching engine takes no orders"
        self._floor.do(EndOrders("", VenueStatus.CANCELED_ENGINE_RESTART, reason, delayed_only=True))

    def _after_restart(self, orders: str) -> None:
        if orders == "cancelled":
            self._floor.do(EndOrders("", VenueStatus.CANCELED_ENGINE_RESTART, "the matching engine restarted"))
        elif orders == "lost":
            self._floor.do(LoseOrders())

    def _market(self, event: SetMarket) -> None:
        listing = self._floor.listings.by_condition(event.condition_id)
        if listing is None or listing.closed:
            return
        self._lifecycle.set_book(listing, event.state != "no_book", clear=event.clear)
        self._floor.do(SetAccepting(event.condition_id, event.state == "ready"))
