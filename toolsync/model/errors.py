"""Every way in which toolsync says no.

::

    ToolsyncError             status  meaning
    ├── UsageError              2     the command cannot mean anything
    │   └── Changed             2     what a person decides over is not what was shown any more
    ├── SetupError              5     the set-up must be mended (config, key, program)
    │   ├── ProgramMissing      5
    │   └── Damaged             5     store or archive have other bytes than they must have
    ├── Held                    3     a person must look: the release waits
    │   ├── Unverified          3     no method declared, or the proof is bad or missing
    │   ├── Drifted             3     a release page is no longer what its reader understands
    │   ├── Hostile             3     an archive or page that tries to hurt, or makes no sense
    │   ├── Replaced            3     other bytes under a version that was accepted before
    │   ├── GateClosed          3     license or compatibility is not allowed to pass
    │   ├── Rejected            3     a person has decided that it shall not pass
    │   └── PackageFailed       3     patches, build, lint or tests failed
    ├── TryAgain                4     nothing is wrong here: the world was not ready
    │   ├── Waiting             4     a target has it and is not done with it yet
    │   ├── Unreachable         4     an upstream or a target could not be reached
    │   │   └── NotThere        4     its server answers, but has no such file (yet)
    │   ├── Busy                4     another toolsync holds the lock
    │   └── OutOfSpace          4     the disk is full
    ├── ProgramFailed           1     an outside program failed where it should not
    │   ├── TookTooLong         1     it was stopped when its time was over
    │   └── TookTooMuch         1     it was stopped for the memory or processes that it used
    └── Bug                     1     we did something that nobody foresaw

An error's text says what was found and what was wanted; its ``resolution`` says what to do.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolsync.model.release import Blob

FINE, BUG, USAGE, HELD, LATER, SETUP = 0, 1, 2, 3, 4, 5
SOMETHING_NEW = 10  # ``check --exit-code``

_GRAVITY = (BUG, SETUP, USAGE, HELD, LATER, FINE)


def gravest(statuses: Iterable[int]) -> int:
    """Return the exit status that speaks for all: 1 > 5 > 3 > 4 > 0."""
    seen = set(statuses)
    return next((status for status in _GRAVITY if status in seen), FINE)


class ToolsyncError(Exception):
    """The root: ``str(error)`` is one sentence, ``resolution`` the next step."""

    exit_status = BUG

    def __init__(self, message: str, *, resolution: str = "") -> None:
        super().__init__(message)
        self.resolution = resolution


class UsageError(ToolsyncError):
    """The command line names something that does not exist or cannot be combined."""

    exit_status = USAGE


class Changed(UsageError):
    """What a person decides over has changed since it was shown."""


class SetupError(ToolsyncError):
    """Configuration, keys or machine are not as a run needs them."""

    exit_status = SETUP

    @classmethod
    def listing(cls, what: str, faults: Sequence[str]) -> SetupError:
        """Return one error that lists every fault found in ``what``."""
        noun = "fault" if len(faults) == 1 else "faults"
        lines = "".join(f"\n  {fault}" for fault in faults)
        return cls(f"{what}: {len(faults)} {noun}:{lines}", resolution="Mend these and run again.")


class ProgramMissing(SetupError):
    """A program that a stage needs is not on this machine."""

    @classmethod
    def named(cls, program: str, how: str) -> ProgramMissing:
        """Return the error for ``program``, which the command ``how`` installs."""
        return cls(
            f"the program {program} is not on this machine",
            resolution=f"Install it with: {how}",
        )


class Damaged(SetupError):
    """A file of the store or the served archive is gone, or has other bytes than it must have."""


class Held(ToolsyncError):
    """The release waits until a person has looked.

    ``log`` is the whole log of what failed, in the store, where there is one.
    """

    exit_status = HELD

    def __init__(self, message: str, *, resolution: str = "", log: Blob | None = None) -> None:
        super().__init__(message, resolution=resolution)
        self.log = log


class Unverified(Held):
    """Where these bytes come from is not proved."""

    verdict = "bad"
    """The word for it in ``fetch --json``."""


class Unproved(Unverified):
    """Nobody has said how the origin is to be proved."""

    verdict = "unchecked"


class Drifted(Held):
    """A release page that cannot be understood, or names nothing where it named something."""


class Hostile(Held):
    """Input that no honest upstream would publish."""


class TooMuch(Hostile):
    """Input that takes more time or memory to look at than it may."""


class Replaced(Held):
    """An accepted version is offered with other bytes."""


class GateClosed(Held):
    """License or compatibility policy does not let the release pass."""


class Rejected(Held):
    """A person has looked at what a gate found and said no."""


class PackageFailed(Held):
    """The source package could not be made, built, linted or tested."""


HOLDS: dict[str, type[Held]] = {
    "Held": Held,
    "Unverified": Unverified,
    "Drifted": Drifted,
    "Hostile": Hostile,
    "Replaced": Replaced,
    "GateClosed": GateClosed,
    "Rejected": Rejected,
    "PackageFailed": PackageFailed,
}
"""What holds a release, by the word under which a journal keeps it; these words never change."""


def hold_word(error: Held) -> str:
    """Return the word under which a journal keeps what holds a release."""
    kinds = {kind: word for word, kind in HOLDS.items()}
    return next((kinds[kind] for kind in type(error).__mro__ if kind in kinds), "Held")


class TryAgain(ToolsyncError):
    """The same run may work later with nothing changed here."""

    exit_status = LATER


class Waiting(TryAgain):
    """A target took a package and needs its time: to accept, build or publish it."""


class Unreachable(TryAgain):
    """Somebody else's server gave no usable answer."""


class NotThere(Unreachable):
    """The server answers that there is no such file (S3 says AccessDenied)."""


class Busy(TryAgain):
    """Another process works on the same state."""


class OutOfSpace(TryAgain):
    """There is no room left on a disk."""


class ProgramFailed(ToolsyncError):
    """An outside program failed in a way that no caller foresaw."""


class TookTooLong(ProgramFailed):
    """An outside program had not ended when its time was over."""


class TookTooMuch(ProgramFailed):
    """An outside program used more memory or processes than it may."""


class Bug(ToolsyncError):
    """An error that nobody foresaw, put into words so that other tools go on."""


_UNUSABLE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.ENOTDIR,
)
"""What is said of a path that somebody has named, or of a user's rights: no program can mend it."""


def unforeseen(error: Exception) -> ToolsyncError:
    """Return what an exception that nobody has put into words tells: a failing disk, or a bug."""
    told = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and _is_of_the_disk(error):
        return OutOfSpace(
            f"the disk cannot be written ({told})",
            resolution="See that it has room and works (dmesg), and run again.",
        )
    if isinstance(error, OSError) and error.errno in _UNUSABLE and error.filename is not None:
        return SetupError(
            f"{os.fsdecode(error.filename)} cannot be used: {error.strerror}",
            resolution="Name another one, or see that this user may enter its folder and use it.",
        )
    return Bug(f"a bug of ours: {told}", resolution="Please report it, with what --debug shows.")


def _is_of_the_disk(error: OSError) -> bool:
    """Say whether a disk is full or broken; of many files that failed, shutil tells in words."""
    numbers = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
    if error.errno in numbers:
        return True
    many = error.args[0] if error.args and isinstance(error.args[0], list) else []
    told = [str(each[2]) for each in many if isinstance(each, tuple) and len(each) == 3]
    # Only how it begins is Python's own: what follows may be a stranger's file name.
    return any(why.startswith(tuple(f"[Errno {number}]" for number in numbers)) for why in told)
