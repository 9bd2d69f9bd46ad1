"""Twenty timeouts and signals in builds, tests and probes as they really are: nothing of ours left.

And upstream's tests see no network but what the settings name.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.slow.test_build_clean import Yard
from tests.support.living import come, gone
from tests.support.rig import environment
from tests.support.tiny_packages import Context
from toolsync.build.autopkgtest import autopkgtest
from toolsync.build.chroot import Chroots, chroot_folder
from toolsync.build.job import Job
from toolsync.system.clock import SystemClock
from toolsync.system.work import Workshop, remove_tree

pytestmark = pytest.mark.slow

SIGNALS = ("INT", "TERM", "KILL", "HUP")
STOPS = (
    *(("build", how) for how in ("time", "INT", "TERM", "KILL")),
    *(("test", how) for how in ("time", "INT", "TERM", "KILL")),
    *(("probe", how) for how in (*["time"] * 4, *SIGNALS, *SIGNALS)),
)
"""Twenty: what is stopped, and how."""
LIMITS = {"build": 20, "test": 20, "probe": 2}
"""Seconds after which time is over."""


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that mapped users can reach."""
    folder = Path(tempfile.mkdtemp(prefix="toolsync-test-"))
    yield folder
    remove_tree(folder)


def ours(root: Path) -> list[str]:
    """Return the processes that have our folder in their words or their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(root) in told and int(entry.name) != os.getpid():
            found.append(f"{entry.name}: {told!r}")
    return found


@pytest.mark.parametrize(("number", "kind", "how"), [(n, *s) for n, s in enumerate(STOPS)])
def test_what_is_stopped_leaves_nothing(root: Path, number: int, kind: str, how: str) -> None:
    mark = f"88{number}.{os.getpid()}"
    limit = LIMITS[kind] if how == "time" else 600
    words = [sys.executable, "-m", "tests.support.stopping", kind, str(root), mark, str(limit)]
    with subprocess.Popen(words, env=environment(), stderr=subprocess.DEVNULL) as child:
        if how == "time":
            assert child.wait(LIMITS[kind] + 60) == 7
        else:
            come(f"sleep {mark}", 3, 120)
            child.send_signal(signal.Signals[f"SIG{how}"])
            assert child.wait(2) in (-signal.SIGKILL, 128 + signal.Signals[f"SIG{how}"])
    assert gone(f"sleep {mark}", 1) == []
    assert ours(root) == []
    workshop = Workshop(root, root / "work")
    workshop.sweep()
    assert not workshop.root.exists() or list(workshop.root.iterdir()) == []


ASKS = """\
use IO::Socket::INET;
my ($way, $port) = @ARGV;
my $s = IO::Socket::INET->new(PeerAddr => $way eq "proxy" ? "127.0.0.1:3142" : $way, Timeout => 5);
print STDOUT ("no way to $way: $!\\n"), exit 1 unless $s;
print $s "GET http://127.0.0.1:$port/ HTTP/1.0\\r\\n\\r\\n" if $way eq "proxy";
my @told = $way eq "proxy" ? <$s> : ();
print STDOUT @told, "reached $way\\n";
exit(grep(/no such luck/, @told) ? 1 : 0) if $way ne "proxy";
exit(grep(/open sesame/, @told) ? 0 : 1);
"""


def outcome(root: Path, hosts: tuple[str, ...], web: Web) -> tuple[str, tuple[object, ...], str]:
    """Run tests that try the host's loopback, instance metadata, and what they are allowed."""
    port = web.url.rpartition(":")[2]
    ways = (f"127.0.0.1:{port}", "169.254.169.254:80", "192.0.2.1:80")
    closed = " && ".join(f"! perl debian/tests/asks {way} {port}" for way in ways)
    control = (
        f"Test-Command: {closed}\nDepends: @\n\n"
        f"Test-Command: perl debian/tests/asks proxy {port}\nRestrictions: needs-internet\n"
    )
    context = Context(root)
    shared = Chroots(chroot_folder(), workshop=context.workshop, clock=SystemClock())
    yard = Yard(context, shared)
    built = yard.context.built(files={"tests/control": control, "tests/asks": ASKS})
    with context.workshop.folder("tests") as folder:
        files = [context.store.copy_to(blob, folder) for blob in built.files]
        job = Job(
            dsc=next(path for path in files if path.suffix == ".dsc"),
            folder=folder,
            series="bookworm",
            log=folder / "build.log",
            seconds=600,
            chroots=shared,
        )
        debs = tuple(path for path in files if path.suffix == ".deb")
        phrase, findings = autopkgtest(
            replace(job, hosts=hosts), debs=debs, tarball=shared.tarball("bookworm")
        )
        return phrase, findings, job.log.read_text(errors="replace")


def test_tests_reach_neither_this_machine_nor_its_network(root: Path, web: Web) -> None:
    web.serve("/", "open sesame\n")
    phrase, findings, log = outcome(root, (), web)
    assert phrase.startswith("1 passed, 1 skipped"), log
    assert [finding.code for finding in findings] == ["autopkgtest-2"]  # type: ignore[attr-defined]
    assert web.asked == []


def test_tests_that_need_the_internet_reach_what_is_named(root: Path, web: Web) -> None:
    web.serve("/", "open sesame\n")
    phrase, _, log = outcome(root, (web.url.rpartition("//")[2],), web)
    assert phrase == "2 passed", log
    assert web.asked
