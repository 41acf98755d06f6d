"""Virtual environments of the SDKs, one each, so that neither sees the other's packages nor polybot's.

`prepare` makes one from a pinned requirements file and keeps it as long as that file and the Python are the same. When packages cannot be
had (no network, no such version) it raises `EnvironmentUnavailableError` with the installer's own last words and leaves nothing half-made.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

INSTALL_SECONDS = 300
_WORDS = 6


class EnvironmentUnavailableError(Exception):
    """An SDK's environment cannot be made; the text says why and what to do."""


def prepare(folder: Path, requirements: Path, python: str = sys.executable) -> Path:
    """Return the Python of the environment in `folder` that has exactly `requirements`; make it when it is missing or of another file."""
    interpreter, stamp = folder / "bin" / "python", folder / "requirements.installed"
    wanted = f"# {sys.version}\n{requirements.read_text()}"
    if interpreter.exists() and stamp.exists() and stamp.read_text() == wanted:
        return interpreter
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        _run(requirements, [python, "-m", "venv", str(folder)])
        install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--only-binary=:all:",
        ]
        _run(requirements, [str(interpreter), *install, "-r", str(requirements)])
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    stamp.write_text(wanted)
    return interpreter


def _run(requirements: Path, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise EnvironmentUnavailableError(
            f"installing {requirements.name} took longer than {INSTALL_SECONDS} s: is the package registry reachable?"
        ) from None
    if done.returncode:
        words = [line for line in (done.stderr or done.stdout).splitlines() if not line.startswith("WARNING: Location")]
        last = "\n  ".join(words[-_WORDS:])
        raise EnvironmentUnavailableError(
            f"the packages of {requirements.name} cannot be installed: the package registry must be reachable "
            f"(check the network, or name another one in PIP_INDEX_URL). The installer says:\n  {last}"
        )
