"""`manage.py wallet create|import|list|backup|restore`: keys that are made, kept, copied and never shown."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from eth_account import Account

from infra.files import write_private
from infra.keystore import ScryptCost, encrypt
from infra.paths import ROOT
from polybot_site import key_actions
from polybot_site.config_loader import ConfigError, load
from polybot_site.key_source import local_signer, open_signer
from polybot_site.key_status import key_status
from polybot_site.management.commands import wallet as command
from tests.venues.polymarket.isolated_signer.kit import STRANGER
from tests.venues.polymarket.isolated_signer.serving import SignerProcess
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from venues.polymarket.isolated_signer.client import RemoteSigner

PASSWORD = "correct horse battery staple"
KEY = PRIVATE_KEY.removeprefix("0x")
LIGHT = ScryptCost(n=1024)


class Desk:
    """The command with a folder, a configuration and a person of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self.environ = {"POLYBOT_CONFIG": ""}
        self.asked: list[str] = []

    def configure(self, **environ: str) -> None:
        self.environ |= environ

    def types(self, *answers: str) -> None:
        """Sit at the terminal and answer these."""
        waiting = list(answers)

        def ask(prompt: str) -> str:
            self.asked.append(prompt)
            return waiting.pop(0)

        self._monkeypatch.setattr(key_actions, "at_terminal", lambda: ask)

    def run(self, *arguments: str) -> str:
        loaded = load(self.environ)
        self._monkeypatch.setattr(command, "current", lambda: loaded)
        printed = io.StringIO()
        call_command("wallet", *arguments, stdout=printed, no_color=True)
        return printed.getvalue()

    def values(self, *arguments: str) -> dict[str, Any]:
        return json.loads(self.run(*arguments, "--json"))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Desk:
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path / "var"))
    monkeypatch.setattr(key_actions, "STANDARD", LIGHT)
    monkeypatch.setattr(key_actions, "at_terminal", lambda: None)
    blobs = dict(
        settings.STORAGES["default"], OPTIONS=settings.STORAGES["default"]["OPTIONS"] | {"location": tmp_path / "blobs"}
    )
    settings.STORAGES = settings.STORAGES | {"default": blobs}
    return Desk(tmp_path, monkeypatch)


@pytest.fixture
def unattended(desk: Desk) -> Desk:
    write_private(desk.folder / "password", f"{PASSWORD}\n")
    desk.configure(POLYBOT_WALLET__PASSWORD_FILE=str(desk.folder / "password"))
    return desk


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Put `text` on standard input, where nobody sits."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def opened(path: str) -> str:
    """Return the address of the key in a keystore, as another library opens it."""
    address: str = Account.from_key(Account.decrypt(Path(path).read_text(), PASSWORD)).address
    return address


