"""The span of a report: from a day to a day, in UTC. Days are named as 2026-11-22; a moment (2026-11-22T18:00:00Z) is taken as it is.

`end` names the last day that belongs to the report; without it the report goes until now, without `start` it covers the last thirty days.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from trading.report_queries import Span

DEFAULT_DAYS = 30


class SpanError(ValueError):
    """A span that cannot be meant: which of its texts, by the name it has where it was asked for, and what was expected."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name = name


def parse_span(start: str, end: str, now: datetime, *, start_name: str = "from") -> Span:
    """Return the span of two texts, "" for one that was not given. Errors call the first one `start_name`.

    Raises:
        SpanError: a text is no day or moment, or the end is not after the start.
    """
    until = _moment(end, "to", last=True) if end else now
    since = (
        _moment(start, start_name, last=False) if start else _midnight(until.date() - timedelta(days=DEFAULT_DAYS - 1))
    )
    if since >= until:
        raise SpanError(start_name, f"was {since.isoformat()}, expected a time before {until.isoformat()}")
    return Span(since, until)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _moment(text: str, name: str, *, last: bool) -> datetime:
    try:
        if len(text) == len("2026-11-22"):
            return _midnight(date.fromisoformat(text) + timedelta(days=1 if last else 0))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise SpanError(name, f"was {text[:40]!r}, expected a day such as 2026-11-22") from None
    if moment.tzinfo is None:
        raise SpanError(name, f"was {text[:40]!r}, expected a time zone with a time, such as 2026-11-22T18:00:00Z")
    return moment.astimezone(UTC)
