"""Reads the journal's rows at a start so that none that is damaged is dropped without a word, and none keeps the others from being read.

What cannot be believed becomes a `BadRow`, which halts new risk in its market, or everywhere when it does not name one (`trading.damage`). An order
of which market, token, side, price and size can still be read counts as unknown at full size: the venue is asked for it by its id. Of one that says
less, the venue's open orders and trades tell. A fill that cannot be believed is read again from the venue. The rest is read as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from domain.fill import Fill, FillKey
from domain.halt import Halt
from domain.ledger import LedgerEntry
from domain.legs import LegGroup, LegGroupState
from domain.market import Market, MarketStatus
from domain.money import MICRO, multiply_ceil
from domain.order import Order, OrderStatus, OrderType
from domain.ports import BadRow, OrderState, QuarantinedTrade
from domain.position import Position, PositionStatus
from trading.leg_rows import decode_group, leg_markets
from trading.order_rows import decode_order
from trading.quarantine import quarantined_trade
from trading.row_checks import fill_wrong, group_wrong, order_wrong, position_wrong
from trading.row_codec import balance_entry, decode_fill, decode_halt, decode_position
from trading.row_write import to_datetime, to_ns

Row = Mapping[str, Any]

SKEW_NS = 60_000_000_000
"""How far in the future a row may lie: traders before this one may have run on another machine's clock."""
DAMAGED = "its journal row is damaged"

_ERRORS = (KeyError, ValueError, TypeError, AttributeError, OverflowError)
"""What reading a value of the wrong kind raises."""


