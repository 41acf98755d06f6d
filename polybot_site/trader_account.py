"""The account side of a trader: none while it only watches, live orders (with a paper twin beside them if wanted), or paper ones.

Paper accounts and twins see the books through the same feed and catalogue as the trader, which are therefore part of the side.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from domain.money import exact_micros
from domain.ports import AccountFeed, Clock, Ids, MarketCatalog, MarketFeed, OrderGateway
from infra.paths import var_dir
from polybot_site.config import Config
from runtime.no_account import NoAccountFeed, NoGateway
from venues.paper.connect import open_account, open_twin
from venues.paper.gateway import Latency
from venues.paper.shadow import ShadowedFeed, ShadowedGateway, Twin
from venues.polymarket.connect import Public, Trading


@dataclass(frozen=True, slots=True)
class AccountSide:
    """The ports that depend on the account. `close` ends what was opened for it; the public data and the live connections are others'."""

    account: str
    feed: MarketFeed
    catalog: MarketCatalog
    gateway: OrderGateway
    account_feed: AccountFeed
    close: Callable[[], Awaitable[None]]
    twin: Twin | None = None


def watching(account: str, public: Public) -> AccountSide:
    """Return the side of a trader that places no orders."""
    return AccountSide(account, public.feed, public.catalog, NoGateway(account), NoAccountFeed(), _nothing)


def on_paper(config: Config, public: Public, clock: Clock, ids: Ids) -> AccountSide:
    """Open the configured paper account. Raises `VenueError` when its memory cannot be used."""
    paper = open_account(
        paper_folder(),
        config.paper.name,
        balance=exact_micros(config.paper.balance),
        venue=public.catalog.venue,
        feed=public.feed,
        catalog=public.catalog,
        clock=clock,
        ids=ids,
        latency=_latency(config),
    )
    return AccountSide(paper.gateway.account, paper.feed, paper.catalog, paper.gateway, paper.account_feed, paper.close)


def live(config: Config, account: str, public: Public, trading: Trading, clock: Clock, ids: Ids) -> AccountSide:
    """Return the side of a trader with orders at the venue."""
    if not config.shadow.enabled:
        return AccountSide(account, public.feed, public.catalog, trading.gateway, trading.account_feed, _nothing)
    paper = open_twin(
        "paper:twin",
        venue=public.catalog.venue,
        feed=public.feed,
        catalog=public.catalog,
        clock=clock,
        ids=ids,
        # It meets the book as it was seen: what the live order does to that book comes after.
        latency=Latency(),
    )
    twin = Twin(account, paper, clock)
    gateway, account_feed = ShadowedGateway(trading.gateway, twin), ShadowedFeed(trading.account_feed, twin)
    return AccountSide(account, paper.feed, paper.catalog, gateway, account_feed, twin.close, twin)


def paper_folder() -> Path:
    """Return where paper accounts are kept."""
    return var_dir() / "paper"


def _latency(config: Config) -> Latency:
    return Latency(config.paper.send_ms / 1000, config.paper.answer_ms / 1000)


async def _nothing() -> None:
    """Nothing was opened."""
