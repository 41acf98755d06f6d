"""Exact money: every price, size and amount is an `int` of micro-units (1e-6).

A price of $0.52 is 520_000, ten shares are 10_000_000, one dollar is 1_000_000. Parsing never rounds: text that does not fit six
decimals raises `MoneyError`. Every function that rounds says so in its name.
"""

from __future__ import annotations

import re
from decimal import Decimal

from domain.errors import MoneyError

MICRO = 1_000_000
CENT = 10_000

_DECIMAL = re.compile(r"(-?)(\d{1,30})(?:\.(\d{0,30}))?", re.ASCII)


def parse_micros(text: str) -> int:
    """Return the micro-units of a decimal `text` ("0.52", "10", "-3.5"), exactly.

    Raises:
        MoneyError: `text` is not a plain decimal number, or needs more than six decimals.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise MoneyError(f"amount was {text!r}, expected a decimal number such as '0.52'")
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    if len(fraction) > 6 and fraction[6:].strip("0"):
        raise MoneyError(f"amount was {text!r}, expected at most 6 decimals")
    micros = int(whole) * MICRO + int(fraction[:6].ljust(6, "0"))
    return -micros if sign else micros


def exact_micros(value: Decimal) -> int:
    """Return the micro-units of `value`, exactly.

    Raises:
        MoneyError: `value` needs more than six decimals, or is not finite.
    """
    micros = value * MICRO
    if not micros.is_finite() or micros % 1:
        raise MoneyError(f"amount was {value}, expected at most 6 decimals")
    return int(micros)


def format_micros(micros: int) -> str:
    """Return the shortest decimal text of `micros`: 520_000 → "0.52", 10_000_000 → "10"."""
    sign = "-" if micros < 0 else ""
    whole, fraction = divmod(abs(micros), MICRO)
    return f"{sign}{whole}.{fraction:06d}".rstrip("0").rstrip(".")


def from_float_rounded(value: float) -> int:
    """Return the micro-units nearest to `value`; for statistics and displayed depth, never for fills or balances."""
    return round(value * MICRO)


def to_float(micros: int) -> float:
    """Return `micros` as a float for display and statistics."""
    return micros / MICRO


def multiply_floor(left: int, right: int) -> int:
    """Return left × right in micro-units, rounded down (price × size → notional)."""
    return left * right // MICRO


def multiply_ceil(left: int, right: int) -> int:
    """Return left × right in micro-units, rounded up."""
    return -(-left * right // MICRO)


def floor_to(value: int, step: int) -> int:
    """Return the largest multiple of `step` that is not above `value`."""
    return value - value % step


def ceil_to(value: int, step: int) -> int:
    """Return the smallest multiple of `step` that is not below `value`."""
    return -(-value // step) * step
