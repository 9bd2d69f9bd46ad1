"""Write docs/reference/sentences.md anew: ``python3 -m tests.tools.sentences``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from toolsync.model.meanings import FINDINGS, HOLDS, STATUSES, Meaning

FILE = Path(__file__).parents[2] / "docs" / "reference" / "sentences.md"
_HEAD = """# What is said, and what it means

Terminal, page, mail and API take their sentences from these tables (`toolsync/model/meanings.py`;
`python3 -m tests.tools.sentences` writes this page). What happened is said of the tool at hand; why
it matters and what to do follow. Where something more particular is to be done, that is said.
"""


def written() -> str:
    """Return what the page must hold."""
    parts = [_HEAD, "## Statuses\n", _table("status", STATUSES)]
    parts += ["## What holds a release\n", _table("held at", HOLDS)]
    for stage, codes in FINDINGS.items():
        parts += [f"## Findings of {stage}\n", _table("finding", codes)]
    return "\n".join(parts)


def _table(head: str, meanings: Mapping[str, Meaning]) -> str:
    rows = [f"| {head} | what happened | why it matters | what to do |", "|---|---|---|---|"]
    rows += [f"| `{name}` | {m.what} | {m.matters} | {m.todo} |" for name, m in meanings.items()]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
