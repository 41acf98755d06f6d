"""GET and DELETE /notifications: what the venue told an account. `signature_type` picks the wallet; dropping without ids drops all."""

from __future__ import annotations

from aiohttp import web

from venues.simulator.clob.callers import Callers
from venues.simulator.http import answer
from venues.simulator.inputs import DropNotices
from venues.simulator.refusals import bad_request
from venues.simulator.venue import Venue
from venues.simulator.world.universe import NANOS


class NoticeRoutes:
    """Handlers of notifications."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._callers = Callers(venue)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/notifications", self.notices), web.delete("/notifications", self.drop)]

    async def notices(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request, reads=True)
        wallet = self._callers.wallet(request, key)
        found = self._venue.world.board.notices.of(wallet) if wallet else []
        return answer(
            [
                {
                    "id": one.number,
                    "type": one.type.value,
                    "owner": one.owner,
                    "timestamp": one.at_ns // NANOS,
                    "payload": one.payload,
                }
                for one in found
            ]
        )

    async def drop(self, request: web.Request) -> web.Response:
        key, _ = await self._callers.authenticate(request)
        named = request.query.get("ids", "")
        try:
            numbers = tuple(int(one) for one in named.split(",")) if named else ()
        except ValueError:
            raise bad_request("Invalid payload") from None
        self._venue.submit(DropNotices(self._callers.wallets(key), numbers))
        return answer("OK")
