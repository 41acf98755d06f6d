"""Halts: what is stopped, where, by whom; durable, restored, lifted by a named person."""

from __future__ import annotations

import asyncio

import pytest

from domain.halt import HaltScope
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual
from trading.halts import Halts


def halts() -> Halts:
    return Halts(f.ACCOUNT)


@pytest.mark.parametrize(
    ("scope", "target", "stops"),
    [
        (HaltScope.ALL, "", True),
        (HaltScope.VENUE, "polymarket", True),
        (HaltScope.VENUE, "kalshi", False),
        (HaltScope.MARKET, "m1", True),
        (HaltScope.MARKET, "m2", False),
        (HaltScope.STRATEGY, "test", True),
        (HaltScope.STRATEGY, "other", False),
        (HaltScope.ARBITRAGE, "", False),
    ],
)
def test_a_halt_stops_exactly_its_scope(scope, target, stops) -> None:
    active = halts()
    active.set(scope, target, reason="odd", set_by="ada", now_ns=f.NOW)

    assert (active.blocking(f.market(), "test") is not None) == stops


def test_a_halt_of_arbitrage_stops_legs_and_nothing_else() -> None:
    active = halts()
    active.set(HaltScope.ARBITRAGE, "", reason="odd", set_by="ada", now_ns=f.NOW)

    assert active.blocking(f.market(), "test", arbitrage=True) is not None
    assert active.blocking(f.market(), "test", arbitrage=False) is None


def test_the_widest_halt_is_the_one_that_is_named() -> None:
    active = halts()
    for scope, target in ((HaltScope.STRATEGY, "test"), (HaltScope.MARKET, "m1"), (HaltScope.ALL, "")):
        active.set(scope, target, reason=scope.value, set_by="ada", now_ns=f.NOW)

    assert active.blocking(f.market(), "test").scope is HaltScope.ALL


def test_the_first_reason_stays_and_a_second_halt_is_no_news() -> None:
    active = halts()
    assert active.set(HaltScope.ALL, "", reason="first", set_by="ada", now_ns=f.NOW) is not None
    assert active.set(HaltScope.ALL, "", reason="second", set_by="bob", now_ns=f.NOW) is None
    assert [halt.reason for halt in active.active()] == ["first"]


def test_only_a_named_person_lifts_a_halt() -> None:
    active = halts()
    active.set(HaltScope.ALL, "", reason="odd", set_by="ada", now_ns=f.NOW)

    for nobody in ("", "  "):
        with pytest.raises(ValueError, match="named person"):
            active.lift(HaltScope.ALL, "", lifted_by=nobody, now_ns=f.NOW)
    assert active.active()
    lifted = active.lift(HaltScope.ALL, "", lifted_by="bob", now_ns=f.NOW)
    assert (lifted.lifted_by, active.active()) == ("bob", [])
    assert active.lift(HaltScope.ALL, "", lifted_by="bob", now_ns=f.NOW) is None


@virtual
async def test_a_halt_survives_a_restart_until_it_is_lifted(clock) -> None:
    rig = Rig(clock)
    rig.desk.halt(HaltScope.MARKET, "m1", reason="odd", set_by="ada")
    assert not rig.desk.halt(HaltScope.MARKET, "m1", reason="odder", set_by="ada")
    await asyncio.sleep(0.1)

    restored = halts()
    restored.restore((await rig.journal.load()).halts)
    assert restored.blocking(f.market(), "x").reason == "odd"

    assert rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="bob")
    await asyncio.sleep(0.1)
    assert (await rig.journal.load()).halts == ()
    assert [record.event for record in rig.written(type(rig.audited("halt_set")[0]))] == ["halt_set", "halt_lifted"]
    assert not rig.desk.resume(HaltScope.MARKET, "m1", lifted_by="bob")
