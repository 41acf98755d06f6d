"""Funds outside trading: deposits, withdrawals, and turning collateral into outcome tokens and back.

Every token is backed: splitting locks a dollar for one share of each outcome, merging frees it, and after resolution each token redeems
for its payout. As on a chain, open orders do not hold funds back: what they reserve may be moved, and orders that are no longer funded are
cancelled, the newest first. Funds in flight do not move.
"""

from __future__ import annotations

from domain.money import MICRO
from venues.exchange.commands import Deposit, Merge, Redeem, RedeemAll, Split, Transfer, Withdraw
from venues.exchange.events import CommandRefused, Event, FundsMoved, FundsReason, VenueStatus
from venues.exchange.orders import end_order
from venues.exchange.rules import MAX_AMOUNT
from venues.exchange.state import MarketRecord, State
from venues.exchange.vault import COLLATERAL

MAX_DEPOSITED = 10**18
"""All deposits together stay below this, so that every sum fits 64 bits."""


def deposit(state: State, command: Deposit, _events: list[Event]) -> Event:
    if not command.account:
        return CommandRefused("Deposit", "no account was named")
    limit = min(MAX_AMOUNT, MAX_DEPOSITED - state.vault.deposited)
    if not 0 < command.amount <= limit:
        return wrong_amount("Deposit", command.amount, limit)
    state.vault.deposited += command.amount
    state.vault.holding(command.account, COLLATERAL).settled += command.amount
    return FundsMoved(command.account, command.reason, "", command.amount, {})


def withdraw(state: State, command: Withdraw, events: list[Event]) -> Event:
    limit = state.vault.movable(command.account, COLLATERAL)
    if not 0 < command.amount <= limit:
        return wrong_amount("Withdraw", command.amount, limit)
    free(state, command.account, COLLATERAL, command.amount, events)
    state.vault.withdrawn += command.amount
    state.vault.holding(command.account, COLLATERAL).settled -= command.amount
    return FundsMoved(command.account, FundsReason.WITHDRAWAL, "", -command.amount, {})


def transfer(state: State, command: Transfer, events: list[Event]) -> Event:
    if not command.to or command.to == command.account:
        return CommandRefused("Transfer", "name another account to transfer to")
    limit = state.vault.movable(command.account, command.token_id)
    if not 0 < command.amount <= limit:
        return wrong_amount("Transfer", command.amount, limit)
    free(state, command.account, command.token_id, command.amount, events)
    state.vault.holding(command.account, command.token_id).settled -= command.amount
    state.vault.holding(command.to, command.token_id).settled += command.amount
    events.append(_transferred(state, command, command.account, -command.amount))
    return _transferred(state, command, command.to, command.amount)


def split(state: State, command: Split, events: list[Event]) -> Event:
    record = state.markets.get(command.condition_id)
    if record is None or record.payouts is not None:
        return CommandRefused("Split", f"market {command.condition_id} is not known or already resolved")
    limit = state.vault.movable(command.account, COLLATERAL)
    if not 0 < command.amount <= limit:
        return wrong_amount("Split", command.amount, limit)
    free(state, command.account, COLLATERAL, command.amount, events)
    return _convert(state, record, command.account, command.amount, FundsReason.SPLIT)


def merge(state: State, command: Merge, events: list[Event]) -> Event:
    record = state.markets.get(command.condition_id)
    if record is None or record.payouts is not None:
        return CommandRefused("Merge", f"market {command.condition_id} is not known or already resolved")
    limit = min(state.vault.movable(command.account, token) for token in record.market.token_ids)
    if not 0 < command.amount <= limit:
        return wrong_amount("Merge", command.amount, limit)
    for token_id in record.market.token_ids:
        free(state, command.account, token_id, command.amount, events)
    return _convert(state, record, command.account, -command.amount, FundsReason.MERGE)


