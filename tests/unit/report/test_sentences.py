"""The sentences of statuses and findings: all are there, the docs have them, nothing is twice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import toolsync
from tests.tools.sentences import FILE, written
from toolsync.compat.surface import KINDS
from toolsync.gate.gates import GATES
from toolsync.license.bundled import _REMARKS
from toolsync.model.meanings import FINDINGS, HOLDS, STATUSES, of_finding
from toolsync.model.release import STATUSES as WORDS
from toolsync.report.sentences import plain, sentence

PACKAGE = Path(toolsync.__file__).parent
STAGES = {"verify": "verify", "unpack": "unpack", "license": "license", "package": "package"}
STAGES |= {"build": "build", "compat": "compat", "binding": "binding"}


def codes() -> Iterator[tuple[str, str]]:
    """Yield the package and the code of each finding that the source text names."""
    for folder in STAGES:
        for path in (PACKAGE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.keyword) and node.arg in ("code", "by")):
                    continue
                if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                    yield STAGES[folder], node.value.value


def test_every_status_stage_and_finding_has_its_sentences() -> None:
    assert set(STATUSES) == set(WORDS)
    assert set(GATES.stages) - {"watch"} == set(HOLDS)
    assert [(s, c) for s, c in codes() if not of_finding(s, c).what] == []
    assert [kind for kind in KINDS if not of_finding("compat", kind).what] == []
    assert [kind for kind in _REMARKS if not of_finding("license", f"bundled-{kind}").what] == []
    assert of_finding("build", "lintian:no-manual-page").what
    assert of_finding("elsewhere", "x").what == ""


def test_each_meaning_is_of_whole_sentences() -> None:
    tables = (STATUSES, HOLDS, *FINDINGS.values())
    for name, meaning in (row for table in tables for row in table.items()):
        assert meaning.what.endswith("."), name
        assert meaning.matters == "" or meaning.matters.endswith("."), name
        assert "|" not in f"{meaning.what}{meaning.matters}{meaning.todo}", name


def test_the_page_in_the_docs_is_made_of_them() -> None:
    assert FILE.read_text(encoding="utf-8") == written(), "python3 -m tests.tools.sentences"


@pytest.mark.parametrize("stage", HOLDS)
def test_a_hold_says_what_why_and_what_to_do_once(stage: str) -> None:
    message = (
        f"1.2.0 is held at {stage}: hello 1.2.0: it is not known what changes for users since"
        " 1.0.0: unknown: 1 tree, as of 2026-11-26T13:10:51Z"
    )
    told = sentence("hello", "held", message)
    assert told.happened.startswith("1.2.0 waits for a person. ")
    assert told.text.count("1.2.0") == 1
    assert "hello" not in told.text
    assert "2026-11-26 13:10 UTC" in told.text
    assert told.matters
    assert told.todo


def test_digests_and_machine_times_are_no_words() -> None:
    text = f"2.4.1 was accepted with sha256 {'1a' * 32}, on 2026-01-02T03:04:05Z"
    told = plain(text)
    assert told == f"2.4.1 was accepted with sha256 {'1a' * 6}…, on 2026-01-02 03:04 UTC"
    assert plain("1.2.3 deadbeef 1234567890") == "1.2.3 deadbeef 1234567890"


def test_what_is_well_needs_nothing() -> None:
    told = sentence("hello", "up-to-date", "1.1 is the newest and is published")
    assert told.text == "1.1 is the newest and is published."
