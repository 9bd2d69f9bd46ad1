"""Ask ``toolsync serve``'s pages with ten thousand tools: median and worst of 200 requests each.

``python -m tests.bench.web`` makes a journal of 10,000 tools with two releases each in two series,
starts the real server over it, and asks overview, search, filter, a tool and the API one after the
other over one connection; then it prints the server's memory. ``--tools N`` takes another number.
With ``--reading`` the server may only read, and ``toolsync keep`` runs beside it, as in the Debian
package; the review is left out then, since nobody answers at the door.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.served import Site
from tests.support.showcase import HELD, VERSION, showcase
from tests.unit.web.test_guard import token
from toolsync.system.door import SOCKET

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


def asked(server: Asking, path: str, rounds: int) -> tuple[float, float]:
    """Return the median and the worst of so many requests, in milliseconds."""
    took = []
    for number in range(rounds):
        address = path.format(
            number=number % 90 + 10, last=9000, tool=f"net-tool-{number % 100 * 8:04}"
        )
        began = time.perf_counter()
        status = server.get(address)
        took.append((time.perf_counter() - began) * 1000)
        assert status == 200, address
    return statistics.median(took), max(took)


class Asking:
    """A connection to a server, with a token that lets it read."""

    def __init__(self, place: str, token: str) -> None:
        self._connection = http.client.HTTPConnection(place, timeout=300)
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> int:
        """Ask for a page, read all of it, and return its status."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


def served(
    folder: Path, site: Site, *, reading: bool = False
) -> tuple[subprocess.Popen[str], Asking]:
    """Start the server, with a token for it, and return it when it answers."""
    site.account("ann", "reader")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    words = ("--config", str(folder / "toolsync.toml"), "--state", str(folder / "state"), "serve")
    process = subprocess.Popen(
        [sys.executable, "-m", "toolsync", *words, "--listen", place],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | ({SOCKET: str(folder / "door")} if reading else {}),
    )
    assert process.stderr is not None
    assert place in process.stderr.readline()
    return process, Asking(place, token(site, "reader"))


def kept(folder: Path, site: Site) -> subprocess.Popen[str]:
    """Start the keeper, and return it when all states are computed."""
    words = ("--config", str(folder / "toolsync.toml"), "--state", str(folder / "state"), "keep")
    argv = [sys.executable, "-m", "toolsync", *words]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "keeping" in process.stderr.readline()
    journal = site.journal()
    while journal.states.stale() or not journal.states.marks():
        time.sleep(0.5)
    journal.close()
    return process


def memory_of(process: subprocess.Popen[str]) -> str:
    """Return how much memory a process has now, and had at most."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", text))
    return f"{int(found['VmRSS']) // 1024} MB now, {int(found['VmHWM']) // 1024} MB at most"


def main() -> None:
    """Make the journal, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--reading", action="store_true")
    given = parser.parse_args()
    pages = [page for page in PAGES if not given.reading or "review" not in page[0]]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        site = showcase(Path(folder), more=given.tools - 8)
        sys.stdout.write(f"made in {time.perf_counter() - began:.0f} s\n")
        began = time.perf_counter()
        keeper = kept(Path(folder), site) if given.reading else None
        process, server = served(Path(folder), site, reading=given.reading)
        server.get("/")
        sys.stdout.write(f"first request, all states: {time.perf_counter() - began:.1f} s\n")
        for name, path in pages:
            median, worst = asked(server, path, given.rounds)
            sys.stdout.write(f"{name:<24} median {median:6.1f} ms  worst {worst:6.1f} ms\n")
            sys.stdout.flush()
        sys.stdout.write(f"memory of the server: {memory_of(process)}\n")
        if keeper:
            sys.stdout.write(f"memory of the keeper: {memory_of(keeper)}\n")
        for one in (process, keeper):
            if one:
                one.send_signal(signal.SIGINT)
                one.communicate(timeout=10)


if __name__ == "__main__":
    main()
