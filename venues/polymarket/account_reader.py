"""Signed reads of one account: its orders, trades and balances.

A list is whole or it is an error: a broken page, a record that cannot be read, or a cursor that does not advance raises `VenueError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from domain.errors import VenueError
from domain.money import parse_micros
from domain.ports import Clock
from domain.reports import Balances, OrderReport, TradeReport
from venues.polymarket.account_wire import (
    BAD_RECORD,
    Identity,
    WireOrder,
    WireTrade,
    order_report,
    trade_reports,
)
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.contracts import is_position_id
from venues.polymarket.http import HttpClient, NotFoundError, Query
from venues.polymarket.signing import SignatureType

LAST_CURSOR = "LTE="
MAX_PAGES = 1_000
MAX_PASSES = 8
_CONCURRENT_BALANCES = 8

T = TypeVar("T")


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    next_cursor: str = ""


class _Balance(msgspec.Struct):
    balance: str


_decode_page = msgspec.json.Decoder(_Page).decode
_decode_order = msgspec.json.Decoder(WireOrder).decode
_decode_optional_order = msgspec.json.Decoder(WireOrder | None).decode
_decode_trade = msgspec.json.Decoder(WireTrade).decode
_decode_balance = msgspec.json.Decoder(_Balance).decode


class AccountReader:
    """Reads what the venue knows of one account."""

    def __init__(
        self,
        http: HttpClient,
        credentials: ApiCredentials,
        identity: Identity,
        signature_type: SignatureType,
        clock: Clock,
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._identity = identity
        # Without it, the venue reads another wallet.
        self._kind = ("signature_type", str(int(signature_type)))
        self._clock = clock

    async def order(self, order_id: str) -> OrderReport | None:
        """Return the venue's word on an order, None when it does not know it."""
        path = f"/data/order/{order_id}"
        try:
            content = await self._get(path)
        except NotFoundError:
            return None
        try:
            order = _decode_optional_order(content)
            return None if order is None else order_report(order)
        except BAD_RECORD as error:
            raise VenueError(f"GET {path}: the answer was malformed: {error}") from error

    async def open_orders(self) -> list[OrderReport]:
        """Return all resting orders.

        Pages are cut by offset: an order that ends meanwhile moves another past the reader. What takes several pages is therefore read until
        two passes in a row name the same orders.
        """
        before: set[str] | None = None
        for _ in range(MAX_PASSES):
            pages = await self._pages("/data/orders", (), lambda record: order_report(_decode_order(record)))
            reports = {report.order_id: report for page in pages for report in page}
            if len(pages) == 1 or set(reports) == before:
                return list(reports.values())
            before = set(reports)
        raise VenueError(f"GET /data/orders: the orders changed in each of {MAX_PASSES} passes")

    async def trades(self, after_ns: int = 0) -> list[TradeReport]:
        """Return our parts of all trades matched at or after `after_ns` (and perhaps some a second older), oldest first."""
        query = (("after", str(max(0, after_ns // 1_000_000_000 - 1))),) if after_ns else ()
        pages = await self._pages(
            "/data/trades", query, lambda record: trade_reports(_decode_trade(record), self._identity)
        )
        reports = (report for page in pages for parts in page for report in parts)
        return sorted(reports, key=lambda report: report.matched_ns)

    async def balances(self, token_ids: Sequence[str]) -> Balances:
        """Return cash and the shares held of each of `token_ids`."""
        places = asyncio.Semaphore(_CONCURRENT_BALANCES)

        async def read(*query: tuple[str, str]) -> int:
            async with places:
                return await self._balance(query)

        unique = list(dict.fromkeys(token_ids))
        cash, *shares = await asyncio.gather(
            read(("asset_type", "COLLATERAL")),
            *(read(("asset_type", _asset_type(token)), ("token_id", token)) for token in unique),
        )
        return Balances(cash=cash, tokens=dict(zip(unique, shares, strict=True)))

    async def refresh_balances(self, token_ids: Sequence[str]) -> None:
        """Make the venue read the wallet's balances and allowances from the chain again."""
        assets: list[Query] = [(("asset_type", "COLLATERAL"),)]
        assets += [(("asset_type", _asset_type(token)), ("token_id", token)) for token in token_ids]
        for query in assets:
            await self._get("/balance-allowance/update", (*query, self._kind))

    async def _balance(self, query: Query) -> int:
        content = await self._get("/balance-allowance", (*query, self._kind))
        try:
            text = _decode_balance(content).balance
            # Base units, which are micro-units; some answers carry a decimal point instead.
            balance = parse_micros(text) if "." in text else int(text)
        except BAD_RECORD as error:
            raise VenueError(f"GET /balance-allowance: the answer was malformed: {error}") from error
        if balance < 0:
            raise VenueError(f"GET /balance-allowance: the balance was {text}")
        return balance

    async def _pages(self, path: str, query: Query, read: Callable[[msgspec.Raw], T]) -> list[list[T]]:
        """Return the records of a list page by page, at least one page."""
        pages: list[list[T]] = []
        cursors: set[str] = set()
        cursor = ""
        for _ in range(MAX_PAGES):
            content = await self._get(path, (*query, ("next_cursor", cursor)) if cursor else query)
            try:
                page = _decode_page(content)
                pages.append([read(record) for record in page.data])
            except BAD_RECORD as error:
                raise VenueError(f"GET {path}: a record was malformed: {error}") from error
            cursor = page.next_cursor
            if cursor in {"", LAST_CURSOR} or not page.data:
                return pages
            if cursor in cursors:
                raise VenueError(f"GET {path}: the cursor {cursor!r} came twice")
            cursors.add(cursor)
        raise VenueError(f"GET {path}: more than {MAX_PAGES} pages")

    async def _get(self, path: str, query: Query = ()) -> bytes:
        timestamp = self._clock.now_ns() // 1_000_000_000
        return await self._http.get(path, query, self._credentials.headers(timestamp, "GET", path))


def _asset_type(token_id: str) -> str:
    return "CONDITIONAL-V2" if is_position_id(int(token_id)) else "CONDITIONAL"
