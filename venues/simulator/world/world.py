"""The whole simulated venue without its wire: exchange, agents, events, wallets and history as one deterministic state.

`World.apply` takes an input and the time it came, and returns what happened. Nothing else changes the state and nothing in it reads a clock,
so a seed and a list of inputs always lead to the same venue; `mark` is a cheap fingerprint that shows when they did not.
"""

from __future__ import annotations

import random
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from eth_utils.crypto import keccak

from venues.exchange import Exchange
from venues.exchange.commands import Advance, Deposit, Prune
from venues.exchange.events import (
    Event,
    OrderCanceled,
    OrderPlaced,
    OrdersLost,
    OrderUpdated,
    TradeMatched,
    TradeMoved,
    TradeView,
)
from venues.simulator.agents.cast import Agents
from venues.simulator.chain.approvals import Approvals
from venues.simulator.chain.chain import Chain
from venues.simulator.chain.pool import Signed
from venues.simulator.chain.relays import RelayRequest
from venues.simulator.inputs import (
    Cancel,
    CancelMarket,
    CreateKey,
    DeleteKey,
    DropNotices,
    EndEvent,
    Fund,
    Heartbeat,
    Input,
    IssueKey,
    Misfortune,
    ModeChange,
    Place,
    Reorg,
    Reread,
    Tick,
)
from venues.simulator.world.floor import Floor
from venues.simulator.world.heartbeats import CHECK_SECONDS, Heartbeats
from venues.simulator.world.history import History
from venues.simulator.world.indexer import Indexer
from venues.simulator.world.lifecycle import Lifecycle
from venues.simulator.world.listings import Listing, Listings
from venues.simulator.world.misfortunes import Misfortunes
from venues.simulator.world.mode_changes import ModeChanges
from venues.simulator.world.modes import Modes
from venues.simulator.world.notice_board import NoticeBoard
from venues.simulator.world.order_entry import OrderEntry
from venues.simulator.world.schedule import Schedule
from venues.simulator.world.settlement import Settlement
from venues.simulator.world.universe import NANOS, Universe
from venues.simulator.world.wallets import KeyKind, Wallets

_TASKS_PER_TICK = 500
_PRUNE_SECONDS = 15
_KEEP_ENDED_NS = 30 * NANOS


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """What a venue is made from. `speed` multiplies the agents' activity; `retrying` and `failing` are shares of all trades,
    `reorging` the share of blocks after which the chain is reorganised."""

    venue_id: str
    secret: str
    seed: int
    started_ns: int
    speed: float = 1.0
    retrying: float = 0.02
    failing: float = 0.001
    reorging: float = 0.0


