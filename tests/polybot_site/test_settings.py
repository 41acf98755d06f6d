"""Django as the settings wire it."""

import subprocess
import sys

import pytest
from django.core.management import call_command
from django.db import connection

from infra.paths import ROOT


@pytest.mark.django_db
def test_no_model_is_ahead_of_its_migrations():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    assert "auth_user" in connection.introspection.table_names()


def test_the_system_checks_find_nothing():
    assert call_command("check", fail_level="WARNING") is None


def test_importing_the_settings_starts_no_server_and_loads_no_slow_module():
    code = (
        "import django, sys; django.setup();"
        " print(sorted({'daphne', 'twisted.internet.reactor', 'web3', 'eth_account', 'boto3', 'pandas'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "[]\n"
