"""The keys that this installation keeps: one keystore for each address in `var/keys`, and their backups in the blob storage.

Nothing here replaces a key: a file that exists stays as it is, and a backup that makes way for another is put aside. A backup is the keystore as it
is, still encrypted, with what it belongs to; restoring it takes the password, because only the key itself proves its address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from msgspec import Meta, Struct

from domain.errors import WalletError
from domain.ports import Clock
from infra.files import write_private
from infra.keystore import MAX_FILE_BYTES, KeystoreError, ScryptCost, encrypt, read_private, stated_address
from infra.paths import var_dir
from polybot_site.key_source import key_in
from venues.polymarket.eip712 import address_bytes, checksum_address
from venues.polymarket.signer import LocalSigner

_BACKUPS = "keys"
_REPLACED = f"{_BACKUPS}/replaced"
_MAX_BACKUP_BYTES = 2 * MAX_FILE_BYTES


class _Backup(Struct, forbid_unknown_fields=True, tag_field="kind", tag="polybot key backup"):
    version: Literal[1]
    address: Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{40}$")]
    made: datetime
    keystore: msgspec.Raw


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A keystore file. `trouble` says why it cannot be used, "" when nothing is wrong as far as that shows without its password."""

    path: Path
    address: str
    mode: str
    trouble: str = ""


def keys_dir() -> Path:
    """Return the folder of this installation's keystores. It may not exist yet."""
    return var_dir() / "keys"


def keep(key: str, password: str, path: Path | None, cost: ScryptCost) -> KeptKey:
    """Write a keystore with `key` (64 hex digits), by default to `var/keys/ADDRESS.json`; raises `WalletError` when that file exists."""
    try:
        signer = LocalSigner(key)
    except ValueError as error:
        raise WalletError(f"{error}; nothing was written") from None
    text = encrypt(bytes.fromhex(key.strip().removeprefix("0x")), password, signer.address, cost)
    return _write(path or keys_dir() / f"{signer.address}.json", text)


def kept(path: Path) -> KeptKey:
    """Return what can be said of a keystore file without its password."""
    try:
        mode = f"{path.stat().st_mode & 0o777:03o}"
    except OSError:
        mode = ""
    try:
        stated = stated_address(read_private(path), str(path))
    except KeystoreError as error:
        return KeptKey(path, "", mode, str(error))
    return KeptKey(path, checksum_address(address_bytes(stated)) if stated else "", mode)


def all_kept() -> list[KeptKey]:
    """Return every keystore in `var/keys`."""
    return [kept(path) for path in sorted(keys_dir().glob("*.json"))]


def back_up(path: Path, storage: Storage, clock: Clock, *, replace: bool = False) -> str:
    """Copy a keystore into the blob storage and return its name there.

    Raises `WalletError` when another keystore of the address lies there and `replace` is not set. With `replace` that one is put aside in
    `keys/replaced`: no backup is ever lost, also when this fails half way.
    """
    text, found = read_private(path), kept(path)
    if not found.address:
        raise WalletError(f"{path} does not state its address: import it first (`manage.py wallet import {path}`)")
    name, keystore = _backup_name(found.address), _compact(text)
    if storage.exists(name):
        earlier = _content(storage, name)
        if not replace:
            if bytes(_decoded(earlier, name).keystore) == keystore:
                return name
            raise WalletError(
                f"the storage has another keystore of {found.address}: add --replace to put that one aside"
            )
        _store(storage, f"{_REPLACED}/{found.address.lower()}-{sha256(earlier).hexdigest()[:16]}.enc", earlier)
        storage.delete(name)
    made = datetime.fromtimestamp(clock.now_ns() // 1_000_000_000, UTC)
    _store(storage, name, msgspec.json.encode(_Backup(1, found.address, made, msgspec.Raw(keystore))))
    return name


def _store(storage: Storage, name: str, content: bytes) -> None:
    """Write a blob and read it back; raises `WalletError` unless exactly this lies there afterwards."""
    try:
        written = storage.save(name, ContentFile(content)) if not storage.exists(name) else name
    except FileExistsError:
        # Somebody was faster, or the answer to our own write was lost and it was sent again: what lies there decides.
        written = name
    if written != name:
        storage.delete(written)
    if _content(storage, name) != content:
        raise WalletError(f"the storage did not keep what was written ({name}): the key is not backed up, try again")


def backups(storage: Storage) -> list[tuple[str, datetime]]:
    """Return the addresses that are backed up, and since when."""
    try:
        _, names = storage.listdir(_BACKUPS)
    except FileNotFoundError:
        return []
    found = [
        _decoded(_content(storage, path), path)
        for path in (f"{_BACKUPS}/{name}" for name in sorted(names) if name.endswith(".enc"))
    ]
    return [(backup.address, backup.made) for backup in found]


def restore(address: str, password: str, storage: Storage, path: Path | None) -> KeptKey:
    """Write the backed-up keystore of `address` where it was; before that, prove that its key is of this address."""
    name = _backup_name(address)
    if not storage.exists(name):
        raise WalletError(f"no backup of {address} is in the storage: `manage.py wallet list` shows what is")
    backup = _decoded(_content(storage, name), name)
    text = msgspec.json.format(bytes(backup.keystore).decode(), indent=2) + "\n"
    owner = LocalSigner(key_in(text, password, f"the backup {name}")).address
    if not owner.lower() == address.lower() == backup.address.lower():
        raise WalletError(f"the backup {name} holds the key of {owner}, expected {address}: nothing was written")
    return _write(path or keys_dir() / f"{owner}.json", text)


def _write(path: Path, text: str) -> KeptKey:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, text, replace=False)
    except FileExistsError:
        raise WalletError(f"{path} exists and is not touched: name another file with --file") from None
    except OSError as error:
        raise WalletError(f"{path} cannot be written: {error.strerror}") from None
    return kept(path)


def _backup_name(address: str) -> str:
    return f"{_BACKUPS}/{address.lower()}.enc"


def _compact(text: str) -> bytes:
    return msgspec.json.format(text.encode(), indent=-1)


def _content(storage: Storage, name: str) -> bytes:
    with storage.open(name) as file:
        if file.size > _MAX_BACKUP_BYTES:
            raise WalletError(f"{name} in the storage is no backup: it has {file.size} bytes; move it away")
        content: bytes = file.read()
    return content


def _decoded(content: bytes, name: str) -> _Backup:
    try:
        return msgspec.json.decode(content, type=_Backup)
    except msgspec.DecodeError as error:
        raise WalletError(f"the backup {name} is damaged ({error}): delete it and back the key up again") from None
