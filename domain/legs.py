"""Leg groups: orders that are worth something only together, what became of each, and the states such a group may be in.

A basket is equal shares. Equality is judged on the shares that were received: `tally` says how many whole sets there are and what is left over.
What is left over and not bought out of again is residual inventory. A group whose legs did not all fill is never `filled`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from domain.market import Market
from domain.order import OrderSide, OrderStatus
from domain.ticks import SIZE_STEP

MAX_LEGS = 15
"""What the smallest batch among the venues takes."""


class LegPolicy(StrEnum):
    """`all_or_none`: all at once, each whole or not at all; what filled alone is bought out of. `best_effort`: all at once, what fills is kept.
    `sequential`: one after the other, each for what the ones before received; what is not hedged in time is bought out of.
    """

    ALL_OR_NONE = "all_or_none"
    BEST_EFFORT = "best_effort"
    SEQUENTIAL = "sequential"

    @property
    def keeps_partials(self) -> bool:
        return self is LegPolicy.BEST_EFFORT


class GroupState(StrEnum):
    PLACING = "placing"
    UNWINDING = "unwinding"
    FILLED = "filled"
    PARTIAL = "partial"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        return self in (GroupState.FILLED, GroupState.PARTIAL, GroupState.CANCELLED, GroupState.FAILED)


_G = GroupState
_ENDS = frozenset({_G.FILLED, _G.PARTIAL, _G.CANCELLED, _G.FAILED})
GROUP_TRANSITIONS: dict[GroupState, frozenset[GroupState]] = {
    _G.PLACING: _ENDS | {_G.UNWINDING},
    _G.UNWINDING: _ENDS,
    # A settlement that fails, or a fill that is told late, takes an end back; never to a better one.
    _G.FILLED: frozenset({_G.PARTIAL, _G.CANCELLED, _G.FAILED}),
    _G.PARTIAL: frozenset({_G.CANCELLED, _G.FAILED}),
    _G.CANCELLED: frozenset({_G.PARTIAL, _G.FAILED}),
    _G.FAILED: frozenset(),
}


def group_may_move(current: GroupState, wanted: GroupState) -> bool:
    """Tell whether a group in `current` may go to `wanted`."""
    return wanted in GROUP_TRANSITIONS[current]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One leg as it was decided. `intent_id` is that of its signal, `price` its limit; micro-units."""

    intent_id: str
    market: Market
    token_id: str
    side: OrderSide
    price: int

    @property
    def exit_token_id(self) -> str:
        """The token that is bought to be out of this leg: the other outcome of what was bought, the same token of what was sold."""
        return self.market.complement(self.token_id) if self.side is OrderSide.BUY else self.token_id


@dataclass(frozen=True, slots=True, kw_only=True)
class LegGroup:
    """A group as it was decided: `size` shares of each of `legs`, in the order in which they are placed.

    `id` is ours, `name` the strategy's. `payoff` is what a whole set brings at the least, in micro-dollars (negative where it costs). `edge_bps` is
    the strategy's own figure of the gross edge. `arb_type` is empty where the group is no arbitrage.
    """

    id: str
    account: str
    name: str
    strategy: str
    policy: LegPolicy
    legs: tuple[Leg, ...]
    size: int
    payoff: int
    created_ns: int
    arb_type: str = ""
    opportunity_id: str = ""
    edge_bps: int | None = None

    def exit_intent(self, leg: int, attempt: int) -> str:
        """Return the intent id of the purchase that leaves a leg: the same after a restart, so that attempts are counted."""
        return f"{self.id}:{leg}.{attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAccount:
    """What became of one leg; shares and dollars in micro-units. `unwound` shares were bought out of again for `unwind_cost`.

    `cash` is what the leg's fills cost, or brought for a sale. `final` means that no fill of it can be taken back any more.
    """

    received: int = 0
    cash: int = 0
    fees: int = 0
    unwound: int = 0
    unwind_cost: int = 0
    unwind_fees: int = 0
    order_id: str = ""
    status: OrderStatus | None = None
    first_fill_ns: int | None = None
    final: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LegGroupState:
    """What is known of a group now. `residual[i]` are shares of leg i that nothing hedges; negative: more was bought back than was held."""

    group_id: str
    state: GroupState
    reason: str
    residual: tuple[int, ...]
    updated_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LegGroupReport:
    """A group, what is known of it, and the account of each of its legs."""

    group: LegGroup
    state: LegGroupState
    legs: tuple[LegAccount, ...] = field(default_factory=tuple)


def sets_of(legs: Sequence[LegAccount]) -> int:
    """Return how many whole sets the legs make."""
    return min(leg.received for leg in legs)


def residual_of(legs: Sequence[LegAccount]) -> tuple[int, ...]:
    """Return for each leg the shares that belong to no whole set and were not bought out of."""
    sets = sets_of(legs)
    return tuple(leg.received - sets - leg.unwound for leg in legs)


def judge(group: LegGroup, legs: Sequence[LegAccount]) -> GroupState:
    """Return the end of a group whose orders are all explained.

    It is filled when there are as many sets as were decided, or when fewer are equal to the share-hundredth and nothing had to be bought out of.
    What a better price brought beyond the sets does not make it less.
    """
    sets, unwound = sets_of(legs), any(leg.unwound for leg in legs)
    if not unwound and not any(leg.received for leg in legs):
        return GroupState.CANCELLED
    equal = all(abs(left) < SIZE_STEP for left in residual_of(legs))
    if not unwound and sets > 0 and (sets > group.size - SIZE_STEP or equal):
        return GroupState.FILLED
    return GroupState.PARTIAL if group.policy.keeps_partials else GroupState.FAILED
