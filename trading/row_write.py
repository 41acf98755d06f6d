"""How a row is written: a table, its columns, and whether it is inserted, replaced by its key or updated by its key.

Times are UTC datetimes in tables (microseconds, rounded down) and integer nanoseconds in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

Columns = dict[str, Any]


class Verb(Enum):
    INSERT = "insert"
    UPSERT = "upsert"
    UPDATE = "update"


class JsonText(str):
    """A column's value that is JSON already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Write:
    """One row to write; `key` names the columns that identify it for upserts and updates."""

    verb: Verb
    table: str
    columns: Columns
    key: tuple[str, ...] = ()


def to_datetime(ns: int | None) -> datetime | None:
    """Return a UTC datetime, cut to microseconds."""
    if ns is None:
        return None
    seconds, rest = divmod(ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def to_ns(moment: datetime) -> int:
    """Return UTC nanoseconds of an aware datetime, exactly."""
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def optional_ns(moment: datetime | None) -> int | None:
    return to_ns(moment) if moment is not None else None
