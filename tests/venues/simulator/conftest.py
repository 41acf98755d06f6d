"""A venue of its own for each test, gone on from one that was warmed up once."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.venues.simulator.kit import RunningVenue, running_venue


@pytest.fixture
def venue_folder(warm_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(warm_folder, tmp_path / "venue"))


@pytest.fixture
async def venue(venue_folder: Path) -> AsyncIterator[RunningVenue]:
    async with running_venue(venue_folder) as running:
        yield running
