"""The inbox: operators' commands for one account, carried out by its trader alone, each once, none after it expired.

PostgreSQL's notification wakes the inbox, a slow poll catches what a lost connection missed. A halt works without Redis and without the web
process, and before any other command: the row is enough. Every command ends `done`, `refused` (with the reason and the fix) or `expired`. One whose
carrying out fails in an unforeseen way is refused too, so that it cannot fail again after every restart, and the error goes on to stop the trader.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import structlog

from domain.errors import PolybotError
from infra.endings import end_tasks
from trading.desk import describe
from trading.journal_load import Connection
from trading.lease import DatabaseCalls

CHANNEL = "polybot_commands"
"""PostgreSQL notifies here when a command is committed."""
POLL_SECONDS = 1.0
RECONNECT_SECONDS = 2.0

_log = structlog.get_logger(__name__)

_NEXT = """
SELECT id, kind, payload, issued_by, expires_at <= now() AS expired
FROM commands WHERE account = %s AND status = 'pending' ORDER BY kind = 'halt' DESC, issued_at, id LIMIT 1
"""
_FINISH = "UPDATE commands SET status = %s, result = %s, finished_at = now() WHERE id = %s AND status = 'pending'"


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command as issued; `payload` is what `trading.commands` documents for its kind."""

    id: str
    kind: str
    payload: dict[str, Any]
    issued_by: str
    expired: bool


Handler = Callable[[PendingCommand], Awaitable[dict[str, Any]]]


class Inbox:
    """Reads the commands of `account` and hands them to `handle`, which returns the result or raises `PolybotError`/`ValueError` to refuse."""

    def __init__(self, conninfo: str, call: DatabaseCalls, handle: Handler, *, account: str) -> None:
        self._conninfo = conninfo
        self._account = account
        self._call = call
        self._handle = handle
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        listener = asyncio.create_task(self._listen())
        try:
            while True:
                await self.serve_pending()
                self._wake.clear()
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            await end_tasks((listener,))

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    async for _ in connection.notifies():
                        self._wake.set()
            except psycopg.Error as error:
                _log.warning("command notifications lost, polling", error=str(error))
                await asyncio.sleep(RECONNECT_SECONDS)

    async def serve_pending(self) -> int:
        """Carry out what is pending, one command after the other; returns how many were served."""
        served = 0
        while (command := await self._call(partial(_read_next, account=self._account))) is not None:
            await self._serve_one(command)
            served += 1
        return served

    async def _serve_one(self, command: PendingCommand) -> None:
        try:
            status, result = await self._serve(command)
        except Exception as error:
            refused = {"detail": f"the command failed unexpectedly: {describe(error)}"}
            await self._call(partial(_finish, command_id=command.id, status="refused", result=refused))
            raise
        await self._call(partial(_finish, command_id=command.id, status=status, result=result))

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


def _read_next(connection: Connection, *, account: str) -> PendingCommand | None:
    row = connection.execute(_NEXT, [account]).fetchone()
    if row is None:
        return None
    return PendingCommand(str(row["id"]), row["kind"], row["payload"], row["issued_by"], row["expired"])
