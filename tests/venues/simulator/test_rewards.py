"""Liquidity rewards and rebates: the scores of a sample, what they earn, and what the venue tells of them."""

from __future__ import annotations

import pytest

from domain.fees import FeeSchedule
from domain.money import MICRO
from tests.venues.exchange.kit import BUY, SECOND, SELL, START, Venue
from tests.venues.simulator.kit import trader
from venues.simulator.rewards.liquidity import DAY_NS, MarketDay, Rewards
from venues.simulator.rewards.rebates import MarketFees, Rebates
from venues.simulator.rewards.terms import RewardTerms
from venues.simulator.world.listings import Listing, Listings
from venues.simulator.world.universe import EventKind, EventSpec, MarketSpec

TERMS = RewardTerms(daily=100 * MICRO, min_size=20 * MICRO, max_spread=30_000)
FEES = FeeSchedule(rate=40_000, rebate=250_000)


def listings(terms: RewardTerms | None = TERMS) -> tuple[Listings, Listing]:
    """The listing of the exchange kit's market "m"."""
    spec = MarketSpec(
        id="1",
        event_id="2",
        question="?",
        slug="m",
        item_title="",
        condition_id="m",
        question_id="0x00",
        token_ids=("m:yes", "m:no"),
        tick=10_000,
        min_size=5 * MICRO,
        neg_risk=False,
        fees=FEES,
        opened_ns=START,
        rewards=terms,
    )
    event = EventSpec(
        id="2",
        kind=EventKind.BINARY,
        slug="e",
        title="?",
        description="",
        category="Tech",
        neg_risk_market_id="",
        opened_ns=START,
        end_ns=START + DAY_NS,
        markets=(spec,),
    )
    found = Listings()
    return found, found.add(event)[0]


def programme(terms: RewardTerms = TERMS) -> tuple[Venue, Rewards, Listing]:
    """A venue whose book is 0.40 × 0.60, by an account that does not matter, and the programme over it."""
    venue = Venue(fees=FEES)
    for account in ("frame", "maker", "other"):
        venue.fund(account, cash="5000", pairs="2000")
    venue.place("frame", BUY, "yes", "0.40", "100")
    venue.place("frame", SELL, "yes", "0.60", "100")
    found, listing = listings(terms)
    return venue, Rewards(venue.exchange, found, seed=1), listing


@pytest.mark.protocol("5.3")
def test_an_order_scores_by_the_square_of_its_closeness_and_its_size():
    venue, rewards, listing = programme()
    venue.place("maker", BUY, "yes", "0.49", "100")
    venue.place("maker", SELL, "yes", "0.51", "40")
    # Midpoint 0.50, one cent away of three: (2/3)² · 100 against (2/3)² · 40; the weaker side is 40, a third of the stronger 33.3.
    assert rewards.scores(listing, venue.now) == {"maker": pytest.approx(4 / 9 * 40)}


@pytest.mark.protocol("5.3")
def test_buying_no_is_an_ask_and_a_single_side_counts_a_third_near_the_middle():
    venue, rewards, listing = programme()
    venue.place("maker", BUY, "yes", "0.49", "90")
    venue.place("other", BUY, "no", "0.49", "90")
    scores = rewards.scores(listing, venue.now)
    assert scores == {"maker": pytest.approx(4 / 9 * 30), "other": pytest.approx(4 / 9 * 30)}
    venue.place("maker", BUY, "no", "0.49", "90")
    assert rewards.scores(listing, venue.now)["maker"] == pytest.approx(4 / 9 * 90)


@pytest.mark.protocol("5.3")
def test_far_from_the_middle_both_sides_are_needed():
    venue = Venue(fees=FEES)
    venue.fund("maker", cash="5000", pairs="2000")
    found, listing = listings()
    rewards = Rewards(venue.exchange, found, seed=1)
    venue.place("maker", BUY, "yes", "0.05", "100")
    venue.place("maker", SELL, "yes", "0.07", "10")
    assert rewards.scores(listing, venue.now) == {}
    venue.place("maker", SELL, "yes", "0.07", "50")
    assert rewards.scores(listing, venue.now) == {"maker": pytest.approx(4 / 9 * 50)}


