"""Nothing that a program starts outlives it, its limits, or us: each way out that is known, tried.

The program hides as well as programs can: it leaves its session, loses its parent, forgets its
environment, closes its output, and makes other users, process namespaces and mounts, as sbuild
does. Each of its processes is a ``sleep`` of so many seconds that it can be found again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from tests.support.living import alive, come, gone
from tests.support.rig import ROOT, environment
from toolsync.model.errors import ProgramFailed, TookTooLong, TookTooMuch
from toolsync.system import isolation
from toolsync.system.isolation import Isolation
from toolsync.system.lock import end_survivors
from toolsync.system.run import MARK, NO_HOME, PASSED_ON, run

_numbers = count(os.getpid() * 1000)

HIDING = """
S="sleep 7{mark}"
setsid $S &
(setsid sh -c "env -i $S >/dev/null 2>&1 </dev/null &" &)
perl -MPOSIX -e 'fork and exit; setsid; fork and exit; close STDIN; close STDOUT; close STDERR;
  $SIG{{TERM}} = $SIG{{HUP}} = "IGNORE"; exec "sleep", "7{mark}"' &
unshare --map-root-user --map-auto --mount --pid --fork --mount-proc sh -c \
  "setsid env -i $S >/dev/null 2>&1 & exec setpriv --reuid 1000 --clear-groups $S" &
"""
HIDDEN = 5
"""How many processes it hides."""

CHILD = """
import sys
from toolsync.system import stop
from toolsync.system.run import run
stop.listen()
print("ready", flush=True)
try:
    run("unshare", "sh", "-c", sys.argv[1], timeout=60)
except KeyboardInterrupt:
    stop.leave()
"""


def _without_namespaces() -> list[str]:
    """Return words before a command that may make no pid namespace, as in a closed service."""
    if os.geteuid() == 0:
        return ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--"]
    return ["env", "UNSHARE=none"]


@pytest.fixture
def mark() -> Iterator[str]:
    """Seconds that no other process sleeps."""
    word = str(next(_numbers))
    yield word
    assert gone(f"sleep 7{word}", 0.5) == []


def hiding(mark: str, then: str = "") -> str:
    """Return a script that hides processes, waits until they are there, and goes on."""
    return f"{HIDING.format(mark=mark)}\nsleep 0.6\n{then}"


def test_a_program_that_ends_leaves_nothing(mark: str) -> None:
    done = run("sh", "-c", hiding(mark, "echo done; exit 3"), timeout=30, ok=(3,))
    assert done.out == "done\n"
    assert alive(f"sleep 7{mark}") == []


def test_a_program_that_hides_is_seen_to_hide(mark: str) -> None:
    """What the other tests rest on: outside of a namespace all of it goes on."""
    before = subprocess.Popen(
        ["sh", "-c", hiding(mark)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert before.wait() == 0
        assert len(come(f"sleep 7{mark}", HIDDEN)) >= HIDDEN
    finally:
        for line in alive(f"sleep 7{mark}"):
            with suppress(ProcessLookupError):  # gone with its namespace's first process
                os.kill(int(line.partition(":")[0]), signal.SIGKILL)


@pytest.mark.parametrize("program", ["sh", "unshare"])
def test_a_program_that_takes_too_long_leaves_nothing(mark: str, program: str) -> None:
    words = ("sh",) if program == "sh" else ("unshare", "sh")  # the latter is one that maps users
    with pytest.raises(TookTooLong):
        run(*words, "-c", hiding(mark, f"sleep 7{mark}"), timeout=2)
    assert alive(f"sleep 7{mark}") == []


def test_a_program_that_says_too_much_leaves_nothing(mark: str) -> None:
    with pytest.raises(ProgramFailed, match="more than 1000 bytes"):
        run("sh", "-c", hiding(mark, "yes"), timeout=30, limit=1000)
    assert alive(f"sleep 7{mark}") == []


@pytest.mark.parametrize(
    ("isolation", "then"),
    [
        (Isolation(processes=30), "for i in `seq 60`; do sleep 60 & done; wait"),
        (
            Isolation(memory=200 << 20),
            "for i in `seq 6`; do perl -e '$x = q(x); $x x= 60 << 20; sleep 60' & done; wait",
        ),
    ],
)
def test_what_uses_too_much_is_ended_as_a_whole(mark: str, isolation: Isolation, then: str) -> None:
    with pytest.raises(TookTooMuch):
        run("sh", "-c", hiding(mark, then), timeout=15, isolation=isolation)
    assert alive(f"sleep 7{mark}") == []


def started(mark: str, before: list[str]) -> subprocess.Popen[bytes]:
    """Start a Python that runs what hides, and wait until that is hidden."""
    child = subprocess.Popen(
        [*before, sys.executable, "-c", CHILD, hiding(mark, f"sleep 7{mark}")],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    come(f"sleep 7{mark}", HIDDEN)
    return child


@pytest.mark.parametrize("kept", ["by a namespace", "by a subreaper"])
@pytest.mark.parametrize("number", ["KILL", "TERM", "INT", "HUP"])
def test_whatever_ends_us_ends_all_that_we_started(mark: str, kept: str, number: str) -> None:
    child = started(mark, [] if kept == "by a namespace" else _without_namespaces())
    began = time.monotonic()
    with child:
        child.send_signal(signal.Signals[f"SIG{number}"])
    assert gone(f"sleep 7{mark}", 2) == []
    assert time.monotonic() - began < 3


def test_a_keeper_ends_what_takes_too_long(mark: str) -> None:
    code = (
        "import sys, time\nfrom toolsync.system.run import run\n"
        "from toolsync.model.errors import TookTooLong\n"
        "try:\n    run('sh', '-c', sys.argv[1], timeout=2)\n"
        "except TookTooLong:\n    print('over', flush=True)\n"
        "time.sleep(1)\n"
    )
    words = [sys.executable, "-c", code, hiding(mark, f"sleep 7{mark}")]
    with subprocess.Popen(
        [*_without_namespaces(), *words], env=environment(), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "over\n"
        assert alive(f"sleep 7{mark}") == []


def test_where_no_namespace_can_be_made_a_keeper_is_used() -> None:
    code = "from toolsync.system import isolation; print(isolation.way('sh').nested)"
    told = [
        subprocess.run(
            [*before, sys.executable, "-c", code], env=environment(), capture_output=True, text=True
        ).stdout
        for before in ([], _without_namespaces())
    ]
    assert told[0] == "True\n"
    assert told[1] == ("False\n" if os.geteuid() == 0 else "True\n")
    assert not isolation.way("sendmail", Isolation(set_uid=True)).nested or os.geteuid() == 0


@pytest.mark.parametrize("number", ["KILL", "TERM"])
def test_an_ordinary_user_with_ids_to_map_has_rooms_that_can_map_them(
    mark: str, number: str, tmp_path: Path
) -> None:
    """As from a checkout or cron: a user of this machine, to whom subuid(5) gives a range."""
    if os.geteuid():
        return  # all other tests are this one
    ids = tmp_path / "ids"
    ids.write_text("daemon:300000:65536\n")
    inside = (
        f"mount --bind {ids} /etc/subuid; mount --bind {ids} /etc/subgid;"
        f" mount --bind {ROOT} /mnt; cd /;"
        " exec setpriv --reuid daemon --regid daemon --clear-groups"
        ' env PYTHONPATH=/mnt /usr/bin/python3 -c "$CODE" "$SCRIPT"'
    )
    more = {"CODE": CHILD, "SCRIPT": hiding(mark, "sleep 60")}
    child = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", inside],
        env=environment() | more | {"HOME": "/nonexistent"},
        stdout=subprocess.DEVNULL,
    )
    with child:
        come(f"sleep 7{mark}", HIDDEN)
        child.send_signal(signal.Signals[f"SIG{number}"])
    assert gone(f"sleep 7{mark}", 2) == []


def test_the_next_run_ends_a_room_by_its_first_process(mark: str, tmp_path: Path) -> None:
    """Whatever forgot its environment goes with the namespace's first process, which cannot."""
    way = isolation.way("sh")
    cut = way.words.index("KILL") + 1  # as if we had died before the kernel was told
    left = subprocess.Popen(
        [*way.words[cut:], "sh", "-c", f"env -i setsid sleep 7{mark} & exec env -i sleep 7{mark}"],
        env=environment() | {MARK: str(tmp_path)},
        start_new_session=True,
    )
    come(f"sleep 7{mark}", 2)
    assert end_survivors(tmp_path) >= 1
    assert gone(f"sleep 7{mark}", 1) == []
    left.wait(5)


