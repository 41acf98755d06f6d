"""The envelope around every event that leaves a process: id, type, time and a sequence that grows over restarts too.

One `EventEncoder` per trader; its sequence numbers are unique and ascending as long as the epoch grows with each start (the lease's does).
"""

from __future__ import annotations

from typing import Final

from google.protobuf.message import Message

from domain.ports import Clock, Ids
from proto.polybot.v1 import events_pb2
from proto.values import timestamp

COUNTER_BITS: Final = 40
STREAM_ID_TAG: Final = bytes([events_pb2.Event.STREAM_ID_FIELD_NUMBER << 3 | 2])
PAYLOAD_NAMES: Final = {
    field.message_type.full_name: field.name
    for field in events_pb2.Event.DESCRIPTOR.oneofs_by_name["payload"].fields
    if field.message_type is not None
}


class EventEncoder:
    """Wraps payloads into encoded events. Its ids are version 8 UUIDs: 48 random bits of this encoder, then the sequence."""

    def __init__(self, clock: Clock, ids: Ids, *, epoch: int) -> None:
        self._clock = clock
        self._sequence = self._first_of(epoch)
        self._head = ids.uuid()[:14]

    def begin(self, epoch: int) -> None:
        """Go on with the numbers of `epoch`, which must be higher than that of any encoder before."""
        self._sequence = self._first_of(epoch)

    @staticmethod
    def _first_of(epoch: int) -> int:
        if not 0 <= epoch < 1 << 64 - COUNTER_BITS:
            raise ValueError(f"epoch was {epoch}, expected 0 or more and less than 2^{64 - COUNTER_BITS}")
        return epoch << COUNTER_BITS

    def encode(self, payload: Message) -> bytes:
        """Return `payload` as an encoded `Event`; `KeyError` for a message that is no payload of an event."""
        name = PAYLOAD_NAMES[payload.DESCRIPTOR.full_name]
        self._sequence += 1
        digits = f"{self._sequence:018x}"
        event = events_pb2.Event(
            event_id=f"{self._head}8{digits[:3]}-8{digits[3:6]}-{digits[6:]}",
            type=name,
            timestamp=timestamp(self._clock.now_ns()),
            sequence=self._sequence,
            **{name: payload},  # type: ignore[arg-type]
        )
        return event.SerializeToString()


def with_stream_id(event: bytes, stream_id: bytes) -> bytes:
    """Return the encoded `event` with its Redis stream id, without decoding it: a repeated field's last value counts."""
    return event + STREAM_ID_TAG + bytes([len(stream_id)]) + stream_id
