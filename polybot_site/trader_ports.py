"""Builds the trader's world from the configuration: venue connections, PostgreSQL storage, Redis publishers.

On the simulated venue the wallet's key is generated once and kept in `var/`, and an account without cash is given play money. On the real venue only
public data is used, and orders are paper: real ones are refused until `manage.py doctor` exists. What cannot be opened raises `VenueError`.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import SystemRandom

import aiohttp
import structlog

from domain.errors import VenueError
from domain.ports import Ids
from infra.clock import SteadyClock
from infra.files import load_or_create_secret
from infra.paths import var_dir
from infra.redis_pipe import RedisPipe
from markets.publisher import SCRIPTS as MARKET_SCRIPTS
from markets.publisher import MarketPublisher
from polybot_site.budgets import open_budgets
from polybot_site.config import Config
from polybot_site.key_source import open_signer
from polybot_site.locations import database_url, redis_url
from polybot_site.trader_account import AccountSide, live, on_paper, watching
from proto.envelope import EventEncoder
from runtime.ports import Ports
from runtime.storage import PostgresStorage
from trading.publisher import SCRIPTS as EVENT_SCRIPTS
from trading.publisher import EventPublisher
from venues.polymarket.budgets import Budgets
from venues.polymarket.clob import ClobReader
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.connect import Public, Trading, open_public, open_trading
from venues.polymarket.heartbeat import HeartbeatSettings
from venues.polymarket.order_proof import contradiction
from venues.polymarket.signer import LocalSigner, Signer
from venues.polymarket.signing import SignatureType

_log = structlog.get_logger(__name__)

PLAY_MONEY = "1000"
"""Dollars that a new simulated account starts with."""
VENUE_START_SECONDS = 20.0
VENUE_WATCH_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 0.2
_ADDRESSES = {"url", "gamma_url", "data_url", "ws_url", "relayer_url", "rpc_url"}


@dataclass(frozen=True, slots=True)
class World:
    """The ports of one kernel, and everything that has to be closed after it."""

    ports: Ports
    account: str
    venue: str
    public: Public
    trading: Trading | None
    signer: Signer | None
    budgets: Budgets
    pipe: RedisPipe
    publisher: EventPublisher
    side: AccountSide

    async def close(self) -> None:
        if self.trading is not None:
            await self.trading.close()
        if self.signer is not None:
            await self.signer.close()
        await self.side.close()
        await self.public.close()
        await self.budgets.close()
        await self.pipe.stop()


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine's date beside the trader's clock, and the venue's (the `MachineTime` port)."""

    clock: SteadyClock
    clob: ClobReader

    def ahead(self) -> float:
        return self.clock.machine_ahead()

    async def venue_seconds(self) -> float:
        return float(await self.clob.server_time())


async def open_world(config: Config, clock: SteadyClock, ids: Ids) -> World:
    """Open everything a kernel needs for the configured venue."""
    places_orders = config.mode != "monitor"
    if config.venue.kind == "simulator":
        venue, signer = await simulated_account(config, places_orders=places_orders)
    else:
        venue, signer = real_venue(config, "paper" if places_orders else f"monitor:{config.venue.kind}"), None
    rng = SystemRandom()
    budgets = open_budgets(venue.venue, clock, redis_url())
    public = open_public(venue, clock=clock, rng=rng, budgets=budgets)
    trading = None
    try:
        if signer is not None:
            trading = await open_trading(
                venue, signer, clock=clock, ids=ids, rng=rng, budgets=budgets, heartbeat=_heartbeat(config)
            )
            side = live(config, venue.account, public, trading, clock, ids)
        elif places_orders:
            side = on_paper(config, public, clock, ids)
        else:
            side = watching(venue.account, public)
    except BaseException:
        await public.close()
        await budgets.close()
        raise
    encoder = EventEncoder(clock, ids, epoch=0)
    pipe = RedisPipe(redis_url(), clock, scripts=(*MARKET_SCRIPTS, *EVENT_SCRIPTS))
    publisher = EventPublisher(pipe, encoder, side.account)
    grace = config.trading.send_deadline_ms / 1000
    history_seconds = config.strategy.mean_reversion.lookback_window.total_seconds()
    ports = Ports(
        clock=clock,
        ids=ids,
        feed=side.feed,
        account_feed=side.account_feed,
        gateway=side.gateway,
        catalog=side.catalog,
        storage=PostgresStorage(database_url(), side.account, venue.venue, clock, grace=grace),
        events=publisher,
        contradiction=partial(contradiction, chain_id=venue.chain_id) if trading is not None else None,
        machine=Machine(clock, public.clob),
        heartbeat=trading.heartbeat if trading is not None else None,
        income=trading.income if trading is not None else None,
        holdings=trading.holdings if trading is not None else None,
        market_sinks=(lambda books: MarketPublisher(pipe, encoder, clock, books, history_seconds=history_seconds),),
        on_epoch=(encoder.begin,),
    )
    pipe.start()
    return World(ports, side.account, config.venue.kind, public, trading, signer, budgets, pipe, publisher, side)


