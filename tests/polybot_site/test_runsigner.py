"""`manage.py runsigner` as the process it is: what it signs, what it refuses, what it survives, and what it never shows."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import PolybotError, SigningError, WalletError
from infra.clock import SystemClock
from polybot_site.config_loader import load
from polybot_site.key_source import local_signer
from polybot_site.key_status import signer_lines, signer_status, signer_values
from polybot_site.management.commands import runsigner
from polybot_site.signer_process import client_users, open_desk
from tests.venues.polymarket.isolated_signer.kit import DOLLAR, STRANGER, order, sale, wallet_statements
from tests.venues.polymarket.isolated_signer.kit import call as approval
from tests.venues.polymarket.isolated_signer.serving import PASSWORD, SignerProcess, short_folder, signer_process
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from venues.polymarket.isolated_signer import wire
from venues.polymarket.isolated_signer.client import RemoteSigner
from venues.polymarket.isolated_signer.desk import SignerDesk
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet.contracts import PUSD
from venues.polymarket.wallet.derivation import wallets_of

DAY_LIMIT = 220 * DOLLAR
FIFTY_WITH_FEES = 55 * DOLLAR
HELLO = wire.framed(wire.Hello(wire.VERSION))
GOOD = msgspec.json.encode(wire.SignRequest(1, order()))
BAD = msgspec.json.encode(wire.SignRequest(1, order(maker=STRANGER)))


LIMITS = {"POLYBOT_SIGNER__ORDERS_PER_SECOND": "1000", "POLYBOT_SIGNER__MAX_DAY_NOTIONAL": str(DAY_LIMIT // DOLLAR)}
NOON_NS = 1_789_992_000 * 10**9
"""No day of a signer that begins at noon ends during a test."""


@pytest.fixture(scope="module")
def process() -> Iterator[SignerProcess]:
    with signer_process(**LIMITS) as running:
        yield running


def ask(process: SignerProcess, *statements: object) -> list[object]:
    """Have statements signed, one after the other; returns signatures and errors."""

    async def run() -> list[object]:
        remote = RemoteSigner(process.socket, process.address, 10.0)
        answers: list[object] = []
        for statement in statements:
            try:
                answers.append(await remote.sign(statement))
            except SigningError as error:
                answers.append(error.code)
        await remote.close()
        return answers

    return asyncio.run(run())


def ask_status(process: SignerProcess) -> wire.Status:
    async def run() -> wire.Status:
        remote = RemoteSigner(process.socket, process.address, 10.0)
        try:
            return await remote.status()
        finally:
            await remote.close()

    return asyncio.run(run())


def say(process: SignerProcess, content: bytes) -> bytes:
    """Send bytes and return all that comes back until the signer hangs up."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(process.socket))
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while more := connection.recv(65536):
            answer += more
        return answer


def test_it_signs_like_a_key_in_the_trader_and_refuses_what_its_policy_does_not_allow(process):
    plain = wallet_statements(ADDRESS, approval())[SignatureType.EOA]
    good, bad, large, wallet = ask(
        process, order(), order(maker=STRANGER), order(maker_amount=51 * DOLLAR, taker_amount=10**9), plain
    )
    assert good == LocalSigner(PRIVATE_KEY).sign_now(order())
    assert (bad, large, wallet) == ("wallet", "order_notional", "wallet_operations")


def test_neither_key_nor_password_shows_in_output_arguments_or_files(process):
    ask(process, order(), order(chain_id=5))
    shown = process.log.read_text() + Path(f"/proc/{process.pid}/cmdline").read_text()
    shown += "".join(path.read_text() for path in (process.folder / "var").rglob("*") if path.is_file())
    assert '"code": "chain"' in process.log.read_text()
    for secret in (PRIVATE_KEY.removeprefix("0x"), PASSWORD):
        assert secret not in shown


def test_it_never_leaves_a_core_dump(process):
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)


