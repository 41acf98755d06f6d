"""What can be said of the configured key without opening it: where it is, whose it is, and whether it fits the configured account."""

from __future__ import annotations

import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domain.errors import SigningError, WalletError, WrongAccountError
from domain.money import format_micros
from infra.paths import var_dir
from polybot_site.config import Config
from polybot_site.key_files import kept
from polybot_site.key_source import remote_signer
from venues.polymarket.isolated_signer.wire import Status
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet.derivation import check_wallet


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """`source` says in words where the key is; `problems` what must be mended before it can be used."""

    source: str
    address: str = ""
    file: str = ""
    permissions: str = ""
    funder: str = ""
    problems: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the status for a terminal."""
        place = f" {self.file}" if self.file else ""
        mode = f" (mode {self.permissions})" if self.permissions else ""
        address = [f"address    {self.address}"] if self.address else []
        return [f"key        {self.source}{place}{mode}", *address, *(f"problem: {text}" for text in self.problems)]


async def signer_status(config: Config) -> Status | None:
    """Return what the configured signer has signed and refused, None where none is configured. Raises `WalletError` when it does not say."""
    if not config.wallet.signer_socket:
        return None
    remote = remote_signer(config)
    try:
        return await remote.status()
    except (SigningError, WrongAccountError) as error:
        raise WalletError(str(error)) from error
    finally:
        await remote.close()


def signer_values(status: Status) -> dict[str, Any]:
    """Return a signer's status for JSON; amounts are decimal texts."""
    amounts = ("bought", "sold_shares", "max_day_notional", "max_day_shares")
    values = {name: getattr(status, name) for name in ("address", "day", "signed", "refused")}
    return values | {name: format_micros(getattr(status, name)) for name in amounts}


def signer_lines(status: Status) -> list[str]:
    """Return a signer's status for a terminal."""
    refused = ", ".join(f"{code} {times}" for code, times in sorted(status.refused.items())) or "nothing"
    bought = f"${format_micros(status.bought)} of ${format_micros(status.max_day_notional)} to buy with"
    sold = f"{format_micros(status.sold_shares)} of {format_micros(status.max_day_shares)} shares to sell"
    return [
        f"signed     {status.signed} since the signer started; refused: {refused}",
        f"today      {bought}, {sold} ({status.day} UTC)",
    ]


def storage_lines(storage: dict[str, str]) -> list[str]:
    """Return where backups lie, and whether they can be reached, for a terminal."""
    lines = [f"backups    {storage['place']}"]
    return [*lines, f"problem: {storage['trouble']}"] if storage["trouble"] else lines


def key_status(config: Config) -> KeyStatus:
    """Return the status of the configured key."""
    wallet = config.wallet
    if wallet.signer_socket:
        path = Path(wallet.signer_socket).expanduser()
        problems = () if path.is_socket() else (f"nothing listens at {path}: start `manage.py runsigner`",)
        return _fitting(config, KeyStatus("a signer of its own at", wallet.address, str(path), _mode(path)), problems)
    if config.venue.kind == "simulator":
        path = var_dir() / "simulated-wallet.key"
        return KeyStatus("the simulated account's own", file=str(path), permissions=_mode(path))
    if wallet.keystore:
        found = kept(Path(wallet.keystore).expanduser())
        problems = (found.trouble,) if found.trouble else ()
        return _fitting(config, KeyStatus("keystore", found.address, str(found.path), found.mode), problems)
    if wallet.private_key is not None:
        address = LocalSigner(wallet.private_key.get_secret_value()).address
        return _fitting(config, KeyStatus("private key in the environment", address), ())
    return KeyStatus("none", problems=("no key is configured: `manage.py wallet create` makes one",))


def _fitting(config: Config, status: KeyStatus, problems: tuple[str, ...]) -> KeyStatus:
    """Return `status` with what does not fit the configured account."""
    expected = config.wallet.address
    if status.address and expected and expected.lower() != status.address.lower():
        problems += (f"wallet.address is {expected}, and this key is another one's",)
    funder = config.wallet.safe_address or status.address
    if status.address and config.venue.kind != "simulator":
        try:
            check_wallet(status.address, funder, SignatureType(config.polymarket.signature_type))
        except ValueError as error:
            problems += (str(error),)
    return KeyStatus(status.source, status.address, status.file, status.permissions, funder, problems)


def _mode(path: Path) -> str:
    try:
        return f"{stat.S_IMODE(path.stat().st_mode):03o}"
    except OSError:
        return ""