def test_a_new_key_is_kept_privately_and_opens_in_other_wallets(unattended):
    made = unattended.values("create")
    path = Path(made["file"])
    assert path == unattended.folder / "var" / "keys" / f"{made['address']}.json"
    assert (made["permissions"], path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (
        "600",
        0o600,
        0o700,
    )
    assert opened(made["file"]) == made["address"]
    assert unattended.values("create")["address"] != made["address"]
    unattended.configure(POLYBOT_WALLET__KEYSTORE=made["file"])
    assert local_signer(load(unattended.environ).config).address == made["address"]


def test_a_person_types_the_password_twice(desk):
    desk.types(PASSWORD, PASSWORD)
    made = desk.values("create")
    assert len(desk.asked) == 2
    assert opened(made["file"]) == made["address"]
    desk.types(PASSWORD, PASSWORD + "x")
    with pytest.raises(CommandError, match="the two passwords differ: nothing was written"):
        desk.run("create")
    desk.types("too short")
    with pytest.raises(CommandError, match="9 characters, expected at least 12: nothing was written"):
        desk.run("create")
    for weak in ("aaaaaaaaaaaaaaaa", "abababababab", "1234512345123451"):
        desk.types(weak, weak)
        with pytest.raises(CommandError, match="repeats a few characters, expected 6 different ones"):
            desk.run("create")
    assert len(desk.values("list")["keys"]) == 1


def test_without_a_person_and_a_password_nothing_is_written(desk):
    with pytest.raises(CommandError, match="set POLYBOT_WALLET__PASSWORD_FILE to a file that holds it"):
        desk.run("create")
    assert "no keys in" in desk.run("list")


@pytest.mark.parametrize("text", [f"{KEY}\n", f"0x{KEY}", f"  {KEY.upper()}  \n\n"])
def test_a_key_comes_in_through_standard_input(unattended, monkeypatch, text):
    given(monkeypatch, text)
    made = unattended.values("import")
    assert made["address"] == opened(made["file"]) == ADDRESS
    assert KEY not in Path(made["file"]).read_text()


def test_a_key_can_be_typed_and_stays_out_of_everything_printed(desk):
    desk.types(KEY, PASSWORD, PASSWORD)
    printed = desk.run("import")
    assert ADDRESS in printed
    assert KEY not in printed
    assert PASSWORD not in printed


@pytest.mark.parametrize("text", ["", "abc", f"{KEY}00", "0x" + "00" * 32, "0x" + "ff" * 32, "zz" * 32])
def test_what_is_no_key_is_refused_and_not_repeated(unattended, monkeypatch, text):
    given(monkeypatch, text)
    with pytest.raises(CommandError, match="nothing was written") as caught:
        unattended.run("import")
    assert len(text) < 4 or text not in str(caught.value)
    assert unattended.values("list")["keys"] == []


def test_the_command_line_takes_no_key(unattended):
    with pytest.raises(CommandError, match="cannot be read: No such file") as caught:
        unattended.run("import", KEY[:40])
    assert caught.value.__suppress_context__


def test_another_wallets_file_is_imported_under_its_own_password(unattended):
    theirs = unattended.folder / "UTC--theirs"
    write_private(theirs, json.dumps(Account.encrypt(PRIVATE_KEY, PASSWORD, kdf="pbkdf2", iterations=1000)))
    made = unattended.values("import", str(theirs))
    assert made["address"] == opened(made["file"]) == ADDRESS
    assert json.loads(Path(made["file"]).read_text())["crypto"]["kdf"] == "scrypt"


@pytest.mark.parametrize(("weak", "told"), [("", "has 0 characters"), ("hunter2", "has 7"), ("a" * 20, "repeats")])
def test_another_wallets_file_under_a_weak_password_is_not_kept_under_it(desk, tmp_path, weak, told):
    theirs = tmp_path / "theirs.json"
    write_private(theirs, json.dumps(Account.encrypt(PRIVATE_KEY, weak, kdf="pbkdf2", iterations=1000)))
    desk.types(weak)
    with pytest.raises(CommandError, match=f"{told}.*nothing was written"):
        desk.run("import", str(theirs))
    assert "no keys in" in desk.run("list")


def test_a_key_that_is_kept_already_is_never_overwritten(unattended, monkeypatch):
    given(monkeypatch, KEY)
    made = unattended.values("import")
    before = Path(made["file"]).read_bytes()
    given(monkeypatch, KEY)
    with pytest.raises(CommandError, match="exists and is not touched: name another file with --file"):
        unattended.run("import")
    assert Path(made["file"]).read_bytes() == before
    given(monkeypatch, KEY)
    elsewhere = unattended.values("import", "--file", str(unattended.folder / "elsewhere.json"))
    assert opened(elsewhere["file"]) == ADDRESS


def test_a_backup_brings_the_very_same_file_back(unattended, monkeypatch):
    given(monkeypatch, KEY)
    made = Path(unattended.values("import")["file"])
    content = made.read_bytes()
    (name,) = unattended.values("backup", ADDRESS).values()
    assert name == f"keys/{ADDRESS.lower()}.enc"
    stored = Path(default_storage.path(name))
    assert (stored.stat().st_mode & 0o777, stored.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert KEY.encode() not in stored.read_bytes()
    listed = unattended.values("list")
    assert (
        [key["address"] for key in listed["keys"]] == [backup["address"] for backup in listed["backups"]] == [ADDRESS]
    )

    made.unlink()
    assert unattended.values("restore", ADDRESS.lower())["file"] == str(made)
    assert json.loads(made.read_text()) == json.loads(content)
    assert opened(str(made)) == ADDRESS
    with pytest.raises(CommandError, match="exists and is not touched"):
        unattended.run("restore", ADDRESS)


def test_backing_up_again_changes_nothing_and_another_keystore_needs_a_word(unattended, monkeypatch):
    given(monkeypatch, KEY)
    made = Path(unattended.values("import")["file"])
    unattended.run("backup", ADDRESS)
    stored = Path(default_storage.path(f"keys/{ADDRESS.lower()}.enc"))
    first = stored.read_bytes()
    unattended.run("backup", ADDRESS)
    assert stored.read_bytes() == first
    made.unlink()
    given(monkeypatch, KEY)
    unattended.run("import")
    with pytest.raises(CommandError, match=f"another keystore of {ADDRESS}: add --replace"):
        unattended.run("backup", ADDRESS)
    assert stored.read_bytes() == first
    unattended.run("backup", ADDRESS, "--replace")
    assert stored.read_bytes() != first


def test_a_restore_proves_the_address_before_it_writes(unattended, monkeypatch):
    given(monkeypatch, KEY)
    made = Path(unattended.values("import")["file"])
    unattended.run("backup", ADDRESS)
    made.unlink()
    stored = Path(default_storage.path(f"keys/{ADDRESS.lower()}.enc"))
    good = stored.read_text()
    others = encrypt(bytes.fromhex("11" * 32), PASSWORD, ADDRESS, LIGHT)
    for text, told in (
        (json.dumps(json.loads(good) | {"keystore": json.loads(others)}), "states .* and holds the key of 0x19E7E"),
        (good.replace(ADDRESS, STRANGER), f"holds the key of {ADDRESS}, expected"),
        (good[:-40], "is damaged .*: delete it and back the key up again"),
        (good.replace('"kind":"polybot key backup"', '"kind":"something"'), "is damaged"),
    ):
        stored.write_text(text)
        with pytest.raises(CommandError, match=told):
            unattended.run("restore", ADDRESS)
        assert not made.exists()
    stored.write_text(good)
    unattended.configure(POLYBOT_WALLET__PASSWORD_FILE="", POLYBOT_WALLET__PASSWORD="another password")
    with pytest.raises(CommandError, match="the password is wrong"):
        unattended.run("restore", ADDRESS)
    with pytest.raises(CommandError, match="no backup of 0x9999"):
        unattended.run("restore", STRANGER)
    with pytest.raises(CommandError, match="expected 0x and 40 hexadecimal digits"):
        unattended.run("restore", "../../etc/passwd")


def test_the_list_names_what_is_wrong_with_a_file(unattended):
    made = Path(unattended.values("create")["file"])
    made.chmod(0o644)
    write_private(made.parent / "junk.json", "{}")
    broken, readable = sorted(unattended.values("list")["keys"], key=lambda key: "chmod" in key["trouble"])
    assert "restore it from a backup" in broken["trouble"]
    assert f"chmod 600 {made}" in readable["trouble"]


def status(**environ: str) -> Any:
    return key_status(load({"POLYBOT_CONFIG": "", "POLYBOT_VENUE": "polymarket", **environ}).config)


def test_the_status_tells_where_the_key_is_and_whether_it_fits_the_account(tmp_path):
    path = tmp_path / "key.json"
    write_private(path, encrypt(bytes.fromhex(KEY), PASSWORD, ADDRESS, LIGHT))
    found = status(POLYBOT_WALLET__KEYSTORE=str(path), POLYBOT_WALLET__ADDRESS=ADDRESS.lower())
    assert (found.address, found.file, found.permissions, found.funder) == (ADDRESS, str(path), "600", ADDRESS)
    assert found.problems == ()
    assert found.lines()[0] == f"key        keystore {path} (mode 600)"
    other = status(POLYBOT_WALLET__KEYSTORE=str(path), POLYBOT_WALLET__ADDRESS=STRANGER)
    assert other.problems == (f"wallet.address is {STRANGER}, and this key is another one's",)
    (wrong,) = status(
        POLYBOT_WALLET__KEYSTORE=str(path), POLYBOT_WALLET__SAFE_ADDRESS=ADDRESS, POLYBOT_POLYMARKET__SIGNATURE_TYPE="2"
    ).problems
    assert ADDRESS in wrong
    path.chmod(0o640)
    assert "chmod 600" in status(POLYBOT_WALLET__KEYSTORE=str(path)).problems[0]
    assert "wallet create" in status().problems[0]
    assert status(POLYBOT_WALLET__PRIVATE_KEY=KEY).address == ADDRESS


def test_a_signer_without_a_process_is_said_by_the_status(tmp_path):
    found = status(POLYBOT_WALLET__SIGNER_SOCKET=str(tmp_path / "none.sock"), POLYBOT_WALLET__ADDRESS=ADDRESS)
    assert "start `manage.py runsigner`" in found.problems[0]
    assert found.address == ADDRESS


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (
            {"POLYBOT_WALLET__PRIVATE_KEY": KEY, "POLYBOT_WALLET__KEYSTORE": "/k"},
            "wallet.private_key and wallet.keystore are set",
        ),
        (
            {
                "POLYBOT_WALLET__KEYSTORE": "/k",
                "POLYBOT_WALLET__SIGNER_SOCKET": "/s",
                "POLYBOT_WALLET__ADDRESS": ADDRESS,
            },
            "wallet.keystore and wallet.signer_socket are set",
        ),
        ({"POLYBOT_WALLET__SIGNER_SOCKET": "/s"}, "wallet.address was empty"),
    ],
)
def test_a_key_has_one_home(environ, told):
    with pytest.raises(ConfigError, match=told):
        load({"POLYBOT_CONFIG": "", **environ})


