"""An open socket's right to be open is checked again and again."""

from __future__ import annotations

import asyncio

import pytest
from django.db import DatabaseError

from polybot_site.ws import consumer
from polybot_site.ws.access import UNKNOWN, Visitor


# The check closes old connections of its thread, which an earlier test may have left there.
@pytest.mark.django_db
async def test_a_socket_ends_when_its_login_has_and_not_because_the_database_was_away(monkeypatch):
    answers = iter([True, DatabaseError("away"), True, False])

    def still_admitted(visitor):
        assert visitor == Visitor(1, token_id=2)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await ended(monkeypatch, still_admitted) == UNKNOWN
    assert next(answers, "all asked") == "all asked"


@pytest.mark.django_db
async def test_a_socket_whose_right_cannot_be_checked_any_more_ends(monkeypatch):
    def still_admitted(visitor):
        raise LookupError("nobody thought of this")

    assert await ended(monkeypatch, still_admitted) == consumer.TRY_AGAIN


async def ended(monkeypatch, still_admitted) -> int:
    """Return the code with which a socket was closed."""
    monkeypatch.setattr(consumer, "still_admitted", still_admitted)
    monkeypatch.setattr(consumer, "CHECK_ACCESS_SECONDS", 0.0)
    client = consumer.EventConsumer()
    client.visitor = Visitor(1, token_id=2)
    client.over = asyncio.get_running_loop().create_future()
    watching = asyncio.create_task(client._watch_access())
    code, _ = await asyncio.wait_for(client.over, 10)
    watching.cancel()
    return code
