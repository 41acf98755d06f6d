"""Orders and cancels. Each request passes the region's gate, proves its key, pays from its signer's budget, and meets the engine's mode.

A refused single order is HTTP 400 with `error`, or HTTP 200 with `errorMsg` when the venue is switched to that; in a batch it is a leg with
`errorMsg` and an empty order id. All occur at the venue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from venues.exchange.events import CancelAnswer, OrderAccepted, OrderRefused, RefusalCode
from venues.simulator.clob import account_views
from venues.simulator.clob.callers import Callers
from venues.simulator.clob.limits import Headers, SignerLimits
from venues.simulator.clob.order_payload import Envelope, check_order, read_order, read_orders
from venues.simulator.http import answer, decoded
from venues.simulator.inputs import Cancel, CancelMarket
from venues.simulator.refusals import RefusalError, bad_request, no_orderbook
from venues.simulator.venue import Venue
from venues.simulator.world.modes import Modes, Switch
from venues.simulator.world.wallets import ApiKey

MAX_CANCELS = 1000
_HEADERS = web.RequestKey("rate_limit", Headers)

_Handler = Callable[[web.Request], Awaitable[web.Response]]


class OneCancel(msgspec.Struct):
    orderID: str  # noqa: N815 (the venue's key)


class MarketCancel(msgspec.Struct):
    market: str = ""
    asset_id: str = ""


class OrderRoutes:
    """Handlers that place and cancel orders."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._callers = Callers(venue)
        self._limits = SignerLimits(self._callers.volume)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/order", _telling_limits(self.place)),
            web.post("/orders", _telling_limits(self.place_many)),
            web.delete("/order", _telling_limits(self.cancel)),
            web.delete("/orders", _telling_limits(self.cancel_many)),
            web.delete("/cancel-all", _telling_limits(self.cancel_all)),
            web.delete("/cancel-market-orders", _telling_limits(self.cancel_market)),
        ]

    async def place(self, request: web.Request) -> web.Response:
        self._modes.check_region()
        key, body = await self._callers.authenticate(request)
        envelope = read_order(body)
        self._admit_orders(request, key, [envelope])
        try:
            return answer(account_views.placed(self._submit(envelope, key)))
        except RefusalError as refusal:
            if refusal.status != 400 or Switch.REFUSALS_IN_200 not in self._modes.switches:
                raise
            return answer(account_views.refused(refusal.text))

    async def place_many(self, request: web.Request) -> web.Response:
        self._modes.check_region()
        key, body = await self._callers.authenticate(request)
        envelopes = read_orders(body)
        self._admit_orders(request, key, envelopes)
        legs: list[dict[str, Any]] = []
        for envelope in envelopes:
            try:
                legs.append(account_views.placed(self._submit(envelope, key)))
            except RefusalError as refusal:
                legs.append(account_views.refused(refusal.text))
        return answer(legs)

    async def cancel(self, request: web.Request) -> web.Response:
        key, body = await self._callers.authenticate(request)
        order_id = decoded(body, OneCancel, "Invalid orderID").orderID
        return self._cancel(request, key, Cancel(self._callers.wallets(key), (order_id,)), 1)

    async def cancel_many(self, request: web.Request) -> web.Response:
        key, body = await self._callers.authenticate(request)
        order_ids = decoded(body, tuple[str, ...], "Invalid orderID")
        if len(order_ids) > MAX_CANCELS:
            raise bad_request(f"Too many orders in payload, max allowed: {MAX_CANCELS}")
        return self._cancel(request, key, Cancel(self._callers.wallets(key), order_ids), len(order_ids))

    async def cancel_all(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request)
        return self._cancel_market(request, key, "", "")

    async def cancel_market(self, request: web.Request) -> web.Response:
        key, body = await self._callers.authenticate(request)
        wanted = decoded(body, MarketCancel)
        if not wanted.market and not wanted.asset_id:
            raise bad_request("Invalid payload")
        return self._cancel_market(request, key, wanted.market, wanted.asset_id)

    def _admit_orders(self, request: web.Request, key: ApiKey, envelopes: list[Envelope]) -> None:
        now_ns = self._venue.now_ns()
        request[_HEADERS] = self._limits.orders(key.address, len(envelopes), now_ns)
        self._modes.check_place(now_ns, all(envelope.post_only for envelope in envelopes))

    def _submit(self, envelope: Envelope, key: ApiKey) -> OrderAccepted:
        """Place one order. Raises `RefusalError`."""
        world = self._venue.world
        order = check_order(envelope, key, world, self._venue.now_ns())
        if envelope.order.signature_type == 0:
            self._modes.check_plain_wallet(order.account)
        self._modes.check_account(tuple(dict.fromkeys((order.account, key.address))), reduces=order.side == "sell")
        outcome = self._venue.submit(order)[-1]
        if isinstance(outcome, OrderRefused):
            if outcome.code is RefusalCode.NO_ORDERBOOK:
                raise no_orderbook()
            raise bad_request(outcome.text)
        if not isinstance(outcome, OrderAccepted):
            raise RuntimeError(f"an order was answered by {outcome!r}")
        return outcome

    def _cancel_market(self, request: web.Request, key: ApiKey, condition_id: str, token_id: str) -> web.Response:
        wallets = self._callers.wallets(key)
        met = sum(
            condition_id in ("", order.condition_id) and token_id in ("", order.token_id)
            for wallet in wallets
            for order in self._venue.world.exchange.open_orders(wallet)
        )
        return self._cancel(request, key, CancelMarket(wallets, condition_id, token_id), 1 + met)

    def _cancel(self, request: web.Request, key: ApiKey, event: Cancel | CancelMarket, cost: int) -> web.Response:
        now_ns = self._venue.now_ns()
        request[_HEADERS] = self._limits.cancels(key.address, cost, now_ns)
        self._modes.check_cancel(now_ns)
        outcome = self._venue.submit(event)[-1]
        if not isinstance(outcome, CancelAnswer):
            raise RuntimeError(f"a cancel was answered by {outcome!r}")
        return answer({"canceled": list(outcome.canceled), "not_canceled": outcome.not_canceled})

    @property
    def _modes(self) -> Modes:
        return self._venue.world.modes


def _telling_limits(handler: _Handler) -> _Handler:
    """Let the answers of `handler`, refusals too, carry the headers of the signer's budget."""

    async def telling(request: web.Request) -> web.Response:
        try:
            response = await handler(request)
        except RefusalError as refusal:
            refusal.headers = {**request.get(_HEADERS, {}), **refusal.headers}
            raise
        response.headers.update(request.get(_HEADERS, {}))
        return response

    return telling
