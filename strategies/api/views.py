"""The list of strategies and the settings of one. Settings come from PostgreSQL, what they do now from Redis.

Reading needs a viewer, changing a trader (the site's default permission). A refused value answers 400 with the parameter's name, and nothing changed.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from domain.status import StrategyInfo
from strategies import store
from strategies.api.live import read_status
from strategies.api.serializers import StrategiesSerializer, StrategyChangeSerializer, StrategySerializer
from strategies.catalog import CATALOG
from strategies.configs import save_config
from strategies.parameters import ParameterError, schema
from strategies.registry import UnknownStrategyError
from strategies.store import StoredConfig
from trading.api.account import ACCOUNT, account_asked_for
from trading.row_write import to_datetime


class StrategiesView(APIView):
    @extend_schema(operation_id="strategies_list", parameters=[ACCOUNT], responses=StrategiesSerializer)
    def get(self, request: Request) -> Response:
        """List all strategies with settings, schema and status."""
        configs = [config for config in store.load_configs() if config.name in CATALOG]
        statuses = read_status(account_asked_for(request), [config.name for config in configs])
        rows: Any = [_row(config, statuses.get(config.name)) for config in configs]
        return Response({"next": None, "results": StrategySerializer(rows, many=True).data})


class StrategyView(APIView):
    @extend_schema(parameters=[ACCOUNT], responses=StrategySerializer)
    def get(self, request: Request, name: str) -> Response:
        """Return one strategy."""
        return _answer(account_asked_for(request), _stored(name))

    @extend_schema(request=StrategyChangeSerializer, parameters=[ACCOUNT], responses=StrategySerializer)
    def put(self, request: Request, name: str) -> Response:
        """Change the switch, parameters, or both; the trader takes them over within a second."""
        account = account_asked_for(request)
        change = StrategyChangeSerializer(data=request.data)
        change.is_valid(raise_exception=True)
        _stored(name)
        try:
            config = save_config(
                name,
                parameters=change.validated_data.get("parameters", {}),
                enabled=change.validated_data.get("enabled"),
                user=request.user.get_username(),
            )
        except ParameterError as error:
            raise ValidationError({error.key or "parameters": [str(error)]}) from None
        return _answer(account, config)


def _stored(name: str) -> StoredConfig:
    try:
        if name not in CATALOG:
            raise UnknownStrategyError(f"strategy {name!r} does not exist, known: {', '.join(CATALOG)}")
        return store.get_config(name)
    except UnknownStrategyError as error:
        raise NotFound(str(error)) from None


def _answer(account: str, config: StoredConfig) -> Response:
    status = read_status(account, [config.name]).get(config.name)
    return Response(StrategySerializer(_row(config, status)).data)


def _row(config: StoredConfig, status: StrategyInfo | None) -> dict[str, Any]:
    return {
        "name": config.name,
        "enabled": config.enabled,
        "parameters": config.parameters,
        "schema": schema(CATALOG[config.name].parameters_type),
        "updated_at": to_datetime(config.updated_ns),
        "updated_by": config.updated_by,
        "status": status and _status(status),
    }


def _status(info: StrategyInfo) -> dict[str, Any]:
    return {
        "state": info.state.value,
        "enabled": info.enabled,
        "signals_sent": info.signals_sent,
        "last_signal_at": to_datetime(info.last_signal_ns),
        "error_count": info.error_count,
        "last_error": info.last_error,
        "budget_overruns": info.budget_overruns,
        "parameters": info.parameters,
        "refusals": info.refusals,
    }
