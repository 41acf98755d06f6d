"""Orders, positions, fills, the ledger, halts, status and commands. Everything is of one account: the one `account` names, or the one that
is traded now.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import Mod, RowNumber
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from domain.money import multiply_floor
from domain.order import OrderStatus
from domain.position import PositionStatus
from trading import models
from trading.api.account import ACCOUNT, account_asked_for
from trading.api.answers import PROTECTION_TTL, answer, carry_out
from trading.api.live import best_bids, trader_status
from trading.api.pagination import NewestFirst
from trading.api.requests import PlaceOrder, ResumeRequest, StopRequest
from trading.api.serializers import (
    AccountSerializer,
    CommandSerializer,
    FillSerializer,
    HaltsSerializer,
    LedgerSerializer,
    OrderSerializer,
    PositionSerializer,
    TraderStatusSerializer,
)
from trading.store import OPEN_ORDER, accounts, ledger_summary, quarantine

_CURVE_POINTS = 500
_FILTERS = [
    ACCOUNT,
    OpenApiParameter("market", description="market id"),
    OpenApiParameter("strategy", description="strategy name"),
]
_KEY = OpenApiParameter("Idempotency-Key", location="header", description="the same key is carried out once")
_COMMANDS = {200: CommandSerializer, 202: CommandSerializer}


class AccountList(ListAPIView[Any]):
    """Rows of one account, newest first, filtered by market and strategy."""

    pagination_class = NewestFirst
    model: Any

    def get_queryset(self) -> QuerySet[Any]:
        query = self.request.query_params
        rows = self.model.objects.select_related("market").filter(account=account_asked_for(self.request))
        if "market" in query:
            rows = rows.filter(market_id=query["market"])
        if "strategy" in query:
            rows = rows.filter(strategy_name=query["strategy"])
        return self.filter_status(rows, query.get("status", ""))

    def filter_status(self, rows: QuerySet[Any], _status: str) -> QuerySet[Any]:
        return rows


@extend_schema_view(
    get=extend_schema(
        parameters=[*_FILTERS, OpenApiParameter("status", description="open, recent (all, the default), or one status")]
    )
)
class OrdersView(AccountList):
    """The orders of an account; POST places one, DELETE cancels all open ones."""

    model = models.Order
    serializer_class = OrderSerializer
    ordering = ("-created_at", "-id")

    def filter_status(self, rows: QuerySet[Any], status: str) -> QuerySet[Any]:
        if status == "open":
            return rows.filter(OPEN_ORDER)
        if status in ("", "recent"):
            return rows
        if status not in set(OrderStatus):
            raise ValidationError({"status": [f"Expected open, recent or one of {', '.join(OrderStatus)}."]})
        return rows.filter(status=status)

    @extend_schema(request=PlaceOrder, responses=_COMMANDS, parameters=[_KEY, ACCOUNT])
    def post(self, request: Request) -> Response:
        order = PlaceOrder(data=request.data)
        order.is_valid(raise_exception=True)
        return carry_out(request, "place", order.payload())

    @extend_schema(operation_id="orders_cancel_all", responses=_COMMANDS, parameters=[_KEY, ACCOUNT])
    def delete(self, request: Request) -> Response:
        return carry_out(request, "cancel_all", {}, ttl=PROTECTION_TTL)


class OrderView(APIView):
    @extend_schema(responses=OrderSerializer, parameters=[ACCOUNT])
    def get(self, request: Request, order_id: str) -> Response:
        """Return one order of the account."""
        orders = models.Order.objects.select_related("market").filter(account=account_asked_for(request))
        return Response(OrderSerializer(get_object_or_404(orders, pk=order_id)).data)

    @extend_schema(responses=_COMMANDS, parameters=[_KEY, ACCOUNT])
    def delete(self, request: Request, order_id: str) -> Response:
        """Cancel one order of the account."""
        get_object_or_404(models.Order, pk=order_id, account=account_asked_for(request))
        return carry_out(request, "cancel", {"order_id": order_id})


@extend_schema_view(
    get=extend_schema(
        parameters=[*_FILTERS, OpenApiParameter("status", description="open, closed, or all (the default)")]
    )
)
class PositionsView(AccountList):
    """The positions of an account at their marks."""

    model = models.Position
    serializer_class = PositionSerializer
    ordering = ("-opened_at", "-id")

    def filter_status(self, rows: QuerySet[Any], status: str) -> QuerySet[Any]:
        if status in ("", "all"):
            return rows
        if status not in set(PositionStatus):
            raise ValidationError({"status": ["Expected open, closed or all."]})
        return rows.filter(status=status)

    def get_serializer_context(self) -> dict[str, Any]:
        tokens = self.get_queryset().filter(status=PositionStatus.OPEN).values_list("token_id", flat=True)
        return {**super().get_serializer_context(), "marks": best_bids(set(tokens.order_by()))}


@extend_schema_view(get=extend_schema(parameters=_FILTERS))
class FillsView(AccountList):
    """Our parts of the venue's trades."""

    model = models.Fill
    serializer_class = FillSerializer
    ordering = ("-matched_at", "-id")


