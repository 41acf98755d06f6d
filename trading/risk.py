"""Risk: one synchronous function decides on an intent and reserves what it may cost, before anything is awaited.

Protections stop intents that `open` and never those that `reduce`. A reduction is a sale, cut to what its strategy really holds and has free; what
stops one is only what no venue would take (a closed market, too few shares) or what would trade with ourselves. Where a number is
missing (no book, no price, no committed market) an opening intent is refused. Each refusal has a stable code, which is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from domain.amounts import marketable_size
from domain.money import MICRO, floor_to, format_micros, multiply_ceil
from domain.order import Effect, OrderDraft, OrderSide, OrderType
from domain.ports import Clock, Ids
from domain.signal import TradeSignal
from domain.ticks import SIZE_STEP
from trading.halts import Halts
from trading.ladder import rung_of
from trading.limits import RiskLimits
from trading.portfolio import Portfolio
from trading.reservations import Reservations
from trading.venue_state import VenueState

MIN_MARKETABLE_BUY = MICRO
"""A BUY that takes liquidity must be worth at least one dollar (venue rule)."""


class Refusal(StrEnum):
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    NOT_TRADABLE = "market_not_tradable"
    NOT_OF_MARKET = "token_of_another_market"
    NO_LEASE = "no_lease"
    HALTED = "halted"
    VENUE = "venue_not_ready"
    STALE_BOOK = "stale_book"
    NO_BOOK = "no_book"
    PRICE_BAND = "price_band"
    OFF_GRID = "off_grid"
    TOO_SMALL = "too_small"
    SELF_TRADE = "self_trade"
    ORDER_CAP = "order_cap"
    MARKET_CAP = "market_cap"
    TOTAL_CAP = "total_cap"
    POSITION_CAP = "position_cap"
    NO_CASH = "not_enough_cash"
    NO_TOKENS = "not_enough_tokens"
    BUSY = "too_many_orders_in_flight"
    NO_REDUCTION = "reduces_nothing"
    EXPIRATION = "wrong_expiration"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an intent: a `draft` that holds its reservation under `decision_id`, or a `refusal` with its `detail`."""

    decision_id: str = ""
    draft: OrderDraft | None = None
    refusal: Refusal | None = None
    detail: str = ""


class BookView(Protocol):
    """What risk needs to know of an order book; prices in micro-dollars, 0 and 1_000_000 for an empty side."""

    @property
    def best_bid(self) -> int: ...
    @property
    def best_ask(self) -> int: ...
    @property
    def received_ns(self) -> int: ...
    @property
    def trusted(self) -> bool: ...


