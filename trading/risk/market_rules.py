"""What no venue would take: a price off the grid, too few shares, a token of another market. These rules hold for everyone, also for what reduces.

Pure functions over a signal and the book; each returns the refusal, or None.
"""

from __future__ import annotations

from domain.amounts import marketable_size
from domain.money import MICRO, floor_to, format_micros, multiply_ceil
from domain.order import Effect, OrderSide, OrderType
from domain.signal import TradeSignal
from domain.ticks import SIZE_STEP
from trading.risk.decision import BookView, Decision, Refusal, refuse

MIN_MARKETABLE_BUY = MICRO
"""A BUY that takes liquidity must be worth at least one dollar (venue rule)."""


def limit_price(signal: TradeSignal) -> int:
    """Return the nearest price on the market's grid that is no worse than the signal's; at the grid's ends there may be none."""
    tick = signal.market.tick_size
    return tick.floor(signal.price) if signal.side is OrderSide.BUY else tick.ceil(signal.price)


def check_form(signal: TradeSignal, now_ns: int) -> Decision | None:
    """Refuse what is too late, or contradicts itself."""
    market = signal.market
    if now_ns >= signal.expires_ns:
        return refuse(Refusal.EXPIRED, f"expired {(now_ns - signal.expires_ns) // 1_000_000} ms ago")
    if signal.token_id not in market.token_ids:
        return refuse(Refusal.NOT_OF_MARKET, f"token {signal.token_id} is not of market {market.id}")
    if not 0 < signal.price < MICRO:
        return refuse(Refusal.OFF_GRID, f"price was {format_micros(signal.price)}, expected 0 to 1")
    if signal.effect is Effect.REDUCE and signal.side is OrderSide.BUY:
        return refuse(Refusal.NO_REDUCTION, "a purchase reduces nothing here: it opens")
    if (signal.order_type is OrderType.GTD) != (signal.rest_until_ns is not None):
        return refuse(Refusal.EXPIRATION, "a GTD order says until when it rests, and no other order does")
    return None


def check_price(signal: TradeSignal, price: int) -> Decision | None:
    """Refuse a limit for which the grid has no price that is as good."""
    if price > signal.price if signal.side is OrderSide.BUY else price < signal.price:
        low, high = format_micros(signal.market.tick), format_micros(MICRO - signal.market.tick)
        return refuse(Refusal.OFF_GRID, f"price was {format_micros(signal.price)}, the grid is {low} to {high}")
    return None


def fitting_size(signal: TradeSignal, price: int, size: int) -> int:
    """Return `size` cut to what the venue's decimals allow."""
    if signal.side is OrderSide.BUY and not signal.order_type.rests:
        return marketable_size(price, size)
    return floor_to(max(size, 0), SIZE_STEP)


def check_size(signal: TradeSignal, price: int, size: int, book: BookView | None) -> Decision | None:
    """Refuse fewer shares, or less money, than the market takes."""
    if signal.effect is Effect.REDUCE and size <= 0:
        return refuse(Refusal.NO_TOKENS, f"no settled shares of {signal.source} are free to sell")
    if size < signal.market.min_size:
        least = format_micros(signal.market.min_size)
        return refuse(Refusal.TOO_SMALL, f"{format_micros(size)} shares, the market takes {least} or more")
    if signal.side is OrderSide.BUY and takes(signal, price, book):
        notional = multiply_ceil(price, size)
        if notional < MIN_MARKETABLE_BUY:
            return refuse(Refusal.TOO_SMALL, f"worth ${format_micros(notional)}, a taker buys for $1 or more")
    return None


def takes(signal: TradeSignal, price: int, book: BookView | None) -> bool:
    """Tell whether an order may take liquidity: by its type, or because it reaches the other side; without a book it may."""
    if not signal.order_type.rests or book is None:
        return True
    return price >= book.best_ask if signal.side is OrderSide.BUY else price <= book.best_bid
