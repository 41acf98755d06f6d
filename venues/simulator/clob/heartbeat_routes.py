"""POST /v1/heartbeats, chained by ids, and the older POST /heartbeats without a body: both keep a key's orders alive.

A beat with a wrong id is refused with the expected one and does not count.
"""

from __future__ import annotations

import msgspec
from aiohttp import web

from venues.simulator.clob.callers import Callers
from venues.simulator.http import answer, decoded
from venues.simulator.inputs import Heartbeat
from venues.simulator.venue import Venue


class Beat(msgspec.Struct):
    heartbeat_id: str | None = None


class HeartbeatRoutes:
    """Handlers of heartbeats."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._callers = Callers(venue)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/heartbeats", self.chained), web.post("/heartbeats", self.plain)]

    async def chained(self, request: web.Request) -> web.Response:
        key, body = await self._callers.authenticate(request)
        beat = decoded(body, Beat)
        heartbeats = self._venue.world.heartbeats
        expected = heartbeats.expected(key.key)
        if (beat.heartbeat_id or "") != expected:
            return answer({"error_msg": "Invalid Heartbeat ID", "heartbeat_id": expected}, 400)
        self._venue.submit(Heartbeat(key.key))
        return answer({"heartbeat_id": heartbeats.expected(key.key)})

    async def plain(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request)
        self._venue.submit(Heartbeat(key.key))
        return answer({"status": "ok"})
