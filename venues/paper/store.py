"""What a paper venue remembers: a snapshot of its exchange and every command since, in one folder.

A turn of commands is written before any of it is carried out, so a process killed at any moment goes on where it was; a power failure may take the
last moments. A torn last line is what a kill leaves behind and is cut off. Any other damage raises `PaperStoreError`. One process at a time.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from domain.errors import VenueError
from infra.files import take_lock
from venues.exchange import Exchange
from venues.exchange.commands import Command

_COMPACT_LINES = 20_000

Turn = Sequence[tuple[int, Command]]
"""Commands that belong together, each with the time in UTC nanoseconds at which it is carried out."""


class PaperStoreError(VenueError):
    """The paper account's memory cannot be used; the text names the fix."""


class _Line(msgspec.Struct, frozen=True, array_like=True):
    sequence: int
    turn: list[tuple[int, Command]]


class _Snapshot(msgspec.Struct, frozen=True):
    sequence: int
    exchange: bytes


class PaperStore:
    """The memory of one paper account."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._sequence = self._lines = 0
        try:
            self._lock = take_lock(folder / "lock")
        except BlockingIOError:
            raise PaperStoreError(
                f"the paper account in {folder} is in use by a running trader; stop it first"
            ) from None
        self._log = os.open(folder / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def load(self) -> Exchange | None:
        """Return the exchange as it was left, None when there is none yet."""
        snapshot = self._folder / "snapshot"
        if not snapshot.exists():
            return None
        try:
            stored = msgspec.msgpack.decode(snapshot.read_bytes(), type=_Snapshot)
            exchange = Exchange.load(stored.exchange)
        except (msgspec.MsgspecError, ValueError) as error:
            raise self._damaged("its snapshot cannot be read", error) from error
        self._sequence = stored.sequence
        for line in self._read_log():
            if line.sequence > self._sequence:
                self._sequence = line.sequence
                for at_ns, command in line.turn:
                    exchange.step(at_ns, command)
        return exchange

    def append(self, turn: Turn) -> None:
        """Write one turn; on return it survives the death of this process."""
        body = msgspec.json.encode(_Line(self._sequence + 1, list(turn)))
        line = b"%08x %s\n" % (zlib.crc32(body), body)
        try:
            size = os.fstat(self._log).st_size
            if os.write(self._log, line) != len(line):
                os.ftruncate(self._log, size)
                raise OSError("the line did not fit")
        except OSError as error:
            raise PaperStoreError(f"the disk of {self._folder} refuses: {error}") from error
        self._sequence += 1
        self._lines += 1

    @property
    def full(self) -> bool:
        """Tell whether the log is long enough to be worth a new snapshot."""
        return self._lines >= _COMPACT_LINES

    def compact(self, exchange: Exchange) -> None:
        """Replace snapshot and log by the state of this moment; a crash in between leaves lines that the snapshot already holds."""
        draft = self._folder / "snapshot.draft"
        try:
            with draft.open("wb") as stream:
                stream.write(msgspec.msgpack.encode(_Snapshot(self._sequence, exchange.dump())))
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(self._folder / "snapshot")
            os.ftruncate(self._log, 0)
        except OSError as error:
            raise PaperStoreError(f"the disk of {self._folder} refuses: {error}") from error
        self._lines = 0

    def close(self) -> None:
        os.close(self._log)
        self._lock.close()

    def _read_log(self) -> list[_Line]:
        raw = (self._folder / "log").read_bytes()
        whole = raw.rfind(b"\n") + 1
        if whole != len(raw):
            os.ftruncate(self._log, whole)
        decoder = msgspec.json.Decoder(_Line)
        lines: list[_Line] = []
        for number, text in enumerate(raw[:whole].splitlines(), start=1):
            checksum, _, body = text.partition(b" ")
            if checksum != b"%08x" % zlib.crc32(body):
                raise self._damaged(f"line {number} of its log does not match its checksum")
            try:
                line = decoder.decode(body)
            except msgspec.MsgspecError as error:
                raise self._damaged(f"line {number} of its log cannot be read", error) from error
            if lines and line.sequence != lines[-1].sequence + 1:
                raise self._damaged(f"line {number} of its log does not follow the one before")
            lines.append(line)
        self._lines = len(lines)
        return lines

    def _damaged(self, what: str, error: Exception | None = None) -> PaperStoreError:
        why = f" ({error})" if error is not None else ""
        return PaperStoreError(
            f"the paper account in {self._folder} is damaged: {what}{why}; restore it from a backup, or begin another with `manage.py paper reset`"
        )
