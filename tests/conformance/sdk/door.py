"""The door of `make conformance` to the official SDKs: install them, start a venue, drive each, judge what was said.

    python -m tests.conformance.sdk [SDK …]

prints a table of calls and "tried / passed" for each SDK, and writes `var/conformance.json`. Exit 0: every call passed and every public
method of every client class was tried or has a reason why not. Exit 1: something did not pass. Exit 2: it could not be run at all.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tests.conformance.sdk import own_venue
from tests.conformance.sdk.environments import EnvironmentUnavailableError, prepare

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
PROGRAM_SECONDS = 220.0
SLOW_SECONDS = 2.0


@dataclass(frozen=True)
class Sdk:
    """An SDK: its name and version as released, and the programs (file and argument) that drive it in its own environment."""

    name: str
    version: str
    programs: tuple[tuple[str, str], ...]

    @property
    def requirements(self) -> Path:
        return HERE / "requirements" / f"{self.name}.txt"


SDKS = (
    Sdk("py-clob-client-v2", "1.2.1", (("drive_py_clob_client.py", "all"),)),
    Sdk(
        "polymarket-client",
        "0.14.0",
        tuple(("drive_polymarket_client.py", part) for part in ("blocking", "asynchronous", "wallets")),
    ),
)


@dataclass(frozen=True)
class Call:
    """One call a program made, as it told."""

    method: str
    case: str
    passed: bool
    detail: str
    seconds: float = 0.0


@dataclass
class Report:
    """What one SDK's program said."""

    calls: list[Call] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    methods: list[str] = field(default_factory=list)

    def hear(self, line: str) -> None:
        """Take one line of a program."""
        try:
            said = json.loads(line)
        except ValueError:
            self.calls.append(Call("(the program)", "", False, f"said what is no JSON: {line[:200]}"))
            return
        if "call" in said:
            seconds = said.get("seconds", 0.0)
            self.calls.append(Call(said["call"], said["case"], said["passed"], said["detail"], seconds))
        self.skipped |= said.get("skipped", {})
        self.methods += said.get("methods", [])

    def ended(self, exit_code: int, last_words: str) -> None:
        """Note how a program ended: one that broke off before its last line has failed, whatever it said before."""
        if exit_code or not self.methods:
            self.calls.append(Call("(the program)", "", False, f"ended with {exit_code}: {last_words[-1500:]}"))

    def join(self, other: Report) -> None:
        """Take what another program of the same SDK said."""
        self.calls += other.calls
        self.skipped |= other.skipped
        self.methods += other.methods

    def complete(self) -> None:
        """Hold what was tried and skipped against all the methods there are."""
        if not self.methods:
            return
        tried = {call.method for call in self.calls}
        if forgotten := sorted(set(self.methods) - tried - self.skipped.keys()):
            told = f"neither tried nor skipped with a reason: {', '.join(forgotten)}"
            self.calls.append(Call("(every method)", "", False, told))
        for method in sorted(self.skipped.keys() & tried):
            self.calls.append(Call(method, "", False, "tried, and yet listed as skipped"))
        for method in sorted(self.skipped.keys() - set(self.methods)):
            self.calls.append(Call(method, "", False, "listed as skipped, and the SDK has no such method"))

    @property
    def failed(self) -> list[Call]:
        return [call for call in self.calls if not call.passed]


def main(names: Sequence[str], out: TextIO) -> int:
    """Run everything (or the SDKs named) and return the exit code."""
    unknown = set(names) - {sdk.name for sdk in SDKS}
    if unknown:
        out.write(f"no such SDK: {', '.join(sorted(unknown))}; there are {', '.join(sdk.name for sdk in SDKS)}\n")
        return 2
    chosen = [sdk for sdk in SDKS if not names or sdk.name in names]
    var = ROOT / "var"
    try:
        pythons = {sdk.name: prepare(var / "conformance" / sdk.name, sdk.requirements) for sdk in chosen}
        with (
            tempfile.TemporaryDirectory(prefix="polybot-conformance-") as folder,
            own_venue.running(ROOT, Path(folder)) as addresses,
            ThreadPoolExecutor() as pool,
        ):
            # The programs mostly wait for the venue, so all run at once; each has wallets of its own.
            running = [
                (sdk, pool.submit(drive, pythons[sdk.name], program, addresses, PROGRAM_SECONDS))
                for sdk in chosen
                for program in sdk.programs
            ]
            reports = {sdk: Report() for sdk in chosen}
            for sdk, future in running:
                reports[sdk].join(future.result())
    except (EnvironmentUnavailableError, own_venue.VenueUnavailableError) as error:
        out.write(f"conformance could not be run: {error}\n")
        return 2
    for report in reports.values():
        report.complete()
    out.writelines(table(sdk, report) for sdk, report in reports.items())
    (var / "conformance.json").write_text(json.dumps({s.name: summary(r) for s, r in reports.items()}, indent=2) + "\n")
    return 1 if any(report.failed for report in reports.values()) else 0


def drive(python: Path, program: tuple[str, str], addresses: dict[str, str], seconds: float) -> Report:
    """Run one program in its environment and return what it said; one that hangs is ended and reported as failed."""
    report = Report()
    file, part = program
    with tempfile.TemporaryFile("w+") as errors:
        command = [str(python), str(PROGRAMS / file), json.dumps(addresses), part]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            errors.write(f" it took longer than {seconds:g} s and was ended")
        errors.seek(0)
        last_words = errors.read()
    for line in said.splitlines():
        report.hear(line)
    report.ended(process.returncode, last_words)
    return report


def table(sdk: Sdk, report: Report) -> str:
    """Return every call of one SDK as a line, then the sum."""
    lines = [f"\n{sdk.name} {sdk.version}"]
    for call in report.calls:
        mark, detail = ("ok  ", "") if call.passed else ("FAIL", f"\n         {call.detail}")
        slow = f"  {call.seconds:.0f} s" if call.seconds >= SLOW_SECONDS else ""
        lines.append(f"  {mark} {call.method}{f'  ({call.case})' if call.case else ''}{slow}{detail}")
    reasons: dict[str, int] = {}
    for reason in report.skipped.values():
        reasons[reason] = reasons.get(reason, 0) + 1
    lines += [f"  skip {count} methods: {reason}" for reason, count in reasons.items()]
    tried, failed = len(report.calls), len(report.failed)
    lines.append(f"{sdk.name} {sdk.version}: calls tried / passed: {tried} / {tried - failed}\n")
    return "\n".join(lines)


def summary(report: Report) -> dict[str, object]:
    """Return one SDK's part of `var/conformance.json`."""
    passed = len(report.calls) - len(report.failed)
    return {"tried": len(report.calls), "passed": passed, "skipped": report.skipped}
