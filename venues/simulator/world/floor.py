"""The floor the agents trade on: the exchange as they use it, their perception of prices, and what they need to act alike every time.

Agents are accounts inside the exchange, funded without limit (the venue's own play money), never clients of the wire. All randomness is
the one seeded generator; time is that of the command being carried out.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from domain.money import CENT, MICRO
from domain.order import OrderSide, OrderType
from venues.exchange import Exchange
from venues.exchange.commands import CancelOrders, Command, Deposit, PlaceOrder, Split
from venues.exchange.events import Event, OrderRefused, RefusalCode
from venues.simulator.world.fair_value import EventValue
from venues.simulator.world.listings import Listing, Listings
from venues.simulator.world.modes import Engine, Modes
from venues.simulator.world.schedule import Schedule
from venues.simulator.world.universe import NANOS

_ENDOWMENT = 20_000 * MICRO
_LOWEST, _HIGHEST = 0.006, 0.994
_YOUNGEST_SECONDS = 15.0
_NOISE_SIGMA = 0.006
_NOISE_SECONDS = 12.0
FINE_SIZE_STEP = 20
"""Sizes in whole shares divisible by this make a whole number of cents at every price of every grid."""


@dataclass(slots=True)
class Displacement:
    """A passing distance of a market's perceived price from its fair value: it rises, holds and falls back (seconds)."""

    size: float
    start_ns: int
    rise: float
    hold: float
    fall: float

    def at(self, now_ns: int) -> float:
        """Return the displacement now."""
        seconds = (now_ns - self.start_ns) / NANOS
        if seconds < self.rise:
            return self.size * max(0.0, seconds / self.rise)
        left = 1.0 - max(0.0, seconds - self.rise - self.hold) / self.fall
        return self.size * max(0.0, left)

    def over(self, now_ns: int) -> bool:
        return now_ns - self.start_ns > (self.rise + self.hold + self.fall) * NANOS


@dataclass(slots=True)
class Mood:
    """What the agents think of one market beside its fair value."""

    fair: float
    noise: float = 0.0
    displacement: Displacement | None = None


