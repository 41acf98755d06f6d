"""Rebalancing arbitrage: NO of every outcome of an exclusive event, where all of them together cost less than they must pay.

At most one market of such an event pays YES, so NO of n of them pays n − 1 at the least, whichever wins and also when none does; nothing need be
known of outcomes that are not bought, nor of those that an augmented event adds later. An event counts as exclusive when the venue says so of it and
of each of its markets. Prices are those of resting offers, taken no deeper than the smallest order needs, each with its fee. All legs go out as one
group of equal shares, whole or not at all (`trading.leg_groups`). What is bought is held to the resolution, so what an event may hold, and in how
many events, is bounded. Doubt about a leg leaves it out; what is too small or too much is not traded, with the gate counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, NamedTuple

from pydantic import ConfigDict, Field

from domain.arbitrage import ArbType
from domain.legs import LegPolicy
from domain.market import Market
from domain.money import MICRO, exact_micros, format_micros, multiply_ceil
from domain.order import Effect, OrderSide, OrderType
from domain.signal import Intent, TradeSignal, Urgency
from markets.order_book import OrderBook
from strategies.context import Context
from strategies.parameter_fields import Count, Dollars, Duration, nanoseconds
from strategies.parameters import Parameters
from strategies.strategy import NOTHING, Strategy
from trading.leg_accumulator import ARB_TYPE, COUNT, EDGE, GROUP, PAYOFF, POLICY
from trading.leg_sizes import equal_size

SECOND = 1_000_000_000
BPS = MICRO // 10_000
"""A hundredth of a percent of a dollar, in micro-dollars."""
MIN_MARKETABLE_NOTIONAL = MICRO
"""The venue refuses marketable buys under one dollar."""


class RebalancingArbParameters(Parameters):
    """The specification's keys, and bounds on what is held."""

    model_config = ConfigDict(
        title="Rebalancing arbitrage",
        json_schema_extra={
            "description": "Buys NO of every outcome of an exclusive event where that costs less than it must pay."
        },
    )

    min_edge_bps: Count = Field(
        50,
        ge=1,
        le=10_000,
        title="Least edge",
        description="What a set must bring after fees",
        json_schema_extra={"unit": "0.01 % of a dollar"},
    )
    max_group_size: Count = Field(
        10, ge=2, le=15, title="Largest event", description="Events with more open outcomes are left alone"
    )
    size_per_leg: Dollars = Field(
        Decimal(5),
        ge=1,
        le=100_000,
        title="Size per leg",
        description="What the dearest leg of a set may spend; equal shares follow",
        json_schema_extra={"unit": "USD"},
    )
    ttl_seconds: Count = Field(
        30,
        ge=1,
        le=300,
        title="Life of a signal",
        description="Later it is not acted on",
        json_schema_extra={"unit": "s"},
    )
    max_stale_sec: Count = Field(
        5,
        ge=1,
        le=60,
        title="Oldest book",
        description="Every leg's book must be at least this fresh",
        json_schema_extra={"unit": "s"},
    )
    max_exposure: Dollars = Field(
        Decimal(50),
        ge=1,
        le=1_000_000,
        title="Most in an event",
        description="What sets of one event may have cost together while they are held",
        json_schema_extra={"unit": "USD"},
    )
    max_events: Count = Field(
        2, ge=1, le=100, title="Most events", description="Events in which sets are held at the same time"
    )
    cooldown: Duration = Field(
        timedelta(seconds=10),
        ge=timedelta(seconds=1),
        le=timedelta(days=1),
        title="Cool-down",
        description="Pause in an event after a set was signalled",
    )


class _Offer(NamedTuple):
    """NO of one market: its limit price, the shares offered up to it, and what a share gains against a dollar after its fee."""

    market: Market
    price: int
    shares: int
    gain: int


