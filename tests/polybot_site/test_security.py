"""What browsers are told about our pages."""

from __future__ import annotations

import pytest
from django.test import Client

from polybot_site import views


@pytest.fixture
def viewer(person):
    client = Client()
    client.force_login(person("viewer").user)
    return client


@pytest.fixture
def built(tmp_path, monkeypatch):
    page = tmp_path / "index.html"
    page.write_text("<!doctype html><title>polybot</title>")
    monkeypatch.setattr(views, "INDEX", page)


def test_the_dashboard_is_behind_the_login_and_brings_the_csrf_cookie(viewer, built):
    assert Client().get("/").headers["Location"] == "/login/?next=/"
    page = viewer.get("/")
    assert b"polybot" in page.content
    assert "csrftoken" in page.cookies


def test_a_dashboard_that_is_not_built_says_how_to_build_it(viewer, monkeypatch, tmp_path):
    monkeypatch.setattr(views, "INDEX", tmp_path / "nothing.html")
    page = viewer.get("/")
    assert page.status_code == 503
    assert b"npm run build" in page.content


def test_pages_run_our_scripts_only_and_are_framed_by_nobody(viewer, built):
    headers = viewer.get("/").headers
    policy = dict(rule.partition(" ")[::2] for rule in headers["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", ["/login/", "/admin/login/", "/api/me"])
def test_no_page_allows_inline_scripts(db, address):
    policy = Client().get(address).headers["Content-Security-Policy"]
    scripts = next(rule for rule in policy.split("; ") if rule.startswith("script-src"))
    assert "unsafe-inline" not in scripts


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(person):
    client = Client()
    viewer = person("viewer")
    answer = client.post("/login/", {"username": "the-viewer", "password": viewer.password})
    cookie = answer.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_another_origin_may_use_the_api_only_when_it_is_configured(person, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://desk.example"]
    client = Client(headers=person("viewer").bearer)
    welcome = client.get("/api/me", headers={"Origin": "https://desk.example"})
    stranger = client.get("/api/me", headers={"Origin": "https://evil.example"})
    assert welcome.headers["Access-Control-Allow-Origin"] == "https://desk.example"
    assert "Access-Control-Allow-Origin" not in stranger.headers


@pytest.mark.parametrize(
    "address", ["/api/markets/%00", "/api/orders?market=%00", "/api/markets?search=a%00b", "/admin/?q=%00"]
)
def test_an_address_with_a_nul_character_is_refused_and_no_error_of_ours(viewer, address):
    answer = viewer.get(address)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_address"


def test_browsers_find_the_icon_where_they_look_for_it(db):
    answer = Client().get("/favicon.ico")
    assert answer.headers["Location"].endswith("favicon.svg")
