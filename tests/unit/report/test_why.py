"""Why a tool is where it is: the last failure is told as long as it is one."""

from __future__ import annotations

import pytest

from toolsync.journal.log import Entry
from toolsync.model.release import Outcome
from toolsync.report.why import why

NEW = Outcome(
    tool="hello", status="new", current=None, newest="1.1", url=None, message="1.1 is new"
)


def entry(stage: str, event: str, scope: str = "", version: str = "1.1") -> Entry:
    said = f"{stage} says {event}"
    return Entry(
        at="T", tool="hello", version=version, scope=scope, stage=stage, event=event, message=said
    )


@pytest.mark.parametrize("event", ["later", "error"])
def test_a_failure_is_told_until_its_stage_is_done(event: str) -> None:
    failed = entry("fetch", event)
    assert f"ended at fetch: fetch says {event}." in why("hello", NEW, [failed])
    others = [failed, entry("build", "done", "trixie/1"), entry("fetch", "done", version="1.0")]
    assert "ended at fetch" in why("hello", NEW, others)
    told = why("hello", NEW, [failed, entry("fetch", "done")])
    assert told == (
        "hello is new: 1.1 is new. Nobody can install it yet."
        " The next run takes it; take it now with: toolsync sync hello"
    )


def test_one_series_done_does_not_hide_what_another_lacks() -> None:
    log = [entry("build", "error", "bookworm/1"), entry("build", "done", "trixie/1")]
    assert "ended at build" in why("hello", NEW, log)
