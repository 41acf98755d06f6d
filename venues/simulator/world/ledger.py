"""The index behind the Data API: every wallet's activity, positions and totals, and every market's latest trades, as the chain settled them.

It hears confirmed trades and funds that moved, nothing else: a match that fails never appears. One match is one row for its taker and one
for each maker. Of each wallet the newest `KEPT_OF_WALLET` rows stay, of each market the newest `KEPT_OF_MARKET`; totals count everything.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable

import msgspec

from domain.money import MICRO
from domain.order import OrderSide
from venues.exchange.events import FundsMoved, FundsReason, TradeView
from venues.simulator.world.listings import Listing
from venues.simulator.world.positions import Position, Positions
from venues.simulator.world.universe import NANOS

KEPT_OF_WALLET = 2_000
KEPT_OF_MARKET = 400
KEPT_HOURS = 24 * 31
_HOUR_S = 3600

KINDS = {
    FundsReason.DEPOSIT: "DEPOSIT",
    FundsReason.WITHDRAWAL: "WITHDRAWAL",
    FundsReason.SPLIT: "SPLIT",
    FundsReason.MERGE: "MERGE",
    FundsReason.REDEMPTION: "REDEEM",
    FundsReason.CONVERSION: "CONVERSION",
    FundsReason.REWARD: "REWARD",
    FundsReason.MAKER_REBATE: "MAKER_REBATE",
}
"""Activity types by why funds moved. Transfers of cash are deposits and withdrawals; transfers of tokens are no activity."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One row of activity. For trades `side` is the wallet's own, `price`, `size` and `cash` are its fill's, `taker` tells its part; other
    rows have an amount only (`cash`, unsigned) and, when they concern a market, its condition."""

    number: int
    kind: str
    wallet: str
    condition_id: str
    at_s: int
    transaction_hash: str
    cash: int
    token_id: str = ""
    side: str = ""
    price: int = 0
    size: int = 0
    fee: int = 0
    taker: bool = False


class Totals(msgspec.Struct):
    """What a wallet did in all: shares and dollars traded, fees, income and profit realised, micro-units; times Unix seconds."""

    first_s: int = 0
    trades: int = 0
    shares: int = 0
    cash: int = 0
    fees: int = 0
    realized: int = 0
    biggest_win: int = 0
    rewards: int = 0
    rebates: int = 0
    deposits: int = 0
    withdrawals: int = 0


class Hour(msgspec.Struct, frozen=True, array_like=True):
    """A wallet's totals at the end of one hour in which something happened."""

    end_s: int
    totals: Totals


class _Stored(msgspec.Struct):
    number: int
    entries: dict[str, list[Entry]]
    tape: dict[str, list[Entry]]
    totals: dict[str, Totals]
    hours: dict[str, list[Hour]]
    held: dict[str, dict[str, Position]]


_decode = msgspec.msgpack.Decoder(_Stored).decode


