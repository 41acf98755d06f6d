"""The cast of agents: three makers, two rivals, takers that trade for no reason or in panic, and one trader that knows what is coming.

They hear of every trade and of every order of theirs that ended; what they plan to do comes back to them by the names in `tasks`.
"""

from __future__ import annotations

from collections.abc import Callable

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from venues.exchange.events import TradeView
from venues.simulator.agents.informed import Informed
from venues.simulator.agents.market_makers import MarketMaker, Style
from venues.simulator.agents.rival_makers import RivalMakers
from venues.simulator.agents.takers import Takers, Temper
from venues.simulator.world.floor import Floor
from venues.simulator.world.lifecycle import Quoter

_REACTION_SECONDS = (0.03, 0.15)
"""How long rivals take to see who has traded."""

Task = Callable[..., object]


class Agents:
    """All agents of one venue."""

    def __init__(self, floor: Floor, venue_id: str) -> None:
        self._floor = floor
        self._makers = [MarketMaker(floor, number, style) for number, style in enumerate(_styles(venue_id))]
        self._makers_by_account = {maker.style.account: maker for maker in self._makers}
        self._rivals = RivalMakers(floor, (agent_address(venue_id, "rival"), agent_address(venue_id, "other rival")))
        self._takers = Takers(floor, agent_address(venue_id, "noise"), agent_address(venue_id, "panic"), Temper())
        self._informed = Informed(floor, agent_address(venue_id, "informed"))

    @property
    def quoters(self) -> list[Quoter]:
        """Those who must hear of markets that open and end."""
        return [*self._makers, self._rivals]

    def start(self) -> None:
        """Plan the first acts of those who do not wait for a market."""
        self._takers.start()
        self._informed.start()

    def tasks(self) -> dict[str, Task]:
        """Return what each planned act is called and done by."""
        return {
            "quote": lambda number, condition_id: self._makers[number].quote(condition_id),
            "glance": lambda number, condition_id: self._makers[number].glance(condition_id),
            "noise": self._takers.noise,
            "panic": self._panic,
            "swing": self._takers.swing,
            "calm_down": self._takers.calm_down,
            "rival": self._rivals.look,
            "pull": self._rivals.pull,
            "learn": self._informed.learn,
            "strike": self._strike,
        }

    def order_ended(self, account: str, order_id: str) -> None:
        """Hear that an order is open no more."""
        if maker := self._makers_by_account.get(account):
            maker.order_ended(order_id)

    def order_lost(self, order_id: str) -> None:
        """Hear that an order of somebody is gone without a trace."""
        for maker in self._makers:
            maker.order_ended(order_id)

    def traded(self, trade: TradeView) -> None:
        """Hear of a trade."""
        if trade.account == self._informed.account:
            self._floor.soon(*_REACTION_SECONDS, "pull", trade.condition_id)
        # A filled level is missing from a ladder: whoever owned it looks sooner than it planned to.
        for fill in trade.makers:
            if maker := self._makers_by_account.get(fill.account):
                maker.hurry(trade.condition_id)

    def _panic(self) -> None:
        condition_id = self._takers.panic()
        if condition_id:
            self._hurry(condition_id)

    def _strike(self, condition_id: str, value: float) -> None:
        if self._informed.strike(condition_id, value):
            self._hurry(condition_id)

    def _hurry(self, condition_id: str) -> None:
        for maker in self._makers:
            maker.hurry(condition_id)


def agent_address(venue_id: str, name: str) -> str:
    """Return the address of an agent's account."""
    return to_checksum_address(keccak(text=f"{venue_id}/agent/{name}")[-20:])


def _styles(venue_id: str) -> list[Style]:
    """Return the venue's makers: one tight, one broad that buys the opposite outcome, one deep and slow."""
    tight, broad, deep = (agent_address(venue_id, name) for name in ("tight", "broad", "deep"))
    return [
        Style(tight, 0.006, 0.01, 5, (20, 160), 0.004, (0.4, 0.9), (0.08, 0.35), buys_no=False),
        Style(broad, 0.017, 0.015, 5, (60, 300), 0.009, (1.2, 2.5), (0.2, 0.7), buys_no=True),
        Style(deep, 0.07, 0.05, 5, (200, 900), 0.02, (5.0, 10.0), (0.8, 2.0), buys_no=False),
    ]
