"""Write the static site of 1,000 tools: the whole ``toolsync page`` into an empty folder.

``python -m tests.bench.page`` makes a journal of three releases for each tool in two series, of
which every tenth tool has one held with its diff, and every published release signed evidence.
It prints wall and CPU seconds and peak memory of the command, medians of several rounds; and how
long the same pages take to render alone, from what the journal gave to bytes. What is made can be
kept with ``--keep DIR``.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.cost import Cost, measured
from tests.support.gallery import Story, archive
from toolsync.config.definition import Tool
from toolsync.pipeline.context import Context
from toolsync.report.page import Site, files
from toolsync.report.site import gather
from toolsync.system.gpg import SigningHome

ROOT = Path(__file__).parent.parent.parent
TOOLS = 1_000
_VERSIONS = ("1.2.0", "1.2.1", "1.2.2")


def story(number: int) -> Story:
    """Return what one of many tools has been through."""
    held = number % 10 == 0
    lines = (f"-clause {n} as it was, {number}\n+clause {n}, as it is\n" for n in range(60))
    return Story(
        name=f"tool{number:04}",
        summary="one of many tools for a cloud",
        versions=_VERSIONS,
        lags=(3.5 + number % 11, 41 + number / 10, 190 + number % 7)[: 2 if held else 3],
        held="the terms changed in LICENSE.txt" if held else "",
        diff="".join(lines) if held else "",
    )


def make(folder: Path, tools: int, rounds: int) -> float:
    """Make set-up, definitions and state of so many tools in an empty folder.

    Return the CPU seconds in which their pages are rendered, none of them written.
    """
    (folder / "toolsync.toml").write_text(
        'series = ["bookworm", "trixie"]\n'
        f"tools = [{', '.join(repr(story(n).name) for n in range(tools))}]\n"
    )
    with archive(folder, [story(number) for number in range(tools)]) as (context, told):
        for number, tool in enumerate(told):
            _define(folder / "tools" / tool.name, tool)
            _sign(context, tool, _VERSIONS[: len(story(number).lags)])
        SigningHome(context.config.state / "gnupg").ensure_key(context.config.maintainer)
        for series in context.config.series:
            (context.config.archive / "dists" / series).mkdir(parents=True)
            (context.config.archive / "dists" / series / "InRelease").write_text("signed")
        return statistics.median(_rendered(gather(context, told)) for _ in range(rounds))


def _rendered(site: Site) -> float:
    began = time.thread_time()
    for _, rendered in files(site):
        rendered()
    return time.thread_time() - began


def _define(folder: Path, tool: Tool) -> None:
    (folder / "debian").mkdir(parents=True)
    (folder / "debian" / "control").write_text(f"Source: {tool.name}\n")
    (folder / "tool.toml").write_text(
        f"summary = '{tool.summary}'\nhomepage = '{tool.homepage}'\n"
        f"[watch]\nkind = '{tool.watch.kind}'\nurl = '{tool.watch.url}'\n"
        f"pattern = '{tool.watch.pattern}'\n"
    )


def _sign(context: Context, tool: Tool, versions: Sequence[str]) -> None:
    for version in versions:
        text = f'{{"payload": "{tool.name} {version}", "signatures": []}}' * 40
        envelope = context.store.add_bytes(text.encode(), f"{tool.name}_{version}.intoto.json")
        context.journal.evidence.keep(tool.name, version, envelope, "0" * 64)
        context.journal.releases.accept(tool.name, version, "0" * 64)


def run(folder: Path, rounds: int) -> tuple[Cost, int]:
    """Return the median cost of the command, and how many files it wrote."""
    head = [sys.executable, "-m", "toolsync", "--config", "toolsync.toml", "--state", "state"]
    # Into a new folder each time, and none is removed before the end: ext4 is slow to make files
    # for a while after many were removed.
    sites = [f"site{number}" for number in range(rounds)]
    more = {"PYTHONPATH": str(ROOT)}
    costs = [measured([*head, "page", "--output", site], folder, more=more) for site in sites]
    count = sum(path.is_file() for path in (folder / sites[0]).rglob("*"))
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True))), count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=int, default=TOOLS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, metavar="DIR")
    options = parser.parse_args()
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made,
        tempfile.TemporaryDirectory(dir="/var/tmp", prefix="toolsync-bench-") as place,
    ):
        alone = make(Path(made), options.tools, options.rounds)
        folder = options.keep or Path(place) / "page"
        shutil.copytree(made, folder, ignore=shutil.ignore_patterns("S.*"))
        cost, count = run(folder, options.rounds)
    sys.stdout.write(
        f"{options.tools} tools, {count} files: {cost.wall:.2f} s wall, {cost.cpu:.2f} s CPU,"
        f" peak {cost.rss:.0f} MB; to render alone: {alone:.2f} s\n"
    )


if __name__ == "__main__":
    main()