class RebalancingArb(Strategy[RebalancingArbParameters]):
    """See the module."""

    kind: ClassVar[str] = "rebalancing_arb"
    parameters_type: ClassVar[type[Parameters]] = RebalancingArbParameters

    def __init__(self, name: str, parameters: RebalancingArbParameters, context: Context) -> None:
        self._events: dict[str, list[Market]] = {}
        self._cooling: dict[str, int] = {}
        super().__init__(name, parameters, context)

    def wants(self, market: Market) -> bool:
        return market.tradable and market.neg_risk and market.group_id is not None

    def on_start(self, now_ns: int) -> None:
        self._sort_events()

    def on_stop(self, now_ns: int) -> None:
        self._events.clear()
        self._cooling.clear()

    def on_timer(self, now_ns: int) -> Sequence[Intent]:
        """Take up markets that came, went or changed their rules."""
        self._sort_events()
        self._cooling = {event: until for event, until in self._cooling.items() if until > now_ns}
        return NOTHING

    def _sort_events(self) -> None:
        events = defaultdict(list)
        for token_id, market in self.context.markets.items():
            if token_id == market.token_ids[0] and market.group_id is not None and self.wants(market):
                events[market.group_id].append(market)
        self._events = {event: markets for event, markets in events.items() if self.context.exclusive(event)}

    def on_book(self, book: OrderBook, now_ns: int) -> Sequence[Intent]:
        market = self.context.markets.get(book.token_id)
        if market is None or market.group_id is None or book.token_id != market.token_ids[1]:
            return NOTHING
        event = market.group_id
        if self._cooling.get(event, 0) > now_ns:
            return NOTHING
        offers = self._offers(event, now_ns)
        edge = sum(offer.gain for offer in offers) - MICRO
        if len(offers) < 2 or edge < self.parameters.min_edge_bps * BPS:
            return NOTHING
        return self._take(event, offers, edge, now_ns)

    def _offers(self, event: str, now_ns: int) -> list[_Offer]:
        """Return the outcomes whose NO can be bought now with a gain; none where the event is too large."""
        markets = self._events.get(event, [])
        if len(markets) > self.parameters.max_group_size:
            return []
        least = max((market.min_size for market in markets), default=0)
        oldest = now_ns - self.parameters.max_stale_sec * SECOND
        found = (self._offer(market, least, oldest) for market in markets)
        return [offer for offer in found if offer is not None]

    def _offer(self, market: Market, least: int, oldest: int) -> _Offer | None:
        book = self.context.book(market.token_ids[1])
        # Some markets hold taking orders back while others may go away: legs there are no arbitrage.
        if book is None or book.received_ns < oldest or market.taker_delay_ms:
            return None
        shares = 0
        for price, size in book.levels(OrderSide.SELL):
            shares += size
            if shares >= least and multiply_ceil(price, shares) >= MIN_MARKETABLE_NOTIONAL:
                gain = MICRO - price - market.fees.worst_buy_fee(price, MICRO)
                return _Offer(market, price, shares, gain) if gain > 0 else None
        return None

    def _take(self, event: str, offers: Sequence[_Offer], edge: int, now_ns: int) -> Sequence[Intent]:
        dearest = max(offer.price for offer in offers)
        most = exact_micros(self.parameters.size_per_leg) * MICRO // dearest
        size = equal_size(
            ((OrderSide.BUY, offer.price) for offer in offers), min(most, *(offer.shares for offer in offers))
        )
        if any(
            size < offer.market.min_size or offer.price * size < MIN_MARKETABLE_NOTIONAL * MICRO for offer in offers
        ):
            return self._refuse("size under the minimum")
        cost = sum(multiply_ceil(offer.price, size) for offer in offers)
        gate = self._full(event, cost, now_ns)
        if gate:
            return self._refuse(gate)
        self._cooling[event] = now_ns + nanoseconds(self.parameters.cooldown)
        gross = MICRO * (len(offers) - 1) - sum(offer.price for offer in offers)
        says = {
            GROUP: f"{event[:60]}-{self.context.ids.uuid()[:8]}",
            COUNT: str(len(offers)),
            POLICY: LegPolicy.ALL_OR_NONE.value,
            ARB_TYPE: ArbType.REBALANCING.value,
            PAYOFF: str(len(offers) - 1),
            EDGE: str(gross // BPS),
        }
        reason = (
            f"NO of {len(offers)} outcomes costs ${format_micros(cost)} for {format_micros(size)} sets of at least ${len(offers) - 1}; "
            f"{edge / BPS:.0f} bps after fees"
        )
        return [self._signal(offer, size, says, reason, now_ns) for offer in offers]

    def _full(self, event: str, cost: int, now_ns: int) -> str:
        """Return which bound on what is held stops a set that costs `cost`, "" for none.

        An event that cools down counts as held: its set may be on its way.
        """
        held: defaultdict[str, int] = defaultdict(int)
        for position in self.context.desk.positions(self.name):
            market = self.context.markets.get(position.token_id)
            held[(market.group_id if market is not None else None) or position.market_id] += position.cost
        if held.get(event, 0) + cost > exact_micros(self.parameters.max_exposure):
            return "most in the event reached"
        events = held.keys() | {each for each, until in self._cooling.items() if until > now_ns}
        return "most events reached" if event not in held and len(events) >= self.parameters.max_events else ""

    def _refuse(self, gate: str) -> Sequence[Intent]:
        self.refusals[gate] += 1
        return NOTHING

    def _signal(self, offer: _Offer, size: int, says: dict[str, str], reason: str, now_ns: int) -> TradeSignal:
        return TradeSignal(
            id=self.context.ids.uuid(),
            source=self.name,
            market=offer.market,
            token_id=offer.market.token_ids[1],
            side=OrderSide.BUY,
            price=offer.price,
            size=size,
            effect=Effect.OPEN,
            order_type=OrderType.FOK,
            urgency=Urgency.IMMEDIATE,
            created_ns=now_ns,
            expires_ns=now_ns + self.parameters.ttl_seconds * SECOND,
            reason=reason,
            metadata=says,
        )
