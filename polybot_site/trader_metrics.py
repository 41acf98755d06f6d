"""The traders' figures as Prometheus' metrics: what each trader last said of itself and of its venue's rate limits, the same that
`GET /api/status` and `GET /api/health` show. Every web process tells the same; a trader that is silent has `polybot_trader_up` 0 and nothing else.

Labels take their values from fixed lists (accounts with a trader, scopes, names of counters and of rate limits in the code), so their number is
bounded. Counters begin at 0 with each start of a trader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from domain.halt import HaltScope
from domain.status import BudgetFigure
from trading.risk import Refusal

Samples = Iterable[tuple[tuple[str, ...], float]]
"""Label values and the value."""

_COUNTED = (
    ("manual_refused_", "manual_refusals", "Orders of people that risk refused, by reason", "reason"),
    ("refused_", "refusals", "Opening and reducing intents that risk refused, by reason", "reason"),
    ("group_refused_", "leg_group_refusals", "Leg groups that risk refused, by reason", "reason"),
    ("group_dropped_", "leg_group_drops", "Leg groups given up before they were decided, by reason", "reason"),
    ("group_", "leg_groups", "What became of leg groups", "outcome"),
)
"""Beginnings of the trader's names of counters, and the metric that the rest is a label of. The first that fits counts."""

_SINGLE = {
    "quarantined_trades": ("gauge", "Trades that could not be booked"),
    "balances_compared_seconds_ago": ("gauge", "Seconds since the balances were compared with the venue's"),
    "orders_in_flight": ("gauge", "Orders on their way to the venue, of which the number is bounded"),
    "changes_unwritten": ("gauge", "Changes that have happened and wait to be durable"),
    "events_waiting": ("gauge", "Commands to Redis that it has not confirmed"),
    "events_dropped": ("counter", "Commands to Redis dropped because too many waited"),
    "unknown_tokens": ("counter", "Market data of tokens that are not followed"),
    "stale_snapshots": ("counter", "Snapshots of books that were older than the book"),
    "skipped_books": ("counter", "Books that strategies were not shown, because they cannot be believed"),
    "submit_errors": ("counter", "Intents that the executor failed on"),
}
"""The trader's counters that are metrics by themselves."""

_GAUGES = {
    "ready": "1 when recovered and reconciled",
    "ws_connected": "1 while the market channel is connected",
    "user_ws_connected": "1 while the account's channel is connected",
    "uptime_seconds": "Seconds since the start",
    "open_orders": "Orders that are not over",
    "unknown_orders": "Orders of which it is not known whether the venue has them",
    "open_positions": "Positions that hold something",
    "watched_markets": "Markets whose books are followed",
    "leg_groups": "Leg groups that are not over",
}
_BUDGET = (
    ("requests", "counter", "Requests under a rate limit of the venue"),
    ("waits", "counter", "Requests that waited for a rate limit"),
    ("refusals", "counter", "Requests held back for a rate limit"),
    ("too_many", "counter", "Requests that the venue answered with too many"),
    ("left", "gauge", "How much of a rate limit may be used at once"),
    ("limit", "gauge", "A rate limit's size"),
)


def trader_metrics(
    statuses: Iterable[Mapping[str, Any]], budgets: Mapping[str, Iterable[BudgetFigure]]
) -> Iterator[Metric]:
    """Yield the metrics of traders: each one's `trader_status`, and its rate limits by account."""
    known = list(statuses)
    up = [each for each in known if each["online"]]
    yield _gauge("trader_up", "1 while a trader reports", [((_account(each),), each["online"]) for each in known])
    for name, text in _GAUGES.items():
        shown = "leg_groups_open" if name == "leg_groups" else name
        yield _gauge(f"trader_{shown}", text, [((_account(each),), each[name]) for each in up])
    frames = [((_account(each),), each["refused_frames"]) for each in up]
    yield _counter("trader_refused_frames", "Frames of the venue that could not be believed", frames)
    yield from _counted(up)
    yield _gauge("trader_halts", "Halts in force, by scope and by whether polybot set them", _halts(up), "scope", "by")
    for name, kind, text in _BUDGET:
        make = _counter if kind == "counter" else _gauge
        figures = [((account, each.name), getattr(each, name)) for account, own in budgets.items() for each in own]
        yield make(f"venue_budget_{name}", text, figures, "budget")


def _counted(up: list[Mapping[str, Any]]) -> Iterator[Metric]:
    """Yield the metrics of the trader's counters. Each counter is in exactly one of them."""
    found: dict[str, dict[tuple[str, str], float]] = {metric: {} for _, metric, _, _ in _COUNTED}
    found["intents"] = {}
    single: dict[str, dict[str, float]] = {name: {} for name in _SINGLE}
    for each in up:
        account = _account(each)
        for reason in Refusal:
            found["refusals"][account, reason.value] = 0
        for name, value in each["counters"].items():
            if name in _SINGLE:
                single[name][account] = value
                continue
            metric, rest = next(
                ((m, name[len(p) :]) for p, m, _, _ in _COUNTED if name.startswith(p)), ("intents", name)
            )
            found[metric][account, rest] = value
    for _, metric, text, label in _COUNTED:
        yield _counter(f"trader_{metric}", text, found[metric].items(), label)
    yield _counter("trader_intents", "What became of intents", found["intents"].items(), "outcome")
    for name, (kind, text) in _SINGLE.items():
        make = _counter if kind == "counter" else _gauge
        yield make(f"trader_{name}", text, [((account,), value) for account, value in single[name].items()])


def _halts(up: list[Mapping[str, Any]]) -> Samples:
    """Return how many halts there are of every scope, also of those without any."""
    counts = {
        (_account(each), scope.value, by): 0 for each in up for scope in HaltScope for by in ("polybot", "person")
    }
    for each in up:
        for halt in each["halts"]:
            counts[_account(each), halt["scope"], "polybot" if halt["set_by"] == "polybot" else "person"] += 1
    return counts.items()


def _account(status: Mapping[str, Any]) -> str:
    return str(status["account"])


def _counter(name: str, text: str, samples: Samples, *labels: str) -> Metric:
    family = CounterMetricFamily(f"polybot_{name}", text, labels=("account", *labels))
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _gauge(name: str, text: str, samples: Samples, *labels: str) -> Metric:
    family = GaugeMetricFamily(f"polybot_{name}", text, labels=("account", *labels))
    for values, value in samples:
        family.add_metric(values, value)
    return family
