"""One leg group while it lives: its orders, and what they make of each leg. Reads the account's fills, changes nothing there.

Everything is computed from orders and fills again and again, so evidence may come in any order, be repeated, or be taken back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from domain.fill import Fill, FillStatus
from domain.legs import GroupState, LegAccount, LegGroup, LegGroupReport, LegGroupState, judge
from domain.order import OrderSide, OrderStatus
from trading.account_state import AccountState
from trading.holding import notional
from trading.own_orders import OwnOrder

LOOK_SECONDS = 0.5
ATTEMPTS = 2
"""How often a broken group is bought out of."""


class GroupRun:
    """A group and its orders."""

    def __init__(self, group: LegGroup, state: LegGroupState | None, account: AccountState) -> None:
        self.group = group
        self.state = state or LegGroupState(
            group_id=group.id,
            state=GroupState.PLACING,
            reason="",
            residual=(0,) * len(group.legs),
            updated_ns=group.created_ns,
        )
        self._news = asyncio.Event()
        self._account = account
        self._orders: dict[str, OwnOrder] = {}

    def track(self, orders: Iterable[OwnOrder | None]) -> None:
        self._orders |= {own.order.draft.intent_id: own for own in orders if own is not None}
        self.wake()

    def wake(self) -> None:
        """Tell whoever waits that something of the group changed."""
        self._news.set()

    async def changed(self) -> None:
        """Wait for the next change, or a moment: what a read only confirms is no news to anybody."""
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._news.wait()

    async def answered(self, seconds: float) -> bool:
        """Wait until it is known what every order received; False when that is not so after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self.unanswered():
                    await self.changed()
        except TimeoutError:
            return False
        return True

    def leg_order(self, number: int) -> OwnOrder | None:
        return self._orders.get(self.group.legs[number].intent_id)

    def unexplained(self) -> list[OwnOrder]:
        return [own for own in self._orders.values() if not own.explained]

    def unanswered(self) -> list[OwnOrder]:
        """Return the orders that may still fill as far as is known: one that the venue said is over, naming no trade, is not waited for."""
        return [
            own
            for own in self.unexplained()
            if not own.status.terminal or own.awaited or own.status is OrderStatus.MATCHED
        ]

    @property
    def attempts(self) -> int:
        """How many attempts to buy out were made so far, before a restart too."""
        group = self.group
        numbers = range(len(group.legs))
        # One that never became durable is missing after a restart, and those after it count as well: an intent is never used again.
        placed = (a + 1 for a in range(ATTEMPTS) if any(group.exit_intent(n, a) in self._orders for n in numbers))
        return max(placed, default=0)

    @property
    def over(self) -> bool:
        return self.state.state.over

    def legs(self) -> tuple[LegAccount, ...]:
        return tuple(self._leg(number) for number in range(len(self.group.legs)))

    def _leg(self, number: int) -> LegAccount:
        own = self.leg_order(number)
        fills = self._fills([own] if own is not None else [])
        exits = [self._orders.get(self.group.exit_intent(number, attempt)) for attempt in range(ATTEMPTS)]
        out = self._fills(each for each in exits if each is not None)
        standing = [fill for fill in fills if fill.status is not FillStatus.FAILED]
        bought = [fill for fill in out if fill.status is not FillStatus.FAILED]
        return LegAccount(
            received=sum(fill.size for fill in standing),
            cash=sum(map(notional, standing)),
            fees=sum(fill.fee for fill in standing),
            unwound=sum(fill.size for fill in bought),
            unwind_cost=sum(map(notional, bought)),
            unwind_fees=sum(fill.fee for fill in bought),
            order_id=own.id if own is not None else "",
            status=own.status if own is not None else None,
            first_fill_ns=min((fill.matched_ns for fill in fills), default=None),
            final=all(fill.status.terminal for fill in fills + out),
        )

    def _fills(self, orders: Iterable[OwnOrder]) -> list[Fill]:
        return [fill for own in orders for fill in self._account.fills_of(own.id)]

    def judged(self) -> GroupState:
        return judge(self.group, self.legs())

    def unhedged(self) -> list[tuple[int, int]]:
        """Return the legs that have to be left, largest first, each with its shares; none where the group is whole or keeps what it has."""
        if self.group.policy.keeps_partials or self.judged() in (GroupState.FILLED, GroupState.CANCELLED):
            return []
        legs = self.legs()
        sets = min(max(leg.received, self._promised(number)) for number, leg in enumerate(legs))
        left = [(number, leg.received - sets - leg.unwound) for number, leg in enumerate(legs)]
        return sorted((each for each in left if each[1] > 0), key=lambda each: -each[1])

    def _promised(self, number: int) -> int:
        """Return the shares that a leg may still turn out to have received: the venue said it is filled, and its fills are on their way."""
        own = self.leg_order(number)
        coming = own is not None and own.status is OrderStatus.MATCHED and not own.explained
        return own.order.draft.size if own is not None and coming else 0

    def entry(self, number: int) -> int:
        """Return what a share of a leg cost on average, rounded up; for a sale what it leaves to pay of a dollar."""
        leg = self.legs()[number]
        average = -(-leg.cash * 1_000_000 // leg.received)
        return average if self.group.legs[number].side is OrderSide.BUY else 1_000_000 - average

    def loss(self) -> int:
        """Return what buying out has cost so far, beyond the dollar that each pair is worth."""
        return sum(
            leg.unwind_cost + leg.unwind_fees + self.entry(number) * leg.unwound // 1_000_000 - leg.unwound
            for number, leg in enumerate(self.legs())
            if leg.unwound and leg.received
        )

    def report(self) -> LegGroupReport:
        return LegGroupReport(group=self.group, state=self.state, legs=self.legs())