def damaged() -> st.SearchStrategy[bytes]:
    """Messages with bytes changed, cut out, and put in."""
    places = st.integers(0, len(BAD) - 1)
    edits = st.lists(st.tuples(places, st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=4)

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        content = BAD
        for place, length, new in changes:
            content = content[:place] + new + content[place + length :]
        return len(content).to_bytes(4, "big") + content

    return edits.map(apply)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), damaged(), st.lists(damaged(), max_size=3).map(b"".join)), st.booleans())
def test_no_bytes_stop_it_and_none_but_a_good_message_gets_a_signature(process, content, greets):
    answer = say(process, HELLO * greets + content)
    assert b'"signed"' not in answer
    assert process.alive


def test_after_all_that_it_still_signs(process):
    assert ask(process, order(salt=9)) == [LocalSigner(PRIVATE_KEY).sign_now(order(salt=9))]
    assert b'"signed"' in say(process, HELLO + len(GOOD).to_bytes(4, "big") + GOOD)


def test_the_wallets_status_shows_what_was_signed_and_what_the_day_has_left(process):
    ask(process, order(maker=STRANGER))
    where = {"POLYBOT_CONFIG": "", "POLYBOT_WALLET__SIGNER_SOCKET": str(process.socket)}
    found = asyncio.run(signer_status(load(where | {"POLYBOT_WALLET__ADDRESS": ADDRESS}).config))
    assert found is not None
    counts, today = signer_lines(found)
    assert f"signed     {found.signed} since the signer started" in counts
    assert f"wallet {found.refused['wallet']}" in counts
    assert "of $220 to buy with" in today
    assert signer_values(found)["max_day_notional"] == "220"
    with pytest.raises(WalletError, match=f"configured is {STRANGER}"):
        asyncio.run(signer_status(load(where | {"POLYBOT_WALLET__ADDRESS": STRANGER}).config))


def test_a_second_signer_at_the_same_socket_is_refused_and_the_first_goes_on(process, monkeypatch):
    loaded = load({name: value for name, value in process.environ.items() if "POLYBOT_" in name})
    monkeypatch.setattr(runsigner, "current", lambda: loaded)
    monkeypatch.setattr(runsigner, "seal_memory", lambda: None)
    with pytest.raises(CommandError, match=f"another process listens at {process.socket}"):
        call_command("runsigner")
    assert len(ask(process, sale(10_000_000, 5_000_000))) == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"POLYBOT_WALLET__PASSWORD_FILE": "", "POLYBOT_WALLET__PASSWORD": "wrong password"}, "the password is wrong"),
        ({"POLYBOT_WALLET__PASSWORD_FILE": ""}, "set POLYBOT_WALLET__PASSWORD_FILE"),
        ({"POLYBOT_WALLET__KEYSTORE": ""}, "the real venue's wallet needs its key"),
        ({"POLYBOT_WALLET__ADDRESS": STRANGER}, f"expected wallet.address ({STRANGER})"),
        ({"POLYBOT_SIGNER__TRADER_USER": "nobody-at-all"}, "signer.trader_user was 'nobody-at-all'"),
        ({"POLYBOT_SIGNER__WALLET_CONTRACTS": STRANGER}, "expected contracts of the venue only"),
        ({"POLYBOT_SIGNER__MAX_DAY_NOTIONAL": "10"}, "no such order could be signed"),
        ({"POLYBOT_SIGNER__MAX_DAY_SHARES": "0"}, "signer.max_day_shares was '0'"),
        (
            {
                "POLYBOT_VENUE": "polymarket",
                "POLYBOT_POLYMARKET__SIGNATURE_TYPE": "2",
                "POLYBOT_WALLET__SAFE_ADDRESS": ADDRESS,
            },
            "the configured wallet is not the key's",
        ),
    ],
)
def test_what_it_cannot_start_with_is_said_with_the_setting_that_mends_it(tmp_path, monkeypatch, settings, told):
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path / "var"))
    environ = {name: value for name, value in SignerProcess(tmp_path, **settings).environ.items() if "POLYBOT_" in name}
    with pytest.raises(PolybotError) as caught:
        start(environ)
    assert told in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_the_policy_is_the_configurations(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path / "var"))
    environ = {name: value for name, value in SignerProcess(tmp_path).environ.items() if "POLYBOT_" in name}
    policy = start(environ | {"POLYBOT_SIGNER__WALLET_CONTRACTS": PUSD.address}).policy
    assert (policy.address, policy.wallet, policy.signature_type) == (ADDRESS, ADDRESS, SignatureType.EOA)
    assert (policy.max_order_notional, policy.max_day_notional) == (55 * DOLLAR, 1_000 * DOLLAR)
    assert policy.max_fee_rate == 100_000
    assert (policy.max_buy_price, policy.min_sell_price) == (990_000, 1_000)
    assert policy.wallet_contracts == {PUSD.address.lower()}
    assert policy.max_gas_cost == 10**18
    safe = wallets_of(ADDRESS).safe
    real = {
        "POLYBOT_VENUE": "polymarket",
        "POLYBOT_POLYMARKET__SIGNATURE_TYPE": "2",
        "POLYBOT_WALLET__SAFE_ADDRESS": safe,
    }
    policy = start(environ | real).policy
    assert (policy.wallet, policy.signature_type) == (safe, SignatureType.POLY_GNOSIS_SAFE)


