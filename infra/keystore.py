"""One private key in one encrypted file: Web3 Secret Storage, version 3, which every wallet program reads.

`encrypt` and `decrypt` work on text; `read_private` and `infra.files.write_private` keep the text in files that only their owner can read. What
cannot be used raises `KeystoreError` naming the fix; no error, `repr` or log line ever carries a key or a password.

The format is small enough to be written here on ciphers of pycryptodome: the libraries that read it take most of a second to import, and the
trader's start would pay that; who opens no keystore does not even import the ciphers. (OpenSSL's scrypt refuses the block size 1 that many wallets
write.) Source: the Web3 Secret Storage definition: scrypt or PBKDF2-HMAC-SHA256, AES-128-CTR, MAC = Keccak-256 of the second half of the derived
key and the ciphertext.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
import uuid
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct
from sha3 import keccak_256

from domain.errors import PolybotError

MAX_FILE_BYTES = 16 * 1024
MAX_SCRYPT_BYTES = 1 << 30
"""A file may ask for this much memory at most; the usual cost takes a quarter of it."""
_KEY_BYTES = 32

Hex = Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{2})*$", max_length=512)]


class KeystoreError(PolybotError):
    """A keystore that cannot be used; the text names the fix and no secret."""


class ScryptCost(NamedTuple):
    """Work that one guess of a password costs: iterations, block size, lanes."""

    n: int = 1 << 18
    r: int = 8
    p: int = 1


STANDARD = ScryptCost()
"""What the field's wallets write: 256 MiB and about a second for each guess."""


class _Scrypt(Struct, forbid_unknown_fields=True):
    n: Annotated[int, Meta(ge=2, le=1 << 24)]
    r: Annotated[int, Meta(ge=1, le=1024)]
    p: Annotated[int, Meta(ge=1, le=64)]
    dklen: Annotated[int, Meta(ge=32, le=64)]
    salt: Hex


class _Pbkdf2(Struct, forbid_unknown_fields=True):
    c: Annotated[int, Meta(ge=1, le=10_000_000)]
    prf: Literal["hmac-sha256"]
    dklen: Annotated[int, Meta(ge=32, le=64)]
    salt: Hex


class _CipherParams(Struct):
    iv: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{32}$")]


class _Crypto(Struct):
    cipher: Literal["aes-128-ctr"]
    cipherparams: _CipherParams
    ciphertext: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{64}$")]
    kdf: Literal["scrypt", "pbkdf2"]
    kdfparams: msgspec.Raw
    mac: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{64}$")]


class _File(Struct):
    version: Literal[3]
    crypto: _Crypto
    address: Annotated[str, Meta(pattern=r"^(0x)?[0-9a-fA-F]{40}$")] | None = None


def encrypt(key: bytes, password: str, address: str, cost: ScryptCost = STANDARD) -> str:
    """Return the text of a keystore with `key` (32 bytes). `address` (40 hex digits, perhaps after 0x) stands in it in clear."""
    if len(key) != _KEY_BYTES:
        raise ValueError("expected a key of 32 bytes")
    salt, iv = secrets.token_bytes(32), secrets.token_bytes(16)
    params = _Scrypt(n=cost.n, r=cost.r, p=cost.p, dklen=32, salt=salt.hex())
    derived = _scrypt(params, password)
    ciphertext = _cipher(derived, iv, key)
    content = {
        "version": 3,
        "id": str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)),
        "address": address.lower().removeprefix("0x"),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": msgspec.to_builtins(params),
            "mac": _mac(derived, ciphertext).hex(),
        },
    }
    return json.dumps(content, indent=2) + "\n"


def decrypt(text: str, password: str, name: str) -> bytes:
    """Return the key in a keystore's text; `name` is what errors call it."""
    crypto = _read(text, name).crypto
    try:
        if crypto.kdf == "scrypt":
            derived = _scrypt(msgspec.json.decode(crypto.kdfparams, type=_Scrypt), password)
        else:
            derived = _pbkdf2(msgspec.json.decode(crypto.kdfparams, type=_Pbkdf2), password)
    except msgspec.ValidationError as error:
        raise _damaged(name, str(error)) from None
    ciphertext = bytes.fromhex(crypto.ciphertext)
    if not hmac.compare_digest(_mac(derived, ciphertext), bytes.fromhex(crypto.mac)):
        raise KeystoreError(f"{name}: the password is wrong, or the file was changed (its checksum does not fit)")
    return _cipher(derived, bytes.fromhex(crypto.cipherparams.iv), ciphertext)


def stated_address(text: str, name: str) -> str:
    """Return the address that stands in a keystore in clear ("0x" and 40 small hex digits), "" for none. Only the password proves it."""
    address = _read(text, name).address
    return f"0x{address.lower().removeprefix('0x')}" if address else ""


def read_private(path: Path) -> str:
    """Return the text of a file that only this process' user can read.

    Raises:
        KeystoreError: there is no such file, others can read or change it, or it is no keystore.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            _check_private(path, status)
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeystoreError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise KeystoreError(f"{path} is larger than any keystore: name the V3 file itself")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise _damaged(str(path), "it is no text") from None


def _check_private(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        raise KeystoreError(f"{path} is not a file: name the V3 file itself")
    if mode & 0o077:
        raise KeystoreError(f"{path} can be read or changed by others (mode {mode:03o}): run `chmod 600 {path}`")
    if status.st_uid not in {os.geteuid(), 0}:
        raise KeystoreError(f"{path} belongs to another user: run `chown {os.geteuid()} {path}` as root")


def _read(text: str, name: str) -> _File:
    try:
        return msgspec.json.decode(text, type=_File)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _damaged(name, str(error)) from None


def _damaged(name: str, what: str) -> KeystoreError:
    return KeystoreError(f"{name} is not a usable V3 keystore ({what}): restore it from a backup")


def _scrypt(params: _Scrypt, password: str) -> bytes:
    from Crypto.Protocol.KDF import scrypt

    if 128 * params.r * (params.n + params.p) > MAX_SCRYPT_BYTES:
        raise msgspec.ValidationError(f"its scrypt asks for more than {MAX_SCRYPT_BYTES >> 20} MiB")
    try:
        # The library's types say text, and it would encode text as Latin-1; it takes bytes as they are.
        return scrypt(_bytes(password), bytes.fromhex(params.salt), params.dklen, params.n, params.r, params.p)  # type: ignore[arg-type, return-value]
    except ValueError:
        raise msgspec.ValidationError("its scrypt parameters are impossible") from None


def _pbkdf2(params: _Pbkdf2, password: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", _bytes(password), bytes.fromhex(params.salt), params.c, params.dklen)


def _bytes(password: str) -> bytes:
    try:
        return password.encode()
    except UnicodeEncodeError:
        # The cause would carry the password.
        raise KeystoreError("the password has characters that are no text: type it again") from None


def _mac(derived: bytes, ciphertext: bytes) -> bytes:
    digest: bytes = keccak_256(derived[16:32] + ciphertext).digest()
    return digest


def _cipher(derived: bytes, iv: bytes, content: bytes) -> bytes:
    """Encrypt or decrypt: in counter mode that is the same."""
    from Crypto.Cipher import AES

    return AES.new(derived[:16], AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(content)
