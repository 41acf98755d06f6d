"""Shares that moved together: what splits, merges and conversions made outside polybot do to a wallet, and how they enter the books.

A split or a merge moves both outcomes of a market by one amount, and the collateral the other way. A conversion takes NO of some markets of an
exclusive event, and gives YES of all its others and a dollar a share for each NO but one. So whatever was split and merged besides, YES has gained on
NO by one and the same amount in every market of the event, and the collateral follows from the shares. Where the venue keeps a part of the
proceeds, the markets whose NO was given have gained by more than the others, by just that part.

They are told as external trades at prices that add up to exactly the collateral that moved: both outcomes of a market cost a dollar together, and
the markets of an event have equal chances. What the venue kept is left over, as a fee.
Transfers (`trading.transfers`) are told alike, and move no cash. Pure; the caller compares with the cash first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.fill import FillStatus, Liquidity
from domain.ledger import EntryKind
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide
from domain.reports import TradeReport
from trading.positions import DUST, Positions

YES, NO = 0, 1
_TRANSFERS = (EntryKind.TRANSFER_IN, EntryKind.TRANSFER_OUT)
_BIPS = 10_000


class Leg(NamedTuple):
    """`size` shares of one outcome of a market that came (or went, when negative), at the price they are booked for."""

    market: Market
    outcome: int
    price: int
    size: int

    @property
    def token_id(self) -> str:
        return self.market.token_ids[self.outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideMove:
    """What the shares say has happened: `cash` is what the collateral must have done, `fee` the part of it that the venue kept."""

    kind: EntryKind
    legs: tuple[Leg, ...]
    cash: int
    fee: int = 0


def gain(market: Market, differences: Mapping[str, int]) -> int:
    """Return by how much YES of a market has gained on NO; `differences` are venue minus ours."""
    return differences.get(market.token_ids[YES], 0) - differences.get(market.token_ids[NO], 0)


def pair_moves(markets: Iterable[Market], differences: Mapping[str, int]) -> list[OutsideMove]:
    """Return the splits and merges: markets whose two tokens differ from our books alike."""
    moves = []
    for market in markets:
        both = [differences.get(token_id, 0) for token_id in market.token_ids]
        if abs(gain(market, differences)) > DUST or min(map(abs, both)) <= DUST:
            continue
        kind = EntryKind.SPLIT if both[YES] > 0 else EntryKind.MERGE
        legs = tuple(Leg(market, outcome, MICRO // 2, size) for outcome, size in enumerate(both))
        moves.append(OutsideMove(kind=kind, legs=legs, cash=-sum(both) // 2))
    return moves


def conversion(event: Sequence[Market], differences: Mapping[str, int], fee_bips: int = 0) -> OutsideMove | None:
    """Return the conversion, and the splits and merges with it, that explain all of an exclusive event's unresolved markets; None when none does."""
    if len(event) < 2:
        return None
    gains = [gain(market, differences) for market in event]
    given = max(gains)
    received = given - given * fee_bips // _BIPS
    givers = [abs(each - given) <= DUST for each in gains]
    alike = all(is_giver or abs(each - received) <= DUST for is_giver, each in zip(givers, gains, strict=True))
    if given <= DUST or not alike:
        return None
    legs = []
    for number, market in enumerate(event):
        chance = MICRO // len(event) + (number < MICRO % len(event))
        for outcome, price in ((YES, chance), (NO, MICRO - chance)):
            size = differences.get(market.token_ids[outcome], 0)
            if abs(size) > DUST:
                legs.append(Leg(market, outcome, price, size))
    no_shares = sum(differences.get(market.token_ids[NO], 0) for market in event)
    cash = -no_shares - received - (given - received) * sum(givers)
    fee = -sum(leg.size * leg.price for leg in legs) // MICRO - cash if received < given else 0
    return OutsideMove(kind=EntryKind.CONVERSION, legs=tuple(legs), cash=cash, fee=fee)


def as_trades(move: OutsideMove, positions: Positions, now_ns: int) -> list[TradeReport]:
    """Return a move as confirmed external trades, sales first; a sale is cut where one holder's shares end and the next one's begin."""
    reports = []
    for leg in sorted(move.legs, key=lambda leg: leg.size > 0):
        if leg.size > 0:
            reports.append(_trade(move.kind, leg, OrderSide.BUY, leg.size, 0, now_ns))
            continue
        held = sorted((position.holding.size for position in positions.of_token(leg.token_id)), reverse=True)
        remaining = -leg.size
        for number, part in enumerate(held):
            size = min(part, remaining)
            if size > 0:
                remaining -= size
                reports.append(_trade(move.kind, leg, OrderSide.SELL, size, number, now_ns))
    return reports


def _trade(kind: EntryKind, leg: Leg, side: OrderSide, size: int, number: int, now_ns: int) -> TradeReport:
    return TradeReport(
        trade_id=f"{kind}:{leg.market.condition_id}:{now_ns}",
        order_id=f"{kind}:{leg.outcome}:{number}",
        condition_id=leg.market.condition_id,
        token_id=leg.token_id,
        side=side,
        price=leg.price,
        size=size,
        liquidity=Liquidity.TRANSFER if kind in _TRANSFERS else Liquidity.MAKER,
        status=FillStatus.CONFIRMED,
        matched_ns=now_ns,
    )
