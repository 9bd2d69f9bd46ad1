"""Write the tables of docs/extending.md anew: ``python3 -m tests.tools.tables``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from toolsync.build.backends import BACKENDS
from toolsync.config.record import Described, Needs
from toolsync.gate.gates import GATES
from toolsync.gate.record import Gate
from toolsync.model.judgment import PASSING
from toolsync.publish.targets import TARGETS
from toolsync.report.channels import CHANNELS
from toolsync.verify.methods import METHODS
from toolsync.watch.kinds import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
TABLES: Mapping[str, Mapping[str, Described]] = {
    "kinds": KINDS,
    "methods": METHODS,
    "gates": {gate.name: gate for gate in GATES},
    "targets": TARGETS,
    "backends": BACKENDS,
    "channels": CHANNELS,
}
HEADS = {
    "kinds": "kind of release page",
    "methods": "proof",
    "gates": "gate",
    "targets": "target",
    "backends": "way to build",
    "channels": "report channel",
}


def table(name: str) -> str:
    """Return the Markdown table of one family of records."""
    rows = [f"| {HEADS[name]} | what it is | needs | its other keys |", "|---|---|---|---|"]
    for record in TABLES[name].values():
        needed = set(_words(record.needs))
        others = [key for key in record.settings if key not in needed]
        about = record.about + (_verdicts(record) if isinstance(record, Gate) else "")
        cells = (f"`{record.name}`", about, _needs(record.needs), _code(others))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _verdicts(gate: Gate[Any]) -> str:
    passing = [word for word in gate.verdicts if word in PASSING]
    holding = [word for word in gate.verdicts if word not in PASSING]
    return f"; passes by itself: {_code(passing)}; waits for a person: {_code(holding)}"


def _words(needs: Needs) -> Iterable[str]:
    for need in needs:
        yield from ((need,) if isinstance(need, str) else need)


def _needs(needs: Needs) -> str:
    return ", ".join(
        f"`{need}`" if isinstance(need, str) else " or ".join(f"`{key}`" for key in need)
        for need in needs
    )


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def filled(text: str) -> str:
    """Return the page with every table as the records have it."""
    return re.sub(
        r"(<!-- records: (\w+) -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}{table(match[2])}{match[3]}",
        text,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
