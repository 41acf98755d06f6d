"""The exchange: commands in, events out, and read-only questions in between.

A command that cannot be carried out changes nothing and is answered with a refusal; `step` never raises for what a command says. Time is
an argument and never goes back: an earlier `now_ns` counts as the latest one seen.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from itertools import takewhile
from typing import Any

from domain.fill import FillStatus
from domain.market import Market
from domain.money import MICRO
from venues.exchange import (
    cancels,
    clearing,
    commands,
    conversion,
    funds,
    housekeeping,
    listing,
    orders,
    outside,
    snapshot,
)
from venues.exchange.commands import Command
from venues.exchange.events import Balance, BookView, Event, OrderView, RestingOrder, TradeView
from venues.exchange.state import MarketRecord, State
from venues.exchange.vault import COLLATERAL


class Exchange:
    """One venue: its accounts, markets, books, orders and trades.

    Trade ids and transaction hashes derive from `venue_id` and counters, so two venues never share one. Taker fees go to `fee_account`.
    """

    def __init__(self, venue_id: str, fee_account: str = "venue") -> None:
        self._state = State(venue_id, fee_account)

    def step(self, now_ns: int, command: Command) -> list[Event]:
        """Let time pass up to `now_ns`, carry out `command` and return all that happened, the command's answer last."""
        state = self._state
        events: list[Event] = []
        housekeeping.pass_time(state, now_ns, events)
        answer = _HANDLERS[type(command)](state, command, events)
        if state.dirty:
            state.drain_book_changes(events)
        if answer is not None:
            events.append(answer)
        return events

    @property
    def venue_id(self) -> str:
        return self._state.venue_id

    @property
    def fee_account(self) -> str:
        return self._state.fee_account

    @property
    def now_ns(self) -> int:
        """Return the latest time seen."""
        return self._state.now_ns

    @property
    def next_due_ns(self) -> int | None:
        """Return when the next order may be released or stopped; send `Advance` then. It may turn out that nothing is due."""
        return self._state.timers[0][0] if self._state.timers else None

    def market(self, condition_id: str) -> Market | None:
        """Return a market as it stands (tick, status, winner, accepting), None when unknown."""
        record = self._state.markets.get(condition_id)
        return record.market if record is not None else None

    def market_of(self, token_id: str) -> Market | None:
        """Return the market of a token, None when unknown."""
        record = self._state.by_token.get(token_id)
        return record.market if record is not None else None

    def markets(self) -> list[Market]:
        """Return all remembered markets in the order in which they were listed, resolved ones too."""
        return [record.market for record in self._state.markets.values()]

    def payouts(self, condition_id: str) -> tuple[int, int] | None:
        """Return micro-dollars a share of both tokens, None before the market is resolved."""
        record = self._state.markets.get(condition_id)
        return record.payouts if record is not None else None

    def collateral(self, condition_id: str) -> int:
        """Return the collateral that backs a market's outstanding tokens; 0 for an unknown market."""
        record = self._state.markets.get(condition_id)
        return record.collateral if record is not None else 0

    def book(self, token_id: str) -> BookView | None:
        """Return a token's book, best levels last; None when there is none (unknown or resolved market, or one that lost it)."""
        record = self._open_market(token_id)
        if record is None:
            return None
        bids, asks = record.book.levels()
        last = record.last_price
        if token_id != record.market.token_ids[0]:
            bids, asks = [(MICRO - p, s) for p, s in asks], [(MICRO - p, s) for p, s in bids]
            last = MICRO - last if last is not None else None
        return BookView(token_id, record.market.condition_id, bids, asks, record.market.tick, last)

    def best(self, token_id: str) -> tuple[int, int]:
        """Return (best bid, best ask); an empty side, or no book at all, reads 0 and 1_000_000."""
        record = self._open_market(token_id)
        if record is None:
            return 0, MICRO
        book = record.book
        if token_id == record.market.token_ids[0]:
            return book.best_bid, book.best_ask
        return MICRO - book.best_ask, MICRO - book.best_bid

    def resting(self, condition_id: str) -> list[RestingOrder]:
        """Return every order in a market's book, best prices last, the oldest first at one price; nothing where there is no book."""
        record = self._state.markets.get(condition_id)
        if record is None or not record.readable:
            return []
        return [
            RestingOrder(order.id, order.account, is_bid, key * side.sign, order.remaining, order.created_ns)
            for is_bid, side in ((True, record.book.bids), (False, record.book.asks))
            for key in side.keys
            for order in side.levels[key * side.sign].orders.values()
        ]

    def order(self, order_id: str) -> OrderView | None:
        """Return one order, None when it was never taken or is forgotten."""
        order = self._state.orders.get(order_id)
        return order.view() if order is not None else None

    def orders(self, account: str) -> list[OrderView]:
        """Return all remembered orders of an account, oldest first."""
        return [order.view() for order in self._state.orders_of.get(account, {}).values()]

    def open_orders(self, account: str) -> list[OrderView]:
        """Return the live and delayed orders of an account, oldest first."""
        return [order.view() for order in self._state.open_of.get(account, {}).values()]

    def trade(self, trade_id: str) -> TradeView | None:
        """Return one trade, None when it is unknown or forgotten."""
        trade = self._state.trades.get(trade_id)
        return trade.view() if trade is not None else None

    def trades(self, account: str, after_ns: int = 0) -> list[TradeView]:
        """Return the trades, matched at or after `after_ns`, in which an account took part as taker or maker; oldest first."""
        newest_first = reversed(self._state.trades_of.get(account, {}).values())
        return [trade.view() for trade in takewhile(lambda trade: trade.matched_ns >= after_ns, newest_first)][::-1]

    def unsettled_trades(self) -> list[TradeView]:
        """Return the trades that are neither confirmed nor failed, oldest first."""
        return [trade.view() for trade in self._state.unsettled.values()]

    def balance(self, account: str, token_id: str = COLLATERAL) -> Balance:
        """Return an account's collateral, or its holding of one token."""
        holding = self._state.vault.holdings.get(account, {}).get(token_id)
        return holding.view() if holding is not None else Balance()

    def mined_change(self, account: str, token_id: str = COLLATERAL) -> int:
        """Return what trades that are mined but not confirmed will have changed of a holding: the chain shows it already."""
        change = 0
        for trade in self._state.unsettled.values():
            if trade.status is FillStatus.MINED:
                for leg in clearing.legs(trade, self._state.fee_account):
                    if leg.account == account:
                        change += leg.gotten * (leg.gets == token_id) - leg.given * (leg.gives == token_id)
        return change

    def balances(self, account: str) -> dict[str, Balance]:
        """Return every holding of an account by token id, collateral under ""."""
        holdings = self._state.vault.holdings.get(account, {})
        return {asset: holding.view() for asset, holding in sorted(holdings.items())}

    def accounts(self) -> list[str]:
        """Return the names of all accounts that hold, or ever held, anything; sorted."""
        return sorted(self._state.vault.holdings)

    @property
    def deposited(self) -> int:
        """Return all deposits less all withdrawals."""
        return self._state.vault.deposited - self._state.vault.withdrawn

    def dump(self) -> bytes:
        """Return the whole state; `load` makes the same exchange of it. Equal states have equal dumps."""
        return snapshot.dump(self._state)

    @classmethod
    def load(cls, dump: bytes) -> Exchange:
        """Return the exchange that was dumped.

        Raises:
            ValueError: `dump` is no snapshot, or one of another version.
        """
        state = snapshot.load(dump)
        exchange = cls(state.venue_id, state.fee_account)
        exchange._state = state
        return exchange

    def state_hash(self) -> str:
        """Return the SHA-256 of `dump()`."""
        return sha256(self.dump()).hexdigest()

    def _open_market(self, token_id: str) -> MarketRecord | None:
        record = self._state.by_token.get(token_id)
        return record if record is not None and record.readable else None


