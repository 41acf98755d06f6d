"""The door judges what programs say: a failing call, a forgotten method, a program that breaks off or hangs are failures, whatever else passes."""

import ast
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.sdk import door, environments, own_venue
from tests.conformance.sdk.door import PROGRAMS, SDKS, main
from tests.conformance.sdk.environments import EnvironmentUnavailableError, prepare

GOOD = """
from conversation import Conversation, equal


class Client:
    def get_ok(self):
        return "OK"

    def get_rfq(self):
        return None


talk = Conversation()
client = talk.watch(Client())
talk.skip("Client", "another product", "get_rfq")


def scene():
    with talk.call("Client.get_ok", "a case"):
        equal(client.get_ok(), "OK", "the answer")


talk.scene("one", scene)
talk.end()
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the door with programs of the test's own instead of the SDKs' and without a venue; return exit code, output, and the JSON file."""

    def run_door(program: str, seconds: float = 20.0, parts: tuple[str, ...] = ("all",)):
        (tmp_path / "program.py").write_text(f"import sys\nsys.path.insert(0, {str(PROGRAMS)!r})\n{program}")
        monkeypatch.setattr(door, "ROOT", tmp_path)
        monkeypatch.setattr(door, "PROGRAMS", tmp_path)
        monkeypatch.setattr(door, "SDKS", (door.Sdk("an-sdk", "1.0", tuple(("program.py", part) for part in parts)),))
        monkeypatch.setattr(door, "PROGRAM_SECONDS", seconds)
        monkeypatch.setattr(door, "prepare", lambda folder, requirements: Path(sys.executable))
        monkeypatch.setattr(own_venue, "running", no_venue)
        (tmp_path / "var").mkdir()
        out = io.StringIO()
        code = main([], out)
        written = tmp_path / "var" / "conformance.json"
        return code, out.getvalue(), json.loads(written.read_text()) if written.exists() else None

    return run_door


class no_venue:  # noqa: N801 (stands for a function)
    def __init__(self, root, folder):
        pass

    def __enter__(self):
        return {}

    def __exit__(self, *error):
        pass


def test_when_every_call_passes_the_door_exits_0_and_writes_the_sums(run):
    code, said, written = run(GOOD)
    assert code == 0
    assert written == {"an-sdk": {"tried": 1, "passed": 1, "skipped": {"Client.get_rfq": "another product"}}}
    assert "ok   Client.get_ok  (a case)" in said
    assert "an-sdk 1.0: calls tried / passed: 1 / 1" in said


def test_an_answer_that_is_not_as_expected_exits_1_and_shows_what_came(run):
    code, said, written = run(GOOD.replace('"OK", "the answer"', '"KO", "the answer"'))
    assert code == 1
    assert "FAIL Client.get_ok" in said
    assert "the answer was 'OK', expected 'KO'" in said
    assert (written["an-sdk"]["tried"], written["an-sdk"]["passed"]) == (1, 0)


def test_a_method_neither_tried_nor_skipped_exits_1_and_is_named(run):
    code, said, _ = run(GOOD.replace('talk.skip("Client", "another product", "get_rfq")', ""))
    assert code == 1
    assert "neither tried nor skipped with a reason: Client.get_rfq" in said


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ('"get_rfq", "get_ok")', "tried, and yet listed as skipped"),
        ('"get_rfq", "get_nothing")', "listed as skipped, and the SDK has no such method"),
    ],
)
def test_a_reason_for_a_method_that_needs_none_exits_1(run, change, complaint):
    code, said, _ = run(GOOD.replace('"get_rfq")', change))
    assert code == 1
    assert complaint in said


def test_a_block_that_never_calls_the_method_it_names_exits_1(run):
    code, said, _ = run(GOOD.replace('equal(client.get_ok(), "OK", "the answer")', "pass"))
    assert code == 1
    assert "the block never called it" in said


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "import os; os._exit(0)"])
def test_a_program_that_breaks_off_exits_1_whatever_it_said_before(run, end):
    code, said, _ = run(GOOD.replace("talk.end()", end))
    assert code == 1
    assert "FAIL (the program)" in said


def test_a_program_that_hangs_is_ended_and_exits_1(run):
    code, said, _ = run(GOOD.replace("talk.end()", "import time; time.sleep(60)"), seconds=1.0)
    assert code == 1
    assert "took longer than 1 s and was ended" in said


