"""Drives `py-clob-client-v2`, unmodified, against the simulated venue. Runs in the SDK's own environment; argument: the venue's addresses."""

from __future__ import annotations

import logging
from typing import Any

from eth_account import Account
from py_clob_client_v2 import ClobClient
from py_clob_client_v2.rfq import RfqClient

import py_clob_keys
import py_clob_orders
import py_clob_reads
from conversation import Conversation
from py_clob_orders import Trader
from setting import Venue, venue_of_arguments

CHAIN = 137
DOLLARS = 500
NAMES = {0: "plain key", 1: "proxy", 2: "Safe", 3: "deposit wallet"}


def main() -> None:
    """Play every scene."""
    # The SDK logs each refusal as an error; here refusals are asked for.
    logging.disable(logging.CRITICAL)
    talk, venue = Conversation(), venue_of_arguments()
    talk.know(ClobClient)
    talk.know(RfqClient)
    rfq = [name for name in dir(RfqClient) if not name.startswith("_")]
    talk.skip("RfqClient", "requests for quotes are another product; the simulated venue trades by order book", *rfq)
    key = Account.create().key.hex()

    def connect(credentials: Any = None, **more: Any) -> Any:
        return talk.watch(ClobClient(venue.clob, CHAIN, key=key, creds=credentials, **more))

    py_clob_reads.play(talk, talk.watch(ClobClient(venue.clob, CHAIN)), venue)
    py_clob_keys.play(talk, connect)
    for signature_type, name in NAMES.items():
        talk.scene(name, _trade, talk, venue, signature_type, name)
    talk.end()


def _trade(talk: Conversation, venue: Venue, signature_type: int, name: str) -> None:
    """Trade from a fresh wallet of one signature type; the deposit wallet tries everything, the others the essentials."""
    owner = Account.create()
    wallet = owner.address if signature_type == 0 else Account.create().address
    venue.fund(wallet, DOLLARS, owner=owner.address, signature_type=signature_type)
    plain = ClobClient(venue.clob, CHAIN, key=owner.key.hex())
    client = talk.watch(
        ClobClient(
            venue.clob,
            CHAIN,
            key=owner.key.hex(),
            creds=plain.create_or_derive_api_key(),
            signature_type=signature_type,
            funder=wallet,
        )
    )
    trader = Trader(talk, client, venue, wallet, name)
    standard, neg_risk = (venue.pick(neg_risk=neg_risk, fees=True) for neg_risk in (False, True))
    talk.scene("balances", py_clob_keys.balances, talk, client, name, DOLLARS, standard.yes)
    for market in (standard, neg_risk):
        talk.scene("rest and cancel", py_clob_orders.rest_and_cancel, trader, market)
        talk.scene("take and sell", py_clob_orders.take_and_sell, trader, market)
    if signature_type == 3:
        bought = py_clob_orders.take_and_sell(trader, standard)
        talk.scene("notifications", py_clob_keys.notifications, talk, client, bought["orderID"])
        talk.scene("own trades", py_clob_orders.own_trades, trader, standard, bought)
        talk.scene("other types", py_clob_orders.other_types, trader, standard)
        talk.scene("batches and cancels", py_clob_orders.batches_and_cancels, trader, standard, neg_risk)
        talk.scene("builder", py_clob_orders.builder, trader, standard)
        talk.scene("positions", py_clob_orders.positions, trader, venue.pick_of_positions())
        talk.scene("rewards", py_clob_keys.rewards, talk, client)


if __name__ == "__main__":
    main()
