"""Strategy settings in PostgreSQL: the only module besides admin and api/ that touches the table.

Plain synchronous functions, for web requests and the journal's writer thread alike. Values are stored as given; `strategies.configs` validates them
first. Database errors pass through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Func
from django.db.models.functions import Greatest

from strategies import models
from strategies.parameters import ParameterValue
from strategies.registry import UnknownStrategyError
from trading.row_write import to_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConfig:
    """What a strategy is set to. `updated_ns` is 0 for settings that were never stored."""

    name: str
    parameters: Mapping[str, ParameterValue]
    enabled: bool
    updated_ns: int = 0
    updated_by: str = ""


def load_configs() -> list[StoredConfig]:
    """Return all stored settings, by name."""
    if connection.connection is not None and not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    return [_config(row) for row in models.StrategyConfig.objects.all()]


def get_config(name: str, *, lock: bool = False) -> StoredConfig:
    """Return the settings of a strategy; `lock` keeps others from changing them until the transaction ends.

    Raises:
        UnknownStrategyError: nothing is stored under this name.
    """
    rows = models.StrategyConfig.objects.select_for_update() if lock else models.StrategyConfig.objects.all()
    row = rows.filter(name=name).first()
    if row is None:
        known = ", ".join(models.StrategyConfig.objects.values_list("name", flat=True)) or "none"
        raise UnknownStrategyError(f"strategy {name!r} is not stored, known: {known}")
    return _config(row)


def insert_missing(configs: Iterable[StoredConfig]) -> None:
    """Store settings of strategies that have none yet; existing rows stay as they are."""
    models.StrategyConfig.objects.bulk_create(
        [
            models.StrategyConfig(name=config.name, config_json=dict(config.parameters), enabled=config.enabled)
            for config in configs
        ],
        ignore_conflicts=True,
    )


def update_config(config: StoredConfig) -> StoredConfig:
    """Replace the settings of a strategy and return them with their time, which is later than any before."""
    rows = models.StrategyConfig.objects.filter(name=config.name)
    one_later = Func(F("updated_at"), template="%(expressions)s + interval '1 microsecond'")
    rows.update(
        config_json=dict(config.parameters),
        enabled=config.enabled,
        updated_by=config.updated_by,
        updated_at=Greatest(Func(function="clock_timestamp"), one_later),
    )
    return get_config(config.name)


def _config(row: models.StrategyConfig) -> StoredConfig:
    return StoredConfig(
        name=row.name,
        parameters=row.config_json,
        enabled=row.enabled,
        updated_ns=to_ns(row.updated_at),
        updated_by=row.updated_by,
    )
