"""Reward parameters and earnings as the venue's REST shows them: text and numbers mixed, spreads in cents, dates as YYYY-MM-DD."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain.money import CENT, to_float
from venues.simulator.contracts import PUSD
from venues.simulator.rewards.terms import RewardTerms
from venues.simulator.world.listings import Listing
from venues.simulator.world.universe import NANOS

View = dict[str, Any]

_ENDLESS = "2500-12-31"
_EPOCH = date(1970, 1, 1)


def day_number(text: str) -> int:
    """Return the UTC day (since 1970) of a YYYY-MM-DD date. Raises `ValueError` for any other text."""
    if len(text) != len("2026-01-01"):
        raise ValueError(f"{text!r} is no date")
    return (date.fromisoformat(text) - _EPOCH).days


def day_text(number: int) -> str:
    """Return a UTC day as YYYY-MM-DD."""
    return (_EPOCH + timedelta(days=number)).isoformat()


def iso(at_ns: int) -> str:
    """Return a time as ISO 8601 UTC, to the second."""
    return datetime.fromtimestamp(at_ns // NANOS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def max_spread(terms: RewardTerms | None) -> float:
    """Return the maximum spread in cents, 0 without rewards."""
    return terms.max_spread / CENT if terms else 0


def min_size(terms: RewardTerms | None) -> float:
    """Return the minimum size in shares, 0 without rewards."""
    return to_float(terms.min_size) if terms else 0


def config(listing: Listing) -> list[View]:
    """Return the reward configurations of a market: one, or none."""
    terms = listing.spec.rewards
    if terms is None:
        return []
    return [
        {
            "id": int(listing.spec.id) % 1_000_000_000,
            "asset_address": PUSD,
            "start_date": iso(listing.spec.opened_ns)[:10],
            "end_date": _ENDLESS,
            "rate_per_day": to_float(terms.daily),
            "total_rewards": 0,
        }
    ]


def rates(listing: Listing) -> list[View] | None:
    """Return the `rates` of a market's rewards object in /markets, None without rewards."""
    terms = listing.spec.rewards
    return [{"asset_address": PUSD, "rewards_daily_rate": to_float(terms.daily)}] if terms else None


def clob_rewards(listing: Listing) -> list[View]:
    """Return Gamma's `clobRewards`."""
    return [
        {
            "id": str(one["id"]),
            "conditionId": listing.spec.condition_id,
            "assetAddress": one["asset_address"],
            "rewardsAmount": 0,
            "rewardsDailyRate": one["rate_per_day"],
            "startDate": one["start_date"],
            "endDate": one["end_date"],
        }
        for one in config(listing)
    ]


def current(listing: Listing) -> View:
    """Return a row of /rewards/markets/current."""
    terms = listing.spec.rewards
    daily = to_float(terms.daily) if terms else 0
    return {
        "condition_id": listing.spec.condition_id,
        "rewards_max_spread": max_spread(terms),
        "rewards_min_size": min_size(terms),
        "rewards_config": config(listing),
        "sponsored_daily_rate": 0,
        "sponsors_count": 0,
        "native_daily_rate": daily,
        "total_daily_rate": daily,
    }


def market(listing: Listing, prices: tuple[float, float], competitiveness: float) -> View:
    """Return a row of /rewards/markets/{condition id}."""
    return {
        "condition_id": listing.spec.condition_id,
        "question": listing.spec.question,
        "market_slug": listing.spec.slug,
        "event_slug": listing.event.slug,
        "image": "",
        "rewards_max_spread": max_spread(listing.spec.rewards),
        "rewards_min_size": min_size(listing.spec.rewards),
        "market_competitiveness": competitiveness,
        "tokens": [
            {"token_id": token_id, "outcome": listing.outcome(token_id), "price": price}
            for token_id, price in zip(listing.spec.token_ids, prices, strict=True)
        ],
        "rewards_config": config(listing),
    }
