"""What strategies are set to: seeded from the configuration, changed by operators, told to the trader.

PostgreSQL holds the truth; a change is validated, written and audited in one transaction, and published to Redis when that has committed. While
Redis is away the change is still made, and the trader finds it at its next look into PostgreSQL (`strategies.reload`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError

from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.redis import sync_client
from strategies import config_messages, store
from strategies.catalog import CATALOG
from strategies.parameters import ParameterError, parse
from strategies.registry import UnknownStrategyError
from strategies.store import StoredConfig
from trading.models import AuditLog

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def save_config(name: str, *, parameters: Mapping[str, Any], enabled: bool | None, user: str) -> StoredConfig:
    """Change a strategy's settings: `parameters` replace those of the same name, `enabled` None leaves the switch.

    Raises:
        UnknownStrategyError: no strategy has this name.
        ParameterError: a value is wrong; nothing was written.
    """
    kind = _parameters_type(name)
    with transaction.atomic():
        before = store.get_config(name, lock=True)
        merged = parse(kind, {**_known(name, before.parameters), **parameters}, strategy=name).to_json()
        switch = before.enabled if enabled is None else enabled
        if merged == before.parameters and switch == before.enabled:
            return before
        after = store.update_config(StoredConfig(name=name, parameters=merged, enabled=switch, updated_by=user))
        AuditLog.objects.create(event="strategy_config_changed", detail={"by": user, **_difference(before, after)})
        transaction.on_commit(partial(publish, [after]))
    return after


def seed_configs(strategy: Mapping[str, Any]) -> None:
    """Store settings for every strategy that has none, from the configuration's section `strategy`, and publish all.

    `strategy` holds what all share (`size`, …), the names that are `active`, and a section for each strategy.

    Raises:
        ParameterError: the configuration has a value that the strategy refuses.
    """
    store.insert_missing([_configured(name, strategy) for name in CATALOG])
    publish(load_usable())


def load_usable() -> list[StoredConfig]:
    """Return the settings of every known strategy, complete and valid.

    A stored row that its strategy refuses is reported; the strategy then has its defaults and is off.
    """
    return [usable for row in store.load_configs() if row.name in CATALOG for usable in (_usable(row),)]


def publish(configs: Iterable[StoredConfig]) -> None:
    """Tell Redis what strategies are set to; while it is away, say so in the log and go on."""
    clock, ids = SystemClock(), RandomIds()
    try:
        with sync_client(settings.REDIS_URL) as client, client.pipeline(transaction=False) as pipe:
            for config in configs:
                pipe.set(config_messages.key(config.name), config_messages.to_bytes(config))
                pipe.publish(config_messages.channel(config.name), config_messages.to_event(config, clock, ids))
            pipe.execute()
    except RedisError as error:
        log.warning("strategy settings not published, the trader finds them by itself", error=str(error))


def _configured(name: str, strategy: Mapping[str, Any]) -> StoredConfig:
    section: Mapping[str, Any] = strategy.get(name, {})
    active: Collection[str] = strategy["active"]
    fields = CATALOG[name].parameters_type.model_fields
    own = {key: value for key, value in section.items() if key != "enabled"}
    shared = {key: strategy[key] for key in fields if key in strategy and key not in own}
    parameters = parse(CATALOG[name].parameters_type, {**shared, **own}, strategy=f"strategy.{name}").to_json()
    return StoredConfig(name=name, parameters=parameters, enabled=name in active and section.get("enabled", True))


def _usable(row: StoredConfig) -> StoredConfig:
    kind = CATALOG[row.name].parameters_type
    try:
        return replace(row, parameters=parse(kind, row.parameters, strategy=row.name).to_json())
    except ParameterError as error:
        log.warning("stored parameters are refused, the strategy stays off", strategy=row.name, error=str(error))
        return replace(row, parameters=kind().to_json(), enabled=False)


def _known(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored values that the strategy still has: a change also mends a row from before an upgrade."""
    return {key: value for key, value in parameters.items() if key in CATALOG[name].parameters_type.model_fields}


def _parameters_type(name: str) -> Any:
    if name not in CATALOG:
        raise UnknownStrategyError(f"strategy {name!r} does not exist, known: {', '.join(CATALOG)}")
    return CATALOG[name].parameters_type


def _difference(before: StoredConfig, after: StoredConfig) -> dict[str, Any]:
    changes = {
        key: {"from": before.parameters.get(key), "to": value}
        for key, value in after.parameters.items()
        if before.parameters.get(key) != value
    }
    return {"strategy": after.name, "enabled": {"from": before.enabled, "to": after.enabled}, "parameters": changes}
