"""The venue of one paper account: the exchange core's rules, funds and settlement, filled from the real books of another venue.

A public trade or a book that moves fills what rested (`witness` tells of them); an order that arrives takes the depth that is shown. Nothing it does
is seen outside. Every turn is remembered before it is carried out (`PaperStore`); when that fails the venue is `broken`: it changes nothing more and
raises `VenueError` whenever it is asked. Resting orders are found again after a restart, behind everybody at their price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from domain.errors import VenueError
from domain.fill import FillStatus
from domain.market import Market, MarketStatus
from domain.ports import Clock
from venues.exchange import Exchange
from venues.exchange import commands as c
from venues.exchange import events as e
from venues.paper.market import STREET, PaperMarket, Wish
from venues.paper.store import PaperStoreError, Turn

_SECOND_NS = 1_000_000_000
_STREET_NEEDS = 10**14
_STREET_GETS = 10**15
_REMEMBER_NS = 7 * 86_400 * _SECOND_NS
_PRUNE_EVERY_NS = 3_600 * _SECOND_NS

Settlement = tuple[tuple[float, FillStatus], ...]
SETTLES: Settlement = ((2.0, FillStatus.MINED), (4.0, FillStatus.CONFIRMED))
"""When a trade reaches which state, in seconds after its match. On paper every trade settles."""
REDEEM_SECONDS = 8.0
"""Time from a resolution to its payout."""


class Memory(Protocol):
    """Where turns are remembered. `append` raises `PaperStoreError`, and then nothing of the turn counts."""

    @property
    def full(self) -> bool: ...
    def append(self, turn: Turn) -> None: ...
    def compact(self, exchange: Exchange) -> None: ...


@dataclass(frozen=True, slots=True)
class NoMemory:
    """Of a venue that lives as long as its process."""

    full: bool = False

    def append(self, turn: Turn) -> None:
        """Forget it."""

    def compact(self, exchange: Exchange) -> None:
        """Forget it."""


class PaperVenue:
    """`on_events` hears all that happens to the account, in order."""

    def __init__(
        self, account: str, exchange: Exchange, memory: Memory, clock: Clock, *, settles: Settlement = SETTLES
    ) -> None:
        self.account = account
        self.exchange = exchange
        self.broken = ""
        self.on_events: Callable[[list[e.Event]], None] = lambda _: None
        self._memory = memory
        self._clock = clock
        self._settles = [(int(after * _SECOND_NS), status) for after, status in settles]
        self._markets: dict[str, PaperMarket] = {}
        self._of_token: dict[str, PaperMarket] = {}
        self._delayed: dict[str, int] = {}
        self._due_payouts: dict[str, int] = {}
        self._pruned_ns = 0
        for market in exchange.markets():
            self._know(market)
            if exchange.payouts(market.condition_id) is not None:
                self._due_payouts[market.condition_id] = 0
        for order in exchange.open_orders(account):
            self._follow(order.id)

    # What is traded

    def learn(self, market: Market) -> None:
        """Take over a market from the catalogue: its terms, and its end if it has one."""
        known = self._of_token.get(market.token_ids[0])
        if known is None:
            self._know(market)
            return
        # The feed tells of a new tick long before the catalogue does.
        known.market = replace(market, tick=known.market.tick)
        listed = self.exchange.market(market.condition_id)
        if listed is None or listed.status is MarketStatus.SETTLED:
            return
        if market.status is MarketStatus.SETTLED:
            self.resolve(market.condition_id, market.winner)
        elif _terms(listed) != _terms(known.market):
            self._act(c.SetTerms(replace(known.market, accepting_orders=market.tradable)))

    def _know(self, market: Market) -> None:
        known = PaperMarket(market)
        self._markets[market.condition_id] = known
        self._of_token.update(dict.fromkeys(market.token_ids, known))

    # Orders

    def place(self, order: c.PlaceOrder) -> e.OrderAccepted | e.OrderRefused:
        """Let an order meet the book of this moment. Without a book that can be trusted it is refused."""
        known = self._of_token.get(order.token_id)
        if known is None or not known.ladder.trusted:
            text = "No orderbook exists for the requested token id: the paper venue does not see its book now"
            return e.OrderRefused(order.order_id, order.account, e.RefusalCode.NO_ORDERBOOK, text)
        self.advance()
        turn: list[c.Command] = []
        if self.exchange.market(known.market.condition_id) is None:
            turn.append(c.ListMarket(known.market))
        quotes = known.offers([Wish(known.market, order, order.order_id)])
        turn += [*self._supply(), *quotes] if quotes else []
        asked = len(turn)
        turn += [order, c.CancelAll(STREET)] if quotes else [order]
        answer = self._act(*turn)[asked]
        if not isinstance(answer, e.OrderAccepted | e.OrderRefused):
            raise VenueError(f"an order was answered with {answer}")
        return answer

    def cancel(self, command: c.CancelOrders | c.CancelAll | c.CancelMarketOrders) -> e.CancelAnswer:
        self.advance()
        answer = self._act(command)[-1]
        if not isinstance(answer, e.CancelAnswer):
            raise VenueError(f"a cancel was answered with {answer}")
        return answer

    def deposit(self, amount: int) -> None:
        """Give the account play money."""
        self._act(c.Deposit(self.account, amount))

    def give(self, market: Market, token_id: str, size: int) -> None:
        """Give the account shares that the rest of the world had."""
        self.learn(market)
        listed = () if self.exchange.market(market.condition_id) else (c.ListMarket(market),)
        split = c.Split(STREET, market.condition_id, size)
        self._act(*listed, *self._supply(), split, c.Transfer(STREET, self.account, token_id, size))

    # Time

    def advance(self) -> None:
        """Do what time brings: release delayed orders, stop expired ones, settle trades, pay out."""
        now = self._clock.now_ns()
        while self._delayed and min(self._delayed.values()) <= now:
            self._release(min(self._delayed.values()))
        timer = self.exchange.next_due_ns
        if timer is not None and timer <= now:
            self._act(c.Advance())
        for trade in self.exchange.unsettled_trades():
            for after, status in self._settles[self._steps_done(trade.status) :]:
                if trade.matched_ns + after <= now:
                    self._act(c.Settle(trade.id, status))
        for condition_id, due in list(self._due_payouts.items()):
            if due <= now:
                self._pay_out(condition_id)
        if now - self._pruned_ns > _PRUNE_EVERY_NS:
            self._pruned_ns = now
            self._act(c.Prune(now - _REMEMBER_NS))

    def _steps_done(self, status: FillStatus) -> int:
        return next((index + 1 for index, step in enumerate(self._settles) if step[1] is status), 0)

    def _release(self, due: int) -> None:
        """Let the orders whose delay ends at `due` meet the book as it is known now."""
        ids = sorted(order_id for order_id, at in self._delayed.items() if at == due)
        orders = [view for order_id in ids if (view := self.exchange.order(order_id)) is not None]
        quotes: list[c.Command] = []
        for condition_id in dict.fromkeys(order.condition_id for order in orders):
            known = self._markets[condition_id]
            if known.ladder.trusted:
                ours = [order for order in orders if order.condition_id == condition_id]
                quotes += known.offers(Wish(known.market, order, f"{order.id}/released") for order in ours)
        for order_id in ids:
            del self._delayed[order_id]
        before = [(due - 1, command) for command in (*self._supply(), *quotes)]
        self._carry_out([*before, (due, c.Advance()), (due, c.CancelAll(STREET))])
        for order_id in ids:
            self._follow(order_id)

    def _pay_out(self, condition_id: str) -> None:
        if any(trade.condition_id == condition_id for trade in self.exchange.unsettled_trades()):
            return
        del self._due_payouts[condition_id]
        self._act(c.RedeemAll(condition_id))

    # What the world does (told by `witness`)

    def market_of(self, token_id: str) -> PaperMarket | None:
        return self._of_token.get(token_id)

    def set_tick(self, known: PaperMarket, tick: int) -> None:
        known.market = replace(known.market, tick=tick)
        if self.exchange.market(known.market.condition_id) is not None:
            self._act(c.SetTick(known.market.condition_id, tick))

    def resolve(self, condition_id: str, winner: int | None) -> None:
        """End a market; its tokens are paid out a while later. Nothing happens where the account never traded."""
        listed = self.exchange.market(condition_id)
        if listed is not None and listed.status is not MarketStatus.SETTLED:
            self._act(c.Resolve(condition_id, winner))
            self._due_payouts[condition_id] = self._clock.now_ns() + int(REDEEM_SECONDS * _SECOND_NS)

    def catch_up(self, known: PaperMarket) -> None:
        """What was due before news of a market happens on its book as it was before them."""
        if known.resting or self._delayed:
            self.advance()

    def fill(self, hits: Sequence[c.Hit]) -> None:
        """Let the world trade with our resting orders."""
        if hits:
            self._act(*self._supply(), *hits)

    # The exchange

    def _supply(self) -> tuple[c.Command, ...]:
        short = self.exchange.balance(STREET).available < _STREET_NEEDS
        return (c.Deposit(STREET, _STREET_GETS),) if short else ()

    def _act(self, *commands: c.Command) -> list[e.Event | None]:
        """Carry out commands now; return the answer to each, or None."""
        now = self._clock.now_ns()
        return self._carry_out([(now, command) for command in commands])

    def _carry_out(self, turn: Turn) -> list[e.Event | None]:
        if self.broken:
            raise VenueError(f"the paper venue cannot go on: {self.broken}")
        try:
            if self._memory.full:
                self._memory.compact(self.exchange)
            self._memory.append(turn)
        except PaperStoreError as error:
            self.broken = str(error)
            raise
        events: list[e.Event] = []
        answers: list[e.Event | None] = []
        for at_ns, command in turn:
            happened = self.exchange.step(at_ns, command)
            events += happened
            answers.append(happened[-1] if happened else None)
        self._take_note(events)
        self.on_events(events)
        return answers

    def _take_note(self, events: Sequence[e.Event]) -> None:
        touched: dict[str, None] = {}
        for event in events:
            match event:
                case e.TradeMatched(trade):
                    for maker in trade.makers:
                        if maker.account == STREET:
                            self._of_token[maker.token_id].taken(maker.token_id, maker.price, maker.size)
                case e.OrderPlaced(order) | e.OrderUpdated(order) | e.OrderCanceled(order):
                    if order.account == self.account:
                        touched[order.id] = None
        for order_id in touched:
            self._follow(order_id)

    def _follow(self, order_id: str) -> None:
        """Keep the place of an order that rests, and the end of its delay."""
        order = self.exchange.order(order_id)
        if order is None:
            return
        known = self._of_token[order.token_id]
        if order.status is e.VenueStatus.LIVE:
            known.settle_order(order, self.exchange.now_ns)
        else:
            known.resting.pop(order_id, None)
        if order.status is e.VenueStatus.DELAYED:
            listed = self.exchange.market(order.condition_id)
            delay = listed.taker_delay_ms if listed is not None else 0
            self._delayed[order_id] = order.created_ns + delay * 1_000_000
        else:
            self._delayed.pop(order_id, None)


def _terms(market: Market) -> tuple[object, ...]:
    return (market.tick, market.min_size, market.fees, market.taker_delay_ms, market.tradable)
