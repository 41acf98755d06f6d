"""A small market place for strategy tests: real books, a hand-moved clock, and a desk that fills what it is told to fill."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from domain.book import Level, TradePrint
from domain.fees import NO_FEES
from domain.market import Market
from domain.money import MICRO, ceil_to, floor_to, format_micros
from domain.order import OrderSide
from domain.position import Position, PositionStatus
from domain.signal import Intent, TradeSignal
from markets.order_book import OrderBook
from strategies.context import Context
from strategies.engine import Engine
from strategies.parameters import parse
from strategies.price_tracker import PriceTracker
from strategies.registry import Registry

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND


class FakeClock:
    def __init__(self):
        self.ns = START
        self.spent = 0.0

    def now_ns(self):
        return self.ns

    def monotonic(self):
        return (self.ns - START) / SECOND + self.spent


class CountingIds:
    def __init__(self):
        self.count = 0

    def uuid(self):
        self.count += 1
        return f"id-{self.count}"

    def salt(self):
        self.count += 1
        return self.count


@dataclass
class FakeDesk:
    """An account whose positions the test sets by hand."""

    held: dict[tuple[str, str], Position] = field(default_factory=dict)
    orders: set[tuple[str, str]] = field(default_factory=set)
    locked: dict[str, int] = field(default_factory=dict)

    def position(self, token_id, strategy):
        return self.held.get((token_id, strategy))

    def positions(self, strategy):
        return [position for (_, name), position in self.held.items() if name == strategy]

    def working(self, token_id, strategy):
        return (token_id, strategy) in self.orders

    def available(self, token_id, strategy):
        position = self.held.get((token_id, strategy))
        return position.settled - self.locked.get(token_id, 0) if position else 0

    def fill(self, signal: TradeSignal, *, at_ns: int, price: int | None = None, size: int | None = None):
        """Carry out a signal at its limit (or `price`)."""
        price, size = price or signal.price, size or signal.size
        key = (signal.token_id, signal.source)
        before = self.held.get(key)
        settled, cost = (before.settled, before.cost) if before else (0, 0)
        if signal.side is OrderSide.BUY:
            settled, cost = settled + size, cost + price * size // MICRO
        else:
            settled, cost = settled - size, cost * (settled - size) // settled
        if settled == 0:
            del self.held[key]
            return
        self.held[key] = Position(
            id="p",
            account="sim:test",
            market_id=signal.market.id,
            token_id=signal.token_id,
            side="token1",
            strategy=signal.source,
            settled=settled,
            unsettled=0,
            cost=cost,
            realised=0,
            fees=0,
            take_profit=None,
            stop_loss=None,
            opened_ns=before.opened_ns if before else at_ns,
            closed_ns=None,
            exit_price=None,
            status=PositionStatus.OPEN,
        )


def a_market(number: int = 1, **changes) -> Market:
    return replace(
        Market(
            id=f"m{number}",
            venue="simulator",
            question=f"Question {number}?",
            slug=f"question-{number}",
            condition_id=f"0x{number:064x}",
            token_ids=(f"yes{number}", f"no{number}"),
            fees=NO_FEES,
            end_ns=START + 86_400 * SECOND,
        ),
        **changes,
    )


class World:
    """Markets with two mirrored books each, an engine, and everything it submitted."""

    def __init__(self, *kinds, parameters=None, markets=None, **engine_options):
        self.clock = FakeClock()
        self.desk = FakeDesk()
        self.books: dict[str, OrderBook] = {}
        self.inclusive: set[str] = set()
        self.context = Context(
            clock=self.clock,
            ids=CountingIds(),
            tracker=PriceTracker(),
            desk=self.desk,
            book_of=self.books.get,
            exclusive=lambda event: event not in self.inclusive,
        )
        self.registry = Registry(self.clock)
        for kind in kinds:
            self.registry.add(
                kind(kind.kind, parse(kind.parameters_type, parameters or {}, strategy=kind.kind), self.context),
                enabled=True,
            )
        self.sent: list[Intent] = []
        self.engine = Engine(registry=self.registry, context=self.context, submit=self.sent.append, **engine_options)
        self.markets = markets or [a_market()]
        for market in self.markets:
            self.add(market)
        self.registry.start_enabled()

    @property
    def market(self):
        return self.markets[0]

    @property
    def yes(self):
        return self.market.token_ids[0]

    @property
    def no(self):
        return self.market.token_ids[1]

    def add(self, market):
        for token_id in market.token_ids:
            self.books[token_id] = OrderBook(token_id, market.id, market.tick)
        self.engine.watch(market)

    def wait(self, seconds):
        """Let time pass, with the timer running twice a second."""
        end = self.clock.ns + round(seconds * SECOND)
        while self.clock.ns < end:
            self.clock.ns = min(end, self.clock.ns + SECOND // 2)
            self.engine.on_timer()

    def quote(self, mid, spread=0.02, *, bids=400.0, asks=400.0, market=None):
        """Show four levels a side around `mid`, on both outcomes, and tell the engine."""
        market = market or self.market
        half, middle, tick = round(spread * MICRO) // 2, round(mid * MICRO), market.tick
        bid = floor_to(middle - half, tick)
        ask = max(ceil_to(middle + half, tick), bid + tick)
        yes_bids = [(bid - i * tick, bids / 4) for i in range(4)]
        yes_asks = [(ask + i * tick, asks / 4) for i in range(4)]
        self.show(market.token_ids[0], yes_bids, yes_asks, tell=False)
        self.show(market.token_ids[1], mirrored(yes_asks), mirrored(yes_bids), tell=False)
        for token_id in market.token_ids:
            self.engine.on_book(self.books[token_id])

    def show(self, token_id, bids, asks, *, tell=True):
        book = self.books[token_id]
        assert book.replace(levels(bids), levels(asks))
        book.trusted = True
        book.received_ns = self.clock.ns
        if tell:
            self.engine.on_book(book)

    def trade(self, side, size, price, token_id=None):
        self.engine.on_trade(
            TradePrint(
                token_id=token_id or self.yes,
                condition_id=self.market.condition_id,
                side=side,
                price=round(price * MICRO),
                size=round(size * MICRO),
                venue_ms=self.clock.ns // 1_000_000,
                received_ns=self.clock.ns,
            )
        )

    def calm(self, mids=(0.62, 0.61, 0.62, 0.63, 0.62, 0.61, 0.62), *, times=6, every=1.0):
        """Quote a calm series over and over."""
        for _ in range(times):
            for mid in mids:
                self.wait(every)
                self.quote(mid)

    def refusals(self, name):
        return dict(self.registry.get(name).strategy.refusals)

    def fill(self, signal=None, **how):
        signal = signal or self.sent[-1]
        self.desk.fill(signal, at_ns=self.clock.ns, **how)


def levels(pairs):
    return [Level(price=format_micros(price), size=str(size)) for price, size in pairs if 0 < price < MICRO]


def mirrored(pairs):
    return [(MICRO - price, size) for price, size in pairs]
