"""API keys of all kinds: trading keys by L1, read-only and builder keys by L2, and what a key's address may still do.

A builder key is ended by its own POLY_BUILDER_* headers, which name it, or by L2 headers, which end the newest of the address: both occur
in the official clients.
"""

from __future__ import annotations

import msgspec
from aiohttp import web

from venues.simulator.clob.authentication import authenticate_builder, authenticate_l1, is_builder_request
from venues.simulator.clob.callers import Callers
from venues.simulator.http import answer, decoded
from venues.simulator.inputs import CreateKey, DeleteKey, IssueKey
from venues.simulator.refusals import bad_request
from venues.simulator.venue import Venue
from venues.simulator.world.modes import Standing, Switch
from venues.simulator.world.universe import NANOS
from venues.simulator.world.wallets import ApiKey, KeyKind


class NamedKey(msgspec.Struct):
    key: str


class KeyRoutes:
    """Handlers of /auth, and of the check that tells a region apart."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._callers = Callers(venue)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/auth/api-key", self.create_key),
            web.get("/auth/derive-api-key", self.derive_key),
            web.get("/auth/api-keys", self.keys),
            web.delete("/auth/api-key", self.delete_key),
            web.post("/auth/readonly-api-key", self.create_readonly),
            web.get("/auth/readonly-api-keys", self.readonly_keys),
            web.delete("/auth/readonly-api-key", self.delete_readonly),
            web.post("/auth/builder-api-key", self.create_builder),
            web.get("/auth/builder-api-key", self.builder_keys),
            web.delete("/auth/builder-api-key", self.delete_builder),
            web.get("/auth/ban-status/closed-only", self.closed_only),
            web.get("/api/geoblock", self.geoblock),
        ]

    async def create_key(self, request: web.Request) -> web.Response:
        address, nonce = authenticate_l1(request.headers, self._callers.seconds())
        if self._venue.world.wallets.derive_key(address, nonce):
            raise bad_request("Could not create api key")
        self._venue.submit(CreateKey(address, nonce))
        return self._derived(address, nonce)

    async def derive_key(self, request: web.Request) -> web.Response:
        return self._derived(*authenticate_l1(request.headers, self._callers.seconds()))

    async def keys(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        return answer({"apiKeys": [one.key for one in self._kept(key, KeyKind.TRADING)]})

    async def delete_key(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request)
        self._venue.submit(DeleteKey(key.key))
        return answer("OK")

    async def create_readonly(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request)
        self._venue.submit(IssueKey(key.address, "readonly"))
        made = self._kept(key, KeyKind.READONLY)[-1]
        return answer({"apiKey": made.key, "secret": made.secret, "passphrase": made.passphrase})

    async def readonly_keys(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        return answer({"readonlyApiKeys": [one.key for one in self._kept(key, KeyKind.READONLY)]})

    async def delete_readonly(self, request: web.Request) -> web.Response:
        key, body = await self._callers.authenticate(request)
        named = decoded(body, NamedKey).key
        self._end(self._kept(key, KeyKind.READONLY), named)
        return answer("OK")

    async def create_builder(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request)
        self._venue.submit(IssueKey(key.address, "builder"))
        made = self._kept(key, KeyKind.BUILDER)[-1]
        return answer({"key": made.key, "secret": made.secret, "passphrase": made.passphrase})

    async def builder_keys(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        return answer(
            [
                {"key": one.key, "createdAt": one.created_ns // NANOS, "revokedAt": None}
                for one in self._kept(key, KeyKind.BUILDER)
            ]
        )

    async def delete_builder(self, request: web.Request) -> web.Response:
        if is_builder_request(request.headers):
            body = await request.read()
            builder = authenticate_builder(
                self._venue.world.wallets,
                request.headers,
                request.method,
                request.rel_url.raw_path,
                body,
                self._callers.seconds(),
            )
            self._venue.submit(DeleteKey(builder.key))
            return answer("OK")
        key, _ = await self._callers.authenticate(request)
        kept = self._kept(key, KeyKind.BUILDER)
        self._end(kept, kept[-1].key if kept else "")
        return answer("OK")

    async def closed_only(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        modes = self._venue.world.modes
        closed = any(modes.standing(wallet) is Standing.CLOSED_ONLY for wallet in self._callers.wallets(key))
        return answer({"closed_only": closed})

    async def geoblock(self, request: web.Request) -> web.Response:
        blocked = Switch.GEOBLOCK in self._venue.world.modes.switches
        country = "US" if blocked else "IE"
        return answer({"blocked": blocked, "ip": request.remote or "", "country": country, "region": ""})

    def _derived(self, address: str, nonce: int) -> web.Response:
        key = self._venue.world.wallets.derive_key(address, nonce)
        if key is None:
            raise bad_request("Could not derive api key!")
        return answer({"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase})

    def _kept(self, key: ApiKey, kind: KeyKind) -> list[ApiKey]:
        return self._venue.world.wallets.keys_of(key.address, kind)

    def _end(self, kept: list[ApiKey], named: str) -> None:
        if named not in (one.key for one in kept):
            raise bad_request("Could not delete api key")
        self._venue.submit(DeleteKey(named))
