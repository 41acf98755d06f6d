"""A small part of `make fuzz`: damaged frames through the decoders, no crash, no wrong book, no impossible report."""

from __future__ import annotations

import pytest

from tests.fuzz.targets import TARGETS

FRAMES = 10_000


@pytest.mark.protocol("4.3", "4.4")
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("seed", [11, 12])
def test_damaged_frames_break_no_promise(target, seed: int) -> None:
    running = target(seed)
    for _ in range(FRAMES):
        running.step()
    assert len(running.counts) >= 2, f"the mutations reach only one kind of outcome: {running.counts}"
