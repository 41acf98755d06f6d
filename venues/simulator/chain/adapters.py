"""The venue's collateral adapters and ramps: split, merge, redeem, convert, wrap and unwrap, for whoever calls them.

The collateral, parent and partition arguments of the framework's signatures are not looked at, as the adapters do not. Logs follow the
money: pUSD between wallet and adapter, outcome tokens between adapter and wallet, and the framework's own event with the adapter as holder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.market import Market
from domain.money import MICRO
from venues.exchange.commands import Convert, Deposit, Merge, Redeem, Split, Withdraw
from venues.exchange.rules import MAX_AMOUNT
from venues.simulator.chain import events
from venues.simulator.chain.abi import RevertError
from venues.simulator.chain.approvals import COLLATERAL, CTF, USDCE
from venues.simulator.chain.tokens import Context, Contract, contract, writes
from venues.simulator.contracts import (
    CONDITIONAL_TOKENS,
    LEGACY_NEG_RISK_ADAPTER,
    PUSD,
    USDC_E,
    WRAPPED_COLLATERAL,
    ZERO_ADDRESS,
    is_position_id,
)
from venues.simulator.world.listings import Listing

_NO_PARENT = bytes(32)
_PAIR = [1, 2]
_BASIS = 10_000
CONVERSION_POOL = LEGACY_NEG_RISK_ADAPTER
"""The account that answers for converted sets: the contract that holds them on chain."""


def adapter(*, neg_risk: bool) -> Contract:
    """Return the adapter of standard or of neg-risk markets."""

    def split(context: Context, _: str, __: bytes, condition: bytes, ___: list[int], amount: int) -> Sequence[Any]:
        market = _market(context, condition, neg_risk=neg_risk)
        if context.scratch.ledgers.exchange.payouts(market.condition_id) is not None:
            raise RevertError("condition is already resolved")
        _pull_cash(context, amount)
        context.scratch.do(Split(context.sender, market.condition_id, amount), amount)
        _emit_split(context, market, condition, amount)
        _send_tokens(context, market, [amount, amount])
        return ()

    def merge(context: Context, _: str, __: bytes, condition: bytes, ___: list[int], amount: int) -> Sequence[Any]:
        market = _market(context, condition, neg_risk=neg_risk)
        if context.scratch.ledgers.exchange.payouts(market.condition_id) is not None:
            raise RevertError("condition is already resolved")
        _pull_tokens(context, market, [amount, amount])
        context.scratch.do(Merge(context.sender, market.condition_id, amount), amount)
        values = (context.address, _backing(market), _NO_PARENT, condition, _PAIR, amount)
        context.scratch.emit(CONDITIONAL_TOKENS, events.POSITIONS_MERGE, *values)
        _send_cash(context, amount)
        return ()

    def redeem(context: Context, _: str, __: bytes, condition: bytes, ___: list[int]) -> Sequence[Any]:
        market = _market(context, condition, neg_risk=neg_risk)
        paid = context.scratch.ledgers.exchange.payouts(market.condition_id)
        if paid is None:
            raise RevertError("result for condition not received yet")
        held = [context.scratch.balance(CTF, context.sender, token_id) for token_id in market.token_ids]
        payout = (held[0] * paid[0] + held[1] * paid[1]) // MICRO
        _pull_tokens(context, market, held)
        context.scratch.do(Redeem(context.sender, market.condition_id), sum(held))
        values = (context.address, _backing(market), _NO_PARENT, condition, _PAIR, payout)
        context.scratch.emit(CONDITIONAL_TOKENS, events.PAYOUT_REDEMPTION, *values)
        _send_cash(context, payout)
        return ()

    entries = [
        writes("splitPosition", "address bytes32 bytes32 uint256[] uint256", split),
        writes("mergePositions", "address bytes32 bytes32 uint256[] uint256", merge),
        writes("redeemPositions", "address bytes32 bytes32 uint256[]", redeem),
    ]
    if neg_risk:
        entries.append(writes("convertPositions", "bytes32 uint256 uint256", _convert))
    return contract(*entries)


def onramp() -> Contract:
    """Return the contract that turns USDC.e into pUSD."""

    def wrap(context: Context, asset: str, target: str, amount: int) -> Sequence[Any]:
        _check_ramp(asset, target)
        if amount > MAX_AMOUNT:
            raise RevertError("amount exceeds the most that can be wrapped at once")
        scratch = context.scratch
        scratch.spend(context.sender, USDCE, context.address, amount)
        scratch.add(USDCE, context.sender, -amount)
        scratch.add(COLLATERAL, target, amount)
        scratch.do(Deposit(target, amount), amount)
        scratch.emit(USDC_E, events.TRANSFER, context.sender, context.address, amount)
        scratch.emit(PUSD, events.TRANSFER, ZERO_ADDRESS, target, amount)
        return ()

    return contract(writes("wrap", "address address uint256", wrap))


def offramp() -> Contract:
    """Return the contract that turns pUSD into USDC.e."""

    def unwrap(context: Context, asset: str, target: str, amount: int) -> Sequence[Any]:
        _check_ramp(asset, target)
        scratch = context.scratch
        scratch.spend(context.sender, COLLATERAL, context.address, amount)
        scratch.add(COLLATERAL, context.sender, -amount)
        scratch.add(USDCE, target, amount)
        scratch.do(Withdraw(context.sender, amount), amount)
        scratch.emit(PUSD, events.TRANSFER, context.sender, ZERO_ADDRESS, amount)
        scratch.emit(USDC_E, events.TRANSFER, context.address, target, amount)
        return ()

    return contract(writes("unwrap", "address address uint256", unwrap))


def _convert(context: Context, market_id: bytes, index_set: int, amount: int) -> Sequence[Any]:
    listings = _set_of(context, market_id)
    given = tuple(index for index in range(len(listings)) if index_set >> index & 1)
    if index_set >> len(listings):
        raise RevertError("InvalidIndexSet")
    if not given:
        raise RevertError("NoConvertiblePositions")
    scratch = context.scratch
    fee = amount * listings[0].event.neg_risk_fee_bips // _BASIS
    brought = amount - fee
    cash = (len(given) - 1) * brought
    burned = [listing.spec.token_ids[1] for index, listing in enumerate(listings) if index in given]
    gotten = [listing.spec.token_ids[0] for index, listing in enumerate(listings) if index not in given]
    scratch.require_operator(context.sender, CTF, context.address)
    for token_id in burned:
        scratch.add(CTF, context.sender, -amount, token_id)
    for token_id in gotten:
        scratch.add(CTF, context.sender, brought, token_id)
    scratch.add(COLLATERAL, context.sender, cash)
    conditions = tuple(listing.spec.condition_id for listing in listings)
    scratch.do(Convert(context.sender, CONVERSION_POOL, conditions, given, amount, fee), amount)
    _emit_tokens(context, context.sender, CONVERSION_POOL, burned, [amount] * len(burned))
    if gotten:
        _emit_tokens(context, CONVERSION_POOL, context.sender, gotten, [brought] * len(gotten))
    scratch.emit(LEGACY_NEG_RISK_ADAPTER, events.POSITIONS_CONVERTED, context.address, market_id, index_set, amount)
    if cash:
        scratch.emit(PUSD, events.TRANSFER, ZERO_ADDRESS, context.sender, cash)
    return ()


def _set_of(context: Context, market_id: bytes) -> list[Listing]:
    """Return the markets of a neg-risk set that trades, in the order of their questions."""
    wanted = "0x" + market_id.hex()
    listings = context.scratch.ledgers.listings
    for event in listings.events.values():
        if event.neg_risk_market_id == wanted:
            found = listings.of_event(event.id)
            if any(context.scratch.ledgers.exchange.payouts(one.spec.condition_id) is not None for one in found):
                raise RevertError("condition is already resolved")
            return found
    raise RevertError("MarketNotPrepared")


def _market(context: Context, condition: bytes, *, neg_risk: bool) -> Market:
    market = context.scratch.ledgers.exchange.market("0x" + condition.hex())
    if market is None or market.neg_risk is not neg_risk or is_position_id(market.token_ids[0]):
        raise RevertError("condition not prepared yet")
    return market


def _backing(market: Market) -> str:
    """Return the token that backs a market's outcome tokens inside the framework."""
    return WRAPPED_COLLATERAL if market.neg_risk else USDC_E