class RowReader:
    """Reads one account's rows. `bad` is what could not be believed, `unsure_ns` from when on the venue must be asked because of it.

    Args:
        market_of: finds a market by its id; raises `KeyError`.
        since_ns: from when on rows are read, UTC nanoseconds.
        now_ns: the present, UTC nanoseconds; None where rows may lie anywhere in time.
    """

    def __init__(
        self, account: str, market_of: Callable[[str], Market], *, since_ns: int = 0, now_ns: int | None = None
    ) -> None:
        self._account = account
        self._market_of = market_of
        self._since_ns = since_ns
        self._now_ns = now_ns
        self.bad: list[BadRow] = []
        self.damaged_fills: set[FillKey] = set()
        self.unsure_ns: int | None = None

    def orders(self, rows: Iterable[Row]) -> tuple[tuple[Order, OrderState], ...]:
        found = (self._order(row) for row in rows)
        return tuple(pair for pair in found if pair is not None)

    def _order(self, row: Row) -> tuple[Order, OrderState] | None:
        try:
            order, state = decode_order(row, self._market_of)
            wrong = order_wrong(order, state, row) or self._not_yet(row, "created_at", "updated_at")
        except _ERRORS as error:
            wrong = _unreadable(error)
        if not wrong:
            return order, state
        self._note("orders", row, "id", wrong)
        self._ask_since(row, "created_at")
        return self._salvaged(row)

    def _salvaged(self, row: Row) -> tuple[Order, OrderState] | None:
        """Return the order that a damaged row speaks of, unknown at full size; None when it says too little."""
        try:
            begun = to_datetime(self._moment(row, "created_at"))
            cash = multiply_ceil(row["price_ticks"], row["size_units"])
            amounts = (cash, row["size_units"]) if row["side"] == "buy" else (row["size_units"], cash)
            spares = dict(_SPARES, maker_amount=amounts[0], taker_amount=amounts[1], intent_id=row["id"])
            mended = dict(row) | {name: spare for name, spare in spares.items() if not _fits(row.get(name), spare)}
            mended |= {"created_at": begun, "updated_at": begun, "status": OrderStatus.UNKNOWN.value, "filled_units": 0}
            if mended["order_type"] not in set(OrderType):
                mended["order_type"] = OrderType.GTC.value
            mended |= {"filled_at": None, "cancelled_at": None, "status_reason": DAMAGED}
            mended |= {name: None for name in _OPTIONAL if not _is_price(row.get(name))}
            order, state = decode_order(mended | {"expires_at": None}, self._market_of)
            return None if order_wrong(order, state, mended) else (order, state)
        except _ERRORS:
            return None

    def fills(self, rows: Iterable[Row]) -> tuple[Fill, ...]:
        found = (self._fill(row) for row in rows)
        return tuple(fill for fill in found if fill is not None)

    def _fill(self, row: Row) -> Fill | None:
        try:
            fill = decode_fill(row)
            wrong = fill_wrong(fill, self._market_of(fill.market_id).token_ids)
        except _ERRORS as error:
            wrong = _unreadable(error)
        if wrong:
            self._note("fills", row, "id", wrong)
            self._ask_since(row, "matched_at")
            self.damaged_fills.add(FillKey(str(row.get("trade_id") or ""), str(row.get("order_id") or "")))
            return None
        not_yet = self._not_yet(row, "matched_at")
        if not_yet and self._now_ns is not None:
            self._note("fills", row, "id", not_yet)
            return dataclasses.replace(fill, matched_ns=self._now_ns)
        return fill

    def positions(self, rows: Iterable[Row], fills: Iterable[Fill]) -> tuple[Position, ...]:
        """Return every position that has a row or a fill; what a damaged or missing row does not tell comes from the market."""
        found: dict[str, Position] = {}
        for row in rows:
            position = self._position(row)
            if position is not None:
                found[position.id] = position
        for fill in fills:
            if fill.position_id not in found:
                if not any(bad.table == "positions" and bad.key == fill.position_id for bad in self.bad):
                    self._note(
                        "positions", {"id": fill.position_id, "market_id": fill.market_id}, "id", "it is missing"
                    )
                found[fill.position_id] = self._from_fill(fill)
        return tuple(found.values())

    def _position(self, row: Row) -> Position | None:
        try:
            position = decode_position(row)
            wrong = position_wrong(position, self._market_of(position.market_id).token_ids)
            wrong = wrong or self._not_yet(row, "opened_at", "closed_at")
        except _ERRORS as error:
            wrong = _unreadable(error)
        if not wrong:
            return position
        self._note("positions", row, "id", wrong)
        return None

    def _from_fill(self, fill: Fill) -> Position:
        market = self._market_of(fill.market_id)
        number = market.token_index(fill.token_id)
        payout = None
        if market.status is MarketStatus.SETTLED:
            payout = MICRO // 2 if market.winner is None else MICRO * (market.winner == number)
        return Position(
            id=fill.position_id, account=self._account, market_id=market.id, token_id=fill.token_id, side=f"token{number + 1}",
            strategy=fill.strategy, settled=0, unsettled=0, cost=0, realised=0, fees=0, take_profit=None, stop_loss=None,
            opened_ns=fill.matched_ns, closed_ns=None, exit_price=None, status=PositionStatus.OPEN, payout=payout,
        )  # fmt: skip

    def halts(self, rows: Iterable[Row]) -> tuple[Halt, ...]:
        found = []
        for row in rows:
            try:
                found.append(decode_halt(row))
            except _ERRORS as error:
                self._note("halts", row, "id", f"{_unreadable(error)}; what it stopped is not known", everywhere=True)
        return tuple(found)

    def groups(self, rows: Iterable[Row]) -> tuple[tuple[LegGroup, LegGroupState], ...]:
        found = []
        for row in rows:
            try:
                group, state = decode_group(row, self._market_of)
                wrong = group_wrong(group, state) or self._not_yet(row, "created_at", "updated_at")
            except _ERRORS as error:
                wrong = _unreadable(error)
            if not wrong:
                found.append((group, state))
                continue
            for market_id in leg_markets(row) or [""]:
                self._note("leg_groups", dict(row) | {"market_id": market_id}, "id", wrong)
        return tuple(found)

    def quarantined(self, details: Iterable[tuple[Row, bool]]) -> tuple[QuarantinedTrade, ...]:
        """Return the trades of the audit log's details, and whether their halts were lifted; those of an earlier version say too little of a trade
        and are left to their market's halt.
        """
        found = []
        for detail, lifted in details:
            if "ours" not in detail:
                continue
            try:
                found.append(quarantined_trade(detail, lifted=lifted))
            except _ERRORS as error:
                row = {"id": detail.get("trade"), "market_id": detail.get("market")}
                self._note("audit_log", row, "id", _unreadable(error))
        return tuple(found)

    def balances(self, sums: Iterable[tuple[str, str, int]]) -> tuple[LedgerEntry, ...]:
        """Return the opening balances of (ledger account, asset, amount)."""
        found = []
        for ledger_account, asset, amount in sums:
            try:
                found.append(balance_entry(self._account, ledger_account, asset, amount))
            except _ERRORS as error:
                self._note("ledger_entries", {"ledger_account": ledger_account}, "ledger_account", _unreadable(error))
        return tuple(found)

    def journals(self, wrong: Iterable[tuple[str, str]]) -> None:
        """Note journals of the ledger: (journal id, what is wrong with it)."""
        for journal_id, why in wrong:
            self._note("ledger_entries", {"journal_id": journal_id}, "journal_id", why)

    def _note(self, table: str, row: Row, key: str, wrong: str, *, everywhere: bool = False) -> None:
        market_id = str(row.get("market_id") or "")
        self.bad.append(
            BadRow(
                table=table,
                key=str(row.get(key)),
                wrong=wrong,
                market_id="" if everywhere or not self._known(market_id) else market_id,
            )
        )

    def _known(self, market_id: str) -> bool:
        try:
            self._market_of(market_id)
        except KeyError:
            return False
        return True

    def _not_yet(self, row: Row, *columns: str) -> str:
        if self._now_ns is None:
            return ""
        late = [name for name in columns if row.get(name) is not None and to_ns(row[name]) > self._now_ns + SKEW_NS]
        return f"{late[0]} {row[late[0]]} has not come yet: was the machine's clock ahead?" if late else ""

    def _moment(self, row: Row, column: str) -> int:
        """Return when a damaged row says that it was written; the earliest it can be when that is not to be believed."""
        try:
            return self._since_ns if self._not_yet(row, column) else to_ns(row[column])
        except _ERRORS:
            return self._since_ns

    def _ask_since(self, row: Row, column: str) -> None:
        moment = self._moment(row, column)
        self.unsure_ns = moment if self.unsure_ns is None else min(self.unsure_ns, moment)


