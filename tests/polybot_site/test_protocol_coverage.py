"""Markers of tests, collected without running them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from infra.paths import ROOT
from polybot_site.protocol_coverage import CoverageError, read_coverage

SECTIONS = """
[sections]
"1.1" = "Hosts"
"3.7" = "Heartbeats"
[outside]
"4.6" = "Nobody listens"
"""


def write(folder: Path, test: str) -> Path:
    (folder / "protocol_sections.toml").write_text(SECTIONS)
    (folder / "deep").mkdir()
    (folder / "deep" / "test_it.py").write_text("import pytest\n" + test)
    return folder


def test_functions_classes_methods_and_modules_are_found(tmp_path):
    folder = write(
        tmp_path,
        'pytestmark = [pytest.mark.sim, pytest.mark.protocol("3.7")]\n'
        '@pytest.mark.protocol("1.1", "3.7")\nasync def test_a(): ...\n'
        '@pytest.mark.protocol("1.1")\nclass TestB:\n    @pytest.mark.protocol("3.7")\n    def test_c(self): ...\n',
    )
    coverage = read_coverage(folder)
    first, second = coverage.sections
    assert (first.number, first.title) == ("1.1", "Hosts")
    assert first.tests == ("deep/test_it.py::test_a", "deep/test_it.py::TestB")
    assert second.tests == ("deep/test_it.py", "deep/test_it.py::test_a", "deep/test_it.py::TestB::test_c")
    assert coverage.unproven == []
    assert coverage.outside == {"4.6": "Nobody listens"}


def test_a_section_without_a_test_is_unproven(tmp_path):
    coverage = read_coverage(write(tmp_path, '@pytest.mark.protocol("1.1")\ndef test_a(): ...\n'))
    assert [section.number for section in coverage.unproven] == ["3.7"]


@pytest.mark.parametrize(
    ("marker", "problem"), [('"9.99"', r"deep/test_it.py:2 proves section '9.99'"), ("NUMBER", r"plain text")]
)
def test_a_marker_that_names_no_section_is_refused(tmp_path, marker, problem):
    folder = write(tmp_path, f"@pytest.mark.protocol({marker})\ndef test_a(): ...\n")
    with pytest.raises(CoverageError, match=problem):
        read_coverage(folder)


def test_a_folder_without_a_list_of_sections_is_refused(tmp_path):
    with pytest.raises(CoverageError, match=r"protocol_sections\.toml cannot be read"):
        read_coverage(tmp_path)


def test_the_command_prints_every_section_with_its_tests_and_fails_for_one_without(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("polybot_site.management.commands.runvenue.ROOT", tmp_path)
    (tmp_path / "tests").mkdir()
    write(tmp_path / "tests", '@pytest.mark.protocol("1.1")\ndef test_a(): ...\n')
    with pytest.raises(CommandError, match=r"no test proves 3\.7"):
        call_command("runvenue", "--check")
    told = capsys.readouterr().out
    assert "deep/test_it.py::test_a" in told
    assert "Heartbeats" in told
    assert "Nobody listens" in told


def test_every_section_of_the_protocol_is_proven_by_a_test():
    assert read_coverage(ROOT / "tests").unproven == []
