"""A whole trading desk in virtual time: the real parts around an account, with a venue that answers as a test says."""

from __future__ import annotations

from typing import Any

from domain.legs import LegGroupReport
from domain.market import Market
from domain.money import MICRO
from domain.reports import Trouble
from domain.signal import TradeSignal
from runtime.unknown_markets import UnknownMarkets
from tests.sim.virtual_time import VirtualClock
from tests.trading import factories as f
from tests.trading.account_rig import AccountRig
from tests.trading.scripted import Book, Index
from trading.change import Change
from trading.executor import Executor
from trading.exits import Exits
from trading.leg_exits import Exits as LegExits
from trading.leg_groups import LegGroups
from trading.leg_risk import GroupRisk
from trading.leg_settings import LegSettings
from trading.limits import RiskLimits
from trading.order_flow import OrderFlow
from trading.own_orders import OwnOrder
from trading.policies import Policies
from trading.reconcile import Reconciler
from trading.resolver import Resolver
from trading.risk import Decision, RiskCore
from trading.risk.rejections import Rejections
from trading.venue_state import VenueState
from trading.withdrawals import Withdrawals

SECOND = 1_000_000_000
ABSENCE = 120.0


class OrderRig(AccountRig):
    """What decides, places, follows and withdraws single orders."""

    def __init__(self, clock: VirtualClock, *, limits: RiskLimits | None = None, **account: Any) -> None:
        super().__init__(clock, **account)
        self.exclusive: set[str] = set()
        self.book: Book | None = Book()
        self.venue_state = VenueState()
        self.risk = RiskCore(
            self.portfolio,
            self.halts,
            limits or RiskLimits(max_slippage=MICRO),
            clock,
            self.ids,
            self.venue_state,
            book_of=lambda _: self.book,
            lease_valid=lambda: self.lease.valid(clock.monotonic()),
            committed=lambda market_id: market_id in self.markets,
            market_of=self._market,
            exclusive=lambda event: event in self.exclusive,
        )
        self.resyncs: list[tuple[str, str]] = []
        self.refused: list[tuple[str, str]] = []
        self.fee_bips = 0
        self.index = Index()
        self.policies = Policies(
            self.desk,
            self.venue_state,
            venue="polymarket",
            resync=self._resync,
            rejections=Rejections(self.desk, self.risk.limits, venue="polymarket"),
            on_refused=lambda draft, trouble: self.refused.append((draft.token_id, trouble.code)),
        )
        self.flow = OrderFlow(
            self.desk, self.venue, self.risk.reservations, self.lease, self.policies, send_deadline=2.0
        )
        self.resolver = Resolver(self.desk, self.venue, absence=ABSENCE, in_flight=self.flow.in_flight)
        self.unlisted: dict[str, Market] = {}
        self.unknown_markets = UnknownMarkets(self.portfolio, clock, known=self._by_condition, read=self._read_market)
        self.reconciler = Reconciler(
            self.desk,
            self.venue,
            resolved=self._resolved,
            market_of=self._of_token,
            event_of=self._event_of,
            fee_bips_of=lambda _: self.fee_bips,
            look_up=self.unknown_markets.look_up,
            bid_of=lambda _: self.book.best_bid if self.book is not None else None,
            read_again=lambda market: self.venue._enter("market", market.condition_id),
            holdings=self.index,
        )
        self.withdrawals = Withdrawals(self.desk, self.venue, self.flow, self.resolver)

    async def _resync(self, market: Market, trouble: Trouble) -> None:
        await self.venue._enter("resync", market.id)
        self.resyncs.append((market.id, trouble.code))

    async def _read_market(self, condition_id: str) -> bool:
        """Know a market from now on that is in `unlisted` by its condition id."""
        await self.venue._enter("market", condition_id)
        found = self.unlisted.get(condition_id)
        if found is not None:
            self.markets[found.id] = found
        return found is not None

    def signal(self, **changes: Any) -> TradeSignal:
        now = self.clock.now_ns()
        return f.signal(**({"created_ns": now, "expires_ns": now + 60 * SECOND} | changes))

    def decide(self, **changes: Any) -> Decision:
        """Decide on a signal, with a book that is as old as now."""
        if self.book is not None:
            self.book.received_ns = self.clock.now_ns()
        return self.risk.decide_and_reserve(self.signal(**changes))

    def refusal(self, **changes: Any) -> str:
        decision = self.decide(**changes)
        return decision.refusal.value if decision.refusal is not None else ""

    async def place(self, **changes: Any) -> OwnOrder:
        """Carry an order to the venue and return it."""
        decision = self.decide(**changes)
        assert decision.draft is not None, decision
        own = await self.flow.place(decision.draft)
        assert own is not None
        return own


class Rig(OrderRig):
    """Everything: leg groups, the executor in front of the rest, and the exits of positions."""

    def __init__(self, clock: VirtualClock, *, legs: LegSettings | None = None, **others: Any) -> None:
        super().__init__(clock, **others)
        self.decisions: list[tuple[TradeSignal, Decision]] = []
        self.reports: list[LegGroupReport] = []
        self.asks: dict[str, list[tuple[int, int]] | None] = {}
        self.depth: dict[str, int] = {}
        self.group_risk = GroupRisk(
            self.risk,
            self.portfolio,
            self.halts,
            clock,
            self.ids,
            self.venue_state,
            legs or LegSettings(),
            depth_of=lambda token, side, price: self.depth.get(token, 0),
            lease_valid=lambda: self.lease.valid(clock.monotonic()),
        )
        self.legs = LegGroups(
            self.desk,
            self.group_risk,
            self.flow,
            LegExits(
                self.desk,
                self.group_risk,
                asks_of=lambda token: self.asks.get(token, []),
                market_of=self.markets.get,
            ),
            on_decision=self._decided,
            on_report=self.reports.append,
            on_failure=self.desk.fail,
        )
        self.executor = Executor(
            self.portfolio,
            self.risk,
            self.flow,
            self.withdrawals,
            self.legs,
            clock,
            on_decision=self._decided,
            on_failure=self.desk.fail,
        )
        self.exits = Exits(
            self.portfolio,
            self.risk.reservations,
            clock,
            self.ids,
            submit=self.executor.submit,
            market_of=self.markets.get,
        )

    def _changed(self, change: Change) -> None:
        super()._changed(change)
        self.legs.on_change(change)

    def _decided(self, signal: TradeSignal, decision: Decision) -> None:
        self.decisions.append((signal, decision))
