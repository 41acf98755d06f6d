"""The trader's side of an isolated signer: a `Signer` whose key is in another process.

It connects when something is to be signed and again after the signer was away, so a signer that restarts is found by the next order. What is
refused, away or late raises `SigningError`, and a signer of another address `WrongAccountError`: in every case there is no signature to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import get_args

from domain.errors import SigningError, WrongAccountError
from venues.polymarket.isolated_signer import wire
from venues.polymarket.signer import Statement

ANSWER_SECONDS = 1.0
_SIGNABLE = get_args(wire.Signable)


_Question = Callable[[int], wire.SignRequest | wire.StatusRequest]


class RemoteSigner:
    """Signs for `address` at the socket `path`; waits `patience` seconds for each answer."""

    def __init__(self, path: Path, address: str, patience: float = ANSWER_SECONDS) -> None:
        self.address = address
        self._path = path
        self._patience = patience
        self._link: _Link | None = None
        self._connecting = asyncio.Lock()

    def __repr__(self) -> str:
        return f"RemoteSigner({self.address} at {self._path})"

    async def sign(self, statement: Statement) -> bytes:
        if not isinstance(statement, _SIGNABLE):
            raise TypeError(f"{type(statement).__name__} is nothing that an isolated signer signs")
        answer = await self._ask(lambda number: wire.SignRequest(number, statement))
        if not isinstance(answer, wire.Signed):
            raise SigningError("the signer's answer was no signature: install the same release on both sides")
        if answer.digest != statement.digest:
            raise SigningError("the signer signed another hash: install the same release on both sides")
        return answer.signature

    async def status(self) -> wire.Status:
        """Return what the signer has signed and refused."""
        answer = await self._ask(wire.StatusRequest)
        if not isinstance(answer, wire.Status):
            raise SigningError("the signer's answer was no status: install the same release on both sides")
        return answer

    async def close(self) -> None:
        if self._link is not None:
            await self._link.close()
            self._link = None

    async def _ask(self, question: _Question) -> wire.Answer:
        try:
            async with asyncio.timeout(self._patience):
                link = await self._connected()
                answer = await link.ask(question)
        except TimeoutError:
            raise SigningError(f"the signer at {self._path} did not answer in {self._patience:g} s", "late") from None
        except OSError as error:
            raise SigningError(
                f"no signer listens at {self._path} ({error.strerror or error}): start `manage.py runsigner`", "away"
            ) from None
        if isinstance(answer, wire.Refused):
            raise SigningError(f"the signer refused ({answer.code}): {answer.text}", answer.code)
        return answer

    async def _connected(self) -> _Link:
        async with self._connecting:
            if self._link is None or self._link.broken:
                await self.close()
                self._link = await _open(self._path, self.address)
            return self._link


async def _open(path: Path, address: str) -> _Link:
    """Connect and greet; raises `OSError`, `SigningError` or `WrongAccountError` and leaves nothing open."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(wire.framed(wire.Hello(wire.VERSION)))
        answer = await _next(reader)
        if isinstance(answer, wire.Refused):
            raise SigningError(f"the signer refused ({answer.code}): {answer.text}", answer.code)
        if not isinstance(answer, wire.Welcome) or answer.version != wire.VERSION:
            raise SigningError("the signer speaks another version: install the same release on both sides", "version")
        if answer.address.lower() != address.lower():
            raise WrongAccountError(f"the signer at {path} is {answer.address}'s, configured is {address}")
    except BaseException:
        writer.close()
        raise
    return _Link(reader, writer)


class _Link:
    """One connection: questions go out at once, answers find theirs by number."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.broken = False
        self._writer = writer
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[wire.Answer]] = {}
        self._listener = asyncio.create_task(self._listen(reader))

    async def ask(self, question: _Question) -> wire.Answer:
        number = next(self._numbers)
        future: asyncio.Future[wire.Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._writer.write(wire.framed(question(number)))
            return await future
        finally:
            del self._waiting[number]

    async def close(self) -> None:
        self._listener.cancel()
        await asyncio.wait([self._listener])

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        reason: Exception = ConnectionResetError("the signer hung up")
        try:
            while True:
                answer = await _next(reader)
                number = 0 if isinstance(answer, wire.Welcome) else answer.id
                if number == 0:
                    raise SigningError(f"the signer hung up: {answer}")
                future = self._waiting.get(number)
                if future is not None and not future.done():
                    future.set_result(answer)
        except (OSError, SigningError) as error:
            reason = error
        finally:
            self.broken = True
            self._writer.close()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(reason)


async def _next(reader: asyncio.StreamReader) -> wire.Answer:
    """Return the next message. Raises `ConnectionError` at its end, `SigningError` for what is none."""
    try:
        length = int.from_bytes(await reader.readexactly(wire.LENGTH_BYTES), "big")
        if length > wire.MAX_MESSAGE_BYTES:
            raise SigningError("the signer's answer cannot be read: is it a signer that listens there?")
        return wire.read_answer(await reader.readexactly(length))
    except asyncio.IncompleteReadError:
        raise ConnectionResetError("the signer hung up") from None
    except (ValueError, RecursionError):
        raise SigningError("the signer's answer cannot be read: is it a signer that listens there?") from None
