"""Words: names are the field's own, and documents name files that are there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "toolsync"
PRIVATE = {
    "asker": "requester",
    "bench": "context",
    "book": "table",
    "clearance": "the stage's own name",
    "docket": "decisions",
    "letter": "message",
    "mishap": "failure",
    "shares": "workers",
    "shelf": "what the target serves",
    "shipment": "upload",
    "sourcing": "source package",
    "watchman": "watchdog",
}
"""Words that only those understood who had made them, and what is said now (CONTRIBUTING.md)."""
MOST_ANY = 150
"""Lines that may mention `typing.Any`: where a library or JSON of no fixed form gives no type."""
DOCUMENTS = ["README.md", "CONTRIBUTING.md", *(f"docs/{p}" for p in ("*.md", "*/*.md"))]


def names(text: str) -> Iterator[str]:
    """Give the names that a module gives to classes and functions."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def private(name: str) -> set[str]:
    """Return the private words in a name."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return {part.lower() for part in parts} & {*PRIVATE, *(f"{word}s" for word in PRIVATE)}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.stem)
def test_names_are_the_fields_own_words(path: Path) -> None:
    found = {name: private(name) for name in (path.stem, *names(path.read_text("utf-8")))}
    assert not {name: words for name, words in found.items() if words}


@pytest.mark.parametrize("name", ["Asker", "open_shelf", "Shipments", "_Watchman", "bench"])
def test_a_private_word_is_found(name: str) -> None:
    assert private(name)


@pytest.mark.parametrize("document", sorted(p for d in DOCUMENTS for p in ROOT.glob(d)), ids=str)
def test_documents_name_files_that_are_there(document: Path) -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|json|md))`", document.read_text("utf-8"))
    named += re.findall(r"`([a-z]+\.py)`", document.read_text("utf-8"))
    gone = [name for name in named if not any((r / name).is_file() for r in (ROOT, PACKAGE))]
    assert gone == []


def test_any_is_rare() -> None:
    texts = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    lines = (line for text in texts for line in text.splitlines())
    found = [line for line in lines if re.search(r"\bAny\b", line) and "import" not in line]
    assert len(found) <= MOST_ANY
