"""Money that moves without the trader, over real sockets: splits and merges made outside, payouts that come by themselves. Nothing halts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from domain.ledger import LedgerAccount
from domain.market import Market
from domain.money import MICRO
from domain.wallet import Convert, Split
from tests.runtime.wire_kit import ACCOUNT, DEPOSIT, Desk, Trader, buy, equal_to_the_venue, liquid_market
from tests.venues.polymarket.pacing import alone
from tests.venues.polymarket.wallet.memory_log import MemoryLog
from tests.waiting import until
from trading.portfolio import EXTERNAL
from venues.exchange import commands
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.wallet.opening import OpenWallet, open_wallet


def happen(desk: Desk, command: commands.Command) -> None:
    """Let something happen on the venue's chain that no trader asked for."""
    desk.venue.venue.world.floor.do(command)


async def test_a_split_and_a_merge_made_outside_are_adopted_as_external(desk: Desk) -> None:
    trader = await desk.start()
    kernel, market = trader.kernel, liquid_market(trader.kernel)
    await buy(desk, kernel, market)
    bought = kernel.portfolio.positions.size(market.token_ids[0])

    happen(desk, commands.Split(desk.signer.address, market.condition_id, 7 * MICRO))
    await equal_to_the_venue(desk, trader, market)

    external = kernel.portfolio.positions.get(market.token_ids[1], EXTERNAL)
    assert external is not None
    assert external.holding.settled == 7 * MICRO

    happen(desk, commands.Merge(desk.signer.address, market.condition_id, 5 * MICRO))
    await equal_to_the_venue(desk, trader, market)

    assert kernel.portfolio.positions.size(market.token_ids[0]) == bought + 2 * MICRO
    kinds = {row["kind"] for row in desk.disk.tables.rows["ledger_entries"]}
    assert kinds <= {
        "deposit",
        "buy",
        "sell",
        "external_buy",
        "external_sell",
        "split",
        "merge",
        "conversion",
        "rounding",
    }
    assert kernel.portfolio.ledger.deposits == DEPOSIT


async def test_what_moved_while_no_trader_ran_is_adopted_at_the_start(desk: Desk) -> None:
    first = await desk.start()
    market = liquid_market(first.kernel)
    await buy(desk, first.kernel, market)
    await equal_to_the_venue(desk, first, market)
    await first.stop()

    happen(desk, commands.Split(desk.signer.address, market.condition_id, 7 * MICRO))
    second = await desk.start()

    await equal_to_the_venue(desk, second, market)
    assert second.kernel.portfolio.positions.size(market.token_ids[1]) == 7 * MICRO


async def test_a_resolution_that_pays_while_the_trader_runs_halts_nothing(desk: Desk) -> None:
    trader = await desk.start()
    kernel, market = trader.kernel, liquid_market(trader.kernel)
    await buy(desk, kernel, market)
    shares = kernel.portfolio.positions.size(market.token_ids[0])

    status, _ = await desk.venue.post("/admin/resolve", {"condition_id": market.condition_id})
    assert status == 200

    paid = shares if await winner_of(desk, trader, market) == 0 else 0
    await until(lambda: paid_out(desk, trader, market))
    assert kernel.halts.active() == []
    assert kernel.portfolio.ledger.balance(LedgerAccount.RECEIVABLE) == 0
    assert kernel.portfolio.ledger.deposits == DEPOSIT
    assert paid == 0 or kernel.portfolio.ledger.realised > 0


async def test_the_wallets_own_operations_beside_a_running_trader_end_in_its_books(desk: Desk) -> None:
    trader = await desk.start()
    kernel = trader.kernel
    market = liquid_market(kernel, exclusive=True)
    await buy(desk, kernel, market)
    event = kernel.markets.event_of(market)
    tokens = [token for each in event for token in each.token_ids]
    wallet = await beside(desk)

    async with ticking(desk):
        for operation in (Split(market=market, amount=9 * MICRO), Convert(markets=(market,), amount=6 * MICRO)):
            plan = await wallet.operations.plan(operation)
            assert (await wallet.operations.perform(plan, lambda _: None)).done
    await wallet.close()

    await equal_to_the_venue(desk, trader, *event)
    held = {token: size for token in tokens if (size := kernel.portfolio.positions.size(token))}
    assert held[market.token_ids[1]] == 3 * MICRO
    assert {held[each.token_ids[0]] for each in event if each != market} == {6 * MICRO}


