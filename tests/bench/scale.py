"""Many tools of which nothing is due: what ``status``, ``run``, ``page`` and ``gc`` take then.

``python -m tests.bench.scale`` makes set-ups of 1,000 and of 10,000 tools: a folder each, their
pages looked at by the real ``toolsync check``, one release of each published to a PPA, and a
hundred results of each in the journal (a million for 10,000 tools). Then it runs the real
commands and prints wall and CPU seconds, peak memory, the growth from the smaller to the larger
set beside ten times as many, and what all of it costs beside the least that there is to do: to ask
for the marks of the same files, to read the same rows, and to start Python. With ``--postgresql``
the same commands are measured once more with the journal copied to a server on this machine,
whose own processor time is not counted.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from tests.bench.check import NEWEST, upstream, write_toolsync
from tests.bench.cost import Cost, measured
from tests.servers.launchpad import LaunchpadServer
from tests.servers.postgres import Postgres, postgres
from toolsync.journal.followed import Follows
from toolsync.journal.journal import Journal
from toolsync.model.release import Outcome, dump
from toolsync.system.clock import SystemClock
from toolsync.watch import kept

ROOT = Path(__file__).parent.parent.parent
PPA = "ppa:team/tools"
_RESULTS = 100
"""Of each tool."""
_COMMANDS = {
    "status, first": ("status",),
    "status": ("status",),
    "status --json": ("status", "--json"),
    "run, nothing due": ("run",),
    "page, first": ("page", "--output", "site"),
    "page, again": ("page", "--output", "site"),
    "gc": ("gc",),
}
"""What is measured, in this order: the first status keeps what definitions say."""


def write_settings(folder: Path, launchpad: LaunchpadServer, count: int, journal: str = "") -> None:
    """Write the settings as if they had been there for a day: newer ones make all tools due."""
    names = ", ".join(repr(f"tool{n:05}") for n in range(count))
    (folder / "toolsync.toml").write_text(
        f'target = "{PPA}"\nseries = ["noble"]\ntool_folders = ["generated"]\n'
        f'tools = [{names}]\n[ppa]\nretries = 0\napi = "{launchpad.service_root}"\n'
        f'archive = "{launchpad.url}"\n' + (f'[journal]\nurl = "{journal}"\n' if journal else "")
    )
    before = time.time() - 86400
    os.utime(folder / "toolsync.toml", (before, before))


def make(
    folder: Path, count: int, place: Path, launchpad: LaunchpadServer, results: int = _RESULTS
) -> None:
    """Make a set-up of so many tools whose newest releases are published."""
    folder.mkdir()
    with upstream(place) as port:
        urls = {f"tool{n:05}": f"http://127.0.0.1:{port}/tool{n:05}/" for n in range(count)}
        write_toolsync(folder, urls)
        write_settings(folder, launchpad, count)
        time.sleep(2.5)  # until the files have rested, as those of a set-up mostly have
        run(folder, ("check", "--json", "--jobs", "64", "--per-host", "64"))
    _publish(folder, list(urls))
    _fill(folder / "state" / "journal.sqlite", list(urls), results)


def _publish(folder: Path, names: list[str]) -> None:
    """Let the newest release of each be published, as runs would have left it."""
    with closing(Journal.open(folder / "state" / "journal.sqlite", SystemClock())) as journal:
        number, outcomes = journal.runs.begin(), []
        for name in names:
            row = journal.pages.of(name)
            assert row is not None
            assert row.status == "answered"
            release = kept.unpack(row.sighting, whole=False).newest
            journal.releases.see(name, NEWEST, dump(release))
            journal.releases.accept(name, NEWEST, "0" * 64)
            claim = {"target": PPA, "source": name, "version": f"{NEWEST}-1", "series": "noble"}
            own = {"tool": name, "upstream": NEWEST, "content": "0" * 64, "revision": 1, "dsc": ""}
            journal.uploads.claim({**claim, **own})
            upload = journal.uploads.get(PPA, name, f"{NEWEST}-1", "noble")
            assert upload is not None
            journal.uploads.advance(upload, "confirmed")
            outcomes.append(
                Outcome(
                    tool=name,
                    status="up-to-date",
                    current=NEWEST,
                    newest=NEWEST,
                    url=release.url,
                    message=f"{NEWEST} is the newest and is published",
                )
            )
        generated = folder / "generated"
        journal.followed.follow(
            Follows(tool=name, source=name, folder=str(generated / name)) for name in names
        )
        journal.statuses.keep(outcomes)
        journal.runs.end(number, 0)


def _fill(journal: Path, names: list[str], results: int) -> None:
    """Put so many results of each tool into the journal, each naming a file that is gone."""

    def rows() -> Iterator[tuple[str, ...]]:
        for name in names:
            for n in range(results):
                data = f'{{"orig": {{"name": "{name}.tar.xz", "sha256": "{n:064x}", "size": 1}}}}'
                version, now = f"1.{n}", "2026-11-01T00:00:00Z"
                yield (name, version, "", "unpack", "", "done", data, "", "", "", now, now)

    with closing(sqlite3.connect(journal)) as connection, connection:
        marks = ", ".join("?" * 12)
        connection.executemany(f"INSERT INTO result VALUES ({marks})", rows())


def run(folder: Path, words: tuple[str, ...]) -> Cost:
    """Return what one command took there."""
    head = [sys.executable, "-m", "toolsync", "--config", "toolsync.toml", "--state", "state"]
    more = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    return measured([*head, *words], folder, (0, 1, 2, 3, 4, 5), more)


def least(folder: Path) -> float:
    """Return the CPU seconds of the least that a status has to do."""
    bare = measured([sys.executable, "-c", "pass"], folder).cpu
    began = time.process_time()
    for name in os.listdir(folder / "generated"):
        for file in ("tool.toml", "debian/control"):
            os.stat(f"{folder}/generated/{name}/{file}")
    with closing(sqlite3.connect(folder / "state" / "journal.sqlite")) as connection:
        for table in ("page", "release", "upload", "standing", "keydate"):
            connection.execute(f"SELECT * FROM {table}").fetchall()
    return bare + time.process_time() - began


def on_server(folder: Path, launchpad: LaunchpadServer, count: int, server: Postgres) -> None:
    """Move a set-up's journal to a server."""
    url, journal = server.fresh(), folder / "state" / "journal.sqlite"
    run(folder, ("journal", "copy", url))
    journal.rename(folder / "journal.before")
    server.run("ANALYZE")
    write_settings(folder, launchpad, count, url)


