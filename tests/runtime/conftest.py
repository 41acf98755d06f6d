"""A trader's desk at a simulated venue behind sockets."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.runtime.wire_kit import Desk
from tests.venues.simulator.kit import RunningVenue, running_venue


@pytest.fixture
async def venue(warm_folder: Path, tmp_path: Path) -> AsyncIterator[RunningVenue]:
    async with running_venue(Path(shutil.copytree(warm_folder, tmp_path / "venue"))) as running:
        yield running


@pytest.fixture
async def desk(venue: RunningVenue) -> AsyncIterator[Desk]:
    made = Desk(venue)
    status, _ = await venue.fund(made.signer.address, "1000")
    assert status == 200
    yield made
    for trader in made.lives:
        if not trader.over:
            await trader.stop()
