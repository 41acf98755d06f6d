"""`make run` with the isolated signer: orders are signed by a process that alone has the key, and the trader trades while that one lives."""

from __future__ import annotations

import json
import re
import signal
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import Platform, eventually, started
from tests.venues.polymarket.isolated_signer.serving import PASSWORD, SignerProcess, signer_process

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# Nobody's: made for this test.
KEY = "b1f0a3c55e8d4f7296c3e0d7a85b421968f3c0e7d2ab914653708cfe21ad9b47"
SIGNED_LIMITS = {"POLYBOT_SIGNER__MAX_DAY_NOTIONAL": "5000"}


@dataclass
class Desk:
    """A platform whose orders a signer signs."""

    platform: Platform
    signer: SignerProcess

    def order(self) -> Any:
        """Place an order that rests; returns the command's answer, a refusal included."""
        listed = self.platform.get("/api/markets?status=active")["results"]
        market = next((row for row in listed if row["best_bid"] and float(row["best_bid"]) > 0.2), None)
        if market is None:
            return {"detail": "no market is quoted yet"}
        price = f"{float(market['best_bid']) - 0.1:.2f}"
        body = {"token_id": market["token_ids"][0], "side": "buy", "price": price, "size": "10", "post_only": True}
        try:
            return self.platform.post("/api/orders", body)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)

    def unsigned(self) -> Any:
        """Return the status once it counts orders that nobody signed."""
        status = self.platform.get("/api/status")
        return status if status["counters"].get("refused_not_prepared") else None

    def placed(self) -> Any:
        """Place orders until one is taken."""
        answers: list[Any] = []

        def taken() -> Any:
            answers.append(self.order())
            return answers[-1].get("status") == "done" and answers[-1]

        try:
            return eventually(taken, within=30, what="an order")
        except pytest.fail.Exception:
            raise AssertionError(answers[-1]) from None


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with signer_process(KEY, **SIGNED_LIMITS) as signer:
        wallet = {"POLYBOT_WALLET__SIGNER_SOCKET": str(signer.socket), "POLYBOT_WALLET__ADDRESS": signer.address}
        with started(wallet) as platform:
            yield Desk(platform, signer)


def test_orders_are_signed_and_the_venue_takes_them_from_the_signers_address(desk):
    desk.placed()
    (marker,) = desk.platform.var.glob("simulated-wallet.*.funded")
    assert marker.read_text().split()[1] == desk.signer.address
    assert desk.platform.get("/api/orders?limit=1")["results"][0]["status"] == "live"


def test_no_process_of_the_platform_has_the_key_or_its_password_in_environment_or_memory(desk):
    desk.placed()
    key, password = bytes.fromhex(KEY), PASSWORD.encode()
    for word in ("runtrader", "uvicorn", "celery", "manage.py up"):
        pid = desk.platform.program(word.split()[-1]).pid if word != "manage.py up" else desk.platform.pid
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"POLYBOT_WALLET__ADDRESS=" + desk.signer.address.encode() in environ
        for secret in (KEY.encode(), password, b"KEYSTORE", b"PASSWORD_FILE"):
            assert secret not in environ
        assert found_in_memory(pid, desk.signer.address.encode())
        assert not found_in_memory(pid, KEY.encode(), KEY.upper().encode(), key, key[::-1], password)


def test_without_its_signer_the_trader_opens_nothing_says_why_and_goes_on_when_it_is_back(desk):
    desk.placed()
    before = desk.platform.get("/api/status")
    trader = desk.platform.program("runtrader").pid
    desk.signer.end(signal.SIGKILL)
    desk.order()
    status = eventually(desk.unsigned, within=30, what="a refusal of what nobody signed")
    # Counted from here: what was signed a moment before may still have been on its way.
    orders = len(desk.platform.get("/api/orders?limit=500")["results"])
    desk.order()
    assert status["unknown_orders"] == 0
    assert len(desk.platform.get("/api/orders?limit=500")["results"]) == orders
    told = [line for line in desk.platform.log.read_text().splitlines() if "order not prepared" in line]
    assert "no signer listens" in told[-1]
    assert "start `manage.py runsigner`" in told[-1]
    desk.signer.start()
    desk.placed()
    after = desk.platform.get("/api/status")
    # A basket of which one leg was signed and the next was not is residual inventory, which halts its market alone.
    assert [halt for halt in after["halts"] if halt["scope"] != "market"] == []
    assert after["epoch"] == before["epoch"]
    assert desk.platform.program("runtrader").pid == trader


def found_in_memory(pid: int, *wanted: bytes) -> bool:
    """Search what a process can write to, which is where Python keeps everything, for any of `wanted`."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            area = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if area is None or line.endswith(("[vvar]", "[vsyscall]")):
                continue
            first, last = (int(number, 16) for number in area.groups())
            try:
                memory.seek(first)
                content = memory.read(last - first)
            except (OSError, OverflowError):
                continue
            if any(each in content for each in wanted):
                return True
    return False