_SPARES: dict[str, Any] = {
    "strategy_name": "", "decision_id": "damaged", "intent_id": "", "order_type": OrderType.GTC.value, "effect": "open",
    "post_only": False, "reason": "", "leg_group": "", "payload": DAMAGED.encode(), "salt": 1, "timestamp_ms": 1, "maker_amount": 1,
    "taker_amount": 1, "signature": "", "signature_type": 0, "venue_expiration": 0, "lease_epoch": 0,
}  # fmt: skip
"""What stands in for the columns that say nothing of what the order may cost."""
_OPTIONAL = ("take_profit_ticks", "stop_loss_ticks")


def _fits(value: object, spare: object) -> bool:
    """Tell whether a value is of its column's kind, and not empty where that means damage."""
    if isinstance(spare, bytes):
        return isinstance(value, bytes | memoryview) and bool(bytes(value))
    if isinstance(spare, int) and not isinstance(spare, bool):
        return isinstance(value, int) and (value > 0 or spare == 0)
    if spare == "open":
        return value in ("open", "reduce")
    return isinstance(value, type(spare))


def _is_price(value: object) -> bool:
    return isinstance(value, int) and 0 < value < MICRO


def _unreadable(error: Exception) -> str:
    said = f"{error} is unknown" if isinstance(error, KeyError) else str(error)
    return f"it cannot be read: {said}"
