"""Gamma's groupings of events: tags (category and rhythm), series, teams and sports, as objects of their own."""

from __future__ import annotations

from typing import Any

from venues.simulator.world.templates import TEAMS, TEMPLATES
from venues.simulator.world.universe import FEES, EventSpec

View = dict[str, Any]

SINCE = "2026-01-05T09:00:00Z"
"""When the simulated venue's fixed objects were made."""

SPORT = "sim"
MARKET_TYPES = ["moneyline", "spreads", "totals"]

_LABELS = (*FEES, "Hourly", "Daily", "All")
_FIRST_TAG, _FIRST_SERIES, _FIRST_TEAM = 100_001, 10_001, 501


def _slug(label: str) -> str:
    return label.lower().replace(" ", "-")


TAGS: tuple[View, ...] = tuple(
    {"id": str(_FIRST_TAG + number), "label": label, "slug": _slug(label)} for number, label in enumerate(_LABELS)
)
_TAGS_BY_SLUG = {tag["slug"]: tag for tag in TAGS}


def tags_of(event: EventSpec) -> list[View]:
    """Return an event's tags, its category first."""
    slugs = (_slug(event.category), event.recurrence, "all")
    return [_TAGS_BY_SLUG[slug] for slug in slugs if slug]


def tag(view: View, events: int) -> View:
    """Return a tag as an object of its own; `events` is how many open events carry it."""
    return view | {
        "forceShow": False,
        "isCarousel": False,
        "requiresTranslation": False,
        "createdAt": SINCE,
        "updatedAt": SINCE,
        "activeEventsCount": events,
    }


def related(view: View) -> list[View]:
    """Return the relations of a tag: every category with "All", "All" and the rhythms with every category."""
    categories = [other for other in TAGS[: len(FEES)] if other is not view]
    others = [_TAGS_BY_SLUG["all"]] if view in TAGS[: len(FEES)] else categories
    return [
        {
            "id": f"{view['id']}{other['id']}",
            "tagID": int(view["id"]),
            "relatedTagID": int(other["id"]),
            "rank": rank,
        }
        for rank, other in enumerate(others, 1)
    ]


def series(number: int) -> View | None:
    """Return the series of a template by its number (from 1), None when its events do not come again."""
    template = TEMPLATES[number - 1]
    if not template.series:
        return None
    slug = _slug(template.series)
    return {
        "id": str(_FIRST_SERIES + number),
        "ticker": slug,
        "slug": slug,
        "title": template.series,
        "seriesType": "single",
        "recurrence": template.recurrence,
        "image": "",
        "icon": "",
        "active": True,
        "closed": False,
        "archived": False,
        "createdAt": SINCE,
        "updatedAt": SINCE,
        "commentCount": 0,
    }


def all_series() -> list[tuple[int, View]]:
    """Return (number, series) of every series."""
    found = ((number, series(number)) for number in range(1, len(TEMPLATES) + 1))
    return [(number, view) for number, view in found if view is not None]


def teams() -> list[View]:
    """Return every team of the simulated league."""
    return [
        {
            "id": _FIRST_TEAM + number,
            "name": name,
            "league": SPORT,
            "record": "",
            "logo": "",
            "abbreviation": "".join(word[0] for word in name.split()).lower() + str(number),
            "alias": name.split()[-1],
            "providerId": _FIRST_TEAM + number,
            "color": "",
            "createdAt": SINCE,
            "updatedAt": SINCE,
        }
        for number, name in enumerate(TEAMS)
    ]


def sports() -> list[View]:
    """Return the one sport there is."""
    return [
        {
            "id": 1,
            "sport": SPORT,
            "name": "Simulated League",
            "image": "",
            "resolution": "",
            "ordering": "home",
            "tags": _TAGS_BY_SLUG["sports"]["id"],
            "series": "",
            "createdAt": SINCE,
            "updatedAt": SINCE,
        }
    ]
