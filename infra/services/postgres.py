"""Embedded PostgreSQL: loopback only, password login, one database `polybot` owned by one user `polybot`."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import psycopg

from infra.errors import ServiceError
from infra.services import process, programs
from infra.services.programs import Program
from infra.services.server import Server

_USER = _DATABASE = "polybot"


class Postgres(Server):
    """Data survives `kill -9`: PostgreSQL replays its log at the next start. With `durable = False` (tests) it
    does not survive a power failure, and is faster."""

    name = "postgres"
    usual_port = 5432
    clean_stop = signal.SIGINT
    hard_stop = signal.SIGQUIT
    durable = True

    def programs(self) -> Iterable[Program]:
        return programs.postgres_programs()

    def fits(self, program: Program) -> bool:
        try:
            return (self.data / "PG_VERSION").read_text(encoding="ascii").strip() == str(program.version[0])
        except FileNotFoundError:
            return True

    def prepare(self, program: Program, path: Path) -> None:
        if (self.data / "PG_VERSION").exists():
            self._forget_dead_postmaster()
            return
        for leftover in self.folder.glob("initdb-*"):
            shutil.rmtree(leftover)
        draft = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.folder))
        password = self.folder / "initdb-password"
        password.touch(mode=0o600)
        try:
            self.account.owns(draft)
            password.write_text(self.secret, encoding="utf-8")
            self.account.owns(password)
            self._initdb(path, draft, password)
        finally:
            password.unlink()
        draft.rename(self.data)

    def command(self, program: Path, port: int) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "shared_buffers": "128MB",
            "max_connections": "200",
            "log_checkpoints": "off",
        }
        if not self.durable:
            options |= {"fsync": "off", "full_page_writes": "off"}
        return [str(program), "-D", str(self.data), *(f"--{name}={value}" for name, value in options.items())]

    def running(self) -> tuple[int, int] | None:
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid, port = int(lines[0]), int(lines[3])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return (pid, port) if process.is_server(pid, self.data) else None

    def answers(self, port: int) -> bool:
        try:
            with psycopg.connect(self._url(port, "postgres"), autocommit=True, connect_timeout=2) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone()
                if known is None:
                    connection.execute(f'CREATE DATABASE "{_DATABASE}"')
        except psycopg.OperationalError:
            return False
        return True

    def url(self, port: int) -> str:
        return self._url(port, _DATABASE)

    def _url(self, port: int, database: str) -> str:
        return f"postgresql://{_USER}:{self.secret}@127.0.0.1:{port}/{database}"

    def _initdb(self, program: Path, data: Path, password: Path) -> None:
        command = [
            str(program.parent / "initdb"), "-D", str(data), "-U", _USER, f"--pwfile={password}",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions",
        ]  # fmt: skip
        if not self.durable:
            command.append("--no-sync")
        answer = subprocess.run(
            command, cwd=data, capture_output=True, text=True, check=False, **self.account.popen_arguments()
        )
        if answer.returncode != 0:
            shutil.rmtree(data)
            raise ServiceError(f"initdb failed: {answer.stderr.strip()}")

    def _forget_dead_postmaster(self) -> None:
        """Remove a process id that `kill -9` left behind: PostgreSQL trusts it when another program has that number now."""
        if self.running() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)