def redeem(state: State, command: Redeem, _events: list[Event]) -> Event:
    record = state.markets.get(command.condition_id)
    if record is None or record.payouts is None:
        return CommandRefused("Redeem", f"market {command.condition_id} is not resolved")
    if command.token_id:
        return _redeem_some(state, record, record.payouts, command)
    paid = _pay_out(state, record, record.payouts, command.account)
    return paid or CommandRefused("Redeem", f"{command.account} has no available tokens of {command.condition_id}")


def redeem_all(state: State, command: RedeemAll, events: list[Event]) -> Event | None:
    record = state.markets.get(command.condition_id)
    if record is None or record.payouts is None:
        return CommandRefused("RedeemAll", f"market {command.condition_id} is not resolved")
    for account in sorted(state.vault.holdings.keys() - set(command.keep)):
        paid = _pay_out(state, record, record.payouts, account)
        if paid is not None:
            events.append(paid)
    return None


def _convert(state: State, record: MarketRecord, account: str, amount: int, reason: FundsReason) -> FundsMoved:
    """Lock `amount` of collateral for as many pairs, or free it when negative."""
    state.vault.holding(account, COLLATERAL).settled -= amount
    for token_id in record.market.token_ids:
        state.vault.holding(account, token_id).settled += amount
    record.collateral += amount
    moved = dict.fromkeys(record.market.token_ids, amount)
    return FundsMoved(account, reason, record.market.condition_id, -amount, moved)


def _transferred(state: State, command: Transfer, account: str, amount: int) -> FundsMoved:
    if command.token_id == COLLATERAL:
        return FundsMoved(account, FundsReason.TRANSFER, "", amount, {})
    record = state.by_token.get(command.token_id)
    condition_id = record.market.condition_id if record is not None else ""
    return FundsMoved(account, FundsReason.TRANSFER, condition_id, 0, {command.token_id: amount})


def _redeem_some(state: State, record: MarketRecord, payouts: tuple[int, int], command: Redeem) -> Event:
    if command.token_id not in record.market.token_ids:
        return CommandRefused("Redeem", f"token {command.token_id} is none of {command.condition_id}")
    limit = state.vault.available(command.account, command.token_id)
    if not 0 < command.amount <= limit:
        return wrong_amount("Redeem", command.amount, limit)
    payout = command.amount * payouts[record.market.token_ids.index(command.token_id)] // MICRO
    return _redeemed(state, record, command.account, {command.token_id: -command.amount}, payout)


def _pay_out(state: State, record: MarketRecord, payouts: tuple[int, int], account: str) -> FundsMoved | None:
    """Burn the available tokens of `account` and pay for them, rounded down; None when there are none."""
    held = [state.vault.available(account, token) for token in record.market.token_ids]
    burned = {token: -amount for token, amount in zip(record.market.token_ids, held, strict=True) if amount}
    if not burned:
        return None
    payout = (held[0] * payouts[0] + held[1] * payouts[1]) // MICRO
    return _redeemed(state, record, account, burned, payout)


def _redeemed(state: State, record: MarketRecord, account: str, burned: dict[str, int], payout: int) -> FundsMoved:
    for token, change in burned.items():
        state.vault.holding(account, token).settled += change
    state.vault.holding(account, COLLATERAL).settled += payout
    record.collateral -= payout
    return FundsMoved(account, FundsReason.REDEMPTION, record.market.condition_id, payout, burned)


def free(state: State, account: str, asset: str, amount: int, events: list[Event]) -> None:
    """Cancel the newest open orders that reserve `asset` until `amount` of it is available; no more than `movable` may be asked for."""
    for order in reversed(list(state.open_of.get(account, {}).values())):
        if state.vault.available(account, asset) >= amount:
            return
        if order.asset == asset:
            end_order(state, order, VenueStatus.CANCELED_NOT_ENOUGH_BALANCE, "not enough balance", events)


def wrong_amount(command: str, amount: int, limit: int) -> CommandRefused:
    """Return the refusal of an amount outside 1 to `limit`."""
    return CommandRefused(command, f"amount was {amount}, expected 1 to {limit}")
