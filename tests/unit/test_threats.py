"""The security model: each threat names the tests that hold it, and each of them is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "explanation" / "security.md"
NAME = re.compile(r"`(test_\w+(?:\.py)?)`")


def rows() -> Iterator[str]:
    """Yield the rows of the page's tables, without their heads."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("| ") and not line.startswith("| threat |"):
            assert before.startswith("|")
            yield line


@cache
def known() -> frozenset[str]:
    """Return the names of all tests, and of the files that hold them."""
    found = set()
    for path in TESTS.rglob("test_*.py"):
        found.add(path.name)
        found |= set(
            re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
        )
    return frozenset(found)


def test_every_threat_names_what_holds_it() -> None:
    found = list(rows())
    assert len(found) > 60
    assert [row[:100] for row in found if not NAME.search(row)] == []


def test_every_named_test_is_there() -> None:
    named = set(NAME.findall(PAGE.read_text(encoding="utf-8")))
    assert len(named) > 80
    assert sorted(named - known()) == []
