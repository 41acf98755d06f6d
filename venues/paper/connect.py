"""Opens a paper account beside a venue's public data.

An account's memory is a folder. A reset begins another account instead of changing the books of this one: `paper:default`, then `paper:default.2` and
so on; the newest trades, the older keep their history. Raises `PaperStoreError` when the memory cannot be used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from domain.ports import Clock, Ids, MarketCatalog, MarketFeed
from venues.exchange import Exchange
from venues.paper.gateway import Latency, PaperAccountFeed, PaperGateway
from venues.paper.store import PaperStore
from venues.paper.tee import TeeCatalog, TeeFeed
from venues.paper.venue import SETTLES, Memory, NoMemory, PaperVenue, Settlement
from venues.paper.witness import Witness

NAME = r"[a-z0-9_-]{1,40}"
"""What an account may be called."""


@dataclass(frozen=True, slots=True)
class Paper:
    """One open paper account: the trader's ports, which see what `feed` and `catalog` tell."""

    paper: PaperVenue
    gateway: PaperGateway
    account_feed: PaperAccountFeed
    feed: MarketFeed
    catalog: MarketCatalog
    witness: Witness
    store: PaperStore | None

    async def close(self) -> None:
        """Stop, and let another process use the account."""
        await self.account_feed.stop()
        if self.store is not None:
            self.store.close()


def newest(root: Path, name: str) -> str:
    """Return the account begun last under `name` in `root`, or its first one's name when there is none."""
    pattern = re.compile(rf"{re.escape(name)}(?:\.\d+)?")
    return max((path.name for path in root.glob("*") if pattern.fullmatch(path.name)), key=_number, default=name)


def begin_another(root: Path, name: str, balance: int, clock: Clock, ids: Ids) -> str:
    """Begin the next account under `name` with `balance` micro-dollars and return it; refused while a trader uses the present one."""
    present = newest(root, name)
    PaperStore(root / present).close()
    used = (root / present / "snapshot").exists()
    following = f"{name}.{_number(present) + 1}" if used else present
    store = PaperStore(root / following)
    try:
        _exchange(store, f"paper:{following}", balance, clock, ids)
    finally:
        store.close()
    return f"paper:{following}"


def _number(account: str) -> int:
    """Return which account of its name this is: "default" is the first, "default.2" the second."""
    return int(account.partition(".")[2] or 1)


def open_account(
    root: Path,
    name: str,
    *,
    balance: int,
    venue: str,
    feed: MarketFeed,
    catalog: MarketCatalog,
    clock: Clock,
    ids: Ids,
    latency: Latency,
    settles: Settlement = SETTLES,
) -> Paper:
    """Open the newest account under `name`, a new one with `balance` when there is none."""
    present = newest(root, name)
    store = PaperStore(root / present)
    try:
        exchange = _exchange(store, f"paper:{present}", balance, clock, ids)
    except BaseException:
        store.close()
        raise
    return _open(f"paper:{present}", exchange, store, venue, feed, catalog, clock, ids, latency, settles)


def open_twin(
    account: str, *, venue: str, feed: MarketFeed, catalog: MarketCatalog, clock: Clock, ids: Ids, latency: Latency
) -> Paper:
    """Open an account without money that lives as long as this process."""
    exchange = Exchange(f"{account}/{ids.uuid()}")
    return _open(account, exchange, NoMemory(), venue, feed, catalog, clock, ids, latency, SETTLES)


def _exchange(store: PaperStore, account: str, balance: int, clock: Clock, ids: Ids) -> Exchange:
    """Return the stored exchange, or store a new one whose account holds `balance`."""
    exchange = store.load()
    if exchange is None:
        exchange = Exchange(f"{account}/{ids.uuid()}")
        PaperVenue(account, exchange, NoMemory(), clock).deposit(balance)
        store.compact(exchange)
    return exchange


def _open(
    account: str,
    exchange: Exchange,
    memory: Memory,
    venue: str,
    feed: MarketFeed,
    catalog: MarketCatalog,
    clock: Clock,
    ids: Ids,
    latency: Latency,
    settles: Settlement,
) -> Paper:
    paper = PaperVenue(account, exchange, memory, clock, settles=settles)
    witness = Witness(paper, clock)
    return Paper(
        paper,
        PaperGateway(paper, venue, clock=clock, ids=ids, latency=latency),
        PaperAccountFeed(paper, latency),
        TeeFeed(feed, witness),
        TeeCatalog(catalog, witness.on_market),
        witness,
        memory if isinstance(memory, PaperStore) else None,
    )
