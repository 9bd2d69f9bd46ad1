"""A whole week on driven time: what the operator receives, not more and not less."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.rig import ROOT
from tests.support.week import Week, as_page, lived

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("week")]


@pytest.fixture(scope="module")
def week() -> Iterator[Week]:
    with lived() as passed:
        yield passed


def test_every_event_is_told_once_and_nothing_else(week: Week) -> None:
    subjects = [mail.split("Subject: toolsync: ")[1].split("\n")[0] for _, mail in week.mails]
    told = [
        f"{moment:%a %H:%M} {words}"
        for (moment, _), words in zip(week.mails, subjects, strict=True)
    ]
    assert told == [
        "Mon 00:05 1 warning, 4 published: greet, hello, paint and 1 more",
        "Mon 12:05 1 published: hello",
        # Tuesday: an outage of twelve hours is nobody's business.
        "Wed 12:05 1 alarm, 1 warning: hello, greet",
        "Thu 00:05 1 well again: hello",
        "Thu 12:05 1 held: greet",
        "Fri 12:05 1 warning, 1 published: greet",
        "Fri 16:05 1 alarm: paint",
        "Fri 20:05 1 well again: paint",
        "Sat 04:05 1 in trouble: quiet",
        "Sun 08:05 1 published: paint",  # of Saturday: the mail server was down
        "Sun 12:05 1 well again: quiet",
    ]


def test_runs_end_as_the_world_is_and_a_second_one_leaves(week: Week) -> None:
    ended = {f"{moment:%a %H}": status for moment, who, status in week.statuses if who == "timer"}
    assert ended["Mon 12"] == 0
    assert ended["Tue 04"] == 4
    assert ended["Wed 12"] == 3
    assert ended["Sat 08"] == 4
    assert ended["Sun 12"] == 0
    assert len(week.statuses) == 42 + 14
    (refused,) = week.refused
    assert "toolsync run" in refused


def test_all_views_say_the_same_after_every_run(week: Week) -> None:
    assert week.disagreed == []
    assert week.compared >= 42 + 14
    assert week.statuses_seen > {"up-to-date", "held", "unreachable"}


def test_mails_say_the_same_as_all_other_views(week: Week) -> None:
    assert week.items_compared == 14  # all that mails told but what they told of keys
    assert week.mails_disagreed == []


def test_metrics_and_page_tell_of_the_weeks_end(week: Week) -> None:
    metrics = (week.root / "toolsync.prom").read_text()
    for tool in ("greet", "hello", "paint", "quiet"):
        assert f'toolsync_tool_state{{status="up-to-date",tool="{tool}"}} 1.0' in metrics
    assert "toolsync_run_exit_status 0.0" in metrics
    page = (week.root / "page" / "tools" / "greet.html").read_text()
    assert "2.1: confirmed" in re.sub(r"<[^>]+>", "", page)


def test_the_page_of_the_docs_is_what_comes(week: Week) -> None:
    assert (ROOT / "docs" / "explanation" / "a-week.md").read_text() == as_page(week)
