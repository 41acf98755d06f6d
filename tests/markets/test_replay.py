"""Real recordings through the real decoder into real books. The recordings are not part of the repository: without them these tests skip."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from infra.clock import SystemClock
from infra.paths import ROOT
from markets.replay import replay

DATA = Path(os.environ.get("POLYBOT_DATA") or ROOT.parent / "shared" / "data") / "polymarket_ws"


def recording(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"recording {name} is not here; POLYBOT_DATA may name its folder")
    return path


def write_frames(path: Path, *frames: object) -> Path:
    path.write_text("\n".join(frame if isinstance(frame, str) else json.dumps(frame) for frame in frames))
    return path


def book_frame(bids: list[dict[str, str]], asks: list[dict[str, str]]) -> dict[str, object]:
    return {
        "event_type": "book",
        "market": "0x1",
        "asset_id": "1",
        "timestamp": "1000",
        "hash": "",
        "bids": bids,
        "asks": asks,
    }


def change_frame(price: str, size: str, best_bid: str, best_ask: str) -> dict[str, object]:
    entry = {"asset_id": "1", "price": price, "size": size, "side": "BUY", "best_bid": best_bid, "best_ask": best_ask}
    return {"market": "0x1", "price_changes": [entry], "timestamp": "1001", "event_type": "price_change"}


def test_a_burst_that_crosses_the_book_agrees_but_for_the_crossing_frames():
    result = replay(recording("crossing_burst_20260929.jsonl"), SystemClock())
    assert (result.messages, result.bad, result.compared, result.agreed) == (51, 0, 49, 47)
    assert result.final_book_equal is True


def test_a_month_of_three_markets_agrees_as_far_as_its_levels_were_recorded():
    result = replay(recording("mvp_3markets_20251208_20260109.jsonl.gz"), SystemClock())
    assert (result.messages, result.bad, result.compared) == (29_594, 0, 57_032)
    assert round(result.agreed / result.compared, 3) == 0.956
    assert result.events_per_s > 0


def test_agreement_and_the_final_book_are_judged_level_by_level(tmp_path):
    path = write_frames(
        tmp_path / "frames.jsonl",
        change_frame("0.4", "1", "0.4", "0.6"),
        book_frame([{"price": "0.4", "size": "1"}], [{"price": "0.6", "size": "2"}]),
        change_frame("0.5", "3", "0.5", "0.6"),
        change_frame("0.5", "3", "0.4", "0.6"),
        book_frame([{"price": "0.4", "size": "1"}, {"price": "0.5", "size": "4"}], [{"price": "0.6", "size": "2"}]),
    )
    result = replay(path, SystemClock())
    assert (result.messages, result.compared, result.agreed, result.final_book_equal) == (5, 2, 1, False)


def test_unreadable_frames_are_counted_and_the_rest_is_replayed(tmp_path):
    path = write_frames(
        tmp_path / "frames.jsonl",
        "{nonsense",
        book_frame([], []),
        "[]",
        '{"event_type":"price_change"}',
        book_frame([], []),
    )
    result = replay(path, SystemClock())
    assert result.bad == 2
    assert result.final_book_equal is True


def test_an_empty_recording_says_that_nothing_was_compared(tmp_path):
    with gzip.open(tmp_path / "empty.jsonl.gz", "wb"):
        pass
    result = replay(tmp_path / "empty.jsonl.gz", SystemClock())
    assert (result.messages, result.compared, result.events_per_s, result.final_book_equal) == (0, 0, 0.0, None)
