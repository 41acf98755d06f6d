"""A paper venue over a book that a test writes, and everything that was told of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from domain.book import BookDelta, BookSnapshot, Level, LevelChange, TradePrint
from domain.fees import FeeSchedule
from domain.market import Market
from domain.money import MICRO, format_micros
from domain.order import OrderSide, OrderType
from tests.venues.simulator.kit import ManualClock
from venues.exchange import Exchange
from venues.exchange import commands as c
from venues.exchange import events as e
from venues.paper.store import Turn
from venues.paper.venue import SETTLES, PaperVenue, Settlement
from venues.paper.witness import Witness

CENT = 10_000
SHARE = MICRO
ACCOUNT = "paper:test"
MARKET = Market(
    id="1", venue="test", question="?", slug="s", condition_id="c", token_ids=("yes", "no"), fees=FeeSchedule(rate=40_000)
)  # fmt: skip
BUY, SELL = OrderSide.BUY, OrderSide.SELL
GTC, GTD, FOK, FAK = OrderType.GTC, OrderType.GTD, OrderType.FOK, OrderType.FAK


class Recorder:
    """Remembers every turn."""

    full = False

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    def compact(self, exchange: Exchange) -> None:
        """The turns are all there is."""

    def append(self, turn: Turn) -> None:
        self.turns.append(list(turn))


class Desk:
    """A paper account of a thousand dollars. Prices are cents, sizes shares, in calls and answers."""

    def __init__(self, market: Market = MARKET, *, balance: int = 1_000) -> None:
        self.clock = ManualClock()
        self.market = market
        self.memory = Recorder()
        self.exchange = Exchange("paper-test")
        self.events: list[e.Event] = []
        self._ids = count(1)
        self.restart()
        self.paper.deposit(balance * SHARE)

    def restart(self, settles: Settlement = SETTLES) -> None:
        """Begin another process with the exchange as it is; the books are not known before they are shown."""
        self.clock.move(1)
        self.paper = PaperVenue(ACCOUNT, self.exchange, self.memory, self.clock, settles=settles)
        self.paper.on_events = self.events.extend
        self.witness = Witness(self.paper, self.clock)
        self.witness.on_market(self.market)

    # The world

    def book(self, bids: Mapping[int, float] = {}, asks: Mapping[int, float] = {}) -> None:
        """Show a whole book of the first token."""
        bid_levels, ask_levels = (
            [Level(format_micros(price * CENT), format_micros(int(side[price] * SHARE))) for price in sorted(side, reverse=down)]
            for side, down in ((bids, False), (asks, True))
        )  # fmt: skip
        self.witness.on_snapshot(BookSnapshot("yes", "c", bid_levels, ask_levels, self._ms, self.clock.now_ns()))

    def level(self, side: OrderSide, price: int, size: float) -> None:
        """Tell of one level's new size, as the venue does: for the token and mirrored."""
        text = format_micros(int(size * SHARE))
        mirrored = SELL if side is BUY else BUY
        changes = [
            LevelChange("no", mirrored.name, format_micros(MICRO - price * CENT), text),
            LevelChange("yes", side.name, format_micros(price * CENT), text),
        ]
        self.witness.on_delta(BookDelta("c", changes, self._ms, self.clock.now_ns()))

    def print(self, side: OrderSide, price: int, size: float, *, token: str = "yes", ago_ms: int = 0) -> None:
        """Tell of a trade whose taker was on `side`."""
        micros = int(size * SHARE)
        self.witness.on_trade(
            TradePrint(token, "c", side.name, price * CENT, micros, self._ms - ago_ms, self.clock.now_ns())
        )

    def after(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.paper.advance()

    @property
    def _ms(self) -> int:
        return self.clock.now_ns() // 1_000_000

    # The account

    def order(
        self, side: OrderSide, price: int, size: float, order_type: OrderType = GTC, *, token: str = "yes", post_only: bool = False
    ) -> str:  # fmt: skip
        """Send an order that must be taken; return its id."""
        answer = self.send(side, price, size, order_type, token=token, post_only=post_only)
        assert isinstance(answer, e.OrderAccepted), answer
        return answer.order_id

    def send(
        self, side: OrderSide, price: int, size: float, order_type: OrderType = GTC, *, token: str = "yes", post_only: bool = False
    ) -> e.OrderAccepted | e.OrderRefused:  # fmt: skip
        shares = int(size * SHARE)
        cash = price * CENT * shares // MICRO
        maker, taker = (cash, shares) if side is BUY else (shares, cash)
        expiration = self._ms // 1_000 + 240 if order_type is GTD else 0
        return self.paper.place(
            c.PlaceOrder(f"o{next(self._ids)}", ACCOUNT, token, side, order_type, maker, taker, expiration, post_only)
        )

    def cancel(self, order_id: str) -> e.CancelAnswer:
        return self.paper.cancel(c.CancelOrders(ACCOUNT, (order_id,)))

    def give(self, market: Market, token_id: str, size: int) -> None:
        self.paper.give(market, token_id, size * SHARE)

    def filled(self, order_id: str) -> float:
        view = self.exchange.order(order_id)
        assert view is not None
        return view.size_matched / SHARE

    def ahead(self, order_id: str) -> float | None:
        """Return how many shares stand before a resting order."""
        known = self.paper.market_of("yes")
        assert known is not None
        ahead = known.resting[order_id].ahead
        return None if ahead is None else ahead / SHARE

    def prices(self, order_id: str) -> list[tuple[float, float]]:
        """Return (price, size) of all of an order's fills as a taker."""
        trades = [trade for trade in self.exchange.trades(ACCOUNT) if trade.taker_order_id == order_id]
        return [(trade.price / CENT, trade.size / SHARE) for trade in trades]

    def cash(self) -> float:
        return self.exchange.balance(ACCOUNT).settled / SHARE
