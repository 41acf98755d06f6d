"""What a wallet can be asked to do with its money besides trading, and what became of it.

Amounts are micro-units: of collateral for splits, wraps and unwraps, of shares for merges and conversions. An operation becomes a plan (the exact
contract calls, nothing sent) and a performed plan becomes a receipt, whose transactions end in a final state or say that nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.market import Market


class TransactionState(StrEnum):
    """Where a transaction is. `UNKNOWN`: it may have left and nothing proves what became of it; it must not be sent again."""

    NEW = "new"
    EXECUTED = "executed"
    MINED = "mined"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    INVALID = "invalid"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        return self in (TransactionState.CONFIRMED, TransactionState.FAILED, TransactionState.INVALID)


@dataclass(frozen=True, slots=True)
class Approve:
    """Grant every permission that trading needs and the wallet has not granted yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Turn `amount` of collateral into `amount` shares of each outcome of a market."""

    market: Market
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Turn `amount` shares of each outcome of a market back into collateral."""

    market: Market
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem:
    """Turn all shares of a resolved market into what they pay."""

    market: Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Convert:
    """Turn `amount` shares of NO of each of `markets`, all of one exclusive event, into YES of its other markets and collateral."""

    markets: tuple[Market, ...]
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrap:
    """Turn `amount` of the plain stablecoin into the venue's collateral."""

    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwrap:
    """Turn `amount` of the venue's collateral back into the plain stablecoin."""

    amount: int


WalletOperation = Approve | Split | Merge | Redeem | Convert | Wrap | Unwrap


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractCall:
    """One call of a contract: `arguments` are (name, readable value) for people, `data` is what is sent."""

    target: str
    contract: str
    function: str
    arguments: tuple[tuple[str, str], ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class AssetAmount:
    """`micros` of an asset, named for people ("pUSD", "Yes shares")."""

    asset: str
    micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletPlan:
    """Exactly what an operation would send. Without calls there is nothing to do.

    `tokens` are the shares whose balances it changes, `gas_payer` says in words who pays the network's fee.
    """

    operation: WalletOperation
    wallet: str
    calls: tuple[ContractCall, ...]
    gives: tuple[AssetAmount, ...] = ()
    gets: tuple[AssetAmount, ...] = ()
    tokens: tuple[str, ...] = ()
    gas_payer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletTransaction:
    """One transaction: `id` is the relayer's name for it, `hash` the chain's; each may be empty. `detail` explains a bad end."""

    state: TransactionState
    id: str = ""
    hash: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WalletReceipt:
    """The transactions of one plan, in the order in which they were sent; a plan that needed none has none."""

    transactions: tuple[WalletTransaction, ...] = ()

    @property
    def state(self) -> TransactionState:
        """Return the state of the last transaction: the earlier ones were confirmed before it was sent."""
        return self.transactions[-1].state if self.transactions else TransactionState.CONFIRMED

    @property
    def done(self) -> bool:
        """Tell whether everything was confirmed."""
        return self.state is TransactionState.CONFIRMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Whether `spender` may move the wallet's `token`; both are named for people, addresses beside them."""

    token: str
    token_address: str
    spender: str
    spender_address: str
    granted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletStatus:
    """What a wallet holds and may do. `cash` is collateral on the chain, `venue_cash` what the venue reads for the configured signature type,
    `plain` the stablecoin that could be wrapped, `gas` the network's own coin in wei. `warnings` are sentences that name the fix.
    """

    owner: str
    wallet: str
    kind: str
    deployed: bool
    cash: int
    venue_cash: int
    plain: int
    gas: int
    approvals: tuple[Approval, ...]
    warnings: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[Approval, ...]:
        """Return the permissions that trading needs and the wallet has not granted."""
        return tuple(approval for approval in self.approvals if not approval.granted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A transaction that may have left: kept until its end is known, so that nothing is sent twice.

    `payloads` are the exact bytes under which it may be on its way (a replacement adds one), hexadecimal; `expires_s` is the Unix time after which
    it can no longer be executed, 0 for never.
    """

    wallet: str
    description: str
    nonce: int
    payloads: tuple[str, ...]
    transaction_id: str = ""
    expires_s: int = 0