class LedgerView(APIView):
    """Profit so far, from the ledger, and how it came about."""

    @extend_schema(parameters=_FILTERS[:1], responses=LedgerSerializer)
    def get(self, request: Request) -> Response:
        account = account_asked_for(request)
        summary = ledger_summary(account)
        value = _inventory_value(account)
        body = {
            "account": account or None,
            "cash": summary.cash,
            "inventory_cost": summary.inventory,
            "inventory_value": value,
            "receivable": summary.receivable,
            "deposits": summary.deposits,
            "realised": summary.realised,
            "fees": summary.fees,
            "rewards": summary.rewards,
            "rounding": summary.rounding,
            "profit": summary.profit,
            "unrealised": None if value is None else value - summary.inventory,
            "balanced": summary.balanced,
            "curve": _curve(account),
        }
        return Response(LedgerSerializer(body).data)


class HaltView(APIView):
    """What is halted, and the trades that are not in the books; POST halts a scope, and sells what it holds when asked to; DELETE lets it go on."""

    @extend_schema(responses=HaltsSerializer, parameters=[ACCOUNT])
    def get(self, request: Request) -> Response:
        account = account_asked_for(request)
        halts = models.Halt.objects.filter(account=account, lifted_at=None)
        return Response(HaltsSerializer({"halts": halts, "quarantine": quarantine(account)}).data)

    @extend_schema(request=StopRequest, responses=_COMMANDS, parameters=[ACCOUNT])
    def post(self, request: Request) -> Response:
        stop = StopRequest(data=request.data)
        stop.is_valid(raise_exception=True)
        kind, payload = stop.command()
        return carry_out(request, kind, payload, ttl=PROTECTION_TTL)

    @extend_schema(parameters=[ResumeRequest, ACCOUNT], responses=_COMMANDS)
    def delete(self, request: Request) -> Response:
        asked = {name: value for name, value in request.query_params.items() if name != "account"}
        resume = ResumeRequest(data=request.data or asked)
        resume.is_valid(raise_exception=True)
        return carry_out(request, "resume", dict(resume.validated_data))


class StatusView(APIView):
    """What the trader last said of itself."""

    @extend_schema(responses=TraderStatusSerializer, parameters=[ACCOUNT])
    def get(self, request: Request) -> Response:
        return Response(TraderStatusSerializer(trader_status(account_asked_for(request) or None)).data)


class AccountsView(APIView):
    """Every account that was ever traded; the first is the one that is shown when none is named."""

    @extend_schema(responses=AccountSerializer(many=True))
    def get(self, _request: Request) -> Response:
        return Response(AccountSerializer(accounts(), many=True).data)


class CommandView(APIView):
    """How a command ended, for clients that were told to ask again."""

    @extend_schema(responses=_COMMANDS)
    def get(self, _request: Request, command_id: str) -> Response:
        return answer(get_object_or_404(models.Command, pk=command_id))


def _inventory_value(account: str) -> int | None:
    """Return what the open positions would bring at the best bids; None while a bid is unknown."""
    rows = models.Position.objects.filter(account=account, status=PositionStatus.OPEN)
    held = list(rows.values_list("token_id", "settled_units", "unsettled_units"))
    bids = best_bids({token for token, _, _ in held})
    if any(token not in bids for token, _, _ in held):
        return None
    return sum(multiply_floor(bids[token], settled + unsettled) for token, settled, unsettled in held)


def _curve(account: str) -> list[dict[str, Any]]:
    """Return the account's worth over time: at most 500 points, evenly picked, the newest always among them."""
    rows = models.EquitySnapshot.objects.filter(account=account)
    step = max(1, -(-rows.count() // _CURVE_POINTS))
    numbered = rows.annotate(place=Window(RowNumber(), order_by=F("created_at").desc()))
    picked = numbered.annotate(rest=Mod(F("place") - 1, step)).filter(rest=0).order_by("created_at")
    return [
        {
            "at": row.created_at,
            "equity": row.cash_units + row.inventory_value_units + row.receivable_units,
            "deposits": row.deposits_units,
            "realised": row.realised_units,
            "fees": row.fees_units,
            "unrealised": row.inventory_value_units - row.inventory_cost_units,
        }
        for row in picked
    ]
