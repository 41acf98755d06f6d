"""/admin/faults: arms faults, shows how often each struck, disarms them. Loopback and JSON only, like all of /admin.

    GET    /admin/faults           {"seed": 7, "armed": [{"name", "fault", "seen", "struck", "last", "over"}, …]}
    GET    /admin/faults/schema    the JSON schema of what POST takes
    POST   /admin/faults           {"faults": […], "mix": "chaos", "seed": 7}: arms them; the answer is that of GET
    DELETE /admin/faults[?name=]   disarms one, or all

What cannot be armed is refused with 400 and the remedy; then none of a request's faults is armed.
"""

from __future__ import annotations

import msgspec
from aiohttp import web

from venues.simulator.faults.desk import FaultDesk
from venues.simulator.faults.model import FaultError
from venues.simulator.faults.plans import read_plan, schema
from venues.simulator.loopback import read_command, require_loopback
from venues.simulator.refusals import RefusalError, bad_request


class FaultRoutes:
    """Handlers of the fault desk."""

    def __init__(self, desk: FaultDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/admin/faults", self.show),
            web.get("/admin/faults/schema", self.describe),
            web.post("/admin/faults", self.arm),
            web.delete("/admin/faults", self.disarm),
        ]

    async def show(self, request: web.Request) -> web.Response:
        require_loopback(request)
        return self._answer()

    async def describe(self, request: web.Request) -> web.Response:
        require_loopback(request)
        return _json(schema())

    async def arm(self, request: web.Request) -> web.Response:
        body = await read_command(request)
        try:
            self._desk.arm_all(read_plan(body))
        except FaultError as error:
            raise bad_request(str(error)) from None
        return self._answer()

    async def disarm(self, request: web.Request) -> web.Response:
        require_loopback(request)
        try:
            self._desk.disarm(request.query.get("name"))
        except FaultError as error:
            raise RefusalError(404, str(error)) from None
        return self._answer()

    def _answer(self) -> web.Response:
        return _json({"seed": self._desk.seed, "armed": self._desk.view()})


def _json(body: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
