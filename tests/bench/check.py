"""Look at N upstream pages: toolsync beside curl and nvchecker, in one run.

``python -m tests.bench.check --nvchecker .venv/nvchecker/bin/nvchecker`` prints a table of wall
and CPU seconds and peak memory, medians of several rounds, and how they compare with curl, which
only fetches. toolsync is the real command line on N generated tools, first with an empty journal
(cold), then again (all pages unchanged).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
AT_ONCE = 64
"""Requests at once, of every program."""


class Cost(NamedTuple):
    """What one run of a program took."""

    wall: float
    cpu: float
    rss: float
    """Peak memory in MB (10^6 bytes)."""


def measured(argv: list[str], cwd: Path, statuses: tuple[int, ...] = (0,)) -> Cost:
    """Run a program to its end and return what it took; its output goes nowhere."""
    began = time.monotonic()
    with (cwd / "out").open("wb") as out:
        child = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if child.returncode not in statuses:
        said = (cwd / "out").read_text(errors="replace")[-2000:]
        raise SystemExit(f"{argv[0]} ended with {child.returncode}:\n{said}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


@contextmanager
def upstream(folder: Path) -> Iterator[str]:
    """Serve the pages for the block and give their base address."""
    port = folder / "port"
    argv = [sys.executable, "-m", "tests.bench.upstream", str(port)]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE) as server:
        while not (port.exists() and port.read_text()):
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port.read_text()}"
        assert server.stdin is not None
        server.stdin.close()


class Race:
    """The programs, set up for N pages of one upstream."""

    def __init__(self, folder: Path, base: str, pages: int, nvchecker: str) -> None:
        self._folder, self._nvchecker = folder, nvchecker
        self._urls = {f"tool{n:04}": f"{base}/tool{n:04}/" for n in range(pages)}
        folder.mkdir()
        self._write_curl()
        self._write_nvchecker()
        self._write_toolsync()

    def programs(self) -> Iterator[tuple[str, list[str], tuple[int, ...]]]:
        """Give name, command line and good exit statuses of each, in the order to run them in."""
        curl = ["curl", "--silent", "--parallel", "--parallel-max", str(AT_ONCE)]
        yield "curl (fetch alone)", [*curl, "--config", "curl"], (0,)
        head = [sys.executable, "-m", "toolsync", "--config", "toolsync.toml", "--state", "state"]
        check = [*head, "check", "--json", "--jobs", str(AT_ONCE), "--per-host", str(AT_ONCE)]
        check += self._urls  # by name: the shipped tools have other upstreams
        shutil.rmtree(self._folder / "state", ignore_errors=True)
        yield "toolsync check, cold", check, (0,)
        yield "toolsync check, again", check, (0,)
        if self._nvchecker:
            (self._folder / "new.json").unlink(missing_ok=True)
            yield "nvchecker regex, cold", [self._nvchecker, "-c", "nvchecker.toml"], (0,)
            yield "nvchecker regex, again", [self._nvchecker, "-c", "nvchecker.toml"], (0,)

    def run(self, rounds: int) -> dict[str, Cost]:
        """Return the median costs of each program over so many rounds."""
        costs: dict[str, list[Cost]] = {}
        for _ in range(rounds):
            for name, argv, statuses in self.programs():
                costs.setdefault(name, []).append(measured(argv, self._folder, statuses))
                if name.startswith("toolsync"):
                    self._look_at_answers()
        return {
            name: Cost(*(statistics.median(column) for column in zip(*found, strict=True)))
            for name, found in costs.items()
        }

    def _look_at_answers(self) -> None:
        found = (self._folder / "out").read_text().count('"newest": "1.19.9"')
        if found != len(self._urls):
            raise SystemExit(f"toolsync saw {found} newest releases of {len(self._urls)}")

    def _write_curl(self) -> None:
        lines = (f"url = {url}\noutput = /dev/null\n" for url in self._urls.values())
        (self._folder / "curl").write_text("".join(lines))

    def _write_nvchecker(self) -> None:
        text = (
            f'[__config__]\noldver = "old.json"\nnewver = "new.json"\nmax_concurrency = {AT_ONCE}\n'
        )
        for name, url in self._urls.items():
            rule = r"tool-([\d.]+)\.tar\.gz"
            text += f"[{name}]\nsource = 'regex'\nurl = '{url}'\nregex = '{rule}'\n"
        (self._folder / "nvchecker.toml").write_text(text)

    def _write_toolsync(self) -> None:
        (self._folder / "toolsync.toml").write_text('tool_folders = ["generated"]\n')
        for name, url in self._urls.items():
            tool = self._folder / "generated" / name
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


def show(pages: int, costs: dict[str, Cost]) -> None:
    """Print a table; ratios are of wall time to curl's."""
    base = next(iter(costs.values())).wall
    title = f"N = {pages}"
    lines = [f"{title:<26}  wall s   CPU s  peak MB  ÷ curl"]
    for name, cost in costs.items():
        numbers = f"{cost.wall:7.2f} {cost.cpu:7.2f} {cost.rss:8.1f} {cost.wall / base:7.2f}"
        lines.append(f"  {name:<24} {numbers}")
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs="+", default=[100, 500, 2000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--nvchecker", default="", help="its program; left out if not given")
    options = parser.parse_args()
    nvchecker = str(Path(options.nvchecker).absolute()) if options.nvchecker else ""
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory(prefix="toolsync-bench-") as place:
        for pages in options.pages:
            with upstream(Path(place)) as base:
                folder = Path(place) / str(pages)
                show(pages, Race(folder, base, pages, nvchecker).run(options.rounds))
            shutil.rmtree(folder)
            (Path(place) / "port").unlink()


if __name__ == "__main__":
    main()
