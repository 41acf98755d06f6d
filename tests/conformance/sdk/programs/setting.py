"""Where a program finds the venue, and what it may ask of it beside the SDK: play money, and an end to an event. Standard library only."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

OWNER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
WALLETS = {
    0: OWNER,
    1: "0x365f0CA36Ae1f641E02fE3B7743673da42A13A70",
    2: "0xd93B25cb943D14d0d34FBaF01Fc93a0f8b5F6E47",
    3: "0xBc0fF067b7740Eff76C1ca93c875Ba6B890d6B50",
}
"""The wallets of one well-known development key, by signature type: itself, its proxy, its Safe, its deposit wallet (venue documentation)."""

ZERO32 = "0x" + "00" * 32
BUILDER_CODE = "0x" + "b1" * 32


@dataclass(frozen=True)
class Market:
    """One market as Gamma lists it. Prices and ticks are decimals; `yes` and `no` are token ids, or position ids of Protocol V2."""

    id: str
    condition_id: str
    question_id: str
    slug: str
    event_id: str
    event_slug: str
    yes: str
    no: str
    tick: Decimal
    bid: Decimal
    ask: Decimal
    neg_risk: bool
    fee_rate: Decimal
    delayed: bool
    positions: bool

    @property
    def quiet(self) -> bool:
        """Say whether orders match at once, on a grid of cents."""
        return not self.delayed and not self.positions and self.tick == Decimal("0.01")


class Venue:
    """The simulated venue's addresses and its owner's doors."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.clob = addresses["url"]
        self.ws = addresses["ws_url"]
        self.gamma = addresses["gamma_url"]
        self.data = addresses["data_url"]
        self.relayer = addresses["relayer_url"]
        self.rpc = addresses["rpc_url"]

    def fund(
        self, address: str, dollars: int, *, owner: str = "", signature_type: int = 0, approved: bool = True
    ) -> None:
        """Give play money to a wallet."""
        wanted: dict[str, Any] = {"address": address, "amount": str(dollars), "signature_type": signature_type}
        if owner and signature_type:
            wanted["owner"] = owner
        if not approved:
            wanted["approved"] = False
        self._send(f"{self.clob}/admin/faucet", wanted)

    def resolve(self, condition_id: str) -> None:
        """End the event of a market now."""
        self._send(f"{self.clob}/admin/resolve", {"condition_id": condition_id})

    def markets(self, **query: str) -> list[Market]:
        """Return the markets Gamma lists, most traded first."""
        url = f"{self.gamma}/markets/keyset?{urlencode({'limit': '100', **query})}"
        request = urllib.request.Request(
            url, headers={"User-Agent": "conformance"}
        )  # the venue turns away urllib's own name
        with urllib.request.urlopen(request, timeout=10) as response:
            rows = json.load(response)["markets"]
        return [_market(row) for row in rows if row.get("bestBid") and row.get("bestAsk")]

    def pick(self, *, neg_risk: bool, fees: bool = False) -> Market:
        """Return a market without delays, with a tick of a cent and room between bid and ask, priced near the middle. Waits for one."""

        def fitting() -> list[Market]:
            return [
                market
                for market in self.markets()
                if market.neg_risk == neg_risk
                and market.quiet
                and market.ask - market.bid >= Decimal("0.02")
                and Decimal("0.15") <= market.bid <= Decimal("0.8")
                and (not fees or market.fee_rate)
            ]

        return min(_first(fitting), key=lambda market: abs(market.bid - Decimal("0.5")))

    def pick_of_positions(self) -> Market:
        """Return a market of Protocol V2, whose orders Exchange V3 settles."""
        return _first(lambda: [market for market in self.markets() if market.positions])[0]

    def pick_to_end(self, *, neg_risk: bool, place: int) -> Market:
        """Return a market whose event may end at once, because nobody trades in it: one that `pick` never chooses.

        Programs that run at the same time take different places (0: the first, -1: the last) of those there are.
        """

        def fitting() -> list[Market]:
            markets = self.markets()
            traded = {market.event_id for market in markets if market.quiet}
            found = [
                market
                for market in markets
                if market.neg_risk == neg_risk and market.event_id not in traded and not market.positions
            ]
            return found if found and found[0].event_id != found[-1].event_id else []

        return _first(fitting)[place]

    def _send(self, url: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            response.read()


def _first(fitting: Callable[[], list[Market]]) -> list[Market]:
    """Return what fits as soon as something does."""
    for _ in range(100):
        if found := fitting():
            return found
        time.sleep(0.3)
    raise LookupError("the venue listed no such market within 30 s")


def venue_of_arguments() -> Venue:
    """Return the venue named by the program's only argument, a JSON object of addresses."""
    return Venue(json.loads(sys.argv[1]))


def _market(row: dict[str, Any]) -> Market:
    yes, no = json.loads(row["clobTokenIds"])
    event = row["events"][0]
    return Market(
        id=row["id"],
        condition_id=row["conditionId"],
        question_id=row["questionID"],
        slug=row["slug"],
        event_id=event["id"],
        event_slug=event["slug"],
        yes=yes,
        no=no,
        tick=Decimal(str(row["orderPriceMinTickSize"])),
        bid=Decimal(str(row["bestBid"])),
        ask=Decimal(str(row["bestAsk"])),
        neg_risk=row["negRisk"],
        fee_rate=Decimal(str((row.get("feeSchedule") or {}).get("rate", 0))),
        delayed=bool(row["secondsDelay"]) or row.get("feeType") == "crypto_fees",
        positions=row["version"] == "v2",
    )
