"""Inputs of every kind, at random, with faults and operations on the chain: none breaks the venue, and a killed one goes on exactly."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from types import UnionType
from typing import Any, get_args

import pytest
from eth_abi.abi import encode

from tests.venues.simulator.kit import START_NS, WARM_SECONDS, CountingIds, ManualClock
from tests.venues.simulator.picture import picture
from venues.exchange.rules import MAX_AMOUNT
from venues.simulator.chain.machine import CONTRACTS
from venues.simulator.chain.pool import Signed
from venues.simulator.chain.relays import RelayCall, RelayRequest
from venues.simulator.contracts import ONRAMP, USDC_E
from venues.simulator.inputs import (
    Cancel,
    CancelMarket,
    ChangeTick,
    CreateKey,
    DeleteKey,
    Divert,
    DropNotices,
    EndEvent,
    Fund,
    Heartbeat,
    HoldOrders,
    Input,
    IssueKey,
    Place,
    Reorg,
    Reread,
    RestartEngine,
    SetAccount,
    SetEngine,
    SetMarket,
    SetSwitch,
    Tick,
)
from venues.simulator.venue import Options, Venue
from venues.simulator.world.universe import NANOS
from venues.simulator.world.wallets import KeyKind

OWNERS = [f"0x{number:040x}" for number in (0x1001, 0x1002, 0x1003)]
AMOUNTS = (0, 1, 1_000_000, 7_654_321, 50_000_000, 10**15, 3 * 10**15, 2**255)


class Mischief:
    """Draws inputs for one venue. Addresses are all digits, so that they are checksummed as they stand."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self._venue = venue
        self._world = venue.world
        self._rng = random.Random(seed)
        self._orders = 0

    def draw(self) -> Input:
        """Return one input of any kind but a tick."""
        return self._rng.choice(list(self.kinds().values()))()

    def kinds(self) -> dict[type, Callable[[], Input]]:
        """Return what makes an input of each kind."""
        pick = self._rng.choice
        return {
            CreateKey: lambda: CreateKey(pick(OWNERS), pick((0, 1))),
            IssueKey: lambda: IssueKey(pick(OWNERS), pick(("readonly", "builder"))),
            DeleteKey: lambda: DeleteKey(self._key() if self._rng.random() < 0.2 else "unknown"),
            Heartbeat: lambda: Heartbeat(self._key()),
            DropNotices: lambda: DropNotices((pick(OWNERS),), pick(((), (1, 2)))),
            Fund: self._fund,
            Place: self._place,
            Cancel: lambda: Cancel((pick(OWNERS),), tuple(self._world.history.orders)[-3:]),
            CancelMarket: lambda: CancelMarket((pick(OWNERS),), pick(("", self._condition())), ""),
            EndEvent: lambda: EndEvent(self._listing().event.id if self._rng.random() < 0.1 else "0"),
            RelayRequest: self._relay,
            Signed: self._signed,
            Reread: lambda: Reread(pick(OWNERS)),
            Reorg: lambda: Reorg(pick((1, 2, 5))),
            SetEngine: lambda: SetEngine(pick(("open", "post_only", "cancel_only", "disabled", "down")), 300),
            RestartEngine: lambda: RestartEngine(200, 200, pick(("kept", "cancelled", "lost"))),
            SetAccount: lambda: SetAccount(pick(OWNERS), pick(("normal", "closed_only", "banned"))),
            SetSwitch: lambda: SetSwitch(pick(("geoblock", "refusals_in_200")), pick((True, False))),
            SetMarket: lambda: SetMarket(
                self._condition(), pick(("ready", "not_ready", "no_book")), pick((True, False))
            ),
            ChangeTick: lambda: ChangeTick(self._condition(), pick((1_000, 10_000, 2_500))),
            HoldOrders: lambda: HoldOrders(self._condition(), pick((0, 500, -1))),
            Divert: self._divert,
        }

    def _fund(self) -> Fund:
        asset = self._rng.choice(("pusd", "usdce"))
        return Fund(self._rng.choice(OWNERS), OWNERS[0], 0, self._rng.choice(AMOUNTS[1:6]), True, asset)

    def _place(self) -> Place:
        self._orders += 1
        rng, listing = self._rng, self._listing()
        token_id = rng.choice(listing.spec.token_ids)
        price, shares = rng.randint(1, 99) * 10_000, rng.randint(1, 60) * 1_000_000
        buys, kind = rng.random() < 0.6, rng.choice(("GTC", "GTC", "GTD", "FOK", "FAK"))
        cash = price * shares // 1_000_000
        return Place(
            order_id=f"0x{self._orders:064x}",
            account=rng.choice(OWNERS),
            api_key=self._key(),
            token_id=token_id,
            side="buy" if buys else "sell",
            maker_amount=cash if buys else shares,
            taker_amount=shares if buys else cash,
            order_type=kind,
            post_only=kind == "GTC" and rng.random() < 0.2,
            expiration=self._venue.now_ns() // NANOS + 200 if kind == "GTD" else 0,
            builder=rng.choice(("", "0x" + "0" * 63 + "1")),
        )

    def _divert(self) -> Divert:
        trades = [trade.id for trade in self._world.exchange.unsettled_trades()] or ["none"]
        steps = self._rng.choice(((), ((1.0, "FAILED"),), ((0.5, "RETRYING"), (1.0, "MINED"), (2.0, "CONFIRMED"))))
        return Divert(self._rng.choice(trades), steps)

    def _relay(self) -> RelayRequest:
        wallet, calls = self._rng.choice(OWNERS), [self._call() for _ in range(self._rng.randint(0, 4))]
        kind = self._rng.choice(("WALLET", "SAFE", "PROXY", "WALLET-CREATE"))
        return RelayRequest(
            kind=kind,
            owner=wallet,
            wallet=wallet,
            to=wallet,
            nonce=self._world.chain.accounts.nonce(wallet),
            signature="0x",
            submitter=wallet,
            calls=() if kind == "WALLET-CREATE" else tuple(RelayCall(target, data) for target, data in calls),
        )

    def _signed(self) -> Signed:
        sender, (target, data) = self._rng.choice(OWNERS), self._call()
        nonce = self._world.chain.pool.next_nonce(sender, self._world.chain.accounts.nonce(sender))
        return Signed(
            hash=f"0x{self._rng.getrandbits(256):064x}",
            sender=sender,
            to=target,
            data=data,
            nonce=nonce,
            gas=900_000,
            gas_price="30000000000",
            value="0",
        )

    def _call(self) -> tuple[str, str]:
        """Return a call of any function of any contract, with arguments that mean something now and then."""
        target = self._rng.choice(list(CONTRACTS))
        function = self._rng.choice(list(CONTRACTS[target].values())).function
        values = [self._value(kind) for kind in function.arguments]
        return target, "0x" + (function.selector + encode(function.arguments, values)).hex()

    def _value(self, kind: str) -> Any:
        rng, listing = self._rng, self._listing()
        if kind.endswith("[]"):
            return [self._value(kind[:-2])] * rng.randint(0, 2)
        if kind == "uint256":
            return rng.choice((*AMOUNTS, *map(int, listing.spec.token_ids)))
        if kind == "bytes32":
            ids = (listing.spec.condition_id, listing.event.neg_risk_market_id or listing.spec.condition_id)
            return bytes.fromhex(rng.choice(ids)[2:])
        if kind == "bytes31":
            return bytes.fromhex(listing.spec.condition_id[2:-2])
        if kind == "address":
            return rng.choice((*OWNERS, *CONTRACTS))
        return {"bool": True, "bytes": b""}[kind]

    def _key(self) -> str:
        keys = [key for owner in OWNERS for key in self._world.wallets.keys_of(owner, KeyKind.TRADING)]
        return self._rng.choice(keys).key if keys else "none"

    def _listing(self) -> Any:
        return self._rng.choice(list(self._world.listings.markets.values()))

    def _condition(self) -> str:
        return str(self._listing().spec.condition_id)


