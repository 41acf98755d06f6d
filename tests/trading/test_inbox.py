"""Commands over a real PostgreSQL: each is carried out once, none after it expired, and the trader is woken by the commit."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import psycopg
import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from domain.errors import VenueError
from tests.trading import factories as f
from tests.waiting import until
from trading import commands, inbox
from trading.inbox import Inbox, PendingCommand
from trading.journal_postgres import PostgresJournal
from trading.models import AuditLog, Command


@pytest.fixture
async def journal(committed_database: str):
    made = PostgresJournal(committed_database, f.ACCOUNT, epoch=lambda: 0, market_of=lambda _: f.market())
    yield made
    await made.close()


class Trader:
    """Notes what it is asked to do, and does what a test says."""

    def __init__(self, journal: PostgresJournal, conninfo: str) -> None:
        self.seen: list[PendingCommand] = []
        self.does = lambda command: {"ok": command.kind}
        self.holds_lease = True
        self.inbox = Inbox(conninfo, journal.call, self.handle, account=f.ACCOUNT, holds_lease=lambda: self.holds_lease)

    async def handle(self, command: PendingCommand) -> dict:
        self.seen.append(command)
        return self.does(command)

    async def serve(self) -> int:
        """Carry out what is pending to its end."""
        served = 0
        while begun := await self.inbox.serve_pending():
            served += begun
            await asyncio.gather(*self.inbox._beside.values(), return_exceptions=True)
        return served


@pytest.fixture
def trader(journal, committed_database: str) -> Trader:
    return Trader(journal, committed_database)


def in_thread(work):
    """Run Django's blocking work beside the loop, on a connection of its own."""

    def run():
        try:
            return work()
        finally:
            connection.close()

    return asyncio.to_thread(run)


def issue(kind: str = "cancel_all", **changes):
    facts = {"account": f.ACCOUNT, "kind": kind, "payload": {}, "issued_by": "ada"} | changes
    return in_thread(lambda: commands.issue(**facts))


async def test_a_trader_without_its_lease_leaves_every_command_to_its_successor(trader: Trader) -> None:
    stop = await issue("halt", payload={"scope": "all"})
    trader.holds_lease = False
    assert (await trader.serve(), await ends(stop)) == (0, ("pending", {}))

    trader.holds_lease = True
    assert (await trader.serve(), (await ends(stop))[0]) == (1, "done")


async def ends(command: Command) -> tuple[str, dict]:
    await in_thread(command.refresh_from_db)
    return command.status, command.result


async def ended(command: Command) -> bool:
    return (await ends(command))[0] != "pending"


async def test_a_command_is_handed_over_as_issued_and_ends_done_with_its_result(trader: Trader) -> None:
    payload = {"scope": "market", "target": "m1", "reason": "odd"}
    command = await issue("halt", payload=payload)

    assert await trader.serve() == 1

    assert trader.seen == [PendingCommand(str(command.id), "halt", payload, "ada", expired=False)]
    assert await ends(command) == ("done", {"ok": "halt"})
    assert command.finished_at is not None
    assert await trader.serve() == 0


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (VenueError("the venue is away"), "the venue is away"),
        (ValueError("'sideways' is not a valid OrderSide"), "'sideways' is not a valid OrderSide"),
        (KeyError("price"), "missing 'price'"),
    ],
)
async def test_what_cannot_be_done_ends_refused_with_the_reason(trader: Trader, error, detail) -> None:
    def refuse(_):
        raise error

    trader.does = refuse
    command = await issue()

    await trader.serve()

    assert await ends(command) == ("refused", {"detail": detail})


async def test_an_expired_command_is_not_carried_out(trader: Trader) -> None:
    command = await issue(ttl_seconds=-1)

    await trader.serve()

    assert trader.seen == []
    status, result = await ends(command)
    assert status == "expired"
    assert "issue it again" in result["detail"]


async def test_a_command_expires_by_the_databases_clock_whatever_the_sites_says(monkeypatch, trader: Trader) -> None:
    monkeypatch.setattr(commands, "_clock", SimpleNamespace(now_ns=lambda: 4_000_000_000_000_000_000))
    command = await issue("place", ttl_seconds=10)

    lasts = Command.objects.filter(pk=command.pk).values_list(F("expires_at") - Now(), flat=True)
    ends_in = await in_thread(lasts.get)
    assert timedelta(seconds=5) < ends_in < timedelta(seconds=15)
    assert command.expires_at.year < 2096


