"""Which sections of the venue's protocol which tests prove: read from the tests' `protocol` markers, without running them.

Sections and titles are those of `tests/protocol_sections.toml`. A marker that names an unknown section, or not by plain text, raises
`CoverageError` with file and line.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECTIONS_FILE = "protocol_sections.toml"
_MARKER = ("pytest", "mark", "protocol")


class CoverageError(ValueError):
    """The markers or the list of sections cannot be read."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section, and the tests that prove it ("venues/simulator/test_orders.py::test_a_name")."""

    number: str
    title: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """All sections, and those that polybot does not speak, with the reason."""

    sections: tuple[Section, ...]
    outside: dict[str, str]

    @property
    def unproven(self) -> list[Section]:
        return [section for section in self.sections if not section.tests]


def read_coverage(tests: Path) -> Coverage:
    """Collect the markers of all test files below `tests`."""
    try:
        listed = tomllib.loads((tests / SECTIONS_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise CoverageError(
            f"{tests / SECTIONS_FILE} cannot be read ({error.strerror}); run this in polybot's own folder"
        ) from None
    titles: dict[str, str] = listed["sections"]
    proving: dict[str, list[str]] = {number: [] for number in titles}
    for path in sorted(tests.rglob("test_*.py")):
        name = path.relative_to(tests).as_posix()
        for number, test, line in _marked(path):
            if number not in proving:
                raise CoverageError(f"{name}:{line} proves section {number!r}, which {SECTIONS_FILE} does not list")
            proving[number].append(f"{name}::{test}" if test else name)
    sections = tuple(Section(number, title, tuple(proving[number])) for number, title in titles.items())
    return Coverage(sections, listed["outside"])


def _marked(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield (section, test, line) of every marker in a file; a whole module's marker has no test."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(name, ast.Name) and name.id == "pytestmark" for name in node.targets
        ):
            yield from _named(path, ast.walk(node.value), "")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _decorated(path, node, "")


def _decorated(
    path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, inside: str
) -> Iterator[tuple[str, str, int]]:
    test = inside + node.name
    for decorator in node.decorator_list:
        yield from _named(path, [decorator], test)
    if isinstance(node, ast.ClassDef):
        for part in node.body:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _decorated(path, part, f"{test}::")


def _named(path: Path, nodes: Iterator[ast.AST] | list[ast.expr], test: str) -> Iterator[tuple[str, str, int]]:
    for node in nodes:
        if isinstance(node, ast.Call) and _dotted(node.func) == _MARKER:
            for argument in node.args:
                if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
                    raise CoverageError(
                        f'{path}:{argument.lineno}: name the sections by plain text, as in protocol("3.7")'
                    )
                yield argument.value, test, argument.lineno


def _dotted(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Attribute):
        return (*_dotted(node.value), node.attr)
    return (node.id,) if isinstance(node, ast.Name) else ()
