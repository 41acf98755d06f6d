"""Double-entry bookkeeping: every movement is a journal whose entries sum to zero for each asset.

Debits are positive. Collateral accounts: `cash`, `inventory` (held tokens at cost), `fees`, `realised` (profits are negative: they are credits),
`receivable` (payouts of resolved markets that are not in the wallet yet), `rewards` (what the venue pays for liquidity, and rebates of fees: a
credit), `rounding` (bounded differences to the venue's books), `equity` (what was deposited, a credit) and `transfers` (shares that came without a
trade at what they are booked for, a credit, less those that went at cost: deposits and withdrawals in kind). Therefore everything but equity and
transfers sums to −equity − transfers = deposits − withdrawals, always. Token assets balance between `tokens` (ours) and `counterparty`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

COLLATERAL = "collateral"


class LedgerAccount(StrEnum):
    CASH = "cash"
    INVENTORY = "inventory"
    FEES = "fees"
    REALISED = "realised"
    RECEIVABLE = "receivable"
    REWARDS = "rewards"
    ROUNDING = "rounding"
    EQUITY = "equity"
    TRANSFERS = "transfers"
    TOKENS = "tokens"
    COUNTERPARTY = "counterparty"


class EntryKind(StrEnum):
    """Why a journal was posted; reports and statements group by it. A strategy's own trades are `buy` and `sell`; whatever was done outside polybot
    has a kind of its own. A `void` takes back a trade that failed to settle, `misbooked` is money that should not be missing.
    """

    BUY = "buy"
    SELL = "sell"
    EXTERNAL_BUY = "external_buy"
    EXTERNAL_SELL = "external_sell"
    SPLIT = "split"
    MERGE = "merge"
    CONVERSION = "conversion"
    CONVERSION_FEE = "conversion_fee"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    VOID = "void"
    SETTLE = "settle"
    RESOLUTION = "resolution"
    PAYOUT = "payout"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    REWARD = "reward"
    REBATE = "rebate"
    ROUNDING = "rounding"
    MISBOOKED = "misbooked"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One side of a movement: `amount` micro-units of `asset` (collateral or a token id), a debit when positive."""

    journal_id: str
    account: str
    ledger_account: LedgerAccount
    asset: str
    amount: int
    kind: str
    strategy: str = ""
    market_id: str = ""
    token_id: str = ""
    at_ns: int = 0


def imbalances(entries: Iterable[LedgerEntry]) -> dict[tuple[str, str], int]:
    """Return {(journal id, asset): sum} of every journal that does not sum to zero; empty when the books are right."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        sums[entry.journal_id, entry.asset] += entry.amount
    return {key: total for key, total in sums.items() if total}
