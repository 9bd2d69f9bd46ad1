"""Write docs/reference/adoptions.md of what ``make adoptions`` has kept: where each package ended.

    python -m tests.tools.adoptions_table --cache DIR

Each run leaves DIR/SERIES/NAME/end.json, the newest of a package counts. A package of
``adoptions.txt`` of which bookworm has none is told as not run; of other series those are told that
were run. Nothing is run by this.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.tools.adoption_sources import listed

PAGE = Path("docs/reference/adoptions.md")
FIRST = "bookworm"
_LONG = 420
_HEAD = """\
# Real packages of Debian, adopted and taken to apt

`make adoptions` adopts source packages of bookworm whose upstream is newer in trixie
(`tests/tools/adoptions.txt`), as `toolsync adopt apt:NAME` does, syncs each into a real clean build
with lintian and its autopkgtests, and has apt in a fresh chroot install what was published.
Trixie's orig tarball stands for what upstream offers, on the loopback; bookworm's set-up names
trixie's and noble's archives as well, whose packaging may be nearer. Nobody answers or mends
anything. `python -m tests.tools.adoptions --series noble` does so for another series. This page is
written by `python -m tests.tools.adoptions_table` of what the runs left.
"""


@dataclass(frozen=True)
class Row:
    """A package and where its last run ended; no ``stage`` where there was none."""

    name: str
    old: str
    new: str
    language: str
    stage: str = ""
    fault: str = ""
    seconds: float = 0.0
    said: str = ""
    packaging: str = ""
    day: str = ""

    @property
    def is_good(self) -> bool:
        """Whether apt installed it."""
        return self.stage == "installed"


def rows(folder: Path) -> Iterator[Row]:
    """Yield a row for each package of the list, by what the runs for a series left in a folder."""
    for package in listed():
        path = folder / package.name / "end.json"
        end = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        old = end.pop("old", "") or package.old
        yield Row(name=package.name, old=old, new=package.new, language=package.language, **end)


def section(series: str, found: list[Row]) -> str:
    """Return what the page tells of a series."""
    good = sum(row.is_good for row in found)
    run = [row for row in found if row.stage]
    days = sorted({row.day for row in run if row.day})
    when = f", {' to '.join(dict.fromkeys((days[0], days[-1])))}" if days else ""
    lines = [
        f"\n## {series}\n",
        f"{good} of {len(found)} were published and installed by apt, unattended{when}"
        f" ({len(run)} were run). B: by {series}'s packaging, T: by trixie's, N: by noble's.\n",
        f"| package | {series} → trixie | of | packaging | ended | by whose fault | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found:
        ended = row.stage if row.is_good or not row.stage else f"held: {row.stage}"
        lines.append(
            f"| {row.name} | {row.old} → {row.new} | {row.language} | {row.packaging or '-'} |"
            f" {ended or 'not run'} | {row.fault or '-'} | {row.seconds:.0f} |"
        )
    if held := [row for row in run if not row.is_good]:
        lines += ["\nWhat was said:\n", "| package | sentence |", "|---|---|"]
        lines += [f"| {row.name} | {_cell(row.said)} |" for row in held]
    return "\n".join(lines) + "\n"


def page(cache: Path) -> str:
    """Return the page's text."""
    others = sorted({path.parents[1].name for path in cache.glob("*/*/end.json")} - {FIRST})
    sections = [section(FIRST, [*rows(cache / FIRST)])]
    sections += [section(name, [r for r in rows(cache / name) if r.stage]) for name in others]
    return _HEAD + "".join(sections)


def _cell(text: str) -> str:
    """Return what was said, on a line: its head, and why nearer packaging was not adopted."""
    head, mark, nearer = text.partition("As it was adopted: ")
    short = " ".join(head.split())
    short = f"{short[:_LONG]} …" if len(short) > _LONG else short
    told = f" {mark}{' '.join(nearer.split())[:_LONG]}" if mark else ""
    return (short + told).replace("|", "\\|")


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    PAGE.write_text(page(parser.parse_args().cache), encoding="utf-8")


if __name__ == "__main__":
    main()
