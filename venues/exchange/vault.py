"""Who holds what: settled funds, and what orders and trades in flight have bound of them.

A match binds what each side gives (`outgoing`) and promises what it gets (`incoming`); only a confirmed trade moves settled funds, and a
failed one lifts both, so that it leaves no trace. Incoming funds cannot be spent, therefore nothing here is ever negative.
Callers check `available` first; this module only keeps the sums.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from venues.exchange.events import Balance

COLLATERAL = ""
"""The asset key of collateral, beside token ids."""


class Holding(msgspec.Struct, gc=False):
    """One account's holding of one asset, micro-units. See `events.Balance` for the meanings."""

    settled: int = 0
    reserved: int = 0
    outgoing: int = 0
    incoming: int = 0

    @property
    def available(self) -> int:
        return self.settled - self.reserved - self.outgoing

    @property
    def empty(self) -> bool:
        return not (self.settled or self.reserved or self.outgoing or self.incoming)

    def view(self) -> Balance:
        return Balance(self.settled, self.reserved, self.outgoing, self.incoming)


class Leg(msgspec.Struct, frozen=True, gc=False):
    """What one party of a trade gives and gets."""

    account: str
    gives: str
    given: int
    gets: str
    gotten: int


class Vault:
    """All holdings by account and asset (a token id, or `COLLATERAL`), and what ever came in and went out."""

    __slots__ = ("deposited", "holdings", "withdrawn")

    def __init__(self) -> None:
        self.holdings: dict[str, dict[str, Holding]] = {}
        self.deposited = 0
        self.withdrawn = 0

    def holding(self, account: str, asset: str) -> Holding:
        """Return the live holding, an empty new one where there is none yet."""
        try:
            return self.holdings[account][asset]
        except KeyError:
            return self.holdings.setdefault(account, {}).setdefault(asset, Holding())

    def available(self, account: str, asset: str) -> int:
        """Return what `account` may use of `asset`; asking creates nothing."""
        holding = self.holdings.get(account, {}).get(asset)
        return holding.available if holding is not None else 0

    def movable(self, account: str, asset: str) -> int:
        """Return what `account` may move on chain: open orders do not bind it, trades in flight do."""
        holding = self.holdings.get(account, {}).get(asset)
        return holding.settled - holding.outgoing if holding is not None else 0

    def exchange(self, account: str, asset: str, amount: int, into: str, gained: int) -> None:
        """Move settled funds of one account from one asset into another."""
        self.holding(account, asset).settled -= amount
        self.holding(account, into).settled += gained

    def bind(self, leg: Leg) -> None:
        """Put a matched leg in flight."""
        self.holding(leg.account, leg.gives).outgoing += leg.given
        self.holding(leg.account, leg.gets).incoming += leg.gotten

    def unbind(self, leg: Leg) -> None:
        """Take a leg out of flight without moving anything."""
        self.holding(leg.account, leg.gives).outgoing -= leg.given
        self.holding(leg.account, leg.gets).incoming -= leg.gotten

    def deliver(self, leg: Leg) -> None:
        """Settle a leg: what was in flight arrives."""
        self.unbind(leg)
        self.exchange(leg.account, leg.gives, leg.given, leg.gets, leg.gotten)

    def forget_empty(self) -> None:
        """Drop holdings that hold nothing."""
        for account, assets in list(self.holdings.items()):
            for asset in [asset for asset, holding in assets.items() if holding.empty]:
                del assets[asset]
            if not assets:
                del self.holdings[account]

    def __iter__(self) -> Iterator[tuple[str, str, Holding]]:
        """Iterate over (account, asset, holding) in a fixed order, without the empty ones."""
        for account in sorted(self.holdings):
            for asset, holding in sorted(self.holdings[account].items()):
                if not holding.empty:
                    yield account, asset, holding
