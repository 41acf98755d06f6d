"""What the venue's data services know beside the exchange: activity and positions, prices over time, rewards and rebates.

It hears every event and is called once a minute; everything else is computed when somebody asks. Rewards and rebates of a day are paid
soon after its end (UTC), to clients only, where a wallet is due at least a dollar.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from domain.fill import FillStatus
from domain.money import MICRO
from venues.exchange.commands import Deposit
from venues.exchange.events import Event, FundsMoved, FundsReason, TradeMoved
from venues.simulator.rewards.liquidity import DAY_NS, Rewards
from venues.simulator.rewards.rebates import Rebates
from venues.simulator.world.floor import Floor
from venues.simulator.world.ledger import Ledger
from venues.simulator.world.listings import Listing
from venues.simulator.world.price_history import PriceHistory
from venues.simulator.world.universe import NANOS

PAYOUT_MINIMUM = MICRO


class Indexer:
    """The data services' memory. `clients` are the wallets of the wire; agents' own deposits are not worth remembering."""

    def __init__(self, floor: Floor, seed: int, venue_id: str, clients: Collection[str]) -> None:
        self.ledger = Ledger(venue_id)
        self.prices = PriceHistory()
        self.rewards = Rewards(floor.exchange, floor.listings, seed)
        self.rebates = Rebates()
        self._floor = floor
        self._clients = clients
        self._paid_before = floor.now_ns // DAY_NS

    def start(self) -> None:
        """Plan the first minute."""
        self._plan()

    def observe(self, event: Event) -> None:
        """Book what settled."""
        if isinstance(event, TradeMoved):
            if event.trade.status is FillStatus.CONFIRMED:
                self.ledger.confirmed(event.trade)
                listing = self._floor.listings.by_condition(event.trade.condition_id)
                if listing:
                    self.rebates.confirmed(event.trade, listing)
        elif isinstance(event, FundsMoved) and (event.tokens or event.account in self._clients):
            payouts = self._payouts(event.condition_id)
            self.ledger.moved(event, payouts, self._floor.now_ns, self._floor.transaction_hash)

    def minute(self) -> None:
        """Note prices, sample rewards, and pay for days that are over."""
        now_ns = self._floor.now_ns
        for listing in self._floor.listings.open():
            bid, ask = self._floor.exchange.best(listing.spec.token_ids[0])
            self.prices.add(listing.spec.condition_id, now_ns // NANOS, (bid + ask) // 2)
        self.rewards.sample(now_ns)
        for day in range(self._paid_before, now_ns // DAY_NS):
            self._pay(day)
        self._paid_before = now_ns // DAY_NS
        self._plan()

    def forget(self, listings: Iterable[Listing]) -> None:
        """Drop what concerns markets that are listed no longer."""
        gone = list(listings)
        self.ledger.forget(gone)
        self.prices.forget([listing.spec.condition_id for listing in gone])

    def _plan(self) -> None:
        self._floor.schedule.add(self.rewards.next_sample_ns(self._floor.now_ns), "minute")

    def _pay(self, day: int) -> None:
        for wallet in sorted(self._clients):
            for due, reason in (
                (self.rewards.earnings(wallet, day), FundsReason.REWARD),
                (self.rebates.due(wallet, day), FundsReason.MAKER_REBATE),
            ):
                amount = sum(due.values())
                if amount >= PAYOUT_MINIMUM:
                    self._floor.do(Deposit(wallet, amount, reason))

    def _payouts(self, condition_id: str) -> dict[str, int]:
        """Return what each token of a resolved market pays."""
        market, paid = self._floor.exchange.market(condition_id), self._floor.exchange.payouts(condition_id)
        return dict(zip(market.token_ids, paid, strict=True)) if market and paid else {}
