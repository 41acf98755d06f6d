"""What a slow client gets: every stream event or none any more, the latest of everything else, and no wrong book."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polybot_site.ws.outbox import MAX_CHANGES, Delivery, Keep, Outbox


def drain(outbox):
    frames = []
    while popped := outbox.pop():
        frames += popped
    return frames


def test_stream_events_keep_their_order_and_are_never_replaced():
    outbox = Outbox(10)
    for number in range(5):
        assert outbox.put(Delivery(b"%d" % number, Keep.ALL))
    assert drain(outbox) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_full_outbox_refuses_a_stream_event_instead_of_dropping_one():
    outbox = Outbox(2)
    assert outbox.put(Delivery(b"1", Keep.ALL))
    assert outbox.put(Delivery(b"2", Keep.ALL))
    assert not outbox.put(Delivery(b"3", Keep.ALL))
    assert drain(outbox) == [b"1", b"2"]


def test_of_a_broadcast_only_the_latest_waits():
    outbox = Outbox(2)
    for price in (b"0.50", b"0.51", b"0.52"):
        assert outbox.put(Delivery(price, Keep.LATEST, "ch:price:1 bbo"))
    assert outbox.put(Delivery(b"other", Keep.LATEST, "ch:price:2 bbo"))
    assert drain(outbox) == [b"0.52", b"other"]


def test_a_snapshot_replaces_all_that_waits_of_its_book():
    outbox = Outbox(2)
    outbox.put(Delivery(b"old", Keep.BOOK, "ch:book:1"))
    outbox.put(Delivery(b"change", Keep.CHANGE, "ch:book:1"))
    outbox.put(Delivery(b"elsewhere", Keep.CHANGE, "ch:book:2"))
    outbox.put(Delivery(b"new", Keep.BOOK, "ch:book:1"))
    outbox.put(Delivery(b"after", Keep.CHANGE, "ch:book:1"))
    assert drain(outbox) == [b"new", b"after", b"elsewhere"]


def test_too_many_changes_of_a_book_are_left_out_from_the_end_so_that_the_client_sees_the_gap():
    outbox = Outbox(2)
    outbox.put(Delivery(b"snapshot", Keep.BOOK, "ch:book:1"))
    for number in range(MAX_CHANGES + 50):
        assert outbox.put(Delivery(b"%d" % number, Keep.CHANGE, "ch:book:1"))
    assert drain(outbox) == [b"snapshot", *(b"%d" % number for number in range(MAX_CHANGES))]


def test_answers_to_the_client_always_find_room():
    outbox = Outbox(1)
    outbox.put(Delivery(b"1", Keep.ALL))
    outbox.put_answer("answer")
    assert drain(outbox) == [b"1", "answer"]


KEYS = ("ch:book:1", "ch:book:2")
broadcasts = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from([Keep.BOOK, Keep.CHANGE])), max_size=300)


@given(broadcasts, st.integers(1, 30))
def test_a_reader_that_follows_the_versions_never_shows_a_wrong_book(events, drain_every):
    """Each message's frame is its version; the reader applies a change only to the version before it."""
    outbox, versions = Outbox(10), dict.fromkeys(KEYS, 0)
    shown: dict[str, int] = {}
    is_snapshot = {}

    def read():
        for frame in drain(outbox):
            key, _, version = frame.decode().rpartition("@")
            number = int(version)
            if is_snapshot[frame] or shown.get(key) == number - 1:
                assert number > shown.get(key, 0)
                shown[key] = number

    for count, (key, keep) in enumerate(events):
        versions[key] += 1
        frame = f"{key}@{versions[key]}".encode()
        is_snapshot[frame] = keep is Keep.BOOK
        outbox.put(Delivery(frame, keep, key))
        if count % drain_every == 0:
            read()
    for key in KEYS:
        versions[key] += 1
        frame = f"{key}@{versions[key]}".encode()
        is_snapshot[frame] = True
        outbox.put(Delivery(frame, Keep.BOOK, key))
    read()
    assert shown == versions
    assert len(outbox) == 0
