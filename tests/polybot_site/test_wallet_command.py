"""`manage.py wallet` against a simulated venue that runs beside it: what it shows, sends, follows, and refuses."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from domain.errors import WalletError
from domain.wallet import Submission
from polybot_site import wallet_session
from polybot_site.config_loader import current, load
from polybot_site.management.commands import wallet as command
from polybot_site.trader_ports import simulated_account
from polybot_site.wallet_files import SubmissionFiles
from tests.venues.simulator.kit import RunningVenue, running_venue, warm_up
from venues.polymarket.wallet.opening import open_wallet
from venues.simulator.world.listings import Listing

WALLET = "0x" + "12" * 20


class VenueBeside:
    """A venue in a thread of its own, whose time runs a hundred times faster than ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.venue: RunningVenue | None = None

    async def _serve(self) -> None:
        async with running_venue(self._folder) as venue:
            self.venue = venue
            self._ready.set()
            while not self._stop.is_set():
                await asyncio.sleep(0.02)
                venue.pass_time(2.0, step=2.0)

    def __enter__(self) -> RunningVenue:
        self._thread.start()
        assert self._ready.wait(20)
        assert self.venue is not None
        return self.venue

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(20)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVenue]:
    folder = tmp_path_factory.mktemp("simulator") / "venue"
    warm_up(folder)
    with VenueBeside(folder) as venue:
        yield venue


@pytest.fixture
def venue(running: RunningVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunningVenue:
    """Return the venue, where an installation that has never seen it begins with a wallet of its own."""
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path / "var"))
    places = {
        "url": running.url,
        "ws_url": running.url.replace("http", "ws"),
        "gamma_url": running.url + "/gamma",
        "data_url": running.url + "/data-api",
        "relayer_url": running.url + "/relayer",
        "rpc_url": running.url + "/rpc",
    }
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "venue.json").write_text(json.dumps(places))
    monkeypatch.setattr(command, "SystemClock", lambda: running.clock)
    monkeypatch.setattr(wallet_session, "open_wallet", partial(open_wallet, poll_seconds=0.02))
    return running


def run(*arguments: str) -> tuple[str, str]:
    """Run the command; returns what it printed and its progress."""
    printed, progress = io.StringIO(), io.StringIO()
    call_command("wallet", *arguments, stdout=printed, stderr=progress, no_color=True)
    return printed.getvalue(), progress.getvalue()


def values(*arguments: str) -> dict[str, Any]:
    return json.loads(run(*arguments, "--json")[0])


def files_of(venue: RunningVenue) -> SubmissionFiles:
    return wallet_session.submission_files(f"sim:{venue.venue.world.genesis.venue_id}")


def market_of(venue: RunningVenue) -> str:
    """Return the market that lives longest."""
    markets = [market for market in map(Listing.as_market, venue.venue.world.listings.open()) if not market.neg_risk]
    return max(markets, key=lambda market: market.end_ns or 0).condition_id


def test_the_simulated_wallet_works_without_any_configuration(venue: RunningVenue) -> None:
    market = market_of(venue)
    status = values("status")
    assert (status["cash"], status["venue_cash"]) == ("1000", "1000")
    assert all(approval["granted"] for approval in status["approvals"])

    printed, progress = run("split", market, "10")
    assert "splitPosition" in printed
    assert "gives $10 pUSD" in printed
    assert "end: confirmed 0x" in printed
    assert progress.startswith("new 0x")
    assert values("status")["cash"] == "990"

    told = values("merge", market, "4")
    assert told["receipt"]["done"] is True
    assert values("status")["cash"] == "994"


def test_a_dry_run_prints_exactly_what_would_be_sent_and_sends_nothing(venue: RunningVenue) -> None:
    market = market_of(venue)
    printed, progress = run("split", market, "2.5", "--dry-run")
    for line in (
        "CTF Collateral Adapter 0xAdA100Db00Ca00073811820692005400218FcE1f",
        f"conditionId: {market}",
        "amount: 2.5",
        "gives $2.5 pUSD",
        "gas is paid by this wallet, in POL",
    ):
        assert line in printed
    assert progress == ""
    plan = values("split", market, "2.5", "--dry-run")["plan"]
    assert plan["calls"][0]["data"].startswith("0x72ce4275")
    assert plan["gets"] == [{"asset": "Yes shares", "amount": "2.5"}, {"asset": "No shares", "amount": "2.5"}]
    assert values("status")["cash"] == "1000"


def test_approving_what_is_approved_sends_nothing(venue: RunningVenue) -> None:
    assert "nothing to do" in run("approve")[0]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("split", "0x12", "1"), "expected its condition id"),
        (("split", "0x" + "99" * 32, "1"), "the venue knows no market"),
        (("split", "MARKET", "1e3"), "expected a decimal number"),
        (("split", "MARKET", "-1"), "expected more than 0"),
        (("split", "MARKET", "5000"), "cancel orders, or take less"),
        (("merge", "MARKET", "1"), "holds 0 "),
        (("redeem", "MARKET"), "is not resolved yet"),
        (("wrap", "1"), "USDC.e"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(venue: RunningVenue, arguments, told) -> None:
    market = market_of(venue)
    with pytest.raises(CommandError, match=told):
        run(*(market if each == "MARKET" else each for each in arguments))


def test_without_a_venue_the_command_names_what_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path))
    monkeypatch.setattr(wallet_session, "_PATIENCE_SECONDS", 0.0)
    for left_by_an_older_version in ("", '{"url": "http://127.0.0.1:1"}'):
        if left_by_an_older_version:
            (tmp_path / "venue.json").write_text(left_by_an_older_version)
        with pytest.raises(CommandError, match=r"no simulated venue has written .*start it with `manage.py runvenue`"):
            run("status")


