"""Times as PostgreSQL may hold them and Python may not: `infinity` and years beyond 9999 are read as the last moment, those before 1 as the first.

One such row must not keep a whole table from being read; whoever reads it sees that it cannot be true.
"""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
from psycopg.abc import Buffer
from psycopg.types.datetime import TimestamptzLoader

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class WideTimestamptzLoader(TimestamptzLoader):
    """psycopg's own, without an end."""

    def load(self, data: Buffer) -> datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            text = bytes(data)
            return FIRST if text.startswith(b"-") or text.endswith(b"BC") else LAST
