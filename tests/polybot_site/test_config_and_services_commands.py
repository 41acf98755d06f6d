"""`manage.py config` and `manage.py services`, as an operator types them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from infra.paths import ROOT
from infra.services import Services

PRIVATE_KEY = "0x" + "ef" * 32


@pytest.fixture
def manage():
    """Run `manage.py` with a `var/` of its own."""
    folder = Path(tempfile.mkdtemp(prefix="polybot-manage-"))
    folder.chmod(0o711)

    def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("POLYBOT_", "DJANGO_"))}
        environ |= {"POLYBOT_VAR": str(folder / "var"), "POLYBOT_CONFIG": "", **variables}
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=90, check=False)

    yield manage
    Services(folder / "var").down()
    shutil.rmtree(folder)


def test_config_shows_value_and_source_of_every_key_and_no_secret(manage):
    answer = manage("config", POLYBOT_WALLET__PRIVATE_KEY=PRIVATE_KEY, POLYBOT_TRADING__MAX_ORDER_NOTIONAL="12.5")
    lines = {line.split()[0]: line.split()[1:] for line in answer.stdout.splitlines()}
    assert lines["trading.max_order_notional"] == ["12.5", "POLYBOT_TRADING__MAX_ORDER_NOTIONAL"]
    assert lines["wallet.private_key"] == ["********", "POLYBOT_WALLET__PRIVATE_KEY"]
    assert lines["trading.live"] == ["false", "default"]
    assert PRIVATE_KEY not in answer.stdout + answer.stderr


def test_config_example_prints_the_committed_file(manage):
    assert manage("config", "--example").stdout == (ROOT / "config.example.toml").read_text(encoding="utf-8")


def test_a_mistake_in_the_configuration_is_one_message_and_no_traceback(manage):
    answer = manage("migrate", POLYBOT_TRADING__MIN_PRICE="2")
    assert answer.returncode == 1
    assert answer.stderr == (
        "error: trading.min_price was '2' (from POLYBOT_TRADING__MIN_PRICE), allowed: an amount, above 0, below 1, at most 4 decimals\n"
    )


def test_a_database_that_is_away_is_one_message_with_the_way_out(manage):
    answer = manage("migrate", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert answer.returncode == 1
    assert "manage.py services up" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_services_come_up_show_themselves_and_go_down(manage):
    assert manage("services", "status").stdout == "postgres: not running\nvalkey: not running\n"
    up = manage("services", "up").stdout
    assert up.count("running on 127.0.0.1:") == 2
    assert manage("services", "status").stdout == up
    assert manage("services", "down").stdout == "valkey: stopped\npostgres: stopped\n"
    assert manage("services", "down").stdout == "nothing was running\n"


def test_a_program_can_be_run_with_the_services_around_it(manage):
    code = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL']); raise SystemExit(7)"
    answer = manage("services", "run", "--", sys.executable, "-c", code)
    assert answer.returncode == 7
    database, redis = answer.stdout.split()
    assert redis.startswith("redis://")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(database, connect_timeout=5)
    assert manage("services", "status").stdout == "postgres: not running\nvalkey: not running\n"
