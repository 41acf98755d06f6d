"""The command as a process of its own: ready line, files, kill -9, SIGTERM, ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from infra.paths import ROOT

ADDRESS = "0x" + "ab" * 20


class Process:
    """One `manage.py runvenue`."""

    def __init__(self, var: Path, *arguments: str) -> None:
        command = [sys.executable, "manage.py", "runvenue", "--port", "0", *arguments]
        environment = {**os.environ, "POLYBOT_VAR": str(var), "DJANGO_SETTINGS_MODULE": "polybot_site.settings"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.ready_line = self.process.stdout.readline()
        self._var = var

    @property
    def where(self) -> dict[str, Any]:
        """What it wrote about itself; what it complained of when it never did."""
        assert self.ready_line, self.process.communicate(timeout=20)[1]
        found: dict[str, Any] = json.loads((self._var / "venue.json").read_text())
        return found

    def get(self, path: str) -> Any:
        request = urllib.request.Request(self.where["url"] + path, headers={"User-Agent": "test"})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def fund(self) -> Any:
        body = json.dumps({"address": ADDRESS, "amount": "5"}).encode()
        request = urllib.request.Request(
            self.where["url"] + "/admin/faucet", body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def stop(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


@contextmanager
def running(var: Path, *arguments: str) -> Iterator[Process]:
    venue = Process(var, *arguments)
    try:
        yield venue
    finally:
        if venue.process.poll() is None:
            venue.process.kill()
        venue.process.communicate()


@pytest.mark.protocol("1.1")
def test_a_venue_says_where_it_is_survives_a_kill_and_begins_anew_when_told(tmp_path, monkeypatch):
    var = tmp_path / "var"
    with running(var, "--seed", "5") as first:
        where = first.where
        assert where["url"] in first.ready_line
        assert where["venue_id"] in first.ready_line
        assert set(where) == {
            "url", "ws_url", "gamma_url", "data_url", "relayer_url", "rpc_url", "venue_id", "pid",
        }  # fmt: skip
        assert where["pid"] == first.process.pid
        assert where["ws_url"].startswith("ws://127.0.0.1:")
        venue = first.get("/admin/venue")
        assert (venue["venue_id"], venue["seed"]) == (where["venue_id"], 5)
        assert first.fund()["balance"] == "5"
        event = first.get("/gamma/events/keyset?limit=1")["events"][0]["id"]
        monkeypatch.setenv("POLYBOT_VAR", str(var))
        with pytest.raises(CommandError, match="another simulated venue is running"):
            call_command("runvenue", "--port", "0")
        monkeypatch.setenv("POLYBOT_VAR", str(tmp_path / "elsewhere"))
        with pytest.raises(CommandError, match="choose another with --port or POLYBOT_VENUE_PORT"):
            call_command("runvenue", "--port", where["url"].rsplit(":", 1)[1])
        assert first.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    with running(var) as again:
        assert again.where["venue_id"] == where["venue_id"]
        assert again.fund()["balance"] == "10"
        assert again.get("/gamma/events/keyset?limit=1")["events"][0]["id"] == event
        code, errors = again.stop(signal.SIGTERM)
        assert code == 0, errors
        assert not (var / "venue.json").exists()
    with running(var, "--fresh") as fresh:
        assert fresh.where["venue_id"] != where["venue_id"]
        assert fresh.fund()["balance"] == "5"


def test_a_venue_is_forgotten_when_it_is_stopped_and_not_before(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path))
    with running(tmp_path) as venue:
        known = venue.where["venue_id"]
        with pytest.raises(CommandError, match="another simulated venue is running"):
            call_command("runvenue", "--forget")
        venue.stop(signal.SIGTERM)
    call_command("runvenue", "--forget")
    call_command("runvenue", "--forget")
    assert "forgotten" in (told := capsys.readouterr().out)
    assert "no venue is stored" in told
    with running(tmp_path) as another:
        assert another.where["venue_id"] != known


def test_armed_faults_are_told_at_the_start_and_when_asked(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path))
    with pytest.raises(CommandError, match="start one with"):
        call_command("runvenue", "--faults")
    fault = {"name": "odd", "do": {"kind": "answer", "status": 599}, "where": {"path": "/time"}}
    with running(tmp_path, "--faults", json.dumps({"faults": [fault]})) as venue:
        assert venue.process.stdout.readline().startswith("fault odd: answer")
        with pytest.raises(urllib.error.HTTPError, match="599"):
            venue.get("/time")
        call_command("runvenue", "--faults")
        assert "odd: answer" in (told := capsys.readouterr().out)
        assert "over, struck 1 of 1 seen" in told
        assert venue.stop(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize(
    ("plan", "remedy"),
    [
        ("chaso", "no mix"),
        ('{"mix": "bliss"}', "there are chaos"),
        ('{"faults": [{"do": {"kind": "half"}, "wen": 1}]}', "wen"),
    ],
)
def test_a_plan_that_cannot_be_armed_starts_no_venue(tmp_path, monkeypatch, plan, remedy):
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path))
    with pytest.raises(CommandError, match=f"--faults: .*{remedy}"):
        call_command("runvenue", "--port", "0", "--faults", plan)
    assert not (tmp_path / "venue.json").exists()


@pytest.mark.parametrize(
    "arguments", [("--port", "65536"), ("--port", "-1"), ("--speed", "0"), ("--fail-share", "2"), ("--seed", "x")]
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(CommandError, match=arguments[0]):
        call_command("runvenue", *arguments)
