"""What a wallet's positions are worth now: the ledger's records beside present prices and payouts. Computed when asked, nothing is kept.

Micro-units throughout. A market's price is its midpoint, its payout once it is resolved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain.money import MICRO, multiply_floor
from venues.simulator.clob.public_views import middle
from venues.simulator.world.listings import Listing
from venues.simulator.world.positions import Position
from venues.simulator.world.world import World


@dataclass(frozen=True, slots=True)
class Holding:
    """One wallet's position in one token, valued."""

    wallet: str
    token_id: str
    listing: Listing
    position: Position
    price: int
    mergeable: bool

    @property
    def value(self) -> int:
        return multiply_floor(self.price, self.position.size)

    @property
    def unrealized(self) -> int:
        return self.value - self.position.cost

    @property
    def total(self) -> int:
        return self.unrealized + self.position.realized

    @property
    def redeemable(self) -> bool:
        return self.listing.closed and self.position.size > 0

    @property
    def status(self) -> str:
        """Return OPEN, REDEEMABLE (still held, resolved: also when it pays nothing) or CLOSED."""
        if not self.position.size:
            return "CLOSED"
        return "REDEEMABLE" if self.listing.closed else "OPEN"


class Portfolio:
    """Positions of any wallet, from one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def of(self, wallet: str) -> list[Holding]:
        """Return a wallet's positions, closed ones included."""
        held = self._world.indexer.ledger.positions.held.get(wallet, {})
        return [holding for token_id in held if (holding := self._holding(wallet, token_id, held))]

    def in_market(self, listing: Listing) -> Iterator[Holding]:
        """Yield every wallet's positions in one market, closed ones included."""
        for wallet, held in self._world.indexer.ledger.positions.held.items():
            for token_id in listing.spec.token_ids:
                if token_id in held and (holding := self._holding(wallet, token_id, held)):
                    yield holding

    def price(self, listing: Listing, token_id: str) -> int:
        """Return what a token is worth."""
        paid = self._world.exchange.payouts(listing.spec.condition_id)
        index = listing.spec.token_ids.index(token_id)
        if paid is not None:
            return paid[index]
        if listing.closed:
            return MICRO // 2 if listing.winner is None else MICRO * (listing.winner == index)
        price = middle(listing, self._world.exchange)
        return MICRO - price if index else price

    def _holding(self, wallet: str, token_id: str, held: dict[str, Position]) -> Holding | None:
        listing = self._world.listings.by_token(token_id)
        if listing is None:
            return None
        other = held.get(listing.other(token_id))
        mergeable = not listing.closed and held[token_id].size > 0 and other is not None and other.size > 0
        return Holding(wallet, token_id, listing, held[token_id], self.price(listing, token_id), mergeable)
