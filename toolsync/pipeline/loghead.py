"""The head of the log of publications: what the journal has, and what is served of it.

A journal whose leaves do not begin with those of the head that is served was rolled back or
exchanged, and what it would sign could not be told from a log that was rewritten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from toolsync.attest.logged import CHECKPOINT, entry_of, evidence_name
from toolsync.attest.merkle import leaf_hash, root_of
from toolsync.attest.note import ORIGIN, Checkpoint, Note, read_note
from toolsync.attest.tiles import tiles
from toolsync.config.settings import Config
from toolsync.journal.journal import Journal
from toolsync.model.errors import SetupError, Unverified
from toolsync.system.store import digest_of

FOLDER = "log"
"""Where the log is served, below the archive."""


def head_of(journal: Journal, entries: Sequence[bytes]) -> Checkpoint:
    """Return the head of the journal's log, unsigned."""
    return Checkpoint(
        origin=f"{ORIGIN}{journal.identity.introduce().id}",
        size=len(entries),
        root=root_of([leaf_hash(entry) for entry in entries]),
    )


def served_head(config: Config) -> Note | None:
    """Return the head that the archive's folder holds, None before there is one.

    Raises SetupError for one that cannot be read.
    """
    path = config.archive / FOLDER / CHECKPOINT
    try:
        return read_note(path.read_bytes(), str(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (Unverified, OSError) as error:
        raise SetupError(
            f"the head of the log of publications cannot be read: {error}",
            resolution=f"Take {path} from a backup, or from the last report. Without either,"
            " remove it: the next toolsync sync signs the journal's log anew.",
        ) from error


def log_faults(config: Config, journal: Journal) -> Iterator[tuple[str, str]]:
    """Yield each file of the log that is not as the journal has it, with how it differs.

    Nothing is looked for beyond the head that is served: what came since is not published yet.
    """
    served = served_head(config)
    if served is None:
        return
    entries = journal.leaves.all()[: served.checkpoint.size]
    evidence = [entry_of(entry, number) for number, entry in enumerate(entries)]
    wanted = {evidence_name(one.sha256): one.sha256 for one in evidence}
    wanted |= {name: hashlib.sha256(data).hexdigest() for name, data in tiles(entries)}
    for name, digest in wanted.items():
        path = config.archive / FOLDER / name
        if not path.is_file():
            yield f"{FOLDER}/{name}", "is gone"
        elif (found := digest_of(path)[0]) != digest:
            yield f"{FOLDER}/{name}", f"has sha256 {found}, wanted {digest}"


def require_logged(config: Config, journal: Journal, *, strict: bool) -> None:
    """Raise SetupError unless the journal's log goes on from the head that is served.

    Where it is not ``strict`` the leaves are counted and not hashed.
    """
    served = served_head(config)
    if served is None:
        return
    own, there = journal.identity.stamp(), served.checkpoint
    place, found = config.archive / FOLDER / CHECKPOINT, journal.leaves.count()
    if own is None or there.origin != f"{ORIGIN}{own.id}":
        raise _refused(f"keeps another log than {place}, which is {there.origin}")
    if found < there.size:
        raise _refused(f"has {found} publications, and {place} was signed over {there.size}")
    if strict and head_of(journal, journal.leaves.all()[: there.size]) != there:
        raise _refused(f"has other publications than those that {place} was signed over")


def _refused(what: str) -> SetupError:
    return SetupError(
        f"the journal {what}",
        resolution="If the archive is another state's: name a folder of this one's own in [local]"
        " path. Else restore state and archive from one backup, into an empty folder: toolsync"
        " restore FILE. Nothing was changed. Whoever holds a head that is lost with it will see"
        " that by toolsync audit.",
    )
