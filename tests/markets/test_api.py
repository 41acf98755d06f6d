"""GET /api/markets and /api/markets/{id} over real rows and real Redis."""

from __future__ import annotations

import pytest
import redis
from django.contrib.auth.models import User
from django.test import override_settings
from django.urls import include, path
from rest_framework.test import APIClient

from domain.fees import FeeSchedule
from domain.market import ConditionGroup, MarketStatus
from markets import keys, store
from markets.publisher import UPDATE_BOOK
from tests.markets.builders import NO, YES, make_market

urlpatterns = [path("api/", include("markets.api.urls"))]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

M1 = make_market(
    "m1",
    question="Will the river freeze in January?",
    outcomes=("Freezes", "Flows"),
    tick=1_000,
    min_size=5_000_000,
    volume=12_345_678_901,
    volume_24h=500_000_000,
    fees=FeeSchedule(rate=40_000, rebate=250_000),
    category="weather",
    end_ns=1_790_000_000_000_000_000,
)
M2 = make_market("m2", question="Will the bridge open?", volume_24h=900_000_000)
M3 = make_market("m3", question="Will the tunnel open?", volume_24h=0, status=MarketStatus.SETTLED, winner=1)
GROUP = ConditionGroup(id="g", title="Traffic in spring", market_ids=("m2", "m3"))


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def saved(redis_url):
    store.save_markets([M1, M2, M3], [GROUP])
    return redis_url


def publish(url: str, token_id: str, *levels: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.eval(UPDATE_BOOK.text, 5, *keys.book(token_id), "1", "7", str(1_790_000_000_500_000_000), *levels)


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.data
    return [row["id"] for row in answer.data["results"]]


def test_the_list_shows_the_most_traded_first_with_every_field(client, saved):
    publish(saved, YES, "b", "0.48", "20", "a", "0.52", "1.5")
    answer = client.get("/api/markets")
    assert ids(answer) == ["m2", "m1", "m3"]
    assert answer.data["next"] is None
    row = answer.json()["results"][1]
    created = row.pop("created_at"), row.pop("updated_at")
    assert all(created)
    assert row == {
        "id": "m1",
        "venue": "simulator",
        "question": "Will the river freeze in January?",
        "slug": "will-m1-happen",
        "condition_id": "0xm1",
        "outcomes": ["Freezes", "Flows"],
        "token_ids": [YES, NO],
        "category": "weather",
        "group_id": None,
        "group_title": None,
        "status": "active",
        "accepting_orders": True,
        "neg_risk": False,
        "tick": "0.001",
        "min_size": "5",
        "volume": "12345.678901",
        "volume_24h": "500",
        "fees": {"rate": "0.04", "exponent": 1, "taker_only": True, "rebate": "0.25"},
        "taker_delay_ms": 0,
        "winner": None,
        "end_date": "2026-09-21T14:13:20Z",
        "closed_at": None,
        "best_bid": "0.48",
        "best_ask": "0.52",
        "quoted_at": "2026-09-21T14:13:20.500000Z",
    }


def test_a_market_nobody_publishes_has_no_prices(client, saved):
    row = client.get("/api/markets").data["results"][0]
    assert (row["best_bid"], row["best_ask"], row["quoted_at"]) == (None, None, None)
    assert (row["group_id"], row["group_title"]) == ("g", "Traffic in spring")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=active", ["m2", "m1"]),
        ("status=settled", ["m3"]),
        ("group=g", ["m2", "m3"]),
        ("group=nothing", []),
        ("search=river", ["m1"]),
        ("search=OPEN will", ["m2", "m3"]),
        ("search=spring tunnel", ["m3"]),
        ("search=will-m1", ["m1"]),
        ("search=river bridge", []),
        ("search=", ["m2", "m1", "m3"]),
        ("min_volume=500", ["m2", "m1"]),
        ("min_volume=500.01", ["m2"]),
        ("status=active&search=open&group=g&min_volume=1", ["m2"]),
    ],
)
def test_filters_select(client, saved, query, expected):
    assert ids(client.get(f"/api/markets?{query}")) == expected


@pytest.mark.parametrize(
    "query",
    [
        "status=open",
        "limit=0",
        "limit=501",
        "limit=x",
        "min_volume=-1",
        "min_volume=nan",
        "cursor=%%%",
        "cursor=bm8",
    ],
)
def test_a_bad_parameter_is_refused_by_name(client, saved, query):
    answer = client.get(f"/api/markets?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in str(answer.data)


def test_pages_follow_each_other_without_gaps_over_equal_volumes(client, redis_url):
    store.save_markets([make_market(f"m{i:03}", volume_24h=(i % 3) * 1_000_000) for i in range(50)], [])
    seen: list[str] = []
    cursor = ""
    for _ in range(20):
        answer = client.get(f"/api/markets?limit=7&cursor={cursor}")
        seen += ids(answer)
        cursor = answer.data["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 50
    assert seen == [f"m{i:03}" for remainder in (2, 1, 0) for i in range(50) if i % 3 == remainder]


def test_the_list_takes_the_same_number_of_queries_for_any_number_of_markets(
    client, redis_url, django_assert_num_queries
):
    markets = [make_market(f"m{i}") for i in range(30)]
    store.save_markets(markets, [ConditionGroup(id="g", title="All", market_ids=tuple(m.id for m in markets))])
    with django_assert_num_queries(3):
        assert len(ids(client.get("/api/markets"))) == 30


def test_one_market_comes_with_both_books(client, saved):
    publish(saved, YES, "b", "0.48", "20", "b", "0.47", "1", "b", "0.46", "3", "a", "0.52", "1.5")
    answer = client.get("/api/markets/m1?depth=2")
    assert answer.status_code == 200
    assert (answer.data["best_bid"], answer.data["best_ask"]) == ("0.48", "0.52")
    first, second = answer.json()["books"]
    assert first == {
        "token_id": YES,
        "outcome": "Freezes",
        "best_bid": "0.48",
        "best_ask": "0.52",
        "bids": [["0.48", "20"], ["0.47", "1"]],
        "asks": [["0.52", "1.5"]],
        "version": 7,
        "quoted_at": "2026-09-21T14:13:20.500000Z",
    }
    assert (second["outcome"], second["bids"], second["best_bid"], second["quoted_at"]) == ("Flows", [], None, None)


def test_an_unknown_market_is_not_found(client, saved):
    assert client.get("/api/markets/nothing").status_code == 404
    assert client.get("/api/markets/m1?depth=0").status_code == 400


def test_without_redis_the_rows_are_still_there(client, saved):
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        assert ids(client.get("/api/markets")) == ["m2", "m1", "m3"]
        detail = client.get("/api/markets/m1").json()
    assert (detail["best_bid"], detail["books"][0]["bids"]) == (None, [])


def test_nobody_reads_without_a_login(saved):
    assert APIClient().get("/api/markets").status_code in {401, 403}
    assert APIClient().get("/api/markets/m1").status_code in {401, 403}


def test_the_documentation_describes_the_answers():
    from drf_spectacular.generators import SchemaGenerator

    schema = SchemaGenerator(urlconf=__name__).get_schema(request=None, public=True)
    assert set(schema["paths"]) == {"/api/markets", "/api/markets/{market_id}"}
    names = {parameter["name"] for parameter in schema["paths"]["/api/markets"]["get"]["parameters"]}
    assert names == {"status", "group", "search", "min_volume", "limit", "cursor"}
    market = schema["components"]["schemas"]["MarketDetail"]["properties"]
    assert {"question", "best_bid", "books", "fees"} <= set(market)
