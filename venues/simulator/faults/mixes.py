"""Ready mixes of faults, for trying a client by hand and in CI: `--faults chaos`.

`chaos` is a very bad day, on which everything that goes wrong at the venue goes wrong: a client must lose time and nothing else.
`hostile` is a venue that lies: a client must believe none of it, and say so.
"""

from __future__ import annotations

from venues.simulator.faults.model import (
    Answer,
    Cut,
    Delay,
    Duplicate,
    Edit,
    EmptyDump,
    Fault,
    Freeze,
    Garbage,
    Half,
    Hold,
    Kind,
    Lose,
    Reorder,
    Restart,
    Settle,
    Silence,
    StaleBook,
    TickChange,
    When,
    Where,
)

_STRANGER, _STRANGERS_KEY = "0x" + "5" * 40, "00000000-0000-4000-8000-00000000beef"
_ORDERS = Where(path="/order*")


def _fault(name: str, do: Kind, share: float, where: Where = Where(), *, after: bool = False) -> Fault:  # noqa: B008 (frozen)
    when = When(times=None, share=share, stage="after" if after else "before")
    return Fault(name=name, do=do, where=where, when=when)


def _market(event: str = "") -> Where:
    return Where(channel="market", event=event)


def _user(event: str = "") -> Where:
    return Where(channel="user", event=event)


_CHAOS = (
    _fault("reset", Cut(), 0.004),
    _fault("hang-up", Cut(reset=False), 0.003, after=True),
    _fault("timeout", Silence(seconds=30), 0.003, _ORDERS),
    _fault("timeout-after-acceptance", Silence(seconds=30), 0.006, _ORDERS, after=True),
    _fault("half-an-answer", Half(), 0.003),
    _fault("slow", Delay(seconds=0.4), 0.02),
    _fault("blocked", Answer(name="cloudflare_403"), 0.001, Where(method="GET")),
    _fault("bad-gateway", Answer(name="bad_gateway_502"), 0.003),
    _fault("limited", Answer(name="too_many_requests_429"), 0.004),
    _fault("limited-bare", Answer(name="too_many_requests_429_bare"), 0.002),
    _fault("timed-out", Answer(name="order_timed_out_500"), 0.004, _ORDERS),
    _fault("not-inserted", Answer(name="could_not_insert_500"), 0.003, _ORDERS),
    _fault("not-run", Answer(name="could_not_run_500"), 0.003, _ORDERS),
    _fault("run-all-the-same", Answer(name="could_not_run_500"), 0.005, _ORDERS, after=True),
    _fault("internal", Answer(name="internal_500"), 0.003, after=True),
    _fault("malformed", Answer(name="malformed_200"), 0.002, after=True),
    _fault("stale-book", StaleBook(), 0.02),
    _fault("restart", Restart(down_seconds=5, post_only_seconds=10), 0.0004, _ORDERS),
    _fault("freeze", Freeze(seconds=20), 0.0002, _market()),
    _fault("drop-market", Cut(), 0.0003, _market()),
    _fault("drop-user", Cut(reset=False), 0.005, _user()),
    _fault("empty-dump", EmptyDump(), 0.02, _market()),
    _fault("garbage", Garbage(), 0.0003, _market()),
    _fault("lose-levels", Lose(), 0.0005, _market("price_change")),
    _fault("repeat-levels", Duplicate(), 0.002, _market("price_change")),
    _fault("late-levels", Delay(seconds=0.5), 0.0005, _market("price_change")),
    _fault("lose-events", Lose(), 0.01, _user()),
    _fault("repeat-events", Duplicate(copies=2), 0.05, _user()),
    _fault("reorder-events", Reorder(), 0.05, _user()),
    _fault("late-events", Delay(seconds=1.5), 0.03, _user()),
    _fault("ghost", Settle(steps=((1.0, "FAILED"),)), 0.03),
    _fault("retries", Settle(steps=((1.0, "RETRYING"), (20.0, "MINED"), (22.0, "CONFIRMED"))), 0.03),
    _fault("retries-in-vain", Settle(steps=((1.0, "RETRYING"), (20.0, "FAILED"))), 0.01),
    _fault("hold", Hold(milliseconds=1000, seconds=30), 0.004, _ORDERS),
    _fault("tick", TickChange(tick="0.001"), 0.002, _ORDERS),
)

_HOSTILE = (
    _fault("another-order", Edit(values={"orderID": "0x" + "66" * 32}), 0.05, Where(method="POST", path="/order")),
    _fault("huge-amounts", Edit(values={"takingAmount": "1e400", "makingAmount": "-1"}), 0.05, Where(path="/order")),
    _fault("negative-size", Edit(values={"price_changes.*.size": "-100"}), 0.002, _market("price_change")),
    _fault("enormous-size", Edit(values={"price_changes.*.size": "9" * 40}), 0.002, _market("price_change")),
    _fault("price-above-one", Edit(values={"price_changes.*.price": "1.5"}), 0.002, _market("price_change")),
    _fault("no-number", Edit(values={"price_changes.*.price": "NaN"}), 0.002, _market("price_change")),
    _fault("crossed-book", Edit(values={"bids": [{"price": "0.98", "size": "5"}]}), 0.05, _market("book")),
    _fault("unknown-status", Edit(values={"status": "BLESSED"}), 0.05, _user()),
    _fault("another-owner", Edit(values={"owner": _STRANGERS_KEY}), 0.05, _user("trade")),
    _fault(
        "fill-of-nobody",
        Edit(
            keep=True,
            values={
                "id": "00000000-0000-4000-8000-00000000dead",
                "taker_order_id": "0x" + "77" * 32,
                "maker_orders.*.order_id": "0x" + "88" * 32,
            },
        ),
        0.1,
        _user("trade"),
    ),
    _fault(
        "fill-of-another",
        Edit(
            keep=True,
            values={
                "id": "00000000-0000-4000-8000-00000000abad",
                "owner": _STRANGERS_KEY,
                "trade_owner": _STRANGERS_KEY,
                "maker_address": _STRANGER,
                "taker_order_id": "0x" + "55" * 32,
                "maker_orders.*.order_id": "0x" + "44" * 32,
                "maker_orders.*.owner": _STRANGERS_KEY,
                "maker_orders.*.maker_address": _STRANGER,
            },
        ),
        0.1,
        _user("trade"),
    ),
    _fault("negative-fill", Edit(values={"size": "-10", "maker_orders.*.matched_amount": "-10"}), 0.05, _user("trade")),
    _fault(
        "overfill", Edit(values={"size": "1000000", "maker_orders.*.matched_amount": "1000000"}), 0.05, _user("trade")
    ),
    _fault("price-of-a-fill", Edit(values={"price": "7", "maker_orders.*.price": "7"}), 0.05, _user("trade")),
)

MIXES: dict[str, tuple[Fault, ...]] = {"chaos": _CHAOS, "hostile": _HOSTILE}
"""Every ready mix."""
