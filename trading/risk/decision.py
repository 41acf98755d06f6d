"""The words of a risk decision: an accepted draft under its decision id, or a refusal with a stable code that is counted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from domain.money import format_micros
from domain.order import OrderDraft


class Refusal(StrEnum):
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    NOT_TRADABLE = "market_not_tradable"
    NOT_OF_MARKET = "token_of_another_market"
    NO_LEASE = "no_lease"
    HALTED = "halted"
    VENUE = "venue_not_ready"
    STALE_BOOK = "stale_book"
    NO_BOOK = "no_book"
    PRICE_BAND = "price_band"
    SLIPPAGE = "slippage"
    OFF_GRID = "off_grid"
    TOO_SMALL = "too_small"
    SELF_TRADE = "self_trade"
    ORDER_CAP = "order_cap"
    MARKET_CAP = "market_cap"
    EVENT_CAP = "event_cap"
    VENUE_CAP = "venue_cap"
    TOTAL_CAP = "total_cap"
    POSITION_CAP = "position_cap"
    NO_CASH = "not_enough_cash"
    NO_TOKENS = "not_enough_tokens"
    BUSY = "too_many_orders_in_flight"
    NO_REDUCTION = "reduces_nothing"
    EXPIRATION = "wrong_expiration"
    RATE = "too_many_intents"
    GROUP = "leg_group_dropped"
    UNHEDGED_CAP = "unhedged_cap"
    NOT_PREPARED = "not_prepared"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an intent: a `draft` that holds its reservation under `decision_id`, or a `refusal` with its `detail`."""

    decision_id: str = ""
    draft: OrderDraft | None = None
    refusal: Refusal | None = None
    detail: str = ""


class BookView(Protocol):
    """What risk needs to know of an order book; prices in micro-dollars, 0 and 1_000_000 for an empty side."""

    @property
    def best_bid(self) -> int: ...
    @property
    def best_ask(self) -> int: ...
    @property
    def received_ns(self) -> int: ...
    @property
    def trusted(self) -> bool: ...


def refuse(refusal: Refusal, detail: str) -> Decision:
    return Decision(refusal=refusal, detail=detail)


def over(refusal: Refusal, value: int, cap: int) -> Decision:
    return Decision(refusal=refusal, detail=f"${format_micros(value)} would exceed the cap of ${format_micros(cap)}")