def start(environ: dict[str, str]) -> SignerDesk:
    """Do what the command does before it listens."""
    config = load(environ).config
    client_users(config)
    return open_desk(config, local_signer(config), SystemClock())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_trader_of_another_user_is_served_when_it_is_named_and_everybody_else_is_turned_away():
    program = (
        "import os, socket, sys\n"
        "os.setuid(int(sys.argv[1]))\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[2])\n"
        's.sendall(b\'\\x00\\x00\\x00\\x1c\' + b\'{"type":"hello","version":1}\')\n'
        "print(s.recv(4096)[4:].decode())"
    )
    with short_folder() as folder:
        folder.chmod(0o711)
        process = SignerProcess(folder, POLYBOT_SIGNER__TRADER_USER="nobody")
        process.socket.parent.mkdir(mode=0o700)
        process.start()
        try:
            answers = {}
            for user in ("nobody", "daemon"):
                number = str(pwd.getpwnam(user).pw_uid)
                done = subprocess.run(
                    [sys.executable, "-I", "-c", program, number, str(process.socket)], check=False, capture_output=True, text=True, timeout=30
                )  # fmt: skip
                answers[user] = json.loads(done.stdout) if done.stdout else done.stderr
        finally:
            process.end(signal.SIGKILL)
    assert answers["nobody"] == {"type": "welcome", "version": 1, "address": ADDRESS}
    assert (answers["daemon"]["type"], answers["daemon"]["code"]) == ("refused", "peer")


def test_the_days_limit_survives_kill_9_and_a_stop_is_orderly():
    with signer_process(now_ns=NOON_NS, **LIMITS) as process:
        ask(process, order())
        spent = ask_status(process).bought
        assert spent > 0
        process.end(signal.SIGKILL)
        assert process.socket.exists()
        process.start()
        assert ask_status(process).bought == spent
        fifties, rest = divmod(DAY_LIMIT - spent, FIFTY_WITH_FEES)
        orders = [order(salt=salt, maker_amount=50 * DOLLAR, taker_amount=100_000_000) for salt in range(fifties)]
        orders.append(order(salt=99, maker_amount=rest * 10 // 11 + 1, taker_amount=100_000_000))
        *signed, refused = ask(process, *orders)
        assert all(isinstance(answer, bytes) for answer in signed)
        assert refused == "day_notional"
        assert process.end(signal.SIGTERM) == 0
        assert not process.socket.exists()
        last = json.loads(process.log.read_text().splitlines()[-1])
    assert (last["event"], last["signed"], last["refused"]) == ("the signer stops", fifties, {"day_notional": 1})
