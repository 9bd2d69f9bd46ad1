"""Repack a zip of 3,000 files: toolsync beside mk-origtargz, in one run.

``python -m tests.bench.repack`` prints wall and CPU seconds and peak memory, medians of several
rounds, as ratios of mk-origtargz's. The zip is made of pseudo-random words from one seed, so each
run of this program has the same one.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import statistics
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.bench.check import ROOT
from tests.bench.cost import Cost, measured

FILES = 3_000
ZIPPED = 17_000_000
"""Bytes of the zip, about."""


def write_zip(path: Path) -> None:
    """Write the zip: of four files three are text and one will not be compressed further."""
    chance = random.Random(17)
    letters = "abcdefghijklmnopqrstuvwxyz_"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 11))) for _ in range(30_000)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(FILES):
            if number % 4:
                content = " ".join(chance.choices(words, k=1_400)).encode()
            else:
                content = chance.randbytes(5_000)
            info = zipfile.ZipInfo(f"vendor-1.0/lib/{number % 60:02}/part{number:04}.py")
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)


class Race:
    """Both programs on one zip; each run starts in an empty folder."""

    def __init__(self, folder: Path, archive: Path) -> None:
        self._folder, self._archive = folder, archive
        self.digests: dict[str, str] = {}

    def run(self, rounds: int) -> dict[str, Cost]:
        """Return the median costs of each program over so many rounds."""
        costs: dict[str, list[Cost]] = {}
        for _ in range(rounds):
            for name, argv in self._programs().items():
                shutil.rmtree(self._folder, ignore_errors=True)
                (self._folder / "out-dir").mkdir(parents=True)
                costs.setdefault(name, []).append(measured(argv, self._folder))
                self._note(name)
        return {
            name: Cost(*(statistics.median(column) for column in zip(*found, strict=True)))
            for name, found in costs.items()
        }

    def _programs(self) -> dict[str, list[str]]:
        names = ["--package", "vendor", "--version", "1.0"]
        theirs = ["mk-origtargz", *names, "--copy", "--directory", "out-dir", "--repack"]
        ours = [sys.executable, "-m", "toolsync", "repack", *names, "-o", "out-dir"]
        zipped = str(self._archive)
        return {
            "mk-origtargz, xz": [*theirs, "--compression", "xz", zipped],
            "toolsync, xz": [*ours, zipped],
            "toolsync, xz, one core": ["taskset", "-c", "0", *ours, zipped],
            "mk-origtargz, gz": [*theirs, "--compression", "gzip", zipped],
            "toolsync, gz": [*ours, "--compression", "gz", zipped],
        }

    def _note(self, name: str) -> None:
        """Remember the tarball's digest; refuse one that is not that of the round before."""
        (made,) = (self._folder / "out-dir").glob("*.orig.tar.?z")
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        if name.startswith("toolsync") and self.digests.setdefault(name, digest) != digest:
            raise SystemExit(f"{name}: another round gave other bytes")


def show(costs: dict[str, Cost], digests: dict[str, str]) -> None:
    """Print a table; ratios are of wall time to mk-origtargz's for the same compression."""
    lines = [f"{'':<24}  wall s   CPU s  peak MB   all MB  ÷ mk-origtargz"]
    for name, cost in costs.items():
        base = costs[f"mk-origtargz, {'gz' if ', gz' in name else 'xz'}"].wall
        numbers = f"{cost.wall:7.2f} {cost.cpu:7.2f} {cost.rss:8.1f} {cost.pss:8.1f}"
        numbers += f" {cost.wall / base:7.2f}"
        lines.append(f"{name:<24} {numbers}")
    same = digests["toolsync, xz"] == digests["toolsync, xz, one core"]
    lines.append(f"bytes on one core and on all: {'the same' if same else 'DIFFERENT'}")
    sys.stdout.write("\n".join(lines) + "\n")
    if not same:
        raise SystemExit(1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory(prefix="toolsync-bench-") as place:
        archive = Path(place) / "vendor-1.0.zip"
        write_zip(archive)
        sys.stdout.write(f"a zip of {archive.stat().st_size / 1e6:.1f} MB, {FILES} files\n")
        race = Race(Path(place) / "work", archive)
        show(race.run(options.rounds), race.digests)


if __name__ == "__main__":
    main()
