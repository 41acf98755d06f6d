"""The kernel in figures: its status for screens and the account's worth for the equity curve. Reads memory, decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger import LedgerAccount
from domain.order import OrderStatus
from domain.ports import EquityRecord
from domain.status import TraderStatus

if TYPE_CHECKING:
    from runtime.kernel import Kernel


def inventory_value(kernel: Kernel) -> int:
    """Return what the held tokens would bring at the best bids, micro-dollars; a token without a book counts at cost."""
    value = 0
    for position in kernel.portfolio.positions.open():
        book = kernel.books.get(position.token_id)
        holding = position.holding
        value += holding.size * book.best_bid // 1_000_000 if book is not None and book.best_bid else holding.cost
    return value


def trader_status(kernel: Kernel) -> TraderStatus:
    portfolio, ports, ledger = kernel.portfolio, kernel.ports, kernel.portfolio.ledger
    open_orders = portfolio.orders.open()
    cost = ledger.balance(LedgerAccount.INVENTORY)
    return TraderStatus(
        mode=kernel.config.mode.value,
        account=kernel.config.account,
        venue=kernel.config.venue,
        ready=kernel.ready,
        feed_connected=ports.feed.connected,
        user_feed_connected=ports.account_feed.connected,
        last_message_ns=ports.feed.last_message_ns,
        uptime_seconds=int(ports.clock.monotonic() - kernel.started_monotonic),
        epoch=kernel.lease.epoch,
        open_orders=sum(1 for own in open_orders if not own.status.terminal),
        unknown_orders=sum(1 for own in open_orders if own.status is OrderStatus.UNKNOWN),
        open_positions=portfolio.positions.open_count,
        watched_markets=len(kernel.books) // 2,
        refused_frames=ports.feed.refused + ports.account_feed.refused + kernel.books.counters.malformed,
        venue_mode=kernel.venue_state.text(ports.clock.monotonic()),
        active_strategies=tuple(entry.name for entry in kernel.engine.registry if entry.running),
        halts=tuple(kernel.halts.active()),
        cash=ledger.cash,
        realised=ledger.realised,
        unrealised=inventory_value(kernel) - cost,
        fees=ledger.balance(LedgerAccount.FEES),
    )


def equity(kernel: Kernel) -> EquityRecord:
    ledger = kernel.portfolio.ledger
    return EquityRecord(
        account=kernel.config.account,
        cash=ledger.cash,
        inventory_cost=ledger.balance(LedgerAccount.INVENTORY),
        inventory_value=inventory_value(kernel),
        realised=ledger.realised,
        fees=ledger.balance(LedgerAccount.FEES),
        receivable=ledger.balance(LedgerAccount.RECEIVABLE),
        deposits=ledger.deposits,
        at_ns=kernel.ports.clock.now_ns(),
    )
