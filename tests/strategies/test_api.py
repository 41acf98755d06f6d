"""GET and PUT /api/strategies: what is set, what runs, and refusals that name the parameter."""

import pytest
import redis
from django.contrib.auth.models import Group, User
from rest_framework.test import APIClient

from domain.status import StrategyInfo, StrategyState
from polybot_site.roles import sync_roles
from proto.status_mapping import strategy_to_proto
from strategies import store
from strategies.configs import seed_configs
from strategies.flash_crash import FlashCrashParameters
from tests.strategies.test_configs import SECTION
from tests.trading import rows
from tests.trading.factories import ACCOUNT
from trading.publisher import status_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client_of(redis_url):
    sync_roles()
    seed_configs(SECTION)

    def make(role):
        user = User.objects.create_user(role)
        user.groups.add(Group.objects.get(name=role))
        client = APIClient()
        client.force_authenticate(user)
        return client

    return make


def test_the_list_names_every_strategy_with_settings_and_schema(client_of):
    answer = client_of("viewer").get("/api/strategies").json()
    assert [row["name"] for row in answer["results"]] == ["flash_crash", "mean_reversion", "rebalancing_arb"]
    crash = answer["results"][0]
    assert (crash["enabled"], crash["parameters"]["size"], crash["status"]) == (True, 25.0, None)
    assert crash["schema"]["title"] == "Flash crash"
    assert crash["schema"]["properties"]["drop_threshold"]["maximum"] == 0.99
    assert set(crash["schema"]["properties"]) == set(crash["parameters"])
    assert list(crash["schema"]["properties"]) == list(FlashCrashParameters.model_fields)


def test_the_status_is_what_the_trader_published(client_of, redis_url):
    info = StrategyInfo(
        name="flash_crash",
        state=StrategyState.RUNNING,
        enabled=True,
        signals_sent=4,
        error_count=1,
        budget_overruns=2,
        last_signal_ns=1_790_000_000_000_000_000,
        last_error="KeyError: 'x'",
        parameters={"size": 25.0},
    )
    rows.lease(ACCOUNT, seconds=10)
    rows.lease("paper:other", seconds=10)
    broker = redis.Redis.from_url(redis_url)
    broker.set(status_key(ACCOUNT, "flash_crash"), strategy_to_proto(info, ACCOUNT).SerializeToString())
    reader = client_of("viewer")
    assert reader.get("/api/strategies/flash_crash", {"account": "paper:other"}).json()["status"] is None
    status = reader.get("/api/strategies/flash_crash", {"account": ACCOUNT}).json()["status"]
    assert (status["state"], status["signals_sent"], status["error_count"], status["budget_overruns"]) == (
        "running",
        4,
        1,
        2,
    )
    assert status["last_signal_at"].startswith("2026-09-21T")
    assert status["parameters"] == {"size": 25.0}


def test_settings_are_shown_while_redis_is_away(client_of, settings):
    client = client_of("viewer")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/api/strategies/flash_crash")
    assert (answer.status_code, answer.json()["status"]) == (200, None)


def test_a_trader_changes_parameters_and_switch(client_of):
    answer = client_of("trader").put(
        "/api/strategies/flash_crash",
        {"parameters": {"size": 40, "max_duration": "5s"}, "enabled": False},
        format="json",
    )
    assert answer.status_code == 200
    body = answer.json()
    assert (body["parameters"]["size"], body["parameters"]["max_duration"], body["enabled"]) == (40.0, "5s", False)
    assert body["updated_by"] == "trader"
    stored = store.get_config("flash_crash")
    assert (stored.parameters["size"], stored.parameters["drop_threshold"], stored.enabled) == (40, 0.15, False)


def test_a_viewer_changes_nothing(client_of):
    answer = client_of("viewer").put("/api/strategies/flash_crash", {"enabled": False}, format="json")
    assert answer.status_code == 403
    assert store.get_config("flash_crash").enabled is True


def test_a_refused_value_names_parameter_value_and_range(client_of):
    answer = client_of("trader").put(
        "/api/strategies/flash_crash", {"parameters": {"drop_threshold": 4}, "enabled": False}, format="json"
    )
    assert answer.status_code == 400
    assert answer.json()["detail"] == {
        "drop_threshold": ["flash_crash.drop_threshold was 4, allowed: a number from 0.001 to 0.99"]
    }
    assert store.get_config("flash_crash").enabled is True


@pytest.mark.parametrize(
    "body",
    [{"parameters": [1]}, {"enabled": "maybe"}, {"size": 3}, {"parameters": {"nope": 1}}, [1], {"parameters": None}],
)
def test_a_malformed_change_is_refused_and_changes_nothing(client_of, body):
    before = store.load_configs()
    answer = client_of("trader").put("/api/strategies/flash_crash", body, format="json")
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "detail", "fix"}
    assert store.load_configs() == before


@pytest.mark.parametrize("method", ["get", "put"])
def test_an_unknown_strategy_is_not_found(client_of, method):
    answer = getattr(client_of("trader"), method)("/api/strategies/ghost", {}, format="json")
    assert answer.status_code == 404
    assert "'ghost' does not exist, known: flash_crash, mean_reversion" in answer.json()["detail"]
