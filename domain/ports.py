"""The ports: what the core needs of the outside world. Everything that can fail, wait or be random comes through one of these.

Listeners are synchronous and are called in the event loop, in the order in which the venue spoke. Implementations: `venues/` (wire),
`infra/` (clock, ids), `trading/` (journal, lease), and the fakes of the fault simulation. No port swallows an error: what cannot be done
raises one of `domain.errors`, and what cannot be known is said with a type (`Uncertain`, `JournalUncertainError`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.arbitrage import ArbExecution, ArbLeg
from domain.book import BookDelta, BookSnapshot, MarketListed, MarketResolved, TickSizeChange, TradePrint
from domain.fill import Fill, FillKey
from domain.halt import Halt
from domain.ledger import LedgerEntry
from domain.legs import LegGroup, LegGroupState
from domain.market import ConditionGroup, Market
from domain.order import Order, OrderDraft, OrderStatus, PreparedOrder
from domain.position import Position
from domain.reports import Balances, CancelOutcome, IncomeReport, OrderReport, SendOutcome, TradeReport
from domain.wallet import Submission, WalletOperation, WalletPlan, WalletReceipt, WalletStatus


class Clock(Protocol):
    """Wall and monotonic time. Sleeping is `asyncio.sleep`: the loop itself is injected."""

    def now_ns(self) -> int:
        """Return UTC nanoseconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""


class Ids(Protocol):
    """The only source of randomness for identifiers."""

    def uuid(self) -> str:
        """Return a new UUID as text."""

    def salt(self) -> int:
        """Return a random order salt below 2^53."""


class FeedListener(Protocol):
    """Receives public market data."""

    def on_snapshot(self, snapshot: BookSnapshot) -> None: ...
    def on_delta(self, delta: BookDelta) -> None: ...
    def on_trade(self, trade: TradePrint) -> None: ...
    def on_tick_size(self, change: TickSizeChange) -> None: ...
    def on_resolved(self, resolved: MarketResolved) -> None: ...
    def on_listed(self, listed: MarketListed) -> None: ...

    def on_gap(self, token_ids: Iterable[str], reason: str) -> None:
        """Books of `token_ids` must not be trusted until their next snapshot."""


class MarketFeed(Protocol):
    """Public market data of one venue. Reconnects by itself and says so through `on_gap` followed by new snapshots."""

    async def start(self, listener: FeedListener) -> None: ...
    async def watch(self, token_ids: Sequence[str]) -> None: ...
    async def unwatch(self, token_ids: Sequence[str]) -> None: ...
    def request_snapshot(self, token_id: str) -> None:
        """Ask for a fresh book of one token (drift); it arrives as `on_snapshot`. Repeated requests within a second are one."""

    async def stop(self) -> None: ...

    @property
    def connected(self) -> bool: ...

    @property
    def last_message_ns(self) -> int:
        """Return when the last data frame (not PONG) arrived, 0 before the first."""

    @property
    def refused(self) -> int:
        """Return how many frames could not be believed: they change nothing, and their books are asked for again."""


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


class IncomeSource(Protocol):
    """Tells what the venue paid a wallet besides its trades."""

    async def incomes(self, after_ns: int) -> list[IncomeReport]:
        """Return the payments after a moment, oldest first. Raises `VenueError` when the list may be incomplete."""


class HoldingsIndex(Protocol):
    """Tells which tokens a wallet holds, wherever they came from. It lags: it says what to look at, never how much there is."""

    async def tokens(self) -> list[str]:
        """Return the ids of the tokens. Raises `VenueError`."""


class WalletOperations(Protocol):
    """Moves the money of one wallet between its forms: approvals, splits, merges, redemptions, conversions, wraps.

    Operations of a wallet run one after the other. Once something may have left, its end is looked up before anything else is sent.
    """

    @property
    def account(self) -> str: ...

    async def status(self) -> WalletStatus:
        """Return what the wallet holds and may do. Raises `VenueError`."""

    async def plan(self, operation: WalletOperation) -> WalletPlan:
        """Return exactly what `operation` would send; nothing leaves. Raises `WalletError` naming what is missing, or `VenueError`."""

    async def perform(self, plan: WalletPlan, progress: Callable[[WalletReceipt], None]) -> WalletReceipt:
        """Send a plan and follow it to its end; `progress` hears of every change of state.

        A bad or unknown end is a state of the receipt. Raises `WalletError` or `VenueError` only when nothing of the plan has left.
        """


class SubmissionLog(Protocol):
    """Durable memory of the one transaction of a wallet whose end is not known. What `save` returned from survives a crash."""

    def load(self, wallet: str) -> Submission | None: ...
    def save(self, submission: Submission) -> None: ...
    def clear(self, wallet: str) -> None: ...


