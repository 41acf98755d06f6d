"""The live push as text, for debugging with curl: `GET /api/stream?topics=orders,prices` answers Server-Sent Events with JSON.

It is the same hub and the same topics as /ws. A client that reads too slowly is let go; `id:` lines are stream ids.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from google.protobuf.json_format import MessageToJson
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from polybot_site.ws.lobby import running_hub
from polybot_site.ws.outbox import Frame
from polybot_site.ws.subscriber import Subscriber
from polybot_site.ws.topics import Topic, UnknownTopicError, parse
from proto.polybot.v1 import events_pb2


class EventStreamRenderer(BaseRenderer):
    """Lets a client ask for `text/event-stream`; the stream itself needs no rendering."""

    media_type = "text/event-stream"
    format = "event-stream"

    def render(self, data: object, *_: object, **__: object) -> bytes:
        """Render an error that arose before the stream began."""
        return b"event: error\ndata: " + JSONRenderer().render(data) + b"\n\n"


class StreamView(APIView):
    renderer_classes = (EventStreamRenderer,)

    @extend_schema(
        parameters=[OpenApiParameter("topics", description="Topics of /ws, separated by commas; default: status")],
        responses={(200, "text/event-stream"): OpenApiResponse(str)},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Stream events as JSON until the client leaves."""
        names = [name for name in request.query_params.get("topics", "status").split(",") if name]
        try:
            topics = [parse(name) for name in names]
        except UnknownTopicError as error:
            raise ValidationError({"topics": [str(error)]}) from None
        return StreamingHttpResponse(_events(topics), content_type="text/event-stream")


async def _events(topics: list[Topic]) -> AsyncIterator[str]:
    hub = await running_hub()
    subscriber = Subscriber()
    hub.add(subscriber)
    try:
        await hub.subscribe(subscriber, topics, {})
        while not subscriber.too_slow.is_set():
            for frame in await subscriber.next_frames():
                yield _text(frame)
    finally:
        hub.remove(subscriber)


def _text(frame: Frame) -> str:
    if isinstance(frame, str):
        return f"event: control\ndata: {frame}\n\n"
    event = events_pb2.Event.FromString(frame)
    stream_id = f"id: {event.stream_id}\n" if event.stream_id else ""
    return f"{stream_id}data: {MessageToJson(event, indent=None, preserving_proto_field_name=True)}\n\n"
