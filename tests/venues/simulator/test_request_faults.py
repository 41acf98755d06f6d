"""Faults between a client's request and its answer, as the client sees them."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.venues.simulator.kit import RunningVenue, Trader, running_venue, trader
from venues.simulator.faults.answers import ANSWERS
from venues.simulator.faults.model import (
    Answer,
    Cut,
    Delay,
    Edit,
    FaultError,
    Half,
    Inflate,
    Silence,
    StaleBook,
    When,
    Where,
)

ORDER = Where(method="POST", path="/order")
AFTER = When(stage="after")


async def resting(client: Trader) -> list[str]:
    """Return the ids of the client's open orders."""
    status, orders = await client.call("GET", "/data/orders")
    assert status == 200, orders
    return [order["id"] for order in orders["data"]]


@pytest.mark.protocol("9.18")
async def test_exactly_the_second_order_of_one_wallet_is_taken_without_an_answer(venue):
    client, other = await trader(venue), await trader(venue, 2)
    market = await venue.some_market()
    where = Where(method="POST", path="/order", wallet=client.address)
    armed = venue.arm(Silence(), where, When(skip=1, stage="after"))
    assert (await client.place(market, "BUY", "0.02", "10"))[0] == 200
    assert (await other.place(market, "BUY", "0.02", "10"))[0] == 200
    lost = asyncio.create_task(client.place(market, "BUY", "0.03", "10"))
    await venue.struck(armed)
    assert client.digest in await resting(client)
    assert not lost.done()
    venue.pass_time(601, step=1)
    with pytest.raises(aiohttp.ClientError):
        await lost
    assert (await client.place(market, "BUY", "0.04", "10"))[0] == 200
    assert (armed.seen, armed.struck, armed.last) == (2, 1, "POST /order")
