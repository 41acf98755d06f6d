"""Markets and groups in PostgreSQL: the only module besides admin and api/ that touches the tables.

Plain synchronous functions, for Celery tasks, web requests and the journal's writer thread alike. A save is one transaction of a few statements,
whatever the number of rows, and is all or nothing. A market's id keeps its meaning for ever: rows of another market under a known id (two venues
in one database) raise `MarketConflictError`. Database errors pass through; a broken connection is replaced at the next call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from domain.errors import MarketConflictError
from domain.fees import FeeSchedule
from domain.market import ConditionGroup, Market, MarketStatus
from markets import models

_log = structlog.get_logger(__name__)

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALL = tuple(MarketStatus)
_MARKET_COLUMNS = [
    "venue", "question", "slug", "outcome_1", "outcome_2", "neg_risk", "status", "accepting_orders", "category", "volume_units", "volume_24h_units",
    "tick_units", "minimum_size_units", "fee_rate_micros", "fee_exponent", "fee_taker_only", "fee_rebate_micros", "taker_delay_ms", "rules_hash",
    "winner", "end_date", "closed_at", "updated_at",
]  # fmt: skip
_GROUP_COLUMNS = ["title", "status", "exclusive", "augmented", "category", "conversion_fee_bips", "updated_at"]


def save_markets(markets: Sequence[Market], groups: Sequence[ConditionGroup]) -> None:
    """Insert or update `markets` and `groups`, and add the memberships of those markets that have rows.

    Raises:
        MarketConflictError: a market has the id, but not the condition and tokens of a stored one; nothing was written.
    """
    _replace_broken_connection()
    # In the order of ids, so that two writers never wait for each other in a circle.
    unique = _by_id({market.id: market for market in markets})
    with transaction.atomic():
        if unique:
            _refuse_conflicts(unique)
            rows = _rows(unique)
            # A slug moves to the market that is listed under it now.
            taken = models.Market.objects.filter(slug__in=[row.slug for row in rows if row.slug])
            taken.exclude(id__in=[row.id for row in rows]).update(slug=None)
            models.Market.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["id"], update_fields=_MARKET_COLUMNS
            )
        if groups:
            _save_groups(_by_id({group.id: group for group in groups}))


def load_markets(*, venue: str | None = None, statuses: Collection[MarketStatus] = _ALL) -> list[Market]:
    """Return the stored markets of a venue (of all venues) that have one of `statuses`, the most traded of the last day first."""
    _replace_broken_connection()
    rows = models.Market.objects.filter(status__in=[status.value for status in statuses])
    return to_domain(rows if venue is None else rows.filter(venue=venue))


def load_markets_by_id(market_ids: Iterable[str]) -> dict[str, Market]:
    """Return the stored ones of `market_ids`."""
    _replace_broken_connection()
    return {market.id: market for market in to_domain(models.Market.objects.filter(id__in=list(market_ids)))}


def load_groups(*, venue: str | None = None) -> list[ConditionGroup]:
    """Return the stored groups that have a market of `venue` (all groups), each with all its markets."""
    _replace_broken_connection()
    rows = models.ConditionGroup.objects.all()
    if venue is not None:
        rows = rows.filter(Q(memberships__market__venue=venue)).distinct()
    groups = list(rows)
    members: defaultdict[str, list[str]] = defaultdict(list)
    pairs = models.ConditionGroupMarket.objects.filter(group__in=[group.id for group in groups]).order_by("id")
    for group_id, market_id in pairs.values_list("group_id", "market_id"):
        members[group_id].append(market_id)
    return [
        ConditionGroup(
            id=group.id,
            title=group.title,
            market_ids=tuple(members[group.id]),
            status=MarketStatus(group.status),
            exclusive=group.exclusive,
            augmented=group.augmented,
            category=group.category,
            conversion_fee_bips=group.conversion_fee_bips,
        )
        for group in groups
    ]


def to_domain(rows: QuerySet[models.Market]) -> list[Market]:
    """Return rows as domain markets, in their order, with the group each belongs to; two queries. A damaged row is left out and logged."""
    markets = list(rows)
    pairs = models.ConditionGroupMarket.objects.filter(market__in=[market.id for market in markets])
    group_of = dict(pairs.order_by("-id").values_list("market_id", "group_id"))
    found = []
    for row in markets:
        try:
            found.append(_market(row, group_of.get(row.id)))
        except (ValueError, TypeError) as error:
            _log.error(
                "market row cannot be read, the market does not exist until it is listed again",
                market_id=row.id,
                error=str(error),
            )
    return found


def _market(row: models.Market, group_id: str | None) -> Market:
    return Market(
        id=row.id,
        venue=row.venue,
        question=row.question,
        slug=row.slug or "",
        condition_id=row.condition_id,
        token_ids=(row.token_id_1, row.token_id_2),
        outcomes=(row.outcome_1, row.outcome_2),
        tick=row.tick_units,
        min_size=row.minimum_size_units,
        neg_risk=row.neg_risk,
        status=MarketStatus(row.status),
        accepting_orders=row.accepting_orders,
        fees=FeeSchedule(
            rate=row.fee_rate_micros,
            exponent=row.fee_exponent,
            taker_only=row.fee_taker_only,
            rebate=row.fee_rebate_micros,
        ),
        category=row.category,
        group_id=group_id,
        volume=row.volume_units,
        volume_24h=row.volume_24h_units,
        taker_delay_ms=row.taker_delay_ms,
        rules_hash=row.rules_hash,
        end_ns=_nanoseconds(row.end_date),
        created_ns=_nanoseconds(row.created_at),
        closed_ns=_nanoseconds(row.closed_at),
        winner=row.winner,
    )


def _rows(markets: Sequence[Market]) -> list[models.Market]:
    seen: set[str] = set()
    rows = []
    for market in markets:
        slug = _text(market.slug)
        rows.append(
            models.Market(
                id=market.id,
                venue=market.venue,
                question=_text(market.question),
                slug=None if not slug or slug in seen else slug,
                outcome_1=_text(market.outcomes[0]),
                outcome_2=_text(market.outcomes[1]),
                token_id_1=market.token_ids[0],
                token_id_2=market.token_ids[1],
                condition_id=market.condition_id,
                neg_risk=market.neg_risk,
                status=market.status.value,
                accepting_orders=market.accepting_orders,
                category=_text(market.category),
                volume_units=market.volume,
                volume_24h_units=market.volume_24h,
                tick_units=market.tick,
                minimum_size_units=market.min_size,
                fee_rate_micros=market.fees.rate,
                fee_exponent=market.fees.exponent,
                fee_taker_only=market.fees.taker_only,
                fee_rebate_micros=market.fees.rebate,
                taker_delay_ms=market.taker_delay_ms,
                rules_hash=market.rules_hash,
                winner=market.winner,
                end_date=_instant(market.end_ns),
                closed_at=_instant(market.closed_ns),
                created_at=_instant(market.created_ns) or Now(),
                updated_at=Now(),
            )
        )
        seen.add(slug)
    return rows


def _refuse_conflicts(markets: Sequence[Market]) -> None:
    wanted = {market.id: market for market in markets}
    stored = models.Market.objects.filter(id__in=wanted).select_for_update()
    for row in stored.order_by("id").only("id", "condition_id", "token_id_1", "token_id_2"):
        market = wanted[row.id]
        if (row.condition_id, row.token_id_1, row.token_id_2) != (market.condition_id, *market.token_ids):
            raise MarketConflictError(
                f"market {row.id} is stored as condition {row.condition_id}, the listing of {market.venue} says {market.condition_id}: "
                f"this database belongs to another venue, use one of its own"
            )


def _save_groups(groups: Sequence[ConditionGroup]) -> None:
    models.ConditionGroup.objects.bulk_create(
        [
            models.ConditionGroup(
                id=group.id,
                title=_text(group.title),
                status=group.status.value,
                exclusive=group.exclusive,
                augmented=group.augmented,
                category=_text(group.category),
                conversion_fee_bips=group.conversion_fee_bips,
                updated_at=Now(),
            )
            for group in groups
        ],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_GROUP_COLUMNS,
    )
    wanted = sorted((group.id, market_id) for group in groups for market_id in group.market_ids)
    stored = set(models.Market.objects.filter(id__in={m for _, m in wanted}).values_list("id", flat=True))
    models.ConditionGroupMarket.objects.bulk_create(
        [models.ConditionGroupMarket(group_id=g, market_id=m) for g, m in wanted if m in stored], ignore_conflicts=True
    )


def _by_id(items: dict[str, _T]) -> list[_T]:
    return [items[name] for name in sorted(items)]


def _replace_broken_connection() -> None:
    """Drop a connection that broke since its last use: threads outside web requests and tasks have nobody else to do it."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _text(value: str) -> str:
    """Return `value` without what PostgreSQL cannot store."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


def _instant(nanoseconds: int | None) -> datetime | None:
    return None if nanoseconds is None else _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _nanoseconds(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // timedelta(microseconds=1) * 1000
