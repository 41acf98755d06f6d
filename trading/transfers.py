"""Shares that came to the wallet or left it without a trade, and the proof that they did before the books follow.

A difference in shares is taken for a transfer when nothing else can explain it: it has stayed the same for a minute and over rounds between which the
venue read it anew, nothing is on its way, no trade in the market waits to be booked, nothing halts the market, the catalogue says that it still
trades (a redemption burns shares too), and the cash did not move the other way, as it does in a trade, a merge or a redemption. Shares of both
outcomes of a market, or of an exclusive event in both directions, are a split, merge or conversion whose money is not seen: never a transfer.

What comes is booked at the best bid of that moment and waits until there is one; what goes leaves at average cost. What cannot be proved is left to
the caller, who halts the market where something of it is held. Shares of a market of which nothing is held count from the size of the smallest order:
less could never be sold, and anybody can send it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import NamedTuple

import structlog

from domain.errors import JournalUnavailableError, MarketConflictError, VenueError
from domain.halt import HaltScope
from domain.ledger import EntryKind
from domain.market import Market
from domain.money import MICRO
from trading.desk import Desk
from trading.outside import Leg, OutsideMove, as_trades
from trading.positions import DUST

PATIENCE_NS = 60_000_000_000
"""How long a difference must stay the same: the venue's index and its copies of balances lag behind its chain."""
_MOST_AT_ONCE = 5
"""How many markets are read again in one round."""

_log = structlog.get_logger(__name__)


class _Seen(NamedTuple):
    """A difference, and when it was first seen to be just that."""

    difference: int
    since_ns: int


class Transfers:
    """The transfers of one account.

    Args:
        market_of: finds the unresolved market of a token, None when there is none.
        bid_of: returns the best bid for a token, 0 when nobody bids, None when that is not known.
        read_again: takes over a market as the venue has it now.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        market_of: Callable[[str], Market | None],
        bid_of: Callable[[str], int | None],
        read_again: Callable[[Market], Awaitable[None]],
    ) -> None:
        self._desk = desk
        self._market_of = market_of
        self._bid_of = bid_of
        self._read_again = read_again
        self._seen: dict[str, _Seen] = {}
        self._read: set[str] = set()

    @property
    def awaited(self) -> dict[str, Market]:
        """Return the tokens that are looked at, with their markets: read them in every round, and know their prices."""
        return {token_id: market for token_id in self._seen if (market := self._market_of(token_id)) is not None}

    async def confirm(self, differences: Mapping[str, int]) -> None:
        """Read the markets again of what has lasted; call it before the last look at whether the account is quiet."""
        lasting = {market.id: market for _, market in self._lasting(differences)}
        self._read.clear()
        for market in list(lasting.values())[:_MOST_AT_ONCE]:
            try:
                await self._read_again(market)
            except (VenueError, JournalUnavailableError, MarketConflictError) as error:
                _log.warning("a market could not be read again", market=market.id, error=str(error))
                return
            self._read.add(market.id)

    def adopt(self, differences: Mapping[str, int], cash: int) -> set[str]:
        """Book what is proved, return the tokens whose proof is still to come; `differences` and `cash` are venue minus ours, where they differ."""
        now, waiting, seen = self._desk.clock.now_ns(), set[str](), dict[str, _Seen]()
        lasting = {token_id for token_id, market in self._lasting(differences) if market.id in self._read}
        for token_id, market in self._possible(differences):
            difference, before = differences[token_id], self._seen.get(token_id)
            if difference * cash < 0:
                continue
            price = self._bid_of(token_id) if difference > 0 else self._average_cost(token_id)
            if token_id in lasting and price is not None:
                self._book(market, token_id, difference, price, now)
                continue
            waiting.add(token_id)
            seen[token_id] = (
                before if before is not None and before.difference == difference else _Seen(difference, now)
            )
        self._seen = seen
        return waiting

    def _lasting(self, differences: Mapping[str, int]) -> Iterator[tuple[str, Market]]:
        """Return what may be a transfer and has been the same for long enough."""
        latest = self._desk.clock.now_ns() - PATIENCE_NS
        for token_id, market in self._possible(differences):
            seen = self._seen.get(token_id)
            if seen is not None and seen.difference == differences[token_id] and seen.since_ns <= latest:
                yield token_id, market

    def _possible(self, differences: Mapping[str, int]) -> list[tuple[str, Market]]:
        """Return the tokens whose difference may be a transfer, by itself and beside the others of its market or exclusive event."""
        if self._desk.portfolio.damaged:
            return []
        events: defaultdict[str, list[tuple[str, Market]]] = defaultdict(list)
        for token_id in differences:
            market = self._market_of(token_id)
            if market is not None:
                event = market.group_id if market.neg_risk and market.group_id is not None else market.id
                events[event].append((token_id, market))
        return [
            (token_id, market)
            for tokens in events.values()
            if len({market.id for _, market in tokens}) == len(tokens)
            and len({differences[token_id] > 0 for token_id, _ in tokens}) == 1
            for token_id, market in tokens
            if self._stands_alone(token_id, market, differences[token_id])
        ]

    def _stands_alone(self, token_id: str, market: Market, difference: int) -> bool:
        """Tell whether nothing in its market explains a difference, or speaks against touching it."""
        portfolio, halts = self._desk.portfolio, self._desk.halts
        if not market.tradable or halts.get(HaltScope.MARKET, market.id) is not None:
            return False
        if any(trade.condition_id == market.condition_id for trade in portfolio.unbooked()):
            return False
        held = [position for each in market.token_ids for position in portfolio.positions.holding(each)]
        if any(position.holding.size <= -DUST for position in held):
            return False
        if difference < 0:
            free = min(
                portfolio.available_tokens(token_id),
                sum(p.holding.size for p in portfolio.positions.of_token(token_id)),
            )
            return free + difference >= -DUST
        return bool(held) or difference >= market.min_size

    def _average_cost(self, token_id: str) -> int:
        positions = self._desk.portfolio.positions.holding(token_id)
        size = sum(position.holding.size for position in positions)
        return sum(position.holding.cost for position in positions) * MICRO // size if size > 0 else 0

    def _book(self, market: Market, token_id: str, difference: int, price: int, now_ns: int) -> None:
        portfolio = self._desk.portfolio
        kind = EntryKind.TRANSFER_IN if difference > 0 else EntryKind.TRANSFER_OUT
        leg = Leg(market, market.token_index(token_id), min(max(price, 1), MICRO - 1), difference)
        self._desk.audit("transfer_adopted", kind=kind, market=market.id, token=token_id, size=difference, price=price)
        for report in as_trades(OutsideMove(kind=kind, legs=(leg,), cash=0), portfolio.positions, now_ns):
            self._desk.apply(portfolio.apply_trade(report, now_ns=now_ns, kind=kind))
