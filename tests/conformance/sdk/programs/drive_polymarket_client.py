"""Drives `polymarket-client`, unmodified, against the simulated venue. Runs in the SDK's own environment; argument: the venue's addresses.

The SDK has no public setting for its hosts; its own `with_environment_config` gives the environment other ones. All four client classes
are driven by the same scenes, the asynchronous ones through `blocking`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from eth_account import Account
from polymarket import PRODUCTION, AsyncPublicClient, AsyncSecureClient, PublicClient, SecureClient
from polymarket._internal.environment import PRODUCTION_CONFIG, with_environment_config

import unified_account
import unified_channels
import unified_data
import unified_money
import unified_orders
import unified_reads
from blocking import Blocking
from conversation import Conversation, equal
from setting import OWNER, OWNER_KEY, WALLETS, Venue, venue_of_arguments
from unified_orders import Trader

Adapt = Callable[[Any], Any]
"""What makes a client, or its class, callable without `await`."""
DOLLARS = 1000
NOWHERE = "http://127.0.0.1:9"
COMBOS = "combos are another product with hosts of their own; the simulated venue has none"
PERPS = "perpetuals are another venue with hosts of its own; the simulated one has none"
SESSIONS = "session keys are in beta: the protocol's description has their signatures, not their endpoints"
SKIPPED = {
    COMBOS: (
        "list_combo_markets", "accept_combo_quote", "request_combo_quote", "wait_for_combo_fill", "fetch_rfq_status",
        "plan_collateral_return", "execute_collateral_return_plan", "open_rfq_session",
    ),
    PERPS: (
        "fetch_perps_book", "fetch_perps_builder_status", "fetch_perps_fees", "fetch_perps_instruments",
        "fetch_perps_position_snapshots", "fetch_perps_registration", "fetch_perps_ticker", "fetch_perps_tickers",
        "list_perps_candles", "list_perps_funding_history", "list_perps_trades", "deposit_to_perps", "open_perps_session",
        "revoke_perps_credentials", "withdraw_from_perps",
    ),
    SESSIONS: ("authorize_session_key", "fetch_session_keys", "revoke_session_key"),
}  # fmt: skip
"""By reason, the methods that some or all of the client classes have."""


def main() -> None:
    """Play every scene of one part: the blocking clients, the asynchronous ones, or wallets of the older kinds."""
    talk, venue, part = Conversation(), venue_of_arguments(), sys.argv[2]
    environment = _environment(venue)
    if part == "blocking":
        _clients(talk, PublicClient, SecureClient, lambda thing: thing, environment, venue)
    elif part == "asynchronous":
        with asyncio.Runner() as runner:
            _clients(
                talk, AsyncPublicClient, AsyncSecureClient, lambda thing: Blocking(thing, runner), environment, venue
            )
            talk.scene("channels", _channels, talk, runner, environment, venue)
    else:
        for signature_type in (1, 2):
            talk.scene(f"wallet of type {signature_type}", _other_wallet, talk, environment, venue, signature_type)
    talk.end()


def _clients(talk: Conversation, public: Any, secure: Any, adapt: Adapt, environment: Any, venue: Venue) -> None:
    for client_class in (public, secure):
        for reason, methods in SKIPPED.items():
            found = (name for name in methods if hasattr(client_class, name))
            talk.skip(client_class.__name__, reason, *found)
    talk.scene(public.__name__, _read, talk, adapt, public, environment, venue)
    talk.scene(secure.__name__, _trade, talk, adapt, public, secure, environment, venue)


def _environment(venue: Venue) -> Any:
    """Return the SDK's production environment with the simulated venue's hosts, and no others."""
    hosts = {field.name: NOWHERE for field in dataclasses.fields(PRODUCTION_CONFIG) if field.name.endswith("_url")}
    hosts |= {
        "clob_url": venue.clob,
        "clob_market_ws_url": f"{venue.ws}/ws/market",
        "clob_user_ws_url": f"{venue.ws}/ws/user",
        "gamma_url": venue.gamma,
        "data_url": venue.data,
        "relayer_url": venue.relayer,
        "rpc_url": venue.rpc,
    }
    config = dataclasses.replace(PRODUCTION_CONFIG, **hosts, relayer_poll_frequency_ms=200)
    return with_environment_config(PRODUCTION, config=config)


def _read(talk: Conversation, adapt: Adapt, public: Any, environment: Any, venue: Venue) -> None:
    client, name = adapt(talk.watch(public(environment))), public.__name__
    unified_reads.play(talk, client, name, venue)
    with talk.call(f"{name}.environment"):
        equal(client.environment.name, "production", "the environment's name")
    with talk.call(f"{name}.close"):
        client.close()


def _trade(talk: Conversation, adapt: Adapt, public: Any, secure: Any, environment: Any, venue: Venue) -> None:
    """From a bare key to a traded wallet and back: the whole life of an account."""
    name = secure.__name__
    updates: list[Any] = []
    maker = adapt(talk.watch(secure))

    def create(**arguments: Any) -> Any:
        made = maker.create(environment=environment, on_rate_limit_update=updates.append, **arguments)
        return adapt(talk.watch(made._subject if isinstance(made, Blocking) else made))

    owner = Account.create()
    key = owner.key.hex()
    with talk.call(f"{name}.create", "a plain key"):
        eoa = create(private_key=key, wallet=owner.address)
    unified_account.identity(talk, eoa, name, owner.address, owner.address, "EOA")
    builder_key = unified_account.keys(talk, eoa, name, create, key)
    with talk.call(f"{name}.create", "deploys the key's deposit wallet"):
        client = create(private_key=key, api_key=builder_key)
    unified_account.identity(talk, client, name, owner.address, client.wallet, "DEPOSIT_WALLET")
    venue.fund(client.wallet, DOLLARS, owner=owner.address, signature_type=3, approved=False)
    standard, neg_risk = (venue.pick(neg_risk=neg_risk, fees=True) for neg_risk in (False, True))
    trader = Trader(talk, client, name, "deposit wallet")
    talk.scene("balances", unified_account.balances, trader, DOLLARS, standard)
    talk.scene("approvals", unified_money.approvals, trader, standard)
    for market in (standard, neg_risk):
        talk.scene("rest and cancel", unified_orders.rest_and_cancel, trader, market)
    talk.scene("fills", _fills, trader, standard, neg_risk)
    talk.scene("other types", unified_orders.other_types, trader, standard)
    talk.scene("batches and cancels", unified_orders.batches_and_cancels, trader, standard, neg_risk)
    talk.scene("positions", unified_orders.positions, trader, venue.pick_of_positions())
    talk.scene("unknown order", unified_orders.unknown_order, trader)
    talk.scene("limits", unified_account.limits_told, trader, updates, standard)
    talk.scene("rewards", unified_account.rewards, trader)
    talk.scene("transfers", unified_money.transfers, trader)
    talk.scene("split and merge", _split_and_merge, trader, standard, neg_risk)
    talk.scene("router", unified_money.router, trader, venue.pick_of_positions())
    talk.scene("redeem", unified_money.redeem, trader, venue, 0 if secure is SecureClient else -1)
    unified_reads.play(talk, client, name, venue)
    unified_data.play(talk, client, name, client.wallet, standard)
    unified_data.play(talk, adapt(talk.watch(public(environment))), public.__name__, client.wallet, standard)
    talk.scene("plain key", _plain_key, Trader(talk, eoa, name, "plain key"), venue)
    talk.scene(
        "heartbeats", unified_account.heartbeats, talk, create(private_key=key, wallet=owner.address, nonce=5), name
    )
    talk.scene("end", unified_account.end, talk, client, name, create, key)


def _fills(trader: Trader, standard: Any, neg_risk: Any) -> None:
    bought = unified_orders.buy(trader, standard)
    unified_orders.own_trades(trader, standard, bought.trade_ids[0])
    unified_account.notifications(trader, bought.order_id)
    unified_orders.buy(trader, neg_risk)
    unified_orders.sell(trader, neg_risk, 5)


def _split_and_merge(trader: Trader, standard: Any, neg_risk: Any) -> None:
    for market in (standard, neg_risk):
        unified_money.split_and_merge(trader, market)
    unified_money.merge_all(trader, standard, neg_risk)


def _plain_key(trader: Trader, venue: Venue) -> None:
    """A plain key trades, and sends its own transactions."""
    venue.fund(trader.client.wallet, DOLLARS)
    market = venue.pick(neg_risk=False, fees=True)
    unified_orders.rest_and_cancel(trader, market)
    unified_orders.buy(trader, market)
    unified_money.split_and_merge(trader, market)


def _other_wallet(talk: Conversation, environment: Any, venue: Venue, signature_type: int) -> None:
    """A proxy or a Safe trades, and sends its transactions through the relayer."""
    wallet, kind = WALLETS[signature_type], {1: "POLY_PROXY", 2: "GNOSIS_SAFE"}[signature_type]
    venue.fund(wallet, DOLLARS, owner=OWNER, signature_type=signature_type)
    maker = talk.watch(SecureClient)
    with talk.call("SecureClient.create", kind):
        eoa = maker.create(private_key=OWNER_KEY, wallet=OWNER, environment=environment)
        builder_key = eoa.create_builder_api_key()
        made = maker.create(private_key=OWNER_KEY, wallet=wallet, environment=environment, api_key=builder_key)
    client = talk.watch(made)
    unified_account.identity(talk, client, "SecureClient", OWNER, wallet, kind)
    trader = Trader(talk, client, "SecureClient", kind)
    for neg_risk in (False, True):
        market = venue.pick(neg_risk=neg_risk, fees=True)
        unified_orders.rest_and_cancel(trader, market)
        unified_money.split_and_merge(trader, market)
    unified_orders.buy(trader, market)
    unified_money.transfers(trader)


def _channels(talk: Conversation, runner: asyncio.Runner, environment: Any, venue: Venue) -> None:
    runner.run(_listen(talk, environment, venue))


async def _listen(talk: Conversation, environment: Any, venue: Venue) -> None:
    owner = Account.create()
    venue.fund(owner.address, DOLLARS)
    market = venue.pick(neg_risk=True)
    public = AsyncPublicClient(environment)
    await unified_channels.market_channel(talk, talk.watch(public), "AsyncPublicClient", market)
    await public.close()
    secure = await AsyncSecureClient.create(private_key=owner.key.hex(), wallet=owner.address, environment=environment)
    await unified_channels.own_events(talk, talk.watch(secure), "AsyncSecureClient", market)
    await secure.close()


if __name__ == "__main__":
    main()
