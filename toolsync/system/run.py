"""Run outside programs: no stdin but a file, one locale, a time limit, capped output, no survivors.

Every program runs in a process group of its own, which is killed as a whole when the time
or the output passes its limit. The kernel kills the program when toolsync itself is killed
(``setpriv --pdeathsig``); what still survives is found by its mark, see `lock`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO

from toolsync.model.errors import OutOfSpace, ProgramFailed, ProgramMissing, TookTooLong
from toolsync.system.builder import prefix
from toolsync.system.store import full_disk_is_told

MARK = "TOOLSYNC_OWNER"
"""Environment variable by which a later run knows what a killed run left behind."""

NO_ROOM = "No space left on device"
"""What programs say (strerror(3), in the one locale) when a disk is full."""
_OUTPUT_LIMIT = 8 * 1024 * 1024

PACKAGES: Mapping[str, str] = {
    "apt-cache": "apt",
    "apt-get": "apt",
    "autopkgtest": "autopkgtest",
    "bwrap": "bubblewrap",
    "dpkg-buildpackage": "dpkg-dev",
    "dh": "debhelper",
    "dput": "dput",
    "dpkg": "dpkg",
    "dpkg-deb": "dpkg",
    "dpkg-genchanges": "dpkg-dev",
    "dpkg-source": "dpkg-dev",
    "git": "git",
    "gpg": "gpg",
    "gpg-agent": "gpg-agent",
    "gpgconf": "gpgconf",
    "gpgv": "gpgv",
    "licensecheck": "licensecheck",
    "lintian": "lintian",
    "mmdebstrap": "mmdebstrap",
    "newgidmap": "uidmap",
    "newuidmap": "uidmap",
    "prlimit": "util-linux",
    "reprepro": "reprepro",
    "sendmail": "default-mta",
    "sbuild": "sbuild",
    "sftp": "openssh-client",
    "setpriv": "util-linux",
    "tar": "tar",
    "unshare": "util-linux",
    "xz": "xz-utils",
    "zstd": "zstd",
}
"""Which Debian package carries each program that toolsync runs."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a finished program left: its exit code and its output as text."""

    code: int
    out: str
    err: str

    @property
    def tail(self) -> str:
        """The last lines of what it said, for an error's text."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return "\n".join(lines[-12:])


def require(program: str) -> str:
    """Return the path of ``program`` or raise ProgramMissing, naming the package to install."""
    found = shutil.which(program)
    if found is None:
        raise ProgramMissing.named(program, PACKAGES.get(program, program))
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
) -> Done:
    """Run a program to its end and return what it left.

    ``timeout`` is in seconds, ``limit`` in bytes of output (each of stdout and stderr). With
    ``log`` both go to that file instead, in the order written; ``given`` is the file to read
    from stdin. Raises ProgramMissing; raises
    ProgramFailed when the exit code is not in ``ok`` or ``limit`` was passed, TookTooLong when
    ``timeout`` was, and OutOfSpace when the program says that a disk is full, or when ``log``
    cannot grow.
    """
    environment = _environment(env)
    program = require(str(argv[0]))
    command = [require("setpriv"), "--pdeathsig", "KILL", *prefix([program], environment), program]
    command += [str(word) for word in argv[1:]]
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
            )
        )
        done = _Collector(process, limit, sink).wait(str(argv[0]), timeout)
    if done.code not in ok:
        if NO_ROOM in done.err or NO_ROOM in done.out:
            raise OutOfSpace(
                f"{argv[0]} found no room on a disk: {done.tail}",
                resolution="Free some room there and run again.",
            )
        raise ProgramFailed(
            f"{argv[0]} ended with status {done.code}, wanted {' or '.join(map(str, ok))}"
            + (f":\n{done.tail}" if done.tail else ""),
            resolution=f"Its command line was: {' '.join(str(word) for word in argv)}",
        )
    return done


def _opened(log: Path) -> FileIO:
    with full_disk_is_told(log.parent):
        return FileIO(log, "ab")


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """Return our environment without what would change a program's words or its keys."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LC_", "LANG", "DEB_", "PERL5", "PYTHON", "GNUPGHOME", "VIRTUAL_"))
    }
    kept |= {
        "LC_ALL": "C.UTF-8",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "DEBIAN_FRONTEND": "noninteractive",
    }
    return kept | dict(extra or {})


class _Collector:
    """Reads a process's output up to a limit and kills its group when that is passed."""

    def __init__(self, process: subprocess.Popen[bytes], limit: int, sink: FileIO | None) -> None:
        self._process, self._limit, self._sink = process, limit, sink
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
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._kill()
            raise TookTooLong(
                f"{name} was stopped after {timeout:.0f} s, its limit",
                resolution="Raise the limit in toolsync.toml if the machine is merely slow.",
            ) from None
        finally:
            self._kill()  # no-op for a group that is gone; else what it left running
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
        return Done(code, out.decode(errors="replace"), err.decode(errors="replace"))

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
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.poll()
