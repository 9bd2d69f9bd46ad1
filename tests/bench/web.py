"""Ask ``toolsync serve``'s pages with ten thousand tools: median and worst of 200 requests each.

``python -m tests.bench.web`` makes a journal of 10,000 tools with two releases each in two series,
brings their states up to date, and asks overview, search, filter, a tool and the API through the
application itself, then prints times and this process's memory. ``--tools N`` takes another number.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.support.served import Site
from tests.support.showcase import HELD, VERSION, showcase

PAGES = (
    ("overview", "/"),
    ("its last page", "/?first={last}"),
    ("sorted by lag", "/?sort=lag"),
    ("search", "/?q=tool-0{number}"),
    ("search without a find", "/?q=nothing-like-it"),
    ("filter", "/?status=new&series=noble"),
    ("a tool", "/tool/{tool}"),
    ("a review", f"/review/{HELD}/{VERSION}"),
    ("api, 100 tools", "/api/v1/tools"),
    ("now", "/now"),
)
"""What is asked for, and its address."""


def asked(site: Site, path: str, rounds: int) -> tuple[float, float]:
    """Return the median and the worst of so many requests, in milliseconds."""
    took = []
    for number in range(rounds):
        address = path.format(
            number=number % 90 + 10, last=9000, tool=f"net-tool-{number % 100 * 8:04}"
        )
        began = time.perf_counter()
        answer = site.get(address)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, address
    return statistics.median(took), max(took)


def main() -> None:
    """Make the journal, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        site = showcase(Path(folder), more=given.tools - 8)
        site.log_in()
        sys.stdout.write(f"made in {time.perf_counter() - began:.0f} s\n")
        began = time.perf_counter()
        site.get("/")
        sys.stdout.write(f"first request, all states: {time.perf_counter() - began:.1f} s\n")
        for name, path in PAGES:
            median, worst = asked(site, path, given.rounds)
            sys.stdout.write(f"{name:<24} median {median:6.1f} ms  worst {worst:6.1f} ms\n")
            sys.stdout.flush()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"memory at most {memory:.0f} MB\n")


if __name__ == "__main__":
    main()
