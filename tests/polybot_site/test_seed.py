"""The first login works, and goes on working at every start."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from polybot_site import tokens
from polybot_site.run_file import RunFile
from polybot_site.seed import seed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path))
    return tmp_path


def start():
    """Do what every start does: seed, then remember."""
    login = seed("admin")
    RunFile("http://127.0.0.1:8000", login.username, login.password, login.api_token).write()
    return login


def works(login):
    user = authenticate(username=login.username, password=login.password)
    token = tokens.verify(login.api_token)
    return user is not None and user.is_superuser and token is not None and token.user == user


def test_the_first_start_makes_a_superuser_with_password_and_token():
    assert works(start())


def test_later_starts_keep_the_login():
    first = start()
    assert start() == first
    assert works(first)


def test_a_lost_run_file_brings_a_new_login_and_ends_the_old_token(var):
    first = start()
    (var / "run.json").unlink()
    second = start()
    assert second != first
    assert works(second)
    assert tokens.verify(first.api_token) is None


def test_a_new_database_gets_the_old_login():
    first = start()
    User.objects.all().delete()
    second = start()
    assert second.password == first.password
    assert works(second)


def test_a_password_its_owner_changed_is_left_alone():
    start()
    user = User.objects.get(username="admin")
    user.set_password("my own secret")
    user.save()
    login = start()
    assert login.password == ""
    assert authenticate(username="admin", password="my own secret") is not None
    assert tokens.verify(login.api_token) is not None
    assert start().password == ""
