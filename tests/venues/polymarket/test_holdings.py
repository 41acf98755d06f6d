"""What the venue's index lists of a wallet: every page, each token once, nobody else's."""

import aiohttp
import pytest

from domain.errors import VenueError
from tests.venues.polymarket.pacing import Unpaced
from tests.venues.polymarket.rest_server import RestServer, rest_server
from venues.polymarket.holdings import IndexedHoldings
from venues.polymarket.http import HttpClient

WALLET = "0x" + "Ab" * 20


def row(token: str, wallet: str = WALLET.lower()) -> dict[str, object]:
    return {"token_id": token, "proxy_wallet": wallet, "current_size": 3.5, "status": "OPEN"}


async def listed(*pages: object) -> tuple[list[str], RestServer]:
    left = list(pages)
    async with rest_server() as server, aiohttp.ClientSession() as session:
        server.on("GET /v2/positions", lambda _: left.pop(0) if len(left) > 1 else left[0])
        return await IndexedHoldings(HttpClient(server.url, session, Unpaced()), WALLET).tokens(), server


@pytest.mark.protocol("7.1", "7.2")
async def test_every_page_is_read_and_other_wallets_are_left_out() -> None:
    first = {"data": [row("1"), row("2")], "pagination": {"has_more": True, "next_cursor": "n"}}
    last = {"data": [row("2"), row("3", "0x" + "cd" * 20), row("4")], "pagination": {"has_more": False}}
    tokens, server = await listed(first, last)
    assert tokens == ["1", "2", "4"]
    asked = [request.query for request in server.asked("GET /v2/positions")]
    assert asked == [{"user": WALLET, "status": "OPEN"}, {"user": WALLET, "status": "OPEN", "cursor": "n"}]


@pytest.mark.parametrize("nothing", [{"data": None}, {"data": [], "pagination": {"has_more": True}}])
async def test_a_wallet_that_is_not_in_the_index_has_no_tokens(nothing: object) -> None:
    assert (await listed(nothing))[0] == []


@pytest.mark.parametrize(
    "page",
    [
        {"data": [{"token_id": 7, "proxy_wallet": WALLET}]},
        {"data": [row("1")], "pagination": {"has_more": True, "next_cursor": "n"}},
        [],
        "nonsense",
    ],
)
async def test_a_list_that_is_not_whole_is_an_error(page: object) -> None:
    with pytest.raises(VenueError):
        await listed(page)
