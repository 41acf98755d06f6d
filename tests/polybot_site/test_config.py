"""Typed settings: sources, refusals, and the one message a mistake gets."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.paths import ROOT
from polybot_site.config import Config
from polybot_site.config_fields import declared_keys, environment_name, is_secret, value_of
from polybot_site.config_loader import ConfigError, Loaded, load
from polybot_site.config_text import effective, example

NO_FILE = {"POLYBOT_CONFIG": ""}
PRIVATE_KEY = "0x" + "ab" * 32


@pytest.fixture
def read(tmp_path: Path):
    """Load a configuration from the text of a file and some variables."""

    def read(toml: str = "", **environ: str) -> Loaded:
        path = tmp_path / "config.toml"
        path.write_text(toml)
        return load(environ, path)

    return read


def refusal(read, toml: str = "", **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(toml, **environ)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_without_file_and_environment_everything_is_at_its_default():
    loaded = load(NO_FILE)
    assert loaded.sources == {}
    assert (loaded.config.mode, loaded.config.venue.kind, loaded.config.trading.live) == ("full", "simulator", False)
    assert loaded.config.strategy.mean_reversion.lookback_window == timedelta(minutes=5)
    assert loaded.config.strategy.flash_crash.drop_threshold == Decimal("0.10")


def test_the_environment_wins_over_the_file_and_each_value_knows_its_source(read):
    loaded = read(
        "[trading]\nmax_order_notional = 20\nmin_price = 0.05\n[strategy]\nactive = ['flash_crash']",
        POLYBOT_TRADING__MAX_ORDER_NOTIONAL="30.5",
        POLYBOT_STRATEGY__MEAN_REVERSION__LOOKBACK_WINDOW="1m30s",
    )
    assert loaded.config.trading.max_order_notional == Decimal("30.5")
    assert loaded.config.trading.min_price == Decimal("0.05")
    assert loaded.config.strategy.active == ("flash_crash",)
    assert loaded.config.strategy.mean_reversion.lookback_window == timedelta(seconds=90)
    assert loaded.sources == {
        "trading.max_order_notional": "POLYBOT_TRADING__MAX_ORDER_NOTIONAL",
        "trading.min_price": "config.toml",
        "strategy.active": "config.toml",
        "strategy.mean_reversion.lookback_window": "POLYBOT_STRATEGY__MEAN_REVERSION__LOOKBACK_WINDOW",
    }


@pytest.mark.parametrize(
    ("variable", "value", "key", "expected"),
    [
        ("POLYBOT_VENUE", "polymarket", "venue.kind", "polymarket"),
        ("POLYBOT_VENUE_PORT", "9100", "venue.port", 9100),
        ("POLYBOT_WEB_PORT", "9000", "server.port", 9000),
        (
            "POLYBOT_STRATEGY__ACTIVE",
            "flash_crash, mean_reversion",
            "strategy.active",
            ("flash_crash", "mean_reversion"),
        ),
        ("POLYBOT_REDIS__TLS_ENABLED", "true", "redis.tls_enabled", True),
    ],
)
def test_short_names_lists_and_switches_are_read_from_the_environment(read, variable, value, key, expected):
    loaded = read(**{variable: value})
    assert value_of(loaded.config, key) == expected
    assert loaded.is_explicit(key)


def test_an_empty_variable_counts_as_not_set(read):
    assert read(POLYBOT_VENUE="", DATABASE_URL="").sources == {}


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("POLYBOT_STRATEGY__MEAN_REVERSION__LOOKBACK_WINDOW", "999999999d999999999d", "a duration"),
        ("POLYBOT_TRADING__MAX_ORDER_NOTIONAL", "0", "an amount, above 0, at most 10000000, at most 6 decimals"),
        ("POLYBOT_TRADING__MAX_TOTAL_NOTIONAL", "-5", "an amount, above 0"),
        ("POLYBOT_TRADING__MAX_MARKET_NOTIONAL", "nan", "an amount, above 0"),
        ("POLYBOT_TRADING__MAX_MARKET_NOTIONAL", "inf", "an amount, above 0"),
        ("POLYBOT_TRADING__MAX_ORDER_NOTIONAL", "1.0000001", "at most 6 decimals"),
        ("POLYBOT_TRADING__MAX_OPEN_POSITIONS", "0", "a whole number, at least 1, at most 10000"),
        ("POLYBOT_TRADING__MAX_BOOK_AGE_MS", "0", "a whole number, at least 50"),
        ("POLYBOT_TRADING__MIN_PRICE", "0", "an amount, above 0, below 1"),
        ("POLYBOT_TRADING__MAX_PRICE", "1", "an amount, above 0, below 1"),
        ("POLYBOT_TRADING__ABSENCE_SECONDS", "0", "a whole number, at least 5"),
        ("POLYBOT_TRADING__SEND_DEADLINE_MS", "2.5", "a whole number, at least 50"),
        ("POLYBOT_TRADING__LEASE_TTL_S", "nan", "a number, at least 2, at most 300"),
        ("POLYBOT_STRATEGY__STOP_LOSS", "0", "an amount, above 0, below 1"),
        (
            "POLYBOT_STRATEGY__MEAN_REVERSION__LOOKBACK_WINDOW",
            "5 minutes",
            "a duration such as '5m' or '90s', at least 10s, at most 1h",
        ),
        ("POLYBOT_STRATEGY__MEAN_REVERSION__LOOKBACK_WINDOW", "1s", "at least 10s"),
        ("POLYBOT_WEB_PORT", "70000", "a whole number, at least 1, at most 65535"),
        ("POLYBOT_VENUE", "kalshi", "one of simulator, polymarket"),
        ("POLYBOT_MODE", "yolo", "one of trade, monitor, full"),
        ("POLYBOT_POLYMARKET__CLOB_HOST", "clob.polymarket.com", "a URL such as 'https://host'"),
        ("POLYBOT_POLYMARKET__SIGNATURE_TYPE", "4", "a whole number, at least 0, at most 3"),
        ("POLYBOT_WALLET__SAFE_ADDRESS", "0x12", "an address of 0x and 40 hexadecimal digits"),
        ("POLYBOT_REDIS__TLS_ENABLED", "maybe", "true or false"),
    ],
)
def test_a_bad_value_gets_one_message_with_key_value_source_and_range(read, variable, value, told):
    message = refusal(read, **{variable: value})
    key = next(k for k, _ in declared_keys(Config) if k in message)
    assert message.startswith(f"{key} was '{value}' (from {variable}), allowed: ")
    assert told in message


PROTECTIONS = sorted(
    key
    for key, _ in declared_keys(Config)
    if key.startswith(("trading.max_", "arbitrage.", "signer.max_"))
    or key
    in (
        "trading.min_price", "trading.absence_seconds", "trading.send_deadline_ms", "trading.lease_ttl_s", "trading.heartbeat_s",
        "trading.heartbeat_stall_s", "signer.min_sell_price", "signer.orders_per_second", "wallet.max_gas_cost",
    )
)  # fmt: skip


@pytest.mark.parametrize("key", PROTECTIONS)
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", '""', "true", "none"])
def test_no_protection_can_be_configured_away(read, key, value):
    section, name = key.split(".")
    written = value if value in ('""', "true", "nan", "inf", "0", "-1") else f'"{value}"'

    message = refusal(read, f"[{section}]\n{name} = {written}")

    assert message.startswith(f"{key} was ")
    assert "allowed: a" in message


def test_a_number_may_not_be_a_switch(read):
    assert "max_order_notional was True (from config.toml), allowed: an amount" in refusal(
        read, "[trading]\nmax_order_notional = true"
    )


def test_real_money_is_refused_until_its_checks_exist(read):
    assert refusal(read, POLYBOT_TRADING__LIVE="true").startswith("trading.live was true, allowed: false")


def test_the_price_band_must_be_a_band(read):
    message = refusal(read, "[trading]\nmin_price = 0.6\nmax_price = 0.4")
    assert message == "trading.min_price was 0.6, allowed: below trading.max_price (0.4)"


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        (
            "[trading]\nmax_order_notionl = 5",
            "trading.max_order_notionl in config.toml is not a key, did you mean trading.max_order_notional?",
        ),
        ("[tradng]\nlive = false", "tradng in config.toml is not a key, did you mean trading.live?"),
        ("mode = 'full'\nmode = 'trade'", "config.toml cannot be read: "),
        ("trading = 5", "trading in config.toml is not a key"),
    ],
)
def test_what_is_not_a_key_is_refused(read, toml, message):
    assert message in refusal(read, toml)


def test_a_file_that_was_named_must_exist(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read: there is no such file"):
        load({"POLYBOT_CONFIG": str(tmp_path / "nowhere.toml")})


def test_a_variable_that_is_not_a_setting_is_refused(read):
    message = refusal(read, POLYBOT_TRADING__MAX_ORDR_NOTIONAL="5")
    assert message == (
        "POLYBOT_TRADING__MAX_ORDR_NOTIONAL is not a setting, did you mean POLYBOT_TRADING__MAX_ORDER_NOTIONAL?"
    )


@pytest.mark.parametrize("key", [key for key, field in declared_keys(Config) if is_secret(field)])
def test_a_secret_in_the_file_is_refused_and_not_shown(read, key):
    section, _, name = key.rpartition(".")
    message = refusal(read, f"[{section}]\n{name} = '{PRIVATE_KEY}'")
    assert PRIVATE_KEY not in message
    assert f"allowed: the environment ({environment_name(key)} or {environment_name(key)}_FILE)" in message


def test_a_secret_is_read_from_the_environment_or_from_a_file_and_never_printed(read, tmp_path):
    (tmp_path / "key").write_text(f"{PRIVATE_KEY}\n")
    for variable, value in (
        ("POLYBOT_WALLET__PRIVATE_KEY", PRIVATE_KEY),
        ("POLYBOT_WALLET__PRIVATE_KEY_FILE", str(tmp_path / "key")),
    ):
        loaded = read(**{variable: value})
        assert loaded.config.wallet.private_key.get_secret_value() == PRIVATE_KEY
        for text in (effective(loaded.config, loaded.sources), repr(loaded), str(loaded.config)):
            assert PRIVATE_KEY not in text
        assert f"wallet.private_key  {'*' * 8}".split() == [
            word
            for line in effective(loaded.config, loaded.sources).splitlines()
            if "private_key" in line
            for word in line.split()[:2]
        ]


def test_a_bad_secret_is_refused_without_showing_it(read):
    message = refusal(read, POLYBOT_WALLET__PRIVATE_KEY="0x12345678")
    assert message == (
        "wallet.private_key was ******** (from POLYBOT_WALLET__PRIVATE_KEY), "
        "allowed: Private key of the signing wallet, 64 hexadecimal digits"
    )


def test_a_key_in_the_url_of_a_node_is_shown_nowhere(read):
    url = "https://user:Hush@node.example/v2/Hush"
    shown = effective(read(POLYBOT_POLYMARKET__RPC_HOST=url).config, {})
    message = refusal(read, POLYBOT_POLYMARKET__RPC_HOST=f"{url}?key=Hush")
    assert "Hush" not in shown + message
    assert '"https://node.example/…"' in shown
    assert message.startswith("polymarket.rpc_host was 'https://node.example/…' (from POLYBOT_POLYMARKET__RPC_HOST)")
    assert '"https://clob.polymarket.com"' in shown


@pytest.mark.parametrize("content", [None, ""])
def test_a_secret_file_that_is_missing_or_empty_is_an_error(read, tmp_path, content):
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
    assert "POLYBOT_WALLET__PRIVATE_KEY_FILE" in refusal(read, POLYBOT_WALLET__PRIVATE_KEY_FILE=str(path))


def test_only_secrets_are_read_from_files(read):
    message = refusal(read, POLYBOT_MODE_FILE="/etc/mode")
    assert message == "POLYBOT_MODE_FILE was '/etc/mode', allowed: POLYBOT_MODE (only secrets are read from files)"


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, None),
        ({"DATABASE_URL": "postgresql://u:p@h/d"}, "postgresql://u:p@h/d"),
        (
            {"POLYBOT_DATABASE__HOST": "db.example", "POLYBOT_DATABASE__PASSWORD": "p@ss/word"},
            "postgresql://polybot:p%40ss%2Fword@db.example:5432/polybot?sslmode=require",
        ),
    ],
)
def test_the_database_is_a_url_its_parts_or_embedded(read, environ, url):
    assert read(**environ).config.database.external_url() == url


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, None),
        ({"REDIS_URL": "redis://h/3"}, "redis://h/3"),
        ({"POLYBOT_REDIS__ADDR": "h:6380", "POLYBOT_REDIS__DB": "2"}, "redis://h:6380/2"),
        (
            {"POLYBOT_REDIS__ADDR": "h:6380", "POLYBOT_REDIS__PASSWORD": "a/b", "POLYBOT_REDIS__TLS_ENABLED": "1"},
            "rediss://:a%2Fb@h:6380/0",
        ),
    ],
)
def test_redis_is_a_url_its_parts_or_embedded(read, environ, url):
    assert read(**environ).config.redis.external_url() == url


def test_the_example_file_is_what_the_declarations_say():
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example(Config)


def test_the_example_file_with_everything_uncommented_is_the_default_configuration(tmp_path):
    lines = (ROOT / "config.example.toml").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "config.toml"
    path.write_text(
        "\n".join(
            line.removeprefix("#") if line.startswith("#") and not line.startswith("# ") else line for line in lines
        )
    )
    assert tomllib.loads(path.read_text())["trading"]["max_open_positions"] == 20
    assert load({}, path).config == load(NO_FILE).config


def test_every_key_has_a_help_text():
    assert [key for key, field in declared_keys(Config) if not field.description] == []


def test_every_key_is_read_by_something():
    consumed = set(consumed_keys())
    assert {key for key, _ in declared_keys(Config)} - consumed == set()


def consumed_keys() -> Iterator[str]:
    """Yield the keys whose last two names (`trading.max_price`), or one of their sections by `model_dump`, appear as attributes in our code."""
    keys = {key: key.split(".") for key, _ in declared_keys(Config)}
    paths = set()
    for path in ROOT.glob("*/**/*.py"):
        top = path.relative_to(ROOT).parts[0]
        if top not in {".venv", "tests", "var", "dashboard", "benchmarks"}:
            paths |= set(attribute_paths(ast.parse(path.read_text(encoding="utf-8"))))
    for key, names in keys.items():
        wanted = ".".join((["config", *names])[-2:])
        dumped = {f".{section}.model_dump" for section in names[:-1]}
        if any(f".{path}".endswith((f".{wanted}", *dumped)) for path in paths):
            yield key


def attribute_paths(tree: ast.AST) -> Iterator[str]:
    """Yield every dotted path that is read; `self.` in front counts as the section a method belongs to."""
    owners = {
        child: node.name.lower()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            path = ast.unparse(node).lower()
            yield path.replace("self.", f"{owners[node]}.", 1) if path.startswith("self.") and node in owners else path
