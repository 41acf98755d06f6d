"""What is listed and what became of it: the metadata beside the exchange's books, found by id, slug, condition or token.

Closed events stay readable for a while (their orders and redemptions are still asked about); the oldest are dropped, so memory is bounded.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from domain.market import Market
from domain.money import MICRO
from venues.exchange.events import TradeView
from venues.simulator.world.universe import NANOS, EventSpec, MarketSpec

HOUR_NS = 3600 * NANOS
CLOSED_EVENTS_KEPT = 200
CRYPTO_TAKER_DELAY_MS = 150


@dataclass(slots=True)
class Listing:
    """One market and its public state. `volume` is what was traded in micro-dollars, `shares` in micro-shares.

    `winner` is the index of the token that pays, None when both pay half.
    `book_closed`: a resolution is proposed, the book is gone although the market is not over.
    `proposed_ns` is when an outcome was proposed.
    `last_price` is that of the first outcome, whichever token traded last; `last_side` is the taker's.
    """

    spec: MarketSpec
    event: EventSpec
    tick: int
    proposed_ns: int | None = None
    closed_ns: int | None = None
    book_closed: bool = False
    winner: int | None = None
    last_price: int | None = None
    last_side: str = ""
    volume: int = 0
    shares: int = 0
    _hours: deque[tuple[int, int]] = field(default_factory=deque)

    @property
    def closed(self) -> bool:
        return self.closed_ns is not None

    @property
    def delay_ms(self) -> int:
        """Return how long a marketable order waits: the taker delay of crypto, or the seconds of a game."""
        return self.taker_delay_ms or 1000 * self.event.seconds_delay

    @property
    def taker_delay_ms(self) -> int:
        return CRYPTO_TAKER_DELAY_MS if self.event.category == "Crypto" else 0

    def outcome(self, token_id: str) -> str:
        """Return the name of the outcome that a token pays for."""
        return "Yes" if token_id == self.spec.token_ids[0] else "No"

    def other(self, token_id: str) -> str:
        """Return the other token of the market."""
        yes, no = self.spec.token_ids
        return no if token_id == yes else yes

    def record(self, trade: TradeView, now_ns: int) -> None:
        """Count a trade into volume and last price."""
        self.last_side = trade.side.name
        self.last_price = trade.price if trade.token_id == self.spec.token_ids[0] else MICRO - trade.price
        self.volume += trade.cash
        self.shares += trade.size
        hour = now_ns // HOUR_NS
        if not self._hours or self._hours[-1][0] != hour:
            self._hours.append((hour, 0))
        self._hours[-1] = (hour, self._hours[-1][1] + trade.cash)
        while self._hours[0][0] <= hour - 24:
            self._hours.popleft()

    def volume_24h(self, now_ns: int) -> int:
        """Return the volume of the last 24 hours, to the hour."""
        first = now_ns // HOUR_NS - 24
        return sum(volume for hour, volume in self._hours if hour > first)

    def as_market(self) -> Market:
        """Return the market as the exchange core lists it."""
        spec = self.spec
        return Market(
            id=spec.id,
            venue="polymarket",
            question=spec.question,
            slug=spec.slug,
            condition_id=spec.condition_id,
            token_ids=spec.token_ids,
            tick=self.tick,
            min_size=spec.min_size,
            neg_risk=spec.neg_risk,
            fees=spec.fees,
            category=self.event.category,
            group_id=spec.event_id,
            taker_delay_ms=self.delay_ms,
            end_ns=self.event.end_ns,
            created_ns=spec.opened_ns,
        )


class Listings:
    """All listed events, open ones and the latest closed ones."""

    def __init__(self) -> None:
        self.events: dict[str, EventSpec] = {}
        self.markets: dict[str, Listing] = {}
        self._by_condition: dict[str, Listing] = {}
        self._by_token: dict[str, Listing] = {}
        self._closed_events: deque[str] = deque()

    def add(self, event: EventSpec) -> list[Listing]:
        """List an event; return its markets."""
        self.events[event.id] = event
        listings = [Listing(spec=spec, event=event, tick=spec.tick) for spec in event.markets]
        for listing in listings:
            self.markets[listing.spec.id] = listing
            self._by_condition[listing.spec.condition_id] = listing
            for token_id in listing.spec.token_ids:
                self._by_token[token_id] = listing
        return listings

    def close(self, event_id: str) -> list[Listing]:
        """Note that an event is over; return the markets of events that are now forgotten."""
        self._closed_events.append(event_id)
        forgotten: list[Listing] = []
        while len(self._closed_events) > CLOSED_EVENTS_KEPT:
            event = self.events.pop(self._closed_events.popleft())
            for spec in event.markets:
                forgotten.append(self.markets.pop(spec.id))
                del self._by_condition[spec.condition_id]
                for token_id in spec.token_ids:
                    del self._by_token[token_id]
        return forgotten

    def of_event(self, event_id: str) -> list[Listing]:
        """Return the markets of an event, in order."""
        return [self.markets[spec.id] for spec in self.events[event_id].markets]

    def by_condition(self, condition_id: str) -> Listing | None:
        """Find a market by its condition."""
        return self._by_condition.get(condition_id)

    def remembered(self, condition_id: str) -> Listing:
        """Return a market whose orders are remembered; it is, as long as they are."""
        return self._by_condition[condition_id]

    def by_token(self, token_id: str) -> Listing | None:
        """Find a market by either token."""
        return self._by_token.get(token_id)

    def open(self) -> list[Listing]:
        """Return all markets that trade."""
        return [listing for listing in self.markets.values() if not listing.closed and not listing.book_closed]
