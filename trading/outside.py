"""Shares that moved together: what splits, merges and conversions made outside polybot look like in a wallet, and how they enter the books.

A split or a merge moves both outcomes of a market by one amount, and the collateral the other way. A conversion takes NO of some markets of an
exclusive event, and gives YES of all its others and a dollar a share for each NO but one. They are told as external trades whose prices add up to
exactly the collateral that moved: fifty cents for an outcome of a pair, equal chances within an event. Sales take from whoever holds the shares.
Pure; the caller compares with the cash first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.fill import FillStatus, Liquidity
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide
from domain.reports import TradeReport
from trading.positions import DUST, Positions

YES, NO = 0, 1


class Leg(NamedTuple):
    """Shares of one outcome of a market, at the price they are booked for."""

    market: Market
    outcome: int
    price: int

    @property
    def token_id(self) -> str:
        return self.market.token_ids[self.outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideMove:
    """`size` shares of each leg went (`gone`) or came (`come`); `cash` is what the collateral must have done."""

    kind: str
    size: int
    gone: tuple[Leg, ...] = ()
    come: tuple[Leg, ...] = ()
    cash: int


def pair_moves(markets: Iterable[Market], differences: Mapping[str, int]) -> list[OutsideMove]:
    """Return the markets whose two tokens differ from our books alike; `differences` are venue minus ours."""
    moves = []
    for market in markets:
        first, second = (differences.get(token_id, 0) for token_id in market.token_ids)
        change = min(first, second, key=abs)
        if abs(change) <= DUST or abs(first - second) > DUST:
            continue
        legs = (Leg(market, YES, MICRO // 2), Leg(market, NO, MICRO // 2))
        if change > 0:
            moves.append(OutsideMove(kind="split", size=change, come=legs, cash=-change))
        else:
            moves.append(OutsideMove(kind="merge", size=-change, gone=legs, cash=-change))
    return moves


def conversion(event: Sequence[Market], differences: Mapping[str, int]) -> OutsideMove | None:
    """Return the conversion that explains the differences of an exclusive event's unresolved markets, None when none does."""
    given = [market for market in event if differences.get(market.token_ids[NO], 0) < -DUST]
    others = [market for market in event if market not in given]
    changes = [-differences[market.token_ids[NO]] for market in given]
    changes += [differences.get(market.token_ids[YES], 0) for market in others]
    if not given or not others or min(changes) <= DUST or max(changes) - min(changes) > DUST:
        return None
    size, chance = min(changes), MICRO // len(event)
    # What the NO shares were worth together: a dollar for each but one, and the YES shares.
    worth = (len(given) - 1) * MICRO + len(others) * chance
    prices = [worth // len(given) + (number < worth % len(given)) for number in range(len(given))]
    return OutsideMove(
        kind="conversion",
        size=size,
        gone=tuple(Leg(market, NO, price) for market, price in zip(given, prices, strict=True)),
        come=tuple(Leg(market, YES, chance) for market in others),
        cash=(len(given) - 1) * size,
    )


def as_trades(move: OutsideMove, positions: Positions, now_ns: int) -> list[TradeReport]:
    """Return a move as confirmed external trades; a sale is cut where one holder's shares end and the next one's begin."""
    reports = []
    for leg in move.gone:
        held = sorted((position.holding.size for position in positions.of_token(leg.token_id)), reverse=True)
        remaining = move.size
        for number, part in enumerate(held):
            size = min(part, remaining)
            if size > 0:
                remaining -= size
                reports.append(_trade(move.kind, leg, OrderSide.SELL, size, number, now_ns))
    reports += [_trade(move.kind, leg, OrderSide.BUY, move.size, 0, now_ns) for leg in move.come]
    return reports


def _trade(kind: str, leg: Leg, side: OrderSide, size: int, number: int, now_ns: int) -> TradeReport:
    return TradeReport(
        trade_id=f"{kind}:{leg.market.condition_id}:{now_ns}",
        order_id=f"{kind}:{leg.outcome}:{number}",
        condition_id=leg.market.condition_id,
        token_id=leg.token_id,
        side=side,
        price=leg.price,
        size=size,
        liquidity=Liquidity.MAKER,
        status=FillStatus.CONFIRMED,
        matched_ns=now_ns,
    )
