"""From a signal to the order's first bytes at the venue, its row durable before: real PostgreSQL, a real socket, a server that notes the arrival.

The way is the trader's: executor, risk, signing, journal, recheck, connection. The floor is what cannot be left out: the commit of that row and
the write of those bytes, bare, without an event loop. Both take turns. The parts are medians over the same orders: `decide` is from the signal to its
reservation, `sign` from there to the signed bytes, `commit` until the row is known to be durable, `write` until the bytes arrive.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Sequence
from itertools import pairwise
from statistics import median, quantiles
from time import monotonic_ns
from typing import Any

import aiohttp
import psycopg
import uvloop

from benchmarks.arrivals import door
from benchmarks.database import migrated_database
from benchmarks.measure import Result
from domain.money import MICRO
from domain.order import Order, OrderDraft, OrderStatus, OrderType, PreparedOrder
from domain.reports import SendOutcome
from infra.clock import SystemClock
from infra.ids import RandomIds
from markets.store import save_markets
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.trading.scripted import Book
from tests.venues.polymarket.pacing import Unpaced
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from trading.executor import MANUAL
from trading.journal_postgres import PostgresJournal
from trading.lease import PostgresLeases
from trading.limits import RiskLimits
from trading.row_codec import encode
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.gateway import PolymarketGateway
from venues.polymarket.http import HttpClient, open_session
from venues.polymarket.order_connection import OrderConnection
from venues.polymarket.signer import LocalSigner

ORDERS, MARKETS = 400, 50
PARTS = ("decide", "sign", "commit", "write")
FLOOR = "bare commit and socket write"
LIMITS = RiskLimits(max_market_notional=10**12, max_event_notional=10**12, max_book_age_ms=3_600_000)


def run(orders: int = ORDERS) -> list[Result]:
    with migrated_database() as conninfo:
        return measure(conninfo, orders)


def measure(conninfo: str, orders: int) -> list[Result]:
    """Measure on a migrated database."""
    markets = [f.market(id=f"m{n}", condition_id=f"0xc{n}", token_ids=(f"{n}001", f"{n}002")) for n in range(MARKETS)]
    save_markets(markets, [])
    with door() as port, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        ways, floor = runner.run(_take_turns(conninfo, port, markets, orders))
    whole = [sum(way) for way in ways]
    parts = {part: median(way[n] for way in ways) for n, part in enumerate(PARTS)}
    return [
        Result("signal to socket, durable, p50", "ms", median(whole), median(floor), FLOOR),
        Result("signal to socket, durable, p99", "ms", _p99(whole), _p99(floor), FLOOR),
        *(Result(f"signal to socket, of it {part}", "ms", parts[part]) for part in PARTS),
    ]


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]


class Timed(PolymarketGateway):
    """The gateway; notes when an order was signed and when it may leave."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.signed_ns = self.leaves_ns = 0
        self.sent: asyncio.Queue[str] = asyncio.Queue()

    async def prepare(self, draft: OrderDraft) -> PreparedOrder:
        prepared = await super().prepare(draft)
        self.signed_ns = monotonic_ns()
        return prepared

    async def send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        self.leaves_ns = monotonic_ns()
        outcome = await super().send(prepared, deadline)
        self.sent.put_nowait(prepared.order_id)
        return outcome


class Floor:
    """The least there is to do, done at once: INSERT, COMMIT, write."""

    def __init__(self, conninfo: str, port: int) -> None:
        self._port = port
        self._connection = psycopg.connect(conninfo)
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._statement = ""

    def order(self, order: Order) -> int:
        """Make another row like that of `order` durable, send the order's bytes, and return when that began."""
        columns = encode(order).columns | {"id": f"{order.id}-floor", "decision_id": RandomIds().uuid()}
        if not self._statement:
            names, places = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
            self._statement = f"INSERT INTO orders ({names}) VALUES ({places})"
        body = order.prepared.payload
        request = b"POST /order HTTP/1.1\r\nHost: venue\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        begun = monotonic_ns()
        self._connection.execute(self._statement.encode(), columns)
        self._connection.commit()
        self._socket.sendall(request)
        self._socket.recv(65_536)
        return begun

    def close(self) -> list[int]:
        """Return when each request arrived at the door, ours and the floor's."""
        self._connection.close()
        self._socket.close()
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection.request("GET", "/arrivals")
        arrivals: list[int] = json.load(connection.getresponse())
        connection.close()
        return arrivals


def _gateway(url: str, session: aiohttp.ClientSession) -> Timed:
    clock = SystemClock()
    config = PolymarketConfig(account=f.ACCOUNT, clob_url=url, gamma_url=url, ws_url=url.replace("http", "ws"))
    credentials = ApiCredentials(address=ADDRESS, key="k" * 36, secret="AAECAwQFBgcICQoLDA0ODw==", passphrase="p")
    return Timed(
        config,
        LocalSigner(PRIVATE_KEY),
        credentials,
        http=HttpClient(url, session, Unpaced()),
        connection=OrderConnection(url, clock, pace=Unpaced()),
        clock=clock,
        ids=RandomIds(),
    )


async def _take_turns(
    conninfo: str, port: int, markets: Sequence[Any], orders: int
) -> tuple[list[tuple[float, ...]], list[float]]:
    """Return the milliseconds of each order's parts, and of each order on the floor."""
    session = open_session()
    gateway = _gateway(f"http://127.0.0.1:{port}", session)
    rig = Rig(SystemClock(), limits=LIMITS, deposit=10**6 * MICRO, gateway=gateway)  # type: ignore[arg-type]
    rig.markets, rig.book = {market.id: market for market in markets}, Book(received_ns=SystemClock().now_ns())
    journal = PostgresJournal(conninfo, f.ACCOUNT, epoch=lambda: rig.lease.epoch, market_of=rig.markets.__getitem__)
    rig.desk.journal = journal
    rig.lease.lease = await PostgresLeases(journal.call, SystemClock(), grace=0.0).acquire(f.ACCOUNT, "bench", 3_600.0)
    floor = Floor(conninfo, port)
    ways, bare, moments = list[tuple[float, ...]](), list[int](), list[tuple[int, ...]]()
    for number in range(orders):
        market = markets[number % len(markets)]
        signal = f.signal(
            source=MANUAL, market=market, token_id=market.token_ids[0], price=510_000, order_type=OrderType.FOK,
            created_ns=0, expires_ns=2**62,
        )  # fmt: skip
        begun = monotonic_ns()
        rig.executor.submit(signal)
        decided = monotonic_ns()
        own = rig.portfolio.orders.get(await gateway.sent.get())
        moments.append((begun, decided, gateway.signed_ns, gateway.leaves_ns))
        # The next order does not find the journal busy with this one's end.
        await journal.call(lambda _: None)
        if own is None or own.status is not OrderStatus.REJECTED:
            raise AssertionError(f"the order came to another end than the door's: {own}")
        bare.append(floor.order(own.order))
    await gateway.close()
    await session.close()
    await journal.close()
    arrived = floor.close()
    for stamps, arrival in zip(moments, arrived[0::2], strict=True):
        whole = (*stamps, arrival)
        ways.append(tuple((after - before) / 1e6 for before, after in pairwise(whole)))
    return ways, [(arrival - begun) / 1e6 for begun, arrival in zip(bare, arrived[1::2], strict=True)]
