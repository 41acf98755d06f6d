"""Public market data through `py-clob-client-v2`: every read, and that the reads agree with one another."""

from __future__ import annotations

from typing import Any

from py_clob_client_v2 import BookParams
from py_clob_client_v2.clob_types import PriceHistoryInterval, PricesHistoryParams
from py_clob_client_v2.exceptions import PolyApiException

from conversation import Conversation, equal, eventually, expect, refused
from setting import Market, Venue

C = "ClobClient."
LISTINGS = ("get_markets", "get_simplified_markets", "get_sampling_markets", "get_sampling_simplified_markets")


def play(talk: Conversation, client: Any, venue: Venue) -> None:
    """Read everything about one standard and one neg-risk market."""
    talk.scene("server", _server, talk, client)
    for neg_risk in (False, True):
        market = venue.pick(neg_risk=neg_risk, fees=True)
        kind = "neg-risk" if neg_risk else "standard"
        talk.scene(f"parameters of a {kind} market", _parameters, talk, client, market, kind)
        talk.scene(f"books of a {kind} market", _books, talk, client, market, kind)
        talk.scene(f"prices of a {kind} market", _prices, talk, client, market, kind)
    for name in LISTINGS:
        talk.scene(name, _listing, talk, client, name)
    talk.scene("history", _history, talk, client, venue)
    talk.scene("rewards", _rewards, talk, client)
    talk.scene("unknown", _unknown, talk, client, venue)


def _server(talk: Conversation, client: Any) -> None:
    with talk.call(C + "get_ok"):
        equal(client.get_ok(), "OK", "the answer")
    with talk.call(C + "get_server_time"):
        expect(isinstance(client.get_server_time(), int), "a bare integer")
    with talk.call(C + "get_version"):
        equal(client.get_version(), 2, "the version")


def _parameters(talk: Conversation, client: Any, market: Market, kind: str) -> None:
    with talk.call(C + "get_tick_size", kind):
        equal(client.get_tick_size(market.yes), str(market.tick), "the tick")
    with talk.call(C + "get_neg_risk", kind):
        equal(client.get_neg_risk(market.no), market.neg_risk, "neg_risk")
    with talk.call(C + "get_fee_rate_bps", kind):
        equal(client.get_fee_rate_bps(market.yes), 1000, "the legacy flag")
    with talk.call(C + "get_clob_market_info", kind):
        info = client.get_clob_market_info(market.condition_id)
        equal([token["t"] for token in info["t"]], [market.yes, market.no], "the tokens")
        equal(info["fd"]["r"], float(market.fee_rate), "the fee rate")
        equal(info.get("nr", False), market.neg_risk, "nr")
    with talk.call(C + "get_fee_exponent", kind):
        equal(client.get_fee_exponent(market.yes), 1, "the exponent")
    with talk.call(C + "get_market", kind):
        row = client.get_market(market.condition_id)
        equal([token["token_id"] for token in row["tokens"]], [market.yes, market.no], "the tokens")
        equal(row["question_id"], market.question_id, "the question id")


def _books(talk: Conversation, client: Any, market: Market, kind: str) -> None:
    with talk.call(C + "get_order_book", kind):
        book = client.get_order_book(market.yes)
        bids, asks = ([float(level["price"]) for level in book[side]] for side in ("bids", "asks"))
        equal(bids, sorted(bids), "bids, ascending")
        equal(asks, sorted(asks, reverse=True), "asks, descending")
        expect(bids[-1] < asks[-1], "bids below asks")
        expect(all(isinstance(level["size"], str) for level in book["bids"] + book["asks"]), "sizes as text")
    with talk.call(C + "get_order_book_hash", kind):
        book = client.get_order_book(market.yes)
        equal(client.get_order_book_hash(book), book["hash"], "the hash the SDK computes")
    with talk.call(C + "get_order_books", kind):
        books = client.get_order_books([BookParams(market.yes), BookParams(market.no), BookParams("12345")])
        equal({found["asset_id"] for found in books}, {market.yes, market.no}, "the books found")
    with talk.call(C + "calculate_market_price", kind):
        best = [float(client.get_price(market.yes, side)["price"]) for side in ("SELL", "BUY")]
        found = [client.calculate_market_price(market.yes, side, 1.0) for side in ("BUY", "SELL")]
        expect(abs(found[0] - best[0]) < 0.05, f"a price near {best[0]}, got {found[0]}")
        expect(abs(found[1] - best[1]) < 0.05, f"a price near {best[1]}, got {found[1]}")


