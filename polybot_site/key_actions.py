"""The actions of `manage.py wallet` that make, keep and copy keys. They speak to no venue; a key never comes from the command line.

A key is typed without echo, or read from standard input when nobody sits at a terminal. A password is typed, unless POLYBOT_WALLET__PASSWORD_FILE
names a file. Whatever is wrong raises `WalletError`, `KeystoreError` or `BlobStorageError`, and no file was written then.
"""

from __future__ import annotations

import re
import secrets
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from domain.errors import WalletError
from infra.clock import SystemClock
from infra.keystore import MAX_FILE_BYTES, STANDARD, read_private
from polybot_site.config import Config
from polybot_site.key_files import KeptKey, all_kept, back_up, backups, keep, keys_dir, restore
from polybot_site.key_source import Ask, at_terminal, check_strength, hidden, key_in, new_password, password
from polybot_site.storage import blobs

KEY_ACTIONS = {
    "create": "make a new key and keep it in an encrypted file",
    "import": "keep a key you have in an encrypted file: typed, from standard input, or from another V3 file",
    "list": "show the kept keys and their backups",
    "backup": "copy an encrypted key into the blob storage",
    "restore": "write a key back from the blob storage",
}


def add_arguments(action: ArgumentParser, name: str) -> None:
    """Add what an action takes."""
    if name in ("create", "import", "restore"):
        action.add_argument("--file", type=Path, help="file to write, by default var/keys/ADDRESS.json")
    if name == "import":
        action.add_argument("source", nargs="?", type=Path, help="V3 file to import, by default a key is asked for")
    if name in ("backup", "restore"):
        action.add_argument("address", help="address of the key")
    if name == "backup":
        action.add_argument("--replace", action="store_true", help="put another keystore that lies there aside")


def act(config: Config, options: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Carry out an action; returns what it says to programs and to people."""
    ask = at_terminal()
    match options["action"]:
        case "create":
            return _said(config, keep(secrets.token_hex(32), new_password(config, ask), options["file"], STANDARD))
        case "import":
            return _said(config, _import(config, options["source"], options["file"], ask))
        case "list":
            return _list(config)
        case "backup":
            return _back_up(config, options["address"], replace=options["replace"])
        case _:
            address = _address(options["address"])
            with blobs(config.s3) as storage:
                return _said(config, restore(address, password(config, ask), storage, options["file"]))


def _back_up(config: Config, address: str, *, replace: bool) -> tuple[dict[str, Any], list[str]]:
    path = _find(address)
    with blobs(config.s3) as storage:
        name = back_up(path, storage, SystemClock(), replace=replace)
    return {"backup": name}, [f"backed up: {name}. Only the keystore's password opens it: keep that elsewhere"]


def _import(config: Config, source: Path | None, target: Path | None, ask: Ask | None) -> KeptKey:
    if source is not None:
        text, secret = read_private(source), password(config, ask)
        key = key_in(text, secret, str(source))
        check_strength(secret)
        return keep(key, secret, target, STANDARD)
    typed = ask("Private key (64 hexadecimal digits): ") if ask is not None else sys.stdin.readline(MAX_FILE_BYTES)
    key = hidden(typed.strip())
    if not re.fullmatch(r"(0x)?[0-9a-fA-F]{64}", key):
        raise WalletError("the key was not 64 hexadecimal digits: nothing was written")
    return keep(key, new_password(config, ask), target, STANDARD)


def _list(config: Config) -> tuple[dict[str, Any], list[str]]:
    with blobs(config.s3) as storage:
        keys, copies = all_kept(), backups(storage)
    values = {
        "keys": [asdict(key) | {"path": str(key.path)} for key in keys],
        "backups": [{"address": address, "made": made.isoformat()} for address, made in copies],
    }
    lines = [
        f"key     {key.address or '?':<42}  {key.path} (mode {key.mode}){f'  {key.trouble}' if key.trouble else ''}"
        for key in keys
    ]
    lines += [f"backup  {address:<42}  made {made:%Y-%m-%d %H:%M:%S} UTC" for address, made in copies]
    return values, lines or [f"no keys in {keys_dir()}: `manage.py wallet create` makes one"]


def _find(address: str) -> Path:
    wanted = _address(address).lower()
    for key in all_kept():
        if key.address.lower() == wanted:
            return key.path
    raise WalletError(f"no key of {address} is in {keys_dir()}: `manage.py wallet list` shows what is")


def _address(text: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise WalletError(f"the address was {text!r}, expected 0x and 40 hexadecimal digits")
    return text


def _said(config: Config, key: KeptKey) -> tuple[dict[str, Any], list[str]]:
    values = {"address": key.address, "file": str(key.path), "permissions": key.mode}
    lines = [f"address  {key.address}", f"file     {key.path} (mode {key.mode})"]
    if config.wallet.keystore != str(key.path):
        lines.append(f"use it with POLYBOT_WALLET__KEYSTORE={key.path}")
        lines.append(f"back it up with `manage.py wallet backup {key.address}`, and its password elsewhere")
    return values, lines
