"""Add a small project of each way of building, and follow it to apt: a table.

``python -m tests.tools.additions [WAY]…`` serves each on loopback, lets `toolsync add` write its
definition and packaging, pins its digest, and syncs it in a clean chroot. No file is edited beside
the pin, which is what proves the release.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.servers.web import Web
from tests.service.test_add_packaging import pin, serve
from tests.support.chroots import clean_rig
from tests.support.projects import PROJECTS, tarball


def added(way: str, root: Path) -> str:
    """Return a line of the table for one way."""
    rig, began = clean_rig(root), time.monotonic()
    data = tarball(way)
    with Web() as web:
        made = rig.json("add", serve(web, data), "--yes", "--output", rig.tools)
        pin(rig, data)
        done = rig.run("sync", "greet", "--json", status=None, timeout=1800)
    debs = [name for name in rig.pool() if name.endswith(".deb") and name.startswith("greet_")]
    ended = "published" if done.returncode == 0 and debs else done.stdout.strip()[-300:]
    seconds = time.monotonic() - began
    return f"| {way} | {made['system']} | {len(made['undecided']) - 1} | {ended} | {seconds:.0f} |"


def main() -> int:
    """Print the table; the status is 1 where one was not published."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ways", nargs="*", default=[*PROJECTS])
    lines = []
    sys.stdout.write("| way | built by | questions | ended | s |\n|---|---|---|---|---|\n")
    for way in parser.parse_args().ways:
        with tempfile.TemporaryDirectory(prefix="toolsync-additions-") as folder:
            lines.append(added(way, Path(folder)))
        sys.stdout.write(lines[-1] + "\n")
        sys.stdout.flush()
    return int(any("| published |" not in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