class Ledger:
    """Activity, positions and totals. `entries` is by wallet, `tape` by condition, both oldest first; `hours` are past totals by wallet."""

    def __init__(self, venue_id: str) -> None:
        self.entries: dict[str, deque[Entry]] = {}
        self.tape: dict[str, deque[Entry]] = {}
        self.totals: dict[str, Totals] = {}
        self.hours: dict[str, deque[Hour]] = {}
        self.positions = Positions()
        self._venue_id = venue_id
        self._number = 0

    def confirmed(self, trade: TradeView) -> None:
        """Book a trade that was confirmed: first its taker's row, then its makers'."""
        at_s = trade.updated_ns // NANOS
        self._trade(
            trade, trade.account, trade.token_id, trade.side, trade.price, trade.size, trade.cash, at_s, taker=True
        )
        for fill in trade.makers:
            self._trade(
                trade, fill.account, fill.token_id, fill.side, fill.price, fill.size, fill.cash, at_s, taker=False
            )

    def moved(self, event: FundsMoved, payouts: dict[str, int], now_ns: int, transaction_hash: str = "") -> None:
        """Book funds that moved outside trading; `payouts` are the market's, by token, once it is resolved.

        Without a `transaction_hash` the row gets one of its own: the move was the venue's, not one of the chain it simulates.
        """
        at_s = now_ns // NANOS
        totals = self._totals(event.account, at_s)
        realized = self.positions.moved(event, payouts, at_s)
        totals.realized += realized
        totals.biggest_win = max(totals.biggest_win, realized)
        kind = _kind(event)
        if kind == "DEPOSIT":
            totals.deposits += event.cash
        elif kind == "WITHDRAWAL":
            totals.withdrawals -= event.cash
        elif kind == "REWARD":
            totals.rewards += event.cash
        elif kind == "MAKER_REBATE":
            totals.rebates += event.cash
        if not kind:
            return
        made_up = "0x" + hashlib.sha256(f"{self._venue_id}/funds/{self._number}".encode()).hexdigest()
        size = max((abs(amount) for amount in event.tokens.values()), default=0)
        cash = size if kind == "CONVERSION" else abs(event.cash)
        self._add(
            Entry(
                self._number,
                kind,
                event.account,
                event.condition_id,
                at_s,
                transaction_hash or made_up,
                cash,
                size=size,
            )
        )

    def volume(self, wallet: str, since_s: int) -> int:
        """Return the micro-dollars a wallet traded since `since_s`, to the hour."""
        totals = self.totals.get(wallet)
        if totals is None:
            return 0
        before = (hour.totals.cash for hour in reversed(self.hours.get(wallet, ())) if hour.end_s <= since_s)
        return totals.cash - next(before, 0)

    def forget(self, listings: Iterable[Listing]) -> None:
        """Drop positions and trades of markets that are listed no longer; activity and totals stay."""
        tokens: set[str] = set()
        for listing in listings:
            self.tape.pop(listing.spec.condition_id, None)
            tokens.update(listing.spec.token_ids)
        self.positions.forget(tokens)

    def _trade(
        self,
        trade: TradeView,
        wallet: str,
        token_id: str,
        side: OrderSide,
        price: int,
        size: int,
        cash: int,
        at_s: int,
        *,
        taker: bool,
    ) -> None:
        fee = trade.fee if taker else 0
        totals = self._totals(wallet, at_s)
        position = self.positions.of(wallet, token_id)
        if side is OrderSide.BUY:
            position.buy(size, cash, fee, at_s)
        else:
            realized = position.sell(size, cash, at_s)
            totals.realized += realized
            totals.biggest_win = max(totals.biggest_win, realized)
        totals.trades += 1
        totals.shares += size
        totals.cash += cash
        totals.fees += fee
        entry = Entry(
            self._number,
            "TRADE",
            wallet,
            trade.condition_id,
            at_s,
            trade.transaction_hash,
            cash,
            token_id,
            side.name,
            cash * MICRO // size,
            size,
            fee,
            taker,
        )
        self._add(entry)
        self.tape.setdefault(trade.condition_id, deque(maxlen=KEPT_OF_MARKET)).append(entry)

    def _add(self, entry: Entry) -> None:
        self._number += 1
        self.entries.setdefault(entry.wallet, deque(maxlen=KEPT_OF_WALLET)).append(entry)

    def _totals(self, wallet: str, at_s: int) -> Totals:
        """Return a wallet's live totals; those of an hour that is over are kept before the first change in a later one."""
        totals = self.totals.get(wallet)
        if totals is None:
            totals = self.totals[wallet] = Totals(first_s=at_s)
        past = self.hours.setdefault(wallet, deque(maxlen=KEPT_HOURS))
        end_s = (at_s // _HOUR_S) * _HOUR_S
        if totals.trades and (not past or past[-1].end_s < end_s):
            past.append(Hour(end_s, msgspec.structs.replace(totals)))
        return totals

    def __getstate__(self) -> tuple[str, bytes]:
        """Return the state as one block of bytes: snapshots stay quick however long the history is."""
        stored = _Stored(
            self._number,
            {wallet: list(rows) for wallet, rows in self.entries.items()},
            {condition_id: list(rows) for condition_id, rows in self.tape.items()},
            self.totals,
            {wallet: list(rows) for wallet, rows in self.hours.items()},
            self.positions.held,
        )
        return self._venue_id, msgspec.msgpack.encode(stored)

    def __setstate__(self, state: tuple[str, bytes]) -> None:
        self._venue_id, encoded = state
        stored = _decode(encoded)
        self._number = stored.number
        self.entries = {wallet: deque(rows, KEPT_OF_WALLET) for wallet, rows in stored.entries.items()}
        self.tape = {condition_id: deque(rows, KEPT_OF_MARKET) for condition_id, rows in stored.tape.items()}
        self.totals = stored.totals
        self.hours = {wallet: deque(rows, KEPT_HOURS) for wallet, rows in stored.hours.items()}
        self.positions = Positions(stored.held)


def _kind(event: FundsMoved) -> str:
    """Return the activity type of funds that moved, "" when that is no activity."""
    if event.reason is FundsReason.TRANSFER:
        return "" if event.tokens else "DEPOSIT" if event.cash > 0 else "WITHDRAWAL"
    return KINDS[event.reason]
