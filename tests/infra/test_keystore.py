"""Encrypted keys: what other wallets read and write, what is refused, and what never shows."""

from __future__ import annotations

import io
import json
import logging
import traceback
from pathlib import Path

import pytest
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra import logging as polybot_logging
from infra.files import write_private
from infra.keystore import STANDARD, KeystoreError, ScryptCost, decrypt, encrypt, read_private, stated_address
from polybot_site.key_source import key_in

KEY = bytes.fromhex("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d")
ADDRESS = "0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b"
PASSWORD = "correct horse battery"
LIGHT = ScryptCost(n=4096)
# The two examples of the format's definition: password "testpassword".
EXAMPLES = {
    "pbkdf2": """{"crypto": {"cipher": "aes-128-ctr", "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "kdf": "pbkdf2",
        "kdfparams": {"c": 262144, "dklen": 32, "prf": "hmac-sha256",
                      "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3}""",
    "scrypt": """{"crypto": {"cipher": "aes-128-ctr", "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c", "kdf": "scrypt",
        "kdfparams": {"dklen": 32, "n": 262144, "p": 8, "r": 1,
                      "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3}""",
}


@pytest.fixture(scope="module")
def text() -> str:
    return encrypt(KEY, PASSWORD, ADDRESS, LIGHT)


@pytest.mark.parametrize("kdf", EXAMPLES)
def test_the_definitions_own_examples_are_read(kdf):
    assert decrypt(EXAMPLES[kdf], "testpassword", "example") == KEY
    assert stated_address(EXAMPLES[kdf], "example") == ""


def test_another_library_reads_what_is_written_here(text):
    content = json.loads(text)
    assert decode_keyfile_json(content, PASSWORD.encode()) == KEY
    assert (content["version"], "0x" + content["address"]) == (3, ADDRESS)
    assert stated_address(text, "file") == ADDRESS


@pytest.mark.parametrize(("kdf", "work"), [("scrypt", 1024), ("pbkdf2", 1000)])
def test_what_another_library_writes_is_read_here(kdf, work):
    content = create_keyfile_json(KEY, "pässwörd".encode(), kdf=kdf, iterations=work)
    assert decrypt(json.dumps(content), "pässwörd", "file") == KEY
    assert stated_address(json.dumps(content), "file") == ADDRESS


def test_a_guess_costs_what_the_fields_wallets_make_it_cost():
    assert (STANDARD.n, STANDARD.r, STANDARD.p) == (262_144, 8, 1)


def test_two_files_of_one_key_have_nothing_secret_in_common(text):
    again = json.loads(encrypt(KEY, PASSWORD, ADDRESS, LIGHT))
    first = json.loads(text)
    for field in ("ciphertext", "mac"):
        assert first["crypto"][field] != again["crypto"][field]
    assert first["id"] != again["id"]
    assert KEY.hex() not in text


def test_a_wrong_password_is_said_and_not_shown(text):
    with pytest.raises(KeystoreError, match=r"wallet\.json: the password is wrong") as caught:
        decrypt(text, "passphrase ".strip() + "x", "wallet.json")
    shown = "".join(traceback.format_exception(caught.value))
    assert "passphrasex" not in shown


def test_a_password_that_is_no_text_is_refused_without_a_trace_of_it(text):
    with pytest.raises(KeystoreError, match="no text") as caught:
        decrypt(text, "secret\udcff", "wallet.json")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def changed(text: str, **crypto: object) -> str:
    content = json.loads(text)
    content["crypto"] |= crypto
    return json.dumps(content)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ciphertext": "00" * 32}, "the password is wrong, or the file was changed"),
        ({"ciphertext": "00"}, "crypto.ciphertext"),
        ({"mac": "zz"}, "crypto.mac"),
        ({"cipher": "aes-256-gcm"}, "crypto.cipher"),
        ({"kdf": "argon2id"}, "crypto.kdf"),
        ({"kdfparams": {"n": 1 << 24, "r": 1024, "p": 1, "dklen": 32, "salt": "00"}}, "asks for more than 1024 MiB"),
        ({"kdfparams": {"n": 1000, "r": 8, "p": 1, "dklen": 32, "salt": "00"}}, "parameters are impossible"),
        ({"kdfparams": {"n": 1 << 60, "r": 8, "p": 1, "dklen": 32, "salt": "00"}}, "<= 16777216"),
        ({"kdfparams": {"n": 4096, "r": 8, "p": 1, "dklen": 16, "salt": "00"}}, ">= 32"),
        ({"kdf": "pbkdf2", "kdfparams": {"c": 1, "prf": "hmac-sha1", "dklen": 32, "salt": "00"}}, "hmac-sha1"),
    ],
)
def test_a_damaged_or_hostile_file_is_refused_before_it_costs_anything(text, changes, told):
    with pytest.raises(KeystoreError, match=told):
        decrypt(changed(text, **changes), PASSWORD, "wallet.json")


# The format's checksum leaves the cipher's start (its IV) out: that the key is another one shows in its address.
@given(st.integers(0, 2_000), st.binary(max_size=3))
@example(201, b"00")
@settings(max_examples=200, deadline=None)
def test_damaged_bytes_give_the_key_or_a_clear_error_and_nothing_else(place, damage):
    good = EXAMPLE_LIGHT.encode()
    place = min(place, len(good))
    broken = (good[:place] + damage + good[place + 2 :]).decode("utf-8", errors="replace")
    try:
        assert key_in(broken, PASSWORD, "wallet.json") == KEY.hex()
    except KeystoreError as error:
        assert "wallet.json" in str(error)  # noqa: PT017 (either end is right)


EXAMPLE_LIGHT = encrypt(KEY, PASSWORD, ADDRESS, ScryptCost(n=2, r=1))


def test_a_private_file_is_read(tmp_path: Path, text):
    path = tmp_path / "wallet.json"
    write_private(path, text)
    assert read_private(path) == text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_or_change_is_refused_with_the_command_that_mends_it(tmp_path, text, mode):
    path = tmp_path / "wallet.json"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(KeystoreError, match=f"chmod 600 {path}"):
        read_private(path)


@pytest.mark.parametrize(
    ("content", "told"), [(None, "No such file"), (b"\xff\xfe\x00", "it is no text"), (b"x" * 20_000, "larger than")]
)
def test_what_is_no_keystore_is_refused(tmp_path, content, told):
    path = tmp_path / "wallet.json"
    if content is not None:
        path.touch(mode=0o600)
        path.write_bytes(content)
    with pytest.raises(KeystoreError, match=told):
        read_private(path)


def test_a_folder_is_no_keystore(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(KeystoreError, match=r"Is a directory|is not a file"):
        read_private(tmp_path)


def test_a_logged_traceback_shows_no_local_variables(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    polybot_logging.configure(stream=stream, log_format="text")
    try:
        password = "hidden" * 3
        try:
            raise ValueError(len(password))
        except ValueError:
            logging.getLogger("keys").exception("failed")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    assert "ValueError: 18" in stream.getvalue()
    assert "hiddenhidden" not in stream.getvalue()
