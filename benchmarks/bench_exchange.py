"""The exchange core's speed: commands per second of a mixed flow, of quoting alone, and of matching alone, all events built."""

from __future__ import annotations

import gc
import random
from time import perf_counter

from benchmarks.measure import Result
from domain.fees import FeeSchedule
from domain.market import Market
from domain.order import OrderSide, OrderType
from venues.exchange import Exchange
from venues.exchange.commands import CancelOrders, Command, Deposit, ListMarket, PlaceOrder, Split

ACCOUNTS = [f"account-{number}" for number in range(20)]
TOKENS = ("yes", "no")
COMMANDS = 20_000
ROUNDS = 5


def run() -> list[Result]:
    flows = {"exchange_mixed": _mixed(), "exchange_quote": _quotes(), "exchange_match": _matches()}
    best = dict.fromkeys(flows, 0.0)
    for _ in range(ROUNDS):
        for name, commands in flows.items():
            best[name] = max(best[name], _rate(commands))
    return [Result(name, "commands/s", rate, higher_is_better=True) for name, rate in best.items()]


def _rate(commands: list[Command]) -> float:
    exchange = _exchange()
    gc.collect()
    start = perf_counter()
    for now_ns, command in enumerate(commands):
        exchange.step(now_ns, command)
    return len(commands) / (perf_counter() - start)


def _exchange() -> Exchange:
    exchange = Exchange("bench")
    market = Market(
        id="1",
        venue="bench",
        question="?",
        slug="bench",
        condition_id="0x1",
        token_ids=TOKENS,
        fees=FeeSchedule(rate=40_000),
    )
    exchange.step(0, ListMarket(market))
    for account in ACCOUNTS:
        exchange.step(0, Deposit(account, 10**13))
        exchange.step(0, Split(account, market.condition_id, 5 * 10**12))
    return exchange


def _order(
    number: int, account: str, token: str, side: OrderSide, order_type: OrderType, cents: int, shares: int
) -> PlaceOrder:
    cash, size = cents * shares * 10_000, shares * 1_000_000
    maker, taker = (cash, size) if side is OrderSide.BUY else (size, cash)
    return PlaceOrder(f"order-{number}", account, token, side, order_type, maker, taker)


def _quote(rng: random.Random, number: int, away: int) -> PlaceOrder:
    """A resting order `away` cents from the middle of 50, on a random side of a random token."""
    side = rng.choice((OrderSide.BUY, OrderSide.SELL))
    cents = 50 - away if side is OrderSide.BUY else 50 + away
    return _order(number, rng.choice(ACCOUNTS), rng.choice(TOKENS), side, OrderType.GTC, cents, rng.randrange(5, 50))


def _mixed() -> list[Command]:
    """55 % new quotes over fourteen levels a side, 35 % cancels, 10 % market orders."""
    rng = random.Random(1)
    live: list[PlaceOrder] = []
    commands: list[Command] = []
    for number in range(COMMANDS):
        kind = rng.random()
        if kind < 0.35 and live:
            order = live.pop(rng.randrange(len(live)))
            commands.append(CancelOrders(order.account, (order.order_id,)))
        elif kind < 0.9:
            live.append(_quote(rng, number, rng.randrange(1, 15)))
            commands.append(live[-1])
        else:
            side, cents = rng.choice(((OrderSide.BUY, 60), (OrderSide.SELL, 40)))
            shares = rng.randrange(10, 90)
            commands.append(
                _order(number, rng.choice(ACCOUNTS), rng.choice(TOKENS), side, OrderType.FAK, cents, shares)
            )
    return commands


def _quotes() -> list[Command]:
    """Place an order, cancel it, and so on."""
    rng = random.Random(2)
    commands: list[Command] = []
    for number in range(COMMANDS // 2):
        order = _quote(rng, number, rng.randrange(1, 15))
        commands += [order, CancelOrders(order.account, (order.order_id,))]
    return commands


def _matches() -> list[Command]:
    """Every second order takes the whole of the one before: complementary, minted and merged in turn."""
    rng = random.Random(3)
    commands: list[Command] = []
    for number in range(0, COMMANDS, 2):
        maker = _quote(rng, number, 0)
        same = rng.random() < 0.5
        token = maker.token_id if same else TOKENS[1 - TOKENS.index(maker.token_id)]
        opposite = OrderSide.SELL if maker.side is OrderSide.BUY else OrderSide.BUY
        shares = (maker.taker_amount if maker.side is OrderSide.BUY else maker.maker_amount) // 1_000_000
        side = opposite if same else maker.side
        commands += [maker, _order(number + 1, rng.choice(ACCOUNTS), token, side, OrderType.GTC, 50, shares)]
    return commands
