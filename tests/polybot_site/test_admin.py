"""Every table has its pages in the admin; money cannot be edited there; tokens are shown once."""

from __future__ import annotations

import re

import msgspec
import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from domain.order import OrderStatus
from domain.ports import BalanceRecord
from infra.redis import sync_client
from polybot_site import tokens
from polybot_site.models import ApiToken
from tests.polybot_site.test_shadow import DRIFT
from tests.trading import factories as f
from tests.trading import rows
from trading import models
from trading.commands import issue

MONEY = (
    "order",
    "fill",
    "position",
    "leggroup",
    "ledgerentry",
    "command",
    "halt",
    "auditlog",
    "lease",
    "equitysnapshot",
    "venuebalance",
)


@pytest.fixture
def staff(person):
    """Log somebody in who may enter the admin."""

    def enter(role):
        somebody = person(role)
        somebody.user.is_staff = True
        somebody.user.save()
        client = Client()
        client.force_login(somebody.user)
        return client

    return enter


@pytest.fixture
def tables(db, redis_url):
    """One row of everything."""
    rows.trading_account()
    order = rows.order(OrderStatus.PARTIALLY_FILLED, filled=4_000_000)
    rows.fill(order)
    rows.position()
    rows.ledger("j1", cash=-5, inventory=5)
    rows.leg_group()
    rows.halt()
    rows.equity(1, cash=1_000_000)
    rows.write(BalanceRecord(account=f.ACCOUNT, venue_cash=5, book_cash=5, tokens={}, at_ns=f.NOW))
    issue(account=f.ACCOUNT, kind="cancel", payload={"order_id": order.id}, issued_by="somebody")
    return order


def test_every_model_of_ours_can_be_seen(db):
    ours = {model for model in admin.site._registry if model._meta.app_label in {"trading", "polybot_site"}}
    assert {model._meta.model_name for model in ours} == {*MONEY, "apitoken"}


@pytest.mark.parametrize("model", MONEY)
def test_a_table_is_listed_searched_and_looked_into_but_not_changed(staff, tables, model):
    client = staff("admin")
    listed = client.get(reverse(f"admin:trading_{model}_changelist"), {"q": "x"} if model == "order" else {})
    assert listed.status_code == 200
    row = getattr(models, {m.__name__.lower(): m.__name__ for m in vars(models).values() if isinstance(m, type)}[model])
    first = row.objects.first()
    assert client.get(reverse(f"admin:trading_{model}_change", args=[first.pk])).status_code == 200
    assert client.post(reverse(f"admin:trading_{model}_change", args=[first.pk]), {}).status_code == 403
    assert client.get(reverse(f"admin:trading_{model}_add")).status_code == 403
    assert client.post(reverse(f"admin:trading_{model}_delete", args=[first.pk]), {"post": "yes"}).status_code == 403


def test_an_order_leads_to_its_market_and_its_fills(staff, tables):
    client = staff("viewer")
    page = client.get(reverse("admin:trading_order_changelist")).content.decode()
    assert reverse("admin:markets_market_change", args=["m1"]) in page
    link = re.search(r'href="([^"]+order_id=[^"]+)"', page).group(1).replace("&amp;", "&")
    fills = client.get(link).content.decode()
    assert "0.01234" in fills


def test_the_signed_bytes_are_not_shown(staff, tables):
    page = staff("admin").get(reverse("admin:trading_order_change", args=[tables.id])).content.decode()
    assert "payload" not in page.lower()


def test_the_audit_log_reads_like_sentences(staff, tables):
    page = staff("viewer").get(reverse("admin:trading_auditlog_changelist")).content.decode()
    assert "command_cancel" in page
    assert "by: somebody" in page


def test_a_token_is_shown_once_and_works(staff, person):
    client, trader = staff("admin"), person("trader")
    form = {"user": trader.user.pk, "name": "script"}
    page = client.post(reverse("admin:polybot_site_apitoken_add"), form, follow=True).content.decode()
    text = re.search(r"polybot_[\w-]{43}", page).group()
    assert tokens.verify(text).user == trader.user
    assert text not in client.get(reverse("admin:polybot_site_apitoken_changelist")).content.decode()
    assert ApiToken.objects.filter(name="script").count() == 1


def test_tokens_are_revoked_by_admins_only(staff, person, redis_url):
    trader = person("trader")
    chosen = {"action": "revoke_tokens", "_selected_action": [trader.user.api_tokens.get().pk]}
    address = reverse("admin:polybot_site_apitoken_changelist")
    staff("viewer").post(address, chosen)
    assert tokens.verify(trader.token) is not None
    staff("admin").post(address, chosen)
    assert tokens.verify(trader.token) is None


