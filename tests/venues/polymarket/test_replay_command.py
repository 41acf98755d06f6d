"""`manage.py replay`: what it prints, and the figures of the recordings."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.venues.polymarket.recordings import DATA, needs_recordings
from tests.venues.polymarket.test_market_codec import book, change, compact, price_change


def replayed(path: Path) -> dict[str, Any]:
    out = io.StringIO()
    call_command("replay", str(path), "--json", stdout=out)
    result: dict[str, Any] = json.loads(out.getvalue())
    return result


def _recording() -> bytes:
    agreeing = change(price="0.49", size="7")
    wrong = {**change(price="0.48", size="1"), "best_bid": "0.50"}
    lines = [compact([book()]), compact(price_change(agreeing)), b"", compact(price_change(wrong)), b"not a frame"]
    final = {**book(), "bids": [{"price": "0.48", "size": "1"}, {"price": "0.49", "size": "7"}]}
    return b"\n".join([*lines, compact(final)])


@pytest.mark.parametrize("packed", [False, True])
def test_a_recording_is_compared_with_what_the_venue_said(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("r.jsonl.gz" if packed else "r.jsonl")
    path.write_bytes(gzip.compress(_recording()) if packed else _recording())
    result = replayed(path)
    assert result.pop("events_per_s") > 0
    assert result == {"messages": 5, "bad": 1, "compared": 2, "agreed": 1, "final_book_equal": True}


def test_the_readable_form_names_the_share(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(_recording())
    out = io.StringIO()
    call_command("replay", str(path), stdout=out)
    assert "1 of 2 agree (50.0%)" in out.getvalue()
    assert "(1 refused)" in out.getvalue()


def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("replay", str(tmp_path / "nowhere.jsonl"))
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(_recording())[:-12])
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("replay", str(cut))


@needs_recordings
def test_the_crossing_burst_agrees_in_47_of_49_and_ends_in_an_equal_book() -> None:
    result = replayed(DATA / "polymarket_ws" / "crossing_burst_20260929.jsonl")
    assert (result["messages"], result["bad"]) == (51, 0)
    assert (result["agreed"], result["compared"], result["final_book_equal"]) == (47, 49, True)


@needs_recordings
def test_the_long_stream_agrees_in_95_6_percent() -> None:
    result = replayed(DATA / "polymarket_ws" / "mvp_3markets_20251208_20260109.jsonl.gz")
    assert (result["messages"], result["bad"], result["compared"]) == (29_594, 0, 57_032)
    assert round(result["agreed"] / result["compared"], 3) == 0.956
