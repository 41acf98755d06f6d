"""Executions and their profit. Everything is of one account: the one `account` names, or the one that is traded now. There is nothing to command."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arbitrage.api.serializers import ExecutionDetailSerializer, ExecutionSerializer, ProfitSerializer
from arbitrage.models import ArbExecution, ArbExecutionLeg
from arbitrage.profit import curve, tallies
from domain.arbitrage import ArbStatus, ArbType
from infra.clock import SystemClock
from trading.api.account import ACCOUNT, account_asked_for
from trading.api.live import trader_status
from trading.api.pagination import NewestFirst
from trading.models import Fill, LegGroup, Order
from trading.report_span import SpanError, parse_span

CURVE_POINTS = 500
_clock = SystemClock()
_LEGS = Prefetch("legs", ArbExecutionLeg.objects.select_related("market").order_by("number"))
_TYPE = OpenApiParameter("type", enum=list(ArbType), description="default: all types")
_SINCE = OpenApiParameter(
    "since", description="a day (UTC) such as 2026-11-22, or a moment; default: the running session, else today"
)
_FILTERS = {"strategy": "strategy_name", "opportunity": "opportunity_id", "group": "leg_group_id"}


class ProfitView(APIView):
    """What executions were expected to bring and what they brought, together and by type, and how that came about."""

    @extend_schema(operation_id="arbitrage_profit", parameters=[ACCOUNT, _TYPE, _SINCE], responses=ProfitSerializer)
    def get(self, request: Request) -> Response:
        account, arb_type = account_asked_for(request), _one_of(request, "type", set(ArbType))
        since, session = _since(request, account)
        total, by_type = tallies(account, since, arb_type)
        body = {
            "account": account or None,
            "since": since,
            "session": session,
            "total": total,
            "by_type": by_type,
            "curve": curve(account, since, arb_type, most=CURVE_POINTS),
        }
        return Response(ProfitSerializer(body).data)


@extend_schema_view(
    get=extend_schema(
        operation_id="arbitrage_executions",
        parameters=[
            ACCOUNT,
            _TYPE,
            OpenApiParameter("status", enum=list(ArbStatus)),
            OpenApiParameter("strategy", description="strategy name"),
            OpenApiParameter("market", description="id of a market that one of the legs is in"),
            OpenApiParameter("opportunity", description="id of the opportunity"),
            OpenApiParameter("group", description="the strategy's leg_group_id"),
        ],
    )
)
class ExecutionsView(ListAPIView[ArbExecution]):
    """Executions with their legs, newest first."""

    pagination_class = NewestFirst
    serializer_class = ExecutionSerializer
    ordering = ("-started_at", "-id")

    def get_queryset(self) -> QuerySet[ArbExecution]:
        request, query = self.request, self.request.query_params
        rows = ArbExecution.objects.filter(account=account_asked_for(request)).prefetch_related(_LEGS)
        chosen = {
            "arb_type": _one_of(request, "type", set(ArbType)),
            "status": _one_of(request, "status", set(ArbStatus)),
        }
        chosen |= {column: query[name] for name, column in _FILTERS.items() if name in query}
        rows = rows.filter(**{column: value for column, value in chosen.items() if value})
        if "market" in query:
            rows = rows.filter(id__in=ArbExecutionLeg.objects.filter(market_id=query["market"]).values("execution_id"))
        return rows


class ExecutionView(APIView):
    """One execution with its legs, its group's state, and every order and fill of it."""

    @extend_schema(operation_id="arbitrage_execution", parameters=[ACCOUNT], responses=ExecutionDetailSerializer)
    def get(self, request: Request, execution_id: Any) -> Response:
        account = account_asked_for(request)
        rows = ArbExecution.objects.filter(account=account).prefetch_related(_LEGS)
        execution: Any = get_object_or_404(rows, pk=execution_id)
        of_account = {"account": account}
        orders = Order.objects.filter(leg_group=str(execution_id), **of_account).select_related("market")
        fills = Fill.objects.filter(order_id__in=orders.values("id"), **of_account).select_related("market")
        execution.group = LegGroup.objects.filter(pk=str(execution_id), **of_account).first()
        execution.orders = orders.order_by("created_at", "id")
        execution.fills = fills.order_by("matched_at", "id")
        return Response(ExecutionDetailSerializer(execution).data)


def _one_of(request: Request, name: str, known: set[Any]) -> str:
    text: str = request.query_params.get(name, "")
    if text and text not in known:
        raise ValidationError({name: [f"Expected one of {', '.join(sorted(known))}."]})
    return text


def _since(request: Request, account: str) -> tuple[datetime, bool]:
    """Return the moment that is asked for, and whether it is the beginning of the running session."""
    now = datetime.fromtimestamp(_clock.now_ns() / 1e9, UTC)
    text: str = request.query_params.get("since", "")
    if text:
        try:
            return parse_span(text, "", now, start_name="since").start, False
        except SpanError as error:
            raise ValidationError({error.name: [str(error)]}) from None
    status = trader_status(account)
    if status["online"] and status["session_started_at"] is not None:
        return status["session_started_at"], True
    return now.replace(hour=0, minute=0, second=0, microsecond=0), False
