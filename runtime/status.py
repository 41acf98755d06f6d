"""The kernel in figures: its status for screens and the account's worth for the equity curve. Reads memory, decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger import LedgerAccount
from domain.order import OrderStatus
from domain.ports import EquityRecord
from domain.status import TraderStatus
from trading.executor import MANUAL

if TYPE_CHECKING:
    from runtime.kernel import Kernel


def profit(kernel: Kernel) -> int:
    """Return realised − fees, and what is held at its marks − cost, micro-dollars; what the loss limits look at."""
    ledger = kernel.portfolio.ledger
    held = kernel.marks.value() - ledger.balance(LedgerAccount.INVENTORY)
    return ledger.realised - ledger.balance(LedgerAccount.FEES) + held


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
        counters=intent_counters(kernel) | account_counters(kernel) | market_counters(kernel),
        leg_groups=len(kernel.legs.running()),
        session_ns=kernel.config.session_ns,
        refused_frames=ports.feed.refused + ports.account_feed.refused + kernel.books.counters.malformed,
        venue_mode=kernel.venue_state.text(ports.clock.monotonic()),
        active_strategies=tuple(entry.name for entry in kernel.engine.registry if entry.running),
        halts=tuple(kernel.halts.active()),
        cash=ledger.cash,
        realised=ledger.realised,
        unrealised=kernel.marks.value() - cost,
        fees=ledger.balance(LedgerAccount.FEES),
    )


def intent_counters(kernel: Kernel) -> dict[str, int]:
    """Return what became of intents and of leg groups since the start, by name; what operators were refused also by itself."""
    groups = {f"group_{name}": count for name, count in kernel.legs.counters.items()}
    manual = {f"{MANUAL}_refused_{code}": count for code, count in kernel.news.refusals[MANUAL].items()}
    return dict(kernel.executor.counters) | groups | manual


def account_counters(kernel: Kernel) -> dict[str, int]:
    """Return how many trades are in quarantine, for how many seconds balances have not been compared with the venue's, and how full what is bounded
    is: orders on their way, changes that wait to be durable.
    """
    return {
        "orders_in_flight": kernel.executor.in_flight,
        "changes_unwritten": kernel.desk.unwritten,
        "quarantined_trades": len(kernel.portfolio.quarantine),
        "balances_compared_seconds_ago": int(kernel.balances.age),
    }


def market_counters(kernel: Kernel) -> dict[str, int]:
    """Return what of the venue's market data was not used since the start, and how many intents failed on their way to the executor."""
    books, engine = kernel.books.counters, kernel.engine
    return {
        "unknown_tokens": books.unknown_tokens,
        "stale_snapshots": books.stale_snapshots,
        "skipped_books": engine.skipped_books,
        "submit_errors": engine.submit_errors,
    }


def equity(kernel: Kernel) -> EquityRecord:
    ledger = kernel.portfolio.ledger
    return EquityRecord(
        account=kernel.config.account,
        cash=ledger.cash,
        inventory_cost=ledger.balance(LedgerAccount.INVENTORY),
        inventory_value=kernel.marks.value(),
        realised=ledger.realised,
        fees=ledger.balance(LedgerAccount.FEES),
        receivable=ledger.balance(LedgerAccount.RECEIVABLE),
        deposits=ledger.deposits,
        at_ns=kernel.ports.clock.now_ns(),
    )