class RiskCore:
    """Decides on intents of one account.

    Args:
        book_of: the order book of a token, None when it is not watched.
        lease_valid: whether this trader may still send.
        committed: whether a market's row is durable, so that orders may refer to it.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        halts: Halts,
        limits: RiskLimits,
        clock: Clock,
        ids: Ids,
        venue_state: VenueState,
        *,
        book_of: Callable[[str], BookView | None],
        lease_valid: Callable[[], bool],
        committed: Callable[[str], bool],
    ) -> None:
        self.limits = limits
        self.reservations = Reservations(portfolio)
        self.refusals: Counter[str] = Counter()
        self._portfolio = portfolio
        self._halts = halts
        self._clock = clock
        self._ids = ids
        self._venue_state = venue_state
        self._book_of = book_of
        self._lease_valid = lease_valid
        self._committed = committed

    def decide_and_reserve(self, signal: TradeSignal) -> Decision:
        """Decide on a signal; what is accepted is reserved when this returns. Nothing is awaited, so no two decisions overlap."""
        decision = self._decide(signal)
        if decision.refusal is not None:
            self.refusals[decision.refusal.value] += 1
        return decision

    def _decide(self, signal: TradeSignal) -> Decision:
        for check in (self._check_basics, self._check_protections):
            refusal = check(signal)
            if refusal is not None:
                return refusal
        price = limit_price(signal)
        if price > signal.price if signal.side is OrderSide.BUY else price < signal.price:
            low, high = format_micros(signal.market.tick), format_micros(MICRO - signal.market.tick)
            return Decision(
                refusal=Refusal.OFF_GRID, detail=f"price was {format_micros(signal.price)}, the grid is {low} to {high}"
            )
        size = self._fitting_size(signal, price)
        too_small = self._check_size(signal, price, size)
        if too_small is not None:
            return too_small
        draft = self._draft(signal, price, size)
        if self._would_self_trade(draft):
            return Decision(refusal=Refusal.SELF_TRADE, detail="an order of ours rests on the other side of this price")
        cost = self._worst_cost(draft)
        broken = self._check_caps(signal, draft, cost) or self._check_funds(cost)
        if broken is not None:
            return broken
        self.reservations.hold(draft, cost)
        return Decision(decision_id=draft.decision_id, draft=draft)

    def _check_basics(self, signal: TradeSignal) -> Decision | None:
        now = self._clock.now_ns()
        market = signal.market
        if now >= signal.expires_ns:
            return Decision(refusal=Refusal.EXPIRED, detail=f"expired {(now - signal.expires_ns) // 1_000_000} ms ago")
        if signal.token_id not in market.token_ids:
            return Decision(
                refusal=Refusal.NOT_OF_MARKET, detail=f"token {signal.token_id} is not of market {market.id}"
            )
        if not market.tradable or not self._committed(market.id):
            return Decision(refusal=Refusal.NOT_TRADABLE, detail=f"market {market.id} takes no orders now")
        if not self._lease_valid():
            return Decision(refusal=Refusal.NO_LEASE, detail="this trader does not hold the account's lease")
        if not 0 < signal.price < MICRO:
            return Decision(
                refusal=Refusal.OFF_GRID, detail=f"price was {format_micros(signal.price)}, expected 0 to 1"
            )
        if signal.effect is Effect.REDUCE and signal.side is OrderSide.BUY:
            return Decision(refusal=Refusal.NO_REDUCTION, detail="a purchase reduces nothing here: it opens")
        if (signal.order_type is OrderType.GTD) != (signal.rest_until_ns is not None):
            return Decision(
                refusal=Refusal.EXPIRATION, detail="a GTD order says until when it rests, and no other order does"
            )
        return None

    def _check_protections(self, signal: TradeSignal) -> Decision | None:
        """Everything that may stop new risk; a reduction waits for nothing but a venue whose answers prove nothing."""
        now = self._clock.monotonic()
        if signal.effect is Effect.REDUCE:
            waits = self._venue_state.stops_reducing(now)
            return Decision(refusal=Refusal.VENUE, detail=waits) if waits else None
        halt = self._halts.blocking(signal.market, signal.source)
        if halt is not None:
            where = f"{halt.scope.value} {halt.target}".rstrip()
            return Decision(refusal=Refusal.HALTED, detail=f"{where}: {halt.reason}")
        waits = self._venue_state.stops_opening(signal.market.id, now, post_only=signal.post_only)
        if waits:
            return Decision(refusal=Refusal.VENUE, detail=waits)
        book = self._book_of(signal.token_id)
        if book is None or not book.trusted:
            return Decision(refusal=Refusal.NO_BOOK, detail="no trusted order book")
        age_ms = (self._clock.now_ns() - book.received_ns) // 1_000_000
        if age_ms > self.limits.max_book_age_ms:
            return Decision(refusal=Refusal.STALE_BOOK, detail=f"the book is {age_ms} ms old")
        if not self.limits.min_price <= signal.price <= self.limits.max_price:
            low, high = format_micros(self.limits.min_price), format_micros(self.limits.max_price)
            return Decision(
                refusal=Refusal.PRICE_BAND, detail=f"{format_micros(signal.price)} is outside {low} to {high}"
            )
        return None

    def _fitting_size(self, signal: TradeSignal, price: int) -> int:
        """Return the size cut to what the venue's decimals allow, and for a reduction to what is held and free."""
        size = signal.size
        if signal.effect is Effect.REDUCE:
            size = min(size, self.reservations.sellable(signal.token_id, signal.source))
        if signal.side is OrderSide.BUY and not signal.order_type.rests:
            return marketable_size(price, size)
        return floor_to(max(size, 0), SIZE_STEP)

    def _check_size(self, signal: TradeSignal, price: int, size: int) -> Decision | None:
        if signal.effect is Effect.REDUCE and size <= 0:
            return Decision(refusal=Refusal.NO_TOKENS, detail=f"no settled shares of {signal.source} are free to sell")
        if size < signal.market.min_size:
            least = format_micros(signal.market.min_size)
            return Decision(
                refusal=Refusal.TOO_SMALL, detail=f"{format_micros(size)} shares, the market takes {least} or more"
            )
        notional = multiply_ceil(price, size)
        takes = not signal.order_type.rests or self._crosses(signal.token_id, signal.side, price)
        if signal.side is OrderSide.BUY and takes and notional < MIN_MARKETABLE_BUY:
            return Decision(
                refusal=Refusal.TOO_SMALL, detail=f"worth ${format_micros(notional)}, a taker buys for $1 or more"
            )
        return None

    def _crosses(self, token_id: str, side: OrderSide, price: int) -> bool:
        book = self._book_of(token_id)
        return book is None or (price >= book.best_ask if side is OrderSide.BUY else price <= book.best_bid)

    def _draft(self, signal: TradeSignal, price: int, size: int) -> OrderDraft:
        return OrderDraft(
            account=self._portfolio.account,
            decision_id=self._ids.uuid(),
            intent_id=signal.id,
            strategy=signal.source,
            market=signal.market,
            token_id=signal.token_id,
            side=signal.side,
            order_type=signal.order_type,
            price=price,
            size=size,
            effect=signal.effect,
            post_only=signal.post_only,
            expires_ns=signal.rest_until_ns,
            take_profit=signal.take_profit,
            stop_loss=signal.stop_loss,
            reason=signal.reason,
        )

    @staticmethod
    def _worst_cost(draft: OrderDraft) -> int:
        if draft.side is OrderSide.SELL:
            return 0
        notional, fees = multiply_ceil(draft.price, draft.size), draft.market.fees
        if draft.spends_cash_amount:
            return notional + fees.worst_spend_fee(notional)
        return notional + fees.worst_buy_fee(draft.price, draft.size)

    def _would_self_trade(self, draft: OrderDraft) -> bool:
        """Tell whether an order of ours, on either token, rests or is decided where this one would match it.

        An order that perhaps exists keeps others from opening; a reduction does not wait for it to be found out.
        """
        mine = rung_of(draft)
        opens = draft.effect is Effect.OPEN
        tracked = self._portfolio.orders.open_in_market(draft.market.id)
        others = [own.order.draft for own in tracked if opens or own.stands]
        return any(mine.matches(rung_of(other)) for other in others + self.reservations.drafts())

    def _check_caps(self, signal: TradeSignal, draft: OrderDraft, cost: int) -> Decision | None:
        if draft.effect is Effect.REDUCE:
            return None
        limits, portfolio, held = self.limits, self._portfolio, self.reservations
        if draft.side is OrderSide.SELL:
            return Decision(
                refusal=Refusal.NO_TOKENS,
                detail="a sale opens no position: sell what is held (effect reduce), or buy the other outcome",
            )
        if cost > limits.max_order_notional:
            return _over(Refusal.ORDER_CAP, cost, limits.max_order_notional)
        in_market = portfolio.market_exposure(draft.market) + held.opening_cash(draft.market.id) + cost
        if in_market > limits.max_market_notional:
            return _over(Refusal.MARKET_CAP, in_market, limits.max_market_notional)
        total = portfolio.positions.total_cost + portfolio.orders.opening_cash_total + held.opening_cash() + cost
        if total > limits.max_total_notional:
            return _over(Refusal.TOTAL_CAP, total, limits.max_total_notional)
        tokens = portfolio.positions.held_tokens() | portfolio.orders.opening_tokens() | held.opening_tokens()
        if len(tokens | {signal.token_id}) > limits.max_open_positions:
            return Decision(refusal=Refusal.POSITION_CAP, detail=f"{len(tokens)} positions are open or being opened")
        return None

    def _check_funds(self, cost: int) -> Decision | None:
        free = self.reservations.free_cash
        if cost > max(free, 0):
            return Decision(
                refusal=Refusal.NO_CASH, detail=f"needs ${format_micros(cost)}, ${format_micros(free)} is free"
            )
        return None


def limit_price(signal: TradeSignal) -> int:
    """Return the nearest price on the market's grid that is no worse than the signal's; at the grid's ends there may be none."""
    tick = signal.market.tick_size
    return tick.floor(signal.price) if signal.side is OrderSide.BUY else tick.ceil(signal.price)


def _over(refusal: Refusal, value: int, cap: int) -> Decision:
    return Decision(refusal=refusal, detail=f"${format_micros(value)} would exceed the cap of ${format_micros(cap)}")
