"""The exchange: commands in, events out, and read-only questions in between.

A command that cannot be carried out changes nothing and is answered with a refusal; `step` never raises for what a command says. Time is
an argument and never goes back: an earlier `now_ns` counts as the latest one seen.
"""

from __future__ import annotations

from domain.market import Market
from venues.exchange.commands import Command
from venues.exchange.events import Balance, BookView, Event, OrderView, TradeView


class Exchange:
    """One venue: its accounts, markets, books, orders and trades.

    Trade ids and transaction hashes derive from `venue_id` and counters, so two venues never share one. Taker fees go to `fee_account`.
    """

    def __init__(self, venue_id: str, fee_account: str = "venue") -> None: ...

    def step(self, now_ns: int, command: Command) -> list[Event]:
        """Let time pass up to `now_ns`, carry out `command` and return all that happened, the command's answer last."""

    @property
    def now_ns(self) -> int:
        """Return the latest time seen."""

    @property
    def next_due_ns(self) -> int | None:
        """Return when the next delayed order is released or GTD order stops; send `Advance` then."""

    def market(self, condition_id: str) -> Market | None:
        """Return a market as it stands (tick, status, winner, accepting), None when unknown."""

    def market_of(self, token_id: str) -> Market | None: ...
    def markets(self) -> list[Market]: ...
    def payouts(self, condition_id: str) -> tuple[int, int] | None:
        """Return micro-dollars a share of both tokens, None before the market is resolved."""

    def book(self, token_id: str) -> BookView | None:
        """Return a token's book, best levels last; None when there is none (unknown token, resolved market)."""

    def best(self, token_id: str) -> tuple[int, int]:
        """Return (best bid, best ask); an empty side reads 0 and 1_000_000."""

    def order(self, order_id: str) -> OrderView | None: ...
    def orders(self, account: str) -> list[OrderView]:
        """Return all remembered orders of an account, oldest first."""

    def open_orders(self, account: str) -> list[OrderView]: ...
    def trade(self, trade_id: str) -> TradeView | None: ...
    def trades(self, account: str) -> list[TradeView]:
        """Return all remembered trades in which an account took part, as taker or maker, oldest first."""

    def unsettled_trades(self) -> list[TradeView]:
        """Return the trades that are neither confirmed nor failed, oldest first."""

    def balance(self, account: str, token_id: str = "") -> Balance:
        """Return an account's collateral, or its holding of one token."""

    def balances(self, account: str) -> dict[str, Balance]:
        """Return every holding of an account by token id, collateral under ""."""

    def accounts(self) -> list[str]: ...
    def dump(self) -> bytes:
        """Return the whole state; `load` makes the same exchange of it. Equal states have equal dumps."""

    @classmethod
    def load(cls, dump: bytes) -> Exchange: ...
    def state_hash(self) -> str:
        """Return the SHA-256 of `dump()`."""
