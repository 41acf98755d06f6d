"""Unix sockets that only the right users can reach, and who is at the other end.

The folder of the socket belongs to this process' user, and nobody else can write to it. A socket file that a dead process left is replaced; one
that a living process listens on is not: `ServiceError`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from infra.errors import ServiceError
from infra.files import take_lock

MAX_PATH_BYTES = 107
"""What Linux takes as the path of a socket."""
_CREDENTIALS = struct.Struct("3i")


@contextlib.contextmanager
def listening(path: Path, *, others: bool = False) -> Iterator[socket.socket]:
    """Yield a listening socket at `path`; nobody but this user can connect to it, unless `others` may try (their `peer_user` then decides)."""
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise ServiceError(f"{path} is too long for a socket (at most {MAX_PATH_BYTES} bytes): choose a shorter path")
    _private_folder(path.parent, others=others)
    try:
        lock = take_lock(path.with_name(f"{path.name}.lock"))
    except BlockingIOError:
        raise ServiceError(f"another process listens at {path}: stop it, or choose another path") from None
    with lock:
        if path.exists() and not path.is_socket():
            raise ServiceError(f"{path} is there and is no socket: move it away, or choose another path")
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            # The folder's mode and not the umask keeps others out between these two calls.
            server.bind(str(path))
            path.chmod(0o666 if others else 0o600)
            server.listen()
            try:
                yield server
            finally:
                path.unlink(missing_ok=True)


def peer_user(connection: socket.socket) -> int:
    """Return the id of the user whose process is at the other end, as the kernel knows it."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(raw)[1]
    return user


def _private_folder(folder: Path, *, others: bool) -> None:
    """See that `folder` is ours; others may pass through it only where that is wanted."""
    wanted = 0o711 if others else 0o700
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=wanted)
        status = folder.stat()
    except OSError as error:
        raise ServiceError(f"{folder} cannot be the folder of a socket: {error.strerror}") from None
    if status.st_uid != os.geteuid():
        raise ServiceError(f"{folder} belongs to another user: choose a folder of this user's own for the socket")
    mode = stat.S_IMODE(status.st_mode)
    if mode & ~wanted & 0o777:
        raise ServiceError(f"others can enter or change {folder} (mode {mode:03o}): run `chmod {wanted:03o} {folder}`")
    if others:
        folder.chmod(wanted)
