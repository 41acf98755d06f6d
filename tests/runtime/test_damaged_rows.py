"""Rows of a real PostgreSQL that were damaged while no trader ran: new risk is halted with the row's name, the rest goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import psycopg
import pytest

from domain.halt import HaltScope
from domain.order import OrderStatus, OrderType
from runtime.kernel import Kernel
from runtime.storage import PostgresStorage
from tests.runtime.kit import SELL, signal
from tests.runtime.wire_kit import ACCOUNT, Desk, buy, liquid_market, place, settled
from tests.waiting import until
from trading.damage import JOURNAL
from venues.polymarket.contracts import POLYGON
from venues.polymarket.order_proof import contradiction

LOOSE = [
    f"ALTER TABLE {table} DROP CONSTRAINT {name}"
    for table, name in (
        ("orders", "orders_side"),
        ("orders", "orders_type"),
        ("orders", "orders_price"),
        ("orders", "orders_size"),
        ("fills", "fills_size"),
    )
]


class House:
    """A trader that held and rested something and is gone, and its database."""

    def __init__(self, desk: Desk, url: str) -> None:
        self.desk, self.url = desk, url
        desk.dress = lambda ports: replace(
            ports,
            storage=PostgresStorage(url, ACCOUNT, "polymarket", ports.clock, grace=0.0),
            contradiction=partial(contradiction, chain_id=POLYGON),
        )

    async def sql(self, *statements: str) -> list[tuple]:
        return await asyncio.to_thread(self._sql, statements)

    def _sql(self, statements: tuple[str, ...]) -> list[tuple]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursors = [connection.execute(statement) for statement in statements]
            return cursors[-1].fetchall() if cursors[-1].description else []

    async def first_life(self) -> None:
        life = await self.desk.start()
        kernel = life.kernel
        self.market = liquid_market(kernel)
        self.bought = await buy(self.desk, kernel, self.market)
        book = kernel.books.get(self.market.token_ids[0])
        price = book.best_bid - 5 * self.market.tick
        self.resting = await place(kernel, self.market, order_type=OrderType.GTC, price=price)
        self.size = kernel.portfolio.positions.size(self.market.token_ids[0])
        life.over = True
        await kernel.tasks.stop()
        await kernel.executor.abandon()
        await life.close()
        await kernel.journal.close()
        await self.sql("UPDATE leases SET expires_at = now() - interval '1 hour'", *LOOSE)

    async def damaged(self, *statements: str) -> Kernel:
        """Damage rows, start the next trader and return its kernel."""
        await self.sql(*statements)
        return (await self.desk.start()).kernel

    def reason(self, kernel: Kernel, *, everywhere: bool = False) -> str:
        """Return why new risk is halted, having seen that it is, and that a sale is not."""
        scope, target = (HaltScope.ALL, JOURNAL) if everywhere else (HaltScope.MARKET, self.market.id)
        assert [(halt.scope, halt.target) for halt in kernel.halts.active()] == [(scope, target)]
        refused = kernel.executor.submit(signal(kernel, self.market))
        assert refused is not None
        assert refused.refusal == "halted"
        return kernel.halts.active()[0].reason

    async def cancelled(self, kernel: Kernel) -> bool:
        listed = await self.desk.lives[-1].trading.gateway.open_orders()
        return not listed and kernel.portfolio.orders.get(self.resting.id).status is OrderStatus.CANCELLED

    async def sells(self, kernel: Kernel) -> None:
        bid = kernel.books.get(self.market.token_ids[0]).best_bid
        sold = await place(kernel, self.market, order_type=OrderType.FAK, price=bid, size=self.size, **SELL)
        await settled(self.desk, kernel)
        assert sold.filled == self.size


@pytest.fixture
async def house(committed_database: str, desk: Desk) -> AsyncIterator[House]:
    made = House(desk, committed_database)
    await made.first_life()
    yield made
    for trader in desk.lives:
        if not trader.over:
            await trader.stop()
        await trader.kernel.journal.close()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("status = 'lively'", "'lively' is not a valid OrderStatus"),
        ("size_units = -5", "-5 micro-shares"),
        ("created_at = now() + interval '3 days'", "has not come yet"),
        ("updated_at = 'infinity'", "has not come yet"),
        ("cancelled_at = now()", "contradicts cancelled_at"),
        ("payload = '\\x7b226f72646572223a'", "payload is not an order"),
        (
            "payload = convert_to(replace(convert_from(payload, 'UTF8'), '\"salt\":', '\"salt\":1'), 'UTF8')",
            "payload is the order 0x",
        ),
        ("taker_amount = taker_amount + 1000000", "the row something else"),
    ],
)
async def test_a_damaged_order_halts_its_market_and_is_found_at_the_venue(house: House, damage: str, says: str) -> None:
    resting = house.resting.id
    kernel = await house.damaged(f"UPDATE orders SET {damage} WHERE id = '{resting}'")

    reason = house.reason(kernel)
    assert says in reason
    assert f"orders, {resting}" in reason
    assert "then lift the halt: manage.py resume market" in reason
    own = kernel.portfolio.orders.get(resting)
    if own is None:
        # The row does not say what the order may cost: it is not ours to keep open.
        assert await house.desk.lives[-1].trading.gateway.open_orders() == []
    else:
        # It was found by its id, and the halt takes it back.
        assert own.order.draft.size == house.resting.order.draft.size
        assert own.acknowledged
        await until(lambda: house.cancelled(kernel))
    assert kernel.portfolio.positions.size(house.market.token_ids[0]) == house.size
    await house.sells(kernel)


async def test_a_truncated_order_counts_as_unknown_at_full_size_until_the_venue_has_spoken(house: House) -> None:
    columns = (
        "payload",
        "signature",
        "strategy_name",
        "intent_id",
        "effect",
        "order_type",
        "maker_amount",
        "status",
    )
    drop = [f"ALTER TABLE orders ALTER COLUMN {column} DROP NOT NULL" for column in columns]
    nulls = ", ".join(f"{column} = NULL" for column in columns) + ", updated_at = updated_at - interval '3 days'"
    kernel = await house.damaged(*drop, f"UPDATE orders SET {nulls} WHERE id = '{house.resting.id}'")

    assert "orders" in house.reason(kernel)
    assert kernel.portfolio.orders.get(house.resting.id).acknowledged
    await until(lambda: house.cancelled(kernel))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("status = 'odd'", "'odd' is not a valid FillStatus"),
        ("price_ticks = -1", "no fill"),
    ],
)
async def test_a_damaged_fill_is_read_again_from_the_venue_and_booked_once(
    house: House, damage: str, says: str
) -> None:
    before = await house.sql("SELECT size_units, price_ticks, status FROM fills")
    kernel = await house.damaged(f"UPDATE fills SET {damage}")

    reason = house.reason(kernel)
    assert "fills" in reason
    assert says in reason

    async def mended() -> bool:
        return await house.sql("SELECT size_units, price_ticks, status FROM fills") == before

    await until(mended)
    assert kernel.portfolio.positions.size(house.market.token_ids[0]) == house.size
    assert not kernel.stopped.done()
    assert kernel.portfolio.ledger.deposits == 1_000_000_000
    await house.sells(kernel)


async def test_a_fill_of_no_position_is_not_dropped(house: House) -> None:
    kernel = await house.damaged("UPDATE fills SET position_id = '00000000-0000-4000-8000-000000000001'")

    assert "positions, 00000000" in house.reason(kernel)
    assert kernel.portfolio.positions.size(house.market.token_ids[0]) == house.size
    await house.sells(kernel)


@pytest.mark.parametrize("damage", ["side = 'token9'", "opened_at = 'infinity'"])
async def test_a_damaged_position_is_folded_from_its_fills(house: House, damage: str) -> None:
    kernel = await house.damaged(f"UPDATE positions SET {damage}")

    assert "positions" in house.reason(kernel)
    assert kernel.portfolio.positions.size(house.market.token_ids[0]) == house.size
    await house.sells(kernel)


async def test_a_position_that_says_something_else_than_its_fills_halts_its_market(house: House) -> None:
    kernel = await house.damaged("UPDATE positions SET settled_units = settled_units + 3000000")

    assert "its fills" in house.reason(kernel)
    await house.sells(kernel)


async def test_a_ledger_journal_that_does_not_balance_halts_everything(house: House) -> None:
    kernel = await house.damaged(
        "UPDATE ledger_entries SET amount_units = amount_units + 7 WHERE ledger_account = 'equity'"
    )

    reason = house.reason(kernel, everywhere=True)
    assert "sums to 7, expected 0" in reason
    await house.sells(kernel)


async def test_entries_of_shares_that_are_gone_halt_the_market(house: House) -> None:
    kernel = await house.damaged("DELETE FROM ledger_entries WHERE asset <> 'collateral'")

    assert "ledger_entries" in house.reason(kernel)
    await house.sells(kernel)


async def test_a_halt_that_cannot_be_read_halts_everything(house: House) -> None:
    kernel = await house.damaged(
        f"INSERT INTO halts (account, scope, target, reason, set_by, set_at, lifted_by) "
        f"VALUES ('{ACCOUNT}', 'planet', '', 'odd', 'ada', now(), '')"
    )

    assert "'planet' is not a valid HaltScope" in house.reason(kernel, everywhere=True)


async def test_a_leg_group_that_cannot_be_read_halts_the_markets_of_its_legs(house: House) -> None:
    leg = f'{{"intent_id": "i", "market_id": "{house.market.id}", "token_id": "none", "side": "buy", "price": 5}}'
    kernel = await house.damaged(
        "INSERT INTO leg_groups (id, account, name, strategy_name, policy, legs, size_units, payoff_units, arb_type, "
        "opportunity_id, state, state_reason, residual, created_at, updated_at) "
        f"VALUES ('g', '{ACCOUNT}', 'g', 's', 'all_or_none', '[{leg}]', 5, 5, '', '', 'placing', '', '[0]', now(), now())"
    )

    assert "leg_groups, g" in house.reason(kernel)


async def test_the_halt_is_durable_shown_and_gone_when_the_row_is_mended_and_a_person_lifts_it(house: House) -> None:
    await house.damaged("UPDATE positions SET side = 'token9'")
    assert await house.sql("SELECT scope, set_by FROM halts") == [("market", "polybot")]
    assert len(await house.sql("SELECT 1 FROM audit_log WHERE event = 'journal_row_damaged'")) == 1
    kernel = house.desk.lives[-1].kernel
    kernel.desk.resume(HaltScope.MARKET, house.market.id, lifted_by="ada")
    await house.desk.lives[-1].stop()
    await house.sql("UPDATE leases SET expires_at = now() - interval '1 hour'")

    again = await house.damaged("UPDATE positions SET side = 'token1'")

    assert again.halts.active() == []
