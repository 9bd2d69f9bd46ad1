"""What servers said of accepted files: kept by address, and under a tool's new name."""

from __future__ import annotations

from dataclasses import replace

from toolsync.journal.journal import Journal
from toolsync.journal.origins import Origin


def test_the_last_word_of_an_address_is_kept(journal: Journal) -> None:
    first = Origin(tool="t", url="http://h/a", sha256="a" * 64, size=3, etag='"1"', read="then")
    journal.origins.keep(first)
    journal.origins.keep(replace(first, sha256="b" * 64, asked="now", stated="c in http://h/l"))
    journal.origins.keep(replace(first, url="http://h/b"))
    found = journal.origins.of("t")
    assert found["http://h/a"].sha256 == "b" * 64
    assert (found["http://h/a"].asked, found["http://h/b"].asked) == ("now", "")
    journal.followed.rename("t", "u")
    assert (journal.origins.of("t"), set(journal.origins.of("u"))) == ({}, set(found))


def test_tools_of_which_something_was_accepted(journal: Journal) -> None:
    journal.releases.see("t", "1", {})
    assert journal.origins.accepting() == frozenset()
    journal.releases.accept("t", "1", "a" * 64)
    assert journal.origins.accepting() == {"t"}
