"""The admin shows markets and events, and lets nobody edit them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from domain.market import ConditionGroup
from markets import store
from tests.markets.builders import make_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def saved():
    markets = [
        make_market("m1", question="Will it rain?", category="weather"),
        make_market("m2", question="Will it snow?"),
    ]
    store.save_markets(markets, [ConditionGroup(id="g", title="Winter days", market_ids=("m1", "m2"), exclusive=True)])


def page(client, name, *args, **query) -> str:
    answer = client.get(reverse(f"admin:markets_{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_markets_are_listed_searched_and_filtered(admin_client, saved):
    listed = page(admin_client, "market_changelist")
    assert "Will it rain?" in listed
    assert "Winter days" in listed
    found = page(admin_client, "market_changelist", q="snow")
    assert "Will it snow?" in found
    assert "Will it rain?" not in found
    assert "Will it snow?" not in page(admin_client, "market_changelist", category="weather")


def test_a_market_shows_its_rules_and_cannot_be_edited(admin_client, saved):
    shown = page(admin_client, "market_change", "m1")
    assert "Trading rules" in shown
    assert "0.010000" in shown
    assert 'name="_save"' not in shown
    assert admin_client.post(reverse("admin:markets_market_change", args=["m1"]), {"question": "?"}).status_code == 403
    assert admin_client.get(reverse("admin:markets_market_add")).status_code == 403
    assert admin_client.post(reverse("admin:markets_market_delete", args=["m1"]), {"post": "yes"}).status_code == 403
    assert store.load_markets_by_id(["m1"])["m1"].question == "Will it rain?"


def test_an_event_lists_its_markets(admin_client, saved):
    assert "Winter days" in page(admin_client, "conditiongroup_changelist")
    shown = page(admin_client, "conditiongroup_change", "g")
    assert "Will it rain?" in shown
    assert "Will it snow?" in shown


def test_lists_take_the_same_number_of_queries_for_any_number_of_rows(admin_client, django_assert_max_num_queries):
    markets = [make_market(f"m{i}") for i in range(40)]
    store.save_markets(markets, [ConditionGroup(id="g", title="All", market_ids=tuple(m.id for m in markets))])
    with django_assert_max_num_queries(15):
        page(admin_client, "market_changelist")
    with django_assert_max_num_queries(15):
        page(admin_client, "conditiongroup_change", "g")
