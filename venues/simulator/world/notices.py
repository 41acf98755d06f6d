"""What the venue tells an account after the fact: its notifications, numbered, newest `KEPT` of each wallet. State of the world.

Types in use: 1 an order was cancelled, 2 an order was filled, 4 a market one holds was resolved, 5 a reward was paid, 8 a fill failed to
settle, 9 winnings were paid out by themselves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from domain.money import format_micros
from venues.exchange.events import FundsMoved, OrderView, TradeView
from venues.simulator.world.listings import Listing

KEPT = 100

Payload = dict[str, Any]


class NoticeType(IntEnum):
    ORDER_CANCELLED = 1
    ORDER_FILLED = 2
    MARKET_RESOLVED = 4
    REWARD_PAID = 5
    FILL_FAILED = 8
    REDEEMED = 9


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification. `owner` is an API key, `payload` depends on the type."""

    number: int
    type: NoticeType
    owner: str
    at_ns: int
    payload: Payload


class Notices:
    """All notifications, by wallet."""

    def __init__(self) -> None:
        self._count = 0
        self._of: dict[str, deque[Notice]] = {}

    def add(self, wallet: str, kind: NoticeType, owner: str, at_ns: int, payload: Payload) -> None:
        """Tell the owner of `wallet` something."""
        self._count += 1
        kept = self._of.setdefault(wallet, deque(maxlen=KEPT))
        kept.append(Notice(self._count, kind, owner, at_ns, payload))

    def of(self, wallet: str) -> list[Notice]:
        """Return what a wallet was told and has not dropped, oldest first."""
        return list(self._of.get(wallet, ()))

    def drop(self, wallets: Iterable[str], numbers: frozenset[int]) -> None:
        """Forget the named notifications of these wallets, all of them when none is named."""
        for wallet in wallets:
            kept = [notice for notice in self.of(wallet) if numbers and notice.number not in numbers]
            if wallet in self._of:
                self._of[wallet] = deque(kept, maxlen=KEPT)


def order_payload(order: OrderView, listing: Listing, trade: TradeView | None = None) -> Payload:
    """Return what notifications of types 1, 2 and 8 say of an order; sizes as it stands now."""
    spent = order.size_matched if order.order_type.rests or order.side.name == "SELL" else order.cash_matched
    return {
        "order_id": order.id,
        "market": order.condition_id,
        "asset_id": order.token_id,
        "side": order.side.name,
        "type": order.order_type.value,
        "price": format_micros(order.price),
        "original_size": format_micros(order.size),
        "matched_size": format_micros(spent),
        "remaining_size": format_micros(max(0, order.size - spent)),
        "outcome": listing.outcome(order.token_id),
        "outcome_index": listing.spec.token_ids.index(order.token_id),
        "trade_id": trade.id if trade else "",
        "transaction_hash": trade.transaction_hash if trade else "",
        "question": listing.spec.question,
        "market_slug": listing.spec.slug,
        "icon": "",
        "image": "",
        "eventSlug": listing.event.slug,
        "seriesSlug": "",
    }


def reward_payload(event: FundsMoved, transaction_hash: str) -> Payload:
    """Return what notification 5 says."""
    return {"proxyWallet": event.account, "reward": format_micros(event.cash), "txnHash": transaction_hash}


def redeemed_payload(event: FundsMoved, listing: Listing, transaction_hash: str) -> Payload:
    """Return what notification 9 says."""
    return {
        "proxyWallet": event.account,
        "amount": format_micros(event.cash),
        "conditionId": event.condition_id,
        "question": listing.spec.question,
        "image": "",
        "slug": listing.spec.slug,
        "negRisk": listing.spec.neg_risk,
        "txnHash": transaction_hash,
    }
