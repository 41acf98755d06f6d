"""A simulated venue of one run's own: its process, its folder, its port.

`running` yields its addresses once agents quote. A venue that does not start in time, or ends, is an error with the end of its log.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 90.0
SEED = 20261122
_QUOTED = 20


class VenueUnavailableError(Exception):
    """The simulated venue did not start."""


@contextmanager
def running(root: Path, folder: Path) -> Iterator[dict[str, str]]:
    """Run `manage.py runvenue` of the repository at `root` with `folder` as its own var/ and default settings; yield its addresses."""
    log = folder / "venue.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POLYBOT_")}
    environment |= {"POLYBOT_VAR": str(folder), "POLYBOT_CONFIG": "", "DJANGO_SETTINGS_MODULE": "polybot_site.settings"}
    command = [sys.executable, "manage.py", "runvenue", "--port", "0", "--seed", str(SEED), "--fail-share", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield _addresses(process, folder / "venue.json", log)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _addresses(process: subprocess.Popen[bytes], file: Path, log: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise VenueUnavailableError(
                f"the simulated venue ended with {process.returncode}:\n{log.read_text()[-2000:]}"
            )
        if file.exists():
            addresses: dict[str, str] = json.loads(file.read_text())
            if _quoted(addresses["gamma_url"]) >= _QUOTED:
                return addresses
        time.sleep(0.2)
    raise VenueUnavailableError(
        f"the simulated venue had no quotes within {START_SECONDS:g} s:\n{log.read_text()[-2000:]}"
    )


def _quoted(gamma_url: str) -> int:
    """Return how many markets have both a bid and an ask."""
    # The venue turns away urllib's own name.
    request = urllib.request.Request(f"{gamma_url}/markets/keyset?limit=100", headers={"User-Agent": "conformance"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return sum(1 for market in json.load(response)["markets"] if market.get("bestBid") and market.get("bestAsk"))
