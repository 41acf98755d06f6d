"""Events and markets as Gamma sends them, read into the domain's nouns.

Lists arrive as JSON inside JSON strings, numbers as numbers or strings, anything may be absent or empty. An item without what trading
needs raises `ItemError` saying what; the caller skips and counts it. Source: the venue's Gamma documentation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from domain.errors import PolybotError
from domain.fees import NO_FEES, FeeSchedule
from domain.market import ConditionGroup, Market, MarketStatus
from domain.money import from_float_rounded
from domain.ticks import TICK_SIZES
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.texts import time_ns

Number = float | str | None
BIPS = 10_000

FEE_CATEGORIES = (
    "Crypto", "Sports", "Finance", "Politics", "Mentions", "Tech", "Economics", "Culture", "Weather", "Geopolitics",
)  # fmt: skip
"""Categories that have a fee rate of their own; an event's first tag among them is its category."""


class ItemError(PolybotError):
    """An item of a listing that cannot be traded as it is described."""


class WireFees(msgspec.Struct, rename="camel"):
    rate: Number = None
    exponent: Number = None
    taker_only: bool = True
    rebate_rate: Number = None


class WireTag(msgspec.Struct):
    label: str | None = None


class WireEventStub(msgspec.Struct):
    id: str | int


class WireMarket(msgspec.Struct, rename="camel"):
    id: str | int
    question: str = ""
    slug: str = ""
    description: str | None = None
    resolution_source: str | None = None
    condition_id: str = ""
    clob_token_ids: str | None = None
    position_ids: list[str] | None = None
    outcomes: str | None = None
    outcome_prices: str | None = None
    active: bool = False
    closed: bool = False
    accepting_orders: bool = False
    enable_order_book: bool = False
    neg_risk: bool = False
    neg_risk_market_id: str | None = msgspec.field(default=None, name="negRiskMarketID")
    order_price_min_tick_size: Number = None
    order_min_size: Number = None
    fees_enabled: bool = False
    fee_schedule: WireFees | None = None
    seconds_delay: Number = None
    volume: Number = None
    volume24hr: Number = msgspec.field(default=None, name="volume24hr")
    category: str | None = None
    end_date: str | None = None
    created_at: str | None = None
    closed_time: str | None = None
    uma_resolution_status: str | None = None
    resolution_status: str | None = None
    events: list[WireEventStub] | None = None


class WireEvent(msgspec.Struct, rename="camel"):
    id: str | int
    title: str = ""
    active: bool = False
    closed: bool = False
    neg_risk: bool = False
    enable_neg_risk: bool = False
    neg_risk_augmented: bool = False
    neg_risk_fee_bips: float | None = None
    cumulative_markets: bool = False
    category: str | None = None
    tags: list[WireTag] | None = None
    markets: list[msgspec.Raw] = []


def read_group(event: WireEvent, members: Mapping[str, WireMarket]) -> ConditionGroup:
    """Return the event as a group of those of its markets that could be read, by id. Raises `ItemError` for a fee that is none.

    It is exclusive when the venue says so of the event and each of these markets is of one and the same set of which one at most pays YES.
    """
    sets = {(market.neg_risk, market.neg_risk_market_id or "") for market in members.values()}
    return ConditionGroup(
        id=str(event.id),
        title=event.title,
        market_ids=tuple(members),
        status=MarketStatus.CLOSED if event.closed else MarketStatus.ACTIVE,
        exclusive=(event.neg_risk or event.enable_neg_risk)
        and not event.cumulative_markets
        and len(sets) == 1
        and all(excludes for excludes, _ in sets),
        augmented=event.neg_risk_augmented,
        category=event_category(event),
        conversion_fee_bips=whole_bips(event.neg_risk_fee_bips),
    )


def whole_bips(told: float | None) -> int:
    """Return an event's fee on conversions; `ItemError` for what is no part of the proceeds."""
    bips = told or 0
    if not (0 <= bips <= BIPS and bips == int(bips)):
        raise ItemError(f"negRiskFeeBips was {told}, expected a whole number from 0 to {BIPS}")
    return int(bips)


def event_category(event: WireEvent) -> str:
    labels = [tag.label for tag in event.tags or () if tag.label]
    known = next((label for label in labels if label in FEE_CATEGORIES), None)
    return known or event.category or (labels[0] if labels else "")


def read_market(wire: WireMarket, venue: str, *, group_id: str | None = None, category: str = "") -> Market:
    """Return a market of `venue`.

    Raises:
        ItemError: something that trading needs is missing or impossible.
    """
    try:
        return _market(wire, venue, group_id, category)
    except (*UNDECODABLE, ValueError, OverflowError) as error:
        raise ItemError(str(error)) from error


