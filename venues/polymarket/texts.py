"""Numbers and times as the venue spells them: decimal strings that may be empty, seconds or milliseconds, names with or without a prefix."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.errors import MoneyError
from domain.fill import FillStatus
from domain.money import MICRO, parse_micros
from domain.order import OrderSide, OrderStatus

_UNITS_NS = ((11, 1_000_000_000), (14, 1_000_000), (17, 1_000))
"""Digits up to which a Unix time is seconds, milliseconds, microseconds; longer ones are nanoseconds."""

_FILL_STATUSES = {
    "MATCHED": FillStatus.MATCHED,
    "MATCHED_NOT_BROADCASTED": FillStatus.MATCHED,
    "MINED": FillStatus.MINED,
    "CONFIRMED": FillStatus.CONFIRMED,
    "RETRYING": FillStatus.RETRYING,
    "FAILED": FillStatus.FAILED,
}


def time_ns(text: str | int | None) -> int:
    """Return UTC nanoseconds of a Unix time in any unit or of an ISO text; 0 for an empty one. `ValueError` for anything else."""
    if not text:
        return 0
    digits = str(text)
    if digits.isascii() and digits.isdigit():
        unit = next((factor for length, factor in _UNITS_NS if len(digits) <= length), 1)
        return int(digits) * unit
    moment = datetime.fromisoformat(digits)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + moment.microsecond * 1_000


def amount(text: str, *, low: int = 0, high: int | None = None) -> int:
    """Return the micro-units of an amount from `low` to `high`; `MoneyError` otherwise."""
    value = parse_micros(text)
    if value < low or (high is not None and value > high):
        raise MoneyError(f"amount was {text!r}, expected {low} to {'any' if high is None else high} micro-units")
    return value


def fill_price(text: str, our_side: OrderSide) -> int:
    """Return the price of a fill, above 0 and below 1; an average with more than six decimals is rounded against us (a BUY up, a SELL down)."""
    whole, point, decimals = text.partition(".")
    price = amount(f"{whole}{point}{decimals[:6]}")
    cut_off = decimals[6:]
    if cut_off.strip("0"):
        if not (cut_off.isascii() and cut_off.isdigit()):
            raise MoneyError(f"price was {text!r}, expected a decimal number")
        price += our_side is OrderSide.BUY
    if not 0 < price < MICRO:
        raise MoneyError(f"price was {text!r}, expected one between 0 and 1")
    return price


def side(text: str) -> OrderSide:
    """Return the side; `ValueError` for anything but BUY and SELL."""
    return OrderSide(text.lower())


def fill_status(text: str) -> FillStatus:
    """Return the status of a trade, with or without the prefix REST adds; `ValueError` for one the venue does not document."""
    name = text.removeprefix("TRADE_STATUS_")
    if name not in _FILL_STATUSES:
        raise ValueError(f"trade status was {text!r}")
    return _FILL_STATUSES[name]


def order_status(text: str, *, filled: int, rests: bool) -> tuple[OrderStatus, str]:
    """Return an order's status and, where the venue gives one, the reason.

    The set is open: whatever begins with CANCELED is cancelled with the rest as reason, and a name nobody documents is UNKNOWN, to be
    looked up. INVALID is how the venue ends a resting order it can no longer fill. UNMATCHED is a taker that met nobody: an order that may
    rest was placed all the same, any other is gone.
    """
    name = text.removeprefix("ORDER_STATUS_")
    if name.startswith("CANCELED"):
        reason = name.removeprefix("CANCELED").lstrip("_")
        return (OrderStatus.EXPIRED if reason == "EXPIRED_ORDER" else OrderStatus.CANCELLED), reason.lower()
    if name == "LIVE" or (name == "UNMATCHED" and rests):
        return (OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.LIVE), ""
    if name in {"INVALID", "UNMATCHED"}:
        return OrderStatus.CANCELLED, name.lower()
    if name == "MATCHED":
        return OrderStatus.MATCHED, ""
    if name == "DELAYED":
        return OrderStatus.DELAYED, ""
    return OrderStatus.UNKNOWN, name
