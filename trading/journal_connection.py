"""The journal's connection to PostgreSQL, on which nothing waits for ever.

A server that does not answer at all, a lock that somebody else keeps, a statement that does not end: each becomes an error within seconds, which the
journal treats like any other trouble of its storage. What the connection string itself says of these times counts more.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from trading.database_times import WideTimestamptzLoader
from trading.journal_load import Connection

SILENCE: dict[str, Any] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""Connecting, in seconds; what was sent unacknowledged, in milliseconds; a peer that is gone while an answer is awaited, in seconds."""
LOCK_MS = 5_000
STATEMENT_MS = 30_000
"""Longer than the largest read of a start takes."""


def connect_journal(conninfo: str) -> Connection:
    """Return a new connection.

    Raises:
        psycopg.OperationalError: the server is away, or did not answer in time.
    """
    settings = SILENCE | conninfo_to_dict(conninfo)
    connection: Connection = psycopg.connect(row_factory=dict_row, application_name="polybot-journal", **settings)
    connection.adapters.register_loader("timestamptz", WideTimestamptzLoader)
    connection.execute(f"SET lock_timeout = {LOCK_MS}; SET statement_timeout = {STATEMENT_MS}")
    connection.commit()
    return connection
