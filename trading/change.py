"""What a piece of evidence changes: rows for the journal, news for listeners, and alarms about what must not go on by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.fill import Fill
from domain.ports import JournalRow
from domain.position import Position
from trading.own_orders import OwnOrder


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that must not go on by itself: new risk in `market_id` has to stop. `fix` is what somebody has to do about it."""

    market_id: str
    reason: str
    fix: str


@dataclass(slots=True)
class Change:
    """What one piece of evidence changed: rows to journal, and news for listeners."""

    rows: list[JournalRow] = field(default_factory=list)
    orders: list[OwnOrder] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.rows or self.orders or self.alarms)

    def merge(self, other: Change) -> None:
        self.rows += other.rows
        self.orders += other.orders
        self.fills += other.fills
        self.positions += other.positions
        self.alarms += other.alarms
