"""What the simulated venue itself has on record of the platform's account, read past everything the platform says of it.

Arrivals are read from the venue's own log of inputs while it is written: every signed order that ever reached it, duplicates included. Holdings come
from its chain.
"""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from tests.e2e.running import Platform
from venues.polymarket.contracts import is_position_id
from venues.polymarket.wallet.contracts import CTF, POSITION_MANAGER, PUSD

_LOOK_EVERY = 0.2


class Arrivals:
    """Follows the venue's log in a thread; `count` says how often each order id of `account` arrived.

    A log that a snapshot has made superfluous is deleted by the venue, never while it is the newest: it is open here long before.
    """

    def __init__(self, folder: Path, account: str) -> None:
        self.count: Counter[str] = Counter()
        self.failure: Exception | None = None
        self._folder = folder
        self._account = account
        self._stop = threading.Event()
        self._logs: dict[str, BinaryIO] = {}
        self._rest: dict[str, bytes] = {}
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        for log in self._logs.values():
            log.close()

    def _follow(self) -> None:
        while not self._stop.wait(_LOOK_EVERY):
            try:
                self._read()
            except (OSError, ValueError) as error:
                self.failure = error
                return

    def _read(self) -> None:
        for path in sorted(self._folder.glob("log-*")):
            if path.name not in self._logs:
                with contextlib.suppress(FileNotFoundError):
                    self._logs[path.name] = path.open("rb")
        for name, log in sorted(self._logs.items()):
            *lines, self._rest[name] = (self._rest.get(name, b"") + log.read()).split(b"\n")
            for line in lines:
                self._take(line)

    def _take(self, line: bytes) -> None:
        if b'"place"' not in line:
            return
        _, _, what = json.loads(line[9:])
        if what["type"] == "place" and what["account"].lower() == self._account.lower():
            self.count[what["order_id"]] += 1


class VenueBooks:
    """The account's holdings by the venue's chain."""

    def __init__(self, platform: Platform) -> None:
        (marker,) = platform.var.glob("simulated-wallet.*.funded")
        self.address = marker.read_text().split()[1]
        self._var = platform.var

    def cash(self) -> int:
        """Return the account's money in micro-dollars."""
        return self._call(PUSD.address, "balanceOf(address)", ["address"], [self.address])

    def shares(self, token_ids: Sequence[str]) -> dict[str, int]:
        """Return the micro-shares of each token."""
        return {token: self._shares(int(token)) for token in token_ids}

    def _shares(self, token: int) -> int:
        contract = POSITION_MANAGER if is_position_id(token) else CTF
        return self._call(contract.address, "balanceOf(address,uint256)", ["address", "uint256"], [self.address, token])

    def _call(self, contract: str, function: str, types: list[str], values: list[Any]) -> int:
        data = "0x" + (keccak(text=function)[:4] + encode(types, values)).hex()
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": contract, "data": data}, "latest"]}
        where = json.loads((self._var / "venue.json").read_text())["rpc_url"]
        request = urllib.request.Request(
            where, json.dumps(body).encode(), {"Content-Type": "application/json", "User-Agent": "polybot-kills"}
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            (number,) = decode(["uint256"], bytes.fromhex(json.load(response)["result"][2:]))
        return int(number)
