"""The desk at which faults are armed, counted and disarmed. Everything of a venue that can be struck asks it.

`later` and `pause` run on the venue's clock: as its time passes, what is due happens. Nothing of the desk is persisted.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from itertools import count
from typing import Any
from weakref import WeakSet

import structlog
from aiohttp import web
from eth_utils.address import is_hex_address, to_checksum_address
from msgspec.structs import replace

from venues.exchange.events import Event, TradeMatched, TradeView
from venues.simulator.door import Door
from venues.simulator.faults.acts import Acts
from venues.simulator.faults.armed import Armed
from venues.simulator.faults.frames import Line, Way
from venues.simulator.faults.mixes import MIXES
from venues.simulator.faults.model import Channel, Fault, FaultError, Plan, Settle, VenueKind
from venues.simulator.faults.plans import check
from venues.simulator.faults.requests import pass_request
from venues.simulator.inputs import Divert
from venues.simulator.venue import Venue

DESK: web.AppKey[FaultDesk] = web.AppKey("fault desk")
_SECOND_NS = 1_000_000_000
_MOST_ARMED = 200

_log = structlog.get_logger(__name__)


class FaultDesk:
    """All faults of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._acts = Acts(venue, self)
        self._armed: dict[str, Armed] = {}
        self._requests: tuple[Armed, ...] = ()
        self._frames: dict[str, tuple[Armed, ...]] = {"market": (), "user": ()}
        self._trades: tuple[Armed, ...] = ()
        self._lines: WeakSet[Line] = WeakSet()
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count(1)
        venue.listen(self._hear)

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Lead every request past the armed faults."""
        return await pass_request(self, request, lambda: handler(request))

    @property
    def seed(self) -> int:
        """Return the seed of plans that bring none: the venue's."""
        return self._venue.world.genesis.seed

    @property
    def armed(self) -> list[Armed]:
        """Return all armed faults in the order in which they were armed, those that are over too."""
        return list(self._armed.values())

    def view(self) -> list[dict[str, Any]]:
        """Return all armed faults and how often each struck."""
        now_ns = self.now_ns()
        return [armed.view(now_ns) for armed in self._armed.values()]

    def set_door(self, door: Door) -> None:
        """Name the door that restarts shut."""
        self._acts.door = door

    def arm(self, fault: Fault, seed: int | None = None) -> Armed:
        """Arm one fault; one that happens once and now has happened on return. Raises `FaultError`."""
        return self.arm_all(Plan(faults=(fault,), seed=seed))[0]

    def arm_all(self, plan: Plan) -> list[Armed]:
        """Arm the faults of a plan, all or none of them. Raises `FaultError`."""
        if plan.mix and plan.mix not in MIXES:
            raise FaultError(f"no mix is named {plan.mix!r}; there are {', '.join(MIXES)}")
        seed = self.seed if plan.seed is None else plan.seed
        wanted = (*MIXES.get(plan.mix, ()), *plan.faults)
        if len(self._armed) + len(wanted) > _MOST_ARMED:
            raise FaultError(f"at most {_MOST_ARMED} faults can be armed; DELETE /admin/faults takes them away")
        prepared: dict[str, Armed] = {}
        for fault in wanted:
            armed = self._prepare(fault, seed, prepared)
            prepared[armed.fault.name] = armed
        self._armed |= prepared
        self._sort()
        for armed in prepared.values():
            self._plan(armed)
        return list(prepared.values())

    def disarm(self, name: str | None = None) -> int:
        """Disarm one fault, or all; return how many. What they did to the world stays. Raises `FaultError` for an unknown name."""
        if name is not None and name not in self._armed:
            raise FaultError(f"no fault is named {name!r}; armed are {', '.join(self._armed) or 'none'}")
        names = [name] if name is not None else list(self._armed)
        for each in names:
            armed = self._armed.pop(each)
            armed.disarmed = True
            if isinstance(armed.fault.do, VenueKind):
                self._acts.undo(armed.fault.do)
        self._sort()
        return len(names)

    def line(self, channel: Channel, address: str, way: Way) -> Line:
        """Return the way of frames to a new connection; `address` is whose it is."""
        line = Line(self, channel, address, way)
        self._lines.add(line)
        return line

    def lines(self, armed: Armed) -> Iterator[Line]:
        """Yield the connections that a fault of the venue chooses."""
        where = armed.fault.where
        for line in self._lines:
            if where.channel in ("", line.channel) and (
                not where.wallet or self.same_owner(where.wallet, line.address)
            ):
                yield line

    def now_ns(self) -> int:
        return self._venue.now_ns()

    def on_requests(self) -> tuple[Armed, ...]:
        """Return the faults that may strike requests."""
        return self._requests

    def on_frames(self, channel: Channel) -> tuple[Armed, ...]:
        """Return the faults that may strike frames of a channel."""
        return self._frames[channel]

    def same_owner(self, wallet: str, address: str) -> bool:
        """Tell whether `address` is that of the key which controls `wallet`."""
        return self._venue.world.wallets.owner(wallet).lower() == address.lower()

    def act(self, armed: Armed) -> None:
        """Let the venue suffer a fault, now."""
        _log.info("the venue suffers a fault", name=armed.fault.name, kind=armed.fault.kind)
        self._acts.act(armed)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something when the venue's time has moved on by so much."""
        heapq.heappush(self._due, (self.now_ns() + int(seconds * _SECOND_NS), next(self._numbers), call))

    async def pause(self, seconds: float) -> None:
        """Wait until the venue's time has moved on by so much."""
        if seconds:
            over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.later(seconds, lambda: None if over.done() else over.set_result(None))
            await over

    def _prepare(self, fault: Fault, seed: int, others: Iterable[str]) -> Armed:
        check(fault)
        where = fault.where
        name = fault.name or f"{fault.kind}-{next(self._numbers)}"
        if name in self._armed or name in others:
            raise FaultError(
                f"a fault named {name!r} is armed already; DELETE /admin/faults?name={name} or choose another"
            )
        wallet = where.wallet
        if wallet:
            if not is_hex_address(wallet):
                raise FaultError(f"where.wallet was {wallet!r}, expected an address")
            wallet = to_checksum_address(wallet)
        named = replace(fault, name=name, where=replace(where, wallet=wallet))
        return Armed(named, seed, self.now_ns(), self._markets(where.market))

    def _markets(self, market: str) -> frozenset[str]:
        if not market:
            return frozenset()
        listings = self._venue.world.listings
        listing = listings.by_condition(market) or listings.by_token(market)
        if listing is None:
            raise FaultError(
                f"where.market was {market!r}, expected a condition or token id that GET /gamma/markets lists"
            )
        return frozenset((listing.spec.condition_id, *listing.spec.token_ids))

    def _plan(self, armed: Armed) -> None:
        """Arrange what happens at a time; with requests it happens by itself."""
        if not isinstance(armed.fault.do, VenueKind) or _by_requests(armed):
            return
        if armed.fault.when.after:
            self.later(armed.fault.when.after, lambda: self._act_once(armed))
        else:
            self._act_once(armed)

    def _act_once(self, armed: Armed) -> None:
        if armed.strikes(self.now_ns(), "the venue"):
            self.act(armed)

    def _sort(self) -> None:
        """Keep for each kind of target the faults that may strike it."""
        everything = list(self._armed.values())
        self._requests = tuple(armed for armed in everything if _by_requests(armed))
        for channel in self._frames:
            self._frames[channel] = tuple(
                armed
                for armed in everything
                if armed.fault.where.channel == channel and not isinstance(armed.fault.do, VenueKind)
            )
        self._trades = tuple(armed for armed in everything if isinstance(armed.fault.do, Settle))

    def _hear(self, events: list[Event], _now_ms: int) -> None:
        if self._trades:
            for event in events:
                if isinstance(event, TradeMatched) and event.trade.id in self._venue.world.history.trades:
                    self._strike_trade(event.trade)
        now_ns = self.now_ns()
        while self._due and self._due[0][0] <= now_ns:
            self._venue.follow(heapq.heappop(self._due)[2])

    def _strike_trade(self, trade: TradeView) -> None:
        """Let the first fault whose turn it is decide how a client's trade settles."""
        for armed in self._trades:
            if self._chooses(armed, trade) and armed.strikes(self.now_ns(), f"trade {trade.id}"):
                self._venue.follow(partial(self._divert, armed, trade.id))
                return

    def _divert(self, armed: Armed, trade_id: str) -> None:
        if isinstance(armed.fault.do, Settle):
            self._venue.submit(Divert(trade_id, armed.fault.do.steps))

    def _chooses(self, armed: Armed, trade: TradeView) -> bool:
        wallet = armed.fault.where.wallet
        if armed.markets and trade.condition_id not in armed.markets:
            return False
        accounts = (trade.account, *(fill.account for fill in trade.makers))
        owner = self._venue.world.wallets.owner
        return not wallet or any(wallet in (account, owner(account)) for account in accounts)


def _by_requests(armed: Armed) -> bool:
    where, do = armed.fault.where, armed.fault.do
    if isinstance(do, VenueKind):
        return bool(where.method or where.path)
    return not where.channel and not isinstance(do, Settle)
