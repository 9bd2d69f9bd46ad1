"""Look at N upstream pages: toolsync beside curl, nvchecker and uscan, in one run.

``python -m tests.bench.check --nvchecker .venv/nvchecker/bin/nvchecker`` prints a table of wall
and CPU seconds and peak memory (of the largest process, and of all processes of a program
together), medians of several rounds, and how they compare with curl, which only fetches. toolsync
is the real command line on N generated tools, first with an empty journal (cold), then again (all
pages unchanged); and the same on N folders with debian/watch. uscan looks at its packages one after
the other, so 64 of it share them; it takes minutes of CPU time and runs in fewer rounds, as the
table says. One more table is of pages on which half of the links match, the last one of pages over
TLS, each on a host of its own; uscan is not in that.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.cost import Cost, measured
from tests.bench.names import DOMAIN, Names
from tests.bench.upstream import HALF

ROOT = Path(__file__).parent.parent.parent
AT_ONCE = 64
"""Requests at once, of every program; some are measured with their own numbers, too."""
NEWEST = "1.19.9"
"""The newest release on each page."""


@contextmanager
def upstream(folder: Path, certificate: Path | None = None) -> Iterator[int]:
    """Serve the pages for the block and give the port, over TLS if there is a certificate."""
    port = folder / "port"
    argv = [sys.executable, "-m", "tests.bench.upstream", str(port)]
    argv += [str(certificate)] if certificate else []
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE) as server:
        while not (port.exists() and port.read_text()):
            time.sleep(0.02)
        yield int(port.read_text())
        assert server.stdin is not None
        server.stdin.close()
    port.unlink()


@dataclass(frozen=True)
class Program:
    """One line of the table."""

    name: str
    argv: list[str]
    statuses: tuple[int, ...] = (0,)
    rounds: int = sys.maxsize
    """It runs in so many of all rounds."""
    told: str = ""
    """What its output holds for each right answer, once; ``""`` if it says none."""


class Race:
    """The programs, set up for N pages of one upstream."""

    def __init__(self, folder: Path, urls: dict[str, str], options: argparse.Namespace) -> None:
        self._folder, self._urls, self._options = folder, urls, options
        self.names: Names | None = None
        """Where hosts have names, and their certificates."""
        folder.mkdir()
        write_curl(folder, urls)
        write_nvchecker(folder, urls)
        write_toolsync(folder, urls)
        write_uscan(folder, urls)

    def programs(self) -> Iterator[Program]:
        """Give each program, in the order to run them in."""
        curl = ["curl", "--silent", "--fail", "--parallel", "--parallel-max", str(AT_ONCE)]
        # It reads the whole bundle again for each connection, 40 ms, so it is spared of that.
        curl += ["--cacert", str(self.names.authority)] if self.names else []
        yield Program("curl (fetch alone)", [*curl, "--config", "curl"])
        head = [sys.executable, "-m", "toolsync", "--config", "toolsync.toml", "--state", "state"]
        shutil.rmtree(self._folder / "state", ignore_errors=True)
        told = f'"newest": "{NEWEST}"'
        folders = [f"packages/{name}" for name in self._urls]
        for what, given, name, jobs in (
            ("toolsync check", self._urls, "cold", AT_ONCE),
            ("toolsync check", self._urls, "again", AT_ONCE),
            ("toolsync check", self._urls, "again, 128 at once", 128),
            ("debian/watch", folders, "cold", AT_ONCE),
            ("debian/watch", folders, "again", AT_ONCE),
        ):
            if what == "debian/watch" and name == "cold":
                shutil.rmtree(self._folder / "state", ignore_errors=True)
            check = [*head, "check", "--json", "--jobs", str(jobs), "--per-host", str(jobs)]
            check += given  # by name: the shipped tools have other upstreams
            yield Program(f"{what}, {name}", check, told=told)
        if self._options.nvchecker:
            nvchecker = [self._options.nvchecker, "-c", "nvchecker.toml"]
            for run in ("cold", "again"):
                (self._folder / "new.json").unlink(missing_ok=True)
                yield Program(f"nvchecker regex, {run}", nvchecker, told=f"updated to {NEWEST}")
            (self._folder / "new.json").unlink()
            nvchecker[-1] = "nvchecker-20.toml"
            yield Program("nvchecker regex, 20 at once", nvchecker, told=f"updated to {NEWEST}")
        if self._options.uscan_rounds and not self.names:
            share = str(-(-len(self._urls) // AT_ONCE))
            uscan = ["xargs", "-a", "folders", "-P", str(AT_ONCE), "-n", share]
            uscan += ["uscan", "--no-conf", "--report", "--dehs"]
            rounds = self._options.uscan_rounds
            yield Program(
                f"uscan --report, {AT_ONCE} of it", uscan, rounds=rounds, told=f">{NEWEST}<"
            )

    def run(self) -> dict[str, list[Cost]]:
        """Return what each program took in each round."""
        costs: dict[str, list[Cost]] = {}
        for turn in range(self._options.rounds):
            for program in self.programs():
                if turn < program.rounds:
                    costs.setdefault(program.name, []).append(self._one(program))
        return costs

    def _one(self, program: Program) -> Cost:
        """Run a program once; end the measurement where it has not seen each newest release."""
        # As when installed, from compiled files, whatever the one who measures has set.
        argv, more = program.argv, {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
        if self.names:
            argv, more = self.names.seen_by(argv), more | self.names.environment
        cost = measured(argv, self._folder, program.statuses, more)
        said = (self._folder / "out").read_text(errors="replace")
        found = said.count(program.told)
        if program.told and found != len(self._urls):
            raise SystemExit(f"{program.name} saw {found} newest releases of {len(self._urls)}")
        return cost


def write_curl(folder: Path, urls: dict[str, str]) -> None:
    """Write a file of options that fetches all pages and keeps none."""
    lines = (f"url = {url}\noutput = /dev/null\n" for url in urls.values())
    (folder / "curl").write_text("".join(lines))


def write_nvchecker(folder: Path, urls: dict[str, str]) -> None:
    """Write its settings: the newest by a regular expression; 20 at once is its default."""
    head = '[__config__]\noldver = "old.json"\nnewver = "new.json"\n'
    text = ""
    for name, url in urls.items():
        rule = r"tool-([\d.]+)\.tar\.gz"
        text += f"[{name}]\nsource = 'regex'\nurl = '{url}'\nregex = '{rule}'\n"
    for file, at_once in (("nvchecker.toml", AT_ONCE), ("nvchecker-20.toml", 20)):
        (folder / file).write_text(f"{head}max_concurrency = {at_once}\n{text}")


def write_toolsync(folder: Path, urls: dict[str, str]) -> None:
    """Write a tool for each page, below ``generated``."""
    (folder / "toolsync.toml").write_text('tool_folders = ["generated"]\n')
    for name, url in urls.items():
        tool = folder / "generated" / name
        (tool / "debian").mkdir(parents=True)
        (tool / "debian" / "control").write_text(f"Source: {name}\n")
        rule = r"tool-(?P<version>[\d.]+)\.tar\.gz"
        (tool / "tool.toml").write_text(
            f"summary = '{name}'\nhomepage = '{url}'\n"
            f"[watch]\nkind = 'html'\nurl = '{url}'\npattern = '{rule}'\n"
            "[verify]\nmethod = 'openpgp'\nsignature = '{url}.asc'\n"
            "keys = ['0123456789ABCDEF0123456789ABCDEF01234567']\n"
            "[compat]\nprobe = false\nreason = 'a measurement'\n"
        )


def write_uscan(folder: Path, urls: dict[str, str]) -> None:
    """Write a source package for each page, below ``packages``, and a list of them."""
    for name, url in urls.items():
        debian = folder / "packages" / name / "debian"
        debian.mkdir(parents=True)
        (debian / "watch").write_text(f"version=4\n{url} tool-([\\d.]+)\\.tar\\.gz\n")
        (debian / "changelog").write_text(
            f"{name} (1.0.0-1) unstable; urgency=low\n\n  * A measurement.\n\n"
            " -- Nobody <nobody@vendors.test>  Sat, 21 Nov 2026 08:00:00 +0000\n"
        )
    (folder / "folders").write_text("".join(f"packages/{name}\n" for name in urls))


def show(title: str, rounds: int, found: dict[str, list[Cost]]) -> None:
    """Print a table of medians; ratios are of wall time to curl's."""
    costs = {
        name: Cost(*(statistics.median(column) for column in zip(*each, strict=True)))
        for name, each in found.items()
    }
    base = next(iter(costs.values())).wall
    lines = [f"{title:<33}  wall s   CPU s  peak MB   all MB  ÷ curl"]
    for name, cost in costs.items():
        times = len(found[name])
        label = name if times == rounds else f"{name} ({times} round{'s' * (times > 1)})"
        lines.append(
            f"  {label:<31} {cost.wall:7.2f} {cost.cpu:7.2f} {cost.rss:8.1f} {cost.pss:8.1f}"
            f" {cost.wall / base:7.2f}"
        )
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()


