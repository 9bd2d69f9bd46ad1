"""Read a release's terms from its orig tarballs, on this machine or on a worker's."""

from __future__ import annotations

from toolsync.archives.tree import Origs, open_release
from toolsync.config.settings import Limits
from toolsync.license.detect import Detector
from toolsync.license.scan import scan
from toolsync.license.terms import Problem, Terms
from toolsync.model.errors import TooMuch
from toolsync.system.confined import confined
from toolsync.system.store import Store
from toolsync.system.work import Workshop


def read_terms(
    item: Origs,
    old: Terms | None,
    detector: Detector,
    *,
    limits: Limits,
    store: Store,
    workshop: Workshop,
) -> Terms:
    """Return the terms of a release; only contents that ``old`` has not are looked at.

    Raises ProgramMissing, Hostile.
    """
    with open_release(item, store=store, workshop=workshop, limits=limits) as top:
        try:
            seen = confined(
                lambda: scan(top, before=old),
                what="reading the license texts",
                seconds=limits.gate_seconds,
                memory=limits.gate_memory,
            )
        except TooMuch as error:
            return Terms(problems=(Problem(path="", reason=f"{error} ({named(item)})"),))
        told = detector.look(seen.unexplained) if seen.unexplained else {}
        before = {item.digest: item.ids for item in old.told} if old else {}
        return seen.explained(before | told)


def named(item: Origs) -> str:
    """Return what an approval is for, of a release that could not be looked at: these bytes."""
    return f"{item.orig.name}, SHA-256 {item.orig.sha256}"
