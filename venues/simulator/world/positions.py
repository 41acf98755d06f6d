"""What every wallet holds of every token and what it cost, as the venue's index keeps it: by average price, fees apart.

A split buys both tokens at fifty cents and a merge sells them so; a redemption sells at the payout; a conversion carries the cost of the
tokens given, less the cash returned, over to the tokens got; what is merely sent elsewhere takes its cost along. Amounts are micro-units,
times Unix seconds.
"""

from __future__ import annotations

import msgspec

from domain.money import MICRO, multiply_floor
from venues.exchange.events import FundsMoved, FundsReason

_HALF = MICRO // 2


class Position(msgspec.Struct):
    """A wallet's dealings in one token. `cost` is what the shares held now were bought for, `fees` what was paid in fees for them;
    `bought` and `spent` are all shares ever bought and their price, `realized` the profit of those sold."""

    size: int = 0
    cost: int = 0
    fees: int = 0
    bought: int = 0
    spent: int = 0
    realized: int = 0
    first_s: int = 0
    last_s: int = 0

    @property
    def average(self) -> int:
        """Return the average price of what is held, of what was ever bought once nothing is."""
        if self.size:
            return self.cost * MICRO // self.size
        return self.spent * MICRO // self.bought if self.bought else 0

    def buy(self, size: int, cash: int, fee: int, at_s: int) -> None:
        """Add `size` shares bought for `cash` (without `fee`)."""
        self.size += size
        self.cost += cash
        self.fees += fee
        self.bought += size
        self.spent += cash
        self.first_s = self.first_s or at_s
        self.last_s = at_s

    def sell(self, size: int, cash: int, at_s: int) -> int:
        """Take `size` shares out that brought `cash` (before fees); return the profit."""
        given = self._take(size, at_s)
        self.realized += cash - given
        return cash - given

    def give(self, size: int, at_s: int) -> int:
        """Take `size` shares out without a price; return what they had cost."""
        return self._take(size, at_s)

    def _take(self, size: int, at_s: int) -> int:
        part = self.cost * size // self.size if self.size else 0
        self.fees -= self.fees * size // self.size if self.size else 0
        self.size -= size
        self.cost -= part
        self.last_s = at_s
        return part


class Positions:
    """Positions by wallet and token."""

    def __init__(self, held: dict[str, dict[str, Position]] | None = None) -> None:
        self.held: dict[str, dict[str, Position]] = held or {}

    def of(self, wallet: str, token_id: str) -> Position:
        """Return the live record, a new one where there is none yet."""
        return self.held.setdefault(wallet, {}).setdefault(token_id, Position())

    def moved(self, event: FundsMoved, payouts: dict[str, int], at_s: int) -> int:
        """Book tokens that changed outside trading; `payouts` are micro-dollars a share of each token. Return the profit realised."""
        if event.reason in (FundsReason.SPLIT, FundsReason.MERGE):
            return sum(self._priced(event.account, token, size, _HALF, at_s) for token, size in event.tokens.items())
        if event.reason is FundsReason.REDEMPTION:
            return sum(
                self._priced(event.account, token, size, payouts.get(token, 0), at_s)
                for token, size in event.tokens.items()
            )
        if event.reason is FundsReason.CONVERSION:
            return self._carried(event, at_s)
        for token, size in event.tokens.items():
            self._sent(event.account, token, size, at_s)
        return 0

    def forget(self, token_ids: set[str]) -> None:
        """Drop everything about tokens of markets that are listed no longer."""
        for wallet, held in list(self.held.items()):
            for token_id in token_ids & held.keys():
                del held[token_id]
            if not held:
                del self.held[wallet]

    def _priced(self, wallet: str, token_id: str, size: int, price: int, at_s: int) -> int:
        position = self.of(wallet, token_id)
        if size >= 0:
            position.buy(size, multiply_floor(price, size), 0, at_s)
            return 0
        return position.sell(-size, multiply_floor(price, -size), at_s)

    def _sent(self, wallet: str, token_id: str, size: int, at_s: int) -> None:
        """Book a transfer: it has no price, and no profit."""
        position = self.of(wallet, token_id)
        if size >= 0:
            position.buy(size, 0, 0, at_s)
        else:
            position.give(-size, at_s)

    def _carried(self, event: FundsMoved, at_s: int) -> int:
        """Book a conversion: what was given passes its cost on, what came back in cash lowers it."""
        given = sum(self.of(event.account, token).give(-size, at_s) for token, size in event.tokens.items() if size < 0)
        gotten = {token: size for token, size in event.tokens.items() if size > 0}
        left, realized = given - event.cash, 0
        if left < 0 or not gotten:
            left, realized = 0, event.cash - given
        for number, (token, size) in enumerate(gotten.items()):
            part = left // (len(gotten) - number)
            left -= part
            self.of(event.account, token).buy(size, part, 0, at_s)
        return realized
