"""When a tool is looked at again follows from its own history: never later than a week."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.config.definition import Tool
from toolsync.journal.journal import Journal
from toolsync.journal.pages import Looked, PageRow
from toolsync.model.release import Outcome, dump
from toolsync.pipeline.memory import fingerprint
from toolsync.pipeline.schedule import LATEST, SOONEST, next_look, pause
from toolsync.setup.tools import load_tool
from toolsync.system.clock import SystemClock, stamp

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def row(status: str = "answered", answered: timedelta | None = HOUR) -> PageRow:
    when = stamp(NOW - answered) if answered is not None else ""
    return PageRow(
        tool="t", definition="", sighting={}, status=status, message="", resolution="",
        exit_status=0, looked=stamp(NOW), answered=when,
    )  # fmt: skip


def ago(*days: float) -> list[str]:
    return [stamp(NOW - timedelta(days=d)) for d in days]


@pytest.mark.parametrize(
    ("firsts", "wait"),
    [
        (ago(3000, 2000), LATEST),  # quiet for years
        (ago(0.01), SOONEST),  # just out: a mended one often follows
        (ago(10), DAY),
        (ago(97, 67, 37), 3 * DAY),  # monthly, and overdue: to be expected any day
        (ago(3, 2, 1), DAY / 10),  # daily
        (ago(90, 60, 30.0), 3 * DAY),
        ([], DAY),
        (["never"], DAY),
    ],
)
def test_the_pause_follows_the_history(firsts: Sequence[str], wait: timedelta) -> None:
    assert abs(pause(row(), firsts, NOW) - wait) <= wait / 100


@pytest.mark.parametrize(
    ("answered", "wait"), [(HOUR, HOUR), (5 * DAY, DAY / 2), (400 * DAY, DAY), (None, 2.4 * HOUR)]
)
def test_a_page_that_does_not_answer_is_asked_again(
    answered: timedelta | None, wait: timedelta
) -> None:
    assert pause(row("unreachable", answered), ago(3000), NOW) == wait


@given(st.lists(st.floats(min_value=0, max_value=20_000), max_size=30))
def test_never_sooner_than_an_hour_nor_later_than_a_week(days: list[float]) -> None:
    assert SOONEST <= pause(row(), ago(*days), NOW) <= LATEST


class Fixed:
    """A clock that stands still."""

    def __init__(self, now: datetime) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Wait for nothing."""


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    folder = write_tool(tmp_path / "tools", "http://h/dl/")
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (0, 0))
    return load_tool(folder)


@pytest.fixture
def clock() -> Fixed:
    return Fixed(NOW)


@pytest.fixture
def journal(tmp_path: Path, clock: Fixed) -> Iterator[Journal]:
    with closing(Journal.open(tmp_path / "journal.sqlite", clock)) as opened:
        yield opened


def remember(journal: Journal, tool: Tool, *named: tuple[str, str], answered: bool = True) -> None:
    look = Looked(
        tool=tool.name, definition=fingerprint(dump(tool.watch)), sighting={}, answered=answered,
        status="answered" if answered else "unreachable", named=named,
    )  # fmt: skip
    journal.pages.remember([look])


def wait(tool: Tool, journal: Journal, status: str = "up-to-date") -> timedelta:
    return next_look(tool, journal, NOW, statuses={tool.name: status}) - NOW


def test_what_was_never_looked_at_or_needs_a_step_is_due(tool: Tool, journal: Journal) -> None:
    assert wait(tool, journal) == timedelta(0)
    remember(journal, tool, ("1.0", "2010-01-01T00:00:00Z"))
    assert LATEST * 0.9 <= wait(tool, journal) <= LATEST
    for status in ("new", "held", "recalled", "drifted", "replaced", "error"):
        assert wait(tool, journal, status) == timedelta(0)
    assert next_look(tool, journal, NOW, statuses={}) == NOW


def test_a_changed_folder_or_setting_is_due(tool: Tool, journal: Journal) -> None:
    remember(journal, tool, ("1.0", "2010-01-01T00:00:00Z"))
    later = NOW + HOUR
    same = {tool.name: "up-to-date"}
    assert next_look(tool, journal, NOW, statuses=same, settings=NOW - HOUR) > NOW
    assert next_look(tool, journal, NOW, statuses=same, settings=later) == NOW
    os.utime(tool.debian / "control", (later.timestamp(), later.timestamp()))
    assert wait(tool, journal) == timedelta(0)


def test_a_date_is_believed_only_back_to_the_last_look(
    tool: Tool, journal: Journal, clock: Fixed
) -> None:
    """A tag is easily dated back: what was not there yesterday is not years old today."""
    remember(journal, tool, ("1.0", "2010-01-01T00:00:00Z"), ("0.9", ""))
    clock.moment = NOW + DAY
    dated_back, dated_on = ("1.1", "2011-01-01T00:00:00Z"), ("1.2", "2099-01-01T00:00:00Z")
    remember(journal, tool, dated_back, dated_on, ("1.0", "2020-01-01T00:00:00Z"))
    assert journal.pages.first_seen(tool.name) == {
        "0.9": stamp(NOW),
        "1.0": "2010-01-01T00:00:00Z",
        "1.1": stamp(NOW),
        "1.2": stamp(NOW + DAY),
    }


def test_a_check_keeps_first_days(rig: Rig, web: Web) -> None:
    write_tool(rig.tools, web.url + "/dl/")
    publish(web, "1.0")
    rig.run("check", "hello")
    publish(web, "1.0", "1.1")
    rig.run("check", "hello")
    with closing(Journal.open(rig.state / "journal.sqlite", Fixed(NOW))) as journal:
        assert sorted(journal.pages.first_seen("hello")) == ["1.0", "1.1"]


def test_what_a_check_has_seen_is_told_by_the_next_run(rig: Rig, web: Web) -> None:
    """It is news to the run, though the page was looked at a moment ago."""
    rig.configure('tools = ["hello"]\n' + rig.settings)
    write_tool(rig.tools, web.url + "/dl/")
    long_ago = NOW.timestamp() - 1_000_000
    for path in (rig.file, *rig.tools.rglob("*")):
        os.utime(path, (long_ago, long_ago))
    web.serve("/dl/", "busy", status=503)
    rig.run("check", "hello", status=4)
    down = Outcome(
        tool="hello", status="unreachable", current=None, newest=None, url=None, message="busy"
    )
    with closing(Journal.open(rig.state / "journal.sqlite", SystemClock())) as journal:
        number = journal.runs.begin()
        journal.statuses.keep([down])
        journal.runs.end(number, 4)
    assert rig.json("run", "--dry-run")["tools"] == []
    publish(web, "1.0")
    rig.run("check", "hello")
    (row,) = rig.json("run", "--dry-run")["tools"]
    assert row["newest"] == "1.0"
