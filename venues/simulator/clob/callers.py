"""Who is calling: authenticates a request by L2 and knows what the caller controls. Shared by all handlers that need a key."""

from __future__ import annotations

from aiohttp import web

from venues.simulator.clob.authentication import authenticate_l2
from venues.simulator.refusals import bad_request, unauthorized
from venues.simulator.venue import Venue
from venues.simulator.world.universe import NANOS
from venues.simulator.world.wallets import ApiKey

_VOLUME_SECONDS = 30 * 86_400


class Callers:
    """The callers of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def authenticate(self, request: web.Request, *, reads: bool = False) -> tuple[ApiKey, bytes]:
        """Return the key that signed `request`, and the body. A read-only key is let in where the request only reads. Raises 401."""
        body = await request.read()
        path = request.rel_url.raw_path
        wallets = self._venue.world.wallets
        key = authenticate_l2(wallets, request.headers, request.method, path, body, self.seconds())
        if key.readonly and not reads:
            raise unauthorized()
        return key, body

    def wallets(self, key: ApiKey) -> tuple[str, ...]:
        """Return every wallet the key's address controls, its own address first."""
        return self._venue.world.wallets.wallets_of(key.address)

    def wallet(self, request: web.Request, key: ApiKey) -> str | None:
        """Return the wallet that a request's `signature_type` means, None when the address has none of that type. Raises 400."""
        signature_type = request.query.get("signature_type", "0")
        if signature_type not in ("0", "1", "2", "3"):
            raise bad_request("Invalid signature_type")
        return self._venue.world.wallets.wallet(key.address, int(signature_type))

    def volume(self, address: str) -> int:
        """Return the micro-dollars all wallets of an address traded in the last thirty days."""
        ledger = self._venue.world.indexer.ledger
        since_s = self.seconds() - _VOLUME_SECONDS
        return sum(ledger.volume(wallet, since_s) for wallet in self._venue.world.wallets.wallets_of(address))

    def seconds(self) -> int:
        """Return the time in Unix seconds by which the venue judges a request's timestamp."""
        return self._venue.told_ns() // NANOS
