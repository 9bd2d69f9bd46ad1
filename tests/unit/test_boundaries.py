"""The house's walls: who may import whom, and who may touch the world (the plan is `house`)."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.unit.house import ALLOWED_BESIDES, PACKAGES, PRIVATE, WORLD

ROOT = Path(__file__).parents[2] / "toolsync"
TOP = {"__init__", "__main__"}
SQL = re.compile(
    r"\b(?:SELECT\s+(?:\*|\w+|DISTINCT)|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET"
    r"|DELETE\s+FROM|CREATE\s+(?:TABLE|INDEX|TRIGGER)|ALTER\s+TABLE|PRAGMA)"
)


def sources() -> dict[str, str]:
    """Return the text of every module, by its dotted name below toolsync."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in sorted(ROOT.rglob("*.py"))
    }


def imports(text: str) -> Iterator[str]:
    """Give the dotted name of every import in a module, those inside functions too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def faults(modules: Mapping[str, str]) -> Iterator[str]:
    """Give what is wrong with modules, by the plan."""
    planned = {f"{name}.{m}" for name, p in PACKAGES.items() for m in p.modules.split()}
    planned |= TOP | {f"{name}.__init__" for name in PACKAGES}
    yield from (f"{name} is not in the plan" for name in sorted(set(modules) - planned))
    yield from (f"{name} is in the plan only" for name in sorted(planned - set(modules)))
    for name, text in modules.items():
        package = name.partition(".")[0]
        if package in PACKAGES:
            yield from _imported(name, package, text)
            yield from _told(name, package, text)


def _imported(name: str, package: str, text: str) -> Iterator[str]:
    may = {package, *PACKAGES[package].may_import.split()}
    for found in sorted(set(imports(text))):
        first, _, rest = found.partition(".")
        other = rest.partition(".")[0]
        if first == "toolsync" and other not in may and (name, other) not in ALLOWED_BESIDES:
            yield f"{name} imports {found}"
        for what, (outside, inside) in WORLD.items():
            if first in outside and package not in inside:
                yield f"{name} imports {found}: {what}"
        if _is_private(found) and (name, found) not in PRIVATE:
            yield f"{name} imports {found}, which is private"


def _is_private(found: str) -> bool:
    """Say whether an import is of what the standard library keeps to itself."""
    parts = found.split(".")
    hidden = any(part.startswith("_") and part != "__future__" for part in parts)
    return hidden and parts[0] in sys.stdlib_module_names


def _told(name: str, package: str, text: str) -> Iterator[str]:
    if package != "journal" and SQL.search(text):
        yield f"{name} knows SQL"
    now = text.replace("clock.now(", "").replace("SystemClock().now(", "")
    if package not in ("system", "http") and ".now(" in now:
        yield f"{name} reads the clock"
    if package == "cli":
        return
    for node in ast.walk(ast.parse(text)):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in ("print", "exit", "input"):
            yield f"{name} calls {called.id}: only the command line speaks"


def test_every_module_keeps_to_the_plan() -> None:
    assert [*faults(sources())] == []


def test_the_plan_goes_one_way() -> None:
    known: set[str] = set()
    for name, package in PACKAGES.items():
        assert set(package.may_import.split()) <= known, name
        known.add(name)


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("watch.new", "", "watch.new is not in the plan"),
        ("watch.text", "from toolsync.pipeline import schedule", "imports toolsync.pipeline"),
        (
            "watch.text",
            "def f():\n from toolsync.journal.pages import P",
            "text imports toolsync.j",
        ),
        ("watch.text", "import toolsync.verify.stage", "watch.text imports toolsync.verify.stage"),
        ("verify.tag", "import requests", "verify.tag imports requests"),
        ("verify.tag", "from re import _parser", "verify.tag imports re._parser, which is private"),
        ("verify.tag", "import sqlite3", "verify.tag imports sqlite3: SQL"),
        ("report.why", "'SELECT * FROM page'", "report.why knows SQL"),
        ("model.release", "from toolsync.system import git", "model.release imports toolsync.sys"),
        ("model.release", "print(1)", "model.release calls print"),
        ("fetch.stage", "datetime.now()", "fetch.stage reads the clock"),
    ],
)
def test_the_test_can_fail(name: str, text: str, fault: str) -> None:
    found = [*faults({**sources(), name: text})]
    assert any(fault in line for line in found), found


def test_a_module_that_is_gone_is_told() -> None:
    modules = sources()
    del modules["watch.text"]
    assert "watch.text is in the plan only" in [*faults(modules)]


_MAKERS = {
    "Verified": {"verify"},
    "Passed": {"pipeline.gates"},
    "Licensed": {"pipeline.gates"},
    "Compatible": {"pipeline.gates"},
}
"""Values that stand for a gate's consent, and who may make them."""


def makers(text: str) -> set[str]:
    """Return which of these values a module makes."""
    calls = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return {func.id for func in calls if isinstance(func, ast.Name)} & _MAKERS.keys()


def test_a_gates_value_is_made_by_the_gate_alone() -> None:
    for name, text in sources().items():
        for made in makers(text):
            assert {name, name.partition(".")[0]} & _MAKERS[made], (name, made)
    assert makers("x = Licensed(unpacked=u, passed=())") == {"Licensed"}


def test_nothing_but_packages_lies_at_the_top() -> None:
    files = {path.name for path in ROOT.iterdir() if path.is_file()}
    assert files == {"__init__.py", "__main__.py", "py.typed"}


def test_nothing_nests_deeper_than_one_level() -> None:
    assert all(len(path.relative_to(ROOT).parts) <= 2 for path in ROOT.rglob("*.py"))


def test_help_loads_no_heavy_library() -> None:
    heavy = {"launchpadlib", "lxml", "jsonschema", "requests", "rich"}
    for path in (ROOT / "cli" / "main.py", ROOT / "cli" / "session.py", ROOT / "__main__.py"):
        tree = ast.parse(path.read_text())
        top = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        names = {a.name.split(".")[0] for n in top if isinstance(n, ast.Import) for a in n.names}
        names |= {n.module.split(".")[0] for n in top if isinstance(n, ast.ImportFrom) and n.module}
        assert not names & heavy


_STARTS = re.compile(r"(?m)^\s*import subprocess|\bos\.(?:exec|spawn|posix_spawn|system|popen)")
_WORDS = re.compile(r"No space left|Temporary failure|Failed to fetch")


def test_every_program_is_started_by_the_one_way() -> None:
    """`run` starts them, the builder and the subreaper for it, `isolation` to try, `door` ours."""
    starters = {name for name, text in sources().items() if _STARTS.search(text)}
    names = ("run", "builder", "isolation", "subreaper", "door")
    assert starters == {f"system.{name}" for name in names}


def test_nobody_lays_blame_by_a_logs_words() -> None:
    found = {name for name, text in sources().items() if _WORDS.search(text)}
    assert found == {"publish.served"}  # apt's words of our own archive, where no upstream speaks
