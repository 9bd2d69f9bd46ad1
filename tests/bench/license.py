"""Judge the terms of a release beside one full ``licensecheck -r`` of the same tree.

``python -m tests.bench.license OLD NEW`` takes two archives of one tool (awscli 1.46.1 and 1.46.2
say most) and prints wall and CPU seconds and peak memory: licensecheck over NEW's tree, toolsync's
first look at NEW, and its look at NEW when OLD is known. Ends with status 1 where the first look
costs more than 1.1 times, or the incremental one more than a twentieth of licensecheck's CPU time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from toolsync.archives.tree import open_any
from toolsync.config.settings import Limits
from toolsync.license.detect import Detector
from toolsync.license.scan import scan
from toolsync.license.terms import Terms, from_json, to_json
from toolsync.system.work import Workshop

FIRST, AGAIN = 1.1, 1 / 20


def main() -> int:
    """Measure in processes of their own and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--look", nargs=3, type=Path, metavar=("TREE", "BEFORE", "KEEP"))
    given = parser.parse_args()
    if given.look:
        _look(*given.look)
        return 0
    with tempfile.TemporaryDirectory(dir="/var/tmp") as root:
        return _measure(Path(root), given.old, given.new)


def _measure(root: Path, old: Path, new: Path) -> int:
    workshop = Workshop(root, root)
    me = [sys.executable, "-m", "tests.bench.license", str(old), str(new), "--look"]
    nothing, before, after = root / "nothing", root / "before", root / "after"
    nothing.write_bytes(b"")
    with (
        open_any(old, workshop=workshop, limits=Limits()) as past,
        open_any(new, workshop=workshop, limits=Limits()) as tree,
    ):
        full = _cost(["licensecheck", "-r", "--machine", "--check=.", str(tree)])
        first = _cost([*me, str(tree), str(nothing), str(after)])
        subprocess.run([*me, str(past), str(nothing), str(before)], check=True)
        again = _cost([*me, str(tree), str(before), str(after)])
    sys.stdout.write(f"{'':28}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'of CPU':>9}\n")
    for name, (wall, cpu, peak) in (
        ("licensecheck -r", full),
        ("toolsync, first", first),
        (f"toolsync, after {old.name[:12]}", again),
    ):
        share = cpu / full[1]
        sys.stdout.write(f"{name:28}{wall:>9.1f}{cpu:>9.2f}{peak:>9.0f}{share:>9.3f}\n")
    return 0 if first[1] <= FIRST * full[1] and again[1] <= AGAIN * full[1] else 1


def _look(tree: Path, before: Path, keep: Path) -> None:
    """Read a tree's terms as the gate does, knowing those kept in ``before`` (empty: none)."""
    old: Terms | None = from_json(before.read_bytes())
    seen = scan(tree, before=old)
    detector = Detector(workshop=Workshop(keep.parent, keep.parent))
    told = detector.look(seen.unexplained) if seen.unexplained else {}
    keep.write_bytes(to_json(seen.explained(told)))


def _cost(argv: list[str]) -> tuple[float, float, float]:
    """Return wall and CPU seconds of a program with its children, and its peak memory in MB."""
    began = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{argv[0]} ended with status {process.returncode}")
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
