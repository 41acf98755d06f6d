"""The inbox: operators' commands for one account, carried out by its trader alone, each once, none after it expired.

PostgreSQL's notification wakes the inbox, a slow poll catches what a lost connection missed. A halt works without Redis and without the web
process: the row is enough. It goes before any order, and waits for no other command: what waits for the venue is carried out beside the rest. Halts
and what lifts them keep the order in which they were issued. Every command ends `done`, `refused` (with the reason and the fix) or `expired`.
One whose carrying out fails in an unforeseen way is refused too, so that it cannot fail again after every restart, and the error goes on to stop
the trader.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import structlog

from domain.errors import JournalUnavailableError, PolybotError
from infra.endings import end_tasks
from trading.desk import describe
from trading.journal_load import Connection
from trading.lease import DatabaseCalls

CHANNEL = "polybot_commands"
"""PostgreSQL notifies here when a command is committed."""
POLL_SECONDS = 1.0
RECONNECT_SECONDS = 2.0
BESIDE = frozenset({"cancel", "cancel_all", "halt", "flatten"})
"""Kinds that wait for the venue: each begins in its turn, and the next does not wait for its end. A restart begins them again."""
MOST_BESIDE = 32
"""So many are carried out at once; beyond that only halts and what lifts them begin."""

_log = structlog.get_logger(__name__)

_NEXT = """
SELECT id, kind, payload, issued_by, expires_at <= now() OR issued_at > now() + interval '5 seconds' AS expired
FROM commands WHERE account = %s AND status = 'pending' AND NOT id = ANY(%s) AND (kind IN ('halt', 'flatten', 'resume') OR NOT %s)
ORDER BY kind IN ('halt', 'flatten', 'resume') DESC, issued_at, id LIMIT 1
"""
_REPORT = "UPDATE commands SET result = %s WHERE id = %s AND status = 'pending'"
_FINISH = "UPDATE commands SET status = %s, result = %s, finished_at = now() WHERE id = %s AND status = 'pending'"


async def _unheard(_progress: dict[str, Any]) -> None:
    """Take a report that nobody waits for."""


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command as issued; `payload` is what `trading.commands` documents for its kind. `report` says how far a long one is."""

    id: str
    kind: str
    payload: dict[str, Any]
    issued_by: str
    expired: bool
    report: Callable[[dict[str, Any]], Awaitable[object]] = field(default=_unheard, compare=False)


Handler = Callable[[PendingCommand], Awaitable[dict[str, Any]]]


class Inbox:
    """Reads the commands of `account` and hands them to `handle`, which returns the result or raises `PolybotError`/`ValueError` to refuse.

    While `holds_lease` is false nothing is read: a trader that slept through the end of its lease must not answer what its successor has to do.
    """

    def __init__(
        self,
        conninfo: str,
        call: DatabaseCalls,
        handle: Handler,
        *,
        account: str,
        holds_lease: Callable[[], bool] = lambda: True,
    ) -> None:
        self._conninfo = conninfo
        self._account = account
        self._call = call
        self._handle = handle
        self._holds_lease = holds_lease
        self._wake = asyncio.Event()
        self._beside: dict[str, asyncio.Task[None]] = {}
        self._unanswered: dict[str, tuple[str, dict[str, Any]]] = {}
        self._away = False

    async def run(self) -> None:
        """Serve until cancelled."""
        listener = asyncio.create_task(self._listen())
        try:
            while True:
                await self._serve_if_possible()
                self._wake.clear()
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            await end_tasks((listener, *self._beside.values()))

    async def _serve_if_possible(self) -> None:
        try:
            await self._write_answers()
            await self.serve_pending()
        except JournalUnavailableError as error:
            if not self._away:
                _log.warning("commands cannot be read or answered now, trying again", error=str(error))
            self._away = True
        else:
            self._away = False

    async def _listen(self) -> None:
        lost = False
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    lost = False
                    async for _ in connection.notifies():
                        self._wake.set()
            except psycopg.Error as error:
                if not lost:
                    _log.warning("command notifications lost, polling", error=str(error))
                lost = True
                await asyncio.sleep(RECONNECT_SECONDS)

    async def serve_pending(self) -> int:
        """Begin what is pending, one command after the other; returns how many that were."""
        served = 0
        self._end_beside()
        while (command := await self._next()) is not None:
            if command.kind in BESIDE:
                command = replace(command, report=partial(self._report, command.id))
                task = self._beside[command.id] = asyncio.create_task(self._serve_one(command))
                task.add_done_callback(lambda _: self._wake.set())
            else:
                await self._serve_one(command)
            served += 1
        return served

    async def _next(self) -> PendingCommand | None:
        if not self._holds_lease():
            return None
        busy = len(self._beside) >= MOST_BESIDE
        taken = [*self._beside, *self._unanswered]
        return await self._call(partial(_read_next, account=self._account, but=taken, busy=busy))

    def _end_beside(self) -> None:
        """Forget commands that are over; the failure of one goes on."""
        for command_id, task in list(self._beside.items()):
            if task.done():
                del self._beside[command_id]
                task.result()

    async def _report(self, command_id: str, progress: dict[str, Any]) -> None:
        try:
            await self._call(lambda connection: connection.execute(_REPORT, [json.dumps(progress), command_id]))
        except JournalUnavailableError as error:
            _log.debug("progress not written", command=command_id, error=str(error))

    async def _serve_one(self, command: PendingCommand) -> None:
        try:
            status, result = await self._serve(command)
        except Exception as error:
            refused = {"detail": f"the command failed unexpectedly: {describe(error)}"}
            await self._answer(command.id, "refused", refused)
            raise
        await self._answer(command.id, status, result)

    async def _answer(self, command_id: str, status: str, result: dict[str, Any]) -> None:
        """Write an answer, or keep it until that is possible."""
        self._unanswered[command_id] = status, result
        try:
            await self._call(partial(_finish, command_id=command_id, status=status, result=result))
        except JournalUnavailableError as error:
            _log.warning("the answer to a command waits for the database", command=command_id, error=str(error))
        else:
            # Whoever writes what was left unanswered may have been quicker.
            self._unanswered.pop(command_id, None)

    async def _write_answers(self) -> None:
        for command_id, (status, result) in list(self._unanswered.items()):
            await self._call(partial(_finish, command_id=command_id, status=status, result=result))
            self._unanswered.pop(command_id, None)

    async def _serve(self, command: PendingCommand) -> tuple[str, dict[str, Any]]:
        if command.expired:
            return "expired", {"detail": "the command expired before the trader saw it; issue it again"}
        try:
            result = await self._handle(command)
        except (PolybotError, ValueError, KeyError) as error:
            _log.info("command refused", kind=command.kind, by=command.issued_by, error=str(error))
            return "refused", {"detail": f"missing {error}" if isinstance(error, KeyError) else str(error)}
        _log.info("command done", kind=command.kind, by=command.issued_by)
        return "done", result


def _finish(connection: Connection, *, command_id: str, status: str, result: dict[str, Any]) -> None:
    connection.execute(_FINISH, [status, json.dumps(result), command_id])


def _read_next(connection: Connection, *, account: str, but: Sequence[str], busy: bool) -> PendingCommand | None:
    row = connection.execute(_NEXT, [account, [UUID(each) for each in but], busy]).fetchone()
    if row is None:
        return None
    return PendingCommand(str(row["id"]), row["kind"], row["payload"], row["issued_by"], row["expired"])