def _pull_cash(context: Context, amount: int) -> None:
    context.scratch.spend(context.sender, COLLATERAL, context.address, amount)
    context.scratch.add(COLLATERAL, context.sender, -amount)
    context.scratch.emit(PUSD, events.TRANSFER, context.sender, context.address, amount)
    context.scratch.emit(PUSD, events.TRANSFER, context.address, ZERO_ADDRESS, amount)


def _send_cash(context: Context, amount: int) -> None:
    context.scratch.add(COLLATERAL, context.sender, amount)
    if amount:
        context.scratch.emit(PUSD, events.TRANSFER, ZERO_ADDRESS, context.sender, amount)


def _pull_tokens(context: Context, market: Market, amounts: list[int]) -> None:
    """Take both tokens of the caller into the adapter, which burns them."""
    context.scratch.require_operator(context.sender, CTF, context.address)
    for token_id, amount in zip(market.token_ids, amounts, strict=True):
        context.scratch.add(CTF, context.sender, -amount, token_id)
    _emit_tokens(context, context.sender, context.address, market.token_ids, amounts)
    for token_id, amount in zip(market.token_ids, amounts, strict=True):
        values = (context.address, context.address, ZERO_ADDRESS, int(token_id), amount)
        context.scratch.emit(CONDITIONAL_TOKENS, events.TRANSFER_SINGLE, *values)


def _send_tokens(context: Context, market: Market, amounts: list[int]) -> None:
    for token_id, amount in zip(market.token_ids, amounts, strict=True):
        context.scratch.add(CTF, context.sender, amount, token_id)
    _emit_tokens(context, context.address, context.sender, market.token_ids, amounts)


def _emit_split(context: Context, market: Market, condition: bytes, amount: int) -> None:
    _emit_tokens(context, ZERO_ADDRESS, context.address, market.token_ids, [amount, amount])
    values = (context.address, _backing(market), _NO_PARENT, condition, _PAIR, amount)
    context.scratch.emit(CONDITIONAL_TOKENS, events.POSITION_SPLIT, *values)


def _emit_tokens(context: Context, source: str, target: str, token_ids: Sequence[str], amounts: list[int]) -> None:
    numbers = [int(token_id) for token_id in token_ids]
    context.scratch.emit(CONDITIONAL_TOKENS, events.TRANSFER_BATCH, context.address, source, target, numbers, amounts)


def _check_ramp(asset: str, target: str) -> None:
    if asset != USDC_E:
        raise RevertError("InvalidAsset")
    if target == ZERO_ADDRESS:
        raise RevertError("ERC20: transfer to the zero address")