def members(union: Any) -> set[Any]:
    """Return the kinds of a union, those of its parts too."""
    return {one for part in get_args(union) for one in (members(part) if isinstance(part, UnionType) else {part})}


@pytest.mark.parametrize("seed", range(3))
def test_inputs_of_any_kind_leave_a_venue_that_goes_on_exactly_when_killed(venue_folder, tmp_path, seed):
    clock = ManualClock(START_NS + (WARM_SECONDS + 60) * NANOS)
    venue = Venue.open(venue_folder, clock, CountingIds(), Options())
    mischief = Mischief(venue, seed)
    for owner in OWNERS:
        venue.submit(Fund(owner, owner, 0, 500_000_000))
    for number in range(700):
        clock.move(0.05)
        venue.submit(mischief.draw())
        venue.submit(Tick(venue.world.mark()))
        if number == 350:
            venue._write_snapshot(*venue._cut())
    copy = shutil.copytree(venue_folder, tmp_path / "killed")
    again = Venue.open(copy, clock, CountingIds(), Options())
    assert picture(again.world) == picture(venue.world)
    again.close()
    venue.close()


def test_mischief_knows_every_kind_of_input(venue_folder):
    venue = Venue.open(venue_folder, ManualClock(), CountingIds(), Options())
    assert set(Mischief(venue, 0).kinds()) == members(Input) - {Tick}
    venue.close()


def test_wrapping_more_than_the_exchange_takes_at_once_reverts(venue_folder):
    clock, owner = ManualClock(START_NS + (WARM_SECONDS + 60) * NANOS), OWNERS[0]
    venue = Venue.open(venue_folder, clock, CountingIds(), Options())
    for _ in range(2):
        venue.submit(Fund(owner, owner, 0, MAX_AMOUNT, asset="usdce"))
    wrap = next(entry.function for entry in CONTRACTS[ONRAMP].values() if entry.function.name == "wrap")
    data = wrap.selector + encode(wrap.arguments, (USDC_E, owner, 2 * MAX_AMOUNT))
    venue.submit(
        Signed(
            hash="0x" + "ab" * 32,
            sender=owner,
            to=ONRAMP,
            data="0x" + data.hex(),
            nonce=0,
            gas=900_000,
            gas_price="30000000000",
            value="0",
        )
    )
    for _ in range(60):
        clock.move(0.05)
        venue.submit(Tick(venue.world.mark()))
    found = venue.world.chain.blocks.find("0x" + "ab" * 32)
    assert found is not None
    assert not found[2].ok
    assert venue.world.exchange.balance(owner).settled == 0
    venue.close()
