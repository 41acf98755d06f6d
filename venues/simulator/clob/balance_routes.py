"""What a wallet has and whom it lets spend it, as the order gateway believes: balances are the chain's, approvals may be up to
`approvals.CACHE_SECONDS` old unless the gateway was told to read again.

A `signature_type` that does not name the key's wallet reads another wallet, and shows nothing.
"""

from __future__ import annotations

from aiohttp import web

from venues.simulator.chain.approvals import COLLATERAL, CTF, POSITION_MANAGER
from venues.simulator.clob.callers import Callers
from venues.simulator.contracts import EXCHANGE_V3, SPENDERS, is_position_id
from venues.simulator.http import answer
from venues.simulator.inputs import Reread
from venues.simulator.refusals import bad_request
from venues.simulator.venue import Venue

_ASSETS = {"COLLATERAL": COLLATERAL, "CONDITIONAL": CTF, "CONDITIONAL-V2": POSITION_MANAGER}


class BalanceRoutes:
    """Handlers of /balance-allowance."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._callers = Callers(venue)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/balance-allowance", self.balance), web.get("/balance-allowance/update", self.update)]

    async def balance(self, request: web.Request) -> web.Response:
        wallet, asset, token_id = await self._read(request)
        world = self._venue.world
        spenders = (EXCHANGE_V3,) if asset == POSITION_MANAGER else SPENDERS
        if wallet is None:
            return answer({"balance": "0", "allowances": dict.fromkeys(spenders, "0")})
        elsewhere = bool(token_id) and is_position_id(token_id) != (asset == POSITION_MANAGER)
        held = 0 if elsewhere else world.exchange.balance(wallet, token_id).settled
        now_ns = self._venue.now_ns()
        shown = {spender: str(world.approvals.shown(wallet, asset, spender, now_ns)) for spender in spenders}
        return answer({"balance": str(held), "allowances": shown})

    async def update(self, request: web.Request) -> web.Response:
        wallet, _, _ = await self._read(request)
        if wallet is not None:
            self._venue.submit(Reread(wallet))
        return web.Response(body=b"", content_type="application/json")

    async def _read(self, request: web.Request) -> tuple[str | None, str, str]:
        """Return wallet, asset and token that a request names; the collateral is token ""."""
        key, _ = await self._callers.authenticate(request, reads=True)
        wallet = self._callers.wallet(request, key)
        asset = _ASSETS.get(request.query.get("asset_type", ""))
        if asset is None:
            raise bad_request("Invalid asset type")
        token_id = "" if asset == COLLATERAL else request.query.get("token_id", "")
        if asset != COLLATERAL and not token_id:
            raise bad_request("asset_id is required")
        if token_id and not (token_id.isascii() and token_id.isdigit() and len(token_id) <= 78):
            raise bad_request("Invalid token id")
        return wallet, asset, token_id
