"""What is at stake: by market, event, venue and in all, kept up to date with every order, position and decision.

Caps on markets, venues and the total count money: the cost of what is held and the worst cost of purchases that may still be filled. An event counts
with its worst case: the loss in the outcome, and with the fills of open orders, that cost most. In an exclusive event at most one market pays YES,
so the outcomes are: none of them, or exactly one. Markets of any other event may all end badly at once. Open sales count where selling would undo a
hedge. Every outcome is looked at with every order filled, or not, as is worse: the figure is exact, not a bound.

Nothing is computed until somebody asks: changes mark their market, `refresh` computes marked markets again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from domain.market import Market
from domain.order import OrderDraft, OrderSide
from trading.account_state import AccountState
from trading.positions import OpenPosition
from trading.reservations import Reservations


class Stake(NamedTuple):
    """One market: `cash` is held at cost and promised to purchases. `no_pays` and `yes_pays` are what is lost, at worst, in either outcome."""

    venue: str
    event: str
    cash: int
    no_pays: int
    yes_pays: int
    tokens: AbstractSet[str]

    @property
    def worst(self) -> int:
        return max(self.no_pays, self.yes_pays)

    @property
    def swing(self) -> int:
        return self.yes_pays - self.no_pays


_NOTHING = Stake("", "", 0, 0, 0, frozenset())


class _Event:
    """The markets of one event together: `no_pays` and `worst` are sums over them of the loss if NO pays, and of the loss in the worse outcome.

    `swings` has for each market what is lost more when YES pays than when NO does.
    """

    __slots__ = ("no_pays", "swings", "worst")

    def __init__(self) -> None:
        self.no_pays = 0
        self.worst = 0
        self.swings: dict[str, int] = {}

    def put(self, market_id: str, stake: Stake) -> None:
        self.no_pays += stake.no_pays
        self.worst += stake.worst
        self.swings[market_id] = stake.swing

    def drop(self, market_id: str, stake: Stake) -> None:
        self.no_pays -= stake.no_pays
        self.worst -= stake.worst
        del self.swings[market_id]

    def most_beside(self, market_id: str) -> int:
        """Return the greatest swing of the other markets, 0 without any."""
        swings = self.swings
        most = max(swings.values(), default=0)
        if most > swings.get(market_id, most - 1):
            return most
        return max((swing for other, swing in swings.items() if other != market_id), default=0)


_NO_EVENT = _Event()


class Exposure:
    """What one account has at stake.

    Args:
        market_of: a market by its id as it is known now, None for one that only an order knows.
        exclusive: whether at most one market of an event pays YES.
    """

    def __init__(
        self,
        state: AccountState,
        reservations: Reservations,
        *,
        market_of: Callable[[str], Market | None],
        exclusive: Callable[[str], bool],
    ) -> None:
        self._state = state
        self._reservations = reservations
        self._market_of = market_of
        self._exclusive = exclusive
        self._stakes: dict[str, Stake] = {}
        self._events: defaultdict[str, _Event] = defaultdict(_Event)
        self._venues: defaultdict[str, int] = defaultdict(int)
        self.total = 0
        self.tokens = 0

    def refresh(self) -> None:
        """Compute again what changed since the last call."""
        orders, positions, reservations = self._state.orders, self._state.positions, self._reservations
        touched: dict[str, Market | None] = {**orders.touched, **reservations.touched}
        for market_id in positions.touched:
            touched.setdefault(market_id, None)
        for market_id, known in touched.items():
            market = self._market_of(market_id) or known
            if market is None:
                raise KeyError(f"market {market_id} is held and not known")
            self._put(market, self._stake(market))
        for source in (orders, positions, reservations):
            source.touched.clear()

    def _put(self, market: Market, stake: Stake) -> None:
        before = self._stakes.get(market.id, _NOTHING)
        if stake == before:
            return
        self._stakes.pop(market.id, None)
        self.total += stake.cash - before.cash
        self.tokens += len(stake.tokens) - len(before.tokens)
        self._venues[before.venue] -= before.cash
        self._venues[stake.venue] += stake.cash
        if before is not _NOTHING:
            event = self._events[before.event]
            event.drop(market.id, before)
            if not event.swings:
                del self._events[before.event]
        if stake.cash or stake.no_pays or stake.yes_pays or stake.tokens:
            self._stakes[market.id] = stake
            self._events[stake.event].put(market.id, stake)

    def _stake(self, market: Market) -> Stake:
        state, yes = self._state, market.token_ids[0]
        cash, tokens = 0, set()
        # What is lost when the market pays NO, and when it pays YES.
        no_pays = yes_pays = 0
        for token_id in market.token_ids:
            for position in state.positions.holding(token_id):
                cost, if_paid = position.holding.cost, self._lost_if_paid(position)
                cash += cost
                no_pays += cost if token_id == yes else if_paid
                yes_pays += if_paid if token_id == yes else cost
                if position.closed_ns is None:
                    tokens.add(token_id)
        for token_id, size, cost in self._purchases(market.id):
            if_paid = cost - size if cost > size else 0
            cash += cost
            no_pays += cost if token_id == yes else if_paid
            yes_pays += if_paid if token_id == yes else cost
            tokens.add(token_id)
        event = market.group_id or f"market {market.id}"
        return Stake(market.venue, event, cash, no_pays, yes_pays, tokens)

    def _purchases(self, market_id: str) -> Iterator[tuple[str, int, int]]:
        """Yield token, shares and worst cost of every purchase that may still be filled."""
        orders = self._state.orders
        for own in orders.open_in_market(market_id):
            draft = own.order.draft
            if draft.side is OrderSide.BUY:
                yield draft.token_id, own.remaining, orders.cash_of(own.id)
        for draft, cost in self._reservations.in_market(market_id):
            if draft.side is OrderSide.BUY:
                yield draft.token_id, draft.size, cost

    def _lost_if_paid(self, position: OpenPosition) -> int:
        """Return what a position loses although its token pays: negative for a gain, with the open sales filled or not, as is worse."""
        size, cost = position.holding.size, position.holding.cost
        if size <= 0:
            return cost - size
        key = (position.token_id, position.strategy)
        decided = [d for d, _ in self._reservations.in_market(position.market_id) if _sells(d, *key)]
        offered = self._state.orders.reserved_tokens(*key) + sum(d.size for d in decided)
        if not offered:
            return cost - size
        sold = min(offered, size)
        return max(cost - size, cost - cost * sold // size - (size - sold))

    # What caps ask; call `refresh` first.

    def in_market(self, market_id: str) -> int:
        return self._stakes.get(market_id, _NOTHING).cash

    def at_venue(self, venue: str) -> int:
        return self._venues.get(venue, 0)

    def tokens_with(self, token_id: str, market_id: str) -> int:
        """Return in how many tokens there is a position, or may be one soon, counting `token_id`."""
        return self.tokens + (token_id not in self._stakes.get(market_id, _NOTHING).tokens)

    def worst_loss_with(self, market: Market, token_id: str, size: int, cost: int) -> int:
        """Return what the event of a market loses in its worst case after a purchase of `size` shares that may cost `cost`."""
        mine = self._stakes.get(market.id, _NOTHING)
        fails, pays = cost, max(0, cost - size)
        if market.token_index(token_id):
            fails, pays = pays, fails
        no_pays, yes_pays = mine.no_pays + fails, mine.yes_pays + pays
        name = mine.event or market.group_id or f"market {market.id}"
        event = self._events.get(name, _NO_EVENT)
        if not self._exclusive(name):
            return event.worst - mine.worst + max(no_pays, yes_pays)
        most = max(0, yes_pays - no_pays, event.most_beside(market.id))
        return event.no_pays - mine.no_pays + no_pays + most


def _sells(draft: OrderDraft, token_id: str, strategy: str) -> bool:
    return (draft.side, draft.token_id, draft.strategy) == (OrderSide.SELL, token_id, strategy)
