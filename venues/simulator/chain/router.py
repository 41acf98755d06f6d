"""The router of Protocol V2: split, merge and redeem positions, which the position manager holds. A condition is 31 bytes here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.market import Market
from domain.money import MICRO
from venues.exchange.commands import Merge, Redeem, Split
from venues.simulator.chain import events
from venues.simulator.chain.abi import RevertError
from venues.simulator.chain.approvals import COLLATERAL, POSITION_MANAGER
from venues.simulator.chain.tokens import Context, Contract, contract, writes
from venues.simulator.contracts import POSITION_MANAGER as MANAGER_ADDRESS
from venues.simulator.contracts import PUSD, ZERO_ADDRESS, is_position_id


def router() -> Contract:
    """Return the router's functions."""
    return contract(
        writes("split", "bytes31 uint256", _split),
        writes("merge", "bytes31 uint256", _merge),
        writes("redeem", "bytes31 uint256 uint256", _redeem),
    )


def _split(context: Context, condition: bytes, amount: int) -> Sequence[Any]:
    market, scratch = _market(context, condition), context.scratch
    _require_open(context, market)
    scratch.spend(context.sender, COLLATERAL, context.address, amount)
    scratch.add(COLLATERAL, context.sender, -amount)
    scratch.do(Split(context.sender, market.condition_id, amount), amount)
    scratch.emit(PUSD, events.TRANSFER, context.sender, context.address, amount)
    scratch.emit(PUSD, events.TRANSFER, context.address, ZERO_ADDRESS, amount)
    for token_id in market.token_ids:
        _make(context, token_id, amount)
    return ()


def _merge(context: Context, condition: bytes, amount: int) -> Sequence[Any]:
    market = _market(context, condition)
    _require_open(context, market)
    for token_id in market.token_ids:
        _burn(context, token_id, amount)
    context.scratch.do(Merge(context.sender, market.condition_id, amount), amount)
    _pay(context, amount)
    return ()


def _redeem(context: Context, condition: bytes, index: int, amount: int) -> Sequence[Any]:
    market = _market(context, condition)
    paid = context.scratch.ledgers.exchange.payouts(market.condition_id)
    if paid is None:
        raise RevertError("ConditionNotResolved")
    if index > 1:
        raise RevertError("InvalidOutcomeIndex")
    token_id = market.token_ids[index]
    _burn(context, token_id, amount)
    context.scratch.do(Redeem(context.sender, market.condition_id, token_id, amount), amount)
    _pay(context, amount * paid[index] // MICRO)
    return ()


def _market(context: Context, condition: bytes) -> Market:
    market = context.scratch.ledgers.exchange.market("0x" + condition.hex() + "00")
    if market is None or not is_position_id(market.token_ids[0]):
        raise RevertError("InvalidCondition")
    return market


def _require_open(context: Context, market: Market) -> None:
    if context.scratch.ledgers.exchange.payouts(market.condition_id) is not None:
        raise RevertError("ConditionResolved")


def _make(context: Context, token_id: str, amount: int) -> None:
    context.scratch.add(POSITION_MANAGER, context.sender, amount, token_id)
    values = (context.address, ZERO_ADDRESS, context.sender, int(token_id), amount)
    context.scratch.emit(MANAGER_ADDRESS, events.TRANSFER_SINGLE, *values)


def _burn(context: Context, token_id: str, amount: int) -> None:
    context.scratch.require_operator(context.sender, POSITION_MANAGER, context.address)
    context.scratch.add(POSITION_MANAGER, context.sender, -amount, token_id)
    values = (context.address, context.sender, ZERO_ADDRESS, int(token_id), amount)
    context.scratch.emit(MANAGER_ADDRESS, events.TRANSFER_SINGLE, *values)


def _pay(context: Context, amount: int) -> None:
    context.scratch.add(COLLATERAL, context.sender, amount)
    if amount:
        context.scratch.emit(PUSD, events.TRANSFER, ZERO_ADDRESS, context.sender, amount)
