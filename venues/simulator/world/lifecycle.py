"""The life of an event: it opens, its values drift, ticks get finer near the ends of the scale, its outcome is drawn, it resolves and is
paid out, and another of its kind opens in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from venues.exchange.commands import EndOrders, ListMarket, RedeemAll, Resolve, SetAccepting, SetBook, SetTick
from venues.exchange.events import VenueStatus
from venues.simulator.world.fair_value import EventValue
from venues.simulator.world.floor import Floor, Mood
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import NANOS, EventSpec, Universe

DRIFT_SECONDS = 0.5
PAYOUT_SECONDS = 8.0
PROPOSED_SECONDS = 6.0
PROPOSED_EVERY = 3
"""One event in so many loses its books before it resolves, as the venue's do from the proposal on."""
_FINE_BELOW, _FINE_ABOVE = 0.04, 0.96
_COARSE_TICK, _FINE_TICK = 10_000, 1_000


class Quoter(Protocol):
    """An agent that quotes markets from their opening to their end."""

    def enter(self, condition_id: str) -> None: ...

    def leave(self, condition_id: str) -> None: ...


class Lifecycle:
    """Runs all events. Handlers are called by the schedule under their names."""

    def __init__(self, floor: Floor, universe: Universe, makers: Sequence[Quoter]) -> None:
        self._floor = floor
        self._universe = universe
        self._makers = makers
        self._template: dict[str, int] = {}

    def start(self) -> None:
        """Open the first events."""
        for number, event in enumerate(self._universe.first_events(self._floor.rng, self._floor.now_ns)):
            self._list(number, event)

    def open_event(self, template_number: int) -> None:
        """Open a new event of one kind."""
        event = self._universe.open_event(self._floor.rng, template_number, self._floor.now_ns)
        self._list(template_number, event)

    def drift(self, event_id: str) -> None:
        """Move an event's values on, and make its ticks finer where a price nears an end of the scale."""
        floor = self._floor
        if event_id not in floor.values:
            return
        floor.refresh(event_id, DRIFT_SECONDS)
        for listing in floor.listings.of_event(event_id):
            price = floor.perceived(listing.spec.condition_id)
            if listing.tick == _COARSE_TICK and not _FINE_BELOW <= price <= _FINE_ABOVE:
                self.set_tick(listing, _FINE_TICK)
        floor.soon(DRIFT_SECONDS, DRIFT_SECONDS, "drift", event_id)

    def decide(self, event_id: str) -> None:
        """Draw the outcome: from now on the values converge to it. An event that ended before its time has nothing left to decide."""
        if event_id in self._floor.values:
            self._floor.values[event_id].draw_outcome(self._floor.rng)

    def start_game(self, event_id: str) -> None:
        """Cancel what rests on a game that begins now."""
        if event_id in self._floor.values:
            for listing in self._floor.listings.of_event(event_id):
                reason = "the game has started"
                self._floor.do(EndOrders(listing.spec.condition_id, VenueStatus.CANCELED_GAME_STARTED, reason))

    def propose(self, event_id: str) -> None:
        """Take the books of an event whose outcome is proposed, some seconds before it resolves. What rests stays until then."""
        if event_id in self._floor.values:
            for listing in self._floor.listings.of_event(event_id):
                listing.proposed_ns = self._floor.now_ns
                self.set_book(listing, has_book=False)
                self._floor.do(SetAccepting(listing.spec.condition_id, accepting=False))

    def resolve(self, event_id: str) -> None:
        """End an event's markets, once; payouts and the next event of its kind follow."""
        floor = self._floor
        if event_id not in floor.values:
            return
        winners = floor.values.pop(event_id).draw_outcome(floor.rng)
        for listing, winner in zip(floor.listings.of_event(event_id), winners, strict=True):
            condition_id = listing.spec.condition_id
            listing.closed_ns, listing.winner = floor.now_ns, winner
            floor.do(Resolve(condition_id, listing.winner))
            for maker in self._makers:
                maker.leave(condition_id)
            del floor.moods[condition_id]
            floor.later(PAYOUT_SECONDS, "pay_out", condition_id)
        floor.forget(floor.listings.close(event_id))
        floor.later(floor.rng.uniform(3.0, 15.0), "open_event", self._template.pop(event_id))

    def pay_out(self, condition_id: str, keepers: tuple[str, ...]) -> None:
        """Redeem every wallet's tokens but the `keepers`', as the venue's auto-redeem does; what is still in flight is paid a little later."""
        floor = self._floor
        floor.do(RedeemAll(condition_id, keepers))
        if any(trade.condition_id == condition_id for trade in floor.exchange.unsettled_trades()):
            floor.later(PAYOUT_SECONDS, "pay_out", condition_id)

    def set_tick(self, listing: Listing, tick: int) -> None:
        """Give a market another tick; resting orders keep their prices."""
        listing.tick = tick
        self._floor.do(SetTick(listing.spec.condition_id, tick))

    def set_book(self, listing: Listing, has_book: bool, *, clear: bool = False) -> None:
        """Take a market's book away, or give it back; with `clear` its resting orders are cancelled first."""
        condition_id = listing.spec.condition_id
        if has_book == listing.book_closed:
            listing.book_closed = not has_book
            if clear:
                self._floor.do(EndOrders(condition_id, VenueStatus.CANCELED_MARKET_NOT_FOUND, "market not found"))
            self._floor.do(SetBook(condition_id, has_book))

    def _list(self, template_number: int, event: EventSpec) -> None:
        floor = self._floor
        self._template[event.id] = template_number
        value = floor.values[event.id] = EventValue(floor.rng, event)
        for listing, fair in zip(floor.listings.add(event), value.values(floor.now_ns), strict=True):
            condition_id = listing.spec.condition_id
            floor.moods[condition_id] = Mood(fair)
            floor.do(ListMarket(listing.as_market()))
            for maker in self._makers:
                maker.enter(condition_id)
        floor.soon(0.0, DRIFT_SECONDS, "drift", event.id)
        floor.schedule.add(value.final_ns, "decide", event.id)
        if event.game_start_ns is not None and event.clear_book_on_start:
            floor.schedule.add(event.game_start_ns, "start_game", event.id)
        if int(event.id) % PROPOSED_EVERY == 0:
            floor.schedule.add(event.end_ns - int(PROPOSED_SECONDS * NANOS), "propose", event.id)
        floor.schedule.add(event.end_ns, "resolve", event.id)
