"""The behaviour of `make kills`: ends the platform's real processes at random moments while it trades, fifty times, and looks at what is left.

A platform of its own (own ports, own data) trades on the simulated venue, kept busy by a customer. Who dies, how, and after how long, comes from the
seed. No death comes before something has happened since the last one: an order on its way, or a fill. After each:

- the trader is ready again, nothing is halted but markets of broken baskets, the ledger balances;
- a trader that died has a new epoch, the others' deaths cost none;
- every order from before is explained within a bound;
- no order id has reached the venue twice, and each that did has a row.

After every tenth, and in the end, new risk is stopped, everything settles, and cash and every position are compared with the venue's chain to the
micro-unit, as is the statement. `python -m tests.e2e.kills --seed 3 --times 50`; what fails names its seed, and the platform's log and data stay.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

import pytest

from domain.money import parse_micros
from infra.supervisor import FAILURE_WINDOW, MOST_FAILURES
from tests.e2e.customer import Customer
from tests.e2e.deaths import DEATHS, LEASE_SECONDS, Death, Epoch
from tests.e2e.running import Platform, eventually, started
from tests.e2e.venue_books import Arrivals, VenueBooks

SETTINGS = {
    "POLYBOT_TRADING__LEASE_TTL_S": str(LEASE_SECONDS),
    # Hundreds of small orders cost fees and spreads: no loss limit shall end the run.
    "POLYBOT_TRADING__MAX_DAILY_LOSS": "900",
    "POLYBOT_TRADING__MAX_SESSION_LOSS": "900",
    "POLYBOT_TRADING__MAX_DRAWDOWN": "900",
    "POLYBOT_TRADING__MAX_OPEN_POSITIONS": "100",
}
LONGEST_WAIT = 3.0
REST_EVERY = 10
BUSY_WITHIN = 30.0
NOTICED_WITHIN = 3.0
"""How long the status may still speak of the time before."""
BACK_WITHIN = 60.0
EXPLAINED_WITHIN = 45.0
"""The absence rule's ten seconds for play money, the send deadline, and slow reads after an outage."""
AGREES_WITHIN = 120.0
BROKEN_BASKET = "residual inventory"
"""How the reason of its halt begins."""
DEADLINE = 45 * 60.0
"""The whole run ends after this, however little of it is done."""

Told = Callable[[str], None]


