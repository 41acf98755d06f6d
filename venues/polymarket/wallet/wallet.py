"""The wallet of one account (implements `domain.ports.WalletOperations`): planned, sent one operation at a time, followed, and told to the venue.

An earlier submission whose end is not known comes first: it is looked up, and until it has ended nothing else is sent. After an operation the venue
is asked to read the chain again, because its own copies of balances and permissions lag behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from domain.errors import VenueError, WalletError
from domain.money import format_micros
from domain.ports import SubmissionLog
from domain.wallet import (
    Approval,
    Approve,
    Convert,
    Merge,
    Redeem,
    Split,
    WalletOperation,
    WalletPlan,
    WalletReceipt,
    WalletStatus,
)
from venues.polymarket.account_reader import AccountReader
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet.approvals import REQUIRED
from venues.polymarket.wallet.chain import ChainReader
from venues.polymarket.wallet.contracts import PUSD, USDC_E
from venues.polymarket.wallet.derivation import KIND_NAMES, wallets_of
from venues.polymarket.wallet.node import Node
from venues.polymarket.wallet.planner import Planner
from venues.polymarket.wallet.relay_requests import RELAY_TYPES
from venues.polymarket.wallet.relayer import RelayerClient
from venues.polymarket.wallet.sending import Sender

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose wallet it is: `owner` is the address of the key that signs, `wallet` where the money is."""

    account: str
    owner: str
    wallet: str
    kind: SignatureType


class PolymarketWallet:
    """Made by `opening.open_wallet`."""

    def __init__(
        self,
        identity: Identity,
        *,
        node: Node,
        chain: ChainReader,
        relayer: RelayerClient,
        venue: AccountReader,
        planner: Planner,
        sender: Sender,
        log: SubmissionLog,
    ) -> None:
        self.identity = identity
        self._node = node
        self._chain = chain
        self._relayer = relayer
        self._venue = venue
        self._planner = planner
        self._sender = sender
        self._log = log
        self._one_at_a_time = asyncio.Lock()

    @property
    def account(self) -> str:
        return self.identity.account

    async def status(self) -> WalletStatus:
        owner, wallet, kind = self.identity.owner, self.identity.wallet, self.identity.kind
        cash, plain, gas, granted, balances = await asyncio.gather(
            self._chain.balance(PUSD),
            self._chain.balance(USDC_E),
            self._node.coins(wallet),
            self._chain.granted(),
            self._venue.balances([]),
        )
        deployed = kind is SignatureType.EOA or await self._relayer.deployed(wallet, RELAY_TYPES[kind])
        approvals = tuple(
            Approval(
                token=permission.token.name,
                token_address=permission.token.address,
                spender=permission.spender.name,
                spender_address=permission.spender.address,
                granted=given,
            )
            for permission, given in zip(REQUIRED, granted, strict=True)
        )
        return WalletStatus(
            owner=owner,
            wallet=wallet,
            kind=KIND_NAMES[kind],
            deployed=deployed,
            cash=cash,
            venue_cash=balances.cash,
            plain=plain,
            gas=gas,
            approvals=approvals,
            warnings=tuple(self._warnings(cash, balances.cash, deployed=deployed)),
        )

    async def plan(self, operation: WalletOperation) -> WalletPlan:
        return await self._planner.plan(operation)

    async def perform(self, plan: WalletPlan, progress: Callable[[WalletReceipt], None]) -> WalletReceipt:
        if plan.wallet != self.identity.wallet:
            raise WalletError(f"the plan is of {plan.wallet}, this wallet is {self.identity.wallet}")
        async with self._one_at_a_time:
            await self._settle_earlier()
            if not plan.calls:
                return WalletReceipt()
            receipt = await self._sender.send(plan.calls, describe(plan.operation), progress)
            await self._tell_venue(plan)
        return receipt

    async def _settle_earlier(self) -> None:
        """Refuse to send while an earlier submission is not explained; one that has ended meanwhile is told instead of repeated."""
        earlier = self._log.load(self.identity.wallet)
        if earlier is None:
            return
        found = await self._sender.recover(earlier)
        named = f"{earlier.description}: {found.state.value}" + (f", {found.hash}" if found.hash else "")
        if not found.state.final:
            raise WalletError(
                f"an earlier operation has not ended yet ({named}; {found.detail}): nothing new is sent before it has. Try again later; "
                "when you know its end for certain, `manage.py wallet forget --yes` lets go of it"
            )
        self._log.clear(self.identity.wallet)
        raise WalletError(
            f"an earlier operation, left behind by an interruption, has ended meanwhile ({named}): nothing new was sent. "
            "Look at the balances, then order again what is still wanted"
        )

    async def _tell_venue(self, plan: WalletPlan) -> None:
        try:
            await self._venue.refresh_balances(plan.tokens)
        except VenueError as error:
            _log.warning("the venue was not told of new balances, it will notice by itself", reason=str(error))

    def _warnings(self, cash: int, venue_cash: int, *, deployed: bool) -> list[str]:
        owner, wallet, kind = self.identity.owner, self.identity.wallet, self.identity.kind
        warnings = []
        if kind is SignatureType.EOA and self.account.startswith("live:"):
            better = wallets_of(owner).deposit_wallet
            warnings.append(
                "Polymarket lets plain wallets trade only where it has allowed them before ('maker address not allowed'): "
                f"otherwise use this key's deposit wallet {better} (polymarket.signature_type 3, wallet.safe_address)"
            )
        if not deployed:
            creates = kind is SignatureType.POLY_1271
            how = "its first operation creates it" if creates else "log in to the venue with its owner's key"
            warnings.append(f"the {KIND_NAMES[kind]} {wallet} does not exist on the chain yet: {how}")
        if cash and not venue_cash:
            warnings.append(
                f"the wallet holds ${format_micros(cash)}, but the venue reads $0 for signature type {int(kind)}: "
                "set polymarket.signature_type and wallet.safe_address to the wallet's own"
            )
        earlier = self._log.load(wallet)
        if earlier is not None:
            warnings.append(f"an earlier operation has not ended yet: {earlier.description}, nonce {earlier.nonce}")
        return warnings


def describe(operation: WalletOperation) -> str:
    """Return an operation in a few words."""
    match operation:
        case Approve():
            return "approve the venue's contracts"
        case Split() | Merge():
            return (
                f"{type(operation).__name__.lower()} {format_micros(operation.amount)} of {operation.market.question!r}"
            )
        case Redeem():
            return f"redeem {operation.market.question!r}"
        case Convert():
            return f"convert {format_micros(operation.amount)} No of {len(operation.markets)} questions"
    return f"{type(operation).__name__.lower()} ${format_micros(operation.amount)}"
