"""Builders: what orders that name a builder traded, and what builders charge (nothing).

The builder code of an address is that address as 32 bytes, zeros in front. A code is known once its address made a builder key, or an
order named it. One trade is one row for each of its orders that named the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiohttp import web
from eth_utils.address import to_checksum_address

from venues.exchange.events import TradeView
from venues.simulator.clob.books import decimal
from venues.simulator.clob.trading_routes import match_times
from venues.simulator.http import PAGE_SIZE, answer, page
from venues.simulator.refusals import RefusalError, bad_request
from venues.simulator.rewards.views import View
from venues.simulator.venue import Venue
from venues.simulator.world.universe import NANOS
from venues.simulator.world.wallets import KeyKind

_CODE = re.compile(r"0x[0-9a-f]{64}")
_ADDRESS_ZEROS = "0" * 24


class BuilderRoutes:
    """Handlers of builder reads; none needs a key."""

    def __init__(self, venue: Venue, page_size: int = PAGE_SIZE) -> None:
        self._venue = venue
        self._page_size = page_size

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/builder/trades", self.trades), web.get("/fees/builder-fees/{code}", self.fees)]

    async def fees(self, request: web.Request) -> web.Response:
        if not self._known(request.match_info["code"].lower()):
            raise RefusalError(404, "builder not found")
        return answer({"builder_maker_fee_rate_bps": 0, "builder_taker_fee_rate_bps": 0})

    async def trades(self, request: web.Request) -> web.Response:
        query = request.query
        code = query.get("builder_code", "").lower()
        if not _CODE.fullmatch(code):
            raise bad_request("Invalid payload")
        after, before = match_times(query)
        rows = [
            row
            for trade in reversed(self._venue.world.history.trades.values())
            if after <= trade.matched_ns // NANOS <= before
            and (query.get("market") or trade.condition_id) == trade.condition_id
            for row in self._rows(trade, code)
            if (query.get("id") or row["id"]) == row["id"]
            and (query.get("asset_id") or row["assetId"]) == row["assetId"]
            and (query.get("maker_address") or row["maker"]).lower() == row["maker"].lower()
        ]
        return answer(page(request, rows, self._page_size, lambda row: row, "Invalid trade params payload"))

    def _known(self, code: str) -> bool:
        world = self._venue.world
        if not _CODE.fullmatch(code) or not int(code, 16):
            return False
        if code in world.history.builders.values():
            return True
        address = to_checksum_address("0x" + code[26:])
        return code[2:26] == _ADDRESS_ZEROS and bool(world.wallets.keys_of(address, KeyKind.BUILDER))

    def _rows(self, trade: TradeView, code: str) -> Iterator[View]:
        """Yield the rows of a trade's orders that named `code`."""
        builders = self._venue.world.history.builders
        if builders.get(trade.taker_order_id) == code:
            yield self._row(
                trade, code, "TAKER", trade.taker_order_id, trade.account, trade.token_id, trade.side.name
            ) | {
                "size": decimal(trade.size),
                "sizeUsdc": decimal(trade.cash),
                "price": decimal(trade.price),
                "fee": decimal(trade.fee),
                "feeUsdc": decimal(trade.fee),
            }
        for fill in trade.makers:
            if builders.get(fill.order_id) == code:
                yield self._row(trade, code, "MAKER", fill.order_id, fill.account, fill.token_id, fill.side.name) | {
                    "size": decimal(fill.size),
                    "sizeUsdc": decimal(fill.cash),
                    "price": decimal(fill.price),
                    "fee": "0",
                    "feeUsdc": "0",
                }

    def _row(
        self, trade: TradeView, code: str, kind: str, order_id: str, wallet: str, token_id: str, side: str
    ) -> View:
        world = self._venue.world
        listing = world.listings.remembered(trade.condition_id)
        return {
            "id": trade.id,
            "tradeType": kind,
            "takerOrderHash": trade.taker_order_id,
            "builder": code,
            "market": trade.condition_id,
            "assetId": token_id,
            "side": side,
            "status": f"TRADE_STATUS_{trade.status.name}",
            "outcome": listing.outcome(token_id),
            "outcomeIndex": listing.spec.token_ids.index(token_id),
            "owner": world.owner_key(order_id, wallet),
            "maker": wallet,
            "transactionHash": trade.transaction_hash,
            "matchTime": str(trade.matched_ns // NANOS),
            "bucketIndex": 0,
            "err_msg": None,
            "createdAt": str(trade.matched_ns // NANOS),
            "updatedAt": str(trade.updated_ns // NANOS),
        }
