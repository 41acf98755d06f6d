"""Placing and cancelling: prepare → journal → recheck → send → evidence, for one order or for a few at once.

The row is durable before the bytes leave. A definite journal failure means the order never existed; an uncertain one breaks the desk. After the
commit, halts, the venue's state and the lease are checked once more, right before the write. Whatever is not proof of non-acceptance leaves the order
`unknown`, to be resolved by reading (`trading.resolver`), never by sending again. A cancel stops an order that has not left yet, and waits for the
answer of one that has: the venue cannot cancel what has not arrived.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from domain.errors import InvalidOrderError, JournalError, JournalUncertainError, LeaseLostError, WrongAccountError
from domain.order import Order, OrderDraft, OrderStatus
from domain.ports import OrderGateway
from domain.reports import Accepted, CancelOutcome, Rejected, SendOutcome
from trading.change import Change
from trading.desk import Desk
from trading.lease_holder import LeaseHolder
from trading.own_orders import OwnOrder
from trading.policies import Policies
from trading.reservations import Reservations

ANSWER_SECONDS = 5.0
"""How long a cancel waits for the answer to the order it shall cancel."""

_log = structlog.get_logger(__name__)


class OrderFlow:
    """Carries decided orders to the venue and cancels them.

    `in_flight` are the orders that are prepared and whose answer has not come yet, each with a future that ends with it.

    Args:
        policies: acts on what an answer means beyond its own request.
        send_deadline: seconds between the commit and the last moment at which the bytes may leave.
    """

    def __init__(
        self,
        desk: Desk,
        gateway: OrderGateway,
        reservations: Reservations,
        lease: LeaseHolder,
        policies: Policies,
        *,
        send_deadline: float,
    ) -> None:
        self._desk = desk
        self._policies = policies
        self._gateway = gateway
        self._reservations = reservations
        self._lease = lease
        self._send_deadline = send_deadline
        self.in_flight: dict[str, asyncio.Future[None]] = {}

    async def place(self, draft: OrderDraft, unprepared: Callable[[str], None] | None = None) -> OwnOrder | None:
        """Place a decided order; returns its state, None when it never existed: `unprepared` is told why."""
        (own,) = await self.place_many([draft], unprepared=unprepared)
        return own

    async def place_many(
        self, drafts: Sequence[OrderDraft], *, together: bool = False, unprepared: Callable[[str], None] | None = None
    ) -> list[OwnOrder | None]:
        """Place at most `BATCH` decided orders with one commit and one request; each stands and falls by itself.

        `together`: when one of them cannot leave, none does. What the venue makes of each is its own affair. `unprepared` is told why an order
        could not be built or signed.

        Raises:
            AssertionError: nobody decided on one of `drafts`.
        """
        for draft in drafts:
            if not self._reservations.holds(draft.decision_id):
                raise AssertionError(f"order without a decision: {draft.decision_id}")
        answered = asyncio.get_running_loop().create_future()
        try:
            placed = await self._prepare_all(drafts, answered, unprepared)
            orders = [own for own in placed if own is not None]
            if together and len(orders) < len(drafts):
                for own in orders:
                    self._desk.portfolio.orders.discard(own.id)
                return [None] * len(drafts)
            if orders and await self._commit(orders):
                await self._send(orders, together=together)
            return placed
        finally:
            for order_id in [each for each, future in self.in_flight.items() if future is answered]:
                del self.in_flight[order_id]
            answered.set_result(None)

    async def _prepare_all(
        self,
        drafts: Sequence[OrderDraft],
        answered: asyncio.Future[None],
        unprepared: Callable[[str], None] | None,
    ) -> list[OwnOrder | None]:
        """Prepare each, in flight from then on; when one fails in an unforeseen way, none of them exists."""
        placed: list[OwnOrder | None] = []
        waiting = list(drafts)
        while waiting:
            draft = waiting.pop(0)
            try:
                own = await self._prepare(draft, unprepared)
            except BaseException:
                for other in waiting:
                    self._reservations.release(other.decision_id)
                for prepared in filter(None, placed):
                    self._desk.portfolio.orders.discard(prepared.id)
                raise
            placed.append(own)
            if own is not None:
                self.in_flight[own.id] = answered
        return placed

    async def _prepare(self, draft: OrderDraft, unprepared: Callable[[str], None] | None) -> OwnOrder | None:
        """Build and sign; the order's own reservation replaces the decision's without a gap."""
        portfolio, clock = self._desk.portfolio, self._desk.clock
        try:
            prepared = await self._gateway.prepare(draft)
            if prepared.order_id in portfolio.orders:
                raise InvalidOrderError(f"order id {prepared.order_id} exists already")
        except (InvalidOrderError, WrongAccountError) as error:
            self._reservations.release(draft.decision_id)
            self._desk.audit("order_not_prepared", intent=draft.intent_id, strategy=draft.strategy, error=str(error))
            _log.warning("order not prepared", strategy=draft.strategy, token_id=draft.token_id, error=str(error))
            if unprepared is not None:
                unprepared(str(error))
            return None
        except BaseException:
            self._reservations.release(draft.decision_id)
            raise
        order = Order(draft=draft, prepared=prepared, lease_epoch=self._lease.epoch, created_ns=clock.now_ns())
        own = portfolio.add(order, order.created_ns)
        self._reservations.release(draft.decision_id)
        return own

    async def _commit(self, orders: Sequence[OwnOrder]) -> bool:
        """Make the intents durable; False when they provably are not (the orders are forgotten) or when that is not known.

        A desk that broke journals no end of an order: what it wrote down now, a restart would take for an order that may have left.
        """
        if self._desk.broken:
            for own in orders:
                self._desk.portfolio.orders.discard(own.id)
            return False
        ids = ", ".join(own.id for own in orders)
        try:
            await self._desk.journal.submit([own.order for own in orders])
        except (JournalUncertainError, LeaseLostError) as error:
            self._desk.fail(f"intent {ids}: {error}")
            return False
        except JournalError as error:
            _log.error("intent not journaled, nothing sent", order_id=ids, error=str(error))
            for own in orders:
                self._desk.portfolio.orders.discard(own.id)
            return False
        return True

    async def _send(self, orders: Sequence[OwnOrder], *, together: bool) -> None:
        desk, clock = self._desk, self._desk.clock
        all_stop = next(filter(None, map(self._why_kept_back, orders)), "") if together else ""
        leaving = [own for own in orders if not self._kept_back(own, all_stop)]
        if not leaving:
            return
        lease = self._lease.lease
        if lease is None:
            raise AssertionError("sending without a lease")
        deadline = min(clock.monotonic() + self._send_deadline, lease.deadline)
        for own in leaving:
            own.status, own.last_send_ns = OrderStatus.SUBMITTED, clock.now_ns() + int(self._send_deadline * 1e9)
            desk.portfolio.orders.refresh(own)
        try:
            outcomes = await self._write(leaving, deadline)
        except asyncio.CancelledError:
            for own in leaving:
                why = "stopped while the answer was awaited"
                desk.apply(desk.portfolio.move(own, OrderStatus.UNKNOWN, why, clock.now_ns()))
            raise
        for own, outcome in zip(leaving, outcomes, strict=True):
            # As long as its answer is awaited, the system may still be delivering an order.
            own.last_send_ns = clock.now_ns()
            desk.apply(self._apply_outcome(own, outcome))
            self._policies.placed(own.order.draft, outcome)

    def _why_kept_back(self, own: OwnOrder) -> str:
        return own.unwanted or self._stopped(own.order.draft)

    def _kept_back(self, own: OwnOrder, all_stop: str) -> bool:
        """Tell whether a committed order may not leave after all, and end it then. `all_stop` is why none of them may."""
        stop = all_stop or self._why_kept_back(own)
        if stop:
            status = OrderStatus.CANCELLED if own.unwanted else OrderStatus.REJECTED
            self._desk.apply(self._desk.portfolio.move(own, status, f"not sent: {stop}", self._desk.clock.now_ns()))
        return bool(stop)

    async def _write(self, orders: Sequence[OwnOrder], deadline: float) -> Sequence[SendOutcome]:
        if len(orders) == 1:
            return [await self._gateway.send(orders[0].order.prepared, deadline)]
        return await self._gateway.send_many([own.order.prepared for own in orders], deadline)

    def _stopped(self, draft: OrderDraft) -> str:
        """Return why a committed order may not leave after all, or ''."""
        if self._desk.broken:
            return self._desk.broken
        if not self._lease.valid(self._desk.clock.monotonic()):
            return "the lease ran out"
        return self._desk.halted(draft) or self._policies.stops(draft)

    def _apply_outcome(self, own: OwnOrder, outcome: SendOutcome) -> Change:
        portfolio, now = self._desk.portfolio, self._desk.clock.now_ns()
        if isinstance(outcome, Accepted):
            return portfolio.acknowledge(own, outcome.status, outcome.trade_ids, now)
        status = OrderStatus.REJECTED if isinstance(outcome, Rejected) else OrderStatus.UNKNOWN
        return portfolio.move(own, status, outcome.says, now)

    async def cancel(self, own: OwnOrder, reason: str) -> None:
        """Ask the venue to cancel an order; what became of it is read afterwards."""
        await self.cancel_many([own], reason)

    async def cancel_many(self, orders: Sequence[OwnOrder], reason: str) -> None:
        """Ask the venue to cancel several orders in one go. From now on they are `unwanted`: what rests nevertheless is cancelled again."""
        portfolio, clock = self._desk.portfolio, self._desk.clock
        for own in orders:
            if not own.status.terminal:
                own.unwanted = own.unwanted or reason
        await self._answers(orders)
        wanted = [own for own in orders if not own.status.terminal and own.status is not OrderStatus.PENDING]
        if not wanted:
            return
        for own in wanted:
            if own.status in (OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED):
                self._desk.apply(portfolio.move(own, OrderStatus.CANCELLING, own.unwanted, clock.now_ns()))
        outcome = await self._gateway.cancel([own.id for own in wanted])
        self._act_on(outcome)
        cancelled = set(outcome.cancelled)
        for own in wanted:
            # Neither a yes nor a no says how much was filled in between: order and trades are read again, by a read that begins after this. Until
            # then, and whoever hears of the cancel first, the order holds what it held.
            own.needs_read = True
            if own.id in cancelled and not own.status.terminal:
                self._desk.apply(portfolio.move(own, OrderStatus.CANCELLED, own.unwanted, clock.now_ns()))
            own.updated_ns = clock.now_ns()
            portfolio.orders.refresh(own)

    def _act_on(self, outcome: CancelOutcome) -> None:
        if outcome.trouble is not None:
            self._policies.not_cancelled(outcome.trouble)

    async def _answers(self, orders: Sequence[OwnOrder]) -> None:
        """Wait until none of the orders is on its way any more, but not for ever."""
        on_the_way = [self.in_flight[own.id] for own in orders if own.id in self.in_flight]
        if on_the_way:
            await asyncio.wait(on_the_way, timeout=ANSWER_SECONDS)

    async def cancel_all(self, reason: str) -> None:
        """Cancel every open order of the account, also those polybot does not know."""
        await self.cancel_many(self._desk.portfolio.orders.open(), reason)
        self._act_on(await self._gateway.cancel_all())
