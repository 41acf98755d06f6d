"""Decides who is told what: turns the exchange's events into notifications of the clients they concern."""

from __future__ import annotations

from collections.abc import Callable, Collection

from eth_utils.crypto import keccak

from domain.fill import FillStatus
from venues.exchange.events import (
    Event,
    FundsMoved,
    FundsReason,
    MarketResolved,
    OrderCanceled,
    TradeMatched,
    TradeMoved,
    TradeView,
)
from venues.simulator.clob.public_views import long
from venues.simulator.world.floor import Floor
from venues.simulator.world.history import History
from venues.simulator.world.notices import Notices, NoticeType, order_payload, redeemed_payload, reward_payload


class NoticeBoard:
    """Listens for clients, before the history does. `key_of` returns the API key a wallet's notifications are addressed to."""

    def __init__(self, floor: Floor, history: History, clients: Collection[str], key_of: Callable[[str], str]) -> None:
        self.notices: Notices = Notices()
        self._floor = floor
        self._history = history
        self._clients = clients
        self._key_of = key_of

    def observe(self, event: Event) -> None:
        """Note what concerns a client; everything else is passed over."""
        if isinstance(event, OrderCanceled):
            self._order(event.order.account, event.order.id, NoticeType.ORDER_CANCELLED, None)
        elif isinstance(event, TradeMatched):
            self._trade(event.trade, NoticeType.ORDER_FILLED)
        elif isinstance(event, TradeMoved):
            if event.trade.status is FillStatus.FAILED:
                self._trade(event.trade, NoticeType.FILL_FAILED)
        elif isinstance(event, MarketResolved):
            self._resolved(event)
        elif isinstance(event, FundsMoved) and event.account in self._clients:
            self._funds(event)

    def _trade(self, trade: TradeView, kind: NoticeType) -> None:
        parts = {trade.taker_order_id: trade.account} | {fill.order_id: fill.account for fill in trade.makers}
        for order_id, account in parts.items():
            self._order(account, order_id, kind, trade)

    def _order(self, account: str, order_id: str, kind: NoticeType, trade: TradeView | None) -> None:
        if account not in self._clients:
            return
        # A FOK or FAK that was killed on arrival never was an order: neither knows it.
        order = self._floor.exchange.order(order_id) or self._history.orders.get(order_id)
        listing = self._floor.listings.by_condition(order.condition_id) if order else None
        if order and listing:
            owner = self._history.owner_keys.get(order_id) or self._key_of(account)
            self._add(account, kind, order_payload(order, listing, trade), owner)

    def _resolved(self, event: MarketResolved) -> None:
        listing = self._floor.listings.by_condition(event.condition_id)
        exchange = self._floor.exchange
        for wallet in sorted(self._clients):
            if listing and any(exchange.balance(wallet, token_id).settled for token_id in event.token_ids):
                payload = long(listing, exchange) | {"eventSlug": listing.event.slug}
                self._add(wallet, NoticeType.MARKET_RESOLVED, payload)

    def _funds(self, event: FundsMoved) -> None:
        transaction_hash = "0x" + keccak(text=f"notice/{event.account}/{event.condition_id}/{self._floor.now_ns}").hex()
        listing = self._floor.listings.by_condition(event.condition_id)
        if event.reason is FundsReason.REWARD:
            self._add(event.account, NoticeType.REWARD_PAID, reward_payload(event, transaction_hash))
        elif event.reason is FundsReason.REDEMPTION and listing and event.cash:
            self._add(event.account, NoticeType.REDEEMED, redeemed_payload(event, listing, transaction_hash))

    def _add(self, wallet: str, kind: NoticeType, payload: dict[str, object], owner: str = "") -> None:
        self.notices.add(wallet, kind, owner or self._key_of(wallet), self._floor.now_ns, payload)
