"""Prometheus metrics of this process, all named `polybot_*`.

Asking twice for the same name returns the same metric, so a kernel that is built again in one process goes on counting. Asking for a name
with another kind or other labels is a mistake in the code and raises `ValueError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Metric, generate_latest

REGISTRY = CollectorRegistry(auto_describe=True)
CONTENT_TYPE = CONTENT_TYPE_LATEST

_Metric = Counter | Gauge
_M = TypeVar("_M", Counter, Gauge)
_metrics: dict[str, tuple[_Metric, tuple[str, ...]]] = {}


def counter(name: str, help_text: str, labels: Sequence[str] = ()) -> Counter:
    """Return the counter `polybot_<name>`."""
    return _metric(Counter, name, help_text, labels)


def gauge(name: str, help_text: str, labels: Sequence[str] = ()) -> Gauge:
    """Return the gauge `polybot_<name>`."""
    return _metric(Gauge, name, help_text, labels)


class _Collected:
    """Metrics that were collected elsewhere."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> list[Metric]:
        return self._metrics


def render(others: Iterable[Metric] = ()) -> bytes:
    """Return all metrics of this process, and `others`, in the text format of `CONTENT_TYPE`."""
    collected = CollectorRegistry()
    collected.register(_Collected(others))
    return generate_latest(REGISTRY) + generate_latest(collected)


def _metric(kind: type[_M], name: str, help_text: str, labels: Sequence[str]) -> _M:
    known = _metrics.get(name)
    if known is None:
        known = (kind(name, help_text, labels, namespace="polybot", registry=REGISTRY), tuple(labels))
        _metrics[name] = known
    metric, known_labels = known
    if not isinstance(metric, kind) or known_labels != tuple(labels):
        raise ValueError(f"metric {name} is a {type(metric).__name__} with labels {known_labels}")
    return metric
