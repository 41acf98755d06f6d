"""Health, who I am, metrics. Each view reads and answers; what it reads is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from prometheus_client import Metric
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from infra import metrics
from infra.redis import sync_client
from polybot_site.api.serializers import HealthSerializer, LiveSerializer, MeSerializer, ShadowSerializer
from polybot_site.health import site_health
from polybot_site.roles import role_of
from polybot_site.shadow import read_drift
from polybot_site.trader_metrics import trader_metrics
from trading.api.account import ACCOUNT, account_asked_for
from trading.api.live import trader_status
from trading.store import accounts, current_account


class HealthView(APIView):
    """Every check with its age; 503 when PostgreSQL or Redis is away."""

    @extend_schema(responses={200: HealthSerializer, 503: HealthSerializer})
    def get(self, _request: Request) -> Response:
        report = site_health().report()
        return Response(HealthSerializer(report).data, status=503 if report.status == "down" else 200)


class LiveView(APIView):
    """The web process answers. The one address without a login, for whoever restarts processes."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses=LiveSerializer, auth=[])
    def get(self, _request: Request) -> Response:
        return Response({"ok": True})


class MeView(APIView):
    """Who is logged in, and what that allows."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        role = role_of(request.user)
        name = None if role is None else role.group_name
        return Response({"username": request.user.get_username(), "role": name, "account": current_account()})


class ShadowView(APIView):
    """How far an account and its paper twin are apart; without a twin `drift` is null. `shadow.enabled` gives the traded account one."""

    @extend_schema(parameters=[ACCOUNT], responses=ShadowSerializer)
    def get(self, request: Request) -> Response:
        account = account_asked_for(request)
        with sync_client(settings.REDIS_URL) as redis:
            drift = read_drift(redis, account)
        return Response(ShadowSerializer({"account": account, "drift": drift}).data)


@extend_schema(exclude=True)
class NowhereView(APIView):
    """Every address below /api/ that does not exist."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Ask for the login first, so that strangers learn nothing."""
        super().initial(request, *args, **kwargs)
        raise NowhereError


class NowhereError(NotFound):
    fix = "/api/docs/ lists all addresses; none of the data's has a slash at its end."


class MetricsView(APIView):
    """Metrics of this web process, and of every trader as it last spoke, in Prometheus' text format."""

    @extend_schema(responses={(200, "text/plain"): OpenApiResponse(str)})
    def get(self, _request: Request) -> HttpResponse:
        return HttpResponse(metrics.render(_of_traders()), content_type=metrics.CONTENT_TYPE)


def _of_traders() -> Iterator[Metric]:
    """Yield the metrics of the traders that run, and of the one that ran last."""
    known = [each.account for place, each in enumerate(accounts()) if each.running or not place]
    budgets = {account: site_health().rate_limits() for account in known[:1]}
    yield from trader_metrics([trader_status(account) for account in known], budgets)