class Run:
    """One platform, its customer, what its venue has on record, and what was found so far."""

    def __init__(self, platform: Platform, seed: int, told: Told) -> None:
        self.platform = platform
        self.rng = random.Random(seed)
        self.told = told
        self.books = VenueBooks(platform)
        self.arrivals = Arrivals(platform.var / "venue", self.books.address)
        self.customer = Customer(platform, random.Random(seed + 1))
        self.rests = 0
        self._rows: set[str] = set()
        self._deaths = list(DEATHS.values())
        self._ended: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=MOST_FAILURES - 1))

    def __enter__(self) -> Self:
        self.arrivals.start()
        self.customer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.customer.stop()
        self.arrivals.stop()

    def death(self, number: int, times: int) -> None:
        """Wait until the trader is at work, let something die, and look at what is left."""
        seen = self.arrivals.count.total()
        eventually(lambda: self.arrivals.count.total() > seen, within=BUSY_WITHIN, what="an order at the venue")
        time.sleep(self.rng.uniform(0.0, LONGEST_WAIT))
        [death] = self.rng.choices(self._deaths, [each.weight for each in self._deaths])
        assert self.customer.working, "the customer gave up; the traceback is above"
        self._spare_the_launcher(death)
        before = self._status()
        at = datetime.now(UTC)
        death.act(self.platform)
        begun = time.monotonic()
        time.sleep(NOTICED_WITHIN)
        after = self._back(death, before["epoch"])
        back = time.monotonic() - begun
        self._sound(death)
        explained = self._explained(at, death)
        self.told(
            f"{number:>3}/{times}  {death.name:<18} epoch {before['epoch']:>3} → {after['epoch']:>3}  back {back:5.1f} s"
            f"  explained {explained:5.1f} s  {self.arrivals.count.total():>5} orders at the venue"
        )

    def rest(self) -> None:
        """Stop new risk, wait until nothing is on its way, and compare cash, positions and statement with the venue."""
        self.customer.pause()
        stopped = datetime.now(UTC)
        eventually(
            lambda: self.platform.post("/api/halt", {"scope": "all", "reason": "rest"}), within=30, what="a halt"
        )
        facts: dict[str, Any] = {}

        def agrees() -> bool:
            facts.clear()
            facts.update(self._compared(stopped))
            return not facts

        try:
            eventually(agrees, within=AGREES_WITHIN, what="agreement of our books with the venue's")
        except pytest.fail.Exception as error:
            raise AssertionError(f"{error}: {json.dumps(facts, indent=1)}") from None
        self._each_once()
        eventually(lambda: self.platform.delete("/api/halt?scope=all"), within=30, what="a resumption")
        self.rests += 1
        self.customer.resume()
        self.told(f"         at rest: cash and every position are the venue's ({dict(self.customer.asked)})")

    def _compared(self, since: datetime) -> dict[str, Any]:
        """Return what is not at rest or differs from the venue; empty when all agrees."""
        found: dict[str, Any] = {}
        statement = self.platform.get("/api/reports/statement")
        # The venue's word is written down when it says something new: what was booked since the last one must be nothing, or it must be new.
        word = statement["venue"]
        heard = word is not None and (word["booked_since"] == "0" or datetime.fromisoformat(word["read_at"]) >= since)
        if not (statement["agrees"] and heard):
            found["statement"] = {"agrees": statement["agrees"], "venue": word, "halted_at": str(since)}
        orders = self.platform.get("/api/orders?status=open")["results"]
        if orders:
            found["open orders"] = [(each["id"], each["status"], each["status_reason"]) for each in orders]
        positions = self._all("/api/positions")
        unsettled = [each["token_id"] for each in positions if parse_micros(each["unsettled"])]
        if unsettled:
            found["unsettled"] = unsettled
        # Closed positions count, too: less than a hundredth of a share may be left in them.
        held = Counter[str]()
        for each in positions:
            held[each["token_id"]] += parse_micros(each["size"])
        stated = {each["token_id"]: parse_micros(each["closing"]) for each in statement["tokens"]}
        theirs = self.books.shares(list(stated | held))
        for token, shares in theirs.items():
            if not held[token] == stated.get(token, 0) == shares:
                found[token] = {"positions": held[token], "statement": stated.get(token, 0), "venue": shares}
        ledger, cash = self.platform.get("/api/ledger"), self.books.cash()
        if not parse_micros(ledger["cash"]) == parse_micros(statement["closing"]["cash"]) == cash:
            found["cash"] = {"ledger": ledger["cash"], "statement": statement["closing"]["cash"], "venue": cash}
        if not ledger["balanced"]:
            found["ledger"] = ledger
        return found

    def _spare_the_launcher(self, death: Death) -> None:
        """Wait where one more end of a program would make the launcher give it up, as it does with what ends again and again."""
        for victim in death.victims:
            recent = self._ended[victim]
            if len(recent) == recent.maxlen:
                time.sleep(max(0.0, recent[0] + FAILURE_WINDOW + 1.0 - time.monotonic()))
            recent.append(time.monotonic())

    def _status(self) -> Any:
        return eventually(lambda: self.platform.get("/api/status"), within=30, what="a status")

    def _back(self, death: Death, epoch: int) -> Any:
        def ready() -> Any:
            status = self.platform.get("/api/status")
            if death.epoch is Epoch.RISES and status["epoch"] <= epoch:
                return None
            well = status["online"] and status["ready"] and status["ws_connected"] and status["user_ws_connected"]
            return status if well else None

        status = eventually(ready, within=BACK_WITHIN, what=f"a ready trader after {death.name}")
        if death.epoch is Epoch.STAYS:
            assert status["epoch"] == epoch, f"after {death.name} the epoch rose from {epoch} to {status['epoch']}"
        return status

    def _sound(self, death: Death) -> None:
        halts = eventually(lambda: self.platform.get("/api/halt"), within=30, what="the list of halts")["halts"]
        # A basket that a death broke leaves residual inventory: its market is halted, as designed, and nothing else may be.
        others = [halt for halt in halts if halt["scope"] != "market" or not halt["reason"].startswith(BROKEN_BASKET)]
        assert not others, f"after {death.name}: {others}"
        ledger = eventually(lambda: self.platform.get("/api/ledger"), within=30, what="the ledger")
        assert ledger["balanced"], f"after {death.name} the ledger does not balance: {ledger}"

    def _explained(self, at: datetime, death: Death) -> float:
        """Wait until no order from before `at` is in a passing state; returns the seconds it took."""
        begun = time.monotonic()
        left: list[Any] = []

        def none_left() -> bool:
            rows = self._all("/api/orders?status=open")
            left[:] = [
                (each["id"], each["status"], each["created_at"])
                for each in rows
                if each["status"] not in ("live", "partially_filled")
                and datetime.fromisoformat(each["created_at"]) < at
            ]
            return not left

        try:
            eventually(
                none_left, within=EXPLAINED_WITHIN, what=f"an explanation of all orders from before {death.name}"
            )
        except pytest.fail.Exception as error:
            raise AssertionError(f"{error}: {left}") from None
        self._each_once()
        return time.monotonic() - begun

    def _each_once(self) -> None:
        """No order id has arrived at the venue twice; every one that arrived has a row."""
        assert self.arrivals.failure is None, f"the venue's log could not be followed: {self.arrivals.failure!r}"
        arrived = dict(self.arrivals.count)
        twice = {order_id: times for order_id, times in arrived.items() if times > 1}
        assert not twice, f"orders that reached the venue more than once: {twice}"
        if unknown := arrived.keys() - self._rows:
            self._rows |= {row["id"] for row in self._all("/api/orders", until=unknown)}
            assert not arrived.keys() - self._rows, f"orders at the venue without a row: {arrived.keys() - self._rows}"

    def _all(self, path: str, until: set[str] | frozenset[str] = frozenset()) -> list[Any]:
        """Return the rows of all pages, or of as many as name everything in `until`."""
        rows: list[Any] = []
        cursor = ""
        while True:
            more = f"{path}{'&' if '?' in path else '?'}limit=500{cursor}"
            page = eventually(partial(self.platform.get, more), within=30, what=f"an answer of {path}")
            rows += page["results"]
            if page["next"] is None or (until and until <= {row["id"] for row in rows}):
                return rows
            cursor = f"&cursor={page['next']}"


