"""Signed evidence: the newest counts, and all that was ever kept is known."""

from __future__ import annotations

from toolsync.journal.journal import Journal
from toolsync.model.values import Blob


def test_the_newest_of_a_release_counts(journal: Journal) -> None:
    old, new = (Blob(name=name, sha256=name * 64, size=1) for name in "ab")
    assert journal.evidence.newest("t", "1.0") is None
    journal.evidence.keep("t", "1.0", old, "p")
    journal.evidence.keep("t", "1.0", new, "q")
    journal.evidence.keep("t", "1.1", old, "p")
    kept = journal.evidence.newest("t", "1.0")
    assert kept is not None
    assert (kept.envelope, kept.payload) == (new, "q")
    assert journal.evidence.of("t") == {"1.0": new, "1.1": old}
    assert sorted(journal.evidence.all(), key=lambda blob: blob.name) == [old, new]
