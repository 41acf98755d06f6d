"""The statements of a transaction leave together: the first that fails is raised, what was prepared stays, a broken connection is closed."""

from __future__ import annotations

import psycopg
import pytest

from trading.journal_connection import connect_journal
from trading.row_pipeline import RowPipeline

INSERT = b"INSERT INTO things (number) VALUES ($1::int)"
SELECT = b"SELECT $1::text AS said"


@pytest.fixture
def pg(committed_database: str):
    with connect_journal(committed_database) as connection:
        connection.execute("CREATE TEMPORARY TABLE things (number int UNIQUE)")
        connection.commit()
        yield connection


def numbers(pg) -> list[int]:
    return [row["number"] for row in pg.execute("SELECT number FROM things ORDER BY number").fetchall()]


def test_each_statement_has_its_result_and_nothing_is_written_before_the_commit(pg, committed_database: str) -> None:
    pipeline = RowPipeline(pg)

    said, written = pipeline.execute([(SELECT, [b"hello"]), (INSERT, [b"1"])])

    assert (said.get_value(0, 0), written.command_tuples) == (b"hello", 1)
    pg.rollback()
    assert numbers(pg) == []


def test_the_first_that_fails_is_raised_and_the_pipeline_goes_on_after_the_rollback(pg) -> None:
    pipeline = RowPipeline(pg)

    with pytest.raises(psycopg.errors.UniqueViolation):
        pipeline.execute([(INSERT, [b"1"]), (INSERT, [b"1"]), (b"SELECT 1 / 0", [])])
    pg.rollback()
    with pytest.raises(psycopg.errors.UndefinedColumn):
        pipeline.execute([(INSERT, [b"1"]), (b"SELECT nonsense", []), (SELECT, [b"x"])])
    pg.rollback()
    pipeline.execute([(SELECT, [b"x"]), (INSERT, [b"2"])])
    pg.commit()

    assert numbers(pg) == [2]


def test_more_than_the_sockets_hold_passes_both_ways(pg) -> None:
    much = b"x" * 8_000_000

    results = RowPipeline(pg).execute([(SELECT, [much]), (SELECT, [much]), (INSERT, [b"1"])])

    assert [results[0].get_value(0, 0) == much, results[1].get_value(0, 0) == much] == [True, True]


def test_a_connection_that_breaks_is_closed_and_says_why(pg, committed_database: str) -> None:
    pipeline = RowPipeline(pg)
    with psycopg.connect(committed_database, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pg.info.backend_pid])

    with pytest.raises(psycopg.OperationalError):
        pipeline.execute([(SELECT, [b"x"])])

    assert pg.closed


def test_a_connection_that_was_closed_is_an_error_of_the_database(pg) -> None:
    pg.close()

    with pytest.raises(psycopg.OperationalError):
        RowPipeline(pg).execute([(SELECT, [b"x"])])
