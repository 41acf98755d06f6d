"""Positions in memory: fills grouped by the holding they belong to, one holding per token and strategy at a time.

A position lives from its first fill until it is flat (but for dust below 0.01 share, which no order can sell) and every fill is final; the
next fill opens another. Applying the same fill again, in the same state, changes nothing. Ids derive from the first fill, so a restart folds the same
positions.
"""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, takewhile

from domain.fill import Fill, FillKey, Liquidity
from domain.market import Market
from domain.order import OrderSide
from domain.position import Position, PositionStatus
from trading.holding import Holding, apply, fold, resolve

DUST = 10_000
"""Shares below 0.01: they cannot be sold, and differences of this size converge."""

_NAMESPACE = uuid.UUID("6f1d5f0e-2d52-5c0c-9d0b-6a2b1f0a7c11")


@dataclass(slots=True)
class OpenPosition:
    """A position and the fills it is folded from.

    `recent` are the fills from the first on that is not final, `final` those before it, which together with what was `forgotten` made `base`: a
    fill that moves on folds the recent ones alone.
    """

    id: str
    account: str
    market_id: str
    token_id: str
    side: str
    strategy: str
    opened_ns: int
    recent: dict[FillKey, Fill] = field(default_factory=dict)
    final: dict[FillKey, Fill] = field(default_factory=dict)
    base: Holding = field(default_factory=Holding)
    forgotten: Holding = field(default_factory=Holding)
    holding: Holding = field(default_factory=Holding)
    take_profit: int | None = None
    stop_loss: int | None = None
    closed_ns: int | None = None
    payout: int | None = None
    resolved_ns: int | None = None
    last_sale: int | None = None

    def put(self, fill: Fill) -> None:
        """Add a fill, or replace the one of the same key, and fold."""
        known = fill.key in self.recent or fill.key in self.final
        if fill.key in self.final:
            self.recent, self.final, self.base = self.final | self.recent, {}, self.forgotten
        self.recent[fill.key] = fill
        if not known and fill.side is OrderSide.SELL and fill.liquidity is not Liquidity.TRANSFER:
            self.last_sale = fill.price
        if known or self.payout is not None:
            self.holding = fold(self.recent.values(), self.base)
            if self.payout is not None:
                self.holding = resolve(self.holding, self.payout)
        else:
            self.holding = apply(self.holding, fill)
        self._advance()
        self._close(self.closed_ns or self.resolved_ns or fill.matched_ns)

    def _advance(self) -> None:
        for fill in list(takewhile(lambda fill: fill.status.terminal, self.recent.values())):
            del self.recent[fill.key]
            self.final[fill.key] = fill
            self.base = apply(self.base, fill)

    def forget(self, before_ns: int, orders: Container[str]) -> None:
        """Drop the oldest fills that have been final for long, up to the first of an order in `orders`; what they made stays."""
        old = takewhile(
            lambda fill: fill.matched_ns < before_ns and fill.key.order_id not in orders, self.final.values()
        )
        for fill in list(old):
            del self.final[fill.key]
            self.forgotten = apply(self.forgotten, fill)

    def __contains__(self, key: FillKey) -> bool:
        return key in self.recent or key in self.final

    def order_ids(self) -> Iterator[str]:
        """Return the orders of the fills in memory."""
        return (key.order_id for key in chain(self.final, self.recent))

    def settle(self, payout: int, at_ns: int) -> None:
        """Close at `payout` a share: the market resolved. Fills that are not final keep it open until they are."""
        self.payout, self.resolved_ns = payout, at_ns
        self.holding = resolve(self.holding, payout)
        self._close(at_ns)

    def _close(self, at_ns: int) -> None:
        self.closed_ns = at_ns if abs(self.holding.size) < DUST and not self.recent else None

    @property
    def exit_price(self) -> int | None:
        if self.payout is not None:
            return self.payout
        return self.last_sale if abs(self.holding.size) < DUST else None

    def position(self) -> Position:
        return Position(
            id=self.id,
            account=self.account,
            market_id=self.market_id,
            token_id=self.token_id,
            side=self.side,
            strategy=self.strategy,
            settled=self.holding.settled,
            unsettled=self.holding.unsettled,
            cost=self.holding.cost,
            realised=self.holding.realised,
            fees=self.holding.fees,
            take_profit=self.take_profit,
            stop_loss=self.stop_loss,
            opened_ns=self.opened_ns,
            closed_ns=self.closed_ns,
            exit_price=self.exit_price,
            status=PositionStatus.CLOSED if self.closed_ns is not None else PositionStatus.OPEN,
            payout=self.payout,
        )


