"""A trader without a key: it signs through a process of its own, and bears that process' sudden end."""

from __future__ import annotations

import json
import signal

from domain.money import MICRO
from domain.order import OrderStatus, OrderType
from domain.signal import Cancel
from tests.runtime.kit import signal as wanted
from tests.runtime.wire_kit import DEPOSIT, Desk, buy, done, equal_to_the_venue, liquid_market, place
from tests.venues.polymarket.isolated_signer.serving import signer_process
from tests.waiting import until
from venues.polymarket.isolated_signer.client import RemoteSigner


async def test_a_killed_signer_stops_new_orders_only_and_is_found_again_when_it_is_back(desk: Desk) -> None:
    limits = {"POLYBOT_SIGNER__MAX_DAY_NOTIONAL": "55"}
    with signer_process("5a" * 32, desk.venue.clock.now_ns(), **limits) as process:
        assert process.address == desk.signer.address
        desk.signer = RemoteSigner(process.socket, process.address, patience=10.0)
        trader = await desk.start()
        kernel = trader.kernel
        market = liquid_market(kernel)
        assert (await buy(desk, kernel, market)).status is OrderStatus.MATCHED
        resting = await place(kernel, market, price=20_000, size=50 * MICRO)
        assert resting.status is OrderStatus.LIVE

        assert process.end(signal.SIGKILL) == -signal.SIGKILL
        before = len(list(kernel.portfolio.orders.all()))
        free = kernel.risk.reservations.free_cash
        error = await not_prepared(desk, kernel, market, price=30_000, size=50 * MICRO)
        assert "no signer listens" in error
        assert "manage.py runsigner" in error
        assert len(list(kernel.portfolio.orders.all())) == before
        assert kernel.risk.reservations.free_cash == free
        # What takes risk away needs no signature.
        kernel.executor.submit(Cancel(id="c-1", source="test", order_id=resting.id, reason="enough"))
        await until(lambda: done(resting))
        assert resting.status is OrderStatus.CANCELLED

        process.start()
        assert (await place(kernel, market, price=20_000, size=60 * MICRO)).status is OrderStatus.LIVE
        await equal_to_the_venue(desk, trader, market)
        # The day's orders are remembered across the kill: 55 dollars are not enough for this one too.
        error = await not_prepared(desk, kernel, market, price=40_000, size=1_240 * MICRO)
        assert "day_notional" in error
        assert kernel.portfolio.ledger.deposits == DEPOSIT
        await trader.stop()
        await desk.signer.close()


async def not_prepared(desk: Desk, kernel, market, *, price: int, size: int) -> str:
    """Ask for an order that is not signed, and return the reason that is written down."""

    def reasons() -> list[str]:
        rows = desk.disk.tables.rows["audit_log"]
        return [json.loads(row["detail"])["error"] for row in rows if row["event"] == "order_not_prepared"]

    before = len(reasons())
    decision = kernel.executor.submit(wanted(kernel, market, order_type=OrderType.GTC, price=price, size=size))
    assert decision is not None
    assert decision.draft is not None, decision

    async def told() -> bool:
        return len(reasons()) > before

    await until(told)
    return reasons()[-1]
