"""What is at stake and what is promised, counted anew: held at cost, decided, and what orders may still take, with their worst fees.

An order that is over here, or whose market has resolved, may still bring what the venue matched of it and nobody here has seen; any other one all
that was not seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from domain.market import MarketStatus
from domain.money import multiply_ceil
from domain.order import Effect, OrderDraft, OrderSide
from runtime.kernel import Kernel
from trading.own_orders import OwnOrder
from trading.portfolio import EXTERNAL

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation

ALL = ""
"""All markets together, among the ids of markets."""


def may_still_fill(simulation: Simulation, own: OwnOrder) -> int:
    """Return the shares of an order that nobody here has seen and that may be matched, or were."""
    exchange, condition_id = simulation.world.exchange, own.order.draft.market.condition_id
    market = exchange.market(condition_id)
    if not own.status.terminal and market is not None and market.status is MarketStatus.ACTIVE:
        return max(0, own.order.draft.size - own.seen)
    view = exchange.order(own.id)
    return max(0, view.size_matched - own.seen) if view is not None else 0


def _may_still_cost(simulation: Simulation, own: OwnOrder) -> int:
    draft, shares = own.order.draft, may_still_fill(simulation, own)
    if draft.spends_cash_amount:
        cash = max(0, own.order.prepared.maker_amount - own.spent)
        cash = min(cash, multiply_ceil(draft.price, shares)) if own.status.terminal else cash
        return cash + draft.market.fees.worst_spend_fee(cash)
    return _cost(draft, shares)


def _cost(draft: OrderDraft, shares: int) -> int:
    if draft.spends_cash_amount:
        cash = multiply_ceil(draft.price, shares)
        return cash + draft.market.fees.worst_spend_fee(cash)
    return multiply_ceil(draft.price, shares) + draft.market.fees.worst_buy_fee(draft.price, shares)


def _opens(draft: OrderDraft) -> bool:
    return draft.effect is Effect.OPEN and draft.side is OrderSide.BUY


def at_stake(simulation: Simulation, kernel: Kernel) -> dict[str, int]:
    """Return what is held at cost, decided, or may still be bought, by market and in all."""
    stakes: defaultdict[str, int] = defaultdict(int)
    for position in kernel.portfolio.positions.held():
        stakes[position.market_id] += position.holding.cost
    for own in kernel.portfolio.orders.open():
        if _opens(own.order.draft):
            stakes[own.order.draft.market.id] += _may_still_cost(simulation, own)
    for draft in kernel.risk.reservations.drafts():
        if _opens(draft):
            stakes[draft.market.id] += _cost(draft, draft.size)
    return {**stakes, ALL: sum(stakes.values())}


def _forced(simulation: Simulation, kernel: Kernel) -> dict[str, int]:
    """Return what no cap may stop: what failed sales put back, what was bought to leave broken groups, and what somebody else bought."""
    forced: defaultdict[str, int] = defaultdict(int)
    for market_id, journals in simulation.witness.taken_back.items():
        forced[market_id] += sum(journals.values())
    for fill in kernel.portfolio.fills.values():
        if fill.side is not OrderSide.BUY:
            continue
        own = kernel.portfolio.orders.get(fill.key.order_id)
        if fill.strategy == EXTERNAL or (own is not None and own.order.draft.effect is Effect.REDUCE):
            forced[fill.market_id] += multiply_ceil(fill.price, fill.size)
    return {**forced, ALL: sum(forced.values())}


def beyond_the_caps(simulation: Simulation, kernel: Kernel, draft: OrderDraft) -> Iterator[str]:
    """Yield the caps that a decision to open breaks: it counts beside everything there is, whoever decided on that."""
    limits, stakes, cost = kernel.config.limits, at_stake(simulation, kernel), _cost(draft, draft.size)
    if cost > limits.max_order_notional:
        yield f"{cost} are decided on for one order"
    for market_id, limit in ((draft.market.id, limits.max_market_notional), (ALL, limits.max_total_notional)):
        if stakes.get(market_id, 0) + cost > limit:
            yield f"{stakes.get(market_id, 0) + cost} are decided on in {market_id or 'all'}"


def caps(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """What is at stake stays within the caps of a market and of all; above them it grows by no more than what was forced upon us since.

    A trader that takes over begins with what its predecessor had not written down yet: orders that were over, or never left, count again beside all
    that was ever forced upon us.
    """
    limits, witness = kernel.config.limits, simulation.witness
    stakes, forced = at_stake(simulation, kernel), _forced(simulation, kernel)
    for market_id, stake in stakes.items():
        limit = limits.max_market_notional if market_id else limits.max_total_notional
        before = witness.stakes.get(market_id, 0) - witness.forced.get(market_id, 0)
        allowed = max(limit, before + forced.get(market_id, 0))
        if witness.looked_at is not kernel:
            allowed = limit + forced.get(market_id, 0)
        if stake > allowed:
            yield f"{stake} are at stake in {market_id or 'all'}, {witness.stakes.get(market_id, 0)} were"
    witness.stakes, witness.forced, witness.looked_at = stakes, forced, kernel


def available(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Nobody offers or spends what is not there: open orders and decisions hold no more than what has settled.

    What somebody else bought with the same wallet, that person may sell while it is on offer here.
    """
    portfolio = kernel.portfolio
    offered: defaultdict[tuple[str, str], int] = defaultdict(int)
    spent = 0
    for own in portfolio.orders.open():
        draft = own.order.draft
        if draft.side is OrderSide.SELL:
            offered[draft.token_id, draft.strategy] += may_still_fill(simulation, own)
        else:
            spent += _may_still_cost(simulation, own)
    for draft in kernel.risk.reservations.drafts():
        if draft.side is OrderSide.SELL:
            offered[draft.token_id, draft.strategy] += draft.size
        else:
            spent += _cost(draft, draft.size)
    for (token_id, strategy), size in offered.items():
        position = portfolio.positions.get(token_id, strategy)
        held = position.holding.settled if position is not None else 0
        if size > held and strategy != EXTERNAL:
            yield f"{size} of token {token_id} are on offer by {strategy}, {held} are held"
    cash = portfolio.ledger.cash - portfolio.positions.unsettled_proceeds - spent
    if cash < 0:
        yield f"cash: {cash}"
