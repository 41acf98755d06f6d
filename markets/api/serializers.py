"""Markets as JSON. Amounts and prices are exact decimal texts, times ISO 8601 in UTC, what is not known is null."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from domain.market import MarketStatus
from domain.money import format_micros, from_float_rounded
from markets.cache import CachedBook, Top
from markets.models import ConditionGroup, Market

MAX_LIMIT = 500
MAX_DEPTH = 500
_NO_TOP = Top(None, None, None, None, 0, 0)


@extend_schema_field(OpenApiTypes.DECIMAL)
class MicrosField(serializers.ReadOnlyField):
    """Micro-units as the shortest decimal text: 520000 → "0.52"."""

    def to_representation(self, value: int) -> str:
        return format_micros(value)


class MarketsQuery(serializers.Serializer[Any]):
    """What the list may be asked for."""

    status = serializers.ChoiceField(choices=[status.value for status in MarketStatus], required=False)
    group = serializers.CharField(required=False, help_text="id of an event: its markets only")
    search = serializers.CharField(required=False, allow_blank=True, help_text="words of question, slug or event")
    min_volume = serializers.DecimalField(
        max_digits=14,
        decimal_places=2,
        min_value=0,
        required=False,
        help_text="least volume of the last 24 hours, dollars",
    )
    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=100)
    cursor = serializers.CharField(required=False, allow_blank=True, help_text="`next` of the page before")


class MarketQuery(serializers.Serializer[Any]):
    """What one market may be asked for."""

    depth = serializers.IntegerField(min_value=1, max_value=MAX_DEPTH, default=20, help_text="levels of each side")


class FeesSerializer(serializers.Serializer[Any]):
    rate = MicrosField(source="fee_rate_micros", help_text="taker fee = shares · rate · (p · (1 − p))^exponent")
    exponent = serializers.IntegerField(source="fee_exponent")
    taker_only = serializers.BooleanField(source="fee_taker_only")
    rebate = MicrosField(source="fee_rebate_micros", help_text="share of the fee that makers get back")


class MarketSerializer(serializers.Serializer[Any]):
    """`best_bid` and `best_ask` are the first outcome's. `context["tops"]` has the best prices by token."""

    id = serializers.CharField()
    venue = serializers.CharField()
    question = serializers.CharField()
    slug = serializers.CharField(allow_null=True)
    condition_id = serializers.CharField()
    outcomes = serializers.SerializerMethodField()
    token_ids = serializers.SerializerMethodField()
    category = serializers.CharField()
    group_id = serializers.SerializerMethodField()
    group_title = serializers.SerializerMethodField()
    status = serializers.CharField()
    accepting_orders = serializers.BooleanField()
    neg_risk = serializers.BooleanField()
    tick = MicrosField(source="tick_units")
    min_size = MicrosField(source="minimum_size_units")
    volume = MicrosField(source="volume_units")
    volume_24h = MicrosField(source="volume_24h_units")
    fees = FeesSerializer(source="*")
    taker_delay_ms = serializers.IntegerField()
    winner = serializers.IntegerField(allow_null=True, help_text="index of the outcome that pays, once known")
    end_date = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    best_bid = serializers.SerializerMethodField()
    best_ask = serializers.SerializerMethodField()
    quoted_at = serializers.SerializerMethodField()

    def get_outcomes(self, market: Market) -> list[str]:
        return [market.outcome_1, market.outcome_2]

    def get_token_ids(self, market: Market) -> list[str]:
        return [market.token_id_1, market.token_id_2]

    def get_group_id(self, market: Market) -> str | None:
        group = _group(market)
        return group.id if group else None

    def get_group_title(self, market: Market) -> str | None:
        group = _group(market)
        return group.title if group else None

    @extend_schema_field(OpenApiTypes.DECIMAL)
    def get_best_bid(self, market: Market) -> str | None:
        return _text(self._top(market).best_bid)

    @extend_schema_field(OpenApiTypes.DECIMAL)
    def get_best_ask(self, market: Market) -> str | None:
        return _text(self._top(market).best_ask)

    def get_quoted_at(self, market: Market) -> datetime | None:
        return _instant(self._top(market))

    def _top(self, market: Market) -> Top:
        tops: dict[str, Top] = self.context["tops"]
        return tops.get(market.token_id_1, _NO_TOP)


class BookSerializer(serializers.Serializer[Any]):
    """The live book of one outcome; levels are [price, size], best first."""

    token_id = serializers.CharField()
    outcome = serializers.CharField()
    best_bid = serializers.DecimalField(max_digits=7, decimal_places=6, allow_null=True)
    best_ask = serializers.DecimalField(max_digits=7, decimal_places=6, allow_null=True)
    bids = serializers.ListField(child=serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2))
    asks = serializers.ListField(child=serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2))
    version = serializers.IntegerField(help_text="the book messages of /ws carry the same count")
    quoted_at = serializers.DateTimeField(allow_null=True)


class MarketDetailSerializer(MarketSerializer):
    """A market with both books. `context["books"]` has them by token, `context["depth"]` limits their levels."""

    books = serializers.SerializerMethodField()

    @extend_schema_field(BookSerializer(many=True))
    def get_books(self, market: Market) -> list[dict[str, object]]:
        books: dict[str, CachedBook] = self.context["books"]
        depth: int = self.context["depth"]
        outcomes = ((market.token_id_1, market.outcome_1), (market.token_id_2, market.outcome_2))
        return [_book(token_id, outcome, books[token_id], depth) for token_id, outcome in outcomes]


class MarketPageSerializer(serializers.Serializer[Any]):
    """One page of the list."""

    next = serializers.CharField(allow_null=True, help_text="value of `cursor` for the next page")
    results = MarketSerializer(many=True)


def _book(token_id: str, outcome: str, book: CachedBook, depth: int) -> dict[str, object]:
    top = book.top or _NO_TOP
    return {
        "token_id": token_id,
        "outcome": outcome,
        "best_bid": _text(top.best_bid),
        "best_ask": _text(top.best_ask),
        "bids": [[_text(price), _text(size)] for price, size in book.bids[:depth]],
        "asks": [[_text(price), _text(size)] for price, size in book.asks[:depth]],
        "version": top.version,
        "quoted_at": _instant(top),
    }


def _group(market: Market) -> ConditionGroup | None:
    memberships = list(market.memberships.all())
    return memberships[0].group if memberships else None


def _text(value: float | None) -> str | None:
    return None if value is None else format_micros(from_float_rounded(value))


def _instant(top: Top) -> datetime | None:
    return datetime.fromtimestamp(top.at_ns / 1e9, UTC) if top.at_ns else None
