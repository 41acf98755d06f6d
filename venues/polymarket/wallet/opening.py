"""Opens the wallet of one account: plain wallets send through a node, all others through the venue's relayer.

Whoever opens closes. A failure on the way raises `VenueError` and leaves nothing open; so does a wallet of another kind than the configured one.
"""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from domain.errors import VenueError
from domain.ports import Clock, SubmissionLog
from venues.polymarket.account_reader import AccountReader
from venues.polymarket.account_wire import Identity as AccountIdentity
from venues.polymarket.clob import ClobReader
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.credentials import create_or_derive
from venues.polymarket.gamma import GammaCatalog
from venues.polymarket.http import HttpClient, open_session
from venues.polymarket.pace import Paces
from venues.polymarket.signer import Signer
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet.chain import ChainReader
from venues.polymarket.wallet.derivation import check_wallet
from venues.polymarket.wallet.direct import DirectSender
from venues.polymarket.wallet.neg_risk import ExclusiveEvents
from venues.polymarket.wallet.node import Node, open_node
from venues.polymarket.wallet.planner import Planner
from venues.polymarket.wallet.relayed import RelayedSender
from venues.polymarket.wallet.relayer import RelayerClient, RelayerKey
from venues.polymarket.wallet.sending import POLL_SECONDS, Sender
from venues.polymarket.wallet.wallet import Identity, PolymarketWallet


@dataclass(frozen=True, slots=True)
class OpenWallet:
    """A wallet, and the catalogue in which its markets are found."""

    operations: PolymarketWallet
    catalog: GammaCatalog
    node: Node
    session: aiohttp.ClientSession

    async def close(self) -> None:
        await self.node.close()
        await self.session.close()


async def open_wallet(
    config: PolymarketConfig,
    signer: Signer,
    key: RelayerKey | None,
    *,
    clock: Clock,
    budgets: Paces,
    log: SubmissionLog,
    max_gas_cost: int,
    poll_seconds: float = POLL_SECONDS,
) -> OpenWallet:
    """Return the wallet that `config` names. `max_gas_cost` is the most that one transaction may pay for gas, in wei."""
    address = config.funder or signer.address
    try:
        check_wallet(signer.address, address, config.signature_type)
    except ValueError as error:
        raise VenueError(str(error)) from error
    session = open_session()
    try:
        http = HttpClient(config.clob_url, session, budgets.clob)
        credentials = await create_or_derive(http, signer, config.chain_id, clock)
    except BaseException:
        await session.close()
        raise
    gamma = HttpClient(config.gamma_url, session, budgets.gamma)
    reader = AccountReader(http, credentials, AccountIdentity(credentials.key, address), config.signature_type, clock)
    node = open_node(config.rpc_url)
    relayer = RelayerClient(config.relayer_url, session, budgets.relayer, key, clock)
    sender: Sender
    if config.signature_type is SignatureType.EOA:
        sender = DirectSender(
            node, signer, chain_id=config.chain_id, log=log, max_cost=max_gas_cost, poll_seconds=poll_seconds
        )
    else:
        sender = RelayedSender(
            relayer,
            signer,
            address,
            config.signature_type,
            chain_id=config.chain_id,
            clock=clock,
            log=log,
            estimate=node.estimate_gas,
            poll_seconds=poll_seconds,
        )
    chain = ChainReader(node, address)
    wallet = PolymarketWallet(
        Identity(account=config.account, owner=signer.address, wallet=address, kind=config.signature_type),
        node=node,
        chain=chain,
        relayer=relayer,
        venue=reader,
        planner=Planner(address, chain, ExclusiveEvents(gamma), reader.open_orders, sender.gas_payer),
        sender=sender,
        log=log,
    )
    return OpenWallet(wallet, GammaCatalog(gamma, ClobReader(http, clock), config.venue), node, session)