def configured(monkeypatch: pytest.MonkeyPatch, **environ: str) -> None:
    loaded = load({"POLYBOT_CONFIG": "", "POLYBOT_VENUE": "polymarket", **environ})
    monkeypatch.setattr(command, "current", lambda: loaded)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "POLYBOT_WALLET__PRIVATE_KEY"),
        ({"POLYBOT_WALLET__PRIVATE_KEY": "11" * 32, "POLYBOT_POLYMARKET__SIGNATURE_TYPE": "3"}, "funder was empty"),
        (
            {"POLYBOT_WALLET__PRIVATE_KEY": "11" * 32, "POLYBOT_POLYMARKET__BUILDER_KEY": "k"},
            "set POLYBOT_POLYMARKET__BUILDER_SECRET and POLYBOT_POLYMARKET__BUILDER_PASSPHRASE too",
        ),
    ],
)
def test_the_real_wallet_names_the_setting_it_lacks(monkeypatch: pytest.MonkeyPatch, environ, told) -> None:
    configured(monkeypatch, **environ)
    with pytest.raises(CommandError, match=told):
        run("status")


@pytest.mark.parametrize(
    "arguments",
    [
        ("approve",),
        ("split", "0x" + "01" * 32, "10"),
        ("merge", "0x" + "01" * 32, "10"),
        ("redeem", "0x" + "01" * 32),
        ("convert", "10", "0x" + "01" * 32),
        ("wrap", "10"),
        ("unwrap", "10"),
    ],
)
def test_nothing_that_moves_real_money_is_done(monkeypatch: pytest.MonkeyPatch, arguments) -> None:
    configured(monkeypatch, POLYBOT_WALLET__PRIVATE_KEY="11" * 32)
    monkeypatch.setattr(wallet_session, "open_wallet", None)  # nobody is asked anything
    told = f"`wallet {arguments[0]}` would move real money, which is refused until `manage.py doctor` exists: add --dry-run"
    with pytest.raises(CommandError, match=re.escape(told)):
        run(*arguments)


def test_a_real_wallet_shows_its_status_and_what_it_would_send(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = market_of(venue)
    venue_config, signer = asyncio.run(simulated_account(current().config, places_orders=True, patience=0.0))

    async def as_if_real(config: Any) -> Any:
        return venue_config, signer

    monkeypatch.setattr(wallet_session, "_account", as_if_real)
    configured(monkeypatch)
    assert "splitPosition" in run("split", market, "10", "--dry-run")[0]
    with pytest.raises(CommandError, match=r"refused until `manage\.py doctor` exists"):
        run("split", market, "10")
    assert values("status")["cash"] == "1000"


def test_what_was_left_open_at_another_venue_is_another_accounts(venue: RunningVenue) -> None:
    wallet = values("status")["wallet"]
    wallet_session.submission_files("sim:another-venue").save(
        Submission(wallet=wallet, description="split 5", nonce=77, payloads=("c0",))
    )
    assert values("status")["warnings"] == []
    assert values("split", market_of(venue), "1")["receipt"]["done"] is True


def test_a_transaction_left_open_is_shown_and_kept_until_it_is_let_go(venue: RunningVenue) -> None:
    wallet, log = values("status")["wallet"], files_of(venue)
    log.save(Submission(wallet=wallet, description="split 5", nonce=77, payloads=("c0",)))
    assert any("split 5" in warning for warning in values("status")["warnings"])
    with pytest.raises(CommandError, match="has not ended yet"):
        run("split", market_of(venue), "1")
    with pytest.raises(CommandError, match="run it again with --yes when you know its end"):
        run("forget")
    assert values("forget", "--yes") == {"forgotten": "split 5"}
    assert "end: confirmed" in run("split", market_of(venue), "1")[0]


def test_two_processes_never_use_one_wallet_at_once(venue: RunningVenue) -> None:
    wallet = values("status")["wallet"]
    with (
        files_of(venue).exclusive(wallet),
        pytest.raises(CommandError, match="another process is using"),
    ):
        run("split", market_of(venue), "1")


def test_a_kept_submission_is_private_and_whole(tmp_path: Path) -> None:
    log = SubmissionFiles(tmp_path / "wallet")
    assert log.load(WALLET) is None
    submission = Submission(wallet=WALLET, description="split", nonce=3, payloads=("aa", "bb"), expires_s=7)
    log.save(submission)
    (path,) = (tmp_path / "wallet").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert log.load(WALLET.upper().replace("0X", "0x")) == submission
    log.clear(WALLET)
    assert log.load(WALLET) is None


def test_a_submission_that_cannot_be_read_is_an_error_and_not_nothing(tmp_path: Path) -> None:
    log = SubmissionFiles(tmp_path)
    (tmp_path / f"{WALLET}.json").write_text('{"wallet": ')
    with pytest.raises(WalletError, match="names a transaction that may be on its way"):
        log.load(WALLET)