class MarketCatalog(Protocol):
    """Lists what a venue trades; `venue` is the name that all its markets carry."""

    @property
    def venue(self) -> str: ...

    async def markets(self) -> tuple[list[Market], list[ConditionGroup]]:
        """Return all open markets and their events. Raises `VenueError` when the listing broke off."""

    async def market(self, condition_id: str) -> Market | None:
        """Return one market as it is now, None when the venue does not know it. Raises `VenueError`."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """What is known of an order now. `filled` is shares, summed over the fills that have not failed."""

    order_id: str
    status: OrderStatus
    filled: int
    reason: str
    updated_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One line of the audit log: what happened, with details that never hold a secret."""

    event: str
    account: str
    detail: dict[str, str | int | float | bool | None]
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltLifted:
    """A halt ended, by a named person."""

    account: str
    scope: str
    target: str
    set_ns: int
    lifted_by: str
    lifted_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityRecord:
    """Worth of the account at a moment, micro-units; `inventory_value` is held tokens at the best bid, `receivable` payouts on their way.

    Worth minus `deposits` (net of withdrawals) is the profit so far.
    """

    account: str
    cash: int
    inventory_cost: int
    inventory_value: int
    realised: int
    fees: int
    receivable: int = 0
    deposits: int = 0
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRecord:
    """What the venue said the account holds, beside our books after everything explicable was booked; micro-units.

    `tokens` has the tokens on which the two differ: (venue, books).
    """

    account: str
    venue_cash: int
    book_cash: int
    tokens: dict[str, tuple[int, int]]
    at_ns: int


JournalRow = (
    Order
    | OrderState
    | Fill
    | LedgerEntry
    | Position
    | Halt
    | HaltLifted
    | AuditRecord
    | EquityRecord
    | BalanceRecord
    | LegGroup
    | LegGroupState
    | ArbExecution
    | ArbLeg
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A journaled row that cannot be believed. `market_id` is the market it speaks of, "" when it does not say."""

    table: str
    key: str
    wrong: str
    market_id: str = ""


@dataclass(frozen=True, slots=True)
class QuarantinedTrade:
    """A trade that could not be booked, and why. `ours`: it is of an order that was placed here, and is never taken for one made outside.

    `market_id` is the target of the halt that it set. `lifted`: a named person has lifted that halt, and so dealt with the trade.
    """

    report: TradeReport
    ours: bool
    market_id: str
    reason: str
    lifted: bool = False


@dataclass(frozen=True, slots=True)
class JournalState:
    """Everything recovery starts from, in the order in which it was written.

    A journal may leave out what was final before `since_ns`; balances of the ledger are always whole. `opened_ns` is when the first ledger entry
    was booked, None before it, `incomes` the journals of the payments by the venue that are booked as such. `bad` are the rows that could not be
    believed, `damaged_fills` those of fills that are left out and must be read from the venue, `unsure_ns` from when on it must be asked for
    orders and trades because of them. `quarantined` are trades that could not be booked; of those that somebody has dealt with only the newer ones.
    """

    orders: tuple[tuple[Order, OrderState], ...]
    fills: tuple[Fill, ...]
    ledger: tuple[LedgerEntry, ...]
    positions: tuple[Position, ...]
    halts: tuple[Halt, ...]
    since_ns: int = 0
    opened_ns: int | None = None
    incomes: frozenset[str] = frozenset()
    groups: tuple[tuple[LegGroup, LegGroupState], ...] = ()
    bad: tuple[BadRow, ...] = ()
    damaged_fills: frozenset[FillKey] = frozenset()
    unsure_ns: int | None = None
    quarantined: tuple[QuarantinedTrade, ...] = ()


@dataclass(frozen=True, slots=True)
class ProfitSpan:
    """Profits that were journaled: the first of them and the highest, micro-dollars; realised − fees and what is held at market − cost."""

    first: int
    highest: int


class Journal(Protocol):
    """Durable memory. Rows are written in the order submitted; rows of one call are written together or not at all."""

    def submit(self, rows: Sequence[JournalRow]) -> Awaitable[None]:
        """Queue `rows` and return an awaitable that is done when they are durable.

        It raises `JournalError` when they definitely were not written (`JournalUnavailableError`: nothing can be written now),
        `JournalUncertainError` when that cannot be known, and `LeaseLostError` when another trader has taken the lease (nothing was written).
        """

    def record(self, rows: Sequence[JournalRow]) -> Awaitable[None]:
        """Queue rows about what has happened already and cannot be taken back; the same, but while nothing can be written they wait, in order.

        It raises `JournalError` too when more waits than there is room for.
        """

    def watch(self, heard: Callable[[str], None]) -> None:
        """Call `heard` in the event loop with the reason as soon as nothing can be written, and with "" when everything that waited has been."""

    async def load(self) -> JournalState:
        """Return the account's state as journaled."""

    async def profits(self, since_ns: int, limit: str) -> ProfitSpan | None:
        """Return the profits of the equity records since a moment, or since the halt that `limit` had set was last lifted; None without a record."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to trade for an account until the monotonic `deadline`; `epoch` grows with each new holder."""

    account: str
    holder: str
    epoch: int
    deadline: float


class LeaseStore(Protocol):
    """One trader per account."""

    async def acquire(self, account: str, holder: str, ttl: float) -> Lease:
        """Wait out another holder's lease, then take it with the next epoch."""

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        """Extend; raises `LeaseLostError` when the lease is another's now."""

    async def release(self, lease: Lease) -> None: ...
