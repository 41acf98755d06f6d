"""Rows of the Data API: snake_case of v2, and camelCase of the v1 routes that are still used. Numbers are JSON numbers, times Unix seconds."""

from __future__ import annotations

from typing import Any

from domain.money import to_float
from venues.simulator.data_api.portfolio import Holding
from venues.simulator.rewards.views import iso
from venues.simulator.world.ledger import Entry, Totals
from venues.simulator.world.listings import Listing

View = dict[str, Any]

NO_OUTCOME = 999
_PROFILE = {"name": "", "pseudonym": "", "bio": "", "profile_image": "", "profile_image_optimized": ""}


def position(holding: Holding) -> View:
    """Return a row of /v2/positions."""
    record, listing = holding.position, holding.listing
    other = listing.other(holding.token_id)
    return {
        "proxy_wallet": holding.wallet,
        "token_id": holding.token_id,
        "condition_id": listing.spec.condition_id,
        "current_size": to_float(record.size),
        "avg_price": to_float(record.average),
        "entry_cost_usdc": to_float(record.cost),
        "entry_fees_usdc": to_float(record.fees),
        "total_cost_usdc": to_float(record.cost + record.fees),
        "current_price": to_float(holding.price),
        "current_value": to_float(holding.value),
        "total_size": to_float(record.bought),
        "realized_pnl": to_float(record.realized),
        "unrealized_pnl": to_float(holding.unrealized),
        "total_pnl": to_float(holding.total),
        "percent_pnl": percent(holding.unrealized, record.cost),
        "percent_realized_pnl": percent(record.realized, record.spent),
        "status": holding.status,
        "redeemable": holding.redeemable,
        "mergeable": holding.mergeable,
        "negative_risk": listing.spec.neg_risk,
        "archived": False,
        "verified": False,
        "title": listing.spec.question,
        "slug": listing.spec.slug,
        "icon": "",
        "event_slug": listing.event.slug,
        "event_id": listing.event.id,
        "outcome": listing.outcome(holding.token_id),
        "outcome_index": listing.spec.token_ids.index(holding.token_id),
        "opposite_outcome": listing.outcome(other),
        "opposite_token_id": other,
        "name": "",
        "profile_image": "",
        "end_date": iso(listing.event.end_ns)[:10],
        "last_event_at": record.last_s,
        "first_entry_at": record.first_s,
    }


def position_v1(holding: Holding) -> View:
    """Return a row of /positions."""
    row = position(holding)
    return {
        "proxyWallet": row["proxy_wallet"],
        "asset": row["token_id"],
        "conditionId": row["condition_id"],
        "size": row["current_size"],
        "avgPrice": row["avg_price"],
        "initialValue": row["entry_cost_usdc"],
        "grossInitialValue": row["total_cost_usdc"],
        "entryFeesUsdc": row["entry_fees_usdc"],
        "currentValue": row["current_value"],
        "cashPnl": row["unrealized_pnl"],
        "percentPnl": row["percent_pnl"],
        "totalBought": row["total_size"],
        "realizedPnl": row["realized_pnl"],
        "percentRealizedPnl": row["percent_realized_pnl"],
        "curPrice": row["current_price"],
        "redeemable": row["redeemable"],
        "mergeable": row["mergeable"],
        "title": row["title"],
        "slug": row["slug"],
        "icon": "",
        "eventId": row["event_id"],
        "eventSlug": row["event_slug"],
        "outcome": row["outcome"],
        "outcomeIndex": row["outcome_index"],
        "oppositeOutcome": row["opposite_outcome"],
        "oppositeAsset": row["opposite_token_id"],
        "endDate": row["end_date"],
        "negativeRisk": row["negative_risk"],
    }


def trade(entry: Entry, listing: Listing | None) -> View:
    """Return a row of /v2/trades; of a market that is listed no longer the titles are missing."""
    return {
        "proxy_wallet": entry.wallet,
        "token_id": entry.token_id,
        "condition_id": entry.condition_id,
        "side": entry.side,
        "size": to_float(entry.size),
        "price": to_float(entry.price),
        "timestamp": entry.at_s,
        "transaction_hash": entry.transaction_hash,
        **_titles(listing),
        **_outcome(entry, listing),
        **_PROFILE,
    }


