"""Keys, notifications, rewards, heartbeats and the end of a session through `polymarket-client`'s secure clients."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from polymarket.errors import OrderHeartbeatMismatchError, RequestRejectedError

from conversation import Conversation, equal, eventually, expect, refused
from setting import Market
from unified_orders import Trader
from unified_reads import items

Create = Callable[..., Any]
"""(**arguments of the client class's `create`) → a watched client; the call is counted."""


def identity(talk: Conversation, client: Any, name: str, signer: str, wallet: str, wallet_type: str) -> None:
    """Who a client says it is."""
    for attribute, expected in {"signer": signer, "wallet": wallet, "wallet_type": wallet_type}.items():
        with talk.call(f"{name}.{attribute}", wallet_type):
            equal(getattr(client, attribute), expected, attribute)
    with talk.call(f"{name}.environment"):
        equal(client.environment.name, "production", "the environment's name")
    with talk.call(f"{name}.credentials"):
        expect(client.credentials.key and client.credentials.secret, "credentials")


def keys(talk: Conversation, client: Any, name: str, create: Create, private_key: str) -> Any:
    """Find one's keys, make a builder's. Returns the builder key."""
    with talk.call(f"{name}.fetch_api_keys"):
        expect(client.credentials.key in client.fetch_api_keys(), "one's own key")
    with talk.call(f"{name}.create", "with stored credentials"):
        again = create(private_key=private_key, wallet=client.wallet, credentials=client.credentials)
        equal(again.credentials, client.credentials, "the credentials")
        again.close()
    with talk.call(f"{name}.get_closed_only_mode"):
        equal(client.get_closed_only_mode(), False, "the mode")
    with talk.call(f"{name}.create_builder_api_key"):
        made = client.create_builder_api_key()
        expect(made.key and made.secret and made.passphrase, "credentials")
    with talk.call(f"{name}.fetch_builder_api_keys"):
        expect(made.key in [row.key for row in client.fetch_builder_api_keys()], "the key in the list")
    return made


def notifications(trader: Trader, order_id: str) -> None:
    """Read what was noticed of a filled order, and drop it."""
    client = trader.client
    with trader.call("get_notifications"):
        found = eventually(
            lambda: [row for row in client.get_notifications() if getattr(row.payload, "order_id", "") == order_id],
            "a notification of the fill",
        )
        equal((found[0].type.name, found[0].payload.side), ("ORDER_FILL", "BUY"), "what happened")
        expect(found[0].payload.matched_size > 0, "a size")
    with trader.call("drop_notifications"):
        client.drop_notifications(ids=[found[0].id])
        expect(found[0].id not in [row.id for row in client.get_notifications()], "a list without it")


def rewards(trader: Trader) -> None:
    """Read the account's liquidity rewards."""
    client, today = trader.client, datetime.now(UTC).date().isoformat()
    with trader.call("list_user_earnings_for_day"):
        expect(all(row.earnings >= 0 for row in items(client.list_user_earnings_for_day(date=today))), "earnings")
    with trader.call("get_total_earnings_for_user_for_day"):
        expect(all(row.earnings >= 0 for row in client.get_total_earnings_for_user_for_day(date=today)), "totals")
    with trader.call("list_user_earnings_and_markets_config"):
        rows = items(client.list_user_earnings_and_markets_config(date=today, page_size=10))
        expect(rows and all(row.rewards_config for row in rows), "markets with rewards")
    with trader.call("get_reward_percentages"):
        expect(all(0 <= share <= 100 for share in client.get_reward_percentages().values()), "percentages")


def heartbeats(talk: Conversation, client: Any, name: str) -> None:
    """A chain of heartbeats, and a wrong id that names the right one."""
    with talk.call(f"{name}.send_order_heartbeat", "the first"):
        first = client.send_order_heartbeat().heartbeat_id
    with talk.call(f"{name}.send_order_heartbeat", "the next of the chain"):
        second = client.send_order_heartbeat(heartbeat_id=first).heartbeat_id
        expect(second != first, "another id")
    with talk.call(f"{name}.send_order_heartbeat", "with a wrong id"):
        error = refused(lambda: client.send_order_heartbeat(heartbeat_id="nonsense"), OrderHeartbeatMismatchError, "")
        equal(getattr(error, "heartbeat_id", ""), second, "the expected id")
    with talk.call(f"{name}.send_order_heartbeat", "with the id the refusal named"):
        expect(client.send_order_heartbeat(heartbeat_id=second).heartbeat_id, "an id")


def balances(trader: Trader, dollars: int, market: Market) -> None:
    """Read the balances of a freshly funded wallet."""
    with trader.call("get_balance_allowance", "collateral"):
        answer = trader.client.get_balance_allowance(asset_type="COLLATERAL")
        equal(answer.balance, dollars * 1_000_000, "the balance")
    with trader.call("get_balance_allowance", "a token"):
        equal(trader.client.get_balance_allowance(asset_type="CONDITIONAL", asset_id=market.yes).balance, 0, "balance")


def limits_told(trader: Trader, updates: list[Any], market: Market) -> None:
    """The answer to an order tells how much the signer may still send."""
    del updates[:]
    with trader.call("place_limit_order", "tells the signer's limits"):
        placed = trader.client.place_limit_order(asset_id=market.yes, price="0.01", size=5, side="BUY", post_only=True)
        expect(placed.ok, f"an accepted order, got {placed}")
        expect(updates and updates[-1].remaining is not None and updates[-1].tier, "remaining tokens and the tier")


def end(talk: Conversation, client: Any, name: str, create: Create, private_key: str) -> None:
    """Revoke the builder key, delete a key, end the session."""
    with talk.call(f"{name}.revoke_builder_api_key"):
        client.revoke_builder_api_key()
        live = [row for row in client.fetch_builder_api_keys() if row.revoked_at is None]
        equal(live, [], "live builder keys")
    other = create(private_key=private_key, wallet=client.signer, nonce=11)
    with talk.call(f"{name}.delete_api_key"):
        other.delete_api_key()
        error = refused(other.fetch_api_keys, RequestRejectedError, "Unauthorized")
        equal(getattr(error, "status", 0), 401, "the status")
    with talk.call(f"{name}.close"):
        other.close()
    with talk.call(f"{name}.end_authentication"):
        public = client.end_authentication()
        expect(public.get_sports() is not None, "a public client that reads on")
        refused(lambda: client.signer, RuntimeError, "ended authentication")
