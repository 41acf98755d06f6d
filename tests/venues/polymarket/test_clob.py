"""Public reads of the order book service against a real HTTP server."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from domain.book import Level
from domain.errors import VenueError, VenueUnavailableError
from infra.clock import SystemClock
from tests.venues.polymarket.pacing import Unpaced
from tests.venues.polymarket.rest_server import RestServer, refusal, rest_server
from tests.venues.polymarket.vectors import VECTORS
from venues.polymarket import http as http_module
from venues.polymarket.clob import BOOKS_PER_REQUEST, ClobReader
from venues.polymarket.http import HttpClient, NotFoundError, open_session

HASHED = {**json.loads(VECTORS["orderbook_hash"]["hashed_string"]), "hash": VECTORS["orderbook_hash"]["hash"]}


@pytest.fixture
async def venue() -> AsyncIterator[RestServer]:
    async with rest_server() as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture
def reader(venue: RestServer, session: aiohttp.ClientSession) -> ClobReader:
    return ClobReader(HttpClient(venue.url, session, Unpaced()), SystemClock())


@pytest.mark.protocol("3.9", "4.5")
async def test_a_book_whose_hash_is_right_is_delivered_best_level_last(venue: RestServer, reader: ClobReader) -> None:
    venue.on("POST /books", [HASHED])
    (book,) = await reader.books([HASHED["asset_id"]])
    assert (book.bids[-1], book.asks[-1]) == (Level("0.49", "20.5"), Level("0.52", "100"))
    assert (book.tick, book.venue_ms, book.hash) == (10_000, 1_777_374_000_456, HASHED["hash"])
    assert json.loads(venue.requests[0].body) == [{"token_id": HASHED["asset_id"]}]


@pytest.mark.protocol("4.5")
async def test_a_book_whose_hash_is_wrong_is_left_out_and_the_others_are_not(
    venue: RestServer, reader: ClobReader
) -> None:
    forged = {**HASHED, "bids": [{"price": "0.48", "size": "31"}]}
    unhashed = {"market": "0x1", "asset_id": "5", "timestamp": "7", "hash": "short", "bids": [], "asks": []}
    venue.on("POST /books", [forged, unhashed])
    assert [book.token_id for book in await reader.books(["1", "5"])] == ["5"]
    assert reader.wrong_hashes == 1


@pytest.mark.protocol("3.9")
async def test_many_books_are_read_in_parts(venue: RestServer, reader: ClobReader) -> None:
    venue.on(
        "POST /books",
        lambda r: [{"market": "0x1", "asset_id": t["token_id"], "timestamp": "1"} for t in json.loads(r.body)],
    )
    tokens = [str(n) for n in range(2 * BOOKS_PER_REQUEST + 1)]
    assert [book.token_id for book in await reader.books(tokens)] == tokens
    assert [len(json.loads(r.body)) for r in venue.requests] == [BOOKS_PER_REQUEST, BOOKS_PER_REQUEST, 1]
    assert await reader.books([]) == []


@pytest.mark.parametrize(
    "broken",
    [{"books": []}, [{"asset_id": "1"}], [{**HASHED, "hash": "", "tick_size": "0.3"}], [{**HASHED, "hash": "", "timestamp": "soon"}],
     [{**HASHED, "bids": [{"price": 0.4, "size": "1"}]}], 7],
)  # fmt: skip
async def test_malformed_books_are_an_error(venue: RestServer, reader: ClobReader, broken: Any) -> None:
    venue.on("POST /books", broken)
    with pytest.raises(VenueError, match="malformed"):
        await reader.books(["1"])


@pytest.mark.parametrize(
    "body", [b'[{"condition_id":"\xff"}]', b'[{"condition_id":"0x1","tokens":[{"x":' + b"[" * 99_999]
)
async def test_bytes_that_are_no_text_are_an_error_too(venue: RestServer, reader: ClobReader, body: bytes) -> None:
    venue.on("POST /books", lambda _: web.Response(body=body))
    with pytest.raises(VenueError, match="malformed"):
        await reader.books(["1"])
    venue.on("GET /markets/0x1", lambda _: web.Response(body=body[1:]))
    with pytest.raises(VenueError, match="malformed"):
        await reader.market("0x1")
    venue.on("GET /time", lambda _: web.Response(body=body[1:]))
    with pytest.raises(VenueError, match="malformed"):
        await reader.server_time()


@pytest.mark.protocol("3.9")
async def test_the_venues_clock_is_a_bare_integer(venue: RestServer, reader: ClobReader) -> None:
    venue.on("GET /time", 1777374000)
    assert await reader.server_time() == 1777374000
    venue.on("GET /time", {"time": 1})
    with pytest.raises(VenueError, match="malformed"):
        await reader.server_time()


@pytest.mark.protocol("3.10")
async def test_statuses_become_the_domains_errors(venue: RestServer, session: aiohttp.ClientSession) -> None:
    client = HttpClient(venue.url, session, Unpaced())
    for status in (425, 429, 503):
        venue.on("GET /x", lambda _, status=status: refusal(status, "later"))
        with pytest.raises(VenueUnavailableError, match=f"{status} 'later'"):
            await client.get("/x")
    for status in (400, 401, 403, 500, 502, 301, 204):
        venue.on(
            "GET /x",
            lambda _, status=status: web.Response(status=status, body=b"<html>no</html>" if status != 204 else b""),
        )
        with pytest.raises(VenueError, match=str(status)) as refused:
            await client.get("/x")
        assert not isinstance(refused.value, VenueUnavailableError)
    with pytest.raises(NotFoundError):
        await client.get("/nowhere")
    venue.on("GET /x", lambda _: web.Response(status=404, body=b"<html>404</html>"))
    with pytest.raises(VenueError, match="404") as page:
        await client.get("/x")
    assert not isinstance(page.value, NotFoundError)


async def test_only_a_refusals_text_is_quoted_because_any_other_answer_may_hold_a_secret(
    venue: RestServer, session: aiohttp.ClientSession
) -> None:
    venue.on("POST /auth/api-key", lambda _: web.json_response({"secret": "c2VjcmV0"}, status=201))
    with pytest.raises(VenueError, match="201") as refused:
        await HttpClient(venue.url, session, Unpaced()).post("/auth/api-key")
    assert "c2VjcmV0" not in str(refused.value)


async def test_a_silent_or_absent_venue_is_an_error() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with open_session(timeout=0.5) as session:
        with pytest.raises(VenueError, match="no answer in time"):
            await HttpClient(f"http://127.0.0.1:{port}", session, Unpaced()).get("/x")
    server.close()
    async with open_session() as session:
        with pytest.raises(VenueError, match="Connect"):
            await HttpClient(f"http://127.0.0.1:{port}", session, Unpaced()).get("/x")


async def test_an_endless_answer_is_cut_off(
    venue: RestServer, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_module, "MAX_ANSWER_BYTES", 1000)
    venue.on("GET /x", web.Response(body=b"x" * 2000))
    with pytest.raises(VenueError, match="larger than 1000"):
        await HttpClient(venue.url, session, Unpaced()).get("/x")
