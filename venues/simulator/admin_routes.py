"""/admin: what only the owner of the machine may do with a simulated venue. Loopback only, and JSON only, so that no web page can.

GET /admin/venue tells which venue this is. POST /admin/faucet {"address", "amount", "owner"?, "signature_type"?} gives play money:
`amount` is dollars as decimal text, `owner` the address whose key controls a wallet of type 1 to 3 (default: the address itself, type 0).
More of its fields: "asset" "pusd" (default) or "usdce"; "approved" false for a wallet that has yet to approve everything.
POST /admin/relayer-key {"address"} returns that address's relayer key, which the venue's web page would make.
POST /admin/resolve {"condition_id"} ends the event of a market before its time: its outcome is drawn, all its markets resolve.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec
from aiohttp import web
from eth_utils.address import is_hex_address, to_checksum_address

from domain.errors import MoneyError
from domain.money import MICRO, parse_micros
from venues.simulator.clob.books import decimal
from venues.simulator.http import UNREADABLE, answer
from venues.simulator.inputs import EndEvent, Fund
from venues.simulator.loopback import read_command, require_loopback
from venues.simulator.refusals import bad_request
from venues.simulator.venue import Venue
from venues.simulator.world.universe import NANOS

_MOST = 1_000_000_000 * MICRO


class FaucetRequest(msgspec.Struct, forbid_unknown_fields=True):
    address: str
    amount: str
    owner: str | None = None
    signature_type: Literal[0, 1, 2, 3] = 0
    approved: bool = True
    asset: Literal["pusd", "usdce"] = "pusd"


class RelayerKeyRequest(msgspec.Struct, forbid_unknown_fields=True):
    address: str


class ResolveRequest(msgspec.Struct, forbid_unknown_fields=True):
    condition_id: str


class AdminRoutes:
    """Handlers of the venue's owner."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/admin/venue", self.describe),
            web.post("/admin/faucet", self.fund),
            web.post("/admin/relayer-key", self.relayer_key),
            web.post("/admin/resolve", self.resolve),
        ]

    async def describe(self, request: web.Request) -> web.Response:
        require_loopback(request)
        genesis = self._venue.world.genesis
        started = datetime.fromtimestamp(genesis.started_ns // NANOS, UTC)
        return answer({"venue_id": genesis.venue_id, "seed": genesis.seed, "started": started.isoformat()})

    async def fund(self, request: web.Request) -> web.Response:
        body = await read_command(request)
        try:
            wanted = msgspec.json.decode(body, type=FaucetRequest)
            amount = parse_micros(wanted.amount)
        except (*UNREADABLE, MoneyError) as error:
            raise bad_request(f'{error}; expected {{"address": "0x…", "amount": "1000"}}') from None
        if not 0 < amount <= _MOST:
            raise bad_request(f"amount was {wanted.amount}, expected more than 0 and at most {decimal(_MOST)}")
        wallet, owner = _address(wanted.address), _address(wanted.owner or wanted.address)
        if (wanted.signature_type == 0) != (wallet == owner):
            raise bad_request("a wallet of type 0 is its own owner; types 1 to 3 need another address as owner")
        current = self._venue.world.wallets.owner(wallet)
        if current not in (wallet, owner):
            raise bad_request(f"{wallet} belongs to {current}")
        self._venue.submit(Fund(wallet, owner, wanted.signature_type, amount, wanted.approved, wanted.asset))
        world = self._venue.world
        held = world.exchange.balance(wallet).settled if wanted.asset == "pusd" else world.chain.accounts.usdce[wallet]
        return answer({"address": wallet, "balance": decimal(held)})

    async def relayer_key(self, request: web.Request) -> web.Response:
        body = await read_command(request)
        try:
            address = _address(msgspec.json.decode(body, type=RelayerKeyRequest).address)
        except UNREADABLE as error:
            raise bad_request(f'{error}; expected {{"address": "0x…"}}') from None
        return answer({"key": self._venue.world.wallets.relayer_key(address), "address": address})

    async def resolve(self, request: web.Request) -> web.Response:
        body = await read_command(request)
        try:
            condition_id = msgspec.json.decode(body, type=ResolveRequest).condition_id
        except UNREADABLE as error:
            raise bad_request(f'{error}; expected {{"condition_id": "0x…"}}') from None
        listing = self._venue.world.listings.by_condition(condition_id)
        if listing is None or listing.closed:
            raise bad_request(f"{condition_id} is no open market")
        self._venue.submit(EndEvent(listing.event.id))
        return answer({"event_id": listing.event.id, "winner": listing.winner})


def _address(text: str) -> str:
    if not is_hex_address(text):
        raise bad_request(f"{text!r} is no address")
    return to_checksum_address(text)
