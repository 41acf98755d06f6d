"""Durable memory: rows in, and the state that recovery starts from. Rows that cannot be believed are named, never guessed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.fill import Fill, FillKey
from domain.halt import Halt
from domain.ledger import LedgerEntry
from domain.legs import LegGroup, LegGroupState
from domain.order import Order
from domain.ports.journal_rows import JournalRow, OrderState
from domain.position import Position
from domain.reports import TradeReport


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
    was booked, None before it, `incomes` the journals of the payments by the venue that are booked as such, `income_ns` when the newest was. `bad`
    are the rows that could not be believed, `damaged_fills` those of fills that are left out and must be read from the venue, `unsure_ns` from when
    on it must be asked for orders and trades because of them. `quarantined` are trades that could not be booked; of those that somebody has dealt
    with only the newer ones.
    """

    orders: tuple[tuple[Order, OrderState], ...]
    fills: tuple[Fill, ...]
    ledger: tuple[LedgerEntry, ...]
    positions: tuple[Position, ...]
    halts: tuple[Halt, ...]
    since_ns: int = 0
    opened_ns: int | None = None
    incomes: frozenset[str] = frozenset()
    income_ns: int | None = None
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
