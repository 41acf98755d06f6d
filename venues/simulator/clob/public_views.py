"""Markets as the CLOB's public REST shows them: the compact, the long and the simplified form, and the public trades of one market."""

from __future__ import annotations

from typing import Any

from domain.money import MICRO, to_float
from venues.exchange import Exchange
from venues.simulator.rewards import views as rewards_views
from venues.simulator.rewards.views import iso
from venues.simulator.world.ledger import Entry
from venues.simulator.world.listings import Listing

View = dict[str, Any]


def base_fee(listing: Listing) -> int:
    """Return the legacy flag: 1000 where fees exist, never a rate."""
    return 1000 if listing.spec.fees.rate else 0


def accepting(listing: Listing, exchange: Exchange) -> bool:
    """Tell whether a market takes orders now."""
    market = exchange.market(listing.spec.condition_id)
    return not listing.closed and not listing.book_closed and market is not None and market.accepting_orders


def token_prices(listing: Listing, exchange: Exchange) -> tuple[float, float]:
    """Return what both tokens are worth: the midpoint, or the payout once it is known."""
    paid = exchange.payouts(listing.spec.condition_id)
    if paid is not None:
        return to_float(paid[0]), to_float(paid[1])
    if listing.closed:
        return (0.5, 0.5) if listing.winner is None else (1.0 - listing.winner, float(listing.winner))
    price = middle(listing, exchange)
    return to_float(price), to_float(MICRO - price)


def middle(listing: Listing, exchange: Exchange) -> int:
    """Return the midpoint of the first outcome, or what it last traded at where there is no book."""
    if listing.book_closed and listing.last_price is not None:
        return listing.last_price
    bid, ask = exchange.best(listing.spec.token_ids[0])
    return (bid + ask) // 2


def compact(listing: Listing, exchange: Exchange) -> View:
    """Return the object of /clob-markets; absent keys mean no or none."""
    spec = listing.spec
    shown: View = {
        "c": spec.condition_id,
        "t": [{"t": token_id, "o": listing.outcome(token_id)} for token_id in spec.token_ids],
        "mos": to_float(spec.min_size),
        "mts": to_float(listing.tick),
        "mbf": base_fee(listing),
        "tbf": base_fee(listing),
        "ao": accepting(listing, exchange),
        "aot": iso(spec.opened_ns),
    }
    if spec.fees.rate:
        shown["fd"] = {"r": to_float(spec.fees.rate), "e": spec.fees.exponent, "to": spec.fees.taker_only}
    if spec.neg_risk:
        shown["nr"] = True
    if listing.taker_delay_ms:
        shown["itode"] = True
    event = listing.event
    if event.seconds_delay:
        shown["sd"] = event.seconds_delay
    if event.game_start_ns is not None:
        shown |= {"gst": iso(event.game_start_ns), "cbos": event.clear_book_on_start}
    if spec.rewards:
        shown["r"] = {
            "mi": rewards_views.min_size(spec.rewards),
            "ma": rewards_views.max_spread(spec.rewards),
            "e": True,
        }
        if spec.rewards.min_age_ms:
            shown["r"]["moas"] = spec.rewards.min_age_ms / 1000
    return shown


def long(listing: Listing, exchange: Exchange) -> View:
    """Return the object of /markets/{condition id}."""
    spec, event = listing.spec, listing.event
    return {
        "enable_order_book": True,
        "active": True,
        "closed": listing.closed,
        "archived": False,
        "accepting_orders": accepting(listing, exchange),
        "accepting_order_timestamp": iso(spec.opened_ns),
        "minimum_order_size": to_float(spec.min_size),
        "minimum_tick_size": to_float(listing.tick),
        "condition_id": spec.condition_id,
        "question_id": spec.question_id,
        "question": spec.question,
        "description": event.description,
        "market_slug": spec.slug,
        "end_date_iso": iso(event.end_ns),
        "game_start_time": iso(event.game_start_ns) if event.game_start_ns is not None else None,
        "seconds_delay": event.seconds_delay,
        "fpmm": "",
        "maker_base_fee": base_fee(listing),
        "taker_base_fee": base_fee(listing),
        "notifications_enabled": False,
        "neg_risk": spec.neg_risk,
        "neg_risk_market_id": event.neg_risk_market_id,
        "neg_risk_request_id": "",
        "icon": "",
        "image": "",
        "rewards": _rewards(listing),
        "is_50_50_outcome": listing.closed and listing.winner is None,
        "tokens": _tokens(listing, exchange),
        "tags": [event.category],
    }


def simplified(listing: Listing, exchange: Exchange) -> View:
    """Return a row of /simplified-markets."""
    return {
        "condition_id": listing.spec.condition_id,
        "rewards": _rewards(listing),
        "tokens": _tokens(listing, exchange),
        "active": True,
        "closed": listing.closed,
        "archived": False,
        "accepting_orders": accepting(listing, exchange),
    }


def live_trade(entry: Entry, listing: Listing) -> View:
    """Return a row of /markets/live-activity: a taker's trade with its market and trader."""
    outcome_index = listing.spec.token_ids.index(entry.token_id)
    return {
        "event_type": "trade",
        "market": {
            "condition_id": listing.spec.condition_id,
            "asset_id": entry.token_id,
            "question": listing.spec.question,
            "icon": "",
            "slug": listing.spec.slug,
        },
        "user": {
            "address": entry.wallet,
            "username": "",
            "profile_picture": "",
            "optimized_profile_picture": "",
            "pseudonym": "",
        },
        "side": entry.side,
        "size": str(to_float(entry.size)),
        "fee_rate_bps": "0",
        "price": str(to_float(entry.price)),
        "outcome": listing.outcome(entry.token_id),
        "outcome_index": outcome_index,
        "transaction_hash": entry.transaction_hash,
        "timestamp": str(entry.at_s),
    }


def _tokens(listing: Listing, exchange: Exchange) -> list[View]:
    prices = token_prices(listing, exchange)
    return [
        {
            "token_id": token_id,
            "outcome": listing.outcome(token_id),
            "price": prices[index],
            "winner": listing.winner == index,
        }
        for index, token_id in enumerate(listing.spec.token_ids)
    ]


def _rewards(listing: Listing) -> View:
    terms = listing.spec.rewards
    return {
        "rates": rewards_views.rates(listing),
        "min_size": rewards_views.min_size(terms),
        "max_spread": rewards_views.max_spread(terms),
    }
