"""nautilus_trader's way of a limit order through its RiskEngine to the execution engine's door, which only counts.

Five hundred binary options, two hundred orders and a cash account. `checked` is the engine's pre-trade checks alone (precision, size, notional, free
balance, rate), of commands made before. `submitted` also makes the order and tracks it in the cache, as a strategy's `submit_order` does.
"""

# mypy: ignore-errors
# Runs in an environment of its own, where its imports exist.

import json
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.currencies import USDC_POS
from nautilus_trader.model.enums import AccountType, AssetClass, OrderSide
from nautilus_trader.model.events import AccountState
from nautilus_trader.model.identifiers import AccountId, InstrumentId, StrategyId, Symbol, TraderId
from nautilus_trader.model.instruments import BinaryOption
from nautilus_trader.model.objects import AccountBalance, Money, Price, Quantity
from nautilus_trader.model.orders import LimitOrder
from nautilus_trader.portfolio.portfolio import Portfolio
from nautilus_trader.risk.config import RiskEngineConfig
from nautilus_trader.risk.engine import RiskEngine
from nautilus_trader.test_kit.stubs.component import TestComponentStubs

MARKETS, ORDERS, PORTION = 500, 200, 100
PRICE, QUANTITY = Price.from_str("0.40"), Quantity.from_str("10.000000")


def instrument(number: int) -> BinaryOption:
    return BinaryOption(
        instrument_id=InstrumentId.from_str(f"0xc{number}-{number}001.POLYMARKET"),
        raw_symbol=Symbol(f"{number}001"),
        outcome="Yes",
        description="bench",
        asset_class=AssetClass.ALTERNATIVE,
        currency=USDC_POS,
        price_increment=Price.from_str("0.01"),
        price_precision=2,
        size_increment=Quantity.from_str("0.000001"),
        size_precision=6,
        activation_ns=0,
        expiration_ns=2**62,
        max_quantity=None,
        min_quantity=Quantity.from_int(5),
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
        ts_event=0,
        ts_init=0,
    )


def account_state() -> AccountState:
    rich = Money(1_000_000, USDC_POS)
    return AccountState(
        account_id=AccountId("POLYMARKET-001"),
        account_type=AccountType.CASH,
        base_currency=USDC_POS,
        reported=True,
        balances=[AccountBalance(rich, Money(0, USDC_POS), rich)],
        margins=[],
        info={},
        event_id=UUID4(),
        ts_event=0,
        ts_init=0,
    )


class Desk:
    """A risk engine with an account, two hundred orders and an execution engine's door that counts who comes through."""

    def __init__(self) -> None:
        clock, self.trader, self.strategy = LiveClock(), TraderId("TRADER-001"), StrategyId("S-001")
        bus = MessageBus(trader_id=self.trader, clock=clock)
        self.cache = TestComponentStubs.cache()
        portfolio = Portfolio(msgbus=bus, cache=self.cache, clock=clock)
        config = RiskEngineConfig(max_order_submit_rate="100000000/00:00:01")
        self.risk = RiskEngine(portfolio=portfolio, msgbus=bus, cache=self.cache, clock=clock, config=config)
        self.passed = 0
        bus.register("ExecEngine.execute", self._count)
        self.risk.start()
        self.instruments = [instrument(number) for number in range(MARKETS)]
        for one in self.instruments:
            self.cache.add_instrument(one)
        portfolio.update_account(account_state())
        self.orders = OrderFactory(trader_id=self.trader, strategy_id=self.strategy, clock=clock)
        for number in range(ORDERS):
            self.cache.add_order(self.limit(number))

    def _count(self, command: SubmitOrder) -> None:
        self.passed += 1

    def limit(self, number: int) -> LimitOrder:
        return self.orders.limit(
            instrument_id=self.instruments[number * 7 % MARKETS].id,
            order_side=OrderSide.BUY,
            quantity=QUANTITY,
            price=PRICE,
        )

    def command(self, order: LimitOrder) -> SubmitOrder:
        return SubmitOrder(trader_id=self.trader, strategy_id=self.strategy, order=order, command_id=UUID4(), ts_init=0)

    def submit(self, number: int) -> None:
        """Do what `Strategy.submit_order` does: make the order, track it, have it checked."""
        order = self.limit(number)
        self.cache.add_order(order)
        self.risk.execute(self.command(order))

    def check(self, command: SubmitOrder) -> None:
        self.risk.execute(command)


def main() -> None:
    for _ in sys.stdin:
        desk = Desk()
        commands = [desk.command(desk.limit(number)) for number in range(PORTION * 10)]
        result = {
            "submitted": best(desk.submit, range(PORTION * 10)),
            "checked": best(desk.check, commands),
        }
        if desk.passed != PORTION * 20:
            raise AssertionError(f"{desk.passed} orders passed, expected {PORTION * 20}")
        print(json.dumps(result), flush=True)


def best(function: Callable, items: Sequence) -> float:
    """Return the microseconds of a call, in the best portion of `items`."""
    took = []
    for begin in range(0, len(items), PORTION):
        portion = items[begin : begin + PORTION]
        started = time.perf_counter()
        for item in portion:
            function(item)
        took.append((time.perf_counter() - started) / PORTION * 1e6)
    return min(took)


main()
