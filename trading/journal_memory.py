"""A journal in memory for simulations and tests: the same rows through the same codec, and the tables survive the trader that wrote them.

`MemoryTables` is the disk: hand the same one to a new `MemoryJournal` and it is a restart. Writes become durable `delay` seconds after they were
submitted, all at once and in order, as a group commit does.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from domain.errors import JournalError, LeaseLostError
from domain.halt import HaltScope
from domain.market import Market
from domain.ports import JournalRow, JournalState, ProfitSpan
from trading.quarantine import LEFT, QUARANTINED
from trading.row_codec import encode
from trading.row_reader import RowReader
from trading.row_write import Columns, Verb, Write, to_datetime, to_ns


class MemoryTables:
    """Tables as lists of columns, with the keys that PostgreSQL would enforce."""

    UNIQUE: ClassVar[dict[str, tuple[tuple[str, ...], ...]]] = {
        "orders": (("id",), ("decision_id",)),
        "fills": (("account", "trade_id", "order_id"),),
        "positions": (("id",),),
        "ledger_entries": (("account", "journal_id", "ledger_account", "asset"),),
        "leg_groups": (("id",),),
        "arb_executions": (("id",),),
        "arb_execution_legs": (("execution_id", "number"),),
    }

    def __init__(self) -> None:
        self.rows: defaultdict[str, list[Columns]] = defaultdict(list)
        self._index: defaultdict[tuple[str, tuple[str, ...]], dict[tuple[object, ...], Columns]] = defaultdict(dict)
        self.epochs: dict[str, int] = {}
        self.lease_ends: dict[str, float] = {}

    def apply(self, writes: Sequence[Write]) -> None:
        """Write all or nothing; raises `JournalError` for what the tables forbid."""
        for write in writes:
            self._check(write)
        for write in writes:
            found = self._find(write) if write.key else None
            if found is not None:
                found.update(write.columns)
            else:
                row = dict(write.columns)
                self.rows[write.table].append(row)
                for key in self.UNIQUE.get(write.table, ()):
                    self._index[write.table, key][tuple(row[c] for c in key)] = row

    def row(self, table: str, key: tuple[str, ...], values: tuple[object, ...]) -> Columns | None:
        """Return the row of a unique key, None when there is none."""
        return self._index[table, key].get(values)

    def _check(self, write: Write) -> None:
        if write.verb is Verb.UPDATE and self._find(write) is None:
            raise JournalError(f"no row of {write.table} to update for {[write.columns[c] for c in write.key]}")
        if write.verb is Verb.INSERT:
            for key in self.UNIQUE.get(write.table, ()):
                if tuple(write.columns[c] for c in key) in self._index[write.table, key]:
                    raise JournalError(f"{write.table} has a row with {key} {[write.columns[c] for c in key]} already")

    def _find(self, write: Write) -> Columns | None:
        wanted = tuple(write.columns[c] for c in write.key)
        if write.key in self.UNIQUE.get(write.table, ()):
            return self.row(write.table, write.key, wanted)
        return next((row for row in self.rows[write.table] if tuple(row[c] for c in write.key) == wanted), None)


class MemoryJournal:
    """The `Journal` port over `MemoryTables`, fenced by the lease epoch as the real one is."""

    def __init__(
        self,
        tables: MemoryTables,
        account: str,
        epoch: Callable[[], int],
        market_of: Callable[[str], Market],
        *,
        delay: float = 0.001,
    ) -> None:
        self._tables = tables
        self._account = account
        self._epoch = epoch
        self._market_of = market_of
        self._delay = delay
        self._queue: list[tuple[list[Write], asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self.heard: Callable[[str], None] = lambda _: None

    def submit(self, rows: Sequence[JournalRow]) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._queue.append(([encode(row) for row in rows], done))
        if self._timer is None:
            self._timer = loop.call_later(self._delay, self._commit)
        return done

    def record(self, rows: Sequence[JournalRow]) -> asyncio.Future[None]:
        """Memory can always be written: nothing ever waits."""
        return self.submit(rows)

    def watch(self, heard: Callable[[str], None]) -> None:
        self.heard = heard

    def _commit(self) -> None:
        self._timer = None
        batch, self._queue = self._queue, []
        for writes, done in batch:
            error = self._write(writes)
            # Who gave up waiting does not hear of it; the rows are written all the same.
            if done.cancelled():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    def _write(self, writes: Sequence[Write]) -> JournalError | LeaseLostError | None:
        if self._epoch() != self._tables.epochs.get(self._account, 0):
            return LeaseLostError(f"the lease of {self._account} has a newer epoch")
        try:
            self._tables.apply(writes)
        except JournalError as error:
            return error
        return None

    async def load(self) -> JournalState:
        mine = {table: [r for r in rows if r["account"] == self._account] for table, rows in self._tables.rows.items()}
        balances: defaultdict[tuple[str, str], int] = defaultdict(int)
        for row in mine.get("ledger_entries", []):
            balances[row["ledger_account"], row["asset"]] += row["amount_units"]
        reader = RowReader(self._account, self._market_of)
        incomes = [row for row in mine.get("ledger_entries", []) if row["ledger_account"] == "rewards"]
        orders, fills = reader.orders(mine.get("orders", [])), reader.fills(mine.get("fills", []))
        return JournalState(
            orders=orders,
            fills=fills,
            ledger=reader.balances((*key, amount) for key, amount in balances.items()),
            positions=reader.positions(mine.get("positions", []), fills),
            halts=reader.halts(row for row in mine.get("halts", []) if row["lifted_at"] is None),
            opened_ns=min((to_ns(row["created_at"]) for row in mine.get("ledger_entries", [])), default=None),
            incomes=frozenset(row["journal_id"] for row in incomes),
            income_ns=max((to_ns(row["created_at"]) for row in incomes), default=None),
            groups=reader.groups(mine.get("leg_groups", [])),
            bad=tuple(reader.bad),
            damaged_fills=frozenset(reader.damaged_fills),
            unsure_ns=reader.unsure_ns,
            quarantined=reader.quarantined(_quarantined(mine)),
        )

    async def profits(self, since_ns: int, limit: str) -> ProfitSpan | None:
        lifted = [
            row["lifted_at"]
            for row in self._tables.rows["halts"]
            if (row["account"], row["scope"], row["target"]) == (self._account, "all", limit) and row["lifted_at"]
        ]
        since = max([to_datetime(since_ns), *lifted])
        found = [
            row["realised_units"] - row["fees_units"] + row["inventory_value_units"] - row["inventory_cost_units"]
            for row in self._tables.rows["equity_snapshots"]
            if row["account"] == self._account and row["created_at"] >= since
        ]
        return ProfitSpan(found[0], max(found)) if found else None

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._commit()


def _quarantined(rows: Mapping[str, list[Columns]]) -> Iterator[tuple[Columns, bool]]:
    """Yield the details that `SELECT_QUARANTINED` selects, and whether their halts were lifted. A memory journal reaches back to its beginning."""
    lifted: defaultdict[str, list[datetime]] = defaultdict(list)
    for row in rows.get("halts", []):
        if row["scope"] == HaltScope.MARKET.value and row["lifted_at"] is not None:
            lifted[row["target"]].append(row["lifted_at"])
    newest: dict[tuple[str, str], tuple[Columns, Columns]] = {}
    for row in rows.get("audit_log", []):
        if row["event"] in (QUARANTINED, LEFT):
            detail = json.loads(row["detail"])
            newest[detail["trade"], detail["order"]] = row, detail
    for row, detail in newest.values():
        if row["event"] == QUARANTINED:
            yield detail, any(moment >= row["created_at"] for moment in lifted[detail["market"]])
