"""Run a stranger's program where it can neither reach nor keep anything (bubblewrap).

It sees the system's programs and its own tree, read-only, and an empty home in memory. It has
no network, no other processes, no terminal, no input, and an environment that says nothing of
ours. Kernel limits hold each process, a watcher holds all of them together, and when the first
process is gone the kernel kills the rest with their namespace.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from toolsync.model.errors import ProgramFailed, ProgramMissing, TookTooLong
from toolsync.system.run import require, run
from toolsync.system.seccomp import closed_filter

TOOL = "/tool"
"""Where the tree lies inside."""
_STRANGER = 61184
"""The first of 4,000 user ids as which root runs strangers: systemd's for passing users."""
_MB = 1024 * 1024
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ETC = ("alternatives", "ld.so.cache", "java-*-openjdk", "python3*", "ruby*", "perl")
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "HOME": "/home/nobody",
    "TMPDIR": "/tmp",  # noqa: S108 (its own, in memory)
    "LC_ALL": "C.UTF-8",
    "TERM": "dumb",
    "COLUMNS": "200",
    "PAGER": "cat",
    "NO_COLOR": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}


_WITH_RULES = 'exec 9<"$0"; exec "$@"'
"""Bubblewrap reads the filter of system calls from an open file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What one run may use."""

    seconds: float = 30.0
    memory: int = 1024 * _MB
    """Bytes, of all its processes together."""
    processes: int = 64
    """Threads count, too."""
    output: int = 4 * _MB
    """Bytes, of stdout and of stderr."""
    disk: int = 64 * _MB
    """Bytes in each of its places in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a run left."""

    code: int
    """Its exit status, 128 + N where signal N ended it, -1 where we did."""
    out: str
    err: str
    stopped: str = ""
    """Why we ended it, empty where it ended by itself."""

    @property
    def text(self) -> str:
        """All that it said."""
        return self.out + self.err


def sandbox_for(
    tree: Path, *, seconds: int, total_seconds: int, memory: int, processes: int, output: int
) -> Sandbox:
    """Return a sandbox for a tree, with the limits as settings name them (seconds, bytes)."""
    limits = Confinement(seconds=seconds, memory=memory, processes=processes, output=output)
    return Sandbox(tree, limits=limits, seconds=total_seconds)


