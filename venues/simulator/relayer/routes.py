"""The relayer: takes signed actions of wallets, carries them out without gas, and tells how far they are.

Paths are below /relayer; builders' signatures cover the path without it. Writes and lists need a builder's HMAC or a relayer key; how
often one may submit is the edge's business (`ip_limits`).
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from venues.simulator.chain.chain import RELAYER
from venues.simulator.chain.relays import Relay
from venues.simulator.clob.authentication import authenticate_builder, is_builder_request, same_secret
from venues.simulator.http import answer
from venues.simulator.refusals import RefusalError, bad_request, unauthorized
from venues.simulator.relayer.payloads import address_of, check_payload, wallet_of
from venues.simulator.venue import Venue
from venues.simulator.world.universe import NANOS

PREFIX = "/relayer"
LISTED = 100


class RelayerRoutes:
    """Handlers of the relayer."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/submit", self.submit),
            web.get("/v1/account/transactions/params", self.params),
            web.get("/v1/account/transactions/{id}", self.state),
            web.get("/nonce", self.nonce),
            web.get("/relay-payload", self.relay_payload),
            web.get("/deployed", self.deployed),
            web.get("/transaction", self.transaction),
            web.get("/transactions", self.transactions),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        submitter = await self._authenticate(request)
        world = self._venue.world
        self._venue.submit(check_payload(await request.read(), submitter, world.chain, world.wallets))
        relay = next(reversed(world.chain.relays.by_id.values()))
        return answer({"transactionID": relay.id, "state": relay.state.value})

    async def params(self, request: web.Request) -> web.Response:
        owner = address_of(request.query.get("address", ""))
        return answer({"address": owner, "nonce": self._nonce(request)})

    async def nonce(self, request: web.Request) -> web.Response:
        return answer({"nonce": self._nonce(request)})

    async def relay_payload(self, request: web.Request) -> web.Response:
        return answer({"address": RELAYER, "nonce": self._nonce(request)})

    async def deployed(self, request: web.Request) -> web.Response:
        wallet = address_of(request.query.get("address", ""))
        return answer({"deployed": wallet in self._venue.world.chain.accounts.deployed})

    async def state(self, request: web.Request) -> web.Response:
        await self._authenticate(request)
        relay = self._relay(request.match_info["id"])
        return answer(
            {
                "transaction_id": relay.id,
                "state": relay.state.value,
                "transaction_hash": relay.transaction_hash,
                "error_msg": relay.error,
            }
        )

    async def transaction(self, request: web.Request) -> web.Response:
        return answer([_row(self._relay(request.query.get("id", "")))])

    async def transactions(self, request: web.Request) -> web.Response:
        submitter = await self._authenticate(request)
        newest_first = reversed(self._venue.world.chain.relays.by_id.values())
        own = [relay for relay in newest_first if relay.request.submitter == submitter]
        return answer([_row(relay) for relay in own[:LISTED]])

    async def _authenticate(self, request: web.Request) -> str:
        """Return the address of the key that a request came with. Raises `RefusalError` 401."""
        wallets, headers = self._venue.world.wallets, request.headers
        if is_builder_request(headers):
            path = request.rel_url.raw_path.removeprefix(PREFIX)
            seconds = self._venue.now_ns() // NANOS
            return authenticate_builder(wallets, headers, request.method, path, await request.read(), seconds).address
        try:
            address = address_of(headers.get("RELAYER_API_KEY_ADDRESS", ""))
        except RefusalError:
            raise unauthorized() from None
        if not same_secret(headers.get("RELAYER_API_KEY", ""), wallets.relayer_key(address)):
            raise unauthorized()
        return address

    def _nonce(self, request: web.Request) -> str:
        world = self._venue.world
        owner = address_of(request.query.get("address", ""))
        wallet = wallet_of(owner, request.query.get("type", ""), world.chain, world.wallets)
        return str(world.chain.accounts.nonce(wallet))

    def _relay(self, transaction_id: str) -> Relay:
        try:
            uuid.UUID(transaction_id)
        except ValueError:
            raise bad_request("invalid id") from None
        relay = self._venue.world.chain.relays.by_id.get(transaction_id)
        if relay is None:
            raise RefusalError(404, "transaction not found")
        return relay


def _row(relay: Relay) -> dict[str, Any]:
    request = relay.request
    return {
        "transactionID": relay.id,
        "transactionHash": relay.transaction_hash,
        "from": request.owner,
        "to": request.to,
        "proxyAddress": request.wallet,
        "data": request.data,
        "nonce": str(request.nonce),
        "value": request.value,
        "signature": request.signature,
        "state": relay.state.value,
        "type": request.kind,
        "owner": request.submitter,
        "metadata": request.metadata,
        "createdAt": _iso(relay.created_ns),
        "updatedAt": _iso(relay.updated_ns),
    }


def _iso(moment_ns: int) -> str:
    moment = datetime.fromtimestamp(moment_ns // NANOS, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment_ns // 1_000_000 % 1000:03d}Z"
