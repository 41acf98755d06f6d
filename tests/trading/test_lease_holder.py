"""A lease is renewed well before it ends, runs out by itself when it cannot be, and is gone when it is another's."""

from __future__ import annotations

import asyncio

import pytest

from domain.errors import JournalError, LeaseLostError
from domain.ports import Lease
from tests.trading import factories as f
from tests.waiting import virtual
from trading.journal_memory import MemoryTables
from trading.lease import MemoryLeases
from trading.lease_holder import LeaseHolder

TTL = 15.0


async def held(clock) -> tuple[LeaseHolder, MemoryLeases, MemoryTables]:
    tables, holder = MemoryTables(), LeaseHolder()
    store = MemoryLeases(tables, clock, grace=2.0)
    assert (holder.epoch, holder.valid(clock.monotonic())) == (0, False)
    holder.lease = await store.acquire(f.ACCOUNT, "me", TTL)
    return holder, store, tables


@virtual
async def test_a_lease_is_kept_as_long_as_it_can_be_renewed(clock) -> None:
    holder, store, _ = await held(clock)
    keeping = asyncio.create_task(holder.keep(store, TTL))

    for _ in range(100):
        await asyncio.sleep(1.0)
        assert holder.valid(clock.monotonic())

    assert holder.epoch == 1
    keeping.cancel()


@virtual
async def test_a_lease_that_cannot_be_renewed_runs_out_and_comes_back_when_it_can(clock, monkeypatch) -> None:
    holder, store, _ = await held(clock)
    renew, failing = store.renew, True

    async def sometimes(lease: Lease, ttl: float) -> Lease:
        if failing:
            raise JournalError("database: connection refused")
        return await renew(lease, ttl)

    monkeypatch.setattr(store, "renew", sometimes)
    keeping = asyncio.create_task(holder.keep(store, TTL))
    await asyncio.sleep(TTL - 0.1)
    assert holder.valid(clock.monotonic())
    await asyncio.sleep(0.2)
    assert not holder.valid(clock.monotonic())

    failing = False
    await asyncio.sleep(TTL / 3)
    assert holder.valid(clock.monotonic())
    assert not keeping.done()
    keeping.cancel()


@virtual
async def test_a_lease_that_another_trader_took_is_lost(clock) -> None:
    holder, store, tables = await held(clock)
    keeping = asyncio.create_task(holder.keep(store, TTL))
    tables.epochs[f.ACCOUNT] += 1

    with pytest.raises(LeaseLostError):
        await keeping


@virtual
async def test_a_new_holder_waits_out_the_old_one_and_what_it_may_still_have_sent(clock) -> None:
    _, store, _ = await held(clock)

    lease = await store.acquire(f.ACCOUNT, "other", TTL)

    assert clock.monotonic() >= TTL + 2.0
    assert lease.epoch == 2
