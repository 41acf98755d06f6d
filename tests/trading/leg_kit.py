"""Leg groups on the scripted venue: each order of a group meets a fate, named in words."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from domain.fill import FillStatus
from domain.legs import LegPolicy
from domain.money import MICRO
from domain.order import OrderStatus, OrderType, PreparedOrder
from domain.reports import Accepted, Rejected, SendOutcome, Uncertain
from domain.signal import TradeSignal
from tests.sim.virtual_time import VirtualClock
from tests.trading import factories as f
from tests.trading.kit import Rig
from trading.leg_settings import LegSettings

A, B, C = "1001", "2001", "3001"
OTHER = {A: "1002", B: "2002", C: "3002"}
PRICES = {A: 400_000, B: 500_000, C: 200_000}


class GroupRig(Rig):
    """A rig with three markets. `fates[token]` are what becomes of its orders, one after the other; "filled" is the default.

    "filled", "refused", "lost" (never taken), "filled unheard SECONDS" (taken, told later), "late SECONDS" (taken and answered, its fill told
    later), "late SECONDS failed" (that fill does not settle), "short SHARES" (partly filled).
    """

    def __init__(
        self, clock: VirtualClock, legs: LegSettings | None = None, *, settled: bool = True, **named: Any
    ) -> None:
        super().__init__(clock, legs=legs, **named)
        self.settled = settled
        for number, token in enumerate((A, B, C), start=1):
            market = f.market(id=f"m{number}", condition_id=f"0xc{number}", token_ids=(token, OTHER[token]))
            self.markets[market.id] = market
        self.fates: dict[str, list[str]] = {}
        self.tasks: list[asyncio.TimerHandle] = []
        self.sent: list[str] = []
        self.venue.instead("send", self._send)
        self.resolving: asyncio.Task[None] | None = None

    async def _send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        draft = self.venue.drafts[prepared.order_id]
        self.sent.append(draft.token_id)
        fates = self.fates.get(draft.token_id, [])
        fate, *words = (fates.pop(0) if fates else "filled").split()
        await asyncio.sleep(0.01)
        if fate == "refused" or (fate == "short" and draft.order_type is OrderType.FOK):
            return Rejected(order_id=prepared.order_id, code="fok_not_filled")
        if fate == "lost":
            return Uncertain(order_id=prepared.order_id)
        shares = min(int(words[0]) * MICRO, draft.size) if fate == "short" else draft.size
        trade_id = f"t-{prepared.order_id[-6:]}"
        delay = float(words[1]) if words[:1] == ["unheard"] else float(words[0]) if fate == "late" else 0.02
        told = (prepared.order_id, trade_id, shares, "failed" in words)
        asyncio.get_running_loop().call_later(delay, self._fill, *told)
        if words[:1] == ["unheard"]:
            return Uncertain(order_id=prepared.order_id)
        return Accepted(order_id=prepared.order_id, status=OrderStatus.MATCHED, trade_ids=(trade_id,))

    def _fill(self, order_id: str, trade_id: str, shares: int, failed: bool) -> None:
        self.venue.rest(order_id, OrderStatus.MATCHED, matched=shares)
        own = self.portfolio.orders.get(order_id)
        changes = {"status": FillStatus.FAILED} if failed else {}
        self.venue.reports.append(self.fill(own, shares, trade_id=trade_id, settled=self.settled, **changes))

    def legs_of(self, *tokens: str, policy: LegPolicy, size: int = 10, **says: str) -> list[TradeSignal]:
        self.book.received_ns = self.clock.now_ns()
        metadata = {
            "leg_group_id": "g",
            "leg_count": str(len(tokens)),
            "leg_policy": policy.value,
            "arb_type": "rebalancing",
        }
        return [
            self.signal(
                source="arb", market=self._of_token(token), token_id=token, price=PRICES[token], size=size * MICRO,
                metadata=metadata | says,
            )
            for token in tokens
        ]  # fmt: skip

    async def run(self, *tokens: str, policy: LegPolicy, seconds: float = 10.0, **named: Any) -> str:
        """Submit a group, let it come to its end, and return its state."""
        if self.resolving is None:
            self.resolving = asyncio.ensure_future(self.resolver.run())
        for signal in self.legs_of(*tokens, policy=policy, **named):
            self.executor.submit(signal)
        await asyncio.sleep(seconds)
        return self.row()["state"]

    def row(self) -> dict[str, Any]:
        return self.tables.rows["leg_groups"][-1]

    def residual(self) -> list[int]:
        return json.loads(self.row()["residual"])
