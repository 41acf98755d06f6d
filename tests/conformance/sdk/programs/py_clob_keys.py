"""Keys, heartbeats, notifications and the account's own reads through `py-clob-client-v2`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from py_clob_client_v2 import ApiCreds, AssetType, BalanceAllowanceParams, DropNotificationParams
from py_clob_client_v2.exceptions import PolyApiException

from conversation import Conversation, equal, eventually, expect, refused

C = "ClobClient."
Connect = Callable[..., Any]
"""(ApiCreds or None, **what ClobClient takes) → a watched client."""


def play(talk: Conversation, connect: Connect) -> None:
    """Make, find and end keys of every kind."""
    talk.scene("keys", _keys, talk, connect)
    talk.scene("read-only keys", _readonly_keys, talk, connect)
    talk.scene("builder keys", _builder_keys, talk, connect)
    talk.scene("heartbeats", _heartbeats, talk, connect)


def _keys(talk: Conversation, connect: Connect) -> None:
    plain = connect(None)
    with talk.call(C + "get_address"):
        expect(plain.get_address().startswith("0x"), "an address")
    with talk.call(C + "assert_level_1_auth"):
        plain.assert_level_1_auth()
    with talk.call(C + "create_api_key"):
        made = plain.create_api_key(nonce=7)
        expect(made.api_key and made.api_secret and made.api_passphrase, "credentials")
    with talk.call(C + "create_api_key", "of a nonce that has one"):
        refused(lambda: plain.create_api_key(nonce=7), PolyApiException, "Could not create api key")
    with talk.call(C + "derive_api_key"):
        equal(plain.derive_api_key(nonce=7), made, "the derived key")
    with talk.call(C + "derive_api_key", "of a nonce that has none"):
        refused(lambda: plain.derive_api_key(nonce=8), PolyApiException, "Could not derive api key!")
    with talk.call(C + "create_or_derive_api_key"):
        equal(plain.create_or_derive_api_key(nonce=7), made, "the key")
    with talk.call(C + "set_api_creds"):
        plain.set_api_creds(made)
    with talk.call(C + "assert_level_2_auth"):
        plain.assert_level_2_auth()
    with talk.call(C + "get_api_keys"):
        expect(made.api_key in plain.get_api_keys()["apiKeys"], "the key in the list")
    with talk.call(C + "get_closed_only_mode"):
        equal(plain.get_closed_only_mode(), {"closed_only": False}, "the mode")
    with talk.call(C + "get_api_keys", "with a wrong secret"):
        forged = connect(ApiCreds(made.api_key, "A" * 43 + "=", made.api_passphrase))
        error = refused(forged.get_api_keys, PolyApiException, "Unauthorized/Invalid api key")
        equal(getattr(error, "status_code", 0), 401, "the status")
    with talk.call(C + "delete_api_key"):
        equal(plain.delete_api_key(), "OK", "the answer")
    with talk.call(C + "get_api_keys", "with a deleted key"):
        refused(plain.get_api_keys, PolyApiException, "Unauthorized/Invalid api key")


def _readonly_keys(talk: Conversation, connect: Connect) -> None:
    client = _signed_in(connect)
    with talk.call(C + "create_readonly_api_key"):
        made = client.create_readonly_api_key()
        key = made["apiKey"]
        expect(key, "a key")
    with talk.call(C + "get_readonly_api_keys"):
        expect(key in str(client.get_readonly_api_keys()), "the key in the list")
    with talk.call(C + "delete_readonly_api_key"):
        client.delete_readonly_api_key(key)
        expect(key not in str(client.get_readonly_api_keys()), "a list without the key")


def _builder_keys(talk: Conversation, connect: Connect) -> None:
    client = _signed_in(connect)
    with talk.call(C + "create_builder_api_key"):
        made = client.create_builder_api_key()
        expect(made["key"] and made["secret"] and made["passphrase"], "credentials")
    with talk.call(C + "get_builder_api_keys"):
        rows = client.get_builder_api_keys()
        expect(made["key"] in [row["key"] for row in rows], "the key in the list")
    with talk.call(C + "revoke_builder_api_key"):
        equal(client.revoke_builder_api_key(), "OK", "the answer")
        live = [row["key"] for row in client.get_builder_api_keys() if not row.get("revokedAt")]
        expect(made["key"] not in live, "no live key")


def _heartbeats(talk: Conversation, connect: Connect) -> None:
    client = connect(connect(None).create_or_derive_api_key(nonce=9))
    with talk.call(C + "post_heartbeat", "the first"):
        first = client.post_heartbeat()["heartbeat_id"]
        expect(first, "an id")
    with talk.call(C + "post_heartbeat", "the next of the chain"):
        second = client.post_heartbeat(first)["heartbeat_id"]
        expect(second and second != first, "another id")
    with talk.call(C + "post_heartbeat", "with a wrong id"):
        error = refused(lambda: client.post_heartbeat("nonsense"), PolyApiException, "Invalid Heartbeat ID")
        equal(getattr(error, "status_code", 0), 400, "the status")
        body = getattr(error, "error_msg", {})
        equal(body["heartbeat_id"], second, "the expected id")
    with talk.call(C + "post_heartbeat", "with the id the refusal named"):
        expect(client.post_heartbeat(body["heartbeat_id"])["heartbeat_id"], "an id")


def notifications(talk: Conversation, client: Any, order_id: str) -> None:
    """Read what was noticed of a filled order, and drop it."""
    with talk.call(C + "get_notifications"):
        found = eventually(
            lambda: [row for row in client.get_notifications() if row["payload"].get("order_id") == order_id],
            "a notification of the fill",
        )
        expect(found[0]["type"] == 2 and found[0]["payload"]["side"] == "BUY", "a fill")
    with talk.call(C + "drop_notifications"):
        client.drop_notifications(DropNotificationParams(ids=[str(found[0]["id"])]))
        left = [row["id"] for row in client.get_notifications()]
        expect(found[0]["id"] not in left, "a list without it")


def balances(talk: Conversation, client: Any, wallet: str, dollars: int, token_id: str) -> None:
    """Read the balances of a freshly funded wallet."""
    with talk.call(C + "get_balance_allowance", f"collateral of {wallet}"):
        answer = client.get_balance_allowance(BalanceAllowanceParams(AssetType.COLLATERAL))
        equal(answer["balance"], str(dollars * 1_000_000), "the balance")
        expect(answer["allowances"] and all(int(amount) > 0 for amount in answer["allowances"].values()), "allowances")
    with talk.call(C + "get_balance_allowance", f"a token of {wallet}"):
        answer = client.get_balance_allowance(BalanceAllowanceParams(AssetType.CONDITIONAL, token_id))
        equal(answer["balance"], "0", "the balance")
    with talk.call(C + "update_balance_allowance"):
        client.update_balance_allowance(BalanceAllowanceParams(AssetType.COLLATERAL))


def rewards(talk: Conversation, client: Any) -> None:
    """Read the account's liquidity rewards."""
    today = datetime.now(UTC).date().isoformat()
    with talk.call(C + "get_earnings_for_user_for_day"):
        rows = client.get_earnings_for_user_for_day(today)
        expect(all(row["condition_id"] and float(row["earnings"]) >= 0 for row in rows), "earnings by market")
    with talk.call(C + "get_total_earnings_for_user_for_day"):
        expect(isinstance(client.get_total_earnings_for_user_for_day(today), list), "a list")
    with talk.call(C + "get_user_earnings_and_markets_config"):
        rows = client.get_user_earnings_and_markets_config(today)
        expect(rows and all(row["rewards_config"] for row in rows), "markets with rewards")
    with talk.call(C + "get_reward_percentages"):
        shares = client.get_reward_percentages()
        expect(all(0 <= share <= 100 for share in shares.values()), "percentages")


def _signed_in(connect: Connect) -> Any:
    return connect(connect(None).create_or_derive_api_key())
