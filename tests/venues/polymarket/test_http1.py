"""HTTP answers are read exactly or not at all."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.polymarket.http1 import MAX_BODY_BYTES, Answer, AnswerError, AnswerReader

PLAIN = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
CHUNKED = b'HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\n{"ok"\r\n6\r\n:true}\r\n0\r\n\r\n'
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN
EMPTY = b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n"


@pytest.mark.parametrize(("data", "status"), [(PLAIN, 200), (CHUNKED, 400), (INTERIM, 200), (EMPTY, 204)])
@given(cuts=st.lists(st.integers(0, 200), max_size=6))
def test_an_answer_reads_the_same_however_it_arrives(data: bytes, status: int, cuts: list[int]) -> None:
    reader = AnswerReader()
    edges = [0, *sorted(min(cut, len(data) - 1) for cut in cuts), len(data)]
    answers = [reader.feed(data[a:b]) for a, b in pairwise(edges)]
    assert answers[-1] is not None
    assert not any(answers[:-1])
    assert (answers[-1].status, answers[-1].reusable) == (status, True)
    assert answers[-1].body == (b"" if status == 204 else b'{"ok":true}')


@given(st.integers(0, len(PLAIN) - 1))
def test_an_answer_that_is_cut_off_is_no_answer(length: int) -> None:
    reader = AnswerReader()
    assert reader.feed(PLAIN[:length]) is None
    assert reader.end() is None


def test_without_a_length_the_end_of_the_connection_ends_the_body() -> None:
    reader = AnswerReader()
    assert reader.feed(b"HTTP/1.1 403 Forbidden\r\nServer: cloudflare\r\n\r\n<html>") is None
    assert reader.end() == Answer(403, {"server": "cloudflare"}, b"<html>", reusable=False)


@pytest.mark.parametrize(
    ("head", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", True),
    ],
)
def test_the_connection_is_reused_only_when_both_sides_may(head: bytes, reusable: bool) -> None:
    answer = AnswerReader().feed(head + b"Content-Length: 2\r\n\r\n{}")
    assert answer is not None
    assert answer.reusable is reusable


def test_bytes_behind_the_answer_make_the_connection_unusable() -> None:
    answer = AnswerReader().feed(PLAIN + b"HTTP/1.1 200 OK\r\n")
    assert answer is not None
    assert not answer.reusable


BAD = {
    "another protocol": b"SSH-2.0-OpenSSH\r\n\r\n",
    "http/2": b"HTTP/2 200\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "unknown framing": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "compressed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n",
    "header without colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "folded header": b"HTTP/1.1 200 OK\r\nA: b\r\n c: d\r\n\r\n",
    "huge body announced": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1),
    "endless headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000,
    "bad chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "negative chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
    "chunk that does not end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
    "endless chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 2000,
    "huge chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff0\r\n",
    "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_doubtful_answer_is_refused(data: bytes) -> None:
    with pytest.raises(AnswerError):
        AnswerReader().feed(data)


@given(st.binary(max_size=400))
def test_garbage_is_never_an_answer(data: bytes) -> None:
    reader = AnswerReader()
    try:
        assert reader.feed(data) is None
        assert reader.end() is None
    except AnswerError:
        pass
