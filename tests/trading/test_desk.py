"""Every change goes to the journal first and then to everyone who listens; alarms halt at once."""

from __future__ import annotations

import asyncio

from domain.errors import JournalError, VenueError
from domain.fill import Fill
from domain.halt import HaltScope
from domain.ledger import LedgerEntry
from domain.money import MICRO
from domain.order import Effect, OrderSide, OrderStatus
from domain.ports import OrderState
from domain.position import Position
from tests.trading import factories as f
from tests.trading.kit import Rig
from tests.waiting import virtual
from trading.change import Change
from trading.desk import describe


@virtual
async def test_the_rows_of_a_change_are_handed_over_before_anyone_hears_of_it(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.changes.clear()
    handed_over: list[int] = []
    rig.desk._notify = lambda change: handed_over.append(len(rig.journal.submitted))
    before = len(rig.journal.submitted)

    rig.fill(own, 4 * MICRO)

    kinds = [type(row) for row in rig.journal.submitted[before:]]
    assert kinds == [Fill, LedgerEntry, LedgerEntry, LedgerEntry, LedgerEntry, Position, OrderState]
    assert handed_over == [len(rig.journal.submitted)]


@virtual
async def test_a_fill_and_all_it_changed_are_one_submission(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    await asyncio.sleep(0.1)
    rig.tables.rows["positions"].clear()

    rig.fill(own, 4 * MICRO)
    await asyncio.sleep(0.1)

    assert [row["filled_units"] for row in rig.tables.rows["orders"]] == [4 * MICRO]
    assert len(rig.tables.rows["fills"]) == len(rig.tables.rows["positions"]) == 1


@virtual
async def test_evidence_that_changes_nothing_is_neither_written_nor_told(clock) -> None:
    rig = Rig(clock)
    rig.desk.apply(Change())

    assert rig.journal.submitted == []
    assert rig.changes == []


@virtual
async def test_an_alarm_halts_its_market_in_the_same_breath_and_is_audited(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()

    rig.fill(own, 50 * MICRO)

    (halt,) = rig.halts.active()
    assert (halt.scope, halt.target, halt.set_by) == (HaltScope.MARKET, "m1", "polybot")
    assert [record.event for record in rig.audited("halt_set")] == ["halt_set"]
    assert rig.audited("fill_quarantined")[0].detail["size"] == 50 * MICRO
    assert rig.refusal(token_id=f.NO) == "halted"


@virtual
async def test_a_broken_desk_writes_nothing_more_and_says_so_once(clock) -> None:
    rig = Rig(clock)
    own = await rig.place()
    rig.desk.fail("disk full")
    rig.desk.fail("and again")
    before = len(rig.journal.submitted)

    rig.fill(own, 4 * MICRO)
    rig.desk.audit("anything")

    assert rig.broken == ["disk full"]
    assert rig.journal.submitted[before:] == []
    assert own.filled == 4 * MICRO


@virtual
async def test_a_broken_desk_sends_nothing_more(clock) -> None:
    rig = Rig(clock)
    rig.desk.fail("disk full")

    own = await rig.place()

    assert rig.venue.calls("send") == []
    assert own.status is OrderStatus.REJECTED


@virtual
async def test_what_opens_is_halted_and_what_reduces_is_not(clock) -> None:
    rig = Rig(clock)
    rig.desk.halt(HaltScope.ALL, "", reason="odd", set_by="ada")

    assert rig.desk.halted(f.draft()) == "halted: odd"
    assert rig.desk.halted(f.draft(side=OrderSide.SELL, effect=Effect.REDUCE)) == ""


def test_errors_of_ours_speak_for_themselves_and_others_name_their_type() -> None:
    assert describe(VenueError("away")) == "away"
    assert describe(JournalError("disk full")) == "disk full"
    assert describe(RuntimeError("a bug")) == "RuntimeError: a bug"