class Floor:
    """Shared by all agents. `observe` is told every event of every command, in order, `forget` the markets listed no longer.

    `transaction_hash` is that of the chain's transaction that moves funds just now.
    """

    def __init__(
        self,
        exchange: Exchange,
        listings: Listings,
        schedule: Schedule,
        rng: random.Random,
        speed: float,
        venue_id: str,
    ) -> None:
        self.exchange = exchange
        self.listings = listings
        self.schedule = schedule
        self.rng = rng
        self.speed = speed
        self.now_ns = 0
        self.values: dict[str, EventValue] = {}
        self.moods: dict[str, Mood] = {}
        self.modes = Modes()
        self.refusals: Counter[RefusalCode] = Counter()
        self.observe: Callable[[list[Event]], None] = _nobody
        self.transaction_hash = ""
        self.forget: Callable[[list[Listing]], None] = _nobody
        self._venue_id = venue_id
        self._orders = 0

    def later(self, seconds: float, name: str, *arguments: str | float) -> None:
        """Plan a task `seconds` from now, whatever the speed."""
        self.schedule.add(self.now_ns + int(seconds * NANOS), name, *arguments)

    def soon(self, low: float, high: float, name: str, *arguments: str | float) -> None:
        """Plan an agent's task in `low` to `high` seconds of agents' time."""
        self.later(self.rng.uniform(low, high) / self.speed, name, *arguments)

    def do(self, command: Command) -> list[Event]:
        """Carry out a command of an agent or of the venue."""
        events = self.exchange.step(self.now_ns, command)
        self.observe(events)
        return events

    def trading(self, condition_id: str) -> Listing | None:
        """Return a market that trades, None when it is over or has no book."""
        listing = self.listings.by_condition(condition_id)
        return listing if listing and not listing.closed and not listing.book_closed else None

    def calm(self) -> list[Listing]:
        """Return the markets where nothing is going on and the outcome is not near."""
        youngest = self.now_ns - int(_YOUNGEST_SECONDS * NANOS)
        return [
            listing
            for listing in self.listings.open()
            if listing.spec.opened_ns < youngest
            and self.moods[listing.spec.condition_id].displacement is None
            and self.now_ns < self.values[listing.event.id].final_ns
        ]

    def perceived(self, condition_id: str) -> float:
        """Return the YES price at which agents see a market now."""
        mood = self.moods[condition_id]
        shift = mood.displacement.at(self.now_ns) if mood.displacement else 0.0
        return min(max(mood.fair + mood.noise + shift, _LOWEST), _HIGHEST)

    def refresh(self, event_id: str, seconds: float) -> None:
        """Move an event's fair values and its markets' noise on by `seconds`."""
        value = self.values[event_id]
        value.drift(self.rng, self.now_ns)
        keep = math.exp(-seconds / _NOISE_SECONDS)
        spread = _NOISE_SIGMA * math.sqrt(1 - keep * keep)
        for listing, fair in zip(self.listings.of_event(event_id), value.values(self.now_ns), strict=True):
            mood = self.moods[listing.spec.condition_id]
            mood.fair = fair
            mood.noise = mood.noise * keep + self.rng.gauss(0.0, spread)
            if mood.displacement and mood.displacement.over(self.now_ns):
                mood.displacement = None

    def place(
        self,
        account: str,
        listing: Listing,
        token_id: str,
        side: OrderSide,
        price: int,
        shares: int,
        order_type: OrderType,
    ) -> str | None:
        """Place an order of whole `shares` at a grid price, funds brought along; return its id when it was taken.

        Agents obey the engine's mode: what it would refuse is not even tried.
        Sizes come from `shares`, so that every amount is a whole number of cents and obeys the venue's decimals.
        """
        engine = self.modes.engine(self.now_ns)
        post_only = engine is Engine.POST_ONLY
        if not (engine is Engine.OPEN or (post_only and order_type.rests)):
            return None
        amount, cash = shares * MICRO, shares * price
        if side is OrderSide.BUY:
            self._bring_cash(account, 2 * cash)
        else:
            self._bring_tokens(account, listing, token_id, amount)
        order_id = self._order_id()
        maker, taker = (cash, amount) if side is OrderSide.BUY else (amount, cash)
        answer = self.do(PlaceOrder(order_id, account, token_id, side, order_type, maker, taker, 0, post_only))[-1]
        if isinstance(answer, OrderRefused):
            self.refusals[answer.code] += 1
            return None
        return order_id

    def rests(self, order_id: str) -> bool:
        """Tell whether an order is still open."""
        order = self.exchange.order(order_id)
        return order is not None and order.status.open

    def cancel(self, account: str, order_ids: list[str]) -> None:
        """Cancel orders of an agent; a venue that is down takes no cancels."""
        if order_ids and self.modes.engine(self.now_ns) not in (Engine.DOWN, Engine.DISABLED):
            self.do(CancelOrders(account, tuple(order_ids)))

    def shares(self, low: int, high: int, price_tick: int) -> int:
        """Return a random whole size whose cost is whole cents on the market's grid."""
        step = 1 if price_tick % CENT == 0 else FINE_SIZE_STEP
        return max(step, self.rng.randint(low, high) // step * step)

    def _bring_cash(self, account: str, amount: int) -> None:
        if self.exchange.balance(account).available < amount:
            self.do(Deposit(account, max(_ENDOWMENT, amount)))

    def _bring_tokens(self, account: str, listing: Listing, token_id: str, amount: int) -> None:
        if self.exchange.balance(account, token_id).available < amount:
            stock = max(_ENDOWMENT, amount)
            self._bring_cash(account, stock)
            self.do(Split(account, listing.spec.condition_id, stock))

    def _order_id(self) -> str:
        self._orders += 1
        return "0x" + hashlib.sha256(f"{self._venue_id}/{self._orders}".encode()).hexdigest()


def _nobody(_news: object) -> None:
    """Hear nothing: the floor before it belongs to a world."""
