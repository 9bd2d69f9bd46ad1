"""What is news, to whom, and what is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.reporting import NOW, ago, last_status, page, publication, scene
from toolsync.journal.runs import RunRow
from toolsync.journal.statuses import LastStatus
from toolsync.report.lag import in_words, lag
from toolsync.report.message import as_text, message
from toolsync.report.news import News, Scene, news

HELD = last_status(status="held", message="1.1 is held at license: no", exit_status=3, newest="1.1")
DOWN = last_status(status="unreachable", message="it does not answer", exit_status=4)


def kinds(found: News) -> list[tuple[str, str]]:
    return [(item.kind, item.tool) for item in found.items]


def after(told: dict[str, str], *scenes: Scene) -> list[list[tuple[str, str]]]:
    """Return the kinds of news of several scenes, each told before the next."""
    all_kinds = []
    for now in scenes:
        found = news(now, told, "mail")
        told |= found.states
        all_kinds.append(kinds(found))
    return all_kinds


def test_a_calm_service_says_nothing() -> None:
    assert news(scene(last_status()), {}, "mail") == News(items=(), states={})


def test_a_hold_is_told_once_and_its_end_once() -> None:
    assert after({}, scene(HELD), scene(HELD), scene(last_status()), scene(last_status())) == [
        [("held", "hello")],
        [],
        [("recovered", "hello")],
        [],
    ]


def test_another_reason_is_news() -> None:
    other = last_status(status="held", message="1.2 is held at build: no", exit_status=3)
    assert after({}, scene(HELD), scene(other)) == [[("held", "hello")]] * 2


def test_the_same_failure_in_another_folder_is_no_news() -> None:
    words = "dpkg-source failed in /var/tmp/toolsync-0-ab/package-{}/x after {} s at 2026-11-21T{}"
    first, second = (
        scene(last_status(status="held", message=words.format(*how), exit_status=3))
        for how in (("x1y2z3w4", "1.5", "10:00:00Z"), ("q_w2e3r4", "12", "14:00:01Z"))
    )
    assert after({}, first, second) == [[("held", "hello")], []]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("http://h/ names 3 files, such as a-1.zip", "http://h/ names 4 files, such as b-2.zip"),
        ("it failed in /srv/x7/build_q1w2: 17 errors", "it failed in /srv/y8/build_e3r4: 2 errors"),
    ],
)
def test_a_fault_is_news_by_what_it_is_and_not_by_its_words(first: str, second: str) -> None:
    one, two = (last_status(status="drifted", message=m, exit_status=3) for m in (first, second))
    assert after({}, scene(one), scene(two)) == [[("held", "hello")], []]
    other = last_status(status="error", message=second, exit_status=5)
    assert after({}, scene(one), scene(other)) == [[("held", "hello")]] * 2


def test_what_an_older_version_has_told_is_not_told_again() -> None:
    told = {"tool:hello": "held: 1.1 is held at license: no"}
    assert after(told, scene(HELD), scene(HELD)) == [[], []]
    assert told["tool:hello"] != "held: 1.1 is held at license: no"


@pytest.mark.parametrize(
    "state",
    [
        "held 3 2.1: is signed by an expired key",  # as the run met it
        "held 3 2.1: is held at verify is signed by an expired key",  # as the others told it
        "held: a-2.1.tar.gz is signed by an expired key",
        "held: 2.1 is held at verify: a-2.1.tar.gz is signed by an expired key",
    ],
)
def test_a_hold_is_the_same_whoever_tells_of_it(state: str) -> None:
    met = "a-2.1.tar.gz is signed by an expired key"
    now = last_status(
        status="held", message=f"2.1 is held at verify: {met}", exit_status=3, newest="2.1"
    )
    told = {"tool:hello": state}
    assert after(told, scene(now), scene(replace(now, message=met)), scene(now)) == [[]] * 3
    assert told["tool:hello"] == "held 3 2.1: is signed by an expired key"
    for other in (
        replace(now, message=now.message.replace("an expired", "a revoked")),
        replace(now, message=now.message.replace("2.1", "2.2"), newest="2.2"),
    ):
        assert after({"tool:hello": state}, scene(other)) == [[("held", "hello")]]


@pytest.mark.parametrize("status", ["replaced", "recalled"])
def test_alarms_come_first(status: str) -> None:
    bad = last_status("zsh", status, message="other bytes", exit_status=3)
    found = news(scene(HELD, bad), {}, "mail")
    assert kinds(found) == [("alarm", "zsh"), ("held", "hello")]


def test_the_words_are_those_of_why() -> None:
    (item,) = news(scene(HELD), {}, "mail").items
    assert item.text == (
        "hello is held: 1.1 waits for a person. The terms may not pass by themselves: no."
        " Whoever ships it accepts them for everybody who installs it."
        " Read what changed in them, and approve or reject it."
    )


def test_an_outage_is_told_when_it_has_lasted_and_its_end_to_who_heard() -> None:
    short = scene(DOWN, pages=[page(answered=ago(days=1))])
    long = scene(DOWN, pages=[page(answered=ago(days=4))])
    again = scene(last_status())
    assert after({}, short, again) == [[], []]
    assert after({}, short, long, long, again) == [
        *([], [("trouble", "hello")], []),
        [("recovered", "hello")],
    ]


def test_a_page_that_never_answered_has_its_days_too() -> None:
    never = page(answered="")
    young = last_status(status="unreachable", exit_status=4, since=ago(days=2))
    old = last_status(status="unreachable", exit_status=4, since=ago(days=3))
    assert after({}, scene(young, pages=[never]), scene(old, pages=[never])) == [
        [],
        [("trouble", "hello")],
    ]


def test_a_tool_nobody_looks_at_any_more_is_trouble() -> None:
    quiet = scene(last_status(), pages=[page(answered=ago(days=7))])
    assert news(quiet, {}, "mail").items == ()  # looked at once a week, since it is quiet
    stale = scene(last_status(), pages=[page(answered=ago(days=11))])
    (item,) = news(stale, {}, "mail").items
    assert item.kind == "trouble"
    assert ago(days=11) in item.text


def test_an_outage_between_says_neither_well_nor_held_again() -> None:
    assert after({}, scene(HELD), scene(DOWN), scene(HELD)) == [[("held", "hello")], [], []]


def test_a_tool_that_was_removed_is_forgotten_without_a_word() -> None:
    told = {"tool:gone": "held: x"}
    found = news(scene(last_status()), told, "mail")
    assert found == News(items=(), states={"tool:gone": ""})


def test_publications_are_told_once_by_release_with_their_series() -> None:
    both = [publication(4), publication(5, series="trixie")]
    found = news(scene(last_status(), publications=both), {"published": "3"}, "mail")
    assert [item.text for item in found.items] == [
        "hello 1.0 is published on local for bookworm, trixie, 2 h after its release."
    ]
    assert found.states == {"published": "5"}
    assert news(scene(publications=both), {"published": "5"}, "mail").items == ()


def test_published_says_that_it_is_well_again() -> None:
    found = news(
        scene(last_status(), publications=[publication(1)]),
        {"tool:hello": "held: no", "published": "0"},
        "mail",
    )
    assert kinds(found) == [("published", "hello")]
    assert found.states["tool:hello"] == ""


def test_runs_that_did_not_happen_are_told_once() -> None:
    ended = RunRow(id=1, started=ago(days=9), finished=ago(days=9), exit_status=0)
    began = RunRow(id=2, started=ago(hours=1), finished="", exit_status=-1)
    now = scene(last_status(), gap=(ended, began))
    assert after({}, now, now) == [[("trouble", "")], []]


def test_a_channel_that_fails_is_told_on_the_others_and_never_on_itself() -> None:
    broken = scene(last_status(), unsent={"webhook": "503"})
    assert after({}, broken, broken, scene(last_status())) == [
        *([("trouble", "")], []),
        [("recovered", "")],
    ]
    assert news(broken, {}, "webhook").items == ()


def test_a_key_that_ends_soon_is_told_once_whatever_day_it_is() -> None:
    def said(days: int) -> Scene:
        words = f"the key AB ends on 2026-12-01, in {days} days: refresh it in keys"
        return scene(last_status(), warnings={"hello": [words]})

    assert after({}, said(10), said(9), scene(last_status()), said(8)) == [
        *([("key", "hello")], [], [], [])
    ]
    renewed = scene(last_status(), warnings={"hello": []})
    assert after({}, said(9), renewed, said(1)) == [[("key", "hello")], [], [("key", "hello")]]
    (item,) = news(said(10), {}, "mail").items
    assert item.text == "hello: the key AB ends on 2026-12-01, in 10 days: refresh it in keys."


def test_a_run_that_could_not_work_is_told_and_its_end() -> None:
    assert after({}, scene(failure="a bug"), scene(failure="a bug"), scene()) == [
        *([("held", "")], []),
        [("recovered", "")],
    ]


STANDINGS = st.builds(
    last_status,
    tool=st.sampled_from("ab"),
    status=st.sampled_from(["up-to-date", "held", "replaced", "unreachable", "error"]),
    message=st.sampled_from("xy"),
    exit_status=st.sampled_from([0, 3, 4, 5]),
    since=st.sampled_from([ago(days=1), ago(days=9)]),
)


@given(st.lists(st.lists(STANDINGS, max_size=3), max_size=6))
def test_what_was_told_is_never_told_again(rounds: list[list[LastStatus]]) -> None:
    told: dict[str, str] = {}
    for statuses in rounds:
        now = scene(*statuses, pages=[page("a"), page("b", answered=ago(days=9))])
        told |= news(now, told, "mail").states
        again = news(now, told, "mail")
        assert again.items == ()
        assert all(told.get(subject, "") == state for subject, state in again.states.items())


def test_a_letter_is_a_digest_in_which_nothing_gives_orders() -> None:
    bad = last_status(status="held", message="evil\x1b[2J\r\nBcc: x@y.example\n.\n", exit_status=3)
    found = news(scene(bad, publications=[publication(1, tool="bash")]), {}, "mail")
    _, data = message(found, now="2026-11-21T12:00:00Z", channel="mail")
    assert data["subject"] == "toolsync: 1 held, 1 published: hello, bash"
    text = as_text(data, "then")
    assert "\x1b" not in text
    assert not any(line.startswith(("Bcc", ".")) for line in text.splitlines())
    assert text.index("Waiting for you:") < text.index("Published:")


def test_a_flood_of_news_is_bounded() -> None:
    many = [last_status(f"t{i}", "held", message="m" * 9999, exit_status=3) for i in range(300)]
    _, data = message(news(scene(*many), {}, "mail"), now="", channel="mail")
    assert data["subject"] == "toolsync: 300 held: t0, t1, t10 and 297 more"
    text = as_text(data, "then")
    assert "100 more: toolsync status" in text
    assert len(text) < 600_000


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (300, "5 min"),
        (7800, "2 h 10 min"),
        (86400 * 2 + 3700, "2 days 1 h"),
    ],
)
def test_spans_are_told_in_two_units(seconds: int, words: str) -> None:
    assert in_words(seconds) == words


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01", "9999-99-99T00:00:00Z"])
def test_a_date_that_is_none_is_no_lag(text: str) -> None:
    assert lag(text, NOW.isoformat()) == 0.0
