"""What the venue remembers of its clients' orders and trades, long after the exchange core has forgotten them.

The core drops ended orders within minutes, because agents make many; clients may ask much later. The newest `KEPT` of each kind stay, open
orders always.
"""

from __future__ import annotations

from venues.exchange.events import OrderView, TradeView
from venues.simulator.world.listings import Listing

KEPT = 20_000


class History:
    """Orders and trades of client wallets, newest last. `owner_keys` is the API key each order was placed with, `builders` the builder code
    of each order that named one."""

    def __init__(self) -> None:
        self.orders: dict[str, OrderView] = {}
        self.trades: dict[str, TradeView] = {}
        self.owner_keys: dict[str, str] = {}
        self.builders: dict[str, str] = {}

    def order(self, view: OrderView) -> None:
        """Remember an order as it stands now."""
        self.orders[view.id] = view
        while len(self.orders) > KEPT:
            oldest = next((key for key, order in self.orders.items() if not order.status.open), None)
            if oldest is None:
                return
            del self.orders[oldest]
            self.owner_keys.pop(oldest, None)
            self.builders.pop(oldest, None)

    def trade(self, view: TradeView) -> None:
        """Remember a trade as it stands now."""
        self.trades[view.id] = view
        while len(self.trades) > KEPT:
            del self.trades[next(iter(self.trades))]

    def trades_of(self, wallets: tuple[str, ...]) -> list[TradeView]:
        """Return the trades these wallets took part in, newest first."""
        return [
            trade
            for trade in reversed(self.trades.values())
            if trade.account in wallets or any(maker.account in wallets for maker in trade.makers)
        ]

    def forget(self, listings: list[Listing]) -> None:
        """Drop everything about markets that are listed no longer."""
        gone = {listing.spec.condition_id for listing in listings}
        for order in [order for order in self.orders.values() if order.condition_id in gone]:
            del self.orders[order.id]
            self.owner_keys.pop(order.id, None)
            self.builders.pop(order.id, None)
        for trade in [trade for trade in self.trades.values() if trade.condition_id in gone]:
            del self.trades[trade.id]
