"""Risk of leg groups: one synchronous decision on all legs, with the worst that any part of them may come to.

Each leg passes every check and cap of a single order while the reservations of the legs before it stand, so what a cap allows it allows the group.
One refused leg refuses the group, and nothing of it stays reserved. Besides: equal shares, what is at stake when all legs but one fill, and the
cash for buying out of those. Buying out reduces risk: no cap and no halt stops it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from domain.halt import HaltScope
from domain.legs import Leg, LegGroup, LegPolicy
from domain.market import Market
from domain.money import MICRO, format_micros, multiply_ceil
from domain.order import Effect, OrderDraft, OrderSide, OrderType
from domain.ports import Clock, Ids
from domain.signal import TradeSignal
from trading.halts import Halts
from trading.ladder import rung_of
from trading.leg_accumulator import Collected
from trading.leg_settings import LegSettings
from trading.leg_sizes import Exit, equal_size
from trading.portfolio import Portfolio
from trading.risk import Decision, Refusal, RiskCore, limit_price
from trading.venue_state import VenueState

Depth = Callable[[str, OrderSide, int], int]


@dataclass(frozen=True, slots=True)
class GroupDecision:
    """What became of a group: `drafts` in the order in which they are placed, each holding its reservation, or why nothing is placed."""

    group: LegGroup | None = None
    drafts: tuple[OrderDraft, ...] = ()
    refusal: Refusal | None = None
    detail: str = ""


class GroupRisk:
    """Decides on the leg groups of one account.

    Args:
        depth_of: shares displayed for an order of a token and side at a price or better.
        lease_valid: whether this trader may still send.
    """

    def __init__(
        self,
        risk: RiskCore,
        portfolio: Portfolio,
        halts: Halts,
        clock: Clock,
        ids: Ids,
        venue_state: VenueState,
        settings: LegSettings,
        *,
        depth_of: Depth,
        lease_valid: Callable[[], bool],
    ) -> None:
        self.settings = settings
        self._risk = risk
        self._portfolio = portfolio
        self._halts = halts
        self._clock = clock
        self._ids = ids
        self._venue_state = venue_state
        self._depth_of = depth_of
        self._lease_valid = lease_valid
        self._signals: dict[str, TradeSignal] = {}

    def decide(self, collected: Collected) -> GroupDecision:
        """Decide on a whole group; what is accepted is reserved when this returns. Nothing is awaited."""
        halted = self._arbitrage_halted()
        if halted:
            return GroupDecision(refusal=Refusal.HALTED, detail=f"arbitrage: {halted}")
        signals = list(collected.signals)
        prices = [(signal.side, limit_price(signal)) for signal in signals]
        size = equal_size(prices, min(signal.size for signal in signals))
        if size <= 0:
            asked = format_micros(min(signal.size for signal in signals))
            return GroupDecision(
                refusal=Refusal.TOO_SMALL, detail=f"no equal size up to {asked} shares fits every leg's decimals"
            )
        if collected.policy is LegPolicy.SEQUENTIAL:
            signals.sort(key=lambda each: self._depth_of(each.token_id, each.side, limit_price(each)))
        kind = OrderType.FOK if collected.policy is LegPolicy.ALL_OR_NONE else OrderType.FAK
        group_id, drafts = self._ids.uuid(), list[OrderDraft]()
        for signal in signals:
            taking = replace(
                signal,
                size=size,
                order_type=kind,
                post_only=False,
                rest_until_ns=None,
                take_profit=None,
                stop_loss=None,
            )
            decision = self._decide_leg(taking, group_id)
            if decision.draft is None:
                return self._refused(drafts, decision.refusal, f"{signal.token_id}: {decision.detail}")
            drafts.append(decision.draft)
            self._signals[decision.draft.decision_id] = taking
        group = LegGroup(
            id=group_id,
            account=self._portfolio.account,
            name=collected.name,
            strategy=signals[0].source,
            policy=collected.policy,
            legs=tuple(
                Leg(intent_id=d.intent_id, market=d.market, token_id=d.token_id, side=d.side, price=d.price)
                for d in drafts
            ),
            size=size,
            payoff=collected.payoff,
            created_ns=self._clock.now_ns(),
            arb_type=collected.arb_type,
            opportunity_id=collected.opportunity_id,
            edge_bps=collected.edge_bps,
        )
        return self._check_whole(group, drafts) or GroupDecision(group=group, drafts=tuple(drafts))

    def _decide_leg(self, signal: TradeSignal, group_id: str) -> Decision:
        """Decide on one leg: the size it shall have, or nothing."""
        decision = self._risk.decide_and_reserve(signal)
        draft = decision.draft
        if draft is None:
            return decision
        if draft.size != signal.size:
            self._risk.reservations.release(decision.decision_id)
            free, wanted = format_micros(draft.size), format_micros(signal.size)
            return Decision(refusal=Refusal.NO_TOKENS, detail=f"{wanted} shares are wanted, {free} are possible")
        return Decision(decision_id=draft.decision_id, draft=structs.replace(draft, leg_group=group_id))

    def _check_whole(self, group: LegGroup, drafts: Sequence[OrderDraft]) -> GroupDecision | None:
        """Check what the legs are worth together, for the worst of their partial outcomes, and keep the cash to get out of it."""
        stakes = [multiply_ceil(_entry(leg), group.size) for leg in group.legs]
        unhedged, cap = sum(stakes) - min(stakes), self.settings.max_unhedged_notional
        if unhedged > cap:
            detail = f"${format_micros(unhedged)} at stake without the last leg, the cap is ${format_micros(cap)}"
            return self._refused(drafts, Refusal.UNHEDGED_CAP, detail)
        if group.policy.keeps_partials:
            return None
        exits = [group.size - stake for stake in stakes]
        costs = [0 if leg.side is OrderSide.SELL else stake for leg, stake in zip(group.legs, stakes, strict=True)]
        # All legs but one fill: the money of that one is free again, and all others are bought out of.
        worst = max(sum(exits) - exits[i] - costs[i] for i in range(len(exits))) + self.settings.max_unwind_loss
        margin = max(worst, 0)
        free = self._risk.reservations.free_cash
        if margin > free:
            detail = f"${format_micros(margin)} is needed to get out of a part, ${format_micros(max(free, 0))} is free"
            return self._refused(drafts, Refusal.NO_CASH, detail)
        self._risk.reservations.hold_margin(group.id, margin)
        return None

    def _refused(self, drafts: Sequence[OrderDraft], refusal: Refusal | None, detail: str) -> GroupDecision:
        self.release(drafts)
        return GroupDecision(refusal=refusal, detail=detail)

    def release(self, drafts: Sequence[OrderDraft]) -> None:
        """Let go of decided legs that are not placed after all."""
        for draft in drafts:
            self._signals.pop(draft.decision_id, None)
            if self._risk.reservations.holds(draft.decision_id):
                self._risk.reservations.release(draft.decision_id)

    def let_go(self, group: LegGroup) -> None:
        """Free the cash that was kept for getting out."""
        self._risk.reservations.release_margin(group.id)

    def again(self, draft: OrderDraft, size: int) -> Decision:
        """Decide once more on a leg whose turn has come, for `size` shares: the world has moved since the group was decided."""
        signal = replace(self._signals[draft.decision_id], size=size)
        self.release([draft])
        halted = self._arbitrage_halted()
        if halted:
            return Decision(refusal=Refusal.HALTED, detail=f"arbitrage: {halted}")
        return self._decide_leg(signal, draft.leg_group)

    def _arbitrage_halted(self) -> str:
        return next((halt.reason for halt in self._halts.active() if halt.scope is HaltScope.ARBITRAGE), "")

    def decide_exit(self, group: LegGroup, number: int, attempt: int, wanted: Exit, market: Market) -> Decision:
        """Decide on a purchase that leaves a leg and reserve what it costs; `market` is the leg's as it is now."""
        leg = group.legs[number]
        waits = self._venue_state.stops_reducing(self._clock.monotonic())
        if waits:
            return Decision(refusal=Refusal.VENUE, detail=waits)
        if not self._lease_valid():
            return Decision(refusal=Refusal.NO_LEASE, detail="this trader does not hold the account's lease")
        draft = OrderDraft(
            account=group.account,
            decision_id=self._ids.uuid(),
            intent_id=group.exit_intent(number, attempt),
            strategy=group.strategy,
            market=market,
            token_id=leg.exit_token_id,
            side=OrderSide.BUY,
            order_type=OrderType.FAK,
            price=wanted.price,
            size=wanted.size,
            effect=Effect.REDUCE,
            reason=f"out of leg {number} of {group.name}",
            leg_group=group.id,
        )
        mine = rung_of(draft)
        tracked = self._portfolio.orders.open_in_market(market.id)
        # One that perhaps exists counts too: a purchase would trade with ourselves, where the sale of any other reduction may not wait.
        others = [own.order.draft for own in tracked if not own.status.terminal]
        if any(mine.matches(rung_of(other)) for other in others + self._risk.reservations.drafts()):
            return Decision(refusal=Refusal.SELF_TRADE, detail="an order of ours rests on the other side of this price")
        spend = multiply_ceil(wanted.price, wanted.size)
        cost = spend + market.fees.worst_spend_fee(spend)
        if cost > self._risk.reservations.free_cash:
            return Decision(refusal=Refusal.NO_CASH, detail=f"needs ${format_micros(cost)}")
        self._risk.reservations.hold(draft, cost)
        return Decision(decision_id=draft.decision_id, draft=draft)


def _entry(leg: Leg) -> int:
    """Return what a share of a leg puts at stake: its price, or for a sale what it may cost to buy back beyond the proceeds."""
    return leg.price if leg.side is OrderSide.BUY else MICRO - leg.price