def plain(place: Path, pages: int, options: argparse.Namespace, half: str = "") -> None:
    """Measure N pages of one host; ``half`` is the folder of those on which half of links match."""
    with upstream(place) as port:
        names = [f"tool{n:04}" for n in range(pages)]
        urls = {name: f"http://127.0.0.1:{port}/{half}{name}/" for name in names}
        title = f"N = {pages}" + (", half of the links match" if half else "")
        show(title, options.rounds, Race(place / str(pages), urls, options).run())
    shutil.rmtree(place / str(pages))


def secure(place: Path, pages: int, options: argparse.Namespace) -> None:
    """Measure N pages over TLS, each on a host of its own."""
    hosts = {f"tool{n:04}": f"tool{n:04}.{DOMAIN}" for n in range(pages)}
    names = Names(place / "names", list(hosts.values()))
    with upstream(place, names.certificate) as port:
        urls = {name: f"https://{host}:{port}/{name}/" for name, host in hosts.items()}
        race = Race(place / "tls", urls, options)
        race.names = names
        show(f"N = {pages}, TLS, {pages} hosts", options.rounds, race.run())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs="*", default=[100, 500, 2000])
    parser.add_argument("--half-pages", type=int, default=2000, help="0: no such table")
    parser.add_argument("--tls-pages", type=int, default=2000, help="0: no such table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--uscan-rounds", type=int, default=1, help="0: without uscan")
    parser.add_argument("--nvchecker", default="", help="its program; left out if not given")
    options = parser.parse_args()
    if options.nvchecker:
        options.nvchecker = str(Path(options.nvchecker).absolute())
    with tempfile.TemporaryDirectory(prefix="toolsync-bench-") as place:
        for pages in options.pages:
            plain(Path(place), pages, options)
        if options.half_pages:
            plain(Path(place), options.half_pages, options, HALF)
        if options.tls_pages:
            secure(Path(place), options.tls_pages, options)


if __name__ == "__main__":
    main()
