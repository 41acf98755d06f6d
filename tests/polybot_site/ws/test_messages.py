"""What clients send is checked before anything is done with it."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybot_site.ws.messages import MAX_TEXT, MAX_TOPICS, BadMessageError, read
from polybot_site.ws.topics import UnknownTopicError, parse


@pytest.mark.parametrize(
    ("name", "source", "is_pattern"),
    [
        ("orders", "stream:orders", False),
        ("fills", "stream:fills", False),
        ("positions", "stream:positions", False),
        ("signals", "stream:signals", False),
        ("status", "ch:status", False),
        ("strategies", "ch:strategy:*", True),
        ("orderbook", "ch:book:*", True),
        ("orderbook:123", "ch:book:123", False),
        ("prices", "ch:price:*", True),
        ("prices:123", "ch:price:123", False),
    ],
)
def test_every_topic_has_its_source(name, source, is_pattern):
    topic = parse(name)
    assert (topic.channel or topic.stream, topic.pattern) == (source, is_pattern)


@pytest.mark.parametrize(
    "name", ["", "book", "orders:1", "orderbook:", "orderbook:*", "prices:a b", "prices:" + "1" * 101, 7, None]
)
def test_a_topic_that_does_not_exist_is_told_with_those_that_do(name):
    with pytest.raises(UnknownTopicError):
        parse(name)


def test_subscriptions_and_resume_points_are_read_without_duplicates():
    request = read(
        '{"subscribe": ["orders", "orders", "prices"], "unsubscribe": ["status"], "resume": {"orders": "5-1", "fills": "0-0"}}'
    )
    assert [topic.name for topic in request.subscribe] == ["orders", "prices", "fills"]
    assert [topic.name for topic in request.unsubscribe] == ["status"]
    assert request.resume == {"orders": "5-1", "fills": "0-0"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_json"),
        ("nonsense", "not_json"),
        ("[" * 5000, "not_json"),
        ("[]", "bad_message"),
        ("{}", "bad_message"),
        ('{"sub": []}', "bad_message"),
        ('{"subscribe": "orders"}', "bad_message"),
        ('{"subscribe": [7]}', "unknown_topic"),
        ('{"subscribe": ["everything"]}', "unknown_topic"),
        ('{"resume": ["orders"]}', "bad_message"),
        ('{"resume": {"prices": "1-0"}}', "bad_resume"),
        ('{"resume": {"orders": "yesterday"}}', "bad_resume"),
        ('{"resume": {"orders": 5}}', "bad_resume"),
        ('{"resume": {"nothing": "1-0"}}', "unknown_topic"),
        (json.dumps({"subscribe": [f"prices:{n}" for n in range(MAX_TOPICS + 1)]}), "bad_message"),
        ('{"subscribe": ["' + "o" * MAX_TEXT + '"]}', "too_large"),
    ],
)
def test_a_bad_message_is_refused_with_a_stable_code(text, code):
    with pytest.raises(BadMessageError) as refused:
        read(text)
    assert refused.value.code == code


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["subscribe", "resume", "x"]), inner),
    max_leaves=6,
)


@given(json_values.map(json.dumps) | st.text(max_size=50))
def test_whatever_a_client_sends_is_understood_or_refused(text):
    with suppress(BadMessageError):
        assert len(read(text).subscribe) <= MAX_TOPICS
