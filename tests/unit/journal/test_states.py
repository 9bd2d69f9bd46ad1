"""States: whatever is written of a tool makes its row stale, and one row is one tool's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.journal.pages import Looked
from toolsync.journal.states import ORDER, Asked, Placed, State
from toolsync.model.judgment import Judgment
from toolsync.model.release import STATUSES


def state(tool: str, status: str = "new", **other: str) -> State:
    texts = dict.fromkeys(("mark", "current", "newest", "url", "message", "resolution"), "")
    texts |= dict.fromkeys(("since", "holder", "summary", "area", "computed"), "") | other
    places = (Placed(target="local", series="noble", version="1-1~noble1", since=""),)
    return State(tool=tool, status=status, exit_status=0, lag=-1, places=places, **texts)


def look(message: str = "") -> Looked:
    return Looked(
        tool="t", definition="d", sighting=None, answered=True, status="answered", message=message
    )


WRITES: dict[str, Callable[[Journal, Judgment], object]] = {
    "another page": lambda j, _: j.pages.remember([look("away")]),
    "a release": lambda j, _: j.releases.see("t", "2.0", {}),
    "accepted bytes": lambda j, _: j.releases.accept("t", "1.0", "0" * 64),
    "a result": lambda j, _: j.results.record(
        Key(tool="t", version="1.0", stage="fetch"), inputs="", outcome="done", started=""
    ),
    "a judgment": lambda j, said: j.judgments.keep(
        Key(tool="t", version="1.0", stage="license"), "i", said
    ),
    "a decision": lambda j, said: j.decisions.add(
        Key(tool="t", version="1.0", stage="license"), said, verdict="approved", who="w", reason="r"
    ),
    "an upload": lambda j, _: j.uploads.claim(
        dict.fromkeys(("target", "source", "version", "series", "upstream", "content", "dsc"), "x")
        | {"tool": "t", "revision": 1}
    ),
}


@pytest.mark.parametrize("what", WRITES)
def test_what_is_written_makes_a_row_stale(journal: Journal, said: Judgment, what: str) -> None:
    journal.pages.remember([look()])
    journal.states.keep([state("t")], journal.states.stale())
    assert journal.states.stale() == {}
    journal.pages.remember([look()])
    assert journal.states.stale() == {}, "a look that saw nothing new"
    WRITES[what](journal, said)
    assert set(journal.states.stale()) == {"t"}


def test_what_is_written_meanwhile_keeps_it_stale(journal: Journal) -> None:
    seen = journal.states.stale()
    journal.releases.see("t", "2.0", {})
    journal.states.keep([state("t")], seen)
    assert set(journal.states.stale()) == {"t"}
    journal.states.keep([state("t")], journal.states.stale())
    assert journal.states.stale() == {}


def test_rows_are_found_sorted_and_counted(journal: Journal) -> None:
    journal.states.keep(
        [state("b", "held", message="50% of it", holder="license"), state("a"), state("c", "")], {}
    )
    found, total = journal.states.listed(Asked(most=2))
    assert ([s.tool for s in found], total) == (["b", "a"], 3)
    assert found[0] == journal.states.get("b")
    assert journal.states.listed(Asked(first=5))[1] == 3
    for asked, names in (
        (Asked(text="0% o"), ["b"]),
        (Asked(text="_"), []),
        (Asked(series="noble", sort="name"), ["a", "b", "c"]),
        (Asked(series="nob"), []),
        (Asked(status="none"), ["c"]),
        (Asked(status="waiting"), ["b"]),
        (Asked(holder="license"), ["b"]),
        (Asked(text="' OR 1 --"), []),
    ):
        assert [s.tool for s in journal.states.listed(asked)[0]] == names, asked
    assert journal.states.counts() == {"held": 1, "new": 1, "": 1}
    journal.states.leave_out(["b"])
    assert journal.states.get("b") is None


def test_every_status_has_its_place() -> None:
    assert sorted(filter(None, ORDER)) == sorted(STATUSES)
