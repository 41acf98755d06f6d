"""What the simulated venue lists: events with one or more binary markets, made up from templates and a seeded generator.

Everything an event needs is decided when it opens (questions, ids, ticks, fees, its end), so that the same seed gives the same universe.
Identifiers contain the venue's id: two venues never share a market, token or slug.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from eth_utils.crypto import keccak

from domain.fees import NO_FEES, FeeSchedule
from venues.simulator.rewards.terms import RewardTerms
from venues.simulator.world.templates import TEMPLATES, Template

NANOS = 1_000_000_000
GAME_DELAY_SECONDS = 3


class EventKind(StrEnum):
    """How the markets of an event hang together."""

    BINARY = "binary"
    EXCLUSIVE = "exclusive"
    """Exactly one market pays YES (neg-risk)."""
    LADDER = "ladder"
    """Nested thresholds of one quantity, each a market of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSpec:
    """One listed market. `token_ids[0]` pays YES; `tick` and `min_size` are micro-units as of the listing."""

    id: str
    event_id: str
    question: str
    slug: str
    item_title: str
    condition_id: str
    question_id: str
    token_ids: tuple[str, str]
    tick: int
    min_size: int
    neg_risk: bool
    fees: FeeSchedule
    opened_ns: int
    rewards: RewardTerms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSpec:
    """One listed event; `end_ns` is when its outcome becomes known. Events of one `series` follow each other, every `recurrence` ("" for none)."""

    id: str
    kind: EventKind
    slug: str
    title: str
    description: str
    category: str
    neg_risk_market_id: str
    opened_ns: int
    end_ns: int
    markets: tuple[MarketSpec, ...]
    game_start_ns: int | None = None
    seconds_delay: int = 0
    clear_book_on_start: bool = False
    series: int = 0
    recurrence: str = ""
    neg_risk_fee_bips: int = 0


FEES = {
    "Crypto": FeeSchedule(rate=70_000, rebate=200_000),
    "Sports": FeeSchedule(rate=50_000, rebate=150_000),
    "Politics": FeeSchedule(rate=40_000, rebate=250_000),
    "Finance": FeeSchedule(rate=40_000, rebate=250_000),
    "Tech": FeeSchedule(rate=40_000, rebate=250_000),
    "Economics": FeeSchedule(rate=50_000, rebate=250_000),
    "Culture": FeeSchedule(rate=50_000, rebate=250_000),
    "Weather": FeeSchedule(rate=50_000, rebate=250_000),
    "Geopolitics": NO_FEES,
}
"""Taker fees by category, as the venue published them in 2026."""


class Universe:
    """Opens events. Holds only counters: which events exist is the caller's business."""

    def __init__(self, venue_id: str) -> None:
        self._venue_id = venue_id
        # Numeric ids as the venue has them, in a range of this venue's own.
        digest = keccak(text=venue_id)
        self._next_id = 1_000_000 * (1 + int.from_bytes(digest[:4], "big"))
        # Clients read ids of events as 32-bit numbers.
        self._next_event_id = 1_000_000 + int.from_bytes(digest[4:8], "big") % 2_000_000_000

    def first_events(self, rng: random.Random, now_ns: int) -> list[EventSpec]:
        """Return one event of each template; their ends are spread so that some resolve within minutes."""
        return [self.open_event(rng, number, now_ns) for number in range(len(TEMPLATES))]

    def open_event(self, rng: random.Random, template_number: int, now_ns: int) -> EventSpec:
        """Return a new event of one template that opens at `now_ns`."""
        template = TEMPLATES[template_number]
        minutes = rng.uniform(*template.minutes)
        end_ns = now_ns + int(minutes * 60) * NANOS
        names = {key: rng.choice(values) for key, values in template.choices.items()}
        end = datetime.fromtimestamp(end_ns // NANOS, UTC)
        names["when"] = f"{end:%B} {end.day}, {end:%H:%M} UTC"
        self._next_event_id += 1
        event_id = str(self._next_event_id)
        title = template.title.format_map(names)
        outcomes = _outcomes(rng, template)
        kind = EventKind(template.kind)
        markets = tuple(
            self._market(event_id, template, index, outcome, names, now_ns) for index, outcome in enumerate(outcomes)
        )
        return EventSpec(
            id=event_id,
            kind=kind,
            slug=f"{_slug(title)}-{event_id}",
            title=title,
            description=template.description.format_map(names),
            category=template.category,
            neg_risk_market_id=self._hash("group", event_id)[:-2] + "00" if kind is EventKind.EXCLUSIVE else "",
            opened_ns=now_ns,
            end_ns=end_ns,
            markets=markets,
            series=template_number + 1,
            recurrence=template.recurrence,
            game_start_ns=end_ns - (end_ns - now_ns) * 2 // 5 if template.game else None,
            seconds_delay=GAME_DELAY_SECONDS if template.game else 0,
            clear_book_on_start=template.game,
        )

    def _market(
        self, event_id: str, template: Template, index: int, outcome: str, names: dict[str, str], now_ns: int
    ) -> MarketSpec:
        market_id = self._take_id()
        question = template.question.format_map({**names, "outcome": outcome})
        group = self._hash("group", event_id) if template.kind == "exclusive" else self._hash("question", market_id)
        condition_id = self._hash("condition", market_id)
        token_ids = (self._token(market_id, 0), self._token(market_id, 1))
        if template.positions:
            condition_id, token_ids = _positions(condition_id)
        return MarketSpec(
            id=market_id,
            event_id=event_id,
            question=question,
            slug=f"{_slug(question)}-{market_id}",
            item_title=outcome,
            condition_id=condition_id,
            # The low byte of a neg-risk question id is the market's index in its event.
            question_id=group[:-2] + f"{index:02x}",
            token_ids=token_ids,
            tick=template.tick,
            min_size=5_000_000,
            neg_risk=template.kind == "exclusive",
            fees=FEES[template.category],
            opened_ns=now_ns,
            rewards=template.rewards,
        )

    def _take_id(self) -> str:
        self._next_id += 1
        return str(self._next_id)

    def _hash(self, label: str, key: str) -> str:
        return "0x" + keccak(text=f"{self._venue_id}/{label}/{key}").hex()

    def _token(self, market_id: str, index: int) -> str:
        return str(int.from_bytes(keccak(text=f"{self._venue_id}/token/{market_id}/{index}"), "big"))


def _positions(digest: str) -> tuple[str, tuple[str, str]]:
    """Return condition and position ids of a binary Protocol-V2 market: module, 18 bytes, 8 zero bytes, 4 bytes, the outcome's index."""
    raw = bytes.fromhex(digest[2:])
    condition = b"\x01" + raw[1:19] + bytes(8) + raw[27:31]
    yes, no = (str(int.from_bytes(condition + bytes([index]), "big")) for index in (0, 1))
    return "0x" + (condition + b"\x00").hex(), (yes, no)


def _outcomes(rng: random.Random, template: Template) -> list[str]:
    """Return the outcomes of one event: a sample for contests, in order for ladders and ranges."""
    chosen = sorted(rng.sample(range(len(template.outcomes)), template.markets))
    return [template.outcomes[index] for index in chosen]


def _slug(text: str) -> str:
    kept = "".join(char.lower() if char.isascii() and char.isalnum() else " " for char in text)
    return "-".join(kept.split())[:80].rstrip("-")