async def test_a_command_that_expires_while_another_is_carried_out_is_not_carried_out(trader: Trader, journal) -> None:
    first, second = await issue("place"), await issue("cancel_all")

    async def expire_the_rest(command: PendingCommand) -> dict:
        await journal.call(
            lambda c: c.execute("UPDATE commands SET expires_at = now() WHERE status = 'pending'").rowcount
        )
        return {"handled": command.kind}

    trader.inbox._handle = expire_the_rest
    await trader.serve()

    assert (await ends(first))[0] == "done"
    assert (await ends(second))[0] == "expired"


async def test_commands_keep_their_order_but_halts_and_what_lifts_them_go_first(trader: Trader) -> None:
    for kind in ("place", "cancel_all", "resume", "halt", "flatten"):
        await issue(kind)

    await trader.serve()

    assert [command.kind for command in trader.seen] == ["resume", "halt", "flatten", "place", "cancel_all"]


@pytest.mark.parametrize("slow", ["cancel", "cancel_all", "halt", "flatten"])
async def test_a_halt_waits_for_no_command_that_waits_for_the_venue(trader: Trader, slow: str) -> None:
    answered = asyncio.Event()

    async def handle(command: PendingCommand) -> dict:
        trader.seen.append(command)
        if command.payload.get("slow"):
            await answered.wait()
        return {"ok": command.kind}

    trader.inbox._handle = handle
    running = asyncio.create_task(trader.inbox.run())
    waiting = await issue(slow, payload={"slow": True})
    await until(lambda: asyncio.sleep(0, bool(trader.seen)))
    halt = await issue("halt")
    await until(lambda: ended(halt))

    assert (await ends(waiting))[0] == "pending"
    answered.set()
    await until(lambda: ended(waiting))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_so_many_commands_wait_for_the_venue_at_once_and_halts_begin_all_the_same(
    trader: Trader, monkeypatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_BESIDE", 2)
    answered = asyncio.Event()

    async def handle(command: PendingCommand) -> dict:
        trader.seen.append(command)
        if command.kind == "cancel_all":
            await answered.wait()
        return {"ok": command.kind}

    trader.inbox._handle = handle
    waiting = [await issue("cancel_all") for _ in range(4)]
    await issue("halt")
    running = asyncio.create_task(trader.inbox.run())
    await until(lambda: asyncio.sleep(0, len(trader.seen) >= 3))
    late = await issue("halt")
    await until(lambda: ended(late))
    assert [command.kind for command in trader.seen] == ["halt", "cancel_all", "cancel_all", "halt"]

    async def all_ended() -> bool:
        return all([await ended(command) for command in waiting])

    answered.set()
    await until(all_ended)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [command.kind for command in trader.seen].count("cancel_all") == 4


async def test_a_command_that_fails_in_an_unforeseen_way_is_refused_before_it_stops_the_trader(trader: Trader) -> None:
    def explode(_):
        raise RuntimeError("a bug")

    trader.does = explode
    command = await issue()

    with pytest.raises(RuntimeError):
        await trader.serve()

    status, result = await ends(command)
    assert status == "refused"
    assert "RuntimeError: a bug" in result["detail"]


async def test_a_command_the_trader_died_over_is_carried_out_by_the_next_one(
    trader: Trader, journal, committed_database
) -> None:
    command = await issue()
    started = asyncio.Event()

    async def hang(_: PendingCommand) -> dict:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    trader.inbox._handle = hang
    dying = asyncio.create_task(trader.serve())
    await started.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert (await ends(command))[0] == "pending"

    await Trader(journal, committed_database).serve()

    assert (await ends(command))[0] == "done"


async def test_a_commit_wakes_the_inbox_at_once(trader: Trader, monkeypatch) -> None:
    monkeypatch.setattr(inbox, "POLL_SECONDS", 3600.0)
    listening = asyncio.create_task(trader.inbox.run())
    await listens(trader)

    command = await issue()
    await until(lambda: ended(command))

    assert [seen.id for seen in trader.seen] == [str(command.id)]
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def listens(trader: Trader) -> None:
    def listeners():
        with psycopg.connect(trader.inbox._conninfo) as admin:
            query = "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%' AND datname = current_database()"
            return admin.execute(query).fetchone()[0]

    await until(lambda: asyncio.to_thread(listeners))


async def test_lost_notifications_are_made_up_for_by_polling_and_the_listener_comes_back(
    trader: Trader, monkeypatch
) -> None:
    monkeypatch.setattr(inbox, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(inbox, "RECONNECT_SECONDS", 0.05)
    serving = asyncio.create_task(trader.inbox.run())
    await listens(trader)
    await asyncio.to_thread(_kill_listeners, trader.inbox._conninfo)

    command = await issue()
    await until(lambda: ended(command))
    await listens(trader)

    assert not serving.done()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def _kill_listeners(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%' AND datname = current_database()"
        )


async def test_the_same_key_is_one_command_however_often_and_at_once_it_is_issued(trader: Trader) -> None:
    together = threading.Barrier(6)

    def one() -> str:
        together.wait(10)
        try:
            return str(
                commands.issue(
                    account=f.ACCOUNT, kind="place", payload={"size": "5"}, issued_by="ada", idempotency_key="k-1"
                ).id
            )
        finally:
            connection.close()

    def all_at_once() -> set[str]:
        with ThreadPoolExecutor(6) as pool:
            return {future.result() for future in [pool.submit(one) for _ in range(6)]}

    ids = await asyncio.to_thread(all_at_once)
    await trader.serve()

    assert len(ids) == len(trader.seen) == 1
    assert await in_thread(lambda: AuditLog.objects.filter(event="command_place").count()) == 1


async def test_a_key_is_not_lent_to_another_command(trader: Trader) -> None:
    await issue("place", payload={"size": "5"}, idempotency_key="k-1")

    with pytest.raises(ValueError, match="another command"):
        await issue("place", payload={"size": "6"}, idempotency_key="k-1")


async def test_an_unknown_kind_is_never_written(trader: Trader) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        await issue("explode")

    assert await trader.serve() == 0


async def test_waiting_returns_the_answer_or_the_command_as_it_is(trader: Trader) -> None:
    command = await issue()
    assert (await in_thread(lambda: commands.wait(command, timeout=0.0))).status == "pending"
    waiting = asyncio.create_task(in_thread(lambda: commands.wait(command, timeout=10)))

    await trader.serve()

    assert (await waiting).status == "done"


async def test_commands_of_another_account_are_left_to_its_trader(trader):
    theirs, ours = await issue(account="sim:other"), await issue()
    assert await trader.serve() == 1
    assert [command.id for command in trader.seen] == [str(ours.id)]
    assert await ends(theirs) == ("pending", {})


async def test_a_key_is_not_carried_over_to_another_account(trader):
    await issue("cancel_all", idempotency_key="k-9")
    with pytest.raises(ValueError, match="another command"):
        await issue("cancel_all", idempotency_key="k-9", account="sim:other")


async def test_a_long_command_runs_beside_others_tells_how_far_it_is_and_begins_again_after_a_restart(
    trader: Trader, journal, committed_database: str
) -> None:
    told, go_on = asyncio.Event(), asyncio.Event()

    async def handle(command: PendingCommand) -> dict:
        trader.seen.append(command)
        if command.kind == "flatten":
            await command.report({"sold": 1})
            told.set()
            await go_on.wait()
        return {"ok": command.kind}

    trader.inbox._handle = handle
    running = asyncio.create_task(trader.inbox.run())
    long = await issue("flatten", payload={"scope": "all"}, ttl_seconds=60)
    await told.wait()
    short = await issue("halt", ttl_seconds=60)
    await until(lambda: ended(short))
    assert await ends(long) == ("pending", {"sold": 1})
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await ends(long))[0] == "pending"

    go_on.set()
    again = Inbox(committed_database, journal.call, handle, account=f.ACCOUNT)
    running = asyncio.create_task(again.run())
    await until(lambda: ended(long))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await ends(long) == ("done", {"ok": "flatten"})
    assert [command.kind for command in trader.seen] == ["flatten", "halt", "flatten"]


async def test_a_long_command_that_fails_in_an_unforeseen_way_stops_the_trader_too(trader: Trader) -> None:
    def fail(_command: PendingCommand) -> dict:
        raise RuntimeError("odd")

    trader.does = fail
    command = await issue("flatten", ttl_seconds=60)
    with pytest.raises(RuntimeError, match="odd"):
        await asyncio.wait_for(trader.inbox.run(), 5)
    assert (await ends(command))[0] == "refused"
