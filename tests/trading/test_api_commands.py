"""What the API does on an operator's behalf: commands, answered as the trader answers."""

from __future__ import annotations

import json
import threading

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from psycopg.conninfo import make_conninfo
from rest_framework.test import APIClient

from tests.trading import factories as f
from tests.trading import rows
from trading.api import answers
from trading.models import AuditLog, Command

ORDER = {"token_id": f.NO, "side": "buy", "price": "0.52", "size": "10"}


class Trader:
    """Answers every command like the real one, in a thread and on a connection of its own."""

    def __init__(self, status: str, result: dict) -> None:
        parts = connection.settings_dict
        self._conninfo = make_conninfo(
            host=parts["HOST"], port=parts["PORT"], user=parts["USER"], password=parts["PASSWORD"], dbname=parts["NAME"]
        )
        self._answer = [status, json.dumps(result)]
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _serve(self):
        finish = "UPDATE commands SET status = %s, result = %s, finished_at = now() WHERE status = 'pending'"
        with psycopg.connect(self._conninfo, autocommit=True) as link:
            link.execute("LISTEN polybot_commands")
            self._ready.set()
            while not self._stop.is_set():
                if list(link.notifies(timeout=0.05, stop_after=1)):
                    link.execute(finish, self._answer)


@pytest.fixture
def api(db, redis_url):
    rows.trading_account()
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(answers, "WAIT_SECONDS", 0.0)


@pytest.mark.parametrize(
    ("method", "address", "body", "kind", "payload"),
    [
        (
            "post",
            "/api/orders",
            ORDER,
            "place",
            {**ORDER, "market_id": "m1", "order_type": "GTC", "effect": "open", "post_only": False},
        ),
        ("delete", "/api/orders", {}, "cancel_all", {}),
        (
            "post",
            "/api/halt",
            {"reason": "lunch", "flatten": True, "max_slippage": "0.03"},
            "flatten",
            {"scope": "all", "target": "", "reason": "lunch", "max_slippage": "0.03"},
        ),
        ("delete", "/api/halt?scope=all&target=daily_loss", {}, "resume", {"scope": "all", "target": "daily_loss"}),
        ("post", "/api/halt", {"reason": "lunch"}, "halt", {"scope": "all", "target": "", "reason": "lunch"}),
        ("delete", "/api/halt?scope=market&target=m1", {}, "resume", {"scope": "market", "target": "m1"}),
    ],
)
@pytest.mark.usefixtures("transactional_db")
def test_a_request_becomes_a_command_and_the_traders_word_the_answer(api, method, address, body, kind, payload):
    with Trader("done", {"said": "yes"}):
        answer = getattr(api, method)(address, body, format="json")
    assert answer.status_code == 200
    assert answer.json()["status"] == "done"
    assert answer.json()["result"] == {"said": "yes"}
    command = Command.objects.get()
    assert (command.kind, command.payload, command.issued_by) == (kind, payload, "boss")
    assert AuditLog.objects.get().detail["by"] == "boss"


def test_one_order_is_cancelled_by_its_id(api, impatient):
    order = rows.order()
    assert api.delete(f"/api/orders/{order.id}").status_code == 202
    assert Command.objects.get().payload == {"order_id": order.id}
    assert api.delete("/api/orders/0xunknown").status_code == 404


@pytest.mark.usefixtures("transactional_db")
def test_a_refusal_is_told_with_its_reason(api):
    with Trader("refused", {"detail": "max_order_notional: 60 is more than 50"}):
        answer = api.post("/api/orders", ORDER, format="json")
    assert answer.status_code == 409
    assert answer.json()["error"] == "refused"
    assert "more than 50" in answer.json()["detail"]
    assert answer.json()["fix"]
    assert answer.json()["command"]["status"] == "refused"


def test_an_answer_that_takes_longer_can_be_asked_for_later(api, impatient):
    pending = api.post("/api/orders", ORDER, format="json")
    assert (pending.status_code, pending.json()["status"]) == (202, "pending")
    address = f"/api/commands/{pending.json()['id']}"
    assert api.get(address).status_code == 202
    Command.objects.update(status="done", result={"order_id": "0x1"})
    assert (api.get(address).status_code, api.get(address).json()["result"]) == (200, {"order_id": "0x1"})


def test_a_command_nobody_carried_out_in_time_has_expired(api, impatient):
    command = api.post("/api/orders", ORDER, format="json").json()
    Command.objects.update(expires_at="2026-01-01T00:00:00Z")
    answer = api.get(f"/api/commands/{command['id']}")
    assert (answer.status_code, answer.json()["error"]) == (409, "expired")
    assert "no trader" in answer.json()["detail"]