def test_users_are_shown_with_their_roles(staff, person):
    person("trader")
    page = staff("admin").get(reverse("admin:auth_user_changelist")).content.decode()
    assert "the-trader" in page
    assert "trader" in re.sub(r"the-trader", "", page)


def test_a_viewer_in_the_admin_makes_no_users_and_no_tokens(staff):
    client = staff("viewer")
    assert client.get(reverse("admin:auth_user_add")).status_code == 403
    assert client.get(reverse("admin:polybot_site_apitoken_add")).status_code == 403


def test_the_schedule_can_be_switched_but_not_rewritten(staff, db):
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    every = IntervalSchedule.objects.create(every=10, period="seconds")
    task = PeriodicTask.objects.create(name="heartbeat", task="polybot_site.heartbeat", interval=every)
    client = staff("admin")
    address = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])
    client.post(address, {"name": "other", "task": "os.system"})
    task.refresh_from_db()
    assert (task.name, task.task, task.enabled) == ("heartbeat", "polybot_site.heartbeat", False)


def test_the_index_and_the_search_work(staff, tables):
    client = staff("admin")
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(reverse("admin:search"), {"s": f.ACCOUNT}).status_code == 200


def test_every_page_says_loudly_whose_account_it_shows(staff, tables):
    client = staff("viewer")
    for address in (reverse("admin:index"), reverse("admin:trading_order_changelist")):
        assert f"Simulated · {f.ACCOUNT.removeprefix('sim:')}" in client.get(address).content.decode()
    rows.lease("live:0xabc", seconds=10)
    page = client.get(reverse("admin:index"))
    assert "Live money · 0xabc" in page.content.decode()
    assert page.context["environment"][1] == "danger"
    assert "0xabc" not in Client().get(reverse("admin:login")).content.decode()


def test_the_first_page_shows_the_paper_twin_beside_the_account(staff, tables, redis_url):
    client = staff("viewer")
    assert "Paper twin" not in client.get(reverse("admin:index")).content.decode()
    with sync_client(redis_url) as redis:
        redis.set(f"shadow:{f.ACCOUNT}", msgspec.json.encode(DRIFT), ex=10)
    page = client.get(reverse("admin:index")).content.decode()
    for shown in ("Paper twin", "10.5", "-0.02", "paper:twin", "3 orders compared"):
        assert shown in page


def test_executions_are_listed_and_looked_into_with_their_legs(staff, tables):
    client = staff("admin")
    listed = client.get(reverse("admin:arbitrage_arbexecution_changelist"))
    looked_into = client.get(reverse("admin:arbitrage_arbexecution_change", args=[rows.GROUP]))

    assert b"rebalancing" in listed.content
    assert b"1.25" in listed.content
    assert b"0.404" in looked_into.content
    assert client.post(reverse("admin:arbitrage_arbexecution_change", args=[rows.GROUP]), {}).status_code == 403


def test_a_list_shows_the_traded_account_until_another_one_is_chosen(staff, tables):
    rows.lease("paper:second", seconds=-60)
    rows.order(account="paper:second", reason="theirs"), rows.fill(rows.order(account="paper:second"), 9)
    client = staff("viewer")
    address = reverse("admin:trading_order_changelist")

    def shown(**chosen: str) -> set[str]:
        return {order.account for order in client.get(address, chosen).context["cl"].queryset}

    assert shown() == {f.ACCOUNT}
    assert shown(account="paper:second") == {"paper:second"}
    assert shown(account="all") == {f.ACCOUNT, "paper:second"}
    page = client.get(address, {"account": "paper:second"}).content.decode()
    fills = client.get(re.findall(r'href="([^"]+order_id=[^"]+)"', page)[0].replace("&amp;", "&"))
    assert {fill.account for fill in fills.context["cl"].queryset} == {"paper:second"}


@pytest.mark.parametrize(
    "model", ["order", "fill", "position", "ledgerentry", "command", "halt", "equitysnapshot", "venuebalance"]
)
def test_every_list_of_an_account_can_be_told_which(staff, tables, model):
    rows.lease("paper:second", seconds=-60)
    listed = staff("viewer").get(reverse(f"admin:trading_{model}_changelist"), {"account": "paper:second"})
    assert listed.context["cl"].queryset.count() == 0
