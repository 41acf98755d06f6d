"""Keeps a venue across restarts: a snapshot, and a log of every input since, in one folder.

A record is written before its effects can be seen outside, so a venue killed at any moment goes on where it was; `sync` (group fsync)
bounds what a power failure can take. A torn last line is what a kill leaves behind: it is cut off. Any other damage, a gap in the
sequence included, raises `StateLogError` naming file and line: a venue that silently forgot orders would be worse than none.
Compaction switches to a new log first and writes the snapshot beside it, so every crash in between finds one whole line of history.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import msgspec

from infra.files import take_lock
from venues.simulator.inputs import Input

_NAME = re.compile(r"(snapshot|log)-(\d{8})")
_MAGIC = b"polybot venue 1\n"


ANEW = "`make fresh` forgets it, and the next start begins another (accounts start anew)"
"""The way on from a stored venue that cannot be used."""


class StateLogError(RuntimeError):
    """The stored state cannot be used; the message says why and what to do."""


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One line of the log: its place in the venue's history, the venue's time, and what happened."""

    sequence: int
    at_ns: int
    input: Input


class Snapshot(msgspec.Struct, frozen=True):
    """A venue's whole state after record `sequence`. `layout` names the shape of the classes inside `state`."""

    sequence: int
    layout: str
    state: bytes


class StateLog:
    """The open state of one venue. One process at a time: the folder is locked until `close`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        try:
            self._lock = take_lock(folder / "lock")
        except BlockingIOError:
            raise StateLogError(f"another simulated venue is running on {folder}; stop it first") from None
        self._encoder = msgspec.json.Encoder()
        self._log: int | None = None
        self._number = max((number for _, number in self._files()), default=0)
        self._size = 0
        self._dirty = False
        self._guard = threading.RLock()
        self.sequence = 0

    def load(self) -> tuple[Snapshot, list[Record]] | None:
        """Return the newest snapshot and the records after it, None when the folder holds no venue."""
        snapshots = sorted(number for kind, number in self._files() if kind == "snapshot")
        if not snapshots:
            return None
        snapshot = self._read_snapshot(snapshots[-1])
        logs = sorted(number for kind, number in self._files() if kind == "log" and number >= snapshots[-1])
        records: list[Record] = []
        self.sequence = snapshot.sequence
        for number in logs:
            records.extend(self._read_log(number, last=number == logs[-1]))
        return snapshot, records

    def append(self, at_ns: int, event: Input) -> None:
        """Write one record; on return it survives the death of this process."""
        if self._log is None:
            raise StateLogError("the state log is not open for writing: take a snapshot first")
        body = self._encoder.encode(Record(self.sequence + 1, at_ns, event))
        line = b"%08x %s\n" % (zlib.crc32(body), body)
        with self._disk():
            if os.write(self._log, line) != len(line):
                os.ftruncate(self._log, self._size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.sequence += 1
        self._size += len(line)
        self._dirty = True

    def sync(self) -> None:
        """Make everything written so far survive a power failure. Safe to call from another thread."""
        with self._guard, self._disk():
            if self._log is not None and self._dirty:
                self._dirty = False
                os.fsync(self._log)

    def rotate(self) -> int:
        """Begin the next log and return its number, to be handed to `write_snapshot` together with the state of this very moment."""
        with self._guard, self._disk():
            self.sync()
            self._number += 1
            log = os.open(self._path("log", self._number), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            if self._log is not None:
                os.close(self._log)
            self._log, self._size = log, 0
            return self._number

    def write_snapshot(self, number: int, snapshot: Snapshot) -> None:
        """Store the state as of the start of log `number`, then drop the files before it. Safe to call from another thread."""
        body = msgspec.msgpack.encode(snapshot)
        draft = self._folder / "snapshot.draft"
        with self._guard, self._disk():
            with draft.open("wb") as stream:
                stream.write(_MAGIC + hashlib.sha256(body).digest() + body)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(self._path("snapshot", number))
            self._sync_folder()
            for kind, old in self._files():
                if old < number:
                    self._path(kind, old).unlink()

    def close(self) -> None:
        """Sync, close and unlock."""
        with self._guard:
            try:
                self.sync()
            finally:
                if self._log is not None:
                    os.close(self._log)
                    self._log = None
                self._lock.close()

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Turn what the disk refuses into an error that says where."""
        try:
            yield
        except OSError as error:
            raise StateLogError(
                f"the disk of {self._folder}: {error}; the venue cannot go on without remembering"
            ) from error

    def _read_snapshot(self, number: int) -> Snapshot:
        path = self._path("snapshot", number)
        raw = path.read_bytes()
        start = len(_MAGIC) + 32
        if not raw.startswith(_MAGIC) or hashlib.sha256(raw[start:]).digest() != raw[len(_MAGIC) : start]:
            self._refuse(path, "its checksum does not match its content")
        return msgspec.msgpack.decode(raw[start:], type=Snapshot)

    def _read_log(self, number: int, *, last: bool) -> Iterator[Record]:
        path = self._path("log", number)
        raw = path.read_bytes()
        whole = raw.rfind(b"\n") + 1
        if whole != len(raw):
            if not last:
                self._refuse(path, "its last line is torn although a later log exists")
            os.truncate(path, whole)
        decoder = msgspec.json.Decoder(Record)
        for index, line in enumerate(raw[:whole].splitlines(), start=1):
            checksum, _, body = line.partition(b" ")
            if checksum != b"%08x" % zlib.crc32(body):
                self._refuse(path, f"line {index} does not match its checksum")
            record = decoder.decode(body)
            if record.sequence != self.sequence + 1:
                self._refuse(path, f"line {index} is record {record.sequence}, expected {self.sequence + 1}")
            self.sequence = record.sequence
            yield record

    def _refuse(self, path: Path, what: str) -> NoReturn:
        raise StateLogError(
            f"the venue's state is damaged: {path.name}: {what}. Restore {self._folder} from a backup, or {ANEW}"
        )

    def forget(self) -> bool:
        """Delete what is stored; tells whether there was anything."""
        with self._guard, self._disk():
            stored = self._files()
            for kind, number in stored:
                self._path(kind, number).unlink()
            self._sync_folder()
            return bool(stored)

    def _files(self) -> list[tuple[str, int]]:
        matches = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return [(match[1], int(match[2])) for match in matches if match]

    def _path(self, kind: str, number: int) -> Path:
        return self._folder / f"{kind}-{number:08d}"

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
