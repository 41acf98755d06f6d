"""Shares that moved together: what a split or a merge made outside polybot looks like in a wallet, and how it enters the books.

Both outcomes of a market grow or shrink by one amount, and the collateral moves the other way. That is told as external trades at fifty cents each:
together they move exactly the collateral that moved, and a merge takes from whoever holds the shares. Pure; the caller compares with the cash first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.fill import FillStatus, Liquidity
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide
from domain.reports import TradeReport
from trading.positions import DUST, Positions


@dataclass(frozen=True, slots=True)
class PairMove:
    """`size` shares of both outcomes of `market` came (a split) or went (a merge, negative)."""

    market: Market
    size: int

    @property
    def cash(self) -> int:
        """Return what the collateral must have done."""
        return -self.size


def pair_moves(markets: Iterable[Market], differences: Mapping[str, int]) -> list[PairMove]:
    """Return the markets whose two tokens differ from our books alike; `differences` are venue minus ours."""
    moves = []
    for market in markets:
        first, second = (differences.get(token_id, 0) for token_id in market.token_ids)
        size = min(first, second, key=abs)
        if abs(size) > DUST and abs(first - second) <= DUST:
            moves.append(PairMove(market, size))
    return moves


def as_trades(move: PairMove, positions: Positions, now_ns: int) -> list[TradeReport]:
    """Return a move as confirmed external trades; a merge is cut where one holder's shares end and the next one's begin."""
    kind, side = ("split", OrderSide.BUY) if move.size > 0 else ("merge", OrderSide.SELL)
    reports = []
    for index, token_id in enumerate(move.market.token_ids):
        held = sorted((position.holding.size for position in positions.of_token(token_id)), reverse=True)
        remaining = abs(move.size)
        for number, part in enumerate([remaining] if side is OrderSide.BUY else held):
            size = min(part, remaining)
            if size > 0:
                remaining -= size
                reports.append(
                    TradeReport(
                        trade_id=f"{kind}:{move.market.condition_id}:{now_ns}",
                        order_id=f"{kind}:{index}:{number}",
                        condition_id=move.market.condition_id,
                        token_id=token_id,
                        side=side,
                        price=MICRO // 2,
                        size=size,
                        liquidity=Liquidity.MAKER,
                        status=FillStatus.CONFIRMED,
                        matched_ns=now_ns,
                    )
                )
    return reports
