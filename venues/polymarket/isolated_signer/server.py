"""Listens on a Unix socket and answers what the desk decides. One bad client cannot stop it, and gets no signature.

A peer of another user is turned away; a message that cannot be read ends its connection, and so does one that does not come to its end, or an answer
that is not taken, in time: no client keeps another's place. Of what a client sends only the reason of a refusal is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import structlog

from infra.unix_socket import peer_user
from venues.polymarket.isolated_signer import wire
from venues.polymarket.isolated_signer.desk import SignerDesk
from venues.polymarket.isolated_signer.refusal import Code, RefusedError

_log = structlog.get_logger(__name__)

MAX_CLIENTS = 32
PATIENCE_SECONDS = 5.0
"""How long a client may take to greet, to finish a message it began, and to take an answer."""
LINGER_SECONDS = 1.0
"""How long a client that is turned away may go on talking."""


class SignerServer:
    """Serves clients whose user is among `users`; a slow one is waited for `patience` seconds."""

    def __init__(self, desk: SignerDesk, users: frozenset[int], patience: float = PATIENCE_SECONDS) -> None:
        self._desk = desk
        self._users = users
        self._patience = patience
        self._clients = 0
        self._written = asyncio.Event()

    async def serve(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Answer until cancelled; `ready` is called when clients can come."""
        server = await asyncio.start_unix_server(self._client, sock=listener, limit=2 * wire.MAX_MESSAGE_BYTES)
        keeping = asyncio.create_task(self._keep_on_disk())
        try:
            async with server:
                ready()
                await server.serve_forever()
        finally:
            keeping.cancel()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            await self._converse(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            _log.debug("client gone")
        except TimeoutError:
            _log.warning("a client does not take its answers")
            writer.transport.abort()
        finally:
            self._clients -= 1
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one question after the other, until one ends the connection."""
        greeted = False
        try:
            self._admit(writer)
            while True:
                question = await self._next(reader, waits=greeted)
                if not greeted:
                    self._greet(question)
                    greeted, answer = True, wire.framed(wire.Welcome(wire.VERSION, self._desk.address))
                else:
                    answer = wire.framed(self._answer(question))
                writer.write(answer)
                self._written.set()
                async with asyncio.timeout(self._patience):
                    await writer.drain()
        except RefusedError as error:
            self._desk.note(error)
            writer.write(wire.framed(wire.Refused(0, error.code, str(error))))
            writer.write_eof()
            # A socket closed on unread bytes would take the reason with it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_SECONDS):
                    while await reader.read(wire.MAX_MESSAGE_BYTES):
                        pass

    def _admit(self, writer: asyncio.StreamWriter) -> None:
        user = peer_user(writer.get_extra_info("socket"))
        if user not in self._users:
            raise RefusedError(Code.PEER, f"user {user} may not ask this signer")
        if self._clients > MAX_CLIENTS:
            raise RefusedError(Code.PEER, f"more than {MAX_CLIENTS} clients are connected")

    def _greet(self, question: wire.Question) -> None:
        if not isinstance(question, wire.Hello):
            raise RefusedError(Code.MALFORMED, "the first message must be the greeting")
        if question.version != wire.VERSION:
            raise RefusedError(
                Code.VERSION,
                f"the client speaks version {question.version}, this signer {wire.VERSION}: install the same release on both sides",
            )

    def _answer(self, question: wire.Question) -> wire.Answer:
        if isinstance(question, wire.Hello):
            raise RefusedError(Code.MALFORMED, "a client greets once")
        try:
            if isinstance(question, wire.StatusRequest):
                return self._desk.status(question.id)
            digest, signature = self._desk.sign(question.statement)
        except RefusedError as error:
            return wire.Refused(question.id, error.code, str(error))
        return wire.Signed(question.id, digest, signature)

    async def _next(self, reader: asyncio.StreamReader, *, waits: bool) -> wire.Question:
        """Return the next message; with `waits` it may begin whenever it likes, but once begun it has to end in time."""
        begun = await reader.readexactly(1) if waits else b""
        try:
            async with asyncio.timeout(self._patience):
                begun += await reader.readexactly(wire.LENGTH_BYTES - len(begun))
                length = int.from_bytes(begun, "big")
                if length > wire.MAX_MESSAGE_BYTES:
                    raise RefusedError(
                        Code.MALFORMED, f"the message has {length} bytes, allowed are {wire.MAX_MESSAGE_BYTES}"
                    )
                content = await reader.readexactly(length)
        except TimeoutError:
            raise RefusedError(Code.SLOW, f"the message did not come within {self._patience:g} s") from None
        try:
            return wire.read_question(content)
        except (ValueError, RecursionError):
            raise RefusedError(Code.MALFORMED, "the message cannot be read") from None

    async def _keep_on_disk(self) -> None:
        """Bring what was written to the disk, in a thread and after the answers: nobody waits for it."""
        while True:
            await self._written.wait()
            self._written.clear()
            try:
                await asyncio.to_thread(self._desk.spending.sync)
            except OSError as error:
                _log.error("what was signed could not be brought to the disk", reason=error.strerror)
