"""Runs: the heartbeat."""

from __future__ import annotations

from toolsync.journal.journal import Journal


def test_a_killed_run_has_no_end(journal: Journal) -> None:
    assert journal.runs.last_finished() is None
    one = journal.runs.begin()
    journal.runs.end(one, 4)
    assert journal.runs.begin() == one + 1
    assert [run.exit_status for run in journal.runs.last()] == [-1, 4]
    assert [run.finished for run in journal.runs.last(1)] == [""]
    ended = journal.runs.last_finished()
    assert ended is not None
    assert ended.id == one
