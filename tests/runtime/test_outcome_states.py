"""Every HTTP outcome × every order request → the resulting order state: the real client and the trading desk on the simulated venue.

A placement's answer moves the order at once (`rejected` on proof, `unknown` in doubt). Afterwards the venue is read, and the order's state is what is
true there: `live` when it was taken, whatever the answer claimed, and `rejected` when it never was. A cancel is repeated until the order is gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from domain.errors import VenueError
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderStatus
from domain.ports import Lease
from tests.trading.kit import ABSENCE, Rig
from tests.venues.polymarket.pacing import NoLimits, Unpaced
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from tests.venues.simulator.kit import CountingIds, RunningVenue
from trading.own_orders import OwnOrder
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.connect import open_public, open_trading
from venues.polymarket.gateway import PolymarketGateway
from venues.polymarket.order_connection import OrderConnection
from venues.polymarket.signer import LocalSigner
from venues.simulator.faults.answers import ANSWERS
from venues.simulator.faults.armed import Armed
from venues.simulator.faults.model import Answer, Cut, Half, Kind, Silence, When, Where

pytestmark = pytest.mark.protocol("3.3", "3.6", "3.10", "9.7", "9.18", "9.20")

S = OrderStatus
REJECTED, UNKNOWN = S.REJECTED, S.UNKNOWN
ANSWERS_WITHIN = 30.0

# fmt: off
TABLE: dict[str, tuple[Kind, OrderStatus]] = {
    # what happens to a placement    how                                            the order's state at once
    "no answer":                     (Silence(),                                    UNKNOWN),
    "reset":                         (Cut(reset=True),                              UNKNOWN),
    "closed":                        (Cut(reset=False),                             UNKNOWN),
    "half an answer":                (Half(),                                       UNKNOWN),
    "400 nobody documented":         (Answer(status=400, body='{"error":"what?"}'), UNKNOWN),
    "401":                           (Answer(name="unauthorized_401"),              REJECTED),
    "403 page":                      (Answer(name="cloudflare_403"),                REJECTED),
    "400 banned":                    (Answer(name="banned_400"),                    REJECTED),
    "400 closed only":               (Answer(name="closed_only_400"),               REJECTED),
    "400 no balance":                (Answer(name="no_balance_400"),                REJECTED),
    "404 no book":                   (Answer(name="no_orderbook_404"),              REJECTED),
    "425":                           (Answer(name="restarting_425"),                UNKNOWN),
    "425 without Retry-After":       (Answer(name="restarting_425_bare"),           UNKNOWN),
    "429":                           (Answer(name="too_many_requests_429"),         REJECTED),
    "429 without Retry-After":       (Answer(name="too_many_requests_429_bare"),    REJECTED),
    "500 timed out":                 (Answer(name="order_timed_out_500"),           UNKNOWN),
    "500 not inserted":              (Answer(name="could_not_insert_500"),          UNKNOWN),
    "500 not run":                   (Answer(name="could_not_run_500"),             UNKNOWN),
    "500 no matching orders":        (Answer(name="no_matching_orders_500"),        UNKNOWN),
    "500 killed":                    (Answer(name="killed_500"),                    UNKNOWN),
    "500 rounding":                  (Answer(name="rounding_500"),                  UNKNOWN),
    "500 discrepancy":               (Answer(name="discrepancy_500"),               UNKNOWN),
    "500":                           (Answer(name="internal_500"),                  UNKNOWN),
    "502":                           (Answer(name="bad_gateway_502"),               UNKNOWN),
    "504":                           (Answer(name="gateway_timeout_504"),           UNKNOWN),
    "503 disabled":                  (Answer(name="disabled_503"),                  UNKNOWN),
    "503 cancel-only":               (Answer(name="cancel_only_503"),               REJECTED),
    "503 post-only":                 (Answer(name="post_only_503"),                 REJECTED),
    "200 page":                      (Answer(name="maintenance_page_200"),          UNKNOWN),
    "200 malformed":                 (Answer(name="malformed_200"),                 UNKNOWN),
    "200 empty":                     (Answer(name="empty_200"),                     UNKNOWN),
    "200 null":                      (Answer(name="null_200"),                      UNKNOWN),
    "200 number":                    (Answer(name="number_200"),                    UNKNOWN),
}
# fmt: on
ALONE: dict[str, tuple[Kind, OrderStatus]] = {
    "200 no balance": (Answer(name="no_balance_200"), REJECTED),
    "200 not ready": (Answer(name="not_ready_200"), REJECTED),
    "200 match delayed": (Answer(name="match_delayed_200"), UNKNOWN),
    "200 nobody documented": (Answer(name="unknown_error_200"), UNKNOWN),
}
"""Answers about one order, which a batch or a cancel never gets."""


def test_the_table_names_every_answer_that_the_simulated_venue_can_give() -> None:
    tabled = {kind.name for kind, _ in (TABLE | ALONE).values() if isinstance(kind, Answer)}
    assert set(ANSWERS) <= tabled


@dataclass
class Desk:
    """An account on the simulated venue; `rig` makes a desk that knows nothing yet."""

    venue: RunningVenue
    gateway: PolymarketGateway
    market: Market

    def rig(self) -> Rig:
        rig = Rig(self.venue.clock, gateway=self.gateway)  # type: ignore[arg-type]  # told time by the venue's clock
        rig.lease.lease = Lease("sim:test", "me", 1, 1e12)
        rig.markets[self.market.id] = self.market
        return rig

    async def place(self, rig: Rig, count: int) -> list[OwnOrder]:
        """Place orders that rest at the bottom of the book, in one request."""
        self.venue.clock.move(10)  # the signer's budget fills up
        drafts = []
        for number in range(1, count + 1):
            decision = rig.decide(
                market=self.market,
                token_id=self.market.token_ids[0],
                price=number * self.market.tick,
                size=20 * MICRO,
                post_only=True,
            )
            assert decision.draft is not None, decision
            drafts.append(decision.draft)
        placed = await rig.flow.place_many(drafts)
        return [own for own in placed if own is not None]

    async def read(self, rig: Rig, orders: list[OwnOrder]) -> None:
        """Read until nothing is left to explain: at once, and when the venue has denied the orders for long enough."""
        for wait in (0, ABSENCE + 1):
            self.venue.clock.move(wait)
            await rig.reconciler.run()
            if not await rig.resolver.read(orders):
                raise VenueError("the venue could not be read")

    def open_at_venue(self) -> set[str]:
        return {order.id for order in self.venue.venue.world.exchange.open_orders(ADDRESS)}

    def arm(self, kind: Kind, where: Where, when: When) -> Armed:
        """Arm a fault. Only a venue that never answers is given up soon."""
        self.gateway._connection._answer_timeout = 0.6 if isinstance(kind, Silence) else ANSWERS_WITHIN
        return self.venue.arm(kind, where, when)

    def heal(self) -> None:
        self.venue.heal()
        self.gateway._connection._answer_timeout = ANSWERS_WITHIN

    async def sweep(self) -> None:
        self.heal()
        self.venue.clock.move(10)
        await self.gateway.cancel_all()
        assert not self.open_at_venue()


@pytest.fixture
async def desk(venue: RunningVenue) -> AsyncIterator[Desk]:
    ws = venue.url.replace("http", "ws")
    config = PolymarketConfig(account="sim:test", clob_url=venue.url, gamma_url=venue.url + "/gamma", ws_url=ws)
    public = open_public(config, clock=venue.clock, rng=Random(1), budgets=NoLimits())
    chosen = await venue.some_market()
    market = await public.catalog.market(chosen["conditionId"])
    assert market is not None
    await venue.fund(ADDRESS, "1000")
    trading = await open_trading(
        config, LocalSigner(PRIVATE_KEY), clock=venue.clock, ids=CountingIds(), rng=Random(1), budgets=NoLimits()
    )
    await trading.gateway.close()
    trading.gateway._connection = OrderConnection(venue.url, venue.clock, pace=Unpaced(), answer_timeout=ANSWERS_WITHIN)
    yield Desk(venue, trading.gateway, market)
    await trading.close()
    await public.close()


@pytest.mark.parametrize(
    ("path", "count", "taken"),
    [("/order", 1, False), ("/order", 1, True), ("/orders", 3, False), ("/orders", 3, True)],
    ids=["POST /order, not taken", "POST /order, taken", "POST /orders, not taken", "POST /orders, taken"],
)
async def test_a_placement_ends_in_the_state_that_is_true_at_the_venue(
    desk: Desk, path: str, count: int, taken: bool
) -> None:
    for happens, (kind, at_once) in (TABLE | (ALONE if count == 1 else {})).items():
        rig = desk.rig()
        stage = "after" if taken or isinstance(kind, Half) else "before"
        armed = desk.arm(kind, Where(method="POST", path=path), When(stage=stage))
        orders = await desk.place(rig, count)
        assert armed.struck == 1, happens
        assert [own.status for own in orders] == [at_once] * count, happens
        assert len(desk.open_at_venue()) == (count if stage == "after" else 0), happens

        await desk.read(rig, orders)

        true = S.LIVE if stage == "after" else S.REJECTED
        assert [own.status for own in orders] == [true] * count, happens
        assert desk.open_at_venue() == ({own.id for own in orders} if stage == "after" else set()), happens
        assert not rig.broken, happens
        await desk.sweep()


@pytest.mark.parametrize("taken", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize(("path", "count"), [("/order", 1), ("/orders", 3)], ids=["DELETE /order", "DELETE /orders"])
async def test_a_cancel_is_believed_only_when_it_is_proven_and_repeated_until_it_is_true(
    desk: Desk, path: str, count: int, taken: bool
) -> None:
    for happens, (kind, _) in TABLE.items():
        rig = desk.rig()
        orders = await desk.place(rig, count)
        assert [own.status for own in orders] == [S.LIVE] * count, happens
        stage = "after" if taken or isinstance(kind, Half) else "before"
        desk.arm(kind, Where(method="DELETE", path=path), When(stage=stage, times=2))

        await rig.flow.cancel_many(orders, "enough")
        assert [own.status for own in orders] == [S.CANCELLING] * count, happens
        assert all(own.reserved_cash for own in orders), "held until it is known"

        desk.heal()
        await rig.resolver.read(orders)
        desk.venue.clock.move(10)
        await rig.withdrawals.withdraw_due()
        await rig.resolver.read(orders)

        assert [own.status for own in orders] == [S.CANCELLED] * count, happens
        assert not desk.open_at_venue(), happens
        assert not any(own.reserved_cash for own in orders), happens


@pytest.mark.parametrize("request_of", ["cancel_all", "cancel_market"])
@pytest.mark.parametrize("taken", [False, True], ids=["not done", "done"])
async def test_a_cancel_of_everything_changes_no_state_before_the_venue_was_read(
    desk: Desk, request_of: str, taken: bool
) -> None:
    path = {"cancel_all": "/cancel-all", "cancel_market": "/cancel-market-orders"}[request_of]
    call: Any = {
        "cancel_all": desk.gateway.cancel_all,
        "cancel_market": lambda: desk.gateway.cancel_market(desk.market.condition_id),
    }[request_of]
    for happens, (kind, _) in TABLE.items():
        rig = desk.rig()
        orders = await desk.place(rig, 2)
        stage = "after" if taken or isinstance(kind, Half) else "before"
        desk.arm(kind, Where(method="DELETE", path=path), When(stage=stage, times=2))

        outcome = await call()
        assert outcome.cancelled == (), happens
        assert outcome.trouble is not None, happens

        desk.heal()
        desk.venue.clock.move(1)
        await rig.reconciler.run()
        await rig.resolver.read(orders)
        true = S.CANCELLED if stage == "after" else S.LIVE
        assert [own.status for own in orders] == [true] * 2, happens
        await desk.sweep()
