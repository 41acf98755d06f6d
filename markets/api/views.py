"""The list of markets and one market. Rows come from PostgreSQL, prices and depth from Redis."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from domain.money import MICRO
from markets.api import live
from markets.api.paging import page
from markets.api.serializers import (
    MarketDetailSerializer,
    MarketPageSerializer,
    MarketQuery,
    MarketSerializer,
    MarketsQuery,
)
from markets.models import Market


class MarketsView(APIView):
    @extend_schema(operation_id="markets_list", parameters=[MarketsQuery], responses=MarketPageSerializer)
    def get(self, request: Request) -> Response:
        """List markets, the most traded of the last day first."""
        query = MarketsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = query.validated_data
        markets, next_cursor = page(_filtered(wanted), wanted.get("cursor", ""), wanted["limit"])
        tops = live.tops([market.token_id_1 for market in markets])
        rows = MarketSerializer(markets, many=True, context={"tops": tops})
        return Response({"next": next_cursor, "results": rows.data})


class MarketView(APIView):
    @extend_schema(parameters=[MarketQuery], responses=MarketDetailSerializer)
    def get(self, request: Request, market_id: str) -> Response:
        """Return one market with the live books of both outcomes."""
        query = MarketQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        market = get_object_or_404(_rows(), pk=market_id)
        books = live.books([market.token_id_1, market.token_id_2])
        tops = {token_id: book.top for token_id, book in books.items() if book.top is not None}
        context = {"tops": tops, "books": books, "depth": query.validated_data["depth"]}
        return Response(MarketDetailSerializer(market, context=context).data)


def _rows() -> QuerySet[Market]:
    return Market.objects.prefetch_related("memberships__group")


def _filtered(wanted: dict[str, Any]) -> QuerySet[Market]:
    rows = _rows()
    if "status" in wanted:
        rows = rows.filter(status=wanted["status"])
    if "group" in wanted:
        rows = rows.filter(memberships__group=wanted["group"])
    if "min_volume" in wanted:
        rows = rows.filter(volume_24h_units__gte=int(wanted["min_volume"] * MICRO))
    for word in wanted.get("search", "").split():
        # A subquery, because a join would list a market of several groups several times.
        in_group = Q(id__in=Market.objects.filter(condition_groups__title__icontains=word).values("id"))
        rows = rows.filter(Q(question__icontains=word) | Q(slug__icontains=word) | in_group)
    return rows
