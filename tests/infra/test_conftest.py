"""The test run's own ground."""

import socket

import psycopg
import pytest
import redis


def test_a_connection_beyond_loopback_is_refused():
    with socket.socket() as client, pytest.raises(PermissionError, match="loopback"):
        client.connect(("192.0.2.1", 80))


@pytest.mark.parametrize("policy", ["asyncio", "uvloop"])
def test_an_event_loop_cannot_leave_loopback_either(policy):
    import asyncio

    import uvloop

    loop = uvloop.new_event_loop() if policy == "uvloop" else asyncio.new_event_loop()
    try:
        with pytest.raises(PermissionError, match="loopback"):
            loop.run_until_complete(loop.create_connection(asyncio.Protocol, "192.0.2.1", 80))
    finally:
        loop.close()


def test_a_test_gets_an_empty_database_of_its_own(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_test_gets_an_empty_valkey(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


@pytest.mark.django_db
def test_django_talks_to_the_run_s_own_postgres(postgres_server):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), inet_server_port()")
        assert cursor.fetchone() == ("test_polybot", postgres_server.port)
