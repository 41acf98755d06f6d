"""The venue's published rate limits, as data: which endpoint falls under which limits, and what each tier of signers may do.

Limits of the proxy count requests per IP address; signers' tiers count orders and cancelled ids. Source: the venue's documentation of rate limits
(2026-07-24), section 3.11 of our protocol reference. An endpoint that is not listed falls under its host's general limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Limit = tuple[str, int, float]
"""Name, requests, seconds."""


class Kind(StrEnum):
    """What a request is for; when a budget is nearly gone, orders are held back first, then reads, cancels last."""

    PLACE = "place"
    READ = "read"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Rule:
    """One endpoint: a method ("" for any) and a path, which stands for everything below it as well."""

    method: str
    path: str
    limits: tuple[Limit, ...] = ()
    kind: Kind = Kind.READ

    def matches(self, method: str, path: str) -> bool:
        return self.method in {"", method} and (path == self.path or path.startswith(self.path.rstrip("/") + "/"))

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}".lstrip()


def _ten(name: str, requests: int, per_ten_minutes: int = 0) -> tuple[Limit, ...]:
    short: Limit = (name, requests, 10.0)
    return (short, (name, per_ten_minutes, 600.0)) if per_ten_minutes else (short,)


EVERY_HOST: Limit = ("all", 15_000, 10.0)
_LEDGER = _ten("clob.ledger", 900)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "clob": (
        Rule("POST", "/order", _ten("clob.place", 5_000, 120_000), Kind.PLACE),
        Rule("POST", "/orders", _ten("clob.place_many", 2_000, 21_000), Kind.PLACE),
        Rule("DELETE", "/order", _ten("clob.cancel", 5_000, 120_000), Kind.CANCEL),
        Rule("DELETE", "/orders", _ten("clob.cancel_many", 2_000, 15_000), Kind.CANCEL),
        Rule("DELETE", "/cancel-all", _ten("clob.cancel_all", 250, 6_000), Kind.CANCEL),
        Rule("DELETE", "/cancel-market-orders", _ten("clob.cancel_market", 1_500, 21_000), Kind.CANCEL),
        Rule("POST", "/v1/heartbeats", (), Kind.CANCEL),
        Rule("GET", "/book", _ten("clob.book", 1_500)),
        Rule("GET", "/price", _ten("clob.price", 1_500)),
        Rule("GET", "/midpoint", _ten("clob.midpoint", 1_500)),
        Rule("POST", "/books", _ten("clob.books", 500)),
        Rule("POST", "/prices", _ten("clob.prices", 500)),
        Rule("POST", "/midpoints", _ten("clob.midpoints", 500)),
        Rule("GET", "/prices-history", _ten("clob.prices_history", 1_000)),
        Rule("GET", "/tick-size", _ten("clob.tick_size", 200)),
        Rule("GET", "/data/orders", (*_LEDGER, *_ten("clob.data_orders", 500))),
        Rule("GET", "/data/trades", (*_LEDGER, *_ten("clob.data_trades", 500))),
        Rule("GET", "/data/order", _LEDGER),
        Rule("", "/notifications", (*_LEDGER, *_ten("clob.notifications", 125))),
        Rule("GET", "/balance-allowance/update", _ten("clob.balance_update", 50)),
        Rule("GET", "/balance-allowance", _ten("clob.balance", 200)),
        Rule("", "/auth", _ten("clob.auth", 100)),
        Rule("GET", "/ok", _ten("clob.ok", 100)),
    ),
    "gamma": (
        Rule("GET", "/events", _ten("gamma.events", 500)),
        Rule("GET", "/markets", _ten("gamma.markets", 300)),
        Rule("GET", "/public-search", _ten("gamma.search", 350)),
        Rule("GET", "/tags", _ten("gamma.tags", 200)),
        Rule("GET", "/comments", _ten("gamma.comments", 200)),
    ),
    "data": (
        Rule("GET", "/trades", _ten("data.trades", 200)),
        Rule("GET", "/v2/trades", _ten("data.trades_v2", 300)),
        Rule("GET", "/positions", _ten("data.positions", 150)),
        Rule("GET", "/v2/positions", _ten("data.positions", 150)),
        Rule("GET", "/closed-positions", _ten("data.closed_positions", 150)),
        Rule("GET", "/v2/closed-positions", _ten("data.closed_positions", 150)),
    ),
    "relayer": (Rule("POST", "/submit", (("relayer.submit", 25, 60.0),)),),
}
"""Rules by host; the first that matches counts."""

GENERAL: Mapping[str, tuple[Limit, ...]] = {
    "clob": (EVERY_HOST, *_ten("clob", 9_000)),
    "gamma": (EVERY_HOST, *_ten("gamma", 4_000)),
    "data": (EVERY_HOST, *_ten("data", 1_000)),
    "relayer": (EVERY_HOST,),
}
"""What every request to a host falls under, whatever else it does."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What a signer may do: tokens a second, and how many at once. `cancels_may_owe`: a cancel is taken while any token is there."""

    orders: tuple[int, int]
    cancels: tuple[int, int]
    cancels_may_owe: bool


STANDARD = "standard"
TIERS: Mapping[str, Tier] = {
    STANDARD: Tier((40, 60), (80, 120), True),
    "copper": Tier((60, 90), (120, 180), True),
    "bronze": Tier((80, 120), (160, 240), True),
    "silver": Tier((200, 300), (400, 600), True),
    "gold": Tier((400, 600), (800, 1200), True),
    "platinum": Tier((450, 675), (900, 1350), False),
    "diamond": Tier((525, 787), (1050, 1575), False),
    "elite": Tier((600, 900), (1200, 1800), False),
}
"""Tiers by 30-day volume; which one a signer is in, the venue says in its answers."""