@pytest.mark.protocol("5.3")
def test_small_orders_neither_score_nor_move_the_midpoint():
    venue, rewards, listing = programme()
    venue.place("maker", BUY, "yes", "0.49", "100")
    venue.place("other", SELL, "yes", "0.51", "100")
    before = rewards.scores(listing, venue.now)
    venue.place("frame", SELL, "yes", "0.50", "19")
    assert rewards.scores(listing, venue.now) == before
    venue.place("frame", SELL, "yes", "0.50", "20")
    assert rewards.scores(listing, venue.now)["other"] < before["other"]


@pytest.mark.protocol("5.3")
def test_orders_at_the_maximum_spread_and_beyond_do_not_score():
    venue, rewards, listing = programme()
    venue.place("maker", BUY, "yes", "0.47", "100")
    venue.place("maker", SELL, "yes", "0.53", "100")
    assert rewards.scores(listing, venue.now) == {}


@pytest.mark.protocol("5.3")
def test_a_young_order_does_not_score_where_an_age_is_asked_for():
    venue, rewards, listing = programme(RewardTerms(daily=1, min_size=1, max_spread=30_000, min_age_ms=3_500))
    venue.place("maker", BUY, "yes", "0.49", "100")
    venue.place("maker", SELL, "yes", "0.51", "100")
    order = venue.exchange.open_orders("maker")[0]
    assert rewards.scores(listing, venue.now + 3 * SECOND) == {}
    assert not rewards.scoring(order, venue.now + 3 * SECOND)
    assert "maker" in rewards.scores(listing, venue.now + 4 * SECOND)
    assert rewards.scoring(order, venue.now + 4 * SECOND)


@pytest.mark.protocol("5.3")
def test_an_order_that_ended_is_not_scoring_and_neither_is_one_without_rewards():
    venue, rewards, _ = programme()
    venue.place("other", SELL, "yes", "0.51", "100")
    venue.place("maker", BUY, "yes", "0.49", "100")
    venue.place("maker", BUY, "yes", "0.45", "100")
    near, far = venue.exchange.open_orders("maker")
    assert rewards.scoring(near, venue.now)
    assert not rewards.scoring(far, venue.now)
    venue.place("frame", SELL, "yes", "0.49", "100")
    assert not rewards.scoring(venue.exchange.order(near.id), venue.now)
    found, _ = listings(terms=None)
    assert not Rewards(venue.exchange, found, seed=1).scoring(near, venue.now)


@pytest.mark.protocol("5.3")
def test_a_day_is_paid_by_the_minute_and_shared_by_the_sums_of_its_samples():
    venue, rewards, _ = programme()
    venue.place("maker", BUY, "yes", "0.49", "90")
    venue.place("maker", SELL, "yes", "0.51", "90")
    for minute in range(10):
        rewards.sample(venue.now + minute * 60 * SECOND)
    venue.place("other", BUY, "yes", "0.49", "30")
    venue.place("other", SELL, "yes", "0.51", "30")
    for minute in range(10, 20):
        rewards.sample(venue.now + minute * 60 * SECOND)
    day = venue.now // DAY_NS
    pot = 100 * MICRO * 20 / 1440
    assert rewards.earnings("maker", day) == {"m": int(pot * (10 * 90 + 10 * 90) / (20 * 90 + 10 * 30))}
    assert rewards.earnings("other", day) == {"m": int(pot * 300 / 2100)}
    assert sum(rewards.shares(account, day)["m"] for account in ("maker", "other")) == pytest.approx(1)
    assert rewards.earnings("nobody", day) == rewards.earnings("maker", day - 1) == {}


