"""The JSON a client sends, checked: {"subscribe": [topic…], "unsubscribe": [topic…], "resume": {topic: "<stream id>"}}.

`resume` subscribes too. Anything else raises `BadMessageError`, whose text goes back to the client; the socket stays open.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from polybot_site.ws.topics import Topic, UnknownTopicError, parse

MAX_TEXT = 64 * 1024
MAX_TOPICS = 2000
_KEYS = {"subscribe", "unsubscribe", "resume"}
_STREAM_ID = re.compile(r"\d{1,20}-\d{1,20}", re.ASCII)


class BadMessageError(ValueError):
    """A message that cannot be understood: `code` is stable, the text says what was wrong, `fix` what to send."""

    fix = (
        'Send {"subscribe": ["orders"]}, {"unsubscribe": […]} or {"resume": {"orders": "<stream id>"}} as a text frame.'
    )

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    subscribe: tuple[Topic, ...] = ()
    unsubscribe: tuple[Topic, ...] = ()
    resume: dict[str, str] = field(default_factory=dict)


def read(text: str) -> Request:
    """Return what `text` asks for."""
    if len(text) > MAX_TEXT:
        raise BadMessageError("too_large", f"the message had {len(text)} characters, expected at most {MAX_TEXT}")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessageError("not_json", f"the message was not JSON: {error}") from None
    if not isinstance(values, dict) or not values or not values.keys() <= _KEYS:
        raise BadMessageError("bad_message", f"expected an object with {', '.join(sorted(_KEYS))}")
    resume = _resume(values.get("resume", {}))
    wanted = _topics(values.get("subscribe", []))
    resumed = tuple(parse(name) for name in resume if name not in {topic.name for topic in wanted})
    return Request(wanted + resumed, _topics(values.get("unsubscribe", [])), resume)


def _topics(names: object) -> tuple[Topic, ...]:
    if not isinstance(names, list) or len(names) > MAX_TOPICS:
        raise BadMessageError("bad_message", f"topics were no list of at most {MAX_TOPICS} names")
    try:
        return tuple({topic.name: topic for topic in map(parse, names)}.values())
    except UnknownTopicError as error:
        raise BadMessageError("unknown_topic", str(error)) from None


def _resume(points: object) -> dict[str, str]:
    if not isinstance(points, dict):
        raise BadMessageError("bad_message", "resume was no object of topic and stream id")
    for name, stream_id in points.items():
        try:
            topic = parse(name)
        except UnknownTopicError as error:
            raise BadMessageError("unknown_topic", str(error)) from None
        if not topic.stream:
            raise BadMessageError("bad_resume", f"topic {name!r} has no stream to resume")
        if not isinstance(stream_id, str) or not _STREAM_ID.fullmatch(stream_id):
            raise BadMessageError("bad_resume", f"resume point of {name!r} was no stream id such as '1700000000000-0'")
    return points
