"""Embedded Valkey (or the Redis server found on the path): loopback only, password login, append-only file, nothing lost but the last second."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from infra.files import write_private
from infra.services import process, programs
from infra.services.programs import Program
from infra.services.server import Server


class Valkey(Server):
    """Its data is readable by the version that wrote it, or a newer one; the version is kept beside the data."""

    name = "valkey"
    usual_port = 6379
    clean_stop = signal.SIGTERM
    hard_stop = signal.SIGKILL

    def programs(self) -> Iterable[Program]:
        return programs.valkey_programs()

    def fits(self, program: Program) -> bool:
        try:
            written_by = self._version_file.read_text(encoding="ascii").split(".")
        except FileNotFoundError:
            return True
        return program.version >= (int(written_by[0]), int(written_by[1]))

    def prepare(self, program: Program, path: Path) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.account.owns(self.data)
        self._pid_file.unlink(missing_ok=True)
        write_private(self._version_file, program.version_text)

    def command(self, program: Path, port: int) -> list[str]:
        settings = {
            "bind": "127.0.0.1",
            "port": port,
            "dir": self.data,
            "pidfile": self._pid_file,
            "requirepass": self.secret,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "daemonize": "no",
            "always-show-logo": "no",
        }
        configuration = self.folder / "valkey.conf"
        write_private(configuration, "".join(f"{name} {value}\n" for name, value in settings.items()))
        self.account.owns(configuration)
        return [str(program), str(configuration)]

    def running(self) -> tuple[int, int] | None:
        try:
            pid = int(self._pid_file.read_text(encoding="ascii"))
            settings = (self.folder / "valkey.conf").read_text(encoding="utf-8").splitlines()
            port = int(next(line.split()[1] for line in settings if line.startswith("port ")))
        except (FileNotFoundError, ValueError):
            return None
        return (pid, port) if process.is_server(pid, self.data) else None

    def answers(self, port: int) -> bool:
        client = redis.Redis.from_url(self.url(port), socket_timeout=2, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def url(self, port: int) -> str:
        return f"redis://:{self.secret}@127.0.0.1:{port}/0"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "valkey.pid"

    @property
    def _version_file(self) -> Path:
        return self.folder / "version"
