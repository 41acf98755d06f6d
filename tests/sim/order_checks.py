"""Orders and fills against the venue's and the journal's: nothing lost, nothing twice, nothing released early, nothing that nobody decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from domain.fill import Fill, FillStatus
from domain.ledger import EntryKind
from domain.market import MarketStatus
from domain.order import OrderSide
from runtime.kernel import Kernel
from tests.sim.world import TRADER
from trading.own_orders import OwnOrder
from venues.exchange.events import OrderView

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation


def nothing_released_early(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Whoever is open at the venue is open here, and what is over here was counted to the last share."""
    exchange, orders = simulation.world.exchange, kernel.portfolio.orders
    for view in exchange.open_orders(TRADER):
        own = orders.get(view.id)
        if (own is None and view.id not in simulation.world.by_hand) or (own is not None and own.explained):
            yield f"order {view.id[:10]} rests at the venue and is {own.status if own else 'unknown'} here"
    for own in orders.all():
        yield from counted_whole(simulation, own)


def counted_whole(simulation: Simulation, own: OwnOrder) -> Iterator[str]:
    """An order that is over here holds nothing any more, so every share of it must be here."""
    told = simulation.world.exchange.order(own.id) if own.explained else None
    if told is not None and told.size_matched != own.seen:
        yield f"order {own.id[:10]} is over with {own.seen}, the venue matched {told.size_matched}"


def one_order_for_an_intent(simulation: Simulation, _: Kernel) -> Iterator[str]:
    """No two orders of one intent ever come to the venue, whatever became of the first."""
    intents: dict[str, str] = {}
    for view in _orders_of_traders(simulation):
        row = simulation.row_of(view.id)
        if row is None:
            yield f"order {view.id[:10]} is at the venue without a row"
        elif intents.setdefault(row["intent_id"], view.id) != view.id:
            yield f"orders {view.id[:10]} and {intents[row['intent_id']][:10]} are both of intent {row['intent_id']}"


