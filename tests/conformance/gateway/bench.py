"""What the gateway suite needs of a venue: the ports under test, one quiet market, and a rival to trade with.

Each implementation of `OrderGateway` and `AccountFeed` brings a bench and is then held to the same tests. The market's book is empty until the test's
rival quotes, and nobody else trades in it while time stands still; `pass_time` lets the venue settle and expire.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import pytest

from domain.market import Market
from domain.order import Effect, OrderDraft, OrderSide, OrderType, PreparedOrder
from domain.ports import AccountFeed, OrderGateway
from domain.reports import Accepted, OrderReport, TradeReport
from tests.venues.polymarket.listeners import AccountDiary

SHARE = 1_000_000
CENT = 10_000
NEVER = 1e12
"""A deadline that no test reaches."""
UNKNOWN_ID = "0x" + "00" * 32


class Bench(ABC):
    """One implementation on its venue. The account holds a thousand dollars and no tokens at first."""

    gateway: OrderGateway
    account_feed: AccountFeed
    market: Market
    diary: AccountDiary

    @property
    def yes(self) -> str:
        return self.market.token_ids[0]

    @property
    def no(self) -> str:
        return self.market.token_ids[1]

    @abstractmethod
    def now_ns(self) -> int: ...

    @abstractmethod
    async def rival(
        self, side: OrderSide, price: int, size: int, order_type: OrderType = OrderType.GTC, *, token: int = 0
    ) -> None:
        """Place another account's order, which has the money and the tokens for it."""

    @abstractmethod
    async def pass_time(self, seconds: float) -> None:
        """Let the venue's time pass: trades settle, orders expire."""

    async def listen(self) -> None:
        """Start the channel and wait until it stands."""
        await self.account_feed.start(self.diary)
        await self._heard(str, lambda gap: True)

    def draft(self, **more: Any) -> OrderDraft:
        """Return a resting bid for ten YES shares at thirty cents, changed by `more`."""
        fields: dict[str, Any] = {
            "account": self.gateway.account, "decision_id": "d", "intent_id": "i", "strategy": "s", "market": self.market,
            "token_id": self.yes, "side": OrderSide.BUY, "order_type": OrderType.GTC, "price": 30 * CENT, "size": 10 * SHARE,
            "effect": Effect.OPEN,
        }  # fmt: skip
        return OrderDraft(**{**fields, **more})

    async def prepared(self, **more: Any) -> PreparedOrder:
        return await self.gateway.prepare(self.draft(**more))

    async def placed(self, **more: Any) -> PreparedOrder:
        """Place an order that must be taken."""
        prepared = await self.prepared(**more)
        outcome = await self.gateway.send(prepared, NEVER)
        assert isinstance(outcome, Accepted), outcome
        return prepared

    async def owned(self, size: int, *, token: int = 0) -> None:
        """Buy settled shares from the rival at half a dollar."""
        await self.rival(OrderSide.SELL, 50 * CENT, size, token=token)
        await self.placed(token_id=self.market.token_ids[token], order_type=OrderType.FOK, price=50 * CENT, size=size)
        await self.pass_time(10)

    async def report(self, order_id: str) -> OrderReport:
        found = await self.gateway.order(order_id)
        assert found is not None
        return found

    async def told(self, order_id: str, condition: Callable[[OrderReport], bool]) -> OrderReport:
        """Wait until the channel says of an order what `condition` asks for."""
        return await self._heard(OrderReport, lambda report: report.order_id == order_id and condition(report))

    async def told_trade(self, order_id: str, condition: Callable[[TradeReport], bool]) -> TradeReport:
        return await self._heard(TradeReport, lambda report: report.order_id == order_id and condition(report))

    async def _heard(self, kind: type, condition: Callable[[Any], bool]) -> Any:
        for _ in range(500):
            for event in self.diary.of(kind):
                if condition(event):
                    return event
            await asyncio.sleep(0.01)
        pytest.fail(f"the channel said nothing of the kind, but {self.diary.events}")
