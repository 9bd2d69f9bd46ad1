"""Where every outside program runs: a namespace that nothing in it can leave.

Every program has a pid namespace. Its first process dies when the process that waits for it does
(``unshare --kill-child``), that one when toolsync does (``setpriv --pdeathsig``), and with a
namespace's first process the kernel kills every other in it, whatever session, user or namespace
of its own it has made. An ordinary user needs a user namespace for that; in it the user is who it
was, and has the ids that subuid(5) gives it, so that sbuild and others can map them as outside.

Where no such namespace can be made (a closed service, a container), and for programs that are
set-uid, a `subreaper` adopts what loses its parent and ends it. docs/adr/ tells why.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from toolsync.model.errors import SetupError
from toolsync.system import subreaper

MAPPERS = frozenset({"autopkgtest", "mmdebstrap", "sbuild", "unshare"})
"""Programs that map users themselves."""

_SHELL = ("/bin/sh", "-c", '"$@"; exit $?', "toolsync")
"""The plainest first process: waits for all, and ends with the program's own status."""
_SPARE = 2000
"""Processes that our user may have besides: the kernel counts them all together."""
_PATIENCE = 10.0
"""Seconds in which a subreaper must have ended what it keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What a program finds and may use where it runs; 0 is no limit."""

    memory: int = 0
    """Bytes, of all its processes together."""
    processes: int = 0
    """Threads count, too."""
    file: int = 0
    """Bytes of the largest file that it may write."""
    proxy: Path | None = None
    """With it there is no network but loopback, and the one way out is that of `testproxy`."""
    set_uid: bool = False
    """The program is another user's (sendmail), which it cannot be in a user namespace."""


PLAIN = Isolation()


@dataclass(frozen=True, slots=True)
class Way:
    """How a program is started so that it is in a isolation."""

    words: tuple[str, ...]
    """To be put before the program's own."""
    nested: bool
    """Whether its namespace is a namespace, whose first process is the child of what is started."""


def way(program: str, isolation: Isolation = PLAIN) -> Way:
    """Return how a program is started in a namespace of its own.

    Raises SetupError where the network cannot be kept from it.
    """
    base = os.path.basename(program)
    made = () if isolation.set_uid and os.geteuid() else _namespaces(base in MAPPERS, os.geteuid())
    measures = _measures(isolation)
    kept: tuple[str, ...] = (sys.executable, "-I", "-S", subreaper.__file__, *measures, "--")
    if not made and isolation.proxy is not None:
        raise SetupError(
            f"{base} cannot be kept from this machine's network: no namespace can be made here",
            resolution="See what `toolsync doctor` says of user namespaces, or do without the"
            " packages' own tests: [build] tests = false in toolsync.toml.",
        )
    if not made:
        return Way((*dying_with_us("TERM"), *_limits(isolation), *kept), nested=False)
    if isolation.proxy is not None:
        made = (*made, "--net")
    first = kept if measures else _SHELL
    return Way((*dying_with_us("KILL"), *made, *_limits(isolation), *first), nested=True)


def end(process: subprocess.Popen[bytes], *, nested: bool) -> None:
    """End what was started such a way, and return when all in its namespace is gone.

    In a namespace the first process is killed, and not the one that waits for it: that one is
    told by the kernel when the last of the namespace is gone.
    """
    kill(process, nested=nested)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE)
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def kill(process: subprocess.Popen[bytes], *, nested: bool) -> None:
    """Do the first half of `end`, and do not wait."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if nested:
            _kill_children(process)
        else:
            process.terminate()


def _kill_children(process: subprocess.Popen[bytes]) -> None:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    try:
        found = [int(word) for word in children.read_text(encoding="ascii").split()]
    except OSError:
        found = []
    for pid in found or [process.pid]:
        os.kill(pid, signal.SIGKILL)


def dying_with_us(number: str) -> tuple[str, ...]:
    """Return the words by which a program gets a signal when we die."""
    return (_path("setpriv"), "--pdeathsig", number)


def _measures(isolation: Isolation) -> tuple[str, ...]:
    """Return what a subreaper is told to measure, and to lead out."""
    given = {
        "--memory": isolation.memory,
        "--processes": isolation.processes,
        "--proxy": isolation.proxy or 0,
    }
    return tuple(word for key, value in given.items() if value for word in (key, str(value)))


def _limits(isolation: Isolation) -> tuple[str, ...]:
    """Return the words for the limits that the kernel keeps by itself."""
    given = {
        "--nproc": isolation.processes and isolation.processes + _SPARE,
        "--data": isolation.memory,
        "--fsize": isolation.file,
    }
    wanted = [f"{key}={value}" for key, value in given.items() if value]
    return (_path("prlimit"), *wanted, "--core=0", "--") if wanted else ()


@lru_cache(maxsize=16)
def _namespaces(maps: bool, uid: int) -> tuple[str, ...]:
    """Return the words that make a namespace's namespaces, none where that cannot be done here."""
    if uid == 0:
        user: tuple[str, ...] | None = ()
    elif maps:
        user = _mapped(uid, os.getegid())
    else:
        user = ("--map-current-user",)
    if user is None:
        return ()
    made = (_path("unshare"), *user, "--pid", "--fork", "--kill-child", "--mount-proc")
    try:
        tried = subprocess.run([*made, "true"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return made if tried.returncode == 0 else ()


def _mapped(uid: int, gid: int) -> tuple[str, ...] | None:
    """Return how all ids that are ours are mapped to themselves, None where only our own is."""
    users, groups = _range("/etc/subuid", uid), _range("/etc/subgid", uid)
    if users is None or groups is None:
        return None
    return (
        *(f"--map-user={uid}", f"--map-group={gid}"),
        *(f"--map-users={users[0]},{users[0]},{users[1]}",),
        *(f"--map-groups={groups[0]},{groups[0]},{groups[1]}",),
        # What newuidmap(1) is trusted with outside, the programs have themselves inside.
        "--keep-caps",
    )


def _range(path: str, uid: int) -> tuple[str, str] | None:
    """Return the first range of ids that is a user's, as sbuild and others take it."""
    try:
        names = {pwd.getpwuid(uid).pw_name, str(uid)}
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, KeyError):
        return None
    entries = (line.split(":") for line in lines)
    found = (e for e in entries if len(e) == 3 and e[0] in names and int(e[2] or 0) > 0)
    entry = next(found, None)
    return None if entry is None else (entry[1], entry[2])


@lru_cache(maxsize=16)
def _path(program: str) -> str:
    return shutil.which(program) or program
