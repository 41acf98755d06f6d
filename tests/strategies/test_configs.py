"""Settings are seeded once, changed as a whole or not at all, audited, and published when they have committed."""

import json
from decimal import Decimal

import pytest
import redis

from proto.polybot.v1 import events_pb2
from strategies import config_messages, store
from strategies.catalog import CATALOG
from strategies.configs import load_usable, publish, save_config, seed_configs
from strategies.models import StrategyConfig
from strategies.parameters import ParameterError
from strategies.registry import UnknownStrategyError
from strategies.store import StoredConfig
from trading.models import AuditLog

SECTION = {
    "active": ("flash_crash",),
    "size": Decimal(25),
    "max_positions": 3,
    "take_profit": Decimal("0.2"),
    "stop_loss": Decimal("0.04"),
    "flash_crash": {"enabled": True, "drop_threshold": Decimal("0.15"), "recovery_target": Decimal("0.06")},
    "mean_reversion": {"enabled": True, "std_dev_threshold": 3.0},
}


@pytest.fixture
def seeded(transactional_db, redis_url):
    seed_configs(SECTION)
    return redis.Redis.from_url(redis_url)


def test_seeding_takes_the_configuration_and_the_declared_defaults(seeded):
    crash, reversion = store.get_config("flash_crash"), store.get_config("mean_reversion")
    assert (crash.parameters["size"], crash.parameters["drop_threshold"], crash.parameters["z_threshold"]) == (
        25,
        0.15,
        6,
    )
    assert (reversion.parameters["std_dev_threshold"], reversion.parameters["lookback_window"]) == (3.0, "5m")
    assert crash.enabled is True
    assert reversion.enabled is False, "it is not active"


def test_a_strategy_switched_off_in_the_configuration_starts_off(transactional_db, redis_url):
    seed_configs({**SECTION, "flash_crash": {"enabled": False}})
    assert store.get_config("flash_crash").enabled is False


def test_seeding_again_keeps_what_operators_changed(seeded):
    save_config("flash_crash", parameters={"size": 40}, enabled=False, user="ann")
    seed_configs(SECTION)
    config = store.get_config("flash_crash")
    assert (config.parameters["size"], config.enabled) == (40, False)


def test_seeding_refuses_a_configuration_that_the_strategy_refuses(transactional_db, redis_url):
    with pytest.raises(
        ParameterError, match=r"strategy.mean_reversion.lookback_window was '2h', allowed: a duration from 10s to 1h"
    ):
        seed_configs({**SECTION, "mean_reversion": {"lookback_window": "2h"}})


def test_a_change_is_written_audited_and_published(seeded):
    before = store.get_config("flash_crash")
    after = save_config("flash_crash", parameters={"drop_threshold": 0.2}, enabled=None, user="ann")
    assert after.parameters == {**before.parameters, "drop_threshold": 0.2}
    assert (after.enabled, after.updated_by) == (True, "ann")
    assert after.updated_ns > before.updated_ns
    assert config_messages.from_bytes(seeded.get("stratcfg:flash_crash")).parameters == after.parameters
    audited = AuditLog.objects.get(event="strategy_config_changed").detail
    assert audited["by"] == "ann"
    assert audited["parameters"] == {"drop_threshold": {"from": 0.15, "to": 0.2}}


def test_a_refused_change_writes_nothing(seeded):
    before = store.get_config("flash_crash")
    with pytest.raises(ParameterError, match=r"flash_crash.stop_loss was 7, allowed: a number from 0.001 to 0.99"):
        save_config("flash_crash", parameters={"size": 40, "stop_loss": 7}, enabled=False, user="ann")
    assert store.get_config("flash_crash") == before
    assert not AuditLog.objects.filter(event="strategy_config_changed").exists()


def test_a_change_that_changes_nothing_is_not_one(seeded):
    before = store.get_config("flash_crash")
    assert save_config("flash_crash", parameters={"size": 25}, enabled=True, user="ann") == before
    assert not AuditLog.objects.filter(event="strategy_config_changed").exists()


def test_every_change_is_later_than_the_one_before(seeded):
    times = [
        save_config("flash_crash", parameters={"size": 30 + step}, enabled=None, user="ann").updated_ns
        for step in range(5)
    ]
    assert times == sorted(set(times))


def test_an_unknown_strategy_is_refused(seeded):
    with pytest.raises(UnknownStrategyError, match="'ghost' does not exist, known: flash_crash, mean_reversion"):
        save_config("ghost", parameters={}, enabled=True, user="ann")


def test_listeners_hear_of_a_change_as_an_event(seeded):
    with seeded.pubsub() as channels:
        channels.subscribe("ch:strategy:flash_crash")
        assert channels.get_message(timeout=5)["type"] == "subscribe"
        save_config("flash_crash", parameters={"size": 31}, enabled=None, user="ann")
        event = events_pb2.Event.FromString(channels.get_message(timeout=5)["data"])
    assert event.type == "strategy_config"
    assert json.loads(event.strategy_config.config_json)["size"] == 31


def test_a_change_is_made_while_redis_is_away(seeded, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    save_config("flash_crash", parameters={"size": 32}, enabled=None, user="ann")
    assert store.get_config("flash_crash").parameters["size"] == 32


def test_a_stored_row_that_is_refused_leaves_the_strategy_off_with_defaults(seeded):
    StrategyConfig.objects.filter(name="flash_crash").update(config_json={"size": -3, "gone": 1})
    usable = {config.name: config for config in load_usable()}
    assert (usable["flash_crash"].enabled, usable["flash_crash"].parameters["size"]) == (False, 10)


def test_a_change_mends_a_row_from_before_an_upgrade(seeded):
    StrategyConfig.objects.filter(name="flash_crash").update(config_json={"size": 20, "gone": 1})
    config = save_config("flash_crash", parameters={}, enabled=None, user="ann")
    assert "gone" not in config.parameters
    assert (config.parameters["size"], config.parameters["z_threshold"]) == (20, 6)


def test_rows_of_strategies_that_no_longer_exist_are_left_alone(seeded):
    store.insert_missing([StoredConfig(name="retired", parameters={}, enabled=True)])
    assert {config.name for config in load_usable()} == set(CATALOG)
    assert StrategyConfig.objects.filter(name="retired").exists()


def test_messages_come_back_as_they_were(seeded):
    config = store.get_config("flash_crash")
    publish([config])
    assert config_messages.from_bytes(seeded.get("stratcfg:flash_crash")) == StoredConfig(
        name=config.name, parameters=config.parameters, enabled=config.enabled, updated_ns=config.updated_ns
    )
