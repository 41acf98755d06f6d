"""The base of every strategy: events in, intents out.

Handlers are plain functions called in the trader's loop: they answer at once and never wait. What they raise is counted and isolated by the
engine. A handler that a strategy does not override is never called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from domain.book import TradePrint
from domain.fill import Fill
from domain.market import Market
from domain.signal import Intent
from markets.order_book import OrderBook
from strategies.context import Context
from strategies.parameters import Parameters

P = TypeVar("P", bound=Parameters)
NOTHING: Sequence[Intent] = ()


class Strategy(ABC, Generic[P]):
    """One strategy with its parameters. `refusals` counts, by gate, why opportunities were not taken."""

    kind: ClassVar[str]
    parameters_type: ClassVar[type[Parameters]]

    def __init__(self, name: str, parameters: P, context: Context) -> None:
        self.name = name
        self.context = context
        self.refusals: Counter[str] = Counter()
        self.parameters = parameters
        self.configure(parameters)

    def configure(self, parameters: P) -> None:
        """Take new parameters; they count from the next event on."""
        self.parameters = parameters

    def wants(self, market: Market) -> bool:
        """Tell whether events of `market` shall reach this strategy."""
        return market.tradable

    def on_start(self, now_ns: int) -> None:
        """Prepare to run; what it raises keeps the strategy from running."""

    def on_stop(self, now_ns: int) -> None:
        """Let go of everything in memory; positions stay with their take-profit and stop-loss."""

    @abstractmethod
    def on_book(self, book: OrderBook, now_ns: int) -> Sequence[Intent]:
        """A trusted, uncrossed book changed; it may be one-sided."""

    def on_trade(self, trade: TradePrint, now_ns: int) -> Sequence[Intent]:
        """Somebody traded in public."""
        return NOTHING

    def on_fill(self, fill: Fill, now_ns: int) -> Sequence[Intent]:
        """An order of this strategy was filled, or such a fill changed its state."""
        return NOTHING

    def on_refused(self, token_id: str, code: str, now_ns: int) -> Sequence[Intent]:
        """The venue refused an order of this strategy; `code` says why (`domain.reports`)."""
        return NOTHING

    def on_timer(self, now_ns: int) -> Sequence[Intent]:
        """Time passed, whether or not any book moved."""
        return NOTHING

    def on_resolution(self, market: Market, now_ns: int) -> Sequence[Intent]:
        """A watched market was decided and trades no more."""
        return NOTHING
