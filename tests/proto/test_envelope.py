"""The envelope: ids, sequence, and the stream id that is added without decoding."""

from __future__ import annotations

import uuid

import pytest

from infra.ids import RandomIds
from proto.envelope import EventEncoder, with_stream_id
from proto.polybot.v1 import events_pb2, market_pb2, orderbook_pb2


class StillClock:
    def now_ns(self) -> int:
        return 1_700_000_000_123_456_789

    def monotonic(self) -> float:
        return 0.0


def encode(encoder, payload=None):
    return events_pb2.Event.FromString(encoder.encode(payload or orderbook_pb2.BBO(asset_id="1")))


def test_an_event_names_its_payload_and_its_time():
    event = encode(EventEncoder(StillClock(), RandomIds(), epoch=1), orderbook_pb2.LastTradePrice(asset_id="7"))
    assert event.type == event.WhichOneof("payload") == "last_trade_price"
    assert event.last_trade_price.asset_id == "7"
    assert (event.timestamp.seconds, event.timestamp.nanos) == (1_700_000_000, 123_456_789)


def test_the_sequence_grows_within_an_epoch_and_over_restarts():
    first = EventEncoder(StillClock(), RandomIds(), epoch=3)
    after_restart = EventEncoder(StillClock(), RandomIds(), epoch=4)
    numbers = [encode(first).sequence for _ in range(1000)] + [encode(after_restart).sequence]
    assert numbers == sorted(set(numbers))
    assert numbers[0] >> 40 == 3
    assert numbers[-1] >> 40 == 4


def test_event_ids_are_unique_uuids():
    one, other = (EventEncoder(StillClock(), RandomIds(), epoch=1) for _ in range(2))
    ids = [uuid.UUID(encode(encoder).event_id) for encoder in (one, other) for _ in range(500)]
    assert len(set(ids)) == 1000
    assert {(value.version, value.variant) for value in ids} == {(8, uuid.RFC_4122)}


def test_a_message_that_is_no_payload_is_refused():
    with pytest.raises(KeyError):
        EventEncoder(StillClock(), RandomIds(), epoch=1).encode(market_pb2.Market())


@pytest.mark.parametrize("epoch", [-1, 1 << 24])
def test_an_epoch_that_does_not_fit_is_refused(epoch):
    with pytest.raises(ValueError, match="epoch was"):
        EventEncoder(StillClock(), RandomIds(), epoch=epoch)


def test_a_stream_id_is_added_without_decoding():
    raw = EventEncoder(StillClock(), RandomIds(), epoch=1).encode(orderbook_pb2.BBO(asset_id="1"))
    event = events_pb2.Event.FromString(with_stream_id(with_stream_id(raw, b"1-0"), b"1700000000000-12"))
    assert event.stream_id == "1700000000000-12"
    assert event.bbo.asset_id == "1"


def test_a_new_epoch_goes_on_above_the_old_one():
    encoder = EventEncoder(StillClock(), RandomIds(), epoch=0)
    before = encode(encoder).sequence
    encoder.begin(9)
    assert encode(encoder).sequence == (9 << 40) + 1 > before