def activity(entry: Entry, listing: Listing | None) -> View:
    """Return a row of /v2/activity."""
    return {
        "type": entry.kind,
        "timestamp": entry.at_s,
        "transaction_hash": entry.transaction_hash,
        "proxy_wallet": entry.wallet,
        "usdc_size": to_float(entry.cash),
        "size": to_float(entry.size),
        "price": to_float(entry.price),
        "side": entry.side,
        "token_id": entry.token_id,
        "condition_id": entry.condition_id,
        "is_combo": False,
        **_titles(listing),
        **_outcome(entry, listing),
        **_PROFILE,
    }


_V1 = {
    "proxy_wallet": "proxyWallet",
    "token_id": "asset",
    "condition_id": "conditionId",
    "transaction_hash": "transactionHash",
    "usdc_size": "usdcSize",
    "event_slug": "eventSlug",
    "outcome_index": "outcomeIndex",
    "profile_image": "profileImage",
    "profile_image_optimized": "profileImageOptimized",
}


def v1(row: View) -> View:
    """Return a trade, activity or holder of v2 under the names of v1."""
    return {_V1.get(name, name): value for name, value in row.items() if name != "is_combo"}


def holder(holding: Holding, *, with_pnl: bool) -> View:
    """Return one holder of /v2/holders."""
    row: View = {
        "proxy_wallet": holding.wallet,
        "token_id": holding.token_id,
        "amount": to_float(holding.position.size),
        "outcome_index": holding.listing.spec.token_ids.index(holding.token_id),
        "display_username_public": False,
        "verified": False,
        **_PROFILE,
    }
    if with_pnl:
        names = ("avg_price", "entry_cost_usdc", "current_price", "current_value")
        valued = position(holding)
        row |= {name: valued[name] for name in (*names, "realized_pnl", "unrealized_pnl", "total_pnl")}
    return row


def pnl_point(at_s: int, block: int, totals: Totals, unrealized: int | None) -> View:
    """Return a point of /v2/user-pnl: everything up to `at_s`; `unrealized` only where it is known."""
    position_pnl = None if unrealized is None else to_float(totals.realized + unrealized)
    income = totals.rewards + totals.rebates
    return {
        "timestamp": at_s,
        "source_block": block,
        "trade_count": totals.trades,
        "realized_market_pnl": to_float(totals.realized),
        "realized_lp_pnl": 0,
        "realized_combo_pnl": 0,
        "realized_pnl": to_float(totals.realized),
        "volume": to_float(totals.shares),
        "volume_usdc": to_float(totals.cash),
        "unrealized_pnl": None if unrealized is None else to_float(unrealized),
        "fees_refunded": 0,
        "maker_rebate": to_float(totals.rebates),
        "taker_rebate": 0,
        "reward_income": to_float(totals.rewards),
        "yield_income": 0,
        "referral_income": 0,
        "sponsored_income": 0,
        "deposits": to_float(totals.deposits),
        "withdrawals": to_float(totals.withdrawals),
        "cashflow_net": to_float(totals.deposits - totals.withdrawals),
        "wallet_income": to_float(income),
        "position_pnl": position_pnl,
        "settled_pnl": to_float(totals.realized + income - totals.fees),
        "economic_pnl": None if unrealized is None else to_float(totals.realized + unrealized + income - totals.fees),
        "trade_pnl": to_float(totals.realized),
        "fees": to_float(totals.fees),
        "fees_paid": to_float(totals.fees),
    }


def percent(part: int, whole: int) -> float:
    """Return part of whole in percent, 0 of nothing."""
    return round(100 * part / whole, 6) if whole else 0


def _titles(listing: Listing | None) -> View:
    if listing is None:
        return {"title": "", "slug": "", "icon": "", "event_slug": ""}
    return {"title": listing.spec.question, "slug": listing.spec.slug, "icon": "", "event_slug": listing.event.slug}


def _outcome(entry: Entry, listing: Listing | None) -> View:
    if listing is None or not entry.token_id:
        return {"outcome": "", "outcome_index": NO_OUTCOME}
    return {
        "outcome": listing.outcome(entry.token_id),
        "outcome_index": listing.spec.token_ids.index(entry.token_id),
    }
