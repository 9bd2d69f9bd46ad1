"""Run outside programs: no stdin but a file, one locale, a time limit, capped output, no survivors.

Every program runs in a namespace of its own (`isolation`), which is cleared when the program
has ended, when its time or output passes a limit, and by the kernel when toolsync itself is
killed; what still survives is found by its mark, see `lock`. It has the variables named here and
what its caller gives it, and nothing else of our environment.
"""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import IO

from toolsync.model.errors import (
    OutOfSpace,
    ProgramFailed,
    ProgramMissing,
    TookTooLong,
    TookTooMuch,
    ToolsyncError,
)
from toolsync.system import builder, stop, subreaper, underway
from toolsync.system.isolation import PLAIN, Isolation, Way, end, kill
from toolsync.system.private import UMASK
from toolsync.system.programs import find, how_to_get
from toolsync.system.space import Gauge
from toolsync.system.store import full_disk_is_told

MARK = "TOOLSYNC_OWNER"
"""Environment variable by which a later run knows what a killed run left behind."""

_OUTPUT_LIMIT = 8 * 1024 * 1024
_TICK = 0.25
"""Seconds between two looks at the disks."""

PASSED_ON = (
    *("PATH", "USER", "LOGNAME", MARK, builder.SOCKET),
    # The ways out, and who is trusted there.
    *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK"),
)
"""The variables that a program has from us, where they are set; all others would change results.

So would the files in our user's home (``~/.dpkg.cfg``, ``~/.quiltrc``): `NO_HOME` is in its place.
"""
NO_HOME = "/nonexistent"
"""A home that nobody has (Debian Policy 9.2.3)."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a finished program left: its exit code and its output as text."""

    code: int
    """Its exit status, 128 + N where signal N ended it."""
    out: str
    err: str
    full: Path | None = None
    """Where a disk that it may have written to was full, at some time while it ran."""

    @property
    def tail(self) -> str:
        """The last lines of what it said, for an error's text."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return "\n".join(lines[-12:])


def require(program: str) -> str:
    """Return the path of ``program`` or raise ProgramMissing, naming the package to install."""
    found = find(program)
    if found is None:
        raise ProgramMissing.named(program, how_to_get(program))
    return found


def run(
    *argv: str | Path,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    given: Path | None = None,
    limit: int = _OUTPUT_LIMIT,
    ok: Sequence[int] = (0,),
    isolation: Isolation = PLAIN,
) -> Done:
    """Run a program to its end and return what it left; nothing that it started goes on.

    ``timeout`` is in seconds, ``limit`` in bytes of output (each of stdout and stderr). With
    ``log`` both go to that file instead, in the order written; ``given`` is the file to read
    from stdin; ``isolation`` says what it may use. Raises ProgramMissing; raises
    ProgramFailed when the exit code is not in ``ok`` or ``limit`` was passed, TookTooLong when
    ``timeout`` was, TookTooMuch when the namespace's limits were, and OutOfSpace when it failed
    and a disk was found full, or when ``log`` cannot grow.
    """
    environment = _environment(env)
    program = require(str(argv[0]))
    require("setpriv")
    way = builder.way(program, environment, isolation)
    command = [*way.words, program, *map(str, argv[1:])]
    gauge = Gauge(_places(argv, cwd, environment, log))
    if log is not None:
        underway.logs_to(log)
    with ExitStack() as stack:
        sink = stack.enter_context(_opened(log)) if log else None
        source = stack.enter_context(given.open("rb")) if given else subprocess.DEVNULL
        process = stack.enter_context(
            subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if log else subprocess.PIPE,
                start_new_session=True,
                umask=UMASK,
            )
        )
        stack.enter_context(stop.ended_by(partial(kill, process, nested=way.nested)))
        done = _Collector(process, way, limit, sink, gauge).wait(str(argv[0]), timeout)
    _see_limits(str(argv[0]), done, isolation)
    if done.code not in ok:
        raise _failed(argv, done, ok)
    return done


def _places(
    argv: Sequence[str | Path], cwd: Path | None, env: Mapping[str, str], log: Path | None
) -> Iterator[Path]:
    """Give where a program may write: what its words name, where it is, its temporary folder."""
    yield cwd or Path.cwd()
    yield Path(env.get("TMPDIR", "/tmp"))  # noqa: S108 (only looked at)
    if log is not None:
        yield log.parent
    yield from (
        Path(word) for word in argv[1:] if str(word).startswith("/") and len(str(word)) < 4096
    )


def _see_limits(name: str, done: Done, isolation: Isolation) -> None:
    """Raise TookTooMuch where the namespace's subreaper ended the program."""
    what = {
        subreaper.TOO_MUCH_MEMORY: (isolation.memory, "bytes of memory"),
        subreaper.TOO_MANY_PROCESSES: (isolation.processes, "processes"),
    }
    most, unit = what.get(done.code, (0, ""))
    if most:
        raise TookTooMuch(
            f"{name} was stopped: it used more than {most} {unit}, its limit",
            resolution="Raise the limit in toolsync.toml if that is rightly needed.",
        )