def _prices(talk: Conversation, client: Any, market: Market, kind: str) -> None:
    def agreed() -> tuple[float, float]:
        """Return bid and ask of a moment in which nothing moved."""
        found: tuple[float, float] = eventually(lambda: _still(client, market), "a moment without a change of the book")
        return found

    with talk.call(C + "get_price", kind):
        bid, ask = agreed()
        expect(0 < bid < ask < 1, f"bid {bid} below ask {ask}")
    with talk.call(C + "get_midpoint", kind):
        eventually(
            lambda: _close(client.get_midpoint(market.yes)["mid"], sum(agreed()) / 2), "the midpoint of the book"
        )
    with talk.call(C + "get_spread", kind):
        eventually(lambda: _close(client.get_spread(market.yes)["spread"], _width(agreed())), "the spread of the book")
    pair = [BookParams(market.yes), BookParams(market.no)]
    with talk.call(C + "get_midpoints", kind):
        mids = client.get_midpoints(pair)
        expect(_close(mids[market.yes], 1 - float(mids[market.no])), "midpoints that add up to 1")
    with talk.call(C + "get_spreads", kind):
        spreads = client.get_spreads(pair)
        equal(spreads[market.yes], spreads[market.no], "the spread of the mirror")
    with talk.call(C + "get_prices", kind):
        prices = client.get_prices([BookParams(market.yes, "BUY"), BookParams(market.no, "SELL")])
        expect(_close(prices[market.yes]["BUY"], 1 - float(prices[market.no]["SELL"])), "a bid that mirrors the ask")
    with talk.call(C + "get_last_trade_price", kind):
        last = client.get_last_trade_price(market.yes)
        expect(last["side"] in ("BUY", "SELL", "") and isinstance(last["price"], str), "a price as text and a side")
    with talk.call(C + "get_last_trades_prices", kind):
        rows = client.get_last_trades_prices(pair)
        expect({row["token_id"] for row in rows} <= {market.yes, market.no}, "rows of the tokens asked for")


def _still(client: Any, market: Market) -> tuple[float, float] | None:
    first, second = (
        [client.get_price(market.yes, side)["price"] for side in ("BUY", "SELL", "BUY", "SELL")[:2]] for _ in range(2)
    )
    return (float(first[0]), float(first[1])) if first == second else None


def _width(best: tuple[float, float]) -> float:
    return best[1] - best[0]


def _close(text: Any, number: float) -> bool:
    expect(isinstance(text, str), f"a number as text, got {text!r}")
    return abs(float(text) - number) < 1e-9


def _listing(talk: Conversation, client: Any, name: str) -> None:
    with talk.call(C + name):
        page = getattr(client, name)()
        expect({"limit", "count", "next_cursor", "data"} <= page.keys(), "an envelope")
        equal(page["count"], len(page["data"]), "the count")
        expect(page["data"], "some markets")
        expect(all(len(row["tokens"]) == 2 for row in page["data"]), "two tokens each")
        if "simplified" not in name:
            expect(all(row["question"] for row in page["data"]), "questions")
        seen, cursor = len(page["data"]), page["next_cursor"]
        while cursor != "LTE=":
            page = getattr(client, name)(next_cursor=cursor)
            seen, cursor = seen + len(page["data"]), page["next_cursor"]
        expect(seen < 5000, "an end")


def _history(talk: Conversation, client: Any, venue: Venue) -> None:
    market = venue.pick(neg_risk=True)
    with talk.call(C + "get_prices_history", "an interval"):
        asked = PricesHistoryParams(market=market.yes, interval=PriceHistoryInterval.ONE_HOUR, fidelity=1)
        points = client.get_prices_history(asked)["history"]
        expect(points and all(0 < point["p"] < 1 and point["t"] > 1_700_000_000 for point in points), "points")
    with talk.call(C + "get_prices_history", "from, to"):
        now = client.get_server_time()
        asked = PricesHistoryParams(market=market.yes, start_ts=now - 3600, end_ts=now, fidelity=1)
        points = client.get_prices_history(asked)["history"]
        expect([point["t"] for point in points] == sorted(point["t"] for point in points), "points in time's order")
    with talk.call(C + "get_market_trades_events"):
        rows = client.get_market_trades_events(market.condition_id)
        expect(isinstance(rows, list), "a list of trades")


def _rewards(talk: Conversation, client: Any) -> None:
    with talk.call(C + "get_current_rewards"):
        rows = client.get_current_rewards()
        expect(rows, "markets with rewards")
        expect(all(row["rewards_max_spread"] > 0 and row["rewards_config"] for row in rows), "their parameters")
    with talk.call(C + "get_raw_rewards_for_market"):
        found = client.get_raw_rewards_for_market(rows[0]["condition_id"])
        equal([row["condition_id"] for row in found], [rows[0]["condition_id"]], "the market")
        expect(found[0]["question"] and len(found[0]["tokens"]) == 2, "question and tokens")


def _unknown(talk: Conversation, client: Any, venue: Venue) -> None:
    with talk.call(C + "get_order_book", "of no known token"):
        error = refused(lambda: client.get_order_book("123"), PolyApiException, "No orderbook exists")
        equal(getattr(error, "status_code", 0), 404, "the status")
    with talk.call(C + "get_market", "of no known condition"):
        error = refused(lambda: client.get_market("0x" + "ab" * 32), PolyApiException, "market not found")
        equal(getattr(error, "status_code", 0), 404, "the status")
    with talk.call(C + "get_price", "of no side"):
        token_id = venue.pick(neg_risk=True).yes
        refused(lambda: client.get_price(token_id, "UP"), PolyApiException, "Invalid side")
