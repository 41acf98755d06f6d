"""Markets survive the way into PostgreSQL and back."""

from __future__ import annotations

import dataclasses

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from domain.errors import MarketConflictError
from domain.fees import FeeSchedule
from domain.market import ConditionGroup, MarketStatus
from markets import models, store
from tests.markets.builders import make_market

pytestmark = pytest.mark.django_db

FULL = make_market(
    question="Will it rain in Łódź?",
    outcomes=("Up", "Down"),
    tick=2_500,
    min_size=15_000_000,
    neg_risk=True,
    status=MarketStatus.CLOSED,
    accepting_orders=False,
    fees=FeeSchedule(rate=40_000, exponent=2, taker_only=False, rebate=250_000),
    category="weather",
    volume=123_456_789_012_345,
    volume_24h=42_990_001,
    taker_delay_ms=150,
    rules_hash="ab" * 32,
    end_ns=1_790_000_000_123_456_000,
    created_ns=1_780_000_000_000_001_000,
    closed_ns=1_789_999_999_000_000_000,
    winner=1,
)


def test_every_field_of_a_market_survives_the_table():
    store.save_markets([FULL], [])
    assert store.load_markets() == [FULL]


def test_decimal_columns_follow_the_integers():
    store.save_markets([FULL], [])
    row = models.Market.objects.get()
    assert [str(value) for value in (row.volume, row.volume_24h, row.tick, row.minimum_size)] == [
        "123456789.01",
        "42.99",
        "0.002500",
        "15.000000",
    ]


def test_tables_have_the_names_and_columns_of_the_specification():
    with connection.cursor() as cursor:
        columns = {
            table: {column.name for column in connection.introspection.get_table_description(cursor, table)}
            for table in ("markets", "condition_groups", "condition_group_markets")
        }
    assert columns["markets"] >= {
        "id", "question", "slug", "outcome_1", "outcome_2", "token_id_1", "token_id_2", "condition_id", "neg_risk", "volume", "status",
        "closed_at", "created_at", "updated_at",
        "venue", "end_date", "volume_24h", "tick", "minimum_size", "category", "rules_hash", "accepting_orders", "winner",
    }  # fmt: skip
    assert columns["condition_groups"] >= {"id", "title", "status", "created_at", "updated_at"}
    assert columns["condition_group_markets"] >= {"group_id", "market_id"}


def test_saving_again_updates_all_but_identity_and_time_of_creation():
    store.save_markets([FULL], [])
    later = dataclasses.replace(FULL, question="Will it snow?", status=MarketStatus.SETTLED, winner=0, created_ns=5_000)
    store.save_markets([later], [])
    assert store.load_markets() == [dataclasses.replace(later, created_ns=FULL.created_ns)]


def test_a_market_without_time_of_creation_gets_one_and_keeps_it():
    store.save_markets([make_market()], [])
    (first,) = store.load_markets()
    assert first.created_ns is not None
    store.save_markets([make_market(volume=1)], [])
    assert store.load_markets()[0].created_ns == first.created_ns


def test_the_number_of_statements_does_not_grow_with_the_number_of_markets():
    def statements(count: int, prefix: str) -> int:
        markets = [make_market(f"{prefix}{i}") for i in range(count)]
        group = ConditionGroup(id=prefix, title="All", market_ids=tuple(m.id for m in markets))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            store.save_markets(markets, [group])
        return len(captured)

    assert statements(2, "a") == statements(300, "b")
    assert len(store.load_markets()) == 302


def test_another_market_under_a_known_id_is_refused_and_nothing_is_written():
    store.save_markets([make_market()], [])
    with pytest.raises(MarketConflictError, match="use one of its own"):
        store.save_markets([make_market("m2"), make_market(condition_id="0xother")], [])
    assert [market.id for market in store.load_markets()] == ["m1"]


def test_a_slug_moves_to_the_market_that_is_listed_under_it_now():
    store.save_markets([make_market("m1", slug="a"), make_market("m2", slug="b")], [])
    store.save_markets([make_market("m1", slug="b"), make_market("m2", slug="a"), make_market("m3", slug="a")], [])
    assert {market.id: market.slug for market in store.load_markets()} == {"m1": "b", "m2": "a", "m3": ""}
    store.save_markets([make_market("m4", slug="a")], [])
    assert {market.id: market.slug for market in store.load_markets()} == {"m1": "b", "m2": "", "m3": "", "m4": "a"}


def test_text_that_postgresql_cannot_store_loses_only_what_is_unstorable():
    store.save_markets([make_market(question="nul\x00 and \ud800 half")], [])
    assert store.load_markets()[0].question == "nul and ? half"


def test_groups_keep_their_members_and_markets_know_their_group():
    markets = [make_market("m1"), make_market("m2")]
    group = ConditionGroup(
        id="g",
        title="Which?",
        market_ids=("m1", "m2", "unknown"),
        exclusive=True,
        augmented=True,
        category="x",
        conversion_fee_bips=150,
    )
    store.save_markets(markets, [group])
    assert store.load_groups() == [dataclasses.replace(group, market_ids=("m1", "m2"))]
    assert {market.id: market.group_id for market in store.load_markets()} == {"m1": "g", "m2": "g"}


def test_members_are_added_when_their_markets_appear_and_never_removed():
    group = ConditionGroup(id="g", title="Which?", market_ids=("m1", "m2"))
    store.save_markets([make_market("m1")], [group])
    store.save_markets([make_market("m2")], [dataclasses.replace(group, title="Who?", market_ids=("m2",))])
    assert store.load_groups() == [dataclasses.replace(group, title="Who?")]


def test_loading_selects_by_venue_status_and_id():
    store.save_markets(
        [make_market("m1"), make_market("m2", venue="kalshi"), make_market("m3", status=MarketStatus.CLOSED)],
        [
            ConditionGroup(id="g", title="K", market_ids=("m2",)),
            ConditionGroup(id="h", title="S", market_ids=("m1", "m3")),
        ],
    )
    assert {m.id for m in store.load_markets(venue="simulator")} == {"m1", "m3"}
    assert {m.id for m in store.load_markets(venue="simulator", statuses=[MarketStatus.ACTIVE])} == {"m1"}
    assert set(store.load_markets_by_id(["m2", "nobody"])) == {"m2"}
    assert [group.id for group in store.load_groups(venue="simulator")] == ["h"]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_dropped_is_replaced():
    store.save_markets([make_market()], [])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    finally:
        other.close()
    assert [market.id for market in store.load_markets()] == ["m1"]


def test_a_market_whose_row_is_damaged_is_left_out_and_the_others_are_loaded():
    store.save_markets([make_market("m1"), make_market("m2")], [])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE markets DROP CONSTRAINT markets_status")
    models.Market.objects.filter(id="m1").update(status="odd")

    assert list(store.load_markets_by_id(["m1", "m2"])) == ["m2"]
