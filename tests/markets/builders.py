"""Markets and feed messages for the tests, and a clock that is set by hand."""

from __future__ import annotations

from domain.book import BookDelta, BookSnapshot, Level, LevelChange
from domain.market import Market

YES, NO = "101", "202"


class ManualClock:
    """Time that moves only when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.wall_ns = 1_790_000_000_000_000_000

    def now_ns(self) -> int:
        return self.wall_ns

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall_ns += int(seconds * 1e9)


def make_market(market_id: str = "m1", **details) -> Market:
    values = {
        "venue": "simulator",
        "question": f"Will {market_id} happen?",
        "slug": f"will-{market_id}-happen",
        "condition_id": f"0x{market_id}",
        "token_ids": (YES, NO) if market_id == "m1" else (f"{market_id}-yes", f"{market_id}-no"),
    }
    return Market(id=market_id, **(values | details))


def change(
    side: str, price: str, size: str, best_bid: str = "", best_ask: str = "", token_id: str = YES
) -> LevelChange:
    return LevelChange(token_id, side, price, size, best_bid, best_ask)


def delta(*changes: LevelChange, venue_ms: int = 2_000, received_ns: int = 7) -> BookDelta:
    return BookDelta("0xm1", list(changes), venue_ms, received_ns)


def snapshot(
    bids: dict[str, str], asks: dict[str, str], token_id: str = YES, venue_ms: int = 1_000, **details
) -> BookSnapshot:
    return BookSnapshot(
        token_id,
        "0xm1",
        [Level(price, size) for price, size in bids.items()],
        [Level(price, size) for price, size in asks.items()],
        venue_ms,
        details.pop("received_ns", 5),
        **details,
    )
