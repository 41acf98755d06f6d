"""Small strategies that record, signal, fail or dawdle, for the tests of engine and registry."""

from __future__ import annotations

from typing import ClassVar

from domain.order import Effect, OrderSide, OrderType
from domain.signal import Cancel, Replace, TradeSignal
from strategies.parameters import Parameters
from strategies.single_leg_parameters import SingleLegParameters
from strategies.strategy import Strategy
from tests.strategies.world import SECOND


class Recorder(Strategy[SingleLegParameters]):
    kind: ClassVar[str] = "recorder"
    parameters_type: ClassVar[type[Parameters]] = SingleLegParameters

    def __init__(self, name, parameters, context):
        super().__init__(name, parameters, context)
        self.events = []

    def on_start(self, now_ns):
        self.events.append("start")

    def on_stop(self, now_ns):
        self.events.append("stop")

    def on_book(self, book, now_ns):
        self.events.append(("book", book.token_id))
        return ()

    def on_trade(self, trade, now_ns):
        self.events.append(("trade", trade.token_id))
        return ()

    def on_fill(self, fill, now_ns):
        self.events.append(("fill", fill))
        return ()

    def on_refused(self, token_id, code, now_ns):
        self.events.append(("refused", token_id, code))
        return ()

    def on_timer(self, now_ns):
        self.events.append("timer")
        return ()

    def on_resolution(self, market, now_ns):
        self.events.append(("resolution", market.id))
        return ()


class BookOnly(Strategy[Parameters]):
    kind: ClassVar[str] = "book_only"
    parameters_type: ClassVar[type[Parameters]] = Parameters
    seen = 0

    def on_book(self, book, now_ns):
        self.seen += 1
        return ()


class Raising(BookOnly):
    kind: ClassVar[str] = "raising"

    def on_book(self, book, now_ns):
        self.seen += 1
        raise RuntimeError("this strategy is broken")


class Forgetful(BookOnly):
    """Returns nothing where intents are expected."""

    kind: ClassVar[str] = "forgetful"

    def on_book(self, book, now_ns):
        self.seen += 1


class Interrupted(BookOnly):
    """Raises after its first intent."""

    kind: ClassVar[str] = "interrupted"

    def on_book(self, book, now_ns):
        yield Cancel(id="c", source=self.name, order_id="o")
        raise RuntimeError("this strategy is broken")


class BadStart(BookOnly):
    kind: ClassVar[str] = "bad_start"
    broken = True

    def on_start(self, now_ns):
        if self.broken:
            raise RuntimeError("no data")


class BadStop(BookOnly):
    kind: ClassVar[str] = "bad_stop"

    def on_stop(self, now_ns):
        raise RuntimeError("cannot stop")


class Slow(BookOnly):
    kind: ClassVar[str] = "slow"
    takes = 0.005

    def on_book(self, book, now_ns):
        self.context.clock.spent += self.takes
        return ()


class Eager(BookOnly):
    kind: ClassVar[str] = "eager"

    def on_book(self, book, now_ns):
        market = self.context.markets[book.token_id]
        signal = TradeSignal(
            id=self.context.ids.uuid(),
            source=self.name,
            market=market,
            token_id=book.token_id,
            side=OrderSide.BUY,
            price=book.best_ask,
            size=market.min_size,
            effect=Effect.OPEN,
            order_type=OrderType.FAK,
            created_ns=now_ns,
            expires_ns=now_ns + SECOND,
            reason="eager",
        )
        return (signal, Cancel(id="c", source=self.name, order_id="o"))


class Requoting(Eager):
    """Replaces its order with every book."""

    kind: ClassVar[str] = "requoting"

    def on_book(self, book, now_ns):
        signal, cancel = super().on_book(book, now_ns)
        return (Replace(id="r", source=self.name, order_id=cancel.order_id, signal=signal),)
