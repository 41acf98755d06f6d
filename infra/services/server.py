"""What PostgreSQL and Valkey have in common: find the running server, start it on a free port, wait until it answers, stop it."""

from __future__ import annotations

import secrets
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

from domain.ports import Clock
from infra.errors import ServiceError
from infra.files import load_or_create_secret
from infra.loopback import HOST, is_free
from infra.services import process
from infra.services.account import Account
from infra.services.home import executable, server_folder
from infra.services.programs import Program

_START_ATTEMPTS = 5
_FIRST_FREE, _LAST_FREE = 20_000, 60_000


class Server(ABC):
    """One embedded server. `folder` is its private folder, `data` the folder it works in."""

    name: str
    usual_port: int
    clean_stop: signal.Signals
    hard_stop: signal.Signals
    start_seconds = 60.0

    def __init__(self, home: Path, var: Path, account: Account, clock: Clock) -> None:
        self.account = account
        self.clock = clock
        self.folder = server_folder(home, self.name, account)
        self.data = self.folder / "data"
        self.home = home
        self.log = var / "log" / f"{self.name}.log"
        self.secret = load_or_create_secret(var / f"{self.name}.secret")

    @abstractmethod
    def programs(self) -> Iterable[Program]:
        """Yield usable programs, the preferred one first."""

    @abstractmethod
    def fits(self, program: Program) -> bool:
        """Tell whether `program` can serve the data there is."""

    @abstractmethod
    def prepare(self, program: Program, path: Path) -> None:
        """Make the data folder when there is none, and clear away what a killed server left; `path` is the file to execute."""

    @abstractmethod
    def command(self, program: Path, port: int) -> list[str]:
        """Return the command that serves `data` on `port` of the loopback interface."""

    @abstractmethod
    def running(self) -> tuple[int, int] | None:
        """Return process id and port of the server that serves `data` now, None when there is none."""

    @abstractmethod
    def answers(self, port: int) -> bool:
        """Tell whether a client can log in and use the server."""

    @abstractmethod
    def url(self, port: int) -> str:
        """Return the URL clients use; it holds the password."""

    def choose(self) -> tuple[Program, Path]:
        """Return the program to start and the file to execute."""
        tried = list(self.programs())
        for program in tried:
            if self.fits(program) and (path := executable(program, self.home, self.account)):
                return program, path
        seen = ", ".join(f"{program.path} ({program.version_text})" for program in tried) or "none"
        raise ServiceError(f"no {self.name} server program serves the data in {self.data}; found: {seen}")

    def await_running(self) -> tuple[int, int] | None:
        """Return process id and port of the running server once it answers (it may still be recovering), None when there is none.

        Raises:
            ServiceError: it runs but does not answer.
        """
        found = self.running()
        if found is None:
            return None
        pid, port = found
        if not process.wait_for(lambda: self.answers(port) or self.running() is None, self.start_seconds, self.clock):
            raise ServiceError(f"{self.name} (process {pid}) does not answer: stop it, or see {self.log}")
        return self.running()

    def start(self, *, bound: bool, last_port: int | None) -> tuple[int, int, Program]:
        """Start the server and wait until it answers. Returns process id, port and program.

        The port it had last time comes first, then the usual one, then any that is free.

        Raises:
            ServiceError: it did not start; the message ends with the last lines of its log.
        """
        program, path = self.choose()
        self.prepare(program, path)
        for attempt in range(_START_ATTEMPTS):
            port = self._free_port([last_port or 0, self.usual_port] if attempt == 0 else [])
            child = process.spawn(
                self.command(path, port),
                account=self.account,
                folder=self.data,
                log=self.log,
                bound=self.clean_stop if bound else None,
            )
            if self._comes_up(child, port):
                return child.pid, port, program
            # A backend of a killed server may hold the data for a moment; the port may have been taken since it was tried.
            process.wait_for(lambda: False, 0.2 * (attempt + 1), self.clock)
        raise ServiceError(f"{self.name} did not start; {self.log} ends with:\n{process.tail(self.log)}")

    def stop(self, within: float) -> bool:
        """Stop the running server, cleanly when it can within so many seconds; False when there is none."""
        found = self.running()
        if found is None:
            return False
        process.stop(found[0], self.data, [(self.clean_stop, within), (self.hard_stop, 5.0)], self.clock)
        return True

    def _comes_up(self, child: subprocess.Popen[bytes], port: int) -> bool:
        """Wait until the server answers; one that ends, takes too long, or is interrupted by Ctrl-C is killed."""
        up = False
        try:
            process.wait_for(lambda: child.poll() is not None or self.answers(port), self.start_seconds, self.clock)
            up = child.poll() is None and self.answers(port)
        finally:
            if not up:
                child.kill()
                child.wait()
        return up

    def _free_port(self, wanted: list[int]) -> int:
        for port in [*wanted, *(secrets.randbelow(_LAST_FREE - _FIRST_FREE) + _FIRST_FREE for _ in range(100))]:
            if port and is_free(port):
                return port
        raise ServiceError(f"no free port for {self.name} on {HOST}")