class Sandbox:
    """Runs programs of one tree; ``seconds`` is what all runs together may take."""

    def __init__(
        self, tree: Path, *, limits: Confinement | None = None, seconds: float = 600.0
    ) -> None:
        self._tree, self._limits = tree.resolve(), limits or Confinement()
        self._end = time.monotonic() + seconds

    def unusable(self) -> str:
        """Return why nothing can be run on this machine, empty where it can."""
        try:
            require("bwrap")
        except ProgramMissing as error:
            return f"{error}; {error.resolution}"
        seen = self.run("/usr/bin/true")
        if seen.code == 0:
            return ""
        return f"bubblewrap cannot make a sandbox here: {seen.stopped or seen.err.strip()[:200]}"

    def has(self, program: str) -> bool:
        """Say whether the system's own folders hold a program, as the sandbox will see it."""
        return any(Path(folder, program).exists() for folder in _ENVIRONMENT["PATH"].split(":"))

    def home_of(self, program: str) -> str:
        """Return the folder that holds the bin/ of a program's real file, empty for none."""
        found = shutil.which(program, path=_ENVIRONMENT["PATH"])
        return str(Path(found).resolve().parents[1]) if found else ""

    def run(self, *argv: str, environment: Mapping[str, str] | None = None) -> Seen:
        """Run a program to its end, or to that of its limits; it never raises for what it does."""
        limits, token = self._limits, secrets.token_hex(8)
        seconds = min(limits.seconds, self._end - time.monotonic())
        if seconds <= 0:
            return Seen(code=-1, out="", err="", stopped="there was no time left for it")
        command = [*self._room(token, environment or {}), *self._limited(), *argv]
        with _watched(token, limits) as excess, tempfile.NamedTemporaryFile() as rules:
            rules.write(closed_filter())
            rules.flush()
            command = ["sh", "-c", _WITH_RULES, rules.name, *command]
            try:
                done = run(*command, timeout=seconds, limit=limits.output, ok=range(-64, 256))
            except TookTooLong:
                reason = excess.get("why", f"it had not ended after {seconds:.0f} s")
                return Seen(code=-1, out="", err="", stopped=reason)
            except ProgramFailed:
                reason = f"it wrote more than {limits.output} bytes"
                return Seen(code=-1, out="", err="", stopped=reason)
        if "why" in excess:
            return Seen(code=-1, out=done.out, err=done.err, stopped=excess["why"])
        return Seen(code=done.code, out=done.out, err=done.err)

    def _room(self, token: str, environment: Mapping[str, str]) -> list[str]:
        """Return bubblewrap's words for the namespaces and everything that is in them."""
        size = str(self._limits.disk)
        words = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
        words += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
        if os.geteuid() == 0:  # to become a stranger: see `_limited`
            words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add"]
            words += ["CAP_SETPCAP"]
        else:
            words += ["--unshare-user"]
        words += ["--seccomp", "9", "--hostname", f"room-{token}", "--ro-bind", "/usr", "/usr"]
        for name in ("bin", "sbin", "lib", "lib32", "lib64"):
            place = Path("/", name)
            if place.is_symlink():
                words += ["--symlink", str(place.readlink()), str(place)]
            elif place.is_dir():
                words += ["--ro-bind", str(place), str(place)]
        words += ["--perms", "755", "--dir", "/etc"]
        for pattern in _ETC:
            for path in sorted(Path("/etc").glob(pattern)):
                words += ["--ro-bind", str(path), str(path)]
        words += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
        for folder in ("/dev/shm", "/tmp", "/home/nobody"):  # noqa: S108 (inside)
            words += ["--perms", "1777", "--size", size, "--tmpfs", folder]
        words += ["--ro-bind", str(self._tree), TOOL, "--remount-ro", "/", "--chdir", "/tmp"]  # noqa: S108
        words += ["--clearenv"]
        for name, value in {**_ENVIRONMENT, **environment}.items():
            words += ["--setenv", name, value]
        return [*words, "--"]

    def _limited(self) -> list[str]:
        """Return the words that set kernel limits and, for root, give up being root."""
        limits = self._limits
        words = ["/usr/bin/prlimit", f"--nproc={limits.processes}", f"--data={limits.memory}"]
        words += [f"--fsize={limits.disk}", "--core=0", "--nofile=512"]
        words += [f"--cpu={int(limits.seconds) + 1}", "--"]
        if os.geteuid() == 0:
            # No limit of processes holds for root, so that each run is a user of its own.
            user = str(_STRANGER + secrets.randbelow(4000))
            words += ["/usr/bin/setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
            words += ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]
        return words


@contextmanager
def _watched(token: str, limits: Confinement) -> Iterator[dict[str, str]]:
    """Kill the namespace of this name when all in it use too much; give why, once it did."""
    why: dict[str, str] = {}
    over = threading.Event()

    def watch() -> None:
        found = 0
        while not over.wait(0.1):
            found = found or _namespace_of(token)
            if not found:
                continue
            count, memory = _use(found)
            if memory > limits.memory:
                why["why"] = f"it used more than {limits.memory // _MB} MB of memory"
            elif count > limits.processes + 8:
                why["why"] = f"it had more than {limits.processes} processes"
            if why:
                with suppress(ProcessLookupError):
                    os.kill(found, signal.SIGKILL)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield why
    finally:
        over.set()
        watcher.join()


def _namespace_of(token: str) -> int:
    """Return the process id of the bubblewrap that has this token, 0 while there is none."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            named = f"room-{token}".encode() in path.read_bytes()
            if named and path.with_name("comm").read_text() == "bwrap\n":
                return int(path.parent.name)
    return 0


def _use(root: int) -> tuple[int, int]:
    """Return how many processes descend from one, and the bytes of memory that they hold."""
    children: dict[int, list[int]] = {}
    pages: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            process = int(path.parent.name)
            children.setdefault(int(fields[1]), []).append(process)  # proc(5): ppid
            pages[process] = int(fields[21])  # rss
    count, memory, queue = 0, 0, list(children.get(root, ()))
    while queue:
        process = queue.pop()
        count += 1
        memory += pages[process] * _PAGE
        queue += children.get(process, ())
    return count, memory
