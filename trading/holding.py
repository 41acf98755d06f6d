"""The fold: what a run of fills makes of a holding, in exact integers at average cost.

`fold` is the only arithmetic of positions. Ledger postings are the difference between a holding before and after a change, so fills, failed
fills and resolutions all balance by construction. A holding may go negative (a buy that failed after its shares were sold on): its
cost is then zero, the proceeds are realised in full, a later buy that covers it is a realised loss, and the caller halts the market.

Shares that are transferred move no cash: they come at the price they are booked for, and go at average cost, so that nothing is realised by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from domain.fill import Fill, FillStatus, Liquidity
from domain.money import MICRO, multiply_ceil, multiply_floor
from domain.order import OrderSide


@dataclass(frozen=True, slots=True)
class Holding:
    """Inventory and results, micro-units. `cash` is what the fills moved; `unsettled_proceeds` of it cannot be spent yet,
    `receivable` is what resolved markets owe, `transferred` what shares were worth that came without a trade, less what those cost that went.
    """

    settled: int = 0
    unsettled: int = 0
    cost: int = 0
    cash: int = 0
    realised: int = 0
    fees: int = 0
    unsettled_proceeds: int = 0
    receivable: int = 0
    transferred: int = 0

    @property
    def size(self) -> int:
        return self.settled + self.unsettled


def notional(fill: Fill) -> int:
    """Return the collateral of a fill: a buyer pays rounded up, a seller receives rounded down."""
    if fill.side is OrderSide.BUY:
        return multiply_ceil(fill.price, fill.size)
    return multiply_floor(fill.price, fill.size)


def apply(holding: Holding, fill: Fill) -> Holding:
    """Return the holding after `fill`; a failed fill changes nothing."""
    if fill.status is FillStatus.FAILED:
        return holding
    amount = notional(fill)
    if fill.liquidity is Liquidity.TRANSFER:
        return _transfer(holding, fill, amount)
    if fill.side is OrderSide.BUY:
        covered_cost = _covered(holding, fill, amount)
        return replace(
            holding,
            settled=holding.settled + (fill.size if fill.status.settled else 0),
            unsettled=holding.unsettled + (0 if fill.status.settled else fill.size),
            cost=holding.cost + amount - covered_cost,
            cash=holding.cash - amount - fill.fee,
            realised=holding.realised - covered_cost,
            fees=holding.fees + fill.fee,
        )
    sold_cost = _cost_of(holding, fill.size)
    return replace(
        holding,
        settled=holding.settled - fill.size,
        cost=holding.cost - sold_cost,
        cash=holding.cash + amount - fill.fee,
        realised=holding.realised + amount - sold_cost,
        fees=holding.fees + fill.fee,
        unsettled_proceeds=holding.unsettled_proceeds + (0 if fill.status.settled else amount - fill.fee),
    )


def _transfer(holding: Holding, fill: Fill, worth: int) -> Holding:
    if fill.side is OrderSide.BUY:
        covered_cost = _covered(holding, fill, worth)
        return replace(
            holding,
            settled=holding.settled + fill.size,
            cost=holding.cost + worth - covered_cost,
            realised=holding.realised - covered_cost,
            transferred=holding.transferred + worth,
        )
    cost = _cost_of(holding, fill.size)
    return replace(
        holding,
        settled=holding.settled - fill.size,
        cost=holding.cost - cost,
        transferred=holding.transferred - cost,
    )


def _covered(holding: Holding, fill: Fill, amount: int) -> int:
    """Return the part of what shares cost that covers a negative holding."""
    return amount * min(fill.size, max(0, -holding.size)) // fill.size


def _cost_of(holding: Holding, size: int) -> int:
    """Return what `size` of the shares held cost at average cost; shares that are not held cost nothing."""
    return holding.cost * min(size, holding.size) // holding.size if holding.size > 0 else 0


def fold(fills: Iterable[Fill], base: Holding) -> Holding:
    """Return what `fills`, in the order they were applied, make of `base`."""
    holding = base
    for fill in fills:
        holding = apply(holding, fill)
    return holding


def resolve(holding: Holding, payout: int) -> Holding:
    """Return the holding after its market paid `payout` a share (0, 500_000 or 1_000_000): shares become a receivable."""
    value = holding.size * payout // MICRO
    return replace(
        holding,
        settled=0,
        unsettled=0,
        cost=0,
        realised=holding.realised + value - holding.cost,
        receivable=holding.receivable + value,
    )
