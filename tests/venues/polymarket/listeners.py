"""Listeners that write down what they are told, in order."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.book import BookDelta, BookSnapshot, MarketListed, MarketResolved, TickSizeChange, TradePrint
from domain.reports import OrderReport, TradeReport


@dataclass
class MarketDiary:
    """A `FeedListener`. A gap is written as ("gap", tokens, reason)."""

    events: list = field(default_factory=list)

    def on_snapshot(self, snapshot: BookSnapshot) -> None:
        self.events.append(snapshot)

    def on_delta(self, delta: BookDelta) -> None:
        self.events.append(delta)

    def on_trade(self, trade: TradePrint) -> None:
        self.events.append(trade)

    def on_tick_size(self, change: TickSizeChange) -> None:
        self.events.append(change)

    def on_resolved(self, resolved: MarketResolved) -> None:
        self.events.append(resolved)

    def on_listed(self, listed: MarketListed) -> None:
        self.events.append(listed)

    def on_gap(self, token_ids: Iterable[str], reason: str) -> None:
        self.events.append(("gap", list(token_ids), reason))

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def gaps(self) -> list:
        return self.of(tuple)

    @property
    def books(self) -> list[str]:
        return [snapshot.token_id for snapshot in self.of(BookSnapshot)]


@dataclass
class AccountDiary:
    """An `AccountListener`. A gap is written as its reason, what was refused as ("refused", its reason)."""

    events: list = field(default_factory=list)

    def on_order(self, report: OrderReport) -> None:
        self.events.append(report)

    def on_trade(self, report: TradeReport) -> None:
        self.events.append(report)

    def on_gap(self, reason: str) -> None:
        self.events.append(reason)

    def on_refused(self, reason: str) -> None:
        self.events.append(("refused", reason))

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]
