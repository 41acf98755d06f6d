"""Token contracts: pUSD and USDC.e (ERC-20), outcome tokens (ERC-1155), as far as wallets and readers of the chain call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.money import MICRO
from venues.exchange.commands import Transfer
from venues.simulator.chain import events
from venues.simulator.chain.abi import Function, RevertError
from venues.simulator.chain.approvals import COLLATERAL, UNLIMITED
from venues.simulator.chain.scratch import Scratch
from venues.simulator.contracts import ZERO_ADDRESS, is_position_id


@dataclass(frozen=True, slots=True)
class Context:
    """Who calls which contract, and the state it works on."""

    scratch: Scratch
    sender: str
    address: str


Handler = Callable[..., Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One function of a contract. `handler(context, *arguments)` returns its results; `writes` tells a transaction from a question."""

    function: Function
    handler: Handler
    writes: bool


Contract = Mapping[bytes, Entry]
"""Entries by selector."""


def contract(*entries: Entry) -> Contract:
    return {entry.function.selector: entry for entry in entries}


def reads(name: str, arguments: str, results: str, handler: Handler) -> Entry:
    return Entry(Function(name, _types(arguments), _types(results)), handler, writes=False)


def writes(name: str, arguments: str, handler: Handler, results: str = "") -> Entry:
    return Entry(Function(name, _types(arguments), _types(results)), handler, writes=True)


def _types(text: str) -> tuple[str, ...]:
    return tuple(text.split()) if text else ()


def erc20(asset: str, name: str, symbol: str) -> Contract:
    """Return the contract of a fungible token with six decimals; `asset` is COLLATERAL or USDCE."""

    def move(context: Context, source: str, target: str, amount: int) -> Sequence[Any]:
        if target == ZERO_ADDRESS:
            raise RevertError("ERC20: transfer to the zero address")
        scratch = context.scratch
        scratch.add(asset, source, -amount)
        scratch.add(asset, target, amount)
        if asset == COLLATERAL and source != target:
            scratch.do(Transfer(source, target, "", amount), amount)
        scratch.emit(context.address, events.TRANSFER, source, target, amount)
        return (True,)

    def transfer_from(context: Context, source: str, target: str, amount: int) -> Sequence[Any]:
        context.scratch.spend(source, asset, context.sender, amount)
        return move(context, source, target, amount)

    def approve(context: Context, spender: str, amount: int) -> Sequence[Any]:
        context.scratch.approve(context.sender, asset, spender, amount)
        context.scratch.emit(context.address, events.APPROVAL, context.sender, spender, amount)
        return (True,)

    return contract(
        writes("approve", "address uint256", approve, "bool"),
        writes("transfer", "address uint256", lambda at, target, amount: move(at, at.sender, target, amount), "bool"),
        writes("transferFrom", "address address uint256", transfer_from, "bool"),
        reads("balanceOf", "address", "uint256", lambda at, holder: (at.scratch.shown(asset, holder),)),
        reads(
            "allowance",
            "address address",
            "uint256",
            lambda at, holder, spender: (at.scratch.allowance(holder, asset, spender) if holder != spender else 0,),
        ),
        reads("decimals", "", "uint8", lambda _: (6,)),
        reads("name", "", "string", lambda _: (name,)),
        reads("symbol", "", "string", lambda _: (symbol,)),
    )


def erc1155_reads(asset: str) -> tuple[Entry, ...]:
    """Return the questions that outcome tokens answer; the legacy neg-risk adapter passes them on."""

    def balance_of_batch(context: Context, holders: list[str], ids: list[int]) -> Sequence[Any]:
        if len(holders) != len(ids):
            raise RevertError("ERC1155: owners and IDs must have same lengths")
        return ([_held(context, asset, holder, number) for holder, number in zip(holders, ids, strict=True)],)

    return (
        reads(
            "balanceOf", "address uint256", "uint256", lambda at, holder, number: (_held(at, asset, holder, number),)
        ),
        reads("balanceOfBatch", "address[] uint256[]", "uint256[]", balance_of_batch),
        reads(
            "isApprovedForAll",
            "address address",
            "bool",
            lambda at, holder, operator: (holder != operator and bool(at.scratch.allowance(holder, asset, operator)),),
        ),
    )


