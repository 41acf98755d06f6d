"""The SQL that writes rows: insert, insert or replace by its key, update by its key. It depends on a write's shape alone, never on its values.

A statement has one parameter: its rows as a JSON array, whose values PostgreSQL reads as the types of the table's own columns. One parameter for
many rows costs a fraction of one for each value, on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import orjson
from psycopg import sql

from trading.row_write import JsonText, Verb, Write

Shape = tuple[Verb, str, tuple[str, ...], tuple[str, ...]]
"""Verb, table, columns, key: writes of one shape have one statement."""


def shape_of(write: Write) -> Shape:
    return write.verb, write.table, tuple(write.columns), write.key


@cache
def compose(shape: Shape) -> bytes:
    """Return the statement of a shape; `$1` are its rows."""
    verb, table_name, columns, key = shape
    table, changed = sql.Identifier(table_name), [column for column in columns if column not in key]
    rows = sql.SQL("json_populate_recordset(NULL::{}, $1) AS new").format(table)
    if verb is Verb.UPDATE:
        statement = sql.SQL("UPDATE {} AS old SET {} FROM {} WHERE {}").format(
            table,
            sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(sql.Identifier(column)) for column in changed),
            rows,
            sql.SQL(" AND ").join(sql.SQL("old.{0} = new.{0}").format(sql.Identifier(column)) for column in key),
        )
        return statement.as_bytes()
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(table, names, names, rows)
    if verb is Verb.UPSERT:
        statement += sql.SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(
            sql.SQL(", ").join(map(sql.Identifier, key)),
            sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column)) for column in changed),
        )
    return statement.as_bytes()


def rows_parameter(writes: Sequence[Write]) -> bytes:
    """Return the parameter of a statement that writes the rows of `writes`, all of one shape.

    Raises:
        TypeError: a value that no column could hold.
    """
    return orjson.dumps([write.columns for write in writes], _unusual, orjson.OPT_PASSTHROUGH_SUBCLASS)


def _unusual(value: object) -> object:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, JsonText):
        return orjson.Fragment(value.encode())
    raise TypeError(f"a column's value was {value!r}, expected text, bytes, a number, a moment or None")
