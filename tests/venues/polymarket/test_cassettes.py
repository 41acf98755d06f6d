"""Every recorded payload of the venue is read by the part of the client that would have received it; no file of the recordings is left out."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from domain.reports import CancelOutcome, Rejected, Uncertain
from infra.clock import SystemClock
from tests.venues.polymarket.listeners import AccountDiary, MarketDiary
from tests.venues.polymarket.pacing import Unpaced
from tests.venues.polymarket.recordings import DATA, needs_recordings
from tests.venues.polymarket.rest_server import rest_server
from venues.polymarket.account_reader import AccountReader
from venues.polymarket.account_wire import Identity
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.cancel_answers import read_cancel
from venues.polymarket.clob import ClobMarket, WireBook
from venues.polymarket.gamma_wire import ItemError, WireEvent, WireMarket, read_market
from venues.polymarket.http import HttpClient
from venues.polymarket.http1 import Answer
from venues.polymarket.market_codec import MarketCodec
from venues.polymarket.order_answers import read_answer
from venues.polymarket.signing import SignatureType
from venues.polymarket.user_feed import PolymarketAccountFeed

NOW_S = 1_777_374_000.0
FOLDERS = ("polymarket_user", "polymarket_clob_rest", "polymarket_gamma", "polymarket_ws")

pytestmark = [needs_recordings, pytest.mark.protocol("3.8", "3.9", "4.3", "4.4", "6.2", "6.3")]


def read(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def market_frame(path: Path) -> None:
    codec = MarketCodec(diary := MarketDiary())
    codec.feed(path.read_bytes(), 1)
    assert codec.bad == 0
    assert diary.events or codec.ignored


def frame_of_an_older_protocol(path: Path) -> None:
    codec = MarketCodec(MarketDiary())
    codec.feed(path.read_bytes(), 1)
    assert codec.bad == 1


def user_frame(path: Path) -> None:
    """Read a frame of the account channel as the one whose order or trade it tells of."""
    record = json.loads(path.read_bytes())
    ours = (
        next((entry["owner"] for entry in record.get("maker_orders") or ()), "")
        if record.get("trader_side") == "MAKER"
        else record["owner"]
    )
    feed = PolymarketAccountFeed(
        "ws://127.0.0.1:1", ApiCredentials("0x1", ours, "c2VjcmV0", "pass"), Identity(ours, "0x0"), clock=None, rng=None
    )
    feed._listener = diary = AccountDiary()
    feed.on_data(path.read_bytes())
    assert feed.refused == 0
    assert diary.events


def cancel_answer(path: Path) -> None:
    said = json.loads(path.read_bytes())
    ids = [*said["canceled"], *said["not_canceled"]]
    outcome = read_cancel(ids, Answer(200, {}, path.read_bytes(), reusable=True), NOW_S)
    assert outcome == CancelOutcome(cancelled=tuple(said["canceled"]), refused=said["not_canceled"])


def order_answer(path: Path) -> None:
    body = path.read_bytes()
    status = 500 if "error" in json.loads(body) else 200
    outcome = read_answer(json.loads(body).get("orderID") or "0x00", Answer(status, {}, body, reusable=True), NOW_S)
    # The recorded success lacks the status that a taken order has: that proves nothing.
    assert type(outcome) is (Rejected if path.stem.endswith("_failed") else Uncertain)


def rest_book(path: Path) -> None:
    book = msgspec.json.decode(path.read_bytes(), type=WireBook)
    assert book.bids
    assert book.asks


def clob_markets(path: Path) -> None:
    tree = json.loads(read(path))
    for item in tree.get("data", [tree]):
        assert msgspec.convert(item, ClobMarket, strict=False).condition_id == item["condition_id"]


def gamma_market(raw: Any) -> None:
    """Read a listed market; a refusal names its reason."""
    try:
        market = read_market(msgspec.convert(raw, WireMarket), "polymarket")
    except ItemError as error:
        reason = str(error)
        assert reason
    else:
        assert market.condition_id == raw["conditionId"]


def gamma_markets(path: Path) -> None:
    content = read(path)
    if ".jsonl" in path.name:
        rows = [json.loads(line)["raw"] for line in content.splitlines()]
        items = [json.loads(row) if isinstance(row, str) else row for row in rows]
    else:
        tree = json.loads(content)
        items = tree if isinstance(tree, list) else [tree]
    assert items
    for item in items:
        gamma_market(item)


def gamma_events(path: Path) -> None:
    tree = json.loads(path.read_bytes())
    events = tree["events"] if isinstance(tree, dict) else tree
    assert events
    for event in events:
        decoded = msgspec.json.decode(json.dumps(event), type=WireEvent)
        assert str(decoded.id) == str(event["id"])
        for raw in event.get("markets") or ():
            gamma_market(raw)


def gamma_table(path: Path) -> None:
    rows = list(csv.DictReader(read(path).decode().splitlines()))
    assert all(len(json.loads(row["clobTokenIds"])) == 2 for row in rows if row["clobTokenIds"])
    assert len(rows) == 500


SPOKEN: dict[str, Callable[[Path], None]] = {
    "polymarket_ws/messages/py_price_change.json": frame_of_an_older_protocol,
    "polymarket_ws/messages/ws_*.json": market_frame,
    "polymarket_ws/messages/py_*.json": market_frame,
    "polymarket_user/ws_*.json": user_frame,
    "polymarket_user/py_*.json": user_frame,
    "polymarket_user/http_*cancel_response*.json": cancel_answer,
    "polymarket_user/http_order_response_*.json": order_answer,
    "polymarket_clob_rest/*book*.json": rest_book,
    "polymarket_clob_rest/clob_market*": clob_markets,
    "polymarket_gamma/messages/gamma_market*.json": gamma_markets,
    "polymarket_gamma/messages/gamma_event.json": gamma_events,
    "polymarket_gamma/messages/search_response.json": gamma_events,
    "polymarket_gamma/*.csv.gz": gamma_table,
    "polymarket_gamma/*.gz": gamma_markets,
}
"""Which part of the client reads a file, the first pattern that fits."""
OVER_HTTP = ("polymarket_user/http_*", "polymarket_ws/messages/py_trades.json")
"""Signed reads: looked for first, served by a real server."""
UNSPOKEN = {
    "polymarket_ws/messages/rtds_*": "the real-time data socket is not read",
    "polymarket_ws/*.json*": "whole streams, replayed elsewhere",
    "polymarket_clob_rest/clob_fee_rate*": "a legacy flag, no fee arithmetic uses it",
    "polymarket_gamma/messages/gamma_tags.json": "tags are not read",
}


def names() -> list[str]:
    return sorted(
        str(path.relative_to(DATA)) for folder in FOLDERS for path in (DATA / folder).rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("name", names() or ["no recordings"])
async def test_a_recorded_payload_is_read(name: str) -> None:
    reader = next((reader for pattern, reader in SPOKEN.items() if fnmatch(name, pattern)), None)
    if any(fnmatch(name, pattern) for pattern in OVER_HTTP) and reader not in (cancel_answer, order_answer):
        await read_by_rest(name, json.loads((DATA / name).read_bytes()))
        return
    if reader is not None:
        reader(DATA / name)
        return
    assert any(fnmatch(name, pattern) for pattern in UNSPOKEN), f"nothing reads {name}"


async def read_by_rest(name: str, body: dict[str, Any]) -> None:
    """Serve an answer to a signed read, and read it as the account it is about."""
    async with rest_server() as server, aiohttp.ClientSession() as session:
        credentials = ApiCredentials("0x1", "key", "c2VjcmV0", "pass")
        page: dict[str, Any] = body if "data" in body else {"data": [body], "next_cursor": "LTE="}
        record: dict[str, Any] = page["data"][0]
        identity = Identity(record.get("owner", ""), record.get("maker_address", "0x0"))
        http = HttpClient(server.url, session, Unpaced())
        reader = AccountReader(http, credentials, identity, SignatureType.EOA, SystemClock())
        if "balance" in body:
            server.on("GET /balance-allowance", body)
            cash = (await reader.balances([])).cash
            assert cash == (250_500_000 if "." in body["balance"] else int(body["balance"]))
        elif "trade" in name:
            server.on("GET /data/trades", page)
            assert {report.trade_id for report in await reader.trades()} == {trade["id"] for trade in page["data"]}
        else:
            server.on("GET /data/orders", page)
            server.on(f"GET /data/order/{record['id']}", record)
            assert {report.order_id for report in await reader.open_orders()} == {order["id"] for order in page["data"]}
            report = await reader.order(record["id"])
            assert report is not None
            assert report.token_id == record["asset_id"]
