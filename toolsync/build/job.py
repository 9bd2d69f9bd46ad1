"""What every builder is given, what it gives back, and how a log is read for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.build.chroot import Chroots
from toolsync.model.errors import OutOfSpace, PackageFailed, TookTooLong, TryAgain, Unreachable
from toolsync.model.release import Finding
from toolsync.system.run import NO_ROOM

LOG_LIMIT = 256 * 1024 * 1024
"""Bytes that one build may write to its log."""

_NETWORK = re.compile(
    r"Temporary failure (?:in name resolution|resolving)|Could not (?:resolve|connect to)"
    r"|Unable to connect to|Connection (?:failed|timed out|refused)|Network is unreachable"
    r"|Some index files failed to download|^E: Failed to fetch"
    # A mirror that is being changed, or is behind: its indices and files do not agree.
    r"|Hash Sum mismatch|File has unexpected size|Mirror sync in progress"
    r"|Release file for .* is (?:not valid yet|expired)",
    re.MULTILINE,
)
_DECISIVE = re.compile(
    r"(?:\berror\b|\bError \d+|^E: |^make.*\*\*\*|dh_\w+: |Traceback|\bFAILED\b|"
    r"unmet dependenc|not installable|Unmet build dependencies|cannot (?:stat|find|open)|"
    r"No such file or directory|: (?:command )?not found$)",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"^(?:\s*dh_\w+\s|dpkg-(?:buildpackage|genbuildinfo): info|I: |\+-|[|] |E: Build failure)"
)


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
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    found = [line for line in lines if _DECISIVE.search(line) and not _NOISE.match(line)]
    return "\n".join(found[-most:] or lines[-most:])


def is_network_trouble(text: str) -> bool:
    """Say whether a log tells that apt could not get at its mirror."""
    return _NETWORK.search(text) is not None


def unreachable(what: str, text: str) -> Unreachable:
    """Return the error for a step that failed because the mirror did not answer."""
    lines = [line for line in text.splitlines() if _NETWORK.search(line)]
    return Unreachable(
        f"{what}: the chroot could not reach its mirror:\n" + "\n".join(lines[-4:]),
        resolution="Run again later; if it stays so, set [build] mirror to one that answers.",
    )


def too_long(what: str, error: TookTooLong, text: str) -> TryAgain:
    """Return the error for a step that was stopped: it may be the machine that is slow."""
    return TryAgain(
        f"{what}: {error}:\n{last_lines(text)}",
        resolution="Run again when the machine has less to do, or raise [build] seconds in"
        " toolsync.toml; if it never ends, mend the tool's debian/.",
    )


def is_full_disk(text: str) -> bool:
    """Say whether a log tells of a full disk."""
    return NO_ROOM in text


def no_room(what: str, folder: Path, text: str) -> OutOfSpace:
    """Return the error for a step that found no room below ``folder``."""
    lines = [line for line in text.splitlines() if NO_ROOM in line or "KiB is free" in line]
    return OutOfSpace(
        f"{what}: the disk that holds {folder} is too full:\n" + "\n".join(lines[-4:]),
        resolution="Free some room there, or name another disk's folder in toolsync.toml:"
        " [build] work.",
    )


def last_lines(text: str) -> str:
    """Return the end of a log."""
    return "\n".join(text.splitlines()[-12:])


def failed(what: str, lines: Sequence[str] | str) -> PackageFailed:
    """Return the error for a package that is itself at fault."""
    text = lines if isinstance(lines, str) else "\n".join(lines)
    return PackageFailed(
        f"{what}:\n{text}",
        resolution="Mend the tool's debian/ (or wait for upstream's next release);"
        " `toolsync evidence` names the file of the whole log, and `toolsync sync --retry` tries"
        " again with nothing changed.",
    )
