"""Where the configured wallet's key is, and the signer made from it: a private key, a keystore, or a signer in another process.

Exactly one place is configured (`config_venue.Wallet` refuses two). What is missing or does not fit raises `WalletError` or `KeystoreError`
naming the setting. A key that was opened is masked in every log of this process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import WalletError
from infra import logging
from infra.keystore import KeystoreError, decrypt, read_private, stated_address
from polybot_site.config import Config
from venues.polymarket.signer import LocalSigner, Signer

if TYPE_CHECKING:
    from venues.polymarket.isolated_signer.client import RemoteSigner

Ask = Callable[[str], str]
"""Asks a person for a secret, by its prompt, without showing it."""

_PASSWORD = "POLYBOT_WALLET__PASSWORD_FILE"  # noqa: S105 (a name)


def open_signer(config: Config, ask: Ask | None = None) -> Signer:
    """Return the configured signer. Without `ask` nobody is asked for a password that is not configured."""
    return remote_signer(config) if config.wallet.signer_socket else local_signer(config, ask)


def remote_signer(config: Config) -> RemoteSigner:
    """Return the client of the configured signer; it connects when it is asked."""
    from venues.polymarket.isolated_signer.client import RemoteSigner

    return RemoteSigner(Path(config.wallet.signer_socket).expanduser(), config.wallet.address)


def local_signer(config: Config, ask: Ask | None = None) -> LocalSigner:
    """Return a signer with the configured key in this process."""
    wallet = config.wallet
    if wallet.keystore:
        signer = unlock(Path(wallet.keystore).expanduser(), password(config, ask))
    elif wallet.private_key is not None:
        signer = LocalSigner(wallet.private_key.get_secret_value())
    else:
        raise WalletError(
            "the real venue's wallet needs its key: set POLYBOT_WALLET__KEYSTORE (`manage.py wallet create` makes one), "
            "POLYBOT_WALLET__PRIVATE_KEY or POLYBOT_WALLET__PRIVATE_KEY_FILE, or POLYBOT_WALLET__SIGNER_SOCKET"
        )
    if wallet.address and wallet.address.lower() != signer.address.lower():
        raise WalletError(f"the configured key is {signer.address}'s, expected wallet.address ({wallet.address})")
    return signer


def unlock(path: Path, secret: str) -> LocalSigner:
    """Return a signer with the key in a keystore."""
    return LocalSigner(key_in(read_private(path), secret, str(path)))


def key_in(text: str, secret: str, name: str) -> str:
    """Return the key in a keystore's text, 64 hex digits; `name` is what errors call it. The stated address must be the key's own."""
    key = hidden(decrypt(text, secret, name).hex())
    try:
        address = LocalSigner(key).address
    except ValueError:
        raise KeystoreError(f"{name} holds no private key: restore it from a backup") from None
    stated = stated_address(text, name)
    if stated and stated != address.lower():
        raise KeystoreError(f"{name} states {stated} and holds the key of {address}: restore it from a backup")
    return key


def password(config: Config, ask: Ask | None) -> str:
    """Return the keystore's password: the configured one, or what a person types."""
    if config.wallet.password is not None:
        return config.wallet.password.get_secret_value()
    if ask is None:
        raise WalletError(f"the keystore needs its password: set {_PASSWORD} to a file that holds it")
    return hidden(ask("Password of the keystore: "))


LEAST_CHARACTERS = 12
LEAST_DIFFERENT = 6


def new_password(config: Config, ask: Ask | None) -> str:
    """Return a password for a new keystore, typed twice when it is typed, that `check_strength` lets pass."""
    if config.wallet.password is None and ask is None:
        raise WalletError(f"a new keystore needs a password: set {_PASSWORD} to a file that holds it")
    if config.wallet.password is not None:
        chosen = config.wallet.password.get_secret_value()
    elif ask is not None:
        chosen = hidden(ask(f"New password, at least {LEAST_CHARACTERS} characters: "))
        check_strength(chosen)
        if ask("The same password again: ") != chosen:
            raise WalletError("the two passwords differ: nothing was written, try again")
    check_strength(chosen)
    return chosen


def check_strength(chosen: str) -> None:
    """Raise `WalletError` for a password that is too easily guessed to keep a key under."""
    if len(chosen) < LEAST_CHARACTERS:
        raise WalletError(
            f"the password has {len(chosen)} characters, expected at least {LEAST_CHARACTERS}: nothing was written"
        )
    if len(set(chosen)) < LEAST_DIFFERENT:
        raise WalletError(
            f"the password repeats a few characters, expected {LEAST_DIFFERENT} different ones: nothing was written"
        )


def hidden(secret: str) -> str:
    """Return `secret`, masked in all logs from now on."""
    logging.hide([secret])
    return secret


def at_terminal() -> Ask | None:
    """Return how to ask the person at the terminal, None when nobody sits there."""
    return getpass if sys.stdin.isatty() else None