HOSTILE = {
    "SOURCE_DATE_EPOCH": "1",
    "MAKEFLAGS": "-n",
    "DH_OPTIONS": "--no-act",
    "DH_VERBOSE": "1",
    "REPREPRO_CONFIG_DIR": "/nonexistent",
    "REPREPRO_BASE_DIR": "/nonexistent",
    "TMPDIR": "/nonexistent",
    "DEB_BUILD_OPTIONS": "nocheck",
    "DPKG_ROOT": "/nonexistent",
    "TAR_OPTIONS": "--exclude=*",
    "XZ_DEFAULTS": "-0",
    "GZIP": "-1",
    "POSIXLY_CORRECT": "1",
    "GIT_DIR": "/nonexistent",
    "APT_CONFIG": "/nonexistent",
    "LC_ALL": "tr_TR.UTF-8",
    "LANGUAGE": "de",
    "TZ": "Pacific/Kiritimati",
    "PERL5OPT": "-Mnonexistent",
    "CFLAGS": "-g0",
    "EMAIL": "nobody@nowhere.invalid",
    "QUILT_PATCHES": "none",
    "HOME": "/",
    "IFS": "/",
    "CDPATH": "/",
    "ENV": "/nonexistent",
    "LD_LIBRARY_PATH": "/nonexistent",
}
"""What changes what programs do, and might be set by a person, a timer or a CI."""


def test_a_program_is_told_what_is_listed_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    told = dict(
        line.partition("=")[::2]
        for line in run("env", timeout=10, env={"MINE": "yes"}).out.splitlines()
    )
    shells = {"PWD", "OLDPWD", "SHLVL", "_"}
    ours = {"HOME", "LC_ALL", "LANG", "TERM", "DEBIAN_FRONTEND", "MINE"}
    assert set(told) - shells <= set(PASSED_ON) | ours
    assert told["LC_ALL"] == "C.UTF-8"
    assert told["HOME"] == NO_HOME
    assert told["MINE"] == "yes"
    assert told["https_proxy"] == "http://proxy.invalid:3128"