def _failed(argv: Sequence[str | Path], done: Done, ok: Sequence[int]) -> ToolsyncError:
    if done.full is not None:
        return OutOfSpace(
            f"{argv[0]} failed while the disk that holds {done.full} was full: {done.tail}",
            resolution="Free some room there and run again.",
        )
    return ProgramFailed(
        f"{argv[0]} ended with status {done.code}, wanted {' or '.join(map(str, ok))}"
        + (f":\n{done.tail}" if done.tail else ""),
        resolution=f"Its command line was: {' '.join(str(word) for word in argv)}",
    )


def _opened(log: Path) -> FileIO:
    with full_disk_is_told(log.parent):
        return FileIO(log, "ab")


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """Return all that a program is told: what we pass on, one locale, and what its caller says."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    kept |= {
        "HOME": NO_HOME,
        "LC_ALL": "C.UTF-8",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "DEBIAN_FRONTEND": "noninteractive",
    }
    return kept | dict(extra or {})


@contextmanager
def _handle_of(process: subprocess.Popen[bytes]) -> Iterator[int]:
    """Give a file that can be read once the process has ended."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:  # it has ended already, and was waited for
        handle, writer = os.pipe()
        os.close(writer)
    try:
        yield handle
    finally:
        os.close(handle)


class _Collector:
    """Reads a process's output up to a limit and ends its namespace when that is passed."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        way: Way,
        limit: int,
        sink: FileIO | None,
        gauge: Gauge,
    ) -> None:
        self._process, self._way, self._limit = process, way, limit
        self._sink, self._gauge = sink, gauge
        self._log = Path(str(sink.name)) if sink else None
        self._flooded = False
        self._unwritten: Exception | None = None

    def wait(self, name: str, timeout: float) -> Done:
        """Return when the program has ended; kill it when it takes too long."""
        out, err = bytearray(), bytearray()
        pairs = [(self._process.stdout, out), (self._process.stderr, err)]
        readers = [
            threading.Thread(target=self._read, args=(pipe, into), daemon=True)
            for pipe, into in pairs
            if pipe is not None
        ]
        for reader in readers:
            reader.start()
        try:
            code = self._ended(name, timeout)
        finally:
            self._kill()  # no-op for a namespace that is empty
            for reader in readers:
                reader.join(10)
        if self._unwritten is not None and self._log is not None:
            with full_disk_is_told(self._log.parent):
                raise self._unwritten
        if self._flooded:
            raise ProgramFailed(
                f"{name} was stopped: it wrote more than {self._limit} bytes, its limit",
                resolution="Run it by hand to see what it says; no sane run says that much.",
            )
        full = self._gauge.full if code == 0 else self._gauge.look()
        return Done(code, out.decode(errors="replace"), err.decode(errors="replace"), full)

    def _ended(self, name: str, timeout: float) -> int:
        """Wait for the program, looking at the disks meanwhile; return its status."""
        end = time.monotonic() + timeout
        waiting = select.poll()
        with _handle_of(self._process) as handle:
            waiting.register(handle, select.POLLIN)
            while True:
                left = end - time.monotonic()
                if waiting.poll(1000 * max(0.0, min(left, _TICK))):
                    code = self._process.wait()
                    return code if code >= 0 else 128 - code
                self._gauge.look()
                if left <= _TICK:
                    break
        raise TookTooLong(
            f"{name} was stopped after {timeout:.0f} s, its limit",
            resolution="Raise the limit in toolsync.toml if the machine is merely slow.",
        )

    def _read(self, pipe: IO[bytes], into: bytearray) -> None:
        """Read to the end, whatever happens: a full pipe would keep the program from ending."""
        size = 0
        while chunk := os.read(pipe.fileno(), 65536):
            size += len(chunk)
            if size > self._limit:
                self._flooded = True
                self._kill()
            elif self._sink is None:
                into += chunk
            elif self._unwritten is None:
                self._write(self._sink, chunk)

    def _write(self, sink: FileIO, chunk: bytes) -> None:
        """Write all of a chunk to the log; a program whose log is lost need not go on."""
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[sink.write(rest) :]
        except (OSError, ValueError) as error:  # the latter where we were too late
            self._unwritten = error
            self._kill()

    def _kill(self) -> None:
        end(self._process, nested=self._way.nested)
