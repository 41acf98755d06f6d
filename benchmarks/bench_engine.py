"""The decision loop: one book update through 50 strategies on 500 markets, from the engine's entry to the last strategy's answer.

Half of the strategies are flash crash, half mean reversion, each with windows of its own. Prices are noise with crashes, as the simulated venue makes
them; every token has five minutes of history. Time in the market is virtual. The loop's is processor time, because the slowest per cent shall
tell of the loop and not of what else the machine does.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Any

import structlog

from benchmarks.measure import Result
from domain.book import Level
from domain.market import Market
from domain.money import MICRO, format_micros
from domain.position import Position
from domain.signal import Intent
from infra import garbage
from infra.ids import RandomIds
from markets.order_book import OrderBook
from strategies.context import Context
from strategies.engine import Engine
from strategies.flash_crash import FlashCrash
from strategies.mean_reversion import MeanReversion
from strategies.parameters import parse
from strategies.price_tracker import PriceTracker
from strategies.registry import Registry
from strategies.strategy import Strategy

MARKETS, STRATEGIES, UPDATES = 500, 50, 20_000
HISTORY_SECONDS = 300
UPDATES_A_SECOND = 2_000
SECOND = 1_000_000_000
TICK = 10_000


class MarketTime:
    """Virtual wall time, real monotonic time."""

    ns = 1_790_000_000 * SECOND

    def now_ns(self) -> int:
        return self.ns

    def monotonic(self) -> float:
        return perf_counter()


class EmptyDesk:
    """An account that holds nothing."""

    def position(self, _token_id: str, _strategy: str) -> Position | None:
        return None

    def positions(self, _strategy: str) -> list[Position]:
        return []

    def working(self, _token_id: str, _strategy: str) -> bool:
        return False

    def available(self, _token_id: str, _strategy: str) -> int:
        return 0


def run() -> list[Result]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    clock, rng, intents = MarketTime(), random.Random(11), list[Intent]()
    books = {token: OrderBook(token, str(n // 2), TICK) for n, token in enumerate(_tokens())}
    tracker = PriceTracker()
    context = Context(
        clock=clock,
        ids=RandomIds(),
        tracker=tracker,
        desk=EmptyDesk(),
        book_of=books.get,
        exclusive=lambda _event: False,
    )
    registry = Registry(clock)
    for number in range(STRATEGIES):
        kind, parameters = _strategy(number)
        name = f"{kind.kind}_{number}"
        registry.add(kind(name, parse(kind.parameters_type, parameters, strategy=name), context), enabled=True)
    engine = Engine(registry=registry, context=context, submit=intents.append, budget_seconds=60.0)
    for market in _markets(clock.ns):
        engine.watch(market)
    quote = _quotes(books, clock, rng)
    for second in range(HISTORY_SECONDS):
        for number in range(MARKETS):
            for book in quote(number):
                tracker.add_book(book, clock.ns + second)
        clock.ns += SECOND
    for number in range(MARKETS):
        quote(number)
    registry.start_enabled()
    # As the trader does after its start.
    garbage.settle()
    times = []
    for _ in range(UPDATES // 2):
        clock.ns += SECOND // UPDATES_A_SECOND
        for book in quote(rng.randrange(MARKETS)):
            begin = thread_time()
            engine.on_book(book)
            times.append(thread_time() - begin)
    times.sort()
    what = f"engine_{STRATEGIES}x{MARKETS}"
    return [
        Result(name=f"{what}_{name}", unit="µs", ours=times[int(len(times) * share)] * 1e6)
        for name, share in (("p50", 0.50), ("p99", 0.99), ("p999", 0.999))
    ]


def _tokens() -> list[str]:
    return [f"{side}{number}" for number in range(MARKETS) for side in ("yes", "no")]


def _markets(now_ns: int) -> list[Market]:
    return [
        Market(
            id=str(number),
            venue="bench",
            question="?",
            slug=str(number),
            condition_id=str(number),
            token_ids=(f"yes{number}", f"no{number}"),
            end_ns=now_ns + 86_400 * SECOND,
        )
        for number in range(MARKETS)
    ]


def _strategy(number: int) -> tuple[type[Strategy[Any]], dict[str, object]]:
    if number % 2:
        return MeanReversion, {
            "lookback_window": f"{120 + 10 * (number // 2)}s",
            "std_dev_threshold": 1.5 + 0.1 * (number // 2),
        }
    return FlashCrash, {"max_duration": f"{4 + number // 4}s", "baseline_window": f"{40 + number}s"}


def _quotes(
    books: dict[str, OrderBook], clock: MarketTime, rng: random.Random
) -> Callable[[int], tuple[OrderBook, ...]]:
    """Return a function that moves one market and returns its two books."""
    middles = [rng.uniform(0.2, 0.8) for _ in range(MARKETS)]

    def quote(number: int) -> tuple[OrderBook, ...]:
        middles[number] = min(max(middles[number] + rng.gauss(0, 0.001), 0.1), 0.9)
        crash = 0.15 if rng.random() < 0.002 else 0.0
        bid = round(max(middles[number] + rng.gauss(0, 0.008) - crash, 0.05) * 100) * TICK
        yes = [(bid - step * TICK, rng.randrange(50, 500)) for step in range(4)]
        no = [(MICRO - bid - 2 * TICK - step * TICK, rng.randrange(50, 500)) for step in range(4)]
        pair = books[f"yes{number}"], books[f"no{number}"]
        for book, own, other in zip(pair, (yes, no), (no, yes), strict=True):
            book.replace(_levels(own), _levels([(MICRO - price, size) for price, size in other]))
            book.trusted, book.received_ns = True, clock.ns
        return pair

    return quote


def _levels(pairs: list[tuple[int, int]]) -> list[Level]:
    return [Level(format_micros(price), str(size)) for price, size in pairs]