class World:
    """One venue. `genesis.started_ns` is when its first events open."""

    def __init__(self, genesis: Genesis) -> None:
        self.genesis = genesis
        self.exchange = Exchange(genesis.venue_id)
        self.listings = Listings()
        self.wallets = Wallets(genesis.secret)
        self.heartbeats = Heartbeats(genesis.secret)
        self.history = History()
        self._schedule = Schedule()
        rng = random.Random(genesis.seed)
        self.floor = Floor(self.exchange, self.listings, self._schedule, rng, genesis.speed, genesis.venue_id)
        self.floor.now_ns = genesis.started_ns
        self._agents = Agents(self.floor, genesis.venue_id)
        self._lifecycle = Lifecycle(self.floor, Universe(genesis.venue_id), self._agents.quoters)
        self._entry = OrderEntry(self.floor, self.history)
        self._mode_changes = ModeChanges(self.floor, self._lifecycle)
        self._clients: set[str] = set()
        self.approvals = Approvals()
        self.chain = Chain(self.floor, self.approvals, self.wallets, self._clients, genesis.venue_id)
        self._settlement = Settlement(self.floor, genesis.retrying, genesis.failing, self.chain.blocks.next_seal_ns)
        self._misfortunes = Misfortunes(self.floor, self._lifecycle, self._settlement)
        self.board = NoticeBoard(self.floor, self.history, self._clients, self._key_of)
        self._happened: list[Event] = []
        self.floor.observe = self._observe
        self.indexer = Indexer(self.floor, genesis.seed, genesis.venue_id, self._clients)
        self.floor.forget = self._forget
        self._lifecycle.start()
        self._agents.start()
        self.indexer.start()
        self.chain.start()
        self.floor.later(_PRUNE_SECONDS, "prune")
        self.floor.later(CHECK_SECONDS, "check_heartbeats")

    @property
    def now_ns(self) -> int:
        """Return the latest time the venue has seen."""
        return self.floor.now_ns

    def apply(self, at_ns: int, event: Input) -> list[Event]:
        """Carry out one input and return everything that happened, the answer to a client's command last."""
        self.floor.now_ns = max(self.floor.now_ns, at_ns)
        self._happened = []
        _CARRY_OUT[type(event)](self, event)
        return self._happened

    @property
    def modes(self) -> Modes:
        """What the venue lets whom do."""
        return self.floor.modes

    def mark(self) -> int:
        """Return a fingerprint that two copies of this venue share as long as they went the same way."""
        state = self.floor.rng.getstate()[1]
        return zlib.crc32(repr((state[-1], state[0], state[1], self._schedule.number, self.now_ns)).encode())

    def _key_of(self, account: str) -> str:
        """Return the API key whose notifications are about an account."""
        keys = self.wallets.keys_of(self.wallets.owner(account), KeyKind.TRADING)
        return keys[0].key if keys else self.owner_key("", account)

    def owner_key(self, order_id: str, account: str) -> str:
        """Return the API key an order was placed with; agents' orders name a made-up one of their account's own."""
        key = self.history.owner_keys.get(order_id)
        return key or str(uuid.UUID(bytes=keccak(text=account)[:16], version=4))

    def _tick(self, _event: Tick) -> None:
        if (due := self.exchange.next_due_ns) is not None and due <= self.now_ns:
            self.floor.do(Advance())
        handlers = self._handlers()
        for _ in range(_TASKS_PER_TICK):
            task = self._schedule.next_due(self.now_ns)
            if task is None:
                return
            handlers[task.name](*task.arguments)

    def _handlers(self) -> dict[str, Callable[..., object]]:
        return {
            **self._agents.tasks(),
            "settle": self._settlement.settle,
            "settle_diverted": self._settlement.settle_diverted,
            "drift": self._lifecycle.drift,
            "decide": self._lifecycle.decide,
            "start_game": self._lifecycle.start_game,
            "propose": self._lifecycle.propose,
            "resolve": self._lifecycle.resolve,
            "pay_out": self._pay_out,
            "open_event": self._lifecycle.open_event,
            "prune": self._prune,
            "check_heartbeats": self._check_heartbeats,
            "minute": self.indexer.minute,
            "relay": self.chain.send_relay,
            "seal": self._seal,
        }

    def _pay_out(self, condition_id: str) -> None:
        self._lifecycle.pay_out(condition_id, self.chain.keepers(condition_id))

    def _seal(self) -> None:
        self.chain.seal()
        rng, chance = self.floor.rng, self.genesis.reorging
        if chance and rng.random() < chance:
            self._reorganise(Reorg(rng.randint(1, 3)))

    def _reorganise(self, event: Reorg) -> None:
        for trade_id in self.chain.replace(event.depth):
            self._settlement.replaced(trade_id)

    def _prune(self) -> None:
        self.floor.do(Prune(self.now_ns - _KEEP_ENDED_NS))
        self.floor.later(_PRUNE_SECONDS, "prune")

    def _check_heartbeats(self) -> None:
        """Cancel every open order of each API key whose heartbeats have stopped."""
        self.floor.later(CHECK_SECONDS, "check_heartbeats")
        for api_key in self.heartbeats.lapsed(self.now_ns):
            key = self.wallets.key(api_key)
            if key is not None:
                self._entry.cancel_of_key(api_key, self.wallets.wallets_of(key.address))

    def _delete_key(self, event: DeleteKey) -> None:
        self.wallets.delete_key(event.api_key)
        self.heartbeats.forget(event.api_key)

    def _place(self, event: Place) -> None:
        self._client(event.account)
        if answer := self._entry.place(event):
            self._happened.append(answer)

    def _cancel(self, event: Cancel) -> None:
        self._happened.append(self._entry.cancel(event))

    def _cancel_market(self, event: CancelMarket) -> None:
        self._happened.append(self._entry.cancel_market(event))

    def _fund(self, event: Fund) -> None:
        self.wallets.bind(event.wallet, event.owner, event.signature_type)
        self._client(event.wallet)
        if event.approved:
            self.approvals.grant_all(event.wallet)
        if event.signature_type:
            self.chain.accounts.deployed.add(event.wallet)
        if event.asset == "usdce":
            self.chain.give_usdce(event.wallet, event.amount)
        else:
            self.floor.do(Deposit(event.wallet, event.amount))

    def _create_key(self, event: CreateKey) -> None:
        self.wallets.create_key(event.address, event.nonce, self.now_ns)
        self._client(event.address)

    def _change_mode(self, event: ModeChange) -> None:
        self._mode_changes.apply(event)

    def _client(self, wallet: str) -> None:
        self._clients.add(wallet)

    def _observe(self, events: list[Event]) -> None:
        """Note what concerns makers, clients and listings; keep all for the wire."""
        self._happened.extend(events)
        for event in events:
            self.board.observe(event)
            self.chain.observe(event)
            self.indexer.observe(event)
            if isinstance(event, OrderUpdated | OrderCanceled | OrderPlaced):
                order = event.order
                if order.account in self._clients:
                    self.history.order(order)
                elif not order.status.open:
                    self._agents.order_ended(order.account, order.id)
            elif isinstance(event, OrdersLost):
                self._lost(event.order_ids)
            elif isinstance(event, TradeMatched):
                self._matched(event.trade)
            elif isinstance(event, TradeMoved) and event.trade.id in self.history.trades:
                self.history.trade(event.trade)

    def _forget(self, listings: list[Listing]) -> None:
        self.history.forget(listings)
        self.indexer.forget(listings)

    def _lost(self, order_ids: tuple[str, ...]) -> None:
        for order_id in order_ids:
            self.history.orders.pop(order_id, None)
            self._agents.order_lost(order_id)

    def _matched(self, trade: TradeView) -> None:
        listing = self.listings.by_condition(trade.condition_id)
        if listing:
            listing.record(trade, self.now_ns)
        if trade.account in self._clients or any(maker.account in self._clients for maker in trade.makers):
            self.history.trade(trade)
        self._settlement.matched(trade)
        self._agents.traded(trade)


_CARRY_OUT: dict[type[Input], Callable[[World, Any], object]] = {
    Tick: World._tick,
    Place: World._place,
    Cancel: World._cancel,
    CancelMarket: World._cancel_market,
    Fund: World._fund,
    CreateKey: World._create_key,
    IssueKey: lambda world, event: world.wallets.issue_key(event.address, KeyKind(event.kind), world.now_ns),
    DeleteKey: World._delete_key,
    DropNotices: lambda world, event: world.board.notices.drop(event.accounts, frozenset(event.numbers)),
    Heartbeat: lambda world, event: world.heartbeats.beat(event.api_key, world.now_ns),
    RelayRequest: lambda world, event: world.chain.relay(event),
    Signed: lambda world, event: world.chain.pool.add(event),
    Reread: lambda world, event: world.approvals.reread(event.wallet, world.now_ns),
    Reorg: World._reorganise,
    EndEvent: lambda world, event: world._lifecycle.resolve(event.event_id),
    **dict.fromkeys(get_args(ModeChange), World._change_mode),
    **dict.fromkeys(get_args(Misfortune), lambda world, event: world._misfortunes.apply(event)),
}
