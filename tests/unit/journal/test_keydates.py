"""Key dates: a key that was given another end is told of in the log."""

from __future__ import annotations

from dataclasses import replace

from tests.support.clock import TODAY
from toolsync.journal.journal import Journal
from toolsync.journal.keydates import KeyDate
from toolsync.system.clock import stamp

KEY = KeyDate(fingerprint="F", primary="F", ends="2027-01-01T00:00:00Z", digest="d")


def test_a_key_with_another_end_was_re_dated(journal: Journal) -> None:
    other = replace(KEY, fingerprint="G", ends="")
    journal.keydates.keep("t", [KEY, other])
    assert journal.keydates.of("t") == (KEY, other)
    assert journal.log.of("t") == []
    later = replace(KEY, ends="2029-01-01T00:00:00Z")
    journal.keydates.keep("t", [later, other])
    changed = replace(later, before=KEY.ends, changed=stamp(TODAY))
    assert journal.keydates.of("t") == (changed, other)
    assert [entry.event for entry in journal.log.of("t")] == ["key-re-dated"]
    journal.keydates.keep("t", [later])
    assert journal.keydates.of("t") == (changed,)
    assert journal.keydates.of("another") == ()