def test_what_follows_a_failed_call_is_not_tried_but_other_scenes_are(run):
    program = GOOD.replace(
        'talk.scene("one", scene)',
        """
def broken():
    with talk.call("Client.get_ok", "fails"):
        equal(client.get_ok(), "KO", "the answer")
    with talk.call("Client.get_ok", "builds on it"):
        client.get_ok()

talk.scene("broken", broken)
talk.scene("one", scene)
""",
    )
    code, said, written = run(program)
    assert code == 1
    assert "builds on it" not in said
    assert (written["an-sdk"]["tried"], written["an-sdk"]["passed"]) == (2, 1)


def test_an_sdk_nobody_knows_is_named_and_nothing_runs():
    out = io.StringIO()
    assert main(["py-clob-client"], out) == 2
    assert "no such SDK: py-clob-client; there are py-clob-client-v2, polymarket-client" in out.getvalue()


FAKE_PYTHON = """#!/bin/sh
if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit; fi
echo "ERROR: Could not find a version that satisfies the requirement" >&2; exit 1
"""


def test_without_a_package_registry_the_door_exits_2_and_says_what_to_do(tmp_path, monkeypatch):
    python, wanted = tmp_path / "python", tmp_path / "an-sdk.txt"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    wanted.write_text("no-such-package-of-anyone==1.0\n")
    with pytest.raises(EnvironmentUnavailableError, match="the package registry must be reachable") as error:
        prepare(tmp_path / "environment", wanted, str(python))
    assert "Could not find a version" in str(error.value)
    assert not (tmp_path / "environment").exists()

    def unavailable(folder, requirements):
        raise EnvironmentUnavailableError("the registry is away")

    monkeypatch.setattr(door, "prepare", unavailable)
    out = io.StringIO()
    assert main([], out) == 2
    assert out.getvalue() == "conformance could not be run: the registry is away\n"


def test_an_environment_is_made_once_and_again_when_its_requirements_change(tmp_path, monkeypatch):
    commands = []

    def pretend(command, **options):
        commands.append(command[2])
        if command[2] == "venv":
            python = Path(command[3]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(environments.subprocess, "run", pretend)
    wanted = tmp_path / "an-sdk.txt"
    wanted.write_text("one==1\n")
    for _ in range(2):
        prepare(tmp_path / "environment", wanted)
    assert commands == ["venv", "pip"]
    wanted.write_text("one==2\n")
    prepare(tmp_path / "environment", wanted)
    assert commands == ["venv", "pip"] * 2


def test_a_venue_that_does_not_start_is_told_with_its_last_words(tmp_path):
    (tmp_path / "manage.py").write_text("import sys\nsys.exit('the port is taken')\n")
    with (
        pytest.raises(own_venue.VenueUnavailableError, match="the port is taken"),
        own_venue.running(tmp_path, tmp_path),
    ):
        pytest.fail("there is no venue")


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
def test_an_sdks_environment_is_pinned_to_the_release_that_is_driven(sdk):
    pins = [line for line in sdk.requirements.read_text().splitlines() if not line.startswith("#")]
    assert all("==" in pin for pin in pins)
    assert f"{sdk.name}=={sdk.version}" in [pin.replace("_", "-") for pin in pins]


def test_programs_use_the_sdk_and_the_standard_library_and_nothing_of_polybots():
    own = {file.stem for file in PROGRAMS.glob("*.py")}
    allowed = own | sys.stdlib_module_names | {"py_clob_client_v2", "polymarket", "eth_account"}
    for file in PROGRAMS.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, file.name


def test_a_line_that_is_no_json_is_a_failure_of_the_program(run):
    code, said, _ = run(GOOD.replace('talk.scene("one", scene)', 'print("hello")'))
    assert code == 1
    assert "said what is no JSON: hello" in said


def test_programs_of_one_sdk_share_its_methods_but_each_must_come_to_its_end(run):
    skips_elsewhere = GOOD.replace("talk.skip", "__import__('sys').argv[2] == 'second' and talk.skip")
    code, _, written = run(skips_elsewhere, parts=("first", "second"))
    assert (code, written["an-sdk"]["tried"], list(written["an-sdk"]["skipped"])) == (0, 2, ["Client.get_rfq"])


def test_one_of_several_programs_that_breaks_off_exits_1(run):
    broken = GOOD.replace(
        "talk.end()", "__import__('sys').argv[2] == 'second' and __import__('sys').exit(3)\ntalk.end()"
    )
    code, said, _ = run(broken, parts=("first", "second"))
    assert (code, said.count("FAIL (the program)")) == (1, 1)
