"""Bodies of requests, in a process whose recursion limit a library has raised."""

import io
import json
import sys

import pytest
from rest_framework.exceptions import ParseError

from polybot_site.parsers import MAX_DEPTH, BoundedJSONParser


@pytest.fixture(autouse=True)
def raised_limit():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000_000)
    yield
    sys.setrecursionlimit(before)


def parsed(body: bytes, encoding: str = "utf-8") -> object:
    return BoundedJSONParser().parse(io.BytesIO(body), parser_context={"encoding": encoding})


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'["]",', b'[{"\\"": '])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500_000])
def test_what_is_nested_too_deep_is_refused_before_it_is_parsed(opening, depth):
    with pytest.raises(ParseError, match=f"nested more than {MAX_DEPTH} deep"):
        parsed(opening * depth)


@pytest.mark.parametrize(
    "value", [[[{"a": "[" * 1_000}]], {'"\\': ["]]", "{" * 100, "\\"]}, [[] for _ in range(1_000)], "\\\\", "ä[", 1.5]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_brackets_within_strings_and_beside_each_other_are_not_depth(value, encoding):
    assert parsed(json.dumps(value, ensure_ascii=False).encode(encoding), encoding) == value


def test_as_deep_as_is_allowed_is_read():
    assert json.dumps(parsed(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)) == "[" * MAX_DEPTH + "]" * MAX_DEPTH


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"[1", b'"\\', b'"' + b'\\"' * 500_000, b"\xff", b"[NaN]", b"[Infinity]"]
)
def test_what_is_no_json_is_refused(body):
    with pytest.raises(ParseError, match="JSON parse error"):
        parsed(body)