_HANDLERS: dict[type[Command], Callable[[State, Any, list[Event]], Event | None]] = {
    commands.PlaceOrder: orders.place,
    commands.Quote: outside.quote,
    commands.Hit: outside.hit,
    commands.SetTerms: listing.set_terms,
    commands.CancelOrders: cancels.cancel_orders,
    commands.CancelAll: cancels.cancel_all,
    commands.CancelMarketOrders: cancels.cancel_market_orders,
    commands.Settle: clearing.settle,
    commands.Deposit: funds.deposit,
    commands.Withdraw: funds.withdraw,
    commands.Split: funds.split,
    commands.Merge: funds.merge,
    commands.Redeem: funds.redeem,
    commands.RedeemAll: funds.redeem_all,
    commands.Transfer: funds.transfer,
    commands.Convert: conversion.convert,
    commands.ListMarket: listing.list_market,
    commands.SetTick: listing.set_tick,
    commands.SetAccepting: listing.set_accepting,
    commands.SetBook: listing.set_book,
    commands.SetDelay: listing.set_delay,
    commands.EndOrders: listing.end_orders,
    commands.LoseOrders: listing.lose_orders,
    commands.Resolve: listing.resolve,
    commands.Advance: housekeeping.advance,
    commands.Prune: housekeeping.prune,
}
