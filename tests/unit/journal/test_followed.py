"""What was remembered of a tool stays with its source package; retirements are never changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from toolsync.journal.followed import RESUMED, RETIRED, Followed, Follows, Retirement
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.model.errors import ToolsyncError
from toolsync.model.judgment import Judgment
from toolsync.system.clock import SystemClock


@pytest.fixture
def journal(place: Path | str) -> Iterator[Journal]:
    with closing(Journal.open(place, SystemClock())) as journal:
        yield journal


def taken(journal: Journal, tool: str, digest: str) -> None:
    """Let a tool have an accepted release that a gate holds, and a decision over it."""
    journal.releases.see(tool, "1.0", {"tool": tool})
    journal.releases.accept(tool, "1.0", digest)
    key = Key(tool=tool, version="1.0", stage="fetch")
    journal.results.record(key, inputs="", outcome="held", started="", message=f"by {tool}")
    judgment = Judgment(stage="license", verdict="x", subject="s", summary="", findings=())
    journal.decisions.add(
        Key(tool=tool, version="1.0", stage="license"),
        judgment,
        verdict="rejected",
        who="w",
        reason="r",
    )


def test_a_renamed_tool_keeps_pins_holds_decisions_and_its_log(journal: Journal) -> None:
    taken(journal, "old", "a" * 64)
    journal.followed.follow([Follows(tool="old", source="hello", folder="/t/old")])
    journal.followed.rename("old", "new")
    assert journal.releases.accepted("new", "1.0") == "a" * 64
    assert [hold.message for hold in journal.results.holds("new", "1.0")] == ["by old"]
    assert [d.verdict for d in journal.decisions.of("new")] == ["rejected"]
    assert [line.event for line in journal.log.of("new")] == ["held", "rejected", "renamed"]
    assert list(journal.followed.all()) == ["new"]
    assert [row.data for row in journal.releases.of("new")] == [{"tool": "new"}]
    assert journal.releases.of("old") == []
    assert journal.results.of("old") == []
    journal.followed.rename("new", "newer")
    assert len(journal.decisions.of("newer")) == 1
    journal.followed.rename("newer", "old")  # and back
    assert len(journal.decisions.of("old")) == 1
    assert journal.decisions.of("new") == []


def test_of_two_acceptances_the_older_name_s_counts(journal: Journal) -> None:
    """As where an older toolsync took the renamed folder for another tool."""
    taken(journal, "old", "a" * 64)
    taken(journal, "new", "b" * 64)
    journal.followed.rename("old", "new")
    assert journal.releases.accepted("new", "1.0") == "a" * 64
    assert len(journal.decisions.of("new")) == 2


def test_the_newest_word_on_each_part_counts_and_none_is_changed(journal: Journal) -> None:
    def act(what: str, part: str = "") -> Retirement:
        return Retirement(
            tool="t", source="s", part=part, act=what, removes=False, who="w", at="now", reason="r"
        )

    journal.followed.retire([act(RETIRED), act(RETIRED, "binary x bookworm")])
    assert set(journal.followed.retired()) == {("s", ""), ("s", "binary x bookworm")}
    journal.followed.retire([act(RESUMED)])
    assert set(journal.followed.retired()) == {("s", "binary x bookworm")}
    for sql in ("DELETE FROM retirement", "UPDATE retirement SET who = 'x'"):
        with pytest.raises(ToolsyncError):
            journal.database.write(sql)


def test_what_is_followed_is_kept_once(journal: Journal) -> None:
    one = Follows(tool="t", source="s", folder="/a")
    journal.followed.follow([one, one])
    journal.followed.follow([one])
    assert isinstance(journal.followed, Followed)
    assert journal.followed.all() == {"t": one}
