"""Decisions: kept for ever, and the newest over the same subject counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toolsync.journal.decisions import APPROVED, REJECTED, newest_decision
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.model.errors import SetupError
from toolsync.model.judgment import Judgment

KEY = Key(tool="t", version="1.0", stage="license")


def test_decisions_are_kept_oldest_first_and_logged(journal: Journal, said: Judgment) -> None:
    said = replace(said, carries=("MIT", "Zlib"))
    journal.decisions.add(KEY, said, verdict=REJECTED, who="joe", reason="no")
    journal.decisions.add(KEY, said, verdict=APPROVED, who="jane", reason="yes")
    first, second = journal.decisions.of("t")
    assert (first.verdict, first.who, first.reason) == (REJECTED, "joe", "no")
    assert second.carries == ("MIT", "Zlib")
    assert journal.log.of("t")[-1].message == "by jane: yes"
    assert newest_decision([first, second], "1.0", "license", said.subject) == second
    assert newest_decision([first, second], "1.0", "license", "another") is None
    assert journal.decisions.of("another") == []


def test_they_cannot_be_changed(journal: Journal, said: Judgment) -> None:
    journal.decisions.add(KEY, said, verdict=REJECTED, who="joe", reason="no")
    for statement in ("DELETE FROM decision", "UPDATE decision SET verdict = 'approved'"):
        with pytest.raises(SetupError, match="append-only"):
            journal.database.write(statement)
    assert [d.verdict for d in journal.decisions.of("t")] == [REJECTED]
