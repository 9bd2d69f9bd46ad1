"""Compare the terms of two archives or folders, as a person names them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolsync.archives.tree import open_any
from toolsync.config.settings import Limits
from toolsync.license.change import REVIEW, SILENT, Change
from toolsync.license.compare import compare
from toolsync.license.detect import Detector, available
from toolsync.license.scan import Scan, scan
from toolsync.license.terms import Terms
from toolsync.model.errors import Hostile
from toolsync.model.judgment import LICENSE_VERDICTS, gravest_verdict
from toolsync.system.confined import confined
from toolsync.system.work import Workshop

_NOTHING = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two trees' terms come to."""

    changes: tuple[Change, ...]
    old: Terms = _NOTHING
    new: Terms = _NOTHING

    @property
    def verdict(self) -> str:
        """``silent``, ``review`` or ``block``."""
        return gravest_verdict((change.verdict for change in self.changes), LICENSE_VERDICTS)


def compare_trees(
    old: Path, new: Path, *, workshop: Workshop, limits: Limits, cache: Path | None = None
) -> Comparison:
    """Compare what ``old`` and ``new`` (archives or folders) say.

    An archive that cannot be read is a change of its own. Raises UsageError for what is neither.
    """
    scans: list[Scan] = []
    changes: list[Change] = []
    with ExitStack() as stack:
        for path in (old, new):
            try:
                top = stack.enter_context(open_any(path, workshop=workshop, limits=limits))
                scanned = confined(
                    partial(scan, top),
                    what="reading the license texts",
                    seconds=limits.gate_seconds,
                    memory=limits.gate_memory,
                )
            except Hostile as error:
                changes.append(unreadable(path.name, str(error)))
            else:
                scans.append(scanned)
        if changes:
            return Comparison(changes=tuple(changes))
        before, after = _explained(scans[0], scans[1], workshop, cache, changes)
    return Comparison(changes=(*compare(before, after), *changes), old=before, new=after)


def terms_of(path: Path, *, workshop: Workshop, limits: Limits, cache: Path | None = None) -> Terms:
    """Return the terms of one archive, as the gate keeps them; raises Hostile, TooMuch."""
    with open_any(path, workshop=workshop, limits=limits) as top:
        seen = confined(
            partial(scan, top),
            what="reading the license texts",
            seconds=limits.gate_seconds,
            memory=limits.gate_memory,
        )
        detector = Detector(workshop=workshop, cache=cache)
        known = seen.unexplained and available()
        return seen.explained(detector.look(seen.unexplained) if known else {})


def unreadable(name: str, reason: str) -> Change:
    """Return the change that something could not be read: at least a review."""
    return Change(
        code="unreadable",
        verdict=REVIEW,
        message=f"{name}: {reason}",
        about=(name, reason),
        unknown=True,
    )


def _explained(
    old: Scan, new: Scan, workshop: Workshop, cache: Path | None, changes: list[Change]
) -> tuple[Terms, Terms]:
    """Ask a detector about the contents that only one of the trees has."""
    common = old.unexplained.keys() & new.unexplained.keys()
    both = {**old.unexplained, **new.unexplained}
    asked = {digest: path for digest, path in both.items() if digest not in common}
    if not asked:
        return old.terms, new.terms
    if not available():
        changes.append(
            Change(
                code="no-detector",
                verdict=SILENT,
                message=f"licensecheck is not there to explain {len(asked)} files; "
                "license texts, metadata and well-known phrases were compared",
            )
        )
        return old.terms, new.terms
    detector = Detector(workshop=workshop, cache=cache)
    told = detector.look(asked)
    changes.extend(
        Change(code="detector", verdict=REVIEW, message=text, about=(text,), unknown=True)
        for text in detector.problems
    )
    return old.explained(told), new.explained(told)
