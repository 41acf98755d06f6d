"""Nothing of the site can be seen without a login, and nothing changed without the right role."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from polybot_site import tokens
from polybot_site.roles import Role, role_of

OPEN = {"/login/", "/favicon.ico", "/api/health/live", "/admin/login/"}
"""The only addresses that answer strangers."""

_EXAMPLES = {"int": "1", "str": "x", "uuid": "00000000-0000-0000-0000-000000000000", "path": "x", "slug": "x"}


def addresses(resolver=None, prefix="/"):
    """Return an example of every address of the site."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        route = str(entry.pattern)
        route = re.sub(r"<(?:(\w+):)?\w+>", lambda match: _EXAMPLES[match.group(1) or "str"], route)
        route = re.sub(r"\(\?P<\w+>[^)]*\)", "x", route).replace("^", "").replace("$", "").replace("\\", "")
        if isinstance(entry, URLResolver):
            found += addresses(entry, prefix + route)
        else:
            assert isinstance(entry, URLPattern)
            found.append(prefix + route)
    return found


def test_the_list_of_addresses_is_complete_enough_to_mean_something():
    known = addresses()
    assert {"/", "/login/", "/api/orders", "/api/health", "/api/stream", "/metrics", "/api/schema/"} <= set(known)
    assert sum(address.startswith("/admin/") for address in known) > 30


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_every_address_refuses_a_stranger(method):
    client = Client()
    answered = []
    for address in addresses():
        response = getattr(client, method)(address)
        refused = response.status_code in {401, 403, 404, 405} or (
            response.status_code == 302 and "/login/" in response.headers["Location"]
        )
        # A page that does not exist, and a method that does not, tell a stranger nothing; pages that do exist must send to the login.
        if not refused and address not in OPEN:
            answered.append((address, response.status_code))
    assert answered == []


@pytest.mark.django_db
def test_every_address_of_the_api_asks_a_stranger_for_a_login():
    client = Client()
    asked = {address: client.get(address).status_code for address in addresses() if address.startswith("/api/")}
    asked.pop("/api/health/live")
    assert set(asked.values()) == {401}, asked


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "bearer polybot_x", "Bearer \xff"])
def test_a_wrong_token_is_refused_with_the_way_to_a_right_one(header):
    response = Client().get("/api/me", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["error"] == "authentication_failed"
    assert "token" in response.json()["fix"]


def test_a_token_works_until_it_is_revoked(person):
    viewer = person("viewer")
    client = Client(headers=viewer.bearer)
    assert client.get("/api/me").json() == {"username": "the-viewer", "role": "viewer", "account": None}
    tokens.revoke(user=viewer.user, name="test")
    assert client.get("/api/me").status_code == 401


def test_a_token_of_a_deactivated_user_is_refused(person):
    viewer = person("viewer")
    viewer.user.is_active = False
    viewer.user.save()
    assert Client(headers=viewer.bearer).get("/api/me").status_code == 401


def test_only_the_digest_of_a_token_is_kept(person):
    viewer = person("viewer")
    (row,) = viewer.user.api_tokens.values()
    assert viewer.token not in str(row)
    assert row["last_used_at"] is None
    Client(headers=viewer.bearer).get("/api/me")
    assert viewer.user.api_tokens.get().last_used_at is not None


def test_roles_include_each_other_and_nobody_has_none(person):
    assert [role_of(person(role).user) for role in ("viewer", "trader", "admin", None)] == [
        Role.VIEWER,
        Role.TRADER,
        Role.ADMIN,
        None,
    ]
    both = person("viewer", name="both")
    both.user.groups.add(*person("trader", name="other").user.groups.all())
    assert role_of(both.user) is Role.TRADER


def test_somebody_without_a_role_sees_nothing_but_himself(person):
    client = Client(headers=person(None).bearer)
    assert client.get("/api/me").json()["role"] is None
    answer = client.get("/api/orders")
    assert answer.status_code == 403
    assert answer.json() == {
        "error": "permission_denied",
        "detail": "Your role does not allow this.",
        "fix": "Ask an admin for the role that this needs.",
    }


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_of_the_api_that_does_not_exist_is_told_in_the_same_form(person, method):
    client = APIClient(headers=person("trader").bearer)
    answer = getattr(client, method)("/api/orders/")
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
    assert "slash" in answer.json()["fix"]
    assert APIClient().get("/api/nothing").status_code == 401


CHANGES = [
    ("post", "/api/orders"),
    ("delete", "/api/orders"),
    ("delete", "/api/orders/x"),
    ("post", "/api/halt"),
    ("delete", "/api/halt"),
    ("put", "/api/strategies/flash_crash"),
]


@pytest.mark.parametrize(("method", "address"), CHANGES)
def test_a_viewer_changes_nothing(person, method, address):
    client = APIClient(headers=person("viewer").bearer)
    assert getattr(client, method)(address, {}, format="json").status_code == 403


def test_a_session_must_prove_that_a_change_comes_from_our_pages(person):
    trader = person("trader")
    client = Client(enforce_csrf_checks=True)
    client.force_login(trader.user)
    answer = client.post("/api/halt", {"reason": "x"}, content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_the_login_page_lets_a_viewer_in_who_may_not_enter_the_admin(person):
    viewer = person("viewer")
    client = Client()
    page = client.get("/login/?next=/api/me")
    assert page.status_code == 200
    form = {"username": "the-viewer", "password": viewer.password, "next": "/api/me"}
    answer = client.post("/login/", form)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/api/me")
    assert client.get("/api/me").json()["username"] == "the-viewer"
    assert client.get("/admin/").status_code == 302


def test_a_login_does_not_lead_to_another_site(person):
    viewer = person("viewer")
    form = {"username": "the-viewer", "password": viewer.password, "next": "https://evil.example/"}
    assert Client().post("/login/", form).headers["Location"] == "/"


def test_guessing_passwords_is_slowed_down(person, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "guessing"}}
    viewer = person("viewer")
    client = Client()
    for _ in range(10):
        assert client.post("/login/", {"username": "the-viewer", "password": "guess"}).status_code == 200
    answer = client.post("/login/", {"username": "the-viewer", "password": viewer.password})
    assert "Too many wrong passwords" in answer.content.decode()
    assert client.get("/api/me").status_code == 401


def test_a_logout_ends_the_session(person, redis_url):
    client = Client()
    client.force_login(person("viewer").user)
    assert client.get("/api/me").status_code == 200
    client.post("/logout/")
    assert client.get("/api/me").status_code == 401