async def test_the_wallets_operations_in_markets_the_trader_holds_nothing_of_halt_nothing(desk: Desk) -> None:
    trader = await desk.start()
    kernel = trader.kernel
    first = liquid_market(kernel, exclusive=False)
    await buy(desk, kernel, first)
    other = liquid_market(kernel, exclusive=True)
    event = kernel.markets.event_of(other)
    wallet = await beside(desk)

    async with ticking(desk):
        for operation in (Split(market=other, amount=2 * MICRO), Convert(markets=(other,), amount=MICRO)):
            plan = await wallet.operations.plan(operation)
            assert (await wallet.operations.perform(plan, lambda _: None)).done
        await equal_to_the_venue(desk, trader, first, *event)
    await wallet.close()

    sizes = kernel.portfolio.positions.size
    assert (sizes(other.token_ids[0]), sizes(other.token_ids[1])) == (2 * MICRO, MICRO)
    assert {sizes(each.token_ids[0]) for each in event if each != other} == {MICRO}
    kinds = {row["kind"] for row in desk.disk.tables.rows["ledger_entries"]}
    assert not {"withdrawal", "misbooked"} & kinds


async def test_shares_sent_from_another_wallet_and_sent_on_are_adopted_also_when_the_trader_dies_in_between(
    desk: Desk,
) -> None:
    trader = await desk.start()
    market = liquid_market(trader.kernel, exclusive=False)
    await buy(desk, trader.kernel, market)
    friend = "0x" + "f1" * 20
    bought = trader.kernel.portfolio.positions.size(market.token_ids[0])
    happen(desk, commands.Deposit(friend, 50 * MICRO))
    happen(desk, commands.Split(friend, market.condition_id, 20 * MICRO))
    happen(desk, commands.Transfer(friend, desk.signer.address, market.token_ids[0], 20 * MICRO))
    await until(lambda: waiting_for(trader, market))
    await trader.kill(desk.disk)

    second = await desk.start()
    await until(lambda: passes(desk, lambda: second.kernel.portfolio.positions.size(market.token_ids[0]) > bought))
    await second.kill(desk.disk)
    happen(desk, commands.Transfer(desk.signer.address, friend, market.token_ids[0], 8 * MICRO))

    third = await desk.start()
    portfolio = third.kernel.portfolio
    await until(lambda: passes(desk, lambda: portfolio.positions.size(market.token_ids[0]) == bought + 12 * MICRO))
    assert third.kernel.halts.active() == []
    assert portfolio.ledger.cash == (await desk.held(third, ()))[0]
    assert portfolio.ledger.balance(LedgerAccount.EQUITY) == -DEPOSIT
    assert portfolio.ledger.balance(LedgerAccount.INVENTORY) == portfolio.positions.total_cost
    kinds = [row["kind"] for row in desk.disk.tables.rows["ledger_entries"]]
    assert (kinds.count("transfer_in"), kinds.count("transfer_out")) == (4, 4)
    assert not {"withdrawal", "misbooked", "external_buy", "external_sell"} & set(kinds)


async def waiting_for(trader: Trader, market: Market) -> bool:
    return market.id in trader.kernel.reconciler.arriving


async def passes(desk: Desk, holds: Callable[[], bool]) -> bool:
    """Let a second pass at the venue, and tell whether something holds then."""
    desk.venue.pass_time(1.0)
    return holds()


async def beside(desk: Desk) -> OpenWallet:
    """Open the trader's wallet as `manage.py wallet` does."""
    url = desk.venue.url
    config = PolymarketConfig(
        account=ACCOUNT, clob_url=url, gamma_url=url + "/gamma", relayer_url=url + "/relayer", rpc_url=url + "/rpc"
    )
    return await open_wallet(
        config,
        desk.signer,
        None,
        clock=desk.venue.clock,
        budgets=alone(),
        log=MemoryLog(),
        max_gas_cost=10**18,
        poll_seconds=0.02,
    )


@asynccontextmanager
async def ticking(desk: Desk) -> AsyncIterator[None]:
    """Let the venue's time pass meanwhile."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.005)
            desk.venue.pass_time(0.25, step=0.25)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()


async def winner_of(desk: Desk, trader: Trader, market: Market) -> int | None:
    """Wait until the trader knows how a market ended."""

    async def known() -> bool:
        desk.venue.pass_time(0.5)
        return trader.kernel.markets.settled(market.id)

    await until(known)
    found = trader.kernel.markets.get(market.id)
    assert found is not None
    return found.winner


async def paid_out(desk: Desk, trader: Trader, market: Market) -> bool:
    """Tell whether the venue's payout is in our books, to the last micro-unit."""
    desk.venue.pass_time(1.0)
    cash, tokens = await desk.held(trader, market.token_ids)
    return not any(tokens.values()) and cash == trader.kernel.portfolio.ledger.cash
