"""Calls to contracts: which address knows which function, and what a call does to a scratch state.

A plain address that is called does nothing and succeeds, as on chain. An unknown function of a known contract reverts without a reason.
"""

from __future__ import annotations

from typing import NamedTuple

from venues.simulator.chain.abi import RevertError
from venues.simulator.chain.adapters import adapter, offramp, onramp
from venues.simulator.chain.approvals import COLLATERAL, CTF, POSITION_MANAGER, USDCE
from venues.simulator.chain.router import router
from venues.simulator.chain.scratch import Scratch
from venues.simulator.chain.tokens import (
    Context,
    Contract,
    Entry,
    contract,
    erc20,
    erc1155,
    erc1155_reads,
    payouts,
    reads,
)
from venues.simulator.contracts import (
    CONDITIONAL_TOKENS,
    CTF_ADAPTER,
    DEPOSIT_WALLET_BEACON,
    DEPOSIT_WALLET_FACTORY,
    LEGACY_NEG_RISK_ADAPTER,
    NEG_RISK_ADAPTER,
    OFFRAMP,
    ONRAMP,
    PUSD,
    ROUTER,
    USDC_E,
)
from venues.simulator.contracts import POSITION_MANAGER as POSITION_MANAGER_ADDRESS


class Call(NamedTuple):
    """One call: `target` is checksummed, `value` wei."""

    target: str
    data: bytes
    value: int = 0


CONTRACTS: dict[str, Contract] = {
    PUSD: erc20(COLLATERAL, "Polymarket USD", "pUSD"),
    USDC_E: erc20(USDCE, "USD Coin (PoS)", "USDC"),
    CONDITIONAL_TOKENS: contract(*erc1155(CTF), *payouts()),
    POSITION_MANAGER_ADDRESS: contract(*erc1155(POSITION_MANAGER)),
    LEGACY_NEG_RISK_ADAPTER: contract(*erc1155_reads(CTF)),
    CTF_ADAPTER: adapter(neg_risk=False),
    NEG_RISK_ADAPTER: adapter(neg_risk=True),
    ONRAMP: onramp(),
    OFFRAMP: offramp(),
    ROUTER: router(),
    DEPOSIT_WALLET_FACTORY: contract(reads("BEACON", "", "address", lambda _: (DEPOSIT_WALLET_BEACON,))),
}


def run(scratch: Scratch, sender: str, call: Call) -> bytes:
    """Carry out one call on `scratch`; return what it returns. Raises `RevertError`."""
    known = CONTRACTS.get(call.target)
    if known is None:
        return b""
    entry = known.get(call.data[:4])
    if entry is None or call.value:
        raise RevertError
    arguments = entry.function.decode(call.data[4:])
    results = entry.handler(Context(scratch, sender, call.target), *arguments)
    return entry.function.encode_results(results)


def entry_of(call: Call) -> Entry | None:
    """Return the function that `call` names, None when there is none."""
    return CONTRACTS.get(call.target, {}).get(call.data[:4])