def show(sizes: list[int], found: dict[int, dict[str, Cost]], limits: dict[int, float]) -> None:
    """Print a table: seconds, memory, and the growth by ten times as many."""
    small, large = sizes[0], sizes[-1]
    lines = [f"{'':<18}  tools  wall s   CPU s  peak MB  ÷ least  growth"]
    for name in found[small]:
        for size in sizes:
            cost = found[size][name]
            growth = cost.cpu / found[small][name].cpu
            told = f"{growth:7.1f}" if size != small else ""
            lines.append(
                f"{name:<18} {size:6} {cost.wall:7.2f} {cost.cpu:7.2f} {cost.rss:8.1f}"
                f" {cost.cpu / limits[size]:8.1f} {told}"
            )
    lines.append(f"growth: CPU seconds of {large} tools beside those of {small}")
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the set-ups there, and stay")
    parser.add_argument("--results", type=int, default=_RESULTS, help="of each tool")
    parser.add_argument("--postgresql", action="store_true", help="with a server's journal, too")
    parser.add_argument("--only", nargs="*", metavar="COMMAND", help="measure these alone")
    options = parser.parse_args()
    commands = {
        name: words
        for name, words in _COMMANDS.items()
        if options.only is None or words[0] in options.only
    }
    memory = Path("/dev/shm")
    found: dict[int, dict[str, Cost]] = {}
    moved: dict[int, dict[str, Cost]] = {}
    limits: dict[int, float] = {}
    with ExitStack() as stack:
        made = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
            )
        )
        launchpad = stack.enter_context(LaunchpadServer())
        server = stack.enter_context(postgres()) if options.postgresql else None
        launchpad.add_person("team")
        launchpad.add_ppa("team", "tools")
        for size in options.tools:
            folder = (options.keep or made) / str(size)
            if not folder.exists():
                make(folder, size, made, launchpad, options.results)
            write_settings(folder, launchpad, size)
            limits[size] = least(folder)
            found[size] = {name: run(folder, words) for name, words in commands.items()}
            if server is not None:
                on_server(folder, launchpad, size, server)
                moved[size] = {name: run(folder, words) for name, words in commands.items()}
    show(options.tools, found, limits)
    if moved:
        sys.stdout.write("\nwith PostgreSQL:\n")
        show(options.tools, moved, limits)


if __name__ == "__main__":
    main()
