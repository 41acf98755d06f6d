"""Recorded frames of the market channel, read back one by one: a line is a frame."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path


def frames(path: Path) -> Iterator[bytes]:
    """Return the frames of a `.jsonl` or `.jsonl.gz` recording; empty lines are skipped. `OSError` when it cannot be read."""
    opened = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
    with opened as lines:
        for line in lines:
            frame = line.strip()
            if frame:
                yield frame
