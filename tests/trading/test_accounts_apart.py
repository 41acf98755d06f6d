"""Two accounts in one database: every read is of one of them, commands go to the one whose trader runs, and nothing of the other shows through."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from domain.fill import FillKey
from domain.halt import HaltScope
from domain.money import MICRO
from tests.trading import factories as f
from tests.trading import rows
from trading import store
from trading.api import answers
from trading.models import Command, Lease

OTHER = "paper:second"
BOTH = (f.ACCOUNT, OTHER)

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(redis_url):
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def two(redis_url):
    """Write one of everything for each account; returns the order's id by account. The first is the one that is traded."""
    rows.trading_account()
    rows.lease(OTHER, seconds=-3600)
    ids = {}
    for number, account in enumerate(BOTH, start=1):
        order = rows.order(account=account)
        ids[account] = order.id
        rows.fill(order, number)
        rows.position(account=account, size=number * MICRO)
        rows.ledger("deposit", account=account, kind="deposit", cash=number * 100 * MICRO, equity=-number * 100 * MICRO)
        rows.equity(number, cash=number * 100 * MICRO, account=account)
        rows.halt(HaltScope.MARKET, f"m{number}", account=account)
    return ids


@pytest.mark.parametrize("address", ["orders", "positions", "fills"])
@pytest.mark.parametrize("account", BOTH)
def test_a_list_shows_the_rows_of_one_account_only(api, two, address, account):
    results = api.get(f"/api/{address}", {"account": account}).json()["results"]
    assert [row["account"] for row in results] == [account]


@pytest.mark.parametrize("address", ["orders", "positions", "fills"])
def test_without_a_name_the_account_that_is_traded_is_shown(api, two, address):
    assert {row["account"] for row in api.get(f"/api/{address}").json()["results"]} == {f.ACCOUNT}


def test_an_order_is_found_in_its_own_account_only(api, two):
    assert api.get(f"/api/orders/{two[OTHER]}").status_code == 404
    assert api.get(f"/api/orders/{two[OTHER]}", {"account": OTHER}).json()["account"] == OTHER
    assert api.get(f"/api/orders/{two[f.ACCOUNT]}", {"account": OTHER}).status_code == 404


def test_the_ledger_sums_one_account(api, two):
    for number, account in enumerate(BOTH, start=1):
        shown = api.get("/api/ledger", {"account": account}).json()
        assert (shown["account"], shown["cash"], shown["deposits"]) == (account, str(number * 100), str(number * 100))
        assert [point["equity"] for point in shown["curve"]] == [str(number * 100)]


def test_halts_are_those_of_one_account(api, two):
    assert [halt["target"] for halt in api.get("/api/halt").json()["halts"]] == ["m1"]
    assert [halt["target"] for halt in api.get("/api/halt", {"account": OTHER}).json()["halts"]] == ["m2"]


def test_the_status_is_that_of_one_account(api, two):
    assert api.get("/api/status").json()["account"] == f.ACCOUNT
    assert api.get("/api/status", {"account": OTHER}).json()["account"] == OTHER


@pytest.mark.parametrize("address", ["orders", "orders/0x1", "positions", "fills", "ledger", "halt", "status"])
def test_an_account_that_never_was_is_an_error_and_not_an_empty_book(api, two, address):
    answer = api.get(f"/api/{address}", {"account": "live:0xtypo"})
    assert answer.status_code == 400
    assert "/api/accounts" in answer.json()["detail"]["account"][0]


def test_all_accounts_are_listed_the_traded_one_first(api, two):
    listed = api.get("/api/accounts").json()
    assert [(each["account"], each["kind"], each["running"]) for each in listed] == [
        (f.ACCOUNT, "sim", True),
        (OTHER, "paper", False),
    ]


def test_of_several_traders_at_once_real_money_is_shown(api, db):
    for account in ("sim:one", "paper:a", "live:0xabc", "monitor:polymarket"):
        rows.lease(account, seconds=10)
    assert [each.account for each in store.accounts()] == ["live:0xabc", "paper:a", "sim:one", "monitor:polymarket"]
    Lease.objects.filter(account="paper:a").update(expires_at="2100-01-01T00:00Z")
    assert store.current_account() == "live:0xabc"


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("post", "/api/orders", {"token_id": f.YES, "side": "buy", "price": "0.5", "size": "10"}),
        ("delete", "/api/orders", {}),
        ("post", "/api/halt", {"reason": "lunch"}),
        ("delete", "/api/halt", {"scope": "all"}),
    ],
)
def test_a_command_goes_to_the_account_that_is_traded_and_to_no_other(api, two, monkeypatch, method, address, body):
    monkeypatch.setattr(answers, "WAIT_SECONDS", 0.0)
    assert getattr(api, method)(address, body, format="json").status_code == 202
    assert getattr(api, method)(f"{address}?account={f.ACCOUNT}", body, format="json").status_code == 202
    refused = getattr(api, method)(f"{address}?account={OTHER}", body, format="json")
    assert (refused.status_code, refused.json()["error"]) == (409, "account_not_traded")
    assert set(Command.objects.values_list("account", flat=True)) == {f.ACCOUNT}


def test_two_traders_at_once_each_get_their_own_commands(api, two, monkeypatch):
    monkeypatch.setattr(answers, "WAIT_SECONDS", 0.0)
    Lease.objects.update(expires_at="2100-01-01T00:00Z")
    assert api.delete(f"/api/orders?account={f.ACCOUNT}").status_code == 202
    assert api.delete(f"/api/orders?account={OTHER}").status_code == 202
    assert sorted(Command.objects.values_list("account", flat=True)) == sorted(BOTH)


def test_an_order_of_another_account_is_not_cancelled(api, two):
    assert api.delete(f"/api/orders/{two[OTHER]}").status_code == 404
    assert api.delete(f"/api/orders/{two[OTHER]}?account={OTHER}").status_code == 409
    assert not Command.objects.exists()


def test_before_the_first_trader_there_is_nothing_to_command(api, db):
    answer = api.delete("/api/orders")
    assert (answer.status_code, answer.json()["error"]) == (409, "account_not_traded")


def test_the_store_reads_one_account(two):
    for number, account in enumerate(BOTH, start=1):
        assert [order.id for order, _ in store.orders(account, recent=10)] == [two[account]]
        assert [fill.account for fill in store.recent_fills(account, recent=10)] == [account]
        assert [position.settled for position in store.open_positions(account)] == [number * MICRO]
        assert store.ledger_summary(account).cash == number * 100 * MICRO


def test_the_same_trade_may_belong_to_two_accounts(two):
    orders = [rows.order(account=account) for account in BOTH]
    made = [rows.fill(order, 7, key=FillKey("shared", "0xsame")) for order in orders]
    assert [fill.account for fill in made] == list(BOTH)
