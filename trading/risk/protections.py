"""What stops new risk and never what reduces it: halts, the venue's state, missing and old books, the price band, slippage.

What is missing counts as danger. A reduction waits for nothing but a venue whose answers prove nothing.
"""

from __future__ import annotations

from domain.money import format_micros
from domain.order import Effect, OrderSide
from domain.ports import Clock
from domain.signal import TradeSignal
from trading.halts import Halts
from trading.limits import RiskLimits
from trading.risk.decision import BookView, Decision, Refusal, refuse
from trading.risk.market_rules import takes
from trading.venue_state import VenueState


class Protections:
    """The protections of one account."""

    def __init__(self, halts: Halts, venue_state: VenueState, limits: RiskLimits, clock: Clock) -> None:
        self._halts = halts
        self._venue_state = venue_state
        self._limits = limits
        self._clock = clock

    def check(self, signal: TradeSignal, book: BookView | None, now_ns: int) -> Decision | None:
        """Return why a signal must not go on now, or None."""
        if signal.effect is Effect.REDUCE:
            waits = self._venue_state.stops_reducing(self._clock.monotonic())
            return refuse(Refusal.VENUE, waits) if waits else None
        halt = self._halts.blocking(signal.market, signal.source)
        if halt is not None:
            where = f"{halt.scope.value} {halt.target}".rstrip()
            return refuse(Refusal.HALTED, f"{where}: {halt.reason}")
        now = self._clock.monotonic()
        waits = self._venue_state.stops_opening(signal.market.id, now, post_only=signal.post_only)
        if waits:
            return refuse(Refusal.VENUE, waits)
        if book is None or not book.trusted:
            return refuse(Refusal.NO_BOOK, "no trusted order book")
        age_ms = (now_ns - book.received_ns) // 1_000_000
        if age_ms > self._limits.max_book_age_ms:
            return refuse(Refusal.STALE_BOOK, f"the book is {age_ms} ms old")
        if age_ms < 0:
            return refuse(
                Refusal.STALE_BOOK,
                f"the book is dated {-age_ms} ms ahead: the clock was put back, and its age is not known",
            )
        return self._check_price(signal, book)

    def _check_price(self, signal: TradeSignal, book: BookView) -> Decision | None:
        limits = self._limits
        if not limits.min_price <= signal.price <= limits.max_price:
            low, high = format_micros(limits.min_price), format_micros(limits.max_price)
            return refuse(Refusal.PRICE_BAND, f"{format_micros(signal.price)} is outside {low} to {high}")
        if signal.side is OrderSide.BUY and takes(signal, signal.price, book):
            worse = signal.price - book.best_ask
            if worse > limits.max_slippage:
                return refuse(
                    Refusal.SLIPPAGE,
                    f"${format_micros(worse)} a share above the best ask, allowed are ${format_micros(limits.max_slippage)}",
                )
        return None
