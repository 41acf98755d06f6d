"""Places, cancels and reads paper orders (implements `domain.ports.OrderGateway`), and tells of them (`AccountFeed`).

An order meets the book that is known `Latency.there` after it was sent; answers and news come `Latency.back` later. An order whose sender is gone
meanwhile may have been taken or not, as anywhere else: it is found by its id.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec
import structlog

from domain.errors import InvalidOrderError, VenueError, WrongAccountError
from domain.order import OrderDraft, PreparedOrder
from domain.ports import BATCH, AccountListener, Clock, Ids
from domain.reports import (
    Balances,
    CancelOutcome,
    OrderReport,
    Rejected,
    SendOutcome,
    TradeReport,
    Uncertain,
)
from venues.exchange import commands as c
from venues.exchange import events as e
from venues.paper.reports import news, order_report, outcome, trade_reports
from venues.paper.venue import PaperVenue
from venues.polymarket.order_body import checked_salt, order_amounts, venue_expiration

_log = structlog.get_logger(__name__)

_TURN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds to the venue and back. The first also covers the time by which the books we see are old."""

    there: float = 0.0
    back: float = 0.0


class PaperGateway:
    """Orders of one paper account at `venue`, the name that its markets carry."""

    def __init__(self, paper: PaperVenue, venue: str, *, clock: Clock, ids: Ids, latency: Latency) -> None:
        self._paper = paper
        self._venue = venue
        self._clock = clock
        self._ids = ids
        self._latency = latency
        self._decoder = msgspec.json.Decoder(c.PlaceOrder)

    @property
    def account(self) -> str:
        return self._paper.account

    async def prepare(self, draft: OrderDraft) -> PreparedOrder:
        """Build and validate; nothing is signed."""
        if draft.account != self.account:
            raise WrongAccountError(f"the order is {draft.account}'s, this gateway is {self.account}'s")
        if draft.market.venue != self._venue:
            raise InvalidOrderError(f"market {draft.market.id} is of {draft.market.venue}, expected {self._venue}")
        amounts = order_amounts(draft)
        now_ns = self._clock.now_ns()
        expiration, salt = venue_expiration(draft, now_ns), checked_salt(self._ids.salt())
        name = f"{self.account}/{salt}/{now_ns}/{draft.token_id}/{draft.side}/{amounts.maker}/{amounts.taker}"
        order_id = "0x" + sha256(name.encode()).hexdigest()
        order = c.PlaceOrder(
            order_id, self.account, draft.token_id, draft.side, draft.order_type, amounts.maker, amounts.taker, expiration, draft.post_only
        )  # fmt: skip
        return PreparedOrder(
            order_id=order_id,
            payload=msgspec.json.encode(order),
            salt=salt,
            timestamp_ms=now_ns // 1_000_000,
            maker_amount=amounts.maker,
            taker_amount=amounts.taker,
            signature="",
            venue_expiration=expiration,
        )

    async def send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        (outcome,) = await self.send_many([prepared], deadline)
        return outcome

    async def send_many(self, prepared: Sequence[PreparedOrder], deadline: float) -> list[SendOutcome]:
        if len(prepared) > BATCH:
            raise ValueError(f"{len(prepared)} orders were given, expected at most {BATCH} in one batch")
        if self._clock.monotonic() >= deadline:
            return [Rejected(order_id=order.order_id, code="deadline") for order in prepared]
        await asyncio.sleep(self._latency.there)
        outcomes = [self._place(order) for order in prepared]
        await asyncio.sleep(self._latency.back)
        return outcomes

    def _place(self, prepared: PreparedOrder) -> SendOutcome:
        try:
            answer = self._paper.place(self._decoder.decode(prepared.payload))
        except VenueError as error:
            return Uncertain(order_id=prepared.order_id, text=str(error))
        return outcome(answer)

    async def cancel(self, order_ids: Sequence[str]) -> CancelOutcome:
        return await self._cancel(c.CancelOrders(self.account, tuple(order_ids)), order_ids)

    async def cancel_all(self) -> CancelOutcome:
        return await self._cancel(c.CancelAll(self.account))

    async def cancel_market(self, condition_id: str = "", token_id: str = "") -> CancelOutcome:
        if not (condition_id or token_id):
            raise ValueError("neither a market nor a token was named, expected at least one")
        return await self._cancel(c.CancelMarketOrders(self.account, condition_id, token_id))

    async def _cancel(
        self, command: c.CancelOrders | c.CancelAll | c.CancelMarketOrders, order_ids: Sequence[str] = ()
    ) -> CancelOutcome:
        await asyncio.sleep(self._latency.there)
        try:
            answer = self._paper.cancel(command)
        except VenueError as error:
            _log.warning("paper cancel failed", error=str(error))
            return CancelOutcome(uncertain=tuple(order_ids))
        await asyncio.sleep(self._latency.back)
        return CancelOutcome(cancelled=answer.canceled, refused=answer.not_canceled)

    async def order(self, order_id: str) -> OrderReport | None:
        await self._reach()
        view = self._paper.exchange.order(order_id)
        return order_report(view) if view is not None and view.account == self.account else None

    async def open_orders(self) -> list[OrderReport]:
        await self._reach()
        return [order_report(view) for view in self._paper.exchange.open_orders(self.account)]

    async def trades(self, after_ns: int = 0) -> list[TradeReport]:
        await self._reach()
        trades = self._paper.exchange.trades(self.account, after_ns)
        return [report for trade in trades for report in trade_reports(trade, self.account)]

    async def balances(self, token_ids: Sequence[str]) -> Balances:
        await self._reach()
        balance = self._paper.exchange.balance
        held = {token_id: balance(self.account, token_id).settled for token_id in token_ids}
        return Balances(cash=balance(self.account).settled, tokens=held)

    async def refresh_balances(self, token_ids: Sequence[str]) -> None:
        """Nothing is copied here: what is read is what there is."""

    async def _reach(self) -> None:
        """Wait out a round trip. Raises `VenueError` when the venue broke."""
        await asyncio.sleep(self._latency.there + self._latency.back)
        self._paper.advance()


