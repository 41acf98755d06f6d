"""Risk: one synchronous function decides on an intent and reserves what it may cost, before anything is awaited.

Protections and caps stop intents that `open` and never those that `reduce`. A reduction is a sale, cut to what its strategy really holds and has
free; what stops one is only what no venue would take (a closed market, too few shares) or what would trade with ourselves. Where a number is
missing (no book, no price, no committed market) an opening intent is refused.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.market import Market
from domain.money import format_micros, multiply_ceil
from domain.order import Effect, OrderDraft, OrderSide
from domain.ports import Clock, Ids
from domain.signal import TradeSignal
from trading.halts import Halts
from trading.ladder import rung_of
from trading.limits import RiskLimits
from trading.portfolio import Portfolio
from trading.reservations import Reservations
from trading.risk.caps import check_caps
from trading.risk.decision import BookView, Decision, Refusal, refuse
from trading.risk.exposure import Exposure
from trading.risk.market_rules import check_form, check_price, check_size, fitting_size, limit_price
from trading.risk.protections import Protections
from trading.venue_state import VenueState


class RiskCore:
    """Decides on intents of one account.

    Args:
        book_of: the order book of a token, None when it is not watched.
        lease_valid: whether this trader may still send.
        committed: whether a market's row is durable, so that orders may refer to it.
        market_of: a market by its id as it is known now.
        exclusive: whether at most one market of an event pays YES.
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
        market_of: Callable[[str], Market | None],
        exclusive: Callable[[str], bool],
    ) -> None:
        self.limits = limits
        self.reservations = Reservations(portfolio)
        self.exposure = Exposure(portfolio, self.reservations, market_of=market_of, exclusive=exclusive)
        self._protections = Protections(halts, venue_state, limits, clock)
        self._portfolio = portfolio
        self._clock = clock
        self._ids = ids
        self._book_of = book_of
        self._lease_valid = lease_valid
        self._committed = committed

    def decide_and_reserve(self, signal: TradeSignal) -> Decision:
        """Decide on a signal; what is accepted is reserved when this returns. Nothing is awaited, so no two decisions overlap."""
        now_ns = self._clock.now_ns()
        book = self._book_of(signal.token_id)
        refused = (
            check_form(signal, now_ns) or self._check_place(signal) or self._protections.check(signal, book, now_ns)
        )
        if refused is not None:
            return refused
        price = limit_price(signal)
        size = self._fitting_size(signal, price)
        refused = check_price(signal, price) or check_size(signal, price, size, book)
        if refused is not None:
            return refused
        draft = self._draft(signal, price, size)
        cost = _worst_cost(draft)
        refused = self._check_self_trade(draft) or self._check_caps(draft, cost) or self._check_funds(cost)
        if refused is not None:
            return refused
        self.reservations.hold(draft, cost)
        return Decision(decision_id=draft.decision_id, draft=draft)

    def _check_place(self, signal: TradeSignal) -> Decision | None:
        market = signal.market
        if not market.tradable or not self._committed(market.id):
            return refuse(Refusal.NOT_TRADABLE, f"market {market.id} takes no orders now")
        if not self._lease_valid():
            return refuse(Refusal.NO_LEASE, "this trader does not hold the account's lease")
        return None

    def _fitting_size(self, signal: TradeSignal, price: int) -> int:
        """Return the size that the venue's decimals allow, for a reduction at most what is held and free."""
        size = signal.size
        if signal.effect is Effect.REDUCE:
            size = min(size, self.reservations.sellable(signal.token_id, signal.source))
        return fitting_size(signal, price, size)

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

    def _check_self_trade(self, draft: OrderDraft) -> Decision | None:
        """Refuse where an order of ours, on either token, rests or is decided and this one would match it.

        An order that perhaps exists keeps others from opening; a reduction does not wait for it to be found out.
        """
        market_id, opens = draft.market.id, draft.effect is Effect.OPEN
        tracked, decided = self._portfolio.orders.open_in_market(market_id), self.reservations.in_market(market_id)
        others = [own.order.draft for own in tracked if opens or own.stands] + [other for other, _ in decided]
        facing = [other for other in others if (other.token_id == draft.token_id) is not (other.side is draft.side)]
        if facing and any(map(rung_of(draft).matches, map(rung_of, facing))):
            return refuse(Refusal.SELF_TRADE, "an order of ours rests on the other side of this price")
        return None

    def _check_caps(self, draft: OrderDraft, cost: int) -> Decision | None:
        if draft.effect is Effect.REDUCE:
            return None
        return check_caps(draft, cost, self.limits, self.exposure)

    def _check_funds(self, cost: int) -> Decision | None:
        free = self.reservations.free_cash
        if cost > max(free, 0):
            return refuse(Refusal.NO_CASH, f"needs ${format_micros(cost)}, ${format_micros(free)} is free")
        return None


def _worst_cost(draft: OrderDraft) -> int:
    if draft.side is OrderSide.SELL:
        return 0
    notional, fees = multiply_ceil(draft.price, draft.size), draft.market.fees
    if draft.spends_cash_amount:
        return notional + fees.worst_spend_fee(notional)
    return notional + fees.worst_buy_fee(draft.price, draft.size)
