"""`manage.py paper reset`, as an operator types it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from polybot_site.trader_account import paper_folder
from venues.paper.store import PaperStore


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path))


def reset(*arguments: str) -> str:
    out = StringIO()
    call_command("paper", "reset", *arguments, stdout=out)
    return out.getvalue()


def test_each_reset_begins_another_account_with_its_balance() -> None:
    assert reset() == "paper:default begins with $1000\n"
    assert reset("--balance", "250.5") == "paper:default.2 begins with $250.5\n"
    store = PaperStore(paper_folder() / "default.2")
    exchange = store.load()
    store.close()
    assert exchange is not None
    assert exchange.balance("paper:default.2").settled == 250_500_000


@pytest.mark.parametrize("balance", ["0", "-5", "much", "nan", "inf", "1e9", "0.0000001"])
def test_a_balance_that_is_none_is_refused_and_begins_nothing(balance: str) -> None:
    with pytest.raises(CommandError, match="--balance was"):
        reset(f"--balance={balance}")
    assert not paper_folder().exists()


def test_a_running_trader_is_not_reset_under_its_feet() -> None:
    reset()
    store = PaperStore(paper_folder() / "default")
    with pytest.raises(CommandError, match="stop it first"):
        reset()
    store.close()