def _market(wire: WireMarket, venue: str, group_id: str | None, category: str) -> Market:
    token_ids = wire.position_ids or _texts(wire.clob_token_ids, "clobTokenIds")
    outcomes = _texts(wire.outcomes, "outcomes")
    if len(token_ids) != 2 or len(outcomes) != 2 or token_ids[0] == token_ids[1]:
        raise ItemError(f"the market has {len(token_ids)} tokens and {len(outcomes)} outcomes, expected 2 of each")
    if not all(token.isascii() and token.isdigit() for token in token_ids):
        raise ItemError("a token id is no number")
    if len(wire.condition_id) != 66 or not wire.condition_id.startswith("0x"):
        raise ItemError(f"conditionId was {wire.condition_id!r}")
    tick = _micros(wire.order_price_min_tick_size, "orderPriceMinTickSize")
    if tick not in TICK_SIZES:
        raise ItemError(f"orderPriceMinTickSize was {wire.order_price_min_tick_size!r}")
    if group_id is None and wire.events:
        group_id = str(wire.events[0].id)
    status, winner = _outcome(wire)
    return Market(
        id=str(wire.id),
        venue=venue,
        question=wire.question,
        slug=wire.slug,
        condition_id=wire.condition_id,
        token_ids=(token_ids[0], token_ids[1]),
        outcomes=(outcomes[0], outcomes[1]),
        tick=tick,
        min_size=_micros(wire.order_min_size, "orderMinSize"),
        neg_risk=wire.neg_risk,
        status=status,
        accepting_orders=wire.active and not wire.closed and wire.enable_order_book and wire.accepting_orders,
        fees=_fees(wire),
        category=category or wire.category or "",
        group_id=group_id,
        volume=_micros(wire.volume or 0, "volume"),
        volume_24h=_micros(wire.volume24hr or 0, "volume24hr"),
        taker_delay_ms=_micros(wire.seconds_delay or 0, "secondsDelay") // 1_000,
        rules_hash=_rules_hash(wire),
        end_ns=time_ns(wire.end_date) or None,
        created_ns=time_ns(wire.created_at) or None,
        closed_ns=time_ns(_with_minutes(wire.closed_time)) or None,
        winner=winner,
    )


def _outcome(wire: WireMarket) -> tuple[MarketStatus, int | None]:
    """Return the status and, once an outcome was paid, its index (None for an even split)."""
    if not wire.closed:
        return MarketStatus.ACTIVE if wire.active else MarketStatus.CLOSED, None
    resolved = (
        "resolved" in {wire.uma_resolution_status, wire.resolution_status} or wire.uma_resolution_status == "settled"
    )
    prices = [float(text) for text in _texts(wire.outcome_prices, "outcomePrices")] if wire.outcome_prices else []
    if resolved and sorted(prices) == [0.0, 1.0]:
        return MarketStatus.SETTLED, prices.index(1.0)
    if resolved and prices == [0.5, 0.5]:
        return MarketStatus.SETTLED, None
    return MarketStatus.CLOSED, None


def _fees(wire: WireMarket) -> FeeSchedule:
    schedule = wire.fee_schedule
    if schedule is None:
        if wire.fees_enabled:
            raise ItemError("fees are enabled, but there is no feeSchedule")
        return NO_FEES
    exponent = float(schedule.exponent if schedule.exponent is not None else 1)
    if not exponent.is_integer():
        raise ItemError(f"the fee exponent was {schedule.exponent!r}")
    return FeeSchedule(
        rate=_micros(schedule.rate or 0, "feeSchedule.rate"),
        exponent=int(exponent),
        taker_only=schedule.taker_only,
        rebate=_micros(schedule.rebate_rate or 0, "feeSchedule.rebateRate"),
    )


def _rules_hash(wire: WireMarket) -> str:
    """Return a fingerprint of the rules a market resolves by, so that a change of the text is noticed."""
    rules = "\x1f".join((wire.question, wire.description or "", wire.resolution_source or ""))
    return hashlib.sha256(rules.encode()).hexdigest()


def _texts(encoded: str | None, name: str) -> list[str]:
    if not encoded:
        raise ItemError(f"{name} was empty")
    try:
        return msgspec.json.decode(encoded, type=list[str])
    except msgspec.MsgspecError as error:
        raise ItemError(f"{name} was {encoded[:80]!r}: {error}") from error


def _micros(value: Number, name: str) -> int:
    """Return micro-units of a listed number; listings describe and estimate, money never comes from here."""
    if value is None or value == "":
        raise ItemError(f"{name} was missing")
    number = float(value)
    if not 0 <= number <= 1e15:
        raise ItemError(f"{name} was {value!r}")
    return from_float_rounded(number)


def _with_minutes(text: str | None) -> str | None:
    """Complete the hour-only offset of closing times ("2026-03-12 09:31:02+00")."""
    return f"{text}:00" if text and text[-3:] in {"+00", "-00"} else text
