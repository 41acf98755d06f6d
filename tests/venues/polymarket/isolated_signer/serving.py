"""Signers at a socket: in this loop, as a process of its own, or a fake one that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from infra.files import write_private
from infra.keystore import ScryptCost, encrypt
from infra.paths import ROOT
from infra.unix_socket import listening
from tests.venues.polymarket.isolated_signer.kit import Watch, policy
from tests.venues.polymarket.vectors import PRIVATE_KEY
from venues.polymarket.isolated_signer import wire
from venues.polymarket.isolated_signer.desk import SignerDesk
from venues.polymarket.isolated_signer.policy import Charge
from venues.polymarket.isolated_signer.server import PATIENCE_SECONDS, SignerServer
from venues.polymarket.isolated_signer.spending import Spending
from venues.polymarket.signer import LocalSigner

PASSWORD = "correct horse battery staple"
START_SECONDS = 30
SHIFTED = "tests.venues.polymarket.isolated_signer.shifted"


@contextlib.asynccontextmanager
async def signer_here(
    folder: Path, *, patience: float = PATIENCE_SECONDS, **changes: Any
) -> AsyncIterator[tuple[Path, SignerDesk]]:
    """Yield the socket and the desk of a signer in this loop."""
    limits, watch = policy(**changes), Watch()
    spending = Spending(folder / "signed", watch, Charge(limits.max_order_notional, limits.max_order_shares))
    desk = SignerDesk(LocalSigner(PRIVATE_KEY), limits, spending, watch)
    with short_folder() as place, listening(place / "signer.sock") as listener:
        ready = asyncio.Event()
        serving = asyncio.create_task(
            SignerServer(desk, frozenset({os.geteuid()}), patience).serve(listener, ready.set)
        )
        await ready.wait()
        try:
            yield place / "signer.sock", desk
        finally:
            serving.cancel()
            await asyncio.wait([serving])


@contextlib.asynccontextmanager
async def impostor(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Path]:
    """Yield the socket of a server that says what `talk` says."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    with short_folder() as place:
        async with await asyncio.start_unix_server(client, str(place / "signer.sock")):
            yield place / "signer.sock"


async def next_question(reader: asyncio.StreamReader) -> wire.Question:
    length = int.from_bytes(await reader.readexactly(4), "big")
    return wire.read_question(await reader.readexactly(length))


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """Yield a folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="polybot-") as name:
        yield Path(name)


class SignerProcess:
    """`manage.py runsigner`, by default with the vectors' key, in a folder of its own; it can be killed and started again.

    `now_ns` is the time at which its clock begins, 0 for the machine's own.
    """

    def __init__(self, folder: Path, key: str = PRIVATE_KEY, now_ns: int = 0, **settings: str) -> None:
        self.folder = folder
        self.socket = folder / "signer" / "signer.sock"
        self.keystore = folder / "key.json"
        self.log = folder / "signer.log"
        self.address = LocalSigner(key).address
        self._settings = settings
        self._program = ["manage.py"] if not now_ns else ["-m", SHIFTED, str(now_ns)]
        self._process: subprocess.Popen[bytes] | None = None
        text = encrypt(bytes.fromhex(key.removeprefix("0x")), PASSWORD, self.address, ScryptCost(n=1024))
        write_private(self.keystore, text)
        write_private(folder / "password", PASSWORD)

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("POLYBOT_")}
        own = {
            "DJANGO_SETTINGS_MODULE": "polybot_site.settings",
            "POLYBOT_CONFIG": "",
            "POLYBOT_VAR": str(self.folder / "var"),
            "POLYBOT_SIGNER__SOCKET": str(self.socket),
            "POLYBOT_WALLET__KEYSTORE": str(self.keystore),
            "POLYBOT_WALLET__PASSWORD_FILE": str(self.folder / "password"),
        }
        return kept | own | self._settings

    def start(self) -> None:
        """Start it and wait until it says that it listens."""
        process = self.launch()
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        assert line == f"signer of {self.address} at {self.socket}\n", line + self.log.read_text()

    def launch(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._program, "runsigner"], cwd=ROOT, env=self.environ, stdout=subprocess.PIPE, stderr=log
            )  # fmt: skip
        return self._process

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(START_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code


@contextlib.contextmanager
def signer_process(key: str = PRIVATE_KEY, now_ns: int = 0, **settings: str) -> Iterator[SignerProcess]:
    """Yield a running signer process."""
    with short_folder() as folder:
        process = SignerProcess(folder, key, now_ns, **settings)
        process.start()
        try:
            yield process
        finally:
            if process.alive:
                process.end(signal.SIGKILL)