def fills_count_once(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Every fill is one of the venue's, whole and once, in its order and in its position."""
    portfolio, venue = kernel.portfolio, venue_fills(simulation)
    sizes: defaultdict[str, int] = defaultdict(int)
    filled: defaultdict[str, int] = defaultdict(int)
    for fill in portfolio.fills.values():
        _, size = venue.get((fill.key.trade_id, fill.key.order_id), (None, 0))
        if fill.size != size and not adopted(fill):
            yield f"fill {tuple(fill.key)} is of {fill.size}, the venue says {size}"
        if fill.status is not FillStatus.FAILED:
            sizes[fill.token_id] += fill.size if fill.side is OrderSide.BUY else -fill.size
            filled[fill.key.order_id] += fill.size
    markets = (market for market in simulation.world.exchange.markets() if market.status is MarketStatus.SETTLED)
    resolved = {token_id for market in markets for token_id in market.token_ids}
    for token_id, size in sizes.items():
        held = portfolio.positions.size(token_id)
        if held != size and token_id not in resolved:
            yield f"token {token_id}: {held} held, the fills say {size}"
    for own in portfolio.orders.all():
        if own.filled != filled[own.id]:
            yield f"order {own.id[:10]}: {own.filled} filled, the fills say {filled[own.id]}"


def _orders_of_traders(simulation: Simulation) -> list[OrderView]:
    by_hand = simulation.world.by_hand
    return [view for view in simulation.world.exchange.orders(TRADER) if view.id not in by_hand]


def adopted(fill: Fill) -> bool:
    """Tell whether a fill books a split or a merge made outside: the venue knows of no such trade."""
    return fill.key.trade_id.partition(":")[0] in (EntryKind.SPLIT, EntryKind.MERGE)


def no_trade_with_ourselves(simulation: Simulation, _: Kernel) -> Iterator[str]:
    """No two orders of ours meet, but for one that reduces: it does not wait for an order that perhaps never comes."""
    for trade in simulation.world.exchange.trades(TRADER):
        if trade.account != TRADER or trade.taker_order_id in simulation.world.by_hand:
            continue
        for maker in trade.makers:
            ours = maker.account == TRADER and maker.order_id not in simulation.world.by_hand
            if ours and not _in_doubt(simulation, trade.taker_order_id, maker.order_id):
                yield f"trade {trade.id}"


def _in_doubt(simulation: Simulation, one: str, other: str) -> bool:
    rows = {order_id: simulation.row_of(order_id) for order_id in (one, other)}
    doubtful = simulation.witness.doubtful
    return any(
        row is not None and (rows.keys() - {order_id}) & doubtful.get(row["decision_id"], set())
        for order_id, row in rows.items()
    )


def orders_explained(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    journaled = {row["id"]: row for row in simulation.rows("orders")}
    for view in simulation.world.exchange.orders(TRADER):
        if view.id not in journaled and view.id not in simulation.world.by_hand:
            yield f"order {view.id} is at the venue without a journaled row"
        if view.status.open:
            yield f"order {view.id} is still open at the venue"
    decisions = [row["decision_id"] for row in journaled.values()]
    yield from (f"nobody decided {each}" for each in decisions if each not in simulation.witness.decided)
    if len(decisions) != len(set(decisions)):
        yield "two orders share one decision"
    yield from (f"order {own.id} is {own.status} and not explained" for own in kernel.portfolio.orders.open())
    if kernel.portfolio.quarantine:
        yield f"quarantined: {list(kernel.portfolio.quarantine)}"


def replacements_follow(simulation: Simulation, _: Kernel) -> Iterator[str]:
    """A successor is at the venue only after its predecessor was over there, and only for what that one left: what failed to settle is not had."""
    failed: defaultdict[str, int] = defaultdict(int)
    for (_trade, order_id), (status, size) in venue_fills(simulation).items():
        failed[order_id] += size if status is FillStatus.FAILED else 0
    at_venue = {view.id: view for view in simulation.world.exchange.orders(TRADER)}
    for row in simulation.rows("orders"):
        old_id, size = simulation.successors.get(row["intent_id"], ("", 0))
        old, new = at_venue.get(old_id), at_venue.get(row["id"])
        if old is None or new is None:
            continue
        if old.updated_ns > new.created_ns:
            yield f"order {new.id} replaced {old.id} before that was over"
        if old.size_matched - failed[old.id] + new.size > size:
            yield f"order {new.id} is for more than {old.id} left"


def fills_equal_the_venues(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    venue = venue_fills(simulation)
    ours = {
        (fill.key.trade_id, fill.key.order_id): (fill.status, fill.size)
        for fill in kernel.portfolio.fills.values()
        if not adopted(fill)
    }
    for key in sorted(venue.keys() | ours.keys()):
        if venue.get(key) != ours.get(key):
            yield f"fill {key}: the venue says {venue.get(key)}, we {ours.get(key)}"


def positions_equal_the_venues(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    for market in simulation.world.exchange.markets():
        for token in market.token_ids:
            held, ours = (
                simulation.world.exchange.balance(TRADER, token).settled,
                kernel.portfolio.positions.size(token),
            )
            if held != ours:
                yield f"token {token}: the venue holds {held}, we think {ours}"


def venue_fills(simulation: Simulation) -> dict[tuple[str, str], tuple[FillStatus, int]]:
    """Return the venue's word on our parts of trades: status and size by (trade, order)."""
    venue: dict[tuple[str, str], tuple[FillStatus, int]] = {}
    for trade in simulation.world.exchange.trades(TRADER):
        if trade.account == TRADER:
            venue[trade.id, trade.taker_order_id] = (trade.status, trade.size)
        for maker in trade.makers:
            if maker.account == TRADER:
                _, size = venue.get((trade.id, maker.order_id), (trade.status, 0))
                venue[trade.id, maker.order_id] = (trade.status, size + maker.size)
    return venue
