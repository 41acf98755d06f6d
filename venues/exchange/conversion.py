"""Converting NO tokens of an exclusive (neg-risk) set: of several markets exactly one pays YES, so n NO tokens are worth n - 1 dollars and
one YES of every other market.

The pool that stands behind a set is advanced the collateral it hands out and locks; the NO tokens it collects (as many of every market of the
set) pay exactly that back when the set resolves. Every market stays fully backed all the while.
"""

from __future__ import annotations

from venues.exchange.commands import Convert
from venues.exchange.events import CommandRefused, Event, FundsMoved, FundsReason
from venues.exchange.funds import MAX_DEPOSITED, free, wrong_amount
from venues.exchange.state import MarketRecord, State
from venues.exchange.vault import COLLATERAL


def convert(state: State, command: Convert, events: list[Event]) -> Event:
    records = [state.markets.get(condition_id) for condition_id in command.condition_ids]
    chosen = set(command.given)
    if not chosen <= set(range(len(records))) or not chosen or len(chosen) != len(command.given):
        return CommandRefused("Convert", f"given was {command.given}, expected indexes of the set")
    found = [record for record in records if record is not None and record.payouts is None]
    if len(found) != len(records):
        return CommandRefused("Convert", "a market of the set is not known or already resolved")
    advance = (len(records) - 1) * command.amount
    limit = min(state.vault.movable(command.account, found[index].market.token_ids[1]) for index in chosen)
    if not 0 < command.amount <= limit or state.vault.deposited + advance > MAX_DEPOSITED:
        return wrong_amount("Convert", command.amount, limit)
    if not 0 <= command.fee <= command.amount:
        return CommandRefused("Convert", f"fee was {command.fee}, expected 0 to {command.amount}")
    for index in sorted(chosen):
        free(state, command.account, found[index].market.token_ids[1], command.amount, events)
    return _convert(state, command, found, events)


def _convert(state: State, command: Convert, records: list[MarketRecord], events: list[Event]) -> Event:
    """Move what a checked conversion moves; tell the pool's part first."""
    brought, kept = command.amount - command.fee, command.fee
    state.vault.deposited += (len(records) - 1) * command.amount
    ours, pools = dict[str, int](), dict[str, int]()
    for index, record in enumerate(records):
        yes, no = record.market.token_ids
        pools[no] = command.amount
        if index in command.given:
            ours[no] = -command.amount
            continue
        record.collateral += command.amount
        ours[yes] = brought
        pools[yes] = kept
    cash = len(command.given) - 1
    first = records[command.given[0]].market.condition_id
    events.append(_moved(state, command.pool, first, cash * kept, pools))
    return _moved(state, command.account, first, cash * brought, ours)


def _moved(state: State, account: str, condition_id: str, cash: int, tokens: dict[str, int]) -> FundsMoved:
    state.vault.holding(account, COLLATERAL).settled += cash
    for token_id, change in tokens.items():
        state.vault.holding(account, token_id).settled += change
    moved = {token_id: change for token_id, change in tokens.items() if change}
    return FundsMoved(account, FundsReason.CONVERSION, condition_id, cash, moved)
