"""The Data API: what a wallet did and holds, what markets did, in the envelope and under the names of both versions."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from tests.venues.simulator.kit import RunningVenue, Trader, running_venue, trader

SHARES = 10
POSITION_FIELDS = (
    "proxy_wallet token_id condition_id current_size avg_price entry_cost_usdc entry_fees_usdc total_cost_usdc current_price"
    " current_value total_size realized_pnl unrealized_pnl total_pnl percent_pnl percent_realized_pnl status redeemable mergeable"
    " negative_risk archived verified title slug icon event_slug event_id outcome outcome_index opposite_outcome"
    " opposite_token_id name profile_image end_date last_event_at first_entry_at"
)
TRADE_FIELDS = (
    "proxy_wallet token_id condition_id side size price timestamp transaction_hash title slug icon event_slug outcome"
    " outcome_index name pseudonym bio profile_image profile_image_optimized"
)


class Holder:
    """A client that holds ten shares of one market, bought for `cost` dollars."""

    def __init__(self, venue: RunningVenue, client: Trader, market: dict, cost: float) -> None:
        self.venue, self.client, self.market, self.cost = venue, client, market, cost
        self.token = market["tokens"][0]
        self.condition_id = market["conditionId"]
        self.event_id = venue.venue.world.listings.by_condition(self.condition_id).event.id

    async def get(self, path: str, **query: str):
        status, body = await self.venue.get("/data-api" + path, **{"user": self.client.address, **query})
        assert status == 200, body
        return body


async def holder_in(venue: RunningVenue) -> Holder:
    """Return a client that bought ten shares at one price, long enough ago that they settled."""
    client = await trader(venue)
    for _ in range(40):
        market = await venue.some_market(category="Finance")
        _, book = await venue.get("/book", token_id=market["tokens"][0])
        best = book["asks"][-1]
        if float(best["size"]) >= SHARES:
            break
        venue.pass_time(0.5, step=0.25)
    status, body = await client.place(market, "BUY", best["price"], str(SHARES), "GTC")
    assert (status, body["status"]) == (200, "matched")
    venue.pass_time(8, step=0.25)
    return Holder(venue, client, market, float(body["makingAmount"]))


@pytest.fixture
async def holder(venue) -> Holder:
    return await holder_in(venue)


@pytest.mark.protocol("7.2")
async def test_a_position_has_its_cost_its_fee_and_its_present_value(holder):
    body = await holder.get("/v2/positions")
    assert body["pagination"] == {"has_more": False, "next_cursor": None}
    (row,) = body["data"]
    assert set(row) == set(POSITION_FIELDS.split())
    held = row["current_size"]
    assert (row["proxy_wallet"], row["token_id"], held) == (holder.client.address, holder.token, row["total_size"])
    assert row["entry_cost_usdc"] == pytest.approx(holder.cost)
    assert row["avg_price"] == pytest.approx(holder.cost / held)
    assert row["entry_fees_usdc"] == pytest.approx(0.04 * held * row["avg_price"] * (1 - row["avg_price"]), abs=1e-3)
    assert row["current_value"] == pytest.approx(held * row["current_price"])
    assert row["unrealized_pnl"] == pytest.approx(row["current_value"] - holder.cost)
    assert (row["status"], row["redeemable"], row["mergeable"], row["outcome"]) == ("OPEN", False, False, "Yes")
    assert row["opposite_token_id"] == holder.market["tokens"][1]
    assert (await holder.get("/v2/value"))["data"]["value"] == row["current_value"]
    assert (await holder.get("/v2/value", condition_id="0x00"))["data"]["value"] == 0


@pytest.mark.protocol("7.1")
async def test_unsettled_trades_are_not_in_the_index(venue):
    client = await trader(venue)
    market = await venue.some_market()
    await client.place(market, "BUY", f"{market['bestAsk']:g}", "10")
    for path in ("/v2/trades", "/v2/positions"):
        _, body = await venue.get("/data-api" + path, user=client.address)
        assert body["data"] == []


@pytest.mark.protocol("7.2")
async def test_trades_have_their_fields_and_filters(holder):
    (row,) = (await holder.get("/v2/trades"))["data"]
    assert set(row) == set(TRADE_FIELDS.split())
    assert (row["side"], row["outcome_index"], row["condition_id"]) == ("BUY", 0, holder.condition_id)
    assert len(row["transaction_hash"]) == 66
    assert row["size"] * row["price"] == pytest.approx(holder.cost)
    for query, found in (
        ({"side": "SELL"}, 0),
        ({"side": "BUY", "condition_id": holder.condition_id.upper().replace("0X", "0x")}, 1),
        ({"condition_id": "0x" + "00" * 32}, 0),
        ({"event_id": holder.event_id}, 1),
        ({"filter_type": "CASH", "filter_amount": str(holder.cost + 1)}, 0),
        ({"filter_type": "TOKENS", "filter_amount": str(SHARES)}, 1),
        ({"start": str(row["timestamp"]), "end": str(row["timestamp"])}, 1),
        ({"start": str(row["timestamp"] + 1)}, 0),
    ):
        assert len((await holder.get("/v2/trades", **query))["data"]) == found, query


@pytest.mark.protocol("7.1")
async def test_a_market_shows_both_sides_of_a_match_or_takers_only(holder):
    _, both = await holder.venue.get("/data-api/v2/trades", condition_id=holder.condition_id, limit="1000")
    _, takers = await holder.venue.get(
        "/data-api/v2/trades", condition_id=holder.condition_id, taker_only="true", limit="1000"
    )
    mine = next(row for row in both["data"] if row["proxy_wallet"] == holder.client.address)
    match = [row for row in both["data"] if row["transaction_hash"] == mine["transaction_hash"]]
    assert len(match) > 1
    assert len([row for row in takers["data"] if row["transaction_hash"] == mine["transaction_hash"]]) == 1
    assert len(takers["data"]) < len(both["data"])


@pytest.mark.protocol("7.1")
async def test_pages_by_cursor_have_every_row_once(holder):
    seen, query = [], {"limit": "7"}
    while True:
        _, body = await holder.venue.get("/data-api/v2/trades", **query)
        seen += body["data"]
        page = body["pagination"]
        assert page["has_more"] == (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
    _, whole = await holder.venue.get("/data-api/v2/trades", limit="1000")
    assert seen == whole["data"]
    assert [row["timestamp"] for row in seen] == sorted((row["timestamp"] for row in seen), reverse=True)
    assert (await holder.venue.get("/data-api/v2/trades", cursor="x"))[0] == 400


@pytest.mark.protocol("7.1")
async def test_activity_tells_deposits_only_when_asked(holder):
    kinds = [row["type"] for row in (await holder.get("/v2/activity"))["data"]]
    assert kinds == ["TRADE"]
    body = await holder.get("/v2/activity", exclude_deposits_withdrawals="false", sort_direction="ASC")
    assert [(row["type"], row["usdc_size"]) for row in body["data"]] == [("DEPOSIT", 1000), ("TRADE", holder.cost)]
    assert body["data"][0]["outcome_index"] == 999
    body = await holder.get("/v2/activity", type="REDEEM,SPLIT")
    assert body["data"] == []


@pytest.mark.protocol("6.4", "7.2")
async def test_a_resolved_market_is_redeemed_closed_and_counted(holder):
    venue, wallet = holder.venue, holder.client.address
    listing = venue.venue.world.listings.by_condition(holder.condition_id)
    venue.jump((listing.event.end_ns - venue.clock.now_ns()) / 1e9 + 1)
    (row,) = (await holder.get("/v2/positions"))["data"]
    assert (row["status"], row["redeemable"]) == ("REDEEMABLE", True)
    paid = {0: 1.0, 1: 0.0, None: 0.5}[listing.winner]
    assert row["current_price"] == paid
    lost = (await holder.get("/v2/positions", status="REDEEMABLE_LOST"))["data"]
    assert bool(lost) == (paid == 0)
    _, body = await venue.get("/data-api/v2/resolutions", condition_id=holder.condition_id)
    (resolved,) = body["data"]
    assert (resolved["status"], resolved["payouts"]) == ("resolved", [int(paid * 1e6), int((1 - paid) * 1e6)])
    assert (resolved["price"], resolved["proposed_price"], resolved["reproposed_price"]) == (str(paid), str(paid), "69")
    venue.jump(30)
    assert (await holder.get("/v2/positions"))["data"] == []
    (closed,) = (await holder.get("/v2/positions", status="CLOSED"))["data"]
    assert closed["realized_pnl"] == pytest.approx(paid * closed["total_size"] - holder.cost)
    assert closed["current_size"] == 0
    (redeem,) = (await holder.get("/v2/activity", type="REDEEM"))["data"]
    assert redeem["usdc_size"] == pytest.approx(paid * closed["total_size"])
    stats = (await holder.get("/v2/user-stats"))["data"]
    assert stats["trades"] == 1
    assert stats["all_time_pnl"]["realized_pnl"] == pytest.approx(closed["realized_pnl"])
    assert stats["biggest_win"] == pytest.approx(max(0, closed["realized_pnl"]))
    series = (await holder.get("/v2/user-pnl", interval="max", fidelity="1h"))["data"]
    assert series["points"][-1]["economic_pnl"] == pytest.approx(
        closed["realized_pnl"] - series["points"][-1]["fees_paid"]
    )
    standing = (await holder.get("/v2/leaderboard", time_period="all"))["data"]
    assert standing["user_id"] == wallet
    assert standing["pnl"] == pytest.approx(closed["realized_pnl"])
    assert standing["rank_pnl"] >= 1


@pytest.mark.protocol("7.1")
async def test_holders_are_grouped_by_token_and_sum_up_to_what_was_minted(holder):
    _, body = await holder.venue.get("/data-api/v2/holders", condition_id=holder.condition_id, include_pnl="true")
    groups = {group["token_id"]: group["holders"] for group in body["data"]}
    assert set(groups) == set(holder.market["tokens"])
    mine = next(row for row in groups[holder.token] if row["proxy_wallet"] == holder.client.address)
    assert mine["amount"] * mine["avg_price"] == pytest.approx(holder.cost)
    amounts = [row["amount"] for row in groups[holder.token]]
    assert amounts == sorted(amounts, reverse=True)
    _, interest = await holder.venue.get("/data-api/v2/oi", condition_id=holder.condition_id)
    assert sum(amounts) == pytest.approx(interest["data"][0]["value"])
    _, first = await holder.venue.get("/data-api/v2/holders", condition_id=holder.condition_id, limit="1")
    assert first["pagination"]["has_more"] is True
    assert (await holder.venue.get("/data-api/v2/holders"))[0] == 400


@pytest.mark.protocol("7.1")
async def test_volumes_and_standings_count_what_was_traded(holder):
    volume = (await holder.get("/v2/user-volume"))["data"]
    assert volume == {"volume": SHARES, "volume_usdc": pytest.approx(holder.cost), "trade_count": 1}
    _, live = await holder.venue.get("/data-api/v2/live-volume", event_id=holder.event_id)
    listings = holder.venue.venue.world.listings.of_event(holder.event_id)
    assert live["data"]["taker_volume_total"] == pytest.approx(sum(listing.shares for listing in listings) / 1e6)
    assert {row["condition_id"]: row["taker_volume"] for row in live["data"]["conditions"]}[
        holder.condition_id
    ] >= SHARES
    _, board = await holder.venue.get("/data-api/v2/leaderboard", sort_by="VOLUME", time_period="day")
    volumes = [row["volume"] for row in board["data"]]
    assert volumes == sorted(volumes, reverse=True)
    assert [row["rank"] for row in board["data"]] == list(range(1, len(volumes) + 1))
    _, missing = await holder.venue.get("/data-api/v2/leaderboard", user="0x" + "cd" * 20)
    assert missing == {"data": None}


@pytest.mark.protocol("7.1")
async def test_price_history_is_bucketed_paged_and_mirrored(holder):
    venue = holder.venue
    for _ in range(4):
        venue.jump(60)
    yes, no = holder.market["tokens"]
    query = {"interval": "1h", "bucket_seconds": "60"}
    _, first = await venue.get("/data-api/v2/prices-history", token_id=yes, **query)
    _, mirror = await venue.get("/data-api/v2/prices-history", token_id=no, **query)
    assert len(first["data"]) >= 3
    for left, right in zip(first["data"], mirror["data"], strict=True):
        assert left["timestamp"] == right["timestamp"]
        assert left["price"] + right["price"] == pytest.approx(1)
        assert left["resolution_seconds"] == 60
    _, page = await venue.get("/data-api/v2/prices-history", token_id=yes, limit="2", **query)
    assert page["data"] == first["data"][:2]
    _, rest = await venue.get(
        "/data-api/v2/prices-history", token_id=yes, limit="99", cursor=page["pagination"]["next_cursor"], **query
    )
    assert page["data"] + rest["data"] == first["data"]
    at = first["data"][1]["timestamp"]
    _, exact = await venue.get("/data-api/v2/prices-history", token_id=yes, as_of=str(at + 1))
    assert exact["data"] == [{"timestamp": at + 1, "price": first["data"][1]["price"], "resolution_seconds": 0}]
    now = str(venue.clock.now_ns() // 10**9)
    for bad in (
        {},
        {"interval": "1h", "as_of": now},
        {"interval": "2h"},
        {"interval": "1w", "bucket_seconds": "60"},
        {"start": "1", "end": now},
    ):
        assert (await venue.get("/data-api/v2/prices-history", token_id=yes, **bad))[0] == 400
    assert (await venue.get("/data-api/v2/prices-history", token_id="1", interval="1h"))[0] == 400


@pytest.mark.protocol("7.1")
async def test_tokens_are_described_by_token_or_condition(holder):
    _, by_token = await holder.venue.get("/data-api/v2/tokens", token_id=f"{holder.token},7")
    _, by_condition = await holder.venue.get("/data-api/v2/tokens", condition=holder.condition_id)
    assert [row["token_id"] for row in by_condition["data"]] == holder.market["tokens"]
    assert by_token["data"] == by_condition["data"][:1]
    row = by_token["data"][0]
    assert (row["resolved"], row["final_price"], row["outcome"], row["neg_risk"]) == (False, None, "Yes", False)
    assert 0 < row["event_id"] < 2**31
    assert (await holder.venue.get("/data-api/v2/tokens"))[0] == 400


@pytest.mark.protocol("7.1")
async def test_open_markets_are_posed_and_a_question_is_found_by_its_id(holder):
    listing = holder.venue.venue.world.listings.by_condition(holder.condition_id)
    _, body = await holder.venue.get("/data-api/v2/resolutions", question_id=listing.spec.question_id)
    (row,) = body["data"]
    assert (row["status"], row["price"], row["payouts"], row["was_disputed"]) == ("posed", "69", None, False)
    assert row["market_type"] == "BINARY"
    assert (await holder.venue.get("/data-api/v2/resolutions"))[0] == 400


@pytest.mark.protocol("1.2", "7.1")
async def test_approvals_name_every_contract_that_trading_needs(holder):
    body = (await holder.get("/v2/approvals"))["data"]
    assert (body["address"], body["chain_id"], len(body["contracts"])) == (holder.client.address, 137, 17)
    assert all(row["approved"] for row in body["contracts"])
    stranger = (await holder.get("/v2/approvals", user="0x" + "cd" * 20))["data"]
    assert not any(row["approved"] for row in stranger["contracts"])
    assert {row["amount"] for row in stranger["contracts"] if row["standard"] == "ERC20"} == {"0"}


@pytest.mark.protocol("7.1")
async def test_there_are_no_combos_and_the_index_is_fresh(holder):
    for path in ("/v2/positions/combos", "/v2/activity/combos"):
        assert (await holder.get(path))["data"] == []
    _, status = await holder.venue.get("/data-api/v2/status")
    assert status["data"]["lag_seconds"] == 0


@pytest.mark.protocol("2.4", "7.1")
async def test_builders_are_ranked_by_what_their_orders_traded(venue):
    client = await trader(venue)
    code = "0x" + "00" * 12 + client.address[2:].lower()
    assert await venue.get(f"/fees/builder-fees/{code}") == (404, {"error": "builder not found"})
    market = await venue.some_market()
    order = client.order(market, "BUY", f"{market['bestAsk']:g}", "10", builder=code)
    status, placed = await client.call("POST", "/order", order)
    assert (status, placed["status"]) == (200, "matched")
    _, fees = await venue.get(f"/fees/builder-fees/{code}")
    assert fees == {"builder_maker_fee_rate_bps": 0, "builder_taker_fee_rate_bps": 0}
    _, page = await venue.get("/builder/trades", builder_code=code, next_cursor="MA==")
    assert (page["next_cursor"], page["count"]) == ("LTE=", 1)
    row = page["data"][0]
    assert (row["tradeType"], row["takerOrderHash"], row["maker"]) == ("TAKER", placed["orderID"], client.address)
    assert (row["size"], row["builder"], row["owner"]) == ("10", code, client.key["apiKey"])
    _, board = await venue.get("/data-api/v2/builders/leaderboard")
    assert [(one["builder_code"], one["volume"], one["active_users"]) for one in board["data"]] == [(code, 10, 1)]
    other = "0x" + "11" * 32
    assert (await venue.get("/builder/trades", builder_code=other))[1]["data"] == []
    assert await venue.get("/builder/trades") == (400, {"error": "Invalid payload"})


@pytest.mark.protocol("7.1")
async def test_the_first_version_says_the_same_under_other_names(holder):
    (v2,) = (await holder.get("/v2/positions"))["data"]
    (v1,) = await holder.get("/positions")
    assert (v1["asset"], v1["size"], v1["avgPrice"], v1["initialValue"], v1["cashPnl"], v1["curPrice"]) == (
        v2["token_id"],
        v2["current_size"],
        v2["avg_price"],
        v2["entry_cost_usdc"],
        v2["unrealized_pnl"],
        v2["current_price"],
    )
    (trade,) = await holder.get("/trades")
    assert (trade["proxyWallet"], trade["asset"], trade["outcomeIndex"]) == (holder.client.address, holder.token, 0)
    (row,) = await holder.get("/activity", type="TRADE")
    assert row["usdcSize"] == pytest.approx(holder.cost)
    assert await holder.get("/value") == [{"user": holder.client.address, "value": v2["current_value"]}]
    assert await holder.get("/traded") == {"user": holder.client.address, "traded": 1}
    groups = await holder.get("/holders", market=holder.condition_id)
    assert holder.client.address in {one["proxyWallet"] for group in groups for one in group["holders"]}
    assert await holder.get("/closed-positions") == []
    assert len(await holder.get("/trades", limit="9999", offset="0")) == 1
    status, body = await holder.venue.get("/data-api/trades", offset="1001")
    assert (status, body["error"]) == (400, "offset must not be above 1000")


@pytest.mark.protocol("7.1")
async def test_the_accounting_snapshot_is_a_zip_of_csv(holder):
    url = holder.venue.url + "/data-api/v1/accounting/snapshot"
    async with holder.venue.session.get(url, params={"user": holder.client.address}) as response:
        archive = zipfile.ZipFile(io.BytesIO(await response.read()))
    rows = list(csv.DictReader(io.StringIO(archive.read("positions.csv").decode())))
    assert [row["conditionId"] for row in rows] == [holder.condition_id]
    assert archive.namelist() == ["positions.csv", "equity.csv"]


@pytest.mark.parametrize("path", ["/v2/activity", "/v2/value", "/v2/user-pnl", "/v2/user-stats", "/activity"])
@pytest.mark.protocol("7.1")
async def test_a_user_is_needed_and_must_be_an_address(venue, path):
    assert (await venue.get("/data-api" + path))[0] == 400
    assert (await venue.get("/data-api" + path, user="me"))[0] == 400


@pytest.mark.parametrize(
    "query",
    [
        {"side": "UP"},
        {"limit": "-1"},
        {"filter_amount": "nan"},
        {"start": "1.5"},
        {"condition_id": ",".join(map(hex, range(21)))},
    ],
)
@pytest.mark.protocol("7.1")
async def test_what_cannot_be_read_is_refused(venue, query):
    assert (await venue.get("/data-api/v2/trades", **query))[0] == 400


@pytest.mark.protocol("7.1")
async def test_the_index_is_the_same_after_a_restart(venue_folder):
    async with running_venue(venue_folder) as venue:
        holder = await holder_in(venue)
        before = [await holder.get(path) for path in ("/v2/positions", "/v2/trades", "/v2/activity", "/v2/user-stats")]
        clock, market = venue.clock, holder.market
    async with running_venue(venue_folder, clock=clock) as again:
        back = Holder(again, holder.client, market, holder.cost)
        after = [await back.get(path) for path in ("/v2/positions", "/v2/trades", "/v2/activity", "/v2/user-stats")]
    assert after == before
