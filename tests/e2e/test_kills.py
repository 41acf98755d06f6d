"""The real processes, killed at random moments: the platform comes back by itself, and its books are the venue's."""

from __future__ import annotations

import pytest

from tests.e2e import kills
from tests.e2e.running import started


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_the_platform_comes_back_from_every_death_with_the_venues_books() -> None:
    with started(kills.SETTINGS) as platform:
        kills.run(platform, seed=7, times=4)
