"""Small files that must never be half written or readable by others, and locks between processes. Errors of the operating system are passed on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


def write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """Replace `path` with `text` in one step, readable by its owner only; readers see the old file or the new one.

    Without `replace` an existing file stays as it is, and `FileExistsError` is raised.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            draft.replace(path)
        else:
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def load_or_create_secret(path: Path) -> str:
    """Return the secret kept in `path`; the first caller makes it (256 random bits), also when several processes ask at once."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8").strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f"{path.name}.lock")):
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32) + "\n")
    return path.read_text(encoding="utf-8").strip()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the exclusive lock on `path` among all processes; waits for it. The lock ends with the process that holds it."""
    with path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def take_lock(path: Path) -> TextIO:
    """Return the open lock file: until it is closed, or this process ends, nobody else can take it.

    Raises:
        BlockingIOError: somebody else has it.
    """
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise
    return lock
