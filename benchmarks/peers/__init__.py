"""Other people's software, each in an environment of its own below `var/peers`, measured in turns with ours.

A peer is a script that runs under the environment's Python, imports nothing of ours, and measures one round each time it reads a line:
it answers with a JSON object of microseconds by name. An environment that cannot be made (no network) raises `PeerUnavailableError`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.paths import var_dir

SCRIPTS = Path(__file__).parent


class PeerUnavailableError(RuntimeError):
    """The peer's environment could not be made."""


class Peer:
    """A running peer script."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def round(self) -> dict[str, float]:
        """Let the peer measure one round and return its microseconds by name."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("a peer speaks through pipes")
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer {self._process.args!r} ended with status {self._process.wait()}")
        answer: dict[str, float] = json.loads(line)
        return answer


@contextmanager
def running(name: str, requirements: Sequence[str], script: str, *arguments: str) -> Iterator[Peer]:
    """Run `script` of this folder in the environment `name`, which is made with `requirements` when it is not there yet."""
    command = [str(_python(name, requirements)), str(SCRIPTS / script), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Peer(process)
        finally:
            process.kill()


def best(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the best of several rounds for each name."""
    return {name: min(one[name] for one in rounds) for name in rounds[0]}


def _python(name: str, requirements: Sequence[str]) -> Path:
    folder = var_dir() / "peers" / name
    python, done = folder / "bin" / "python", folder / "requirements.txt"
    wanted = "\n".join(requirements)
    if done.exists() and done.read_text() == wanted:
        return python
    print(f"making the environment of {name} ({', '.join(requirements)})", file=sys.stderr)
    venv.create(folder, clear=True, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
    installed = subprocess.run(pip, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if installed.returncode != 0:
        last = installed.stderr.strip().splitlines()[-1:]
        raise PeerUnavailableError(f"{', '.join(requirements)} could not be installed: {' '.join(last)}")
    done.write_text(wanted)
    return python