class PaperAccountFeed:
    """News of the paper account, and the venue's pulse while it is listened to: time brings settlements and expiries."""

    refused = 0

    def __init__(self, paper: PaperVenue, latency: Latency) -> None:
        self._paper = paper
        self._latency = latency
        self._listener: AccountListener | None = None
        self._news: deque[Callable[[AccountListener], None]] = deque()
        self._pulse: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._listener is not None and not self._paper.broken

    async def start(self, listener: AccountListener) -> None:
        if self._listener is not None:
            raise RuntimeError("the account feed was started twice")
        self._listener = listener
        self._paper.on_events = self._on_events
        self._tell(lambda heard: heard.on_gap("paper account connected"))
        self._pulse = asyncio.create_task(self._beat(), name="paper venue")

    async def stop(self) -> None:
        self._listener = None
        self._paper.on_events = lambda _: None
        if self._pulse is not None:
            self._pulse.cancel()
            await asyncio.wait((self._pulse,))
            self._pulse = None

    def _on_events(self, events: Sequence[e.Event]) -> None:
        for told in news(events, self._paper.account):
            self._tell(told)

    def _tell(self, told: Callable[[AccountListener], None]) -> None:
        """Pass news on after the way back, in the order in which they happened."""
        self._news.append(told)
        asyncio.get_running_loop().call_later(self._latency.back, self._deliver)

    def _deliver(self) -> None:
        told = self._news.popleft()
        if self._listener is not None:
            told(self._listener)

    async def _beat(self) -> None:
        while not self._paper.broken:
            await asyncio.sleep(_TURN_SECONDS)
            try:
                self._paper.advance()
            except VenueError as error:
                _log.error("paper venue cannot go on", error=str(error))
