"""A transaction being tried out: balances and approvals as they would be, the logs it would write, and what then has to be done for real.

Nothing real changes before `Ledgers.commit`. A transaction that reverts is simply dropped, which makes every batch all or nothing, and makes
`eth_call` and gas estimates the same code as the transaction itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from venues.exchange import Exchange
from venues.exchange.commands import Command
from venues.exchange.events import CommandRefused
from venues.simulator.chain.abi import EventType, RevertError
from venues.simulator.chain.accounts import Accounts
from venues.simulator.chain.approvals import COLLATERAL, CTF, UNLIMITED, USDCE, Approvals, asset_of
from venues.simulator.chain.events import Log, log
from venues.simulator.world.floor import Floor
from venues.simulator.world.listings import Listings


@dataclass(frozen=True, slots=True)
class Ledgers:
    """Everything a transaction may read and change."""

    floor: Floor
    approvals: Approvals
    accounts: Accounts

    @property
    def exchange(self) -> Exchange:
        return self.floor.exchange

    @property
    def listings(self) -> Listings:
        return self.floor.listings

    def commit(self, scratch: Scratch) -> None:
        """Carry out what `scratch` found possible. A refusal here means that it judged wrongly: the venue must not go on."""
        for command in scratch.commands:
            answer = self.floor.do(command)[-1]
            if isinstance(answer, CommandRefused):
                raise RuntimeError(f"a transaction that was found possible is not: {answer.text}")
        for (wallet, asset, spender), amount in scratch.approved.items():
            self.approvals.approve(wallet, asset, spender, amount, self.floor.now_ns)
        for (asset, holder, _), change in scratch.changes.items():
            if asset == USDCE:
                self.accounts.usdce[holder] = self.accounts.usdce.get(holder, 0) + change


@dataclass(slots=True)
class Scratch:
    """One transaction's effects so far. `changes` are of balances by (asset, holder, token id)."""

    ledgers: Ledgers
    logs: list[Log] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    changes: dict[tuple[str, str, str], int] = field(default_factory=dict)
    approved: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def balance(self, asset: str, holder: str, token_id: str = "") -> int:
        """Return what `holder` can move: of collateral and outcome tokens all that is settled and not in flight."""
        change = self.changes.get((asset, holder, token_id), 0)
        if asset == USDCE:
            return self.ledgers.accounts.usdce.get(holder, 0) + change
        if not _holds(asset, token_id):
            return change
        held = self.ledgers.exchange.balance(holder, token_id)
        return held.settled - held.outgoing + change

    def shown(self, asset: str, holder: str, token_id: str = "") -> int:
        """Return what the token contract says `holder` has: what is in flight counts once it was mined."""
        if not _holds(asset, token_id):
            return self.balance(asset, holder, token_id)
        exchange = self.ledgers.exchange
        change = self.changes.get((asset, holder, token_id), 0)
        return exchange.balance(holder, token_id).settled + exchange.mined_change(holder, token_id) + change

    def add(self, asset: str, holder: str, amount: int, token_id: str = "") -> None:
        """Change a balance; below zero the transaction reverts."""
        if self.balance(asset, holder, token_id) + amount < 0:
            raise RevertError(_SHORT.get(asset, _SHORT[CTF]))
        key = (asset, holder, token_id)
        self.changes[key] = self.changes.get(key, 0) + amount

    def allowance(self, wallet: str, asset: str, spender: str) -> int:
        """Return what `spender` may take of `wallet`; everything of its own."""
        if wallet == spender:
            return UNLIMITED
        key = (wallet, asset, spender)
        return self.approved[key] if key in self.approved else self.ledgers.approvals.allowance(*key)

    def approve(self, wallet: str, asset: str, spender: str, amount: int) -> None:
        self.approved[wallet, asset, spender] = amount

    def spend(self, wallet: str, asset: str, spender: str, amount: int) -> None:
        """Use up an allowance of fungible tokens; an unlimited one stays."""
        allowed = self.allowance(wallet, asset, spender)
        if allowed < amount:
            raise RevertError("ERC20: transfer amount exceeds allowance")
        if allowed != UNLIMITED:
            self.approve(wallet, asset, spender, allowed - amount)

    def require_operator(self, wallet: str, asset: str, operator: str) -> None:
        """Check that `operator` may move all of the wallet's tokens of one ERC-1155 contract."""
        if not self.allowance(wallet, asset, operator):
            raise RevertError("ERC1155: need operator approval for 3rd party transfers.")

    def do(self, command: Command, amount: int) -> None:
        """Note what the exchange has to do; nothing when it is about no amount at all."""
        if amount:
            self.commands.append(command)

    def emit(self, address: str, kind: EventType, *values: Any) -> None:
        self.logs.append(log(address, kind, *values))


def _holds(asset: str, token_id: str) -> bool:
    """Tell whether the exchange core's holdings of a token (or of collateral) are this contract's."""
    return asset == COLLATERAL if not token_id else asset == asset_of(token_id)


_SHORT = {
    COLLATERAL: "ERC20: transfer amount exceeds balance",
    USDCE: "ERC20: transfer amount exceeds balance",
    CTF: "SafeMath: subtraction overflow",
}