def erc1155(asset: str) -> tuple[Entry, ...]:
    """Return an ERC-1155 contract's functions; `asset` is CTF or POSITION_MANAGER."""

    def set_approval(context: Context, operator: str, approved: bool) -> Sequence[Any]:
        context.scratch.approve(context.sender, asset, operator, UNLIMITED if approved else 0)
        context.scratch.emit(context.address, events.APPROVAL_FOR_ALL, context.sender, operator, approved)
        return ()

    def move(context: Context, source: str, target: str, ids: list[int], amounts: list[int]) -> None:
        if target == ZERO_ADDRESS:
            raise RevertError("ERC1155: target address must be non-zero")
        scratch = context.scratch
        scratch.require_operator(source, asset, context.sender)
        for number, amount in zip(ids, amounts, strict=True):
            scratch.add(asset, source, -amount, str(number))
            scratch.add(asset, target, amount, str(number))
            if source != target:
                scratch.do(Transfer(source, target, str(number), amount), amount)

    def transfer(context: Context, source: str, target: str, number: int, amount: int, _: bytes) -> Sequence[Any]:
        move(context, source, target, [number], [amount])
        context.scratch.emit(context.address, events.TRANSFER_SINGLE, context.sender, source, target, number, amount)
        return ()

    def transfer_batch(
        context: Context, source: str, target: str, ids: list[int], amounts: list[int], _: bytes
    ) -> Sequence[Any]:
        if len(ids) != len(amounts):
            raise RevertError("ERC1155: IDs and values must have same lengths")
        move(context, source, target, ids, amounts)
        context.scratch.emit(context.address, events.TRANSFER_BATCH, context.sender, source, target, ids, amounts)
        return ()

    return (
        *erc1155_reads(asset),
        writes("setApprovalForAll", "address bool", set_approval),
        writes("safeTransferFrom", "address address uint256 uint256 bytes", transfer),
        writes("safeBatchTransferFrom", "address address uint256[] uint256[] bytes", transfer_batch),
    )


def payouts() -> tuple[Entry, ...]:
    """Return what the framework tells of a condition: its payout vector, zeroes before it is resolved."""
    return (
        reads("payoutNumerators", "bytes32 uint256", "uint256", _numerator),
        reads("payoutDenominator", "bytes32", "uint256", lambda at, key: (_payout(at, key)[1],)),
        reads("getOutcomeSlotCount", "bytes32", "uint256", _slots),
    )


def payout_vector(paid: tuple[int, int]) -> tuple[tuple[int, int], int]:
    """Return numerators and denominator of micro-dollar payouts."""
    return ((1, 1), 2) if paid[0] == paid[1] else ((paid[0] // MICRO, paid[1] // MICRO), 1)


def _numerator(context: Context, key: bytes, index: int) -> Sequence[Any]:
    if index > 1:
        raise RevertError
    return (_payout(context, key)[0][index],)


def _payout(context: Context, key: bytes) -> tuple[Sequence[int], int]:
    exchange, condition_id = context.scratch.ledgers.exchange, "0x" + key.hex()
    market, paid = exchange.market(condition_id), exchange.payouts(condition_id)
    framework = market is not None and not is_position_id(market.token_ids[0])
    return payout_vector(paid) if framework and paid is not None else ((0, 0), 0)


def _slots(context: Context, key: bytes) -> Sequence[Any]:
    return (2 if context.scratch.ledgers.exchange.market("0x" + key.hex()) else 0,)


def _held(context: Context, asset: str, holder: str, number: int) -> int:
    return context.scratch.shown(asset, holder, str(number))
