"""What every builder is given, what it gives back, and how a log is read for people.

Whose fault a failure is follows from exit statuses and what we measure. A log holds words of the
package that was built or tested: it is shown, and decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolsync.build.chroot import Chroots
from toolsync.build.complaint import complaints, raised, reason
from toolsync.build.relations import Unmet
from toolsync.build.variation import Variation
from toolsync.config.record import Table
from toolsync.model.errors import OutOfSpace, PackageFailed, TookTooLong, TryAgain, Unreachable
from toolsync.model.release import Finding
from toolsync.system.architectures import own
from toolsync.system.isolation import PLAIN, Isolation

LOG_LIMIT = 256 * 1024 * 1024
"""Bytes that one build may write to its log."""

_DECISIVE = re.compile(
    r"(?:\berror\b|\bError \d+|^E: |^make.*\*\*\*|dh_\w+: |\bFAILED\b|"
    r"^\s*[\w.]+(?:Error|Exception)(?::|$)|"
    r"unmet dependenc|not installable|Unmet build dependencies|cannot (?:stat|find|open)|"
    r"No such file or directory|: (?:command )?not found$)",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"^(?:\s*dh_\w+\s|dpkg-(?:buildpackage|genbuildinfo): info|I: |\+-|[|] |E: Build failure)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a source package's binaries a build makes."""

    architecture: str = ""
    """For which it builds; empty for this machine's own."""
    alone: bool = False
    """Whether only packages of that architecture are made: those for all come of another build."""

    @property
    def foreign(self) -> str:
        """The architecture where it is not this machine's own, else empty."""
        return "" if self.architecture in ("", own()) else self.architecture


WHOLE = Part()
"""All that is built on this machine's own architecture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One source package to build, in a workshop folder that holds nothing else."""

    dsc: Path
    """The files that it names lie beside it."""
    folder: Path
    """Everything is to be left below this."""
    series: str
    log: Path
    seconds: float
    chroots: Chroots
    isolation: Isolation = PLAIN
    """What its processes may use."""
    hosts: tuple[str, ...] = ()
    """Whom a test that needs the internet may reach."""
    known: tuple[str, ...] = ()
    """Errors of lintian's that the packaging had before, as ``PACKAGE: TAG``."""
    former: Callable[[], Path | None] = lambda: None
    """Returns the .dsc of what the series itself serves under the source package's name, if any."""
    lacks: Callable[[], tuple[Unmet, ...]] = tuple
    """Returns the build dependencies that the series does not have; none if that is unknown."""
    own: Table = field(default_factory=dict)
    """Keys of [build] that the backend alone reads, where no setting has a name for them."""
    part: Part = WHOLE
    """Which of the packages are made, and for which architecture."""
    beside: tuple[Path, ...] = ()
    """Packages of another build, which the tests may need."""
    varied: Variation | None = None
    """Of a second build: what is to be other than in the first, see `Backend.varies`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a builder made."""

    changes: Path
    """Its own .changes, of the binaries; what that names lies beside it."""
    builder: str
    """One phrase for the evidence: which backend, in which chroot."""
    tarball: Path | None
    """The clean chroot, for the tests to run in; None when there was none."""
    findings: tuple[Finding, ...] = ()


def decisive_lines(text: str, *, most: int = 15) -> str:
    """Return the lines of a build's log that tell why it failed, oldest first.

    These are the last ones that look like a complaint of compiler, make, debhelper or apt, or
    the log's last lines where none does.
    """
    lines = raised([line.rstrip() for line in text.splitlines() if line.strip()])
    found = [line for line in lines if _DECISIVE.search(line) and not _NOISE.match(line)]
    return "\n".join([*dict.fromkeys(found)][-most:] or lines[-most:])


def unreachable(what: str, text: str) -> Unreachable:
    """Return the error for a step that failed while the mirror did not answer us either."""
    return Unreachable(
        f"{what}: the mirror does not answer:\n{decisive_lines(text, most=4)}",
        resolution="Run again later; if it stays so, set [build] mirror to one that answers.",
    )


def too_long(what: str, error: TookTooLong, text: str) -> TryAgain:
    """Return the error for a step that was stopped: it may be the machine that is slow."""
    return TryAgain(
        f"{what}: {error}:\n{last_lines(text)}",
        resolution="Run again when the machine has less to do, or raise [build] seconds in"
        " toolsync.toml; if it never ends, mend the tool's debian/.",
    )


def no_room(what: str, place: Path, text: str) -> OutOfSpace:
    """Return the error for a step that failed while the disk that holds ``place`` was full."""
    return OutOfSpace(
        f"{what}: the disk that holds {place} was full:\n{decisive_lines(text, most=4)}",
        resolution="Free some room there, or name another disk's folder in toolsync.toml:"
        " [build] work.",
    )


def last_lines(text: str) -> str:
    """Return the end of a log."""
    return "\n".join(text.splitlines()[-12:])


def failed_build(what: str, text: str) -> PackageFailed:
    """Return the error for a build that failed: its first error first, then the lines around."""
    found = complaints(text)
    if not found:
        return failed(what, decisive_lines(text))
    return failed(f"{what}: {reason(text).rstrip(':')}", found)


def failed(what: str, lines: Sequence[str] | str) -> PackageFailed:
    """Return the error for a package that is itself at fault."""
    text = lines if isinstance(lines, str) else "\n".join(lines)
    return PackageFailed(
        f"{what}:\n{text}",
        resolution="Mend the tool's debian/ (or wait for upstream's next release);"
        " `toolsync evidence` names the file of the whole log, and `toolsync sync --retry` tries"
        " again with nothing changed.",
    )
