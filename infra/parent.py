"""Notices that the `make` which started us is gone or was told to stop.

GNU make passes SIGTERM on to its recipe, but not SIGINT: that it expects the terminal to send to everyone. When only make's own process gets
SIGINT, it drops its handler and waits for the recipe for ever. Linux shows that dropped handler, and this module looks for it.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

_CAUGHT = re.compile(r"^SigCgt:\s*([0-9a-f]+)$", re.MULTILINE)
_SIGINT_BIT = 1 << (signal.SIGINT - 1)


class MakeParent:
    """Our parent process, when it is `make`. For any other parent, and where there is no /proc, `wants_stop` is always False."""

    def __init__(self) -> None:
        self._pid = os.getppid()
        self._watched = _name(self._pid) in {"make", "gmake"}
        self._caught_interrupts = _catches_interrupts(self._pid)

    def wants_stop(self) -> bool:
        """Tell whether make has died or has got SIGINT since this object was made."""
        if not self._watched:
            return False
        return os.getppid() != self._pid or (self._caught_interrupts and not _catches_interrupts(self._pid))


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _catches_interrupts(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    match = _CAUGHT.search(status)
    return match is not None and bool(int(match[1], 16) & _SIGINT_BIT)
