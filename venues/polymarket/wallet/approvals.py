"""The permissions a trading wallet must grant: who may take its collateral and move its shares. Source: the venue's contract documentation."""

from __future__ import annotations

from typing import NamedTuple

from domain.wallet import ContractCall
from venues.polymarket.wallet import calls
from venues.polymarket.wallet.contracts import (
    AUTO_REDEEMER,
    BINARY_MODULE,
    CTF,
    CTF_ADAPTER,
    CTF_EXCHANGE,
    EXCHANGE_V3,
    NEG_RISK_ADAPTER,
    NEG_RISK_CTF_EXCHANGE,
    NEG_RISK_MODULE,
    POSITION_MANAGER,
    PUSD,
    ROUTER,
    Contract,
)


class Permission(NamedTuple):
    """`spender` may take `token`: an allowance of the collateral, or all shares of an ERC-1155 contract."""

    token: Contract
    spender: Contract

    @property
    def is_allowance(self) -> bool:
        return self.token is PUSD

    def granting_call(self) -> ContractCall:
        """Return the call that grants it, without a limit."""
        return (calls.approve if self.is_allowance else calls.approve_all)(self.token, self.spender)


REQUIRED = (
    *(
        Permission(PUSD, spender)
        for spender in (CTF_EXCHANGE, NEG_RISK_CTF_EXCHANGE, EXCHANGE_V3, CTF_ADAPTER, NEG_RISK_ADAPTER, ROUTER)
    ),
    *(
        Permission(CTF, spender)
        for spender in (
            CTF_EXCHANGE,
            NEG_RISK_CTF_EXCHANGE,
            CTF_ADAPTER,
            NEG_RISK_ADAPTER,
            AUTO_REDEEMER,
            BINARY_MODULE,
            NEG_RISK_MODULE,
        )
    ),
    *(Permission(POSITION_MANAGER, spender) for spender in (ROUTER, EXCHANGE_V3, AUTO_REDEEMER)),
)
"""Everything trading, splitting, merging and automatic redemption ask for. The perpetuals' deposit contract, which the venue's own site approves too,
is not among them: polybot does not trade perpetuals."""
