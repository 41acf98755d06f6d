"""Makes sure that process groups do not outlive this process, however it dies.

A guardian is a small process of its own that is told which groups there are and waits for the end of a pipe that only we hold. When that pipe
closes, because we closed it or because we were killed, it kills the groups it still knows.
"""

from __future__ import annotations

import subprocess
import sys

# Isolated and without site-packages: it starts in a few milliseconds and imports nothing of ours.
_CODE = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    word, group = line.split()
    (groups.add if word == "watch" else groups.discard)(int(group))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


class Guardian:
    """Start one, `watch` each process group, `forget` it when it has ended, and `close` at the end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CODE],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            bufsize=1,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """Have `group` killed when we die before it is forgotten. Raises `OSError` when the guardian itself was killed."""
        self._tell("watch", group)

    def forget(self, group: int) -> None:
        """The group has ended; its number may be another's soon."""
        self._tell("forget", group)

    def close(self) -> None:
        """Kill the groups that are left and end the guardian."""
        self._process.communicate()

    def _tell(self, word: str, group: int) -> None:
        assert self._process.stdin is not None  # noqa: S101 - opened with PIPE
        self._process.stdin.write(f"{word} {group}\n")
