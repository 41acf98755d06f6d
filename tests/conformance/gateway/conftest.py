"""The benches: every test of the suite runs on each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.conformance.gateway.bench import Bench
from tests.conformance.gateway.paper_bench import paper_bench
from tests.conformance.gateway.wire_bench import Supplied, supply, wire_bench
from tests.conformance.gateway.world_bench import world_bench

IMPLEMENTATIONS = ("live client on the simulator", "fault simulation", "paper")


@pytest.fixture(scope="session")
def supplied(tmp_path_factory: pytest.TempPathFactory) -> Supplied:
    return asyncio.run(supply(tmp_path_factory.mktemp("conformance") / "venue"))


def open_bench(
    implementation: str, supplied: Supplied, tmp_path: Path, *, failing: float
) -> AbstractAsyncContextManager[Bench]:
    if implementation == "fault simulation":
        return world_bench(failing=failing)
    if implementation == "paper":
        return paper_bench(tmp_path / "paper", failing=failing)
    return wire_bench(supplied, tmp_path / "venue", failing=failing)


@pytest.fixture(params=IMPLEMENTATIONS)
async def bench(request: pytest.FixtureRequest, supplied: Supplied, tmp_path: Path) -> AsyncIterator[Bench]:
    async with open_bench(request.param, supplied, tmp_path, failing=0.0) as opened:
        yield opened


@pytest.fixture(params=IMPLEMENTATIONS)
async def failing_bench(request: pytest.FixtureRequest, supplied: Supplied, tmp_path: Path) -> AsyncIterator[Bench]:
    """A venue on which no trade settles."""
    async with open_bench(request.param, supplied, tmp_path, failing=1.0) as opened:
        yield opened
