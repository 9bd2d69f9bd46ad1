"""The house's walls: who may import whom, and who may touch the world."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "toolsync"
STAGES = ("watch", "fetch", "verify", "unpack", "license", "compat", "package", "publish")
GROUND = (
    "system",
    "model",
    "errors",
    "config",
    "definition",
    "consistency",
    "gateway",
    "schema",
    "supported",
    "values",
    "judgment",
    "archives",
    "tree",
    "licensing",
)
"""What everybody may stand on; nothing of it may import a stage."""
ABOVE = (
    "cli",
    "pipeline",
    "recalls",
    "survey",
    "bench",
    "obtain",
    "proof",
    "uscan",
    "doctor",
    "promotion",
    "steps",
    "plan",
    "journal",
    "ledger",
    "uploadbook",
    "resultbook",
    "book",
    "docket",
    "gates",
    "review",
    "attest",
    "clearance",
    "delivery",
    "sourcing",
    "service",
    "site",
    "toolpage",
    "records",
    "report",
)

MODULES = sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    """Return the folder or module directly under toolsync/ that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Give the dotted name of every import in a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_rooms(path: Path) -> set[str]:
    """Return the rooms of toolsync that a file imports from."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("toolsync.")}


def importers(*roots: str) -> set[str]:
    """Return the rooms that import one of these outside modules."""
    return {room(p) for p in MODULES if any(n.split(".")[0] in roots for n in imports(p))}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_no_other_stage_and_nothing_above(stage: str) -> None:
    for path in (p for p in MODULES if room(p) == stage):
        assert own_rooms(path) & (set(STAGES + ABOVE) - {stage}) == set(), path


@pytest.mark.parametrize("part", GROUND)
def test_the_ground_imports_no_stage_and_nothing_above(part: str) -> None:
    for path in (p for p in MODULES if room(p) == part):
        assert own_rooms(path) & set(STAGES + ABOVE) == set(), path


def test_system_imports_only_itself_model_and_errors() -> None:
    for path in (p for p in MODULES if room(p) == "system"):
        assert own_rooms(path) <= {"system", "model", "values", "errors"}, path


def test_only_system_touches_network_subprocesses_and_gpg() -> None:
    outside = importers(
        "requests", "urllib3", "subprocess", "socket", "ssl", "gnupg", "http", "smtplib"
    )
    assert outside <= {"system"}


def test_only_system_reads_the_clock() -> None:
    assert importers("time") <= {"system"}
    for path in MODULES:
        if room(path) != "system":
            assert ".now(" not in path.read_text().replace("clock.now(", "").replace(
                "SystemClock().now(", ""
            ), path


def test_only_the_journal_knows_sql() -> None:
    assert importers("sqlite3") == {"journal"}


def test_only_the_command_line_prints_and_exits() -> None:
    assert importers("click", "rich") <= {"cli"}
    for path in MODULES:
        if room(path) == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "exit", "input"), path


def test_nothing_nests_deeper_than_one_level() -> None:
    assert all(len(path.relative_to(ROOT).parts) <= 2 for path in MODULES)


def test_help_loads_no_heavy_library() -> None:
    heavy = {"launchpadlib", "lxml", "jsonschema", "requests", "rich"}
    for path in (ROOT / "cli" / "main.py", ROOT / "cli" / "session.py", ROOT / "__main__.py"):
        tree = ast.parse(path.read_text())
        top = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        names = {a.name.split(".")[0] for n in top if isinstance(n, ast.Import) for a in n.names}
        names |= {n.module.split(".")[0] for n in top if isinstance(n, ast.ImportFrom) and n.module}
        assert not names & heavy
