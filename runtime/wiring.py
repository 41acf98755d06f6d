"""How the parts of a kernel that need many others are made. Each function takes the kernel as far as it stands and returns one part.

The order of the calls is `Kernel.__init__`'s: what a part is given must exist by then; what it only asks for later is passed as a function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from domain.market import Market
from domain.signal import Intent
from runtime.halting import Halting
from runtime.heartbeat_watch import HeartbeatWatch
from runtime.leg_wiring import build_legs
from runtime.market_watch import MarketWatch
from runtime.operator import Operator
from runtime.unknown_markets import UnknownMarkets
from strategies.catalog import CATALOG
from strategies.context import Context
from strategies.engine import Engine
from strategies.parameters import parse
from strategies.price_tracker import PriceTracker
from strategies.registry import Registry
from trading.executor import MANUAL, Executor
from trading.exits import Exits
from trading.flatten import Flatten
from trading.leg_groups import LegGroups
from trading.order_flow import OrderFlow
from trading.policies import Policies
from trading.reconcile import Reconciler
from trading.risk import RiskCore
from trading.risk.rejections import Rejections
from trading.strategy_view import StrategyView

if TYPE_CHECKING:
    from runtime.kernel import Kernel


def build_risk(kernel: Kernel) -> RiskCore:
    clock = kernel.ports.clock
    return RiskCore(
        kernel.portfolio,
        kernel.halts,
        kernel.config.limits,
        clock,
        kernel.ports.ids,
        kernel.venue_state,
        book_of=kernel.books.get,
        lease_valid=lambda: kernel.lease.valid(clock.monotonic()),
        committed=kernel.markets.committed,
        market_of=kernel.markets.get,
        exclusive=kernel.markets.exclusive,
    )


def build_engine(kernel: Kernel, submit: Callable[[Intent], object]) -> Engine:
    """Return the engine with every configured strategy registered. Raises `ValueError` for a parameter that is not valid."""
    clock = kernel.ports.clock
    context = Context(
        clock=clock,
        ids=kernel.ports.ids,
        tracker=PriceTracker(),
        desk=StrategyView(kernel.portfolio, kernel.risk.reservations),
        book_of=kernel.books.get,
        exclusive=kernel.markets.exclusive,
    )
    registry = Registry(clock)
    for name, setting in kernel.config.strategies.items():
        kind = CATALOG[name]
        parameters = parse(kind.parameters_type, setting.values, strategy=name)
        registry.add(kind(name, parameters, context), enabled=setting.enabled)
    return Engine(registry=registry, context=context, submit=submit)


def build_heartbeat(kernel: Kernel) -> HeartbeatWatch:
    """Return the watch over the dead man's switch; a kernel that places nothing has none."""
    switch, clock = kernel.ports.heartbeat if kernel.config.mode.places_orders else None, kernel.ports.clock
    return HeartbeatWatch(
        switch,
        kernel.venue_state,
        clock,
        holds_lease=lambda: kernel.lease.valid(clock.monotonic()),
        read_again=kernel.account_events.gap.set,
    )


def build_policies(kernel: Kernel) -> Policies:
    venue = kernel.ports.catalog.venue
    return Policies(
        kernel.desk,
        kernel.venue_state,
        venue=venue,
        resync=kernel.stakes.resync,
        rejections=Rejections(kernel.desk, kernel.config.limits, venue=venue),
        on_refused=kernel.news.on_refused,
    )


def build_flow(kernel: Kernel) -> OrderFlow:
    return OrderFlow(
        kernel.desk,
        kernel.ports.gateway,
        kernel.risk.reservations,
        kernel.lease,
        kernel.policies,
        send_deadline=kernel.config.send_deadline,
    )


def build_reconciler(kernel: Kernel) -> Reconciler:
    markets = kernel.markets

    async def read(condition_id: str) -> bool:
        return await kernel.watch.look_up(condition_id)

    async def read_again(market: Market) -> None:
        await kernel.watch.reread(market, off_grid=False)

    unknown = UnknownMarkets(kernel.portfolio, kernel.ports.clock, known=markets.by_condition, read=read)
    return Reconciler(
        kernel.desk,
        kernel.ports.gateway,
        resolved=markets.resolved,
        market_of=markets.of_token,
        event_of=markets.event_of,
        fee_bips_of=markets.conversion_fee_bips,
        look_up=unknown.look_up,
        bid_of=kernel.marks.bid,
        read_again=read_again,
        holdings=kernel.ports.holdings,
    )


def build_leg_groups(kernel: Kernel) -> LegGroups:
    return build_legs(
        kernel.config.legs,
        kernel.desk,
        kernel.risk,
        kernel.flow,
        kernel.lease,
        kernel.venue_state,
        kernel.ports.ids,
        kernel.books,
        market_of=kernel.markets.get,
        on_decision=kernel.news.on_decision,
        on_report=kernel.executions.on_report,
    )


def build_executor(kernel: Kernel) -> Executor:
    return Executor(
        kernel.portfolio,
        kernel.risk,
        kernel.flow,
        kernel.withdrawals,
        kernel.legs,
        kernel.ports.clock,
        on_decision=kernel.news.on_decision,
        on_failure=kernel.desk.fail,
    )


def build_exits(kernel: Kernel) -> Exits:
    return Exits(
        kernel.portfolio,
        kernel.risk.reservations,
        kernel.ports.clock,
        kernel.ports.ids,
        submit=kernel.executor.submit,
        market_of=kernel.markets.get,
    )


def build_operator(kernel: Kernel) -> Operator:
    flatten = Flatten(
        kernel.desk,
        kernel.risk.reservations,
        kernel.ports.ids,
        submit=kernel.executor.submit,
        book_of=kernel.books.get,
        market_of=kernel.markets.get,
    )
    return Operator(
        kernel.desk,
        kernel.executor,
        kernel.flow,
        kernel.resolver,
        kernel.withdrawals,
        kernel.risk.reservations,
        Halting(
            kernel.desk,
            kernel.withdrawals,
            flatten,
            venue=kernel.ports.catalog.venue,
            strategies=lambda: _strategies(kernel),
            market_of=kernel.markets.get,
        ),
        market_of=kernel.markets.get,
    )


def _strategies(kernel: Kernel) -> set[str]:
    """Return the names under which orders are placed or positions are held."""
    holding = {position.strategy for position in kernel.portfolio.positions.open()}
    placing = {own.order.draft.strategy for own in kernel.portfolio.orders.all()}
    return {MANUAL, *(entry.name for entry in kernel.engine.registry)} | holding | placing


def build_market_watch(kernel: Kernel) -> MarketWatch:
    return MarketWatch(
        kernel.ports,
        kernel.journal,
        kernel.markets,
        kernel.books,
        kernel.engine,
        most=kernel.config.max_watched_markets,
        at_stake=kernel.stakes.markets,
        settle=kernel.stakes.settle,
    )
