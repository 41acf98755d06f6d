"""Opens the venue's ports over one HTTP session, within the budgets given. Public data needs no key; trading needs a signer and obtains an API key.

Whoever opens closes: `Public.close` and `Trading.close` end every socket and session they opened. A failure on the way raises `VenueError`
and leaves nothing open. So does a machine whose clock is off: the venue refuses requests whose signed time is not its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random

import aiohttp

from domain.errors import VenueError
from domain.ports import Clock, Ids
from venues.polymarket.activity import ActivityIncome
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.clob import ClobReader
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.credentials import create_or_derive
from venues.polymarket.feed import PolymarketFeed
from venues.polymarket.gamma import GammaCatalog
from venues.polymarket.gateway import PolymarketGateway
from venues.polymarket.heartbeat import PATH, Heartbeat, HeartbeatSettings
from venues.polymarket.holdings import IndexedHoldings
from venues.polymarket.http import HttpClient, open_session
from venues.polymarket.order_connection import OrderConnection
from venues.polymarket.pace import Pace, Paces
from venues.polymarket.signer import Signer
from venues.polymarket.user_feed import PolymarketAccountFeed
from venues.polymarket.wallet.derivation import check_wallet


@dataclass(frozen=True, slots=True)
class Public:
    """The ports that need no account."""

    feed: PolymarketFeed
    catalog: GammaCatalog
    clob: ClobReader
    session: aiohttp.ClientSession

    async def close(self) -> None:
        await self.feed.stop()
        await self.session.close()


@dataclass(frozen=True, slots=True)
class Trading:
    """The ports of one account; `heartbeat` is not started yet."""

    gateway: PolymarketGateway
    account_feed: PolymarketAccountFeed
    income: ActivityIncome
    holdings: IndexedHoldings
    session: aiohttp.ClientSession
    heartbeat: Heartbeat | None = None

    async def close(self) -> None:
        if self.heartbeat is not None:
            await asyncio.to_thread(self.heartbeat.close)
        await self.account_feed.stop()
        await self.gateway.close()
        await self.session.close()


def open_public(config: PolymarketConfig, *, clock: Clock, rng: Random, budgets: Paces) -> Public:
    """Return the public ports; nothing is sent before they are used. Call within a running loop."""
    session = open_session()
    clob = ClobReader(HttpClient(config.clob_url, session, budgets.clob), clock)
    return Public(
        feed=PolymarketFeed(config.ws_url, clob, clock=clock, rng=rng),
        catalog=GammaCatalog(HttpClient(config.gamma_url, session, budgets.gamma), clob, config.venue),
        clob=clob,
        session=session,
    )


MAX_CLOCK_ERROR_S = 15
"""The venue's tolerance is not published; orders that carry a time further off are likely to be refused."""


async def open_trading(
    config: PolymarketConfig,
    signer: Signer,
    *,
    clock: Clock,
    ids: Ids,
    rng: Random,
    budgets: Paces,
    heartbeat: HeartbeatSettings | None = None,
) -> Trading:
    """Obtain the account's API key and return its ports, with a dead man's switch if `heartbeat` is given.

    A wallet of another kind than configured is refused: its balance would read 0.
    """
    try:
        check_wallet(signer.address, config.funder or signer.address, config.signature_type)
    except ValueError as error:
        raise VenueError(str(error)) from error
    session = open_session()
    http = HttpClient(config.clob_url, session, budgets.clob)
    try:
        await _check_clock(ClobReader(http, clock), clock)
        credentials = await create_or_derive(http, signer, config.chain_id, clock)
    except BaseException:
        await session.close()
        raise
    gateway = PolymarketGateway(
        config,
        signer,
        credentials,
        http=http,
        connection=OrderConnection(config.clob_url, clock, pace=budgets.clob),
        clock=clock,
        ids=ids,
    )
    feed = PolymarketAccountFeed(config.ws_url, credentials, gateway.identity, clock=clock, rng=rng)
    data, wallet = HttpClient(config.data_url, session, budgets.data), config.funder or signer.address
    income, holdings = ActivityIncome(data, wallet), IndexedHoldings(data, wallet)
    return Trading(
        gateway,
        feed,
        income,
        holdings,
        session,
        _switch(config, credentials, heartbeat, clock=clock, pace=budgets.clob),
    )


def _switch(
    config: PolymarketConfig,
    credentials: ApiCredentials,
    settings: HeartbeatSettings | None,
    *,
    clock: Clock,
    pace: Pace,
) -> Heartbeat | None:
    if settings is None:
        return None
    loop = asyncio.get_running_loop()
    return Heartbeat(
        config.clob_url,
        credentials,
        clock,
        settings,
        on_sent=lambda: loop.call_soon_threadsafe(pace.sent, "POST", PATH),
    )


async def _check_clock(clob: ClobReader, clock: Clock) -> None:
    ahead = clock.now_ns() // 1_000_000_000 - await clob.server_time()
    if abs(ahead) > MAX_CLOCK_ERROR_S:
        raise VenueError(
            f"this machine's clock is {ahead:+d} s off the venue's, expected at most {MAX_CLOCK_ERROR_S} s: synchronise it"
        )
