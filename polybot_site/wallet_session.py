"""Opens the configured account's wallet: the simulated venue's own, or the real one with the configured key.

The real wallet needs its key (`polybot_site.key_source`); everything but plain wallets also needs a key of the relayer. What is missing raises
`WalletError` naming the setting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from domain.errors import VenueError, WalletError
from domain.money import exact_micros
from domain.ports import Clock
from infra.paths import var_dir
from polybot_site.budgets import open_budgets
from polybot_site.config import Config
from polybot_site.key_source import at_terminal, open_signer
from polybot_site.locations import redis_url
from polybot_site.trader_ports import real_venue, simulated_account
from polybot_site.wallet_files import SubmissionFiles
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.signer import Signer
from venues.polymarket.wallet.opening import OpenWallet, open_wallet
from venues.polymarket.wallet.relayer import BuilderKey, PlainRelayerKey, RelayerKey

_WEI_PER_MICRO = 10**12
_PATIENCE_SECONDS = 2.0


def submission_files(account: str) -> SubmissionFiles:
    """Return this installation's memory of what an account's wallet has sent: another venue knows nothing of it, and proves nothing."""
    return SubmissionFiles(var_dir() / "wallet" / account.replace(":", "-"))


@asynccontextmanager
async def configured_wallet(config: Config, clock: Clock) -> AsyncIterator[OpenWallet]:
    """Yield the wallet of the configured venue, closed afterwards."""
    venue, signer = await _account(config)
    budgets = open_budgets(venue.venue, clock, redis_url())
    try:
        opened = await open_wallet(
            venue,
            signer,
            _relayer_key(config, signer.address),
            clock=clock,
            budgets=budgets,
            log=submission_files(venue.account),
            max_gas_cost=exact_micros(config.wallet.max_gas_cost) * _WEI_PER_MICRO,
        )
        try:
            yield opened
        finally:
            await opened.close()
    finally:
        await signer.close()
        await budgets.close()


async def _account(config: Config) -> tuple[PolymarketConfig, Signer]:
    if config.venue.kind == "simulator":
        venue, signer = await simulated_account(config, places_orders=True, patience=_PATIENCE_SECONDS)
        if signer is None:
            raise VenueError("the simulated account has no key")
        return venue, signer
    signer = open_signer(config, at_terminal())
    try:
        return real_venue(config, f"live:{config.wallet.safe_address or signer.address}"), signer
    except ValueError as error:
        raise WalletError(f"the configured wallet cannot be used: {error}") from error


def _relayer_key(config: Config, owner: str) -> RelayerKey | None:
    """Return the configured key of the relayer, None when there is none: plain wallets need none."""
    if config.polymarket.relayer_key is not None:
        return PlainRelayerKey(
            config.polymarket.relayer_key.get_secret_value(), config.polymarket.relayer_key_address or owner
        )
    parts = {
        "BUILDER_KEY": config.polymarket.builder_key,
        "BUILDER_SECRET": config.polymarket.builder_secret,
        "BUILDER_PASSPHRASE": config.polymarket.builder_passphrase,
    }
    found = {name: value.get_secret_value() for name, value in parts.items() if isinstance(value, SecretStr)}
    if not found:
        return None
    absent = [f"POLYBOT_POLYMARKET__{name}" for name in parts if name not in found]
    if absent:
        raise WalletError(f"the builder's key is incomplete: set {' and '.join(absent)} too")
    try:
        return BuilderKey(ApiCredentials(owner, *found.values()))
    except ValueError as error:
        raise WalletError(f"POLYBOT_POLYMARKET__BUILDER_SECRET cannot be used: {error}") from None
