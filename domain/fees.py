"""Fee schedules: what a fill costs. A schedule belongs to a market, may change with notice, and is stored with every fill.

Taker fee = shares · rate · (p · (1 − p))^exponent in collateral, cut to five decimals (the amounts emitted on chain are truncated);
makers pay nothing. A BUY pays on top of the spend, a SELL out of the proceeds. Source: the venue's fee documentation and on-chain
OrderFilled events. Integer arithmetic throughout, no rounding before the last step.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.money import MICRO

FEE_STEP = 10
"""Fees are charged in steps of 0.00001."""


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """Parameters of a market's taker fee: `rate` and `rebate` are micro-fractions (0.04 → 40_000)."""

    rate: int = 0
    exponent: int = 1
    taker_only: bool = True
    rebate: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= MICRO or not 0 <= self.exponent <= 4 or not 0 <= self.rebate <= MICRO:
            raise ValueError(f"fee schedule was {self!r}, expected rate and rebate in [0, 1] and exponent in 0..4")

    def taker_fee(self, price: int, size: int) -> int:
        """Return the fee of taking `size` shares at `price`, truncated to five decimals."""
        numerator, denominator = self._exact(price, size)
        return numerator // (denominator * FEE_STEP) * FEE_STEP

    def worst_buy_fee(self, price: int, size: int) -> int:
        """Return the most that buying `size` shares at `price` or better can cost in fees.

        Cost plus fee rises with the fill price for every rate below one, so the limit price is the worst; rounded up.
        """
        numerator, denominator = self._exact(price, size)
        return -(-numerator // (denominator * FEE_STEP)) * FEE_STEP

    def worst_spend_fee(self, spend: int) -> int:
        """Return the most that spending `spend` can cost in fees, whatever the price: spend · rate, rounded up."""
        return -(-spend * self.rate // (MICRO * FEE_STEP)) * FEE_STEP

    def _exact(self, price: int, size: int) -> tuple[int, int]:
        variance = (price * (MICRO - price)) ** self.exponent
        return size * self.rate * variance, MICRO * (MICRO * MICRO) ** self.exponent


NO_FEES = FeeSchedule()
