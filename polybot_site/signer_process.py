"""`manage.py runsigner` without its command line: opens the key, makes the policy of the configuration, and answers at the socket until told to stop.

What cannot be opened raises a `PolybotError` naming the fix, before anything listens.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import structlog

from domain.errors import WalletError
from domain.money import exact_micros
from domain.ports import Clock
from infra.paths import var_dir
from polybot_site.config import Config
from venues.polymarket.eip712 import ZERO_WORD, bytes32
from venues.polymarket.isolated_signer.desk import SignerDesk
from venues.polymarket.isolated_signer.policy import Charge, Policy
from venues.polymarket.isolated_signer.server import SignerServer
from venues.polymarket.isolated_signer.spending import Spending
from venues.polymarket.isolated_signer.wallet_calls import VENUE_CONTRACTS
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet.derivation import check_wallet

_log = structlog.get_logger(__name__)

_WEI_PER_MICRO = 10**12


def signer_socket(config: Config) -> Path:
    """Return where the signer listens."""
    return Path(config.signer.socket).expanduser() if config.signer.socket else var_dir() / "signer" / "signer.sock"


def signer_policy(config: Config, address: str) -> Policy:
    """Return what the configuration lets the key of `address` sign. On the simulated venue the key's own address holds the money."""
    simulated = config.venue.kind == "simulator"
    kind = SignatureType.EOA if simulated else SignatureType(config.polymarket.signature_type)
    wallet = address if simulated else config.wallet.safe_address or address
    if not simulated:
        try:
            check_wallet(address, wallet, kind)
        except ValueError as error:
            raise WalletError(f"the configured wallet is not the key's: {error}") from None
    contracts = frozenset(contract.lower() for contract in config.signer.wallet_contracts)
    for contract in sorted(contracts - VENUE_CONTRACTS.keys()):
        raise WalletError(f"signer.wallet_contracts names {contract}, expected contracts of the venue only")
    if (
        config.signer.max_order_notional > config.signer.max_day_notional
        or config.signer.max_order_shares > config.signer.max_day_shares
    ):
        raise WalletError("a limit of signer for one order is above that for a day: no such order could be signed")
    return Policy(
        address=address,
        wallet=wallet,
        signature_type=kind,
        chain_id=config.polymarket.chain_id,
        builder=bytes32(config.polymarket.builder_code) if config.polymarket.builder_code else ZERO_WORD,
        max_order_notional=exact_micros(config.signer.max_order_notional),
        max_day_notional=exact_micros(config.signer.max_day_notional),
        max_order_shares=exact_micros(config.signer.max_order_shares),
        max_day_shares=exact_micros(config.signer.max_day_shares),
        max_fee_rate=exact_micros(config.signer.max_fee_rate),
        max_buy_price=exact_micros(config.signer.max_buy_price),
        min_sell_price=exact_micros(config.signer.min_sell_price),
        orders_per_second=config.signer.orders_per_second,
        wallet_contracts=contracts,
        max_gas_cost=exact_micros(config.wallet.max_gas_cost) * _WEI_PER_MICRO,
    )


def open_desk(config: Config, signer: LocalSigner, clock: Clock) -> SignerDesk:
    """Return the desk of the configured signer, with what it signed today."""
    policy = signer_policy(config, signer.address)
    largest = Charge(policy.max_order_notional, policy.max_order_shares)
    folder = var_dir() / "signer" / "signed" / signer.address.lower()
    return SignerDesk(signer, policy, Spending(folder, clock, largest), clock)


def client_users(config: Config) -> frozenset[int]:
    """Return the users whose processes may ask."""
    users = {os.geteuid()}
    if config.signer.trader_user:
        try:
            users.add(pwd.getpwnam(config.signer.trader_user).pw_uid)
        except KeyError:
            raise WalletError(f"signer.trader_user was {config.signer.trader_user!r}, expected a user's name") from None
    return frozenset(users)


async def serve_signer(
    desk: SignerDesk, users: frozenset[int], listener: socket.socket, ready: Callable[[], None]
) -> None:
    """Answer until SIGTERM or Ctrl-C; then say what was done."""
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(SignerServer(desk, users).serve(listener, ready))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    await asyncio.wait([serving])
    desk.spending.close()
    _log.info("the signer stops", signed=desk.signed, refused=dict(desk.refused))
    if not serving.cancelled():
        serving.result()