@pytest.mark.protocol("5.3")
def test_samples_are_random_moments_one_in_every_minute():
    _, rewards, _ = programme()
    moment, seen = START, []
    for _ in range(50):
        moment = rewards.next_sample_ns(moment)
        seen.append(moment)
    minutes = [at // (60 * SECOND) for at in seen]
    assert minutes == list(range(minutes[0], minutes[0] + 50))
    assert len({at % (60 * SECOND) for at in seen}) == 50


@pytest.mark.protocol("5.2")
def test_a_share_of_the_taker_fees_goes_back_to_makers_by_what_was_taken_from_them():
    venue, _, listing = programme()
    venue.place("maker", SELL, "yes", "0.50", "60")
    venue.place("other", SELL, "yes", "0.50", "20")
    venue.place("frame", BUY, "yes", "0.50", "80")
    trades = venue.exchange.unsettled_trades()
    rebates, day = Rebates(), trades[0].updated_ns // DAY_NS
    for trade in trades:
        rebates.confirmed(trade, listing)
    collected = sum(trade.fee for trade in trades)
    assert collected == 80 * 10_000
    assert rebates.due("maker", day) == {"m": collected // 4 * 60 // 80}
    assert rebates.due("other", day) == {"m": collected // 4 * 20 // 80}
    assert rebates.due("frame", day) == {}


@pytest.mark.protocol("5.3")
async def test_a_maker_sees_what_its_orders_earn(venue):
    client = await trader(venue)
    market = await venue.some_market(neg_risk=True, category="Politics")
    bid, ask = market["bestBid"], market["bestAsk"]
    status, placed = await client.place(market, "BUY", f"{bid:g}", "200")
    assert status == 200
    assert (await client.call("GET", "/order-scoring", order_id=placed["orderID"]))[1] == {"scoring": True}
    for _ in range(3):
        venue.jump(60)
    today = "2026-09-21"
    query = {"date": today, "signature_type": "0"}
    _, page = await client.call("GET", "/rewards/user", **query)
    assert page["next_cursor"] == "LTE="
    earned = next(row for row in page["data"] if row["condition_id"] == market["conditionId"])
    assert earned["maker_address"] == client.address
    assert earned["date"] == f"{today}T00:00:00Z"
    assert 0 < earned["earnings"] < 150 * 3 / 1440
    _, totals = await client.call("GET", "/rewards/user/total", **query)
    assert totals[0]["earnings"] == pytest.approx(sum(row["earnings"] for row in page["data"]))
    _, shares = await client.call("GET", "/rewards/user/percentages", signature_type="0")
    assert 0 < shares[market["conditionId"]] < 100
    _, markets = await client.call("GET", "/rewards/user/markets", **query, page_size="100")
    row = next(row for row in markets["data"] if row["condition_id"] == market["conditionId"])
    assert row["earning_percentage"] == pytest.approx(shares[market["conditionId"]])
    assert row["earnings"][0]["earnings"] == pytest.approx(earned["earnings"])
    assert markets["total_count"] == len(markets["data"])
    _, before = await client.call("GET", "/rewards/user", date="2026-09-20", signature_type="0")
    assert before["data"] == []
    assert ask > bid


@pytest.mark.protocol("5.2", "5.3")
async def test_rewards_and_rebates_of_a_day_are_paid_after_it(venue):
    client = await trader(venue)
    indexer, day = venue.venue.world.indexer, venue.clock.now_ns() // DAY_NS
    condition_id = next(iter(venue.venue.world.listings.markets.values())).spec.condition_id
    held = venue.venue.world.exchange.balance(client.address).settled
    indexer.rewards.days[day] = {}
    indexer.rebates.days[day] = {}
    indexer.rewards.days[day][condition_id] = MarketDay(TERMS, 1440, {client.address: 3.0, "0xother": 1.0})
    indexer.rebates.days[day][condition_id] = MarketFees(250_000, 3_999_999, {client.address: 1})
    venue.jump(86_400)
    venue.jump(60)
    # $75 of rewards; a rebate of less than a dollar is not paid.
    assert venue.venue.world.exchange.balance(client.address).settled == held + 75 * MICRO
    _, body = await venue.get("/data-api/v2/activity", user=client.address, type="REWARD,MAKER_REBATE")
    assert [(row["type"], row["usdc_size"]) for row in body["data"]] == [("REWARD", 75)]
    venue.jump(60)
    assert venue.venue.world.exchange.balance(client.address).settled == held + 75 * MICRO


@pytest.mark.protocol("5.3")
async def test_reward_parameters_are_the_same_wherever_they_are_shown(venue):
    _, page = await venue.get("/rewards/markets/current")
    assert page["next_cursor"] == "LTE="
    assert page["count"] == len(page["data"]) > 20
    row = next(row for row in page["data"] if row["native_daily_rate"] == 150)
    assert (row["rewards_min_size"], row["rewards_max_spread"], row["total_daily_rate"]) == (50, 3.5, 150)
    assert row["rewards_config"][0]["rate_per_day"] == 150
    condition_id = row["condition_id"]
    assert (await venue.get(f"/clob-markets/{condition_id}"))[1]["r"] == {"mi": 50, "ma": 3.5, "e": True}
    _, long = await venue.get(f"/markets/{condition_id}")
    assert (long["rewards"]["min_size"], long["rewards"]["max_spread"]) == (50, 3.5)
    assert long["rewards"]["rates"][0]["rewards_daily_rate"] == 150
    _, body = await venue.get("/gamma/markets/keyset", condition_ids=condition_id)
    listed = body["markets"][0]
    assert (listed["rewardsMinSize"], listed["rewardsMaxSpread"]) == (50, 3.5)
    assert listed["clobRewards"][0]["rewardsDailyRate"] == 150
    _, detail = await venue.get(f"/rewards/markets/{condition_id}")
    assert detail["data"][0]["market_slug"] == listed["slug"]
    assert detail["data"][0]["market_competitiveness"] > 0
    assert (await venue.get("/rewards/markets/0x00"))[1]["data"] == []


@pytest.mark.protocol("5.3")
async def test_reward_markets_are_searched_sorted_and_paged(venue):
    seen, query = [], {"page_size": "10", "order_by": "rate_per_day", "position": "DESC"}
    while True:
        _, page = await venue.get("/rewards/markets/multi", **query)
        seen += page["data"]
        if page["next_cursor"] == "LTE=":
            break
        query["next_cursor"] = page["next_cursor"]
    rates = [row["rewards_config"][0]["rate_per_day"] for row in seen]
    assert rates == sorted(rates, reverse=True)
    assert (
        len({row["condition_id"] for row in seen})
        == len(seen)
        == len((await venue.get("/rewards/markets/current"))[1]["data"])
    )
    _, page = await venue.get("/rewards/markets/multi", tag_slug="crypto", min_price="0.2", max_price="0.9")
    assert all("Bitcoin" in row["question"] and 0.2 <= row["tokens"][0]["price"] <= 0.9 for row in page["data"])
    for bad in ({"page_size": "501"}, {"min_price": "x"}, {"next_cursor": "%%"}):
        assert await venue.get("/rewards/markets/multi", **bad) == (400, {"error": "Invalid payload"})
    assert (await venue.get("/rewards/markets/multi", next_cursor="LTE="))[0] == 400


@pytest.mark.protocol("5.2")
async def test_rebates_are_null_without_any_and_rows_with(venue):
    address, today = "0x" + "ab" * 20, "2026-09-21"
    assert await venue.get("/rebates/current", date=today, maker_address=address) == (200, None)
    for bad in ({"date": "today", "maker_address": address}, {"date": today, "maker_address": "0x1"}, {"date": today}):
        assert (await venue.get("/rebates/current", **bad))[0] == 400
    world = venue.venue.world
    venue.pass_time(20, step=0.25)
    maker = next(
        account for day in world.indexer.rebates.days.values() for fees in day.values() for account in fees.weights
    )
    _, rows = await venue.get("/rebates/current", date=today, maker_address=maker)
    assert {row["maker_address"] for row in rows} == {maker}
    assert all(float(row["rebated_fees_usdc"]) > 0 and row["date"] == today for row in rows)


@pytest.mark.protocol("5.3")
async def test_user_reads_need_a_key_and_a_date(venue):
    for path in ("/rewards/user", "/rewards/user/total", "/rewards/user/percentages", "/rewards/user/markets"):
        assert (await venue.get(path, date="2026-09-21"))[0] == 401
    client = await trader(venue)
    assert (await client.call("GET", "/rewards/user", date="21.9.2026"))[0] == 400
    assert (await client.call("GET", "/rewards/user/percentages", signature_type="9"))[0] == 400
