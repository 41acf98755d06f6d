"""Carries out `inputs.Misfortune`: what a fault does to a market or a trade. One that is unknown or over stays as it is."""

from __future__ import annotations

from venues.exchange.commands import SetDelay
from venues.simulator.inputs import ChangeTick, Divert, Misfortune
from venues.simulator.world.floor import Floor
from venues.simulator.world.lifecycle import Lifecycle
from venues.simulator.world.settlement import Settlement


class Misfortunes:
    """Lets them happen."""

    def __init__(self, floor: Floor, lifecycle: Lifecycle, settlement: Settlement) -> None:
        self._floor = floor
        self._lifecycle = lifecycle
        self._settlement = settlement

    def apply(self, event: Misfortune) -> None:
        """Carry out one misfortune."""
        if isinstance(event, Divert):
            self._settlement.divert(event.trade_id, event.steps)
            return
        listing = self._floor.trading(event.condition_id)
        if listing is None:
            return
        if isinstance(event, ChangeTick):
            self._lifecycle.set_tick(listing, event.tick)
        else:
            self._floor.do(SetDelay(event.condition_id, event.milliseconds))
