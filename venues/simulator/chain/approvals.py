"""What every wallet lets whom spend, as the chain has it and as the order gateway believes.

The gateway keeps what it read of the chain for up to `CACHE_SECONDS`; only a re-read (`GET /balance-allowance/update`) is sooner, which is
why an approval just given may still be refused. Amounts are micro-units, `UNLIMITED` for ever; ERC-1155 approvals are all or nothing.
"""

from __future__ import annotations

import msgspec

from venues.simulator.contracts import (
    AUTO_REDEEM_OPERATOR,
    BINARY_MODULE,
    CTF_ADAPTER,
    CTF_EXCHANGE,
    EXCHANGE_V3,
    NEG_RISK_ADAPTER,
    NEG_RISK_EXCHANGE,
    NEG_RISK_MODULE,
    ONRAMP,
    PERPS_DEPOSIT,
    ROUTER,
    is_position_id,
)

UNLIMITED = 2**256 - 1
CACHE_SECONDS = 30
_CACHE_NS = CACHE_SECONDS * 1_000_000_000

COLLATERAL = "collateral"
USDCE = "usdce"
CTF = "ctf"
POSITION_MANAGER = "position_manager"

TRADING_APPROVALS: dict[str, tuple[str, ...]] = {
    COLLATERAL: (
        CTF_EXCHANGE,
        NEG_RISK_EXCHANGE,
        CTF_ADAPTER,
        NEG_RISK_ADAPTER,
        ROUTER,
        EXCHANGE_V3,
        PERPS_DEPOSIT,
    ),
    CTF: (
        CTF_EXCHANGE,
        NEG_RISK_EXCHANGE,
        CTF_ADAPTER,
        NEG_RISK_ADAPTER,
        AUTO_REDEEM_OPERATOR,
        BINARY_MODULE,
        NEG_RISK_MODULE,
    ),
    POSITION_MANAGER: (ROUTER, EXCHANGE_V3, AUTO_REDEEM_OPERATOR),
    USDCE: (ONRAMP,),
}
"""By asset: whom a wallet that trades must have approved (USDC.e: to wrap it)."""


def asset_of(token_id: str) -> str:
    """Return which contract holds an outcome token: the Conditional Tokens, or the position manager of Protocol V2."""
    return POSITION_MANAGER if is_position_id(token_id) else CTF


class Approval(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a spender may take, what it might before, and when that changed. Amounts are text: they need 256 bits."""

    amount: str
    before: str
    changed_ns: int


class Approvals:
    """All approvals of all wallets. Addresses are checksummed."""

    def __init__(self) -> None:
        self._given: dict[str, dict[tuple[str, str], Approval]] = {}
        self._read_ns: dict[str, int] = {}

    def grant_all(self, wallet: str) -> None:
        """Approve everything trading needs, known to everyone at once."""
        given = self._given.setdefault(wallet, {})
        whole = str(UNLIMITED)
        for asset, spenders in TRADING_APPROVALS.items():
            for spender in spenders:
                given[asset, spender] = Approval(whole, whole, 0)

    def approve(self, wallet: str, asset: str, spender: str, amount: int, now_ns: int) -> None:
        """Let `spender` take up to `amount` of `asset`; 0 revokes."""
        before = str(self.shown(wallet, asset, spender, now_ns))
        self._given.setdefault(wallet, {})[asset, spender] = Approval(str(amount), before, now_ns)

    def allowance(self, wallet: str, asset: str, spender: str) -> int:
        """Return what `spender` may take now."""
        approval = self._given.get(wallet, {}).get((asset, spender))
        return int(approval.amount) if approval is not None else 0

    def shown(self, wallet: str, asset: str, spender: str, now_ns: int) -> int:
        """Return what the order gateway believes `spender` may take."""
        approval = self._given.get(wallet, {}).get((asset, spender))
        if approval is None:
            return 0
        known = now_ns >= approval.changed_ns + _CACHE_NS or self._read_ns.get(wallet, -1) >= approval.changed_ns
        return int(approval.amount if known else approval.before)

    def reread(self, wallet: str, now_ns: int) -> None:
        """Let the order gateway read the chain again."""
        self._read_ns[wallet] = now_ns
