"""Balances are compared with the venue's also when the trader is never quiet by itself."""

from __future__ import annotations

import asyncio

import pytest

from domain.ports import AuditRecord
from runtime import balance_watch
from runtime.balance_watch import BALANCES, COMPARE_SECONDS, READ_SECONDS, WAIT_SECONDS, BalanceWatch
from runtime.status import trader_status
from tests.runtime.kit import House, signal
from tests.trading.kit import Rig
from tests.waiting import virtual


@virtual
async def test_new_risk_waits_after_ten_minutes_for_a_minute_at_most_and_again_ten_minutes_later(clock) -> None:
    rig, read = Rig(clock), list[float]()
    watch = BalanceWatch(rig.desk, rig.venue_state, read_again=lambda: read.append(clock.monotonic()))
    watch.check()
    clock.advance(COMPARE_SECONDS - 1)
    watch.check()
    assert rig.venue_state.stops_opening("m1", clock.monotonic(), post_only=False) == ""
    assert read == []

    clock.advance(1)
    watch.check()
    watch.check()
    clock.advance(READ_SECONDS)
    watch.check()
    assert "compare balances" in rig.venue_state.stops_opening("m1", clock.monotonic(), post_only=False)
    assert len(read) == 2

    clock.advance(WAIT_SECONDS)
    watch.check()
    assert rig.venue_state.text(clock.monotonic()) == "normal"
    assert [row.event for row in rig.journal.submitted if isinstance(row, AuditRecord)] == ["balances_not_compared"]
    assert round(watch.age) == COMPARE_SECONDS + READ_SECONDS + WAIT_SECONDS

    clock.advance(COMPARE_SECONDS)
    watch.check()
    assert rig.venue_state.text(clock.monotonic()) != "normal"
    watch.compared()
    assert (rig.venue_state.text(clock.monotonic()), watch.age) == ("normal", 0.0)


def test_a_trader_that_never_rests_is_made_to_and_its_balances_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance_watch, "COMPARE_SECONDS", 40.0)
    house = House()

    async def main() -> None:
        kernel = house.kernel()
        await kernel.start()
        await asyncio.sleep(1)
        market = house.market()
        ages, modes = [], set()

        async def trade() -> None:
            while True:
                kernel.executor.submit(signal(kernel, market, price=market.tick))
                await asyncio.sleep(0.01)
                for own in kernel.portfolio.orders.open():
                    await kernel.flow.cancel(own, "test")

        busy = asyncio.create_task(trade())
        for _ in range(600):
            await asyncio.sleep(0.25)
            status = trader_status(kernel)
            ages.append(status.counters["balances_compared_seconds_ago"])
            modes.add(status.venue_mode)
        busy.cancel()

        assert max(ages) > 30
        assert max(ages) < 40 + balance_watch.WAIT_SECONDS
        assert BALANCES in str(modes)
        assert status.counters["quarantined_trades"] == 0
        assert kernel.ready

    house.run(main)
