"""Who may keep a socket: the same who may open one, checked again while it is open."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore

from polybot_site import tokens
from polybot_site.ws.access import FORBIDDEN, UNKNOWN, RefusedError, admit, still_admitted

HOST = (b"host", b"desk.example:8000")


@pytest.fixture
def viewer(person):
    return person("viewer")


@pytest.fixture
def session(db):
    store = SessionStore()
    store.create()
    return store


def by_token(person):
    return {"headers": [HOST, (b"authorization", b"Bearer " + person.token.encode())]}


def by_cookie(person, session, origin=b"https://desk.example:8000"):
    return {"headers": [HOST, (b"origin", origin)], "user": person.user, "session": session}


def test_a_token_keeps_its_socket_until_it_is_revoked(viewer):
    visitor = admit(by_token(viewer))
    assert still_admitted(visitor)
    tokens.revoke(user=viewer.user, name="test")
    assert not still_admitted(visitor)


def test_a_session_keeps_its_socket_until_it_ends(viewer, session):
    visitor = admit(by_cookie(viewer, session))
    assert still_admitted(visitor)
    session.delete()
    assert not still_admitted(visitor)


def test_losing_the_role_or_the_account_ends_the_socket(viewer, person, session):
    visitor, other = admit(by_token(viewer)), person("trader")
    viewer.user.groups.clear()
    assert not still_admitted(visitor)
    visitor = admit(by_cookie(other, session))
    other.user.is_active = False
    other.user.save()
    assert not still_admitted(visitor)
    other.user.delete()
    assert not still_admitted(visitor)


@pytest.mark.parametrize(
    "origin",
    [b"", b"null", b"https://evil.example", b"https://desk.example", b"https://desk.example:8000.evil.example"],
)
def test_a_cookie_counts_only_from_a_page_of_the_same_host_and_port(viewer, session, origin):
    with pytest.raises(RefusedError) as refused:
        admit(by_cookie(viewer, session, origin))
    assert refused.value.code == FORBIDDEN


def test_a_configured_origin_may_use_the_cookie(viewer, session, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://board.example"]
    assert admit(by_cookie(viewer, session, b"https://board.example")).user_id == viewer.user.pk


def test_a_wrong_token_is_not_replaced_by_the_cookie(viewer, session):
    scope = by_cookie(viewer, session)
    scope["headers"].append((b"authorization", b"Bearer wrong"))
    with pytest.raises(RefusedError) as refused:
        admit(scope)
    assert refused.value.code == UNKNOWN


def test_strangers_are_refused(db, session):
    with pytest.raises(RefusedError) as refused:
        admit({"headers": [HOST], "user": AnonymousUser(), "session": session})
    assert refused.value.code == UNKNOWN
