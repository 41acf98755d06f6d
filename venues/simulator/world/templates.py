"""Templates of events: invented places, teams and works, so that no question is about anyone real.

`kind` is how the markets hang together (see `universe.EventKind`), `minutes` the range of an event's life. Lives differ widely on
purpose: within minutes of watching, something resolves and something new opens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.money import CENT, MICRO
from venues.simulator.rewards.terms import RewardTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """How events of one sort are made; `{names}` in texts come from `choices`, `{when}` is the end, `{outcome}` the market's own.

    Events of a `series` come again every `recurrence` (hourly, daily).
    """

    kind: str
    category: str
    title: str
    question: str
    description: str
    outcomes: tuple[str, ...]
    markets: int
    tick: int
    minutes: tuple[float, float]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    series: str = ""
    recurrence: str = ""
    rewards: RewardTerms | None = None
    positions: bool = False
    """Outcomes are positions of Protocol V2, not conditional tokens."""
    game: bool = False
    """A game that starts some time before the end: marketable orders wait, and what rests is cancelled at the start."""


_QUIET = RewardTerms(daily=20 * MICRO, min_size=20 * MICRO, max_spread=45 * CENT // 10)
_BUSY = RewardTerms(daily=150 * MICRO, min_size=50 * MICRO, max_spread=35 * CENT // 10)
_FAST = RewardTerms(daily=60 * MICRO, min_size=20 * MICRO, max_spread=3 * CENT, min_age_ms=3_500)

_CITIES = ("Northport", "Vallmera", "Oststrand", "Kestrel Bay", "Marrow Hill", "Tolvik", "San Aurel", "Lindenmouth")
_COUNTRIES = ("Meridia", "Ostravia", "Calden", "Norrland Isles", "Vespera", "Tarquia")
TEAMS = (
    "Northport Falcons",
    "Vallmera Tigers",
    "Oststrand Rovers",
    "Kestrel Bay Herons",
    "Tolvik Bears",
    "San Aurel Comets",
    "Lindenmouth Kings",
    "Marrow Hill Wolves",
)
_OFFICIAL = "Resolves by the official announcement; otherwise by a consensus of credible reports."

TEMPLATES: tuple[Template, ...] = (
    Template(
        kind="exclusive",
        category="Politics",
        title="{city} city council: largest party",
        question="Will {outcome} be the largest party in the {city} city council?",
        description="The party with the most seats after the count ending {when}. " + _OFFICIAL,
        outcomes=(
            "Civic Union",
            "Harbor Party",
            "Green Valley List",
            "Reform Bloc",
            "Independent Alliance",
            "New Dawn",
        ),
        markets=5,
        rewards=_BUSY,
        tick=10_000,
        minutes=(600, 2900),
        choices={"city": _CITIES},
    ),
    Template(
        kind="exclusive",
        category="Sports",
        title="{cup} winner",
        question="Will the {outcome} win the {cup}?",
        description="The team that lifts the {cup}; decided by {when}. " + _OFFICIAL,
        outcomes=TEAMS,
        markets=4,
        rewards=_QUIET,
        tick=10_000,
        minutes=(25, 70),
        choices={"cup": ("Coastal Cup", "Lakeside Trophy", "Winter League final", "Meridian Shield")},
    ),
    Template(
        kind="exclusive",
        category="Economics",
        title="Central bank of {country}: next rate decision",
        question="Central bank of {country}: {outcome} at the next decision?",
        description="The change of the policy rate announced by {when}. " + _OFFICIAL,
        outcomes=("50+ bps cut", "25 bps cut", "no change", "25+ bps hike"),
        markets=4,
        rewards=_BUSY,
        tick=5_000,
        minutes=(240, 1500),
        choices={"country": _COUNTRIES},
    ),
    Template(
        kind="exclusive",
        category="Weather",
        title="Highest temperature in {city} today",
        question="Will the highest temperature in {city} be {outcome}?",
        description="The maximum measured at the main station until {when}. " + _OFFICIAL,
        outcomes=("19°C or below", "20-21°C", "22-23°C", "24-25°C", "26°C or above"),
        markets=5,
        series="Highest temperature of the day",
        recurrence="daily",
        rewards=_QUIET,
        tick=10_000,
        minutes=(60, 360),
        choices={"city": _CITIES},
    ),
    Template(
        kind="exclusive",
        category="Culture",
        title="{festival}: grand prize",
        question='Will "{outcome}" take the grand prize of the {festival}?',
        description="The film that receives the grand prize by {when}. " + _OFFICIAL,
        outcomes=("The Salt Road", "Nine Lanterns", "A Quiet Orbit", "Paper Rivers", "The Last Ferry", "Glass Harvest"),
        markets=4,
        tick=10_000,
        minutes=(120, 900),
        choices={"festival": ("Lindenmouth Film Festival", "San Aurel Film Week", "Tolvik Screen Days")},
    ),
    Template(
        kind="exclusive",
        category="Tech",
        title="{benchmark}: best model of the month",
        question="Will {outcome} lead the {benchmark} leaderboard?",
        description="The entry on top of the public leaderboard at {when}. " + _OFFICIAL,
        outcomes=("Helix Labs", "Bluefin Research", "Copper Mind", "Northlight"),
        markets=3,
        tick=2_500,
        minutes=(300, 2000),
        choices={"benchmark": ("OpenReason", "LongPlan", "CodeField")},
    ),
    Template(
        kind="ladder",
        category="Crypto",
        title="Bitcoin above ___ on {when}?",
        question="Will Bitcoin be above {outcome} on {when}?",
        description="The reference price of one bitcoin in dollars at {when}, averaged over 60 seconds.",
        outcomes=("$88,000", "$90,000", "$92,000", "$94,000", "$96,000"),
        markets=4,
        series="Bitcoin price thresholds",
        recurrence="hourly",
        rewards=_FAST,
        tick=10_000,
        minutes=(8, 16),
    ),
    Template(
        kind="ladder",
        category="Finance",
        title="{index} close above ___?",
        question="Will the {index} close above {outcome}?",
        description="The official closing level of the {index} on {when}.",
        outcomes=("5,200", "5,300", "5,400", "5,500"),
        markets=3,
        series="Index closing levels",
        recurrence="daily",
        rewards=_QUIET,
        tick=10_000,
        minutes=(40, 200),
        choices={"index": ("Meridia 100", "Calden Composite", "Vespera 50")},
    ),
    Template(
        kind="binary",
        category="Geopolitics",
        title="{country} and its neighbours sign the strait accord?",
        question="Will {country} and its neighbours sign the strait accord before {when}?",
        description="A signed text published before {when} counts. " + _OFFICIAL,
        outcomes=("Accord signed",),
        markets=1,
        rewards=_QUIET,
        tick=10_000,
        minutes=(700, 4000),
        choices={"country": _COUNTRIES},
    ),
    Template(
        kind="binary",
        category="Sports",
        title="{home} vs. visitors",
        question="Will the {home} win at home on {when}?",
        description="A win in regular time or overtime counts. " + _OFFICIAL,
        outcomes=("Home win",),
        markets=1,
        rewards=_QUIET,
        tick=10_000,
        minutes=(12, 30),
        choices={"home": TEAMS},
        game=True,
    ),
    Template(
        kind="binary",
        category="Tech",
        title="{company} ships its folding phone?",
        question="Will {company} ship its folding phone before {when}?",
        description="Delivery to a paying customer counts. " + _OFFICIAL,
        outcomes=("Shipped",),
        markets=1,
        tick=1_000,
        minutes=(400, 2600),
        choices={"company": ("Copperline", "Fjord Devices", "Lumen Works")},
        positions=True,
    ),
    Template(
        kind="binary",
        category="Crypto",
        title="Ether higher at {when}?",
        question="Will Ether be higher at {when} than when this market opened?",
        description="The reference price of one ether in dollars, averaged over 60 seconds.",
        outcomes=("Up",),
        markets=1,
        series="Ether up or down",
        recurrence="hourly",
        tick=10_000,
        minutes=(6, 11),
    ),
)
