"""Reports of an account: profit by group, its statement, its fills. `as=csv` downloads what JSON shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from infra.clock import SystemClock
from trading.api.account import ACCOUNT, account_asked_for
from trading.api.report_serializers import ReportSerializer, StatementSerializer
from trading.api.serializers import FillSerializer
from trading.report_queries import By, Span
from trading.report_span import SpanError, parse_span
from trading.report_table import Row, as_csv, fill_rows, report_rows, statement_rows
from trading.reports import profit_report
from trading.statement import statement
from trading.store import fills_between

MOST_FILLS = 100_000
"""Fills of one download; a longer span is asked for in parts."""

_clock = SystemClock()
_SPAN = (
    ACCOUNT,
    OpenApiParameter("from", description="first day (UTC), such as 2026-11-01, or a moment; default: thirty days"),
    OpenApiParameter("to", description="last day (UTC), or a moment; default: now"),
)
_FORMAT = OpenApiParameter("as", enum=["json", "csv"], description="default: json")
_BY = OpenApiParameter("by", enum=[by.value for by in By], description="default: strategy")
_CSV = {(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)}


class ProfitReportView(APIView):
    """Profit, fees, volume, fills, maker share, win rate, drawdown and exposure of an account, by group, and its worth over time."""

    @extend_schema(parameters=[*_SPAN, _BY, _FORMAT], responses={(200, "application/json"): ReportSerializer, **_CSV})
    def get(self, request: Request) -> Response | HttpResponse:
        text = request.query_params.get("by", By.STRATEGY.value)
        if text not in set(By):
            raise ValidationError({"by": [f"Expected one of {', '.join(By)}."]})
        account, span = account_asked_for(request), _span(request)
        report = profit_report(account, span, By(text))
        if _wants_csv(request):
            return _download(report_rows(report), f"profit-by-{text}", span)
        return Response(ReportSerializer(report).data)


class StatementView(APIView):
    """Opening balance, every class of movements, closing balance, and how that stands to what the venue says."""

    @extend_schema(parameters=[*_SPAN, _FORMAT], responses={(200, "application/json"): StatementSerializer, **_CSV})
    def get(self, request: Request) -> Response | HttpResponse:
        account, span = account_asked_for(request), _span(request)
        found = statement(account, span)
        if _wants_csv(request):
            return _download(statement_rows(found), "statement", span)
        return Response(StatementSerializer(found).data)


class FillsReportView(APIView):
    """All fills of a span as CSV, oldest first; /api/fills has them page by page."""

    @extend_schema(parameters=list(_SPAN), responses=_CSV)
    def get(self, request: Request) -> HttpResponse:
        account, span = account_asked_for(request), _span(request)
        rows = fills_between(account, span.start, span.end, most=MOST_FILLS + 1)
        if len(rows) > MOST_FILLS:
            raise ValidationError({"from": [f"The span has more than {MOST_FILLS} fills; ask for it in parts."]})
        shown: list[dict[str, Any]] = [dict(each) for each in FillSerializer(rows, many=True).data]
        return _download(fill_rows(shown), "fills", span)


def _span(request: Request) -> Span:
    query = request.query_params
    now = datetime.fromtimestamp(_clock.now_ns() / 1e9, UTC)
    try:
        return parse_span(query.get("from", ""), query.get("to", ""), now)
    except SpanError as error:
        raise ValidationError({error.name: [str(error)]}) from None


def _wants_csv(request: Request) -> bool:
    wanted = request.query_params.get("as", "json")
    if wanted not in ("json", "csv"):
        raise ValidationError({"as": ["Expected json or csv."]})
    return wanted == "csv"


def _download(rows: list[Row], name: str, span: Span) -> HttpResponse:
    answer = HttpResponse(as_csv(rows), content_type="text/csv; charset=utf-8")
    file = f"{name}-{span.start:%Y-%m-%d}-{span.end:%Y-%m-%d}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{file}"'
    return answer
