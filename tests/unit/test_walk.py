"""docs/explanation/one-release.md says how a release goes, and the code goes so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_LINE = re.compile(r"^(?P<indent> *)- `(?P<file>[\w/]+\.py): (?P<name>\w+)`", re.MULTILINE)

Step = tuple[str, str]
"""A file below toolsync/, and a function in it."""


def steps() -> Iterator[tuple[int, Step]]:
    text = (ROOT / "docs" / "explanation" / "one-release.md").read_text(encoding="utf-8")
    for match in _LINE.finditer(text):
        yield len(match["indent"]) // 2, (match["file"], match["name"])


def calls() -> Iterator[tuple[Step, Step]]:
    """Give each step with the one that it is called by."""
    above: list[Step] = []
    for depth, step in steps():
        del above[depth:]
        if above:
            yield above[-1], step
        above.append(step)


@cache
def function(file: str, name: str) -> ast.FunctionDef | None:
    tree = ast.parse((ROOT / "toolsync" / file).read_text(encoding="utf-8"))
    found = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name)
    return next(found, None)


def imported_as(file: str, name: str) -> set[str]:
    """Return the names under which a module knows another module's function."""
    tree = ast.parse((ROOT / "toolsync" / file).read_text(encoding="utf-8"))
    return {name} | {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == name
    }


def test_every_function_is_there() -> None:
    found = list(steps())
    assert len(found) > 30
    assert [step for _, step in found if function(*step) is None] == []


@pytest.mark.parametrize(("caller", "called"), list(calls()))
def test_each_calls_the_ones_below_it(caller: Step, called: Step) -> None:
    body = function(*caller)
    assert body is not None
    used = {n.id for n in ast.walk(body) if isinstance(n, ast.Name)}
    used |= {n.attr for n in ast.walk(body) if isinstance(n, ast.Attribute)}
    assert imported_as(caller[0], called[1]) & used, (caller, called)