def _heartbeat(config: Config) -> HeartbeatSettings | None:
    trading = config.trading
    return HeartbeatSettings(trading.heartbeat_s, trading.heartbeat_stall_s) if trading.heartbeat else None


def real_venue(config: Config, account: str) -> PolymarketConfig:
    """Return where the real venue is, and the configured wallet."""
    return PolymarketConfig(
        venue=config.venue.kind,
        account=account,
        clob_url=config.polymarket.clob_host,
        gamma_url=config.polymarket.gamma_host,
        data_url=config.polymarket.data_host,
        ws_url=config.polymarket.ws_host,
        relayer_url=config.polymarket.relayer_host,
        rpc_url=config.polymarket.rpc_host,
        chain_id=config.polymarket.chain_id,
        signature_type=SignatureType(config.polymarket.signature_type),
        funder=config.wallet.safe_address,
        builder=config.polymarket.builder_code,
    )


async def simulated_account(
    config: Config, *, places_orders: bool, patience: float = VENUE_START_SECONDS
) -> tuple[PolymarketConfig, Signer | None]:
    """Find the simulated venue that runs in this installation, and see that the account has play money.

    The account's key is made here, unless a signer of its own is configured: then the whole set-up is rehearsed with play money.
    `patience` is how many seconds a venue that is not there yet is waited for.
    """
    where = await _whereabouts(var_dir() / "venue.json", patience)
    signer = open_signer(config) if config.wallet.signer_socket else _simulated_signer(config)
    venue_id = await _venue_id(where["url"])
    venue = PolymarketConfig(
        venue=config.venue.kind,
        account=f"sim:{venue_id}" if places_orders else "monitor:simulator",
        clob_url=where["url"],
        gamma_url=where["gamma_url"],
        data_url=where["data_url"],
        ws_url=where["ws_url"],
        relayer_url=where["relayer_url"],
        rpc_url=where["rpc_url"],
        builder=config.polymarket.builder_code,
        chain_id=config.polymarket.chain_id,
        signature_type=SignatureType.EOA,
    )
    if not places_orders:
        return venue, None
    await _fund_once(where["url"], signer.address, venue_id)
    return venue, signer


def _simulated_signer(config: Config) -> LocalSigner:
    wallet = config.wallet
    if wallet.private_key is not None or wallet.keystore or wallet.safe_address:
        _log.warning("the configured wallet is not used: a simulated account has a key of its own")
    secret = load_or_create_secret(var_dir() / "simulated-wallet.key")
    return LocalSigner(sha256(secret.encode()).hexdigest())


async def _whereabouts(path: Path, patience: float) -> dict[str, str]:
    """Read where the venue is; it says so when it is ready, which may be a moment after the trader starts."""
    for _ in range(1 + int(patience / _LOOK_EVERY_SECONDS)):
        found = _read_whereabouts(path)
        if found is not None:
            return found
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    raise VenueError(f"no simulated venue has written {path}; start it with `manage.py runvenue`")


def _read_whereabouts(path: Path) -> dict[str, str] | None:
    """Return where the venue is, None before it says so; a file that does not say everything was left by an older version."""
    if not path.exists():
        return None
    found: dict[str, str] = json.loads(path.read_text())
    return found if found.keys() >= _ADDRESSES else None


async def _venue_id(url: str) -> str:
    """Return the id of the venue that answers at `url`; another id than before is another account."""
    return str((await _admin(url, "GET", "/admin/venue"))["venue_id"])


async def watch_venue(account: str) -> None:
    """Return never while the simulated venue of `account` answers; raise `VenueError` when another one has taken its place.

    A venue that is away proves nothing: it comes back where it was.
    """
    while True:
        await asyncio.sleep(VENUE_WATCH_SECONDS)
        where = _read_whereabouts(var_dir() / "venue.json")
        try:
            venue_id = await _venue_id(where["url"]) if where is not None else None
        except VenueError:
            continue
        if venue_id is not None and account != f"sim:{venue_id}":
            raise VenueError(f"another simulated venue has begun ({venue_id}): its account is another one")


async def _fund_once(url: str, address: str, venue_id: str) -> None:
    """Give a wallet play money the first time it meets this venue. One account has one key: another one is refused."""
    marker = var_dir() / f"simulated-wallet.{venue_id}.funded"
    if not marker.exists():
        await _admin(url, "POST", "/admin/faucet", {"address": address, "amount": PLAY_MONEY})
        marker.write_text(f"{PLAY_MONEY} {address}\n")
    elif marker.read_text().split()[1:] not in ([], [address]):
        raise VenueError(
            f"the account at this simulated venue is another key's than {address}: configure that key's signer, "
            "or begin another venue with `make fresh`"
        )


async def _admin(url: str, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, object]:
    timeout = aiohttp.ClientTimeout(total=5)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, url + path, json=body) as answer,
        ):
            if answer.status != 200:
                raise VenueError(f"{method} {path} was answered {answer.status}: {(await answer.text())[:200]}")
            content = await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise VenueError(f"the simulated venue does not answer at {url}: {error}") from error
    if not isinstance(content, dict):
        raise VenueError(f"{method} {path} was answered with {type(content).__name__}, expected an object")
    return content