def test_the_same_key_is_carried_out_once(api, impatient):
    key = {"Idempotency-Key": "click-1"}
    first = api.post("/api/orders", ORDER, format="json", headers=key).json()
    again = api.post("/api/orders", ORDER, format="json", headers=key).json()
    assert first["id"] == again["id"]
    other = api.post("/api/orders", {**ORDER, "size": "20"}, format="json", headers=key)
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_key_used")
    assert Command.objects.count() == 1


def test_keys_of_different_users_do_not_meet(api, impatient):
    key = {"Idempotency-Key": "click-1"}
    api.post("/api/orders", ORDER, format="json", headers=key)
    other = APIClient()
    other.force_authenticate(User.objects.create_superuser("other"))
    assert other.post("/api/orders", {**ORDER, "size": "20"}, format="json", headers=key).status_code == 202


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"price": "1"}, "price"),
        ({"price": "0"}, "price"),
        ({"price": "-0.5"}, "price"),
        ({"price": "0.1234567"}, "price"),
        ({"price": "cheap"}, "price"),
        ({"price": True}, "price"),
        ({"price": None}, "price"),
        ({"price": [1]}, "price"),
        ({"price": "1e-3"}, "price"),
        ({"size": "0"}, "size"),
        ({"size": "NaN"}, "size"),
        ({"size": "9" * 40}, "size"),
        ({"side": "hold"}, "side"),
        ({"order_type": "GTD"}, "order_type"),
        ({"effect": "both"}, "effect"),
        ({"token_id": "unknown"}, "token_id"),
        ({"token_id": "1\x00"}, "token_id"),
        ({"post_only": "perhaps"}, "post_only"),
        ({"post_onyl": True}, "post_onyl"),
        ({"account": "paper:other"}, "account"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_by_field_and_no_command_is_issued(api, change, field):
    answer = api.post("/api/orders", {**ORDER, **change}, format="json")
    assert answer.status_code == 400
    assert answer.json().keys() == {"error", "detail", "fix"}
    assert field in answer.json()["detail"]
    assert not Command.objects.exists()


def test_a_key_that_is_too_long_is_invalid_and_not_used(api):
    answer = api.post("/api/orders", ORDER, format="json", headers={"Idempotency-Key": "k" * 81})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid")
    assert "Idempotency-Key" in answer.json()["detail"]
    assert not Command.objects.exists()


@pytest.mark.parametrize("body", ["nonsense", "[]", '"text"', "7", "null", '{"price":' * 100_000])
def test_a_body_that_is_no_object_is_refused(api, body):
    answer = api.post("/api/orders", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"] in {"parse_error", "invalid"}


def test_a_body_that_is_too_large_is_refused_in_the_form_of_every_refusal(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    answer = api.post("/api/orders", {**ORDER, "reason": "x" * 2_000}, format="json")
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


def test_numbers_are_accepted_for_amounts(api, impatient):
    answer = api.post("/api/orders", {**ORDER, "price": 0.52, "size": 10}, format="json")
    assert answer.status_code == 202
    assert (Command.objects.get().payload["price"], Command.objects.get().payload["size"]) == ("0.52", "10")


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "market"},
        {"scope": "all", "target": "m1"},
        {"scope": "universe"},
        {"reason": ""},
        {"market": "m1"},
    ],
)
def test_a_halt_of_nothing_in_particular_is_refused(api, body):
    assert api.post("/api/halt", body, format="json").status_code == 400


def test_a_misspelt_resumption_does_not_lift_the_halt_of_everything(api):
    answer = api.delete("/api/halt?market=m1")
    assert (answer.status_code, list(answer.json()["detail"])) == (400, ["market"])
    assert not Command.objects.exists()


def test_a_resumption_names_its_account_in_the_address(api, impatient):
    assert api.delete("/api/halt?scope=market&target=m1&account=sim:none").json()["detail"].keys() == {"account"}


def test_a_halt_outlives_the_traders_absence_and_an_order_does_not(api, impatient):
    api.post("/api/halt", {}, format="json")
    api.post("/api/orders", ORDER, format="json")
    lifetimes = {
        command.kind: (command.expires_at - command.issued_at).total_seconds() for command in Command.objects.all()
    }
    assert lifetimes["halt"] > 3600
    assert lifetimes["place"] < 15
