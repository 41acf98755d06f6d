"""Halts without a trader: durable at once, so that the next start begins halted; a running trader is left to carry them out itself."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from domain.ports import QuarantinedTrade
from markets.store import save_markets
from polybot_site.halt_command import HaltCommand
from polybot_site.management.commands.flatten import Command as FlattenCommand
from tests.trading import factories as f
from trading import commands
from trading.models import AuditLog, Command, CommandStatus, Halt, Lease, Position
from trading.quarantine import quarantine_detail
from trading.store import quarantine

pytestmark = pytest.mark.django_db


def lease(*, runs: bool) -> Lease:
    ends = datetime.now(UTC) + timedelta(seconds=30 if runs else -1)
    return Lease.objects.create(account=f.ACCOUNT, holder="h", epoch=7, expires_at=ends)


def issue(kind: str, **payload: str) -> Command:
    return commands.issue(account=f.ACCOUNT, kind=kind, payload=payload, issued_by="ada", ttl_seconds=60)


def active() -> list[tuple[str, str, str]]:
    return list(Halt.objects.filter(lifted_at=None).values_list("scope", "target", "set_by"))


def test_a_running_trader_carries_halts_out_itself() -> None:
    lease(runs=True)

    command = commands.stand_in(issue("halt", scope="all"))

    assert (command.status, active()) == (CommandStatus.PENDING, [])
    assert Lease.objects.get().epoch == 7


def test_without_a_trader_a_halt_is_durable_and_a_sleeping_one_cannot_go_on_without_reading_it() -> None:
    lease(runs=False)
    save_markets([f.market()], [])

    command = commands.stand_in(issue("halt", scope="market", target="m1", reason="odd"))

    assert (command.status, command.result["halted"], active()) == (CommandStatus.DONE, True, [("market", "m1", "ada")])
    assert Lease.objects.get().epoch == 8
    assert AuditLog.objects.filter(event="halt_set").get().detail["reason"] == "odd"
    again = commands.stand_in(issue("halt", scope="market", target="m1"))
    assert (again.result["news"], len(active())) == (False, 1)


def test_without_a_trader_a_halt_is_lifted_by_name_and_only_where_there_is_one() -> None:
    lease(runs=False)
    commands.stand_in(issue("halt", scope="all"))

    assert commands.stand_in(issue("resume", scope="all", target="daily_loss")).status == CommandStatus.REFUSED
    assert commands.stand_in(issue("resume", scope="all")).status == CommandStatus.DONE
    assert (active(), Halt.objects.get().lifted_by) == ([], "ada")


def test_without_a_trader_a_flattening_halts_and_waits_for_the_next_start() -> None:
    lease(runs=False)

    command = commands.stand_in(issue("flatten", scope="all"))

    assert (command.status, command.result["halted"], active()) == (CommandStatus.PENDING, True, [("all", "", "ada")])


def test_a_flattening_whose_halt_is_lifted_before_the_start_is_called_off() -> None:
    lease(runs=False)
    everything = commands.stand_in(issue("flatten", scope="all", target=""))
    one = commands.stand_in(issue("flatten", scope="strategy", target="flash_crash"))

    commands.stand_in(issue("resume", scope="all", target=""))

    everything.refresh_from_db()
    one.refresh_from_db()
    assert (everything.status, everything.result["detail"]) == (
        CommandStatus.REFUSED,
        "its halt was lifted by ada before the trader started",
    )
    assert one.status == CommandStatus.PENDING
    assert active() == [("strategy", "flash_crash", "ada")]


@pytest.mark.parametrize("kind", ["halt", "flatten"])
@pytest.mark.parametrize(
    ("scope", "says"),
    [
        ("strategy", "strategy was 'typo', known are flash_crash, manual, mean_reversion, rebalancing_arb"),
        ("venue", "venue was 'typo', this account trades at polymarket"),
    ],
)
def test_without_a_trader_a_name_that_is_not_there_is_refused_with_those_that_are(
    kind: str, scope: str, says: str
) -> None:
    lease(runs=False)
    save_markets([f.market()], [])

    refused = commands.stand_in(issue(kind, scope=scope, target="typo"))

    assert (refused.status, refused.result["detail"]) == (CommandStatus.REFUSED, says)
    assert active() == []
    with pytest.raises(CommandError, match=says):
        call_command(kind, scope, "typo", stdout=io.StringIO())


def test_without_a_trader_a_strategy_counts_that_holds_something_and_the_venue_is_that_of_what_is_held() -> None:
    lease(runs=False)
    save_markets([f.market(), f.market(id="m2", condition_id="0xc2", token_ids=("3", "4"), venue="simulator")], [])
    facts = {"account": f.ACCOUNT, "token_id": f.YES, "side": "token1", "opened_at": datetime.now(UTC)}
    Position.objects.create(
        id="00000000-0000-4000-8000-000000000001", market_id="m1", strategy_name="external", status="open", **facts
    )

    assert commands.stand_in(issue("halt", scope="strategy", target="external")).status == CommandStatus.DONE
    assert commands.stand_in(issue("halt", scope="venue", target="polymarket")).status == CommandStatus.DONE
    assert commands.stand_in(issue("halt", scope="venue", target="simulator")).status == CommandStatus.REFUSED


def test_without_a_trader_who_lifts_the_halt_of_a_trade_in_quarantine_hears_which_it_is() -> None:
    lease(runs=False)
    report = f.trade(f.order(), 10_000_000, trade_id="t-1", condition_id="0xodd")
    held = QuarantinedTrade(report, ours=False, market_id="0xodd", reason="its market is not known")
    AuditLog.objects.create(event="fill_quarantined", account=f.ACCOUNT, detail=quarantine_detail(held))
    Halt.objects.create(
        account=f.ACCOUNT, scope="market", target="0xodd", reason="odd", set_by="polybot", set_at=datetime.now(UTC)
    )
    assert [each.trade for each in quarantine(f.ACCOUNT)] == [held]

    said = io.StringIO()
    call_command("resume", "market", "0xodd", stdout=said)

    assert "not in the books: trade t-1 of order" in said.getvalue()
    assert "its market is not known; the next start looks at it again" in said.getvalue()
    assert quarantine(f.ACCOUNT) == []


@pytest.mark.parametrize("kind", ["halt", "flatten"])
def test_without_a_trader_a_market_that_is_not_there_cannot_be_halted(kind: str) -> None:
    lease(runs=False)

    refused = commands.stand_in(issue(kind, scope="market", target="m9"))

    assert (refused.status, refused.result["detail"][:24]) == (CommandStatus.REFUSED, "market 'm9' is not known")
    assert active() == []


def test_a_trader_that_does_not_answer_is_no_success() -> None:
    lease(runs=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HaltCommand, "wait_seconds", 0.0)
        with pytest.raises(CommandError, match="has not answered yet"):
            call_command("halt", stdout=io.StringIO())


def test_other_commands_are_never_carried_out_without_a_trader() -> None:
    lease(runs=False)

    assert commands.stand_in(issue("cancel_all")).status == CommandStatus.PENDING


def test_before_the_first_start_a_halt_waits_as_its_first_command() -> None:
    assert commands.stand_in(issue("halt")).status == CommandStatus.PENDING


def run(*arguments: str) -> dict:
    out = io.StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_command_line_halts_and_resumes_without_trader_redis_and_web() -> None:
    lease(runs=False)

    assert run("halt", "strategy", "flash_crash", "--by", "bob")["halted"] is True
    assert active() == [("strategy", "flash_crash", "bob")]
    assert run("flatten")["status"] == "pending"
    assert run("resume", "strategy", "flash_crash")["halted"] is False
    assert active() == [("all", "", Halt.objects.get(scope="all").set_by)]


def test_a_halt_may_be_carried_out_tomorrow_and_what_lifts_it_may_not() -> None:
    lease(runs=True)
    longest = {"halt": timedelta(days=1), "flatten": timedelta(days=1), "resume": timedelta(seconds=10)}
    for kind, lasts in longest.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HaltCommand, "wait_seconds", 0.0)
            patch.setattr(FlattenCommand, "wait_seconds", 0.0)
            with pytest.raises(CommandError, match="has not answered"):
                run(kind)
        command = Command.objects.get(kind=kind)
        assert abs(command.expires_at - command.issued_at - lasts) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("halt", "market"), "takes a target, such as `halt market 512340`"),
        (("resume", "strategy"), "takes a target, such as `resume strategy flash_crash`"),
        (("halt", "all", "m1"), "takes no target"),
        (("halt", "--by", " "), "your name"),
        (("halt", "--account", "sim:elsewhere"), f"never traded here; known are {f.ACCOUNT}"),
        (("flatten", "arbitrage"), "hedge each other"),
        (("flatten", "--max-slippage", "1"), "above 0, below 1"),
        (("flatten", "--max-slippage", "a lot"), "above 0, below 1"),
        (("resume", "all", "daily_loss"), "nothing is halted for all daily_loss"),
    ],
)
def test_the_command_line_says_what_is_wrong(arguments: tuple[str, ...], complaint: str) -> None:
    lease(runs=False)

    with pytest.raises(CommandError, match=complaint):
        call_command(*arguments, stdout=io.StringIO())


def test_the_command_line_needs_an_account() -> None:
    with pytest.raises(CommandError, match="no trader has run here"):
        call_command("halt", stdout=io.StringIO())
