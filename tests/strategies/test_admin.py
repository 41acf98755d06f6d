"""The admin shows parameters as a form with ranges, refuses what the API refuses, and saves the same way."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from polybot_site.roles import sync_roles
from strategies import store
from strategies.configs import seed_configs
from tests.strategies.test_configs import SECTION
from trading.models import AuditLog

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/strategies/strategyconfig/"
CRASH = f"{LIST}flash_crash/change/"


@pytest.fixture
def boss(redis_url):
    seed_configs(SECTION)
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def entered(**changes):
    values = {name: str(value) for name, value in store.get_config("flash_crash").parameters.items()}
    return {"enabled": "on", **values, **changes}


def test_every_parameter_is_a_field_with_help_and_range(boss):
    page = boss.get(CRASH).content.decode()
    for name in store.get_config("flash_crash").parameters:
        assert f'name="{name}"' in page
    assert "Fall from the recent high that counts as a crash (a number from 0.001 to 0.99, USD per share)." in page
    assert "config_json" not in page


def test_saving_validates_writes_and_audits(boss):
    answer = boss.post(CRASH, entered(size="45", max_duration="7s"))
    assert answer.status_code == 302
    config = store.get_config("flash_crash")
    assert (config.parameters["size"], config.parameters["max_duration"], config.updated_by) == (45, "7s", "boss")
    assert AuditLog.objects.get(event="strategy_config_changed").detail["by"] == "boss"


def test_the_switch_is_saved_too(boss):
    values = entered()
    del values["enabled"]
    assert boss.post(CRASH, values).status_code == 302
    assert store.get_config("flash_crash").enabled is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", "-1"),
        ("size", "nan"),
        ("size", ""),
        ("max_positions", "1.5"),
        ("max_duration", "soon"),
        ("max_duration", "2h"),
    ],
)
def test_a_refused_value_stays_on_the_page_with_its_error(boss, name, value):
    before = store.get_config("flash_crash")
    answer = boss.post(CRASH, entered(**{name: value}))
    assert answer.status_code == 200
    assert name in answer.context["adminform"].form.errors
    assert store.get_config("flash_crash") == before


def test_the_list_shows_names_and_states(boss):
    page = boss.get(LIST).content.decode()
    assert "Flash crash" in page
    assert "Mean reversion" in page


def test_strategies_are_neither_added_nor_deleted(boss):
    assert boss.get(f"{LIST}add/").status_code == 403
    assert boss.get(f"{LIST}flash_crash/delete/").status_code == 403


def test_a_viewer_sees_values_and_cannot_change_them(redis_url):
    sync_roles()
    seed_configs(SECTION)
    user = User.objects.create_user("eve", is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    client = Client()
    client.force_login(user)
    page = client.get(CRASH).content.decode()
    assert "Drop: 0.15" in page
    assert client.post(CRASH, entered()).status_code == 403
