"""Starts, finds and stops the embedded servers of one `var/` folder, for all processes that share it.

`var/services.json` (readable by its owner only: the URLs hold passwords) tells every process where the servers are. It is a notice, not the
truth: whether a server runs is asked of the operating system each time, so whatever a `kill -9` left behind does no harm.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domain.ports import Clock
from infra.clock import SystemClock
from infra.files import locked, write_private
from infra.services.account import Account
from infra.services.home import REACHABLE_ROOT, choose
from infra.services.postgres import Postgres
from infra.services.process import is_server
from infra.services.server import Server
from infra.services.valkey import Valkey

_STOP_WITHIN = 10.0
_KINDS: tuple[type[Server], ...] = (Postgres, Valkey)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is. `source` is "configured", "path", "wheel", or "unknown" when the notice of a running server was lost.

    Process id, port and data folder are None for a configured server.
    """

    name: str
    url: str
    source: str
    version: str | None = None
    pid: int | None = None
    port: int | None = None
    data: str | None = None


class Services:
    """The servers of one `var/` folder. `configured` maps names ("postgres", "valkey") to URLs of servers that are not ours to run."""

    def __init__(
        self,
        var: Path,
        *,
        configured: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        kinds: tuple[type[Server], ...] = _KINDS,
        reachable_root: Path = REACHABLE_ROOT,
    ) -> None:
        self._var = var
        self._configured = dict(configured or {})
        self._clock = clock or SystemClock()
        self._kinds = kinds
        self._reachable_root = reachable_root

    def up(self, *, bound: bool = False) -> dict[str, Endpoint]:
        """Start what is not running and return where everything is; waits for another process that is starting it.

        `bound`: servers started by this call also stop when this process dies, however it dies (Linux).

        Raises:
            ServiceError: a server could not be started.
        """
        return self._ensure(bound=bound)[0]

    def down(self, only: frozenset[str] | None = None, *, stop_within: float = _STOP_WITHIN) -> list[str]:
        """Stop the running servers (all, or those named) and return their names; data stays."""
        with self._locked() as notice:
            stopped = [
                server.name
                for server in reversed(self._servers(notice))
                if (only is None or server.name in only) and server.stop(stop_within)
            ]
            for name in stopped:
                notice["services"].setdefault(name, {})["pid"] = None
            return stopped

    def status(self) -> dict[str, Endpoint | None]:
        """Return where each server is now, None for one that is not running. Starts nothing, makes nothing."""
        found: dict[str, Endpoint | None] = {
            name: Endpoint(name, url, "configured") for name, url in self._configured.items()
        }
        notice = self._read_notice()
        for kind in self._kinds:
            if kind.name not in self._configured:
                found[kind.name] = self._noticed(notice, kind.name)
        return found

    @contextlib.contextmanager
    def running(self, *, stop_within: float = _STOP_WITHIN) -> Iterator[dict[str, Endpoint]]:
        """Have all servers up inside the block; those that this call started stop at its end, the others go on.

        A server that has not shut down cleanly after `stop_within` seconds is stopped the hard way, which its data survives.
        """
        endpoints, started = self._ensure(bound=True)
        try:
            yield endpoints
        finally:
            if started:
                self.down(started, stop_within=stop_within)

    def _ensure(self, *, bound: bool) -> tuple[dict[str, Endpoint], frozenset[str]]:
        endpoints = {name: Endpoint(name, url, "configured") for name, url in self._configured.items()}
        started: list[Server] = []
        with self._locked() as notice:
            try:
                for server in self._servers(notice):
                    endpoints[server.name] = self._find_or_start(
                        server, notice["services"].get(server.name), started, bound=bound
                    )
                    notice["services"][server.name] = asdict(endpoints[server.name])
            except BaseException:
                for server in started:
                    server.stop(_STOP_WITHIN)
                raise
        return endpoints, frozenset(server.name for server in started)

    def _find_or_start(
        self, server: Server, noticed: dict[str, Any] | None, started: list[Server], *, bound: bool
    ) -> Endpoint:
        known = noticed or {}
        found = server.await_running()
        if found is not None:
            pid, port = found
            source, version = known.get("source", "unknown"), known.get("version")
        else:
            pid, port, program = server.start(bound=bound, last_port=known.get("port"))
            source, version = program.source, program.version_text
            started.append(server)
        return Endpoint(server.name, server.url(port), source, version, pid, port, str(server.data))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[dict[str, Any]]:
        self._var.mkdir(mode=0o711, parents=True, exist_ok=True)
        with locked(self._var / "services.lock"):
            notice = self._read_notice()
            before = json.dumps(notice)
            try:
                yield notice
            finally:
                if json.dumps(notice) != before:
                    write_private(self._notice_path, json.dumps(notice, indent=2) + "\n")

    def _servers(self, notice: dict[str, Any]) -> list[Server]:
        kinds = [kind for kind in self._kinds if kind.name not in self._configured]
        if not kinds:
            return []
        account = Account.for_servers()
        home = Path(notice["home"]) if notice.get("home") else choose(self._var, account, self._reachable_root)
        notice["home"] = str(home)
        return [kind(home, self._var, account, self._clock) for kind in kinds]

    def _noticed(self, notice: dict[str, Any], name: str) -> Endpoint | None:
        known = notice["services"].get(name)
        if not known or not known["pid"] or not is_server(known["pid"], Path(known["data"])):
            return None
        return Endpoint(**known)

    def _read_notice(self) -> dict[str, Any]:
        try:
            notice: dict[str, Any] = json.loads(self._notice_path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {"home": None, "services": {}}
        return notice

    @property
    def _notice_path(self) -> Path:
        return self._var / "services.json"
