"""The SQL that writes a row: insert, insert or replace by its key, update by its key. It depends on a write's shape alone, never on its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from psycopg import sql

from trading.row_write import Verb, Write


def compose(write: Write) -> sql.Composed:
    """Return the statement of a write; its parameters are named after the columns."""
    table = sql.Identifier(write.table)
    if write.verb is Verb.UPDATE:
        changed = [column for column in write.columns if column not in write.key]
        return sql.SQL("UPDATE {} SET {} WHERE {}").format(
            table, _assignments(changed, ", "), _assignments(write.key, " AND ")
        )
    insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        table,
        sql.SQL(", ").join(map(sql.Identifier, write.columns)),
        sql.SQL(", ").join(map(sql.Placeholder, write.columns)),
    )
    if write.verb is Verb.INSERT:
        return insert
    changed = [column for column in write.columns if column not in write.key]
    excluded = sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column)) for column in changed)
    return sql.SQL("{} ON CONFLICT ({}) DO UPDATE SET {}").format(
        insert, sql.SQL(", ").join(map(sql.Identifier, write.key)), excluded
    )


def _assignments(columns: Sequence[str], separator: LiteralString) -> sql.Composed:
    return sql.SQL(separator).join(
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column)) for column in columns
    )