def test_a_trader_with_a_signer_needs_no_key():
    config = load(
        {"POLYBOT_CONFIG": "", "POLYBOT_WALLET__SIGNER_SOCKET": "/s", "POLYBOT_WALLET__ADDRESS": ADDRESS}
    ).config
    signer = open_signer(config)
    assert isinstance(signer, RemoteSigner)
    assert signer.address == ADDRESS


def test_at_a_real_terminal_nothing_that_is_typed_is_echoed(tmp_path):
    environ = SignerProcess(tmp_path).environ
    for name in ("POLYBOT_WALLET__PASSWORD_FILE", "POLYBOT_WALLET__KEYSTORE"):
        del environ[name]
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "wallet", "import"], cwd=ROOT, env=environ, stdin=terminal, stdout=terminal, stderr=terminal,
        start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    shown = ""
    for prompt, answer in (("Private key", KEY), ("New password", PASSWORD), ("again", PASSWORD)):
        shown += read_until(controller, prompt)
        # The prompt is printed after the echo was switched off.
        os.write(controller, f"{answer}\n".encode())
    shown += read_until(controller, "back it up")
    assert process.wait(30) == 0
    os.close(controller)
    assert ADDRESS in shown
    assert KEY not in shown
    assert PASSWORD not in shown


def read_until(terminal: int, text: str) -> str:
    shown, deadline = "", time.monotonic() + 30
    while text not in shown and time.monotonic() < deadline:
        try:
            shown += os.read(terminal, 4096).decode()
        except OSError:
            break
    assert text in shown, shown
    return shown
