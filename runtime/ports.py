"""Everything a kernel is built from: the outside world, behind ports. Live, paper and simulation differ only in what they put here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.arbitrage import ArbExecution, ArbLeg
from domain.fill import Fill
from domain.market import ConditionGroup, Market
from domain.order import Order
from domain.ports import (
    AccountFeed,
    Clock,
    DeadMansSwitch,
    HoldingsIndex,
    Ids,
    IncomeSource,
    Journal,
    LeaseStore,
    MarketCatalog,
    MarketFeed,
    OrderGateway,
    OrderState,
)
from domain.position import Position
from domain.signal import TradeSignal
from domain.status import StrategyInfo, TraderStatus
from markets.books import BookListener, Books


class MachineTime(Protocol):
    """How the machine's date stands to the kernel's clock, and who knows better."""

    def ahead(self) -> float:
        """Return how many seconds the machine's date is ahead of the kernel's clock."""

    async def venue_seconds(self) -> float:
        """Return the venue's time in Unix seconds. Raises `VenueError`."""


class EventSink(Protocol):
    """Where the trader's news goes (Redis streams and channels). Never blocks, never raises."""

    def order(self, order: Order, state: OrderState) -> None: ...
    def fill(self, fill: Fill) -> None: ...
    def position(self, position: Position) -> None: ...
    def signal(self, signal: TradeSignal, decision: str) -> None:
        """`decision` is "accepted", "monitor", or a refusal's code with its detail."""

    def strategy(self, info: StrategyInfo) -> None: ...
    def arb_execution(self, execution: ArbExecution, legs: Sequence[ArbLeg]) -> None: ...
    def arb_session(self, pnl: int, by_type: dict[str, int], count: int, wins: int, losses: int) -> None:
        """Figures of the arbitrage executions since the session began; `pnl` and `by_type` (every type) are micro-dollars."""

    def status(self, status: TraderStatus) -> None: ...


class MarketSink(BookListener, Protocol):
    """Where market data and the catalogue go (Redis). Never blocks, never raises."""

    def put_markets(self, markets: Iterable[Market], groups: Iterable[ConditionGroup] = ()) -> None: ...


class Storage(Protocol):
    """Durable memory of one account and of the markets its rows refer to."""

    def journal(self, epoch: Callable[[], int], market_of: Callable[[str], Market]) -> Journal: ...
    def leases(self, journal: Journal) -> LeaseStore: ...
    async def load_markets(self, journal: Journal) -> list[Market]: ...
    async def save_markets(
        self, journal: Journal, markets: Sequence[Market], groups: Sequence[ConditionGroup]
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The outside world of one kernel.

    `contradiction` says why a journaled order cannot be what was sent under its id, '' when it can; None where ids prove nothing.
    `machine` is None where the kernel's clock is nobody's date, `heartbeat` where there is no dead man's switch, `income` where nobody tells what
    the venue pays, `holdings` where nobody lists the wallet's tokens. `market_sinks` make listeners for the
    kernel's books (publishers, recorders). `on_epoch` is told the lease's epoch first of all.
    """

    clock: Clock
    ids: Ids
    feed: MarketFeed
    account_feed: AccountFeed
    gateway: OrderGateway
    catalog: MarketCatalog
    storage: Storage
    events: EventSink
    contradiction: Callable[[Order], str] | None = None
    machine: MachineTime | None = None
    heartbeat: DeadMansSwitch | None = None
    income: IncomeSource | None = None
    holdings: HoldingsIndex | None = None
    market_sinks: Sequence[Callable[[Books], MarketSink]] = field(default_factory=tuple)
    on_epoch: Sequence[Callable[[int], None]] = field(default_factory=tuple)