def run(platform: Platform, seed: int, times: int, told: Told = lambda _: None) -> None:
    """Let `times` deaths happen, one after the other, and look after each; every tenth time and in the end, compare everything at rest."""
    deadline = time.monotonic() + DEADLINE
    with Run(platform, seed, told) as running:
        for number in range(1, times + 1):
            assert time.monotonic() < deadline, f"{number - 1} of {times} deaths took {DEADLINE:.0f} s"
            running.death(number, times)
            if number % REST_EVERY == 0 or number == times:
                running.rest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, default=50)
    arguments = parser.parse_args()
    begun = time.monotonic()
    print(f"seed {arguments.seed}, {arguments.times} deaths", flush=True)
    with started(SETTINGS) as platform:
        try:
            run(platform, arguments.seed, arguments.times, told=lambda line: print(line, flush=True))
        except (AssertionError, pytest.fail.Exception) as error:
            print(f"FAILED: {error}", file=sys.stderr)
            print("\n".join(platform.log.read_text().splitlines()[-40:]), file=sys.stderr)
            kept = platform.keep()
            print(f"the whole log and all data are in {kept}", file=sys.stderr)
            print(
                f"again: python -m tests.e2e.kills --seed {arguments.seed} --times {arguments.times}", file=sys.stderr
            )
            return 1
    print(f"{arguments.times} deaths, all survived, {time.monotonic() - begun:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