class Positions:
    """All positions that may still change, by id, and the open one of each (token, strategy)."""

    def __init__(self, account: str) -> None:
        self.account = account
        self._by_id: dict[str, OpenPosition] = {}
        self._current: dict[tuple[str, str], OpenPosition] = {}
        self._by_token: dict[str, dict[str, OpenPosition]] = {}
        self._open: dict[str, OpenPosition] = {}
        self._held: dict[str, OpenPosition] = {}
        self._unsettled: dict[str, int] = {}
        self._unsettled_fills: dict[FillKey, Fill] = {}
        self.touched: set[str] = set()
        """Ids of markets in which a position changed; whoever keeps figures of them takes them out."""

    def for_fill(self, fill: Fill, side: str) -> OpenPosition:
        """Return the position `fill` belongs to: the one it names, the open one of its token and strategy, or a new one.

        `side` ("token1", "token2") is the outcome of the market that the fill's token stands for.
        """
        if fill.position_id and fill.position_id in self._by_id:
            return self._by_id[fill.position_id]
        current = self._current.get((fill.token_id, fill.strategy))
        if not fill.position_id and current is not None and current.closed_ns is None:
            return current
        name = "|".join((self.account, fill.token_id, fill.strategy, *fill.key))
        return self._add(
            OpenPosition(
                id=fill.position_id or str(uuid.uuid5(_NAMESPACE, name)),
                account=self.account,
                market_id=fill.market_id,
                token_id=fill.token_id,
                side=side,
                strategy=fill.strategy,
                opened_ns=fill.matched_ns,
            )
        )

    def _add(self, position: OpenPosition) -> OpenPosition:
        self._by_id[position.id] = self._open[position.id] = position
        self._current[position.token_id, position.strategy] = position
        self._by_token.setdefault(position.token_id, {})[position.id] = position
        return position

    def put(self, position: OpenPosition, fill: Fill) -> None:
        """Fold a fill into its position."""
        position.put(fill)
        if fill.status.terminal:
            self._unsettled_fills.pop(fill.key, None)
        else:
            self._unsettled_fills[fill.key] = fill
        self._index(position)

    def settle(self, position: OpenPosition, payout: int, at_ns: int) -> None:
        """Close a position at `payout` a share."""
        position.settle(payout, at_ns)
        self._index(position)

    def _index(self, position: OpenPosition) -> None:
        self.touched.add(position.market_id)
        proceeds = position.holding.unsettled_proceeds
        if position.closed_ns is None:
            self._open[position.id] = position
        else:
            self._open.pop(position.id, None)
            proceeds = 0
        if position.holding.size:
            self._held[position.id] = position
        else:
            self._held.pop(position.id, None)
        if proceeds:
            self._unsettled[position.id] = proceeds
        else:
            self._unsettled.pop(position.id, None)

    def restore(self, fills: Iterable[Fill], positions: Iterable[Position]) -> None:
        """Fold journaled fills again; exits and payouts come from the position rows."""
        rows = {row.id: row for row in positions}
        for fill in fills:
            self.put(self.for_fill(fill, rows[fill.position_id].side), fill)
        for row in rows.values():
            position = self._by_id.get(row.id)
            if position is not None:
                position.take_profit, position.stop_loss = row.take_profit, row.stop_loss
                if row.payout is not None:
                    self.settle(position, row.payout, row.closed_ns or row.opened_ns)

    def closed_before(self, moment_ns: int) -> list[OpenPosition]:
        """Return the positions that hold nothing and were closed before a moment."""
        return [
            p
            for p in self._by_id.values()
            if p.closed_ns is not None and p.closed_ns < moment_ns and not p.holding.size
        ]

    def forget_fills(self, before_ns: int, orders: Container[str]) -> None:
        """Let every position forget what has been final since before a moment and is of no order in `orders`."""
        for position in self._by_id.values():
            position.forget(before_ns, orders)

    def remembers(self, fill: Fill) -> bool:
        """Tell whether a position in memory is still folded from a fill."""
        position = self._by_id.get(fill.position_id)
        return position is not None and fill.key in position

    def forget(self, position: OpenPosition) -> None:
        """Drop a closed position; its rows stay in the journal."""
        del self._by_id[position.id]
        key = (position.token_id, position.strategy)
        if self._current.get(key) is position:
            del self._current[key]
        of_token = self._by_token[position.token_id]
        del of_token[position.id]
        if not of_token:
            del self._by_token[position.token_id]

    def __contains__(self, position_id: str) -> bool:
        return position_id in self._by_id

    def get(self, token_id: str, strategy: str) -> OpenPosition | None:
        """Return the open position of a strategy in a token."""
        position = self._current.get((token_id, strategy))
        return position if position is not None and position.closed_ns is None else None

    def of_token(self, token_id: str) -> list[OpenPosition]:
        of_token = self._by_token.get(token_id)
        return [p for p in of_token.values() if p.closed_ns is None] if of_token else []

    def open(self) -> Iterator[OpenPosition]:
        return iter(self._open.values())

    def holding(self, token_id: str) -> list[OpenPosition]:
        """Return every position in a token that holds shares, closed ones with their dust too."""
        return [position for position in self._by_token.get(token_id, {}).values() if position.holding.size]

    def held(self) -> Iterator[OpenPosition]:
        """Return every position that holds shares, closed ones with their dust too: together they are the inventory of the ledger."""
        return iter(self._held.values())

    def market_ids(self) -> set[str]:
        """Return the markets of every position in memory."""
        return {position.market_id for position in self._by_id.values()}

    def in_market(self, market: Market) -> list[OpenPosition]:
        return [position for token_id in market.token_ids for position in self.of_token(token_id)]

    def size(self, token_id: str) -> int:
        """Return the shares of a token held for all strategies, settled or not."""
        return sum(position.holding.size for position in self._by_token.get(token_id, {}).values())

    def settled(self, token_id: str) -> int:
        """Return the settled shares of a token held for all strategies."""
        return sum(position.holding.settled for position in self._by_token.get(token_id, {}).values())

    @property
    def total_cost(self) -> int:
        """What the inventory was bought for."""
        return sum(position.holding.cost for position in self.held())

    @property
    def open_count(self) -> int:
        return sum(1 for position in self.open() if position.holding.size)

    @property
    def unsettled_proceeds(self) -> int:
        """Proceeds of sales that have not settled and cannot be spent yet."""
        return sum(self._unsettled.values())

    def held_tokens(self) -> set[str]:
        return {position.token_id for position in self.open() if position.holding.size}

    def with_unsettled(self) -> list[Fill]:
        """Return the fills that are not final yet, oldest first."""
        return list(self._unsettled_fills.values())
