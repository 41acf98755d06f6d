"""Orders of one account, placed, read, heard of, and cancelled by the venue when we fall silent. What is not proof is said to be `Uncertain`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from domain.order import OrderDraft, PreparedOrder
from domain.reports import Balances, CancelOutcome, OrderReport, SendOutcome, TradeReport


class AccountListener(Protocol):
    """Receives evidence about our own orders and trades."""

    def on_order(self, report: OrderReport) -> None: ...
    def on_trade(self, report: TradeReport) -> None: ...

    def on_gap(self, reason: str) -> None:
        """The channel was (re)connected: everything since the last event must be read again by REST."""

    def on_refused(self, reason: str) -> None:
        """Something came that cannot be believed (unreadable, impossible numbers, not ours). It may have been evidence, so it is a gap too."""


class AccountFeed(Protocol):
    """The venue's channel of our own orders and trades. No replay: each (re)connection starts with `on_gap`."""

    async def start(self, listener: AccountListener) -> None: ...
    async def stop(self) -> None: ...

    @property
    def connected(self) -> bool: ...

    @property
    def refused(self) -> int:
        """Return how many frames could not be believed."""


BATCH = 15
"""The most orders that `OrderGateway.send_many` takes: the smallest limit among the venues."""


class OrderGateway(Protocol):
    """Places and reads orders of one account at one venue."""

    @property
    def account(self) -> str: ...

    async def prepare(self, draft: OrderDraft) -> PreparedOrder:
        """Build, validate and sign; nothing leaves. Raises `InvalidOrderError` or `WrongAccountError`."""

    async def send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        """Send the exact bytes once, unless the monotonic `deadline` has passed before the write (then `Rejected("deadline")`).

        Never raises for what the venue or the network does: what is not proof is `Uncertain`.
        """

    async def send_many(self, prepared: Sequence[PreparedOrder], deadline: float) -> list[SendOutcome]:
        """Send up to `BATCH` orders at once, under the same promises as `send`; outcomes in their order. Some may be taken and others not."""

    async def cancel(self, order_ids: Sequence[str]) -> CancelOutcome:
        """Cancel orders, any number of them. An outcome says nothing of fills: order and trades must be read afterwards."""

    async def cancel_all(self) -> CancelOutcome:
        """Cancel every open order of the account, also those that nobody here placed."""

    async def cancel_market(self, condition_id: str = "", token_id: str = "") -> CancelOutcome:
        """Cancel every open order in a market, of a token, or of a token in a market. Raises `ValueError` when neither is named."""

    async def order(self, order_id: str) -> OrderReport | None:
        """Return the venue's word on one order, None when the venue does not know it. Raises `VenueError`."""

    async def open_orders(self) -> list[OrderReport]:
        """Return all resting orders. Raises `VenueError` when the list may be incomplete."""

    async def trades(self, after_ns: int = 0) -> list[TradeReport]:
        """Return our trades matched at or after `after_ns`, oldest first. Raises `VenueError` when the list may be incomplete."""

    async def balances(self, token_ids: Sequence[str]) -> Balances:
        """Return cash and the shares held of each of `token_ids`. Raises `VenueError`."""

    async def refresh_balances(self, token_ids: Sequence[str]) -> None:
        """Make the venue read cash, shares and allowances from their source again, where it keeps copies. Raises `VenueError`."""


class DeadMansSwitch(Protocol):
    """Tells the venue again and again that the trader lives; when it falls silent, the venue cancels every open order of the account.

    `answered_at` is the monotonic time at which the newest answered beat was sent, None before the first. After `lapse_seconds` of silence the
    venue may have cancelled; `lapses` counts how often it was that long between answered beats. `failed` says why the switch ended by itself, ""
    while it works.
    """

    @property
    def lapse_seconds(self) -> float: ...
    @property
    def answered_at(self) -> float | None: ...
    @property
    def lapses(self) -> int: ...
    @property
    def failed(self) -> str: ...

    def start(self, turns: Callable[[], int]) -> None:
        """Begin, and go on only while `turns` grows; it is read from another thread."""

    def stop(self) -> None:
        """Begin no further beat; returns at once."""
