"""The ports: what the core needs of the outside world. Everything that can fail, wait or be random comes through one of these.

Listeners are synchronous and are called in the event loop, in the order in which the venue spoke. Implementations: `venues/` (wire),
`infra/` (clock, ids), `trading/` (journal, lease), and the fakes of the fault simulation. No port swallows an error: what cannot be done
raises one of `domain.errors`, and what cannot be known is said with a type (`Uncertain`, `JournalUncertainError`).
"""

from domain.ports.clock import Clock
from domain.ports.ids import Ids
from domain.ports.journal import BadRow, Journal, JournalState, ProfitSpan, QuarantinedTrade
from domain.ports.journal_rows import AuditRecord, BalanceRecord, EquityRecord, HaltLifted, JournalRow, OrderState
from domain.ports.lease import Lease, LeaseStore
from domain.ports.market_data import FeedListener, MarketCatalog, MarketFeed
from domain.ports.orders import BATCH, AccountFeed, AccountListener, DeadMansSwitch, OrderGateway
from domain.ports.wallet import HoldingsIndex, IncomeSource, SubmissionLog, WalletOperations

__all__ = [
    "BATCH",
    "AccountFeed",
    "AccountListener",
    "AuditRecord",
    "BadRow",
    "BalanceRecord",
    "Clock",
    "DeadMansSwitch",
    "EquityRecord",
    "FeedListener",
    "HaltLifted",
    "HoldingsIndex",
    "Ids",
    "IncomeSource",
    "Journal",
    "JournalRow",
    "JournalState",
    "Lease",
    "LeaseStore",
    "MarketCatalog",
    "MarketFeed",
    "OrderGateway",
    "OrderState",
    "ProfitSpan",
    "QuarantinedTrade",
    "SubmissionLog",
    "WalletOperations",
]
