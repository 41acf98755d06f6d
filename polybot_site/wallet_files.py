"""What a wallet has sent and not seen the end of, in `var/wallet/` by account; and the lock that keeps two processes from using one wallet at once.

A saved submission is on the disk before `save` returns. A file that cannot be read raises `WalletError` naming it: guessing that nothing was sent
could send it twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from domain.errors import WalletError
from domain.wallet import Submission
from infra.files import take_lock, write_private


class SubmissionFiles:
    """The `SubmissionLog` port in a folder: one file a wallet, gone when nothing is open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, wallet: str) -> Submission | None:
        path = self._path(wallet)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Submission)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise WalletError(
                f"{path} cannot be read ({error}): it names a transaction that may be on its way. Look at the wallet's transactions, then remove it"
            ) from error

    def save(self, submission: Submission) -> None:
        write_private(self._path(submission.wallet), msgspec.json.encode(submission).decode() + "\n")

    def clear(self, wallet: str) -> None:
        self._path(wallet).unlink(missing_ok=True)

    @contextmanager
    def exclusive(self, wallet: str) -> Iterator[None]:
        """Hold the wallet for this process; raises `WalletError` at once when another one has it."""
        path = self._path(wallet).with_suffix(".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock = take_lock(path)
        except BlockingIOError:
            raise WalletError(
                f"another process is using {wallet}: wait until its operation has ended (lock {path})"
            ) from None
        with lock:
            yield

    def _path(self, wallet: str) -> Path:
        return self._folder / f"{wallet.lower()}.json"
