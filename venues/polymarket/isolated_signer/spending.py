"""What was signed today, kept where a restart finds it: one line in an append-only file for each order, written before its signature leaves.

Days are UTC; each has a file of its own in `folder`. What cannot be written is not signed (`OSError`), and a file that cannot be read stops the start
(`SpendingError`). The end of a line that a power failure cut off counts as the largest order allowed.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from domain.errors import PolybotError
from domain.ports import Clock
from venues.polymarket.isolated_signer.policy import Charge

Amount = Annotated[int, Meta(ge=0)]


class SpendingError(PolybotError):
    """The record of what was signed cannot be read; the text names the fix."""


class _Line(Struct, forbid_unknown_fields=True):
    ms: int
    digest: str
    notional: Amount
    shares: Amount


class Spending:
    """The day's counters. `largest` is what an unreadable last line counts for."""

    def __init__(self, folder: Path, clock: Clock, largest: Charge) -> None:
        self._folder = folder
        self._clock = clock
        self._largest = largest
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self._before = -1
        self.day = ""
        self.spent = Charge()
        self.today()

    def today(self) -> Charge:
        """Return what was signed on the day that it is now."""
        day = datetime.fromtimestamp(self._clock.now_ns() // 1_000_000_000, UTC).strftime("%Y-%m-%d")
        if day != self.day:
            self._open(day)
        return self.spent

    def add(self, charge: Charge, digest: bytes) -> None:
        """Count an order on the day that `today` was last asked for. Raises `OSError` when that cannot be kept; it is then not counted."""
        line = _Line(self._clock.now_ns() // 1_000_000, digest.hex(), charge.notional, charge.shares)
        content = msgspec.json.encode(line) + b"\n"
        length = os.fstat(self._file).st_size
        if os.write(self._file, content) != len(content):
            os.ftruncate(self._file, length)
            raise OSError("the disk took only a part of the line")
        self.spent = Charge(self.spent.notional + charge.notional, self.spent.shares + charge.shares)

    def sync(self) -> None:
        """Bring the lines to the disk itself; until then a power failure may take them, but no end of this process."""
        os.fdatasync(self._file)

    def close(self) -> None:
        for file in (self._file, self._before):
            if file >= 0:
                os.close(file)

    def _open(self, day: str) -> None:
        path = self._folder / f"{day}.jsonl"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            spent = self._read(path, file)
        except BaseException:
            os.close(file)
            raise
        if self._before >= 0:
            os.close(self._before)
        # The last day's file stays open for a while: it may be on its way to the disk in another thread.
        self._before, self._file, self.day, self.spent = self._file, file, day, spent

    def _read(self, path: Path, file: int) -> Charge:
        *lines, cut = path.read_bytes().split(b"\n")
        if cut:
            line = _Line(self._clock.now_ns() // 1_000_000, "", *self._largest)
            os.ftruncate(file, os.fstat(file).st_size - len(cut))
            content = msgspec.json.encode(line)
            os.write(file, content + b"\n")
            lines.append(content)
        notional = shares = 0
        for number, text in enumerate(lines, 1):
            try:
                line = msgspec.json.decode(text, type=_Line)
            except msgspec.DecodeError as error:
                raise SpendingError(
                    f"line {number} of {path} cannot be read ({error}): nothing is signed before a person has corrected it, "
                    "because it says what was signed today"
                ) from None
            notional, shares = notional + line.notional, shares + line.shares
        return Charge(notional, shares)
