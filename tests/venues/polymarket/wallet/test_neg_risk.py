"""Exclusive events as the catalogue tells them: a conversion's fee is a part of its proceeds or an error."""

import aiohttp
import pytest

from domain.errors import VenueError
from domain.market import Market
from tests.venues.polymarket.pacing import Unpaced
from tests.venues.polymarket.rest_server import rest_server
from venues.polymarket.http import HttpClient
from venues.polymarket.wallet.neg_risk import ExclusiveEvent, ExclusiveEvents

SET = "0x" + "aa" * 31 + "00"
MARKET = Market(
    id="1", venue="polymarket", question="?", slug="s", condition_id="0x" + "01" * 32, token_ids=("5", "6"),
    neg_risk=True, group_id="77",
)  # fmt: skip


async def event_with(fee: object) -> ExclusiveEvent:
    questions = [
        {
            "conditionId": "0x" + f"{number + 1:02x}" * 32,
            "questionID": f"{SET[:-2]}{number:02x}",
            "negRiskMarketID": SET,
            "groupItemTitle": f"Party {number}",
            "clobTokenIds": f'["{5 + 2 * number}", "{6 + 2 * number}"]',
        }
        for number in range(3)
    ]
    async with rest_server() as server, aiohttp.ClientSession() as session:
        server.on("GET /events/77", {"negRiskFeeBips": fee, "markets": questions})
        return await ExclusiveEvents(HttpClient(server.url, session, Unpaced())).of([MARKET])


@pytest.mark.parametrize(("told", "bips"), [(None, 0), (0, 0), (200, 200), (200.0, 200), (10_000, 10_000)])
async def test_a_conversions_fee_is_read_in_every_form_the_catalogue_gives_it(told: object, bips: int) -> None:
    event = await event_with(told)
    assert (event.fee_bips, event.market_id) == (bips, SET)
    assert event.titles == {0: "Party 0", 1: "Party 1", 2: "Party 2"}


@pytest.mark.parametrize("told", [-1, 10_001, 0.5, 1e300, "200"])
async def test_a_fee_that_is_none_is_an_error(told: object) -> None:
    with pytest.raises(VenueError, match="malformed"):
        await event_with(told)
