"""The pages of toolsync serve in a real Chromium: axe-core, console, keyboard, without script."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.browser import Browser
from tests.support.opened import listening
from tests.support.rig import ROOT
from tests.support.served import PASSWORD, Site
from tests.support.showcase import HELD, STORIES, VERSION, showcase
from toolsync.journal.followed import RETIRED, Retirement
from toolsync.journal.key import Key
from toolsync.maintain.errand import Done
from toolsync.model.release import STATUSES
from toolsync.system import underway
from toolsync.web.entry import DONE, FAILED, Entry

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

TAB, ENTER, SPACE = "\ue004", "\ue007", " "
EVIL = "<script>window.evil = 1</script>'\"><img src=x onerror=window.evil=2>\x1b[2J\u202egnp.exe"
PAGES = (
    "/",
    "/?status=held",
    "/?q=nothing-like-it",
    *(f"/tool/{story.name}" for story in STORIES),
    f"/review/{HELD}/{VERSION}",
    f"/review/{HELD}/{VERSION}/source?path=lib/ec2/regions.rb",
    "/now",
    "/address",
    "/asked/1",
    "/asked/2",
    "/health",
    "/retired",
)
WIDTHS = (390, 768, 1280)

ENTRIES = (
    Entry(
        number=1,
        question={"act": "propose", "url": "https://vendor.example/dl/", "who": "ann (web)"},
        at="2026-03-01T10:00:00Z",
        state=DONE,
        lines=deque(["trying kind index, pattern hello-(.*)", EVIL]),
        came=Done(
            fine=True,
            message="the page offers 2 releases of hello; nothing was written yet",
            proposal={
                "tool": "hello",
                "releases": [["1.1", "2026-02-03T00:00:00Z", "https://vendor.example/hello-1.1"]],
                "undecided": ["how releases are proved", EVIL],
                "files": {"debian/control": EVIL, "tool.toml": "summary = 'hello'\n" * 9},
                "shown": "0" * 64,
            },
        ),
    ),
    Entry(
        number=2,
        question={"act": "retry", "tool": "awscli", "who": "ann (web)"},
        at="2026-03-01T11:00:00Z",
        state=FAILED,
        came=Done(fine=False, message=f"it did not build: {EVIL}", resolution="See its log."),
    ),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = showcase(tmp_path_factory.mktemp("showcase"), more=1000)
    made.account("ann", "reviewer")
    with closing(made.journal()) as journal:
        journal.log.add(Key(tool="awscli", version=EVIL, stage="license"), EVIL, EVIL * 1000)
        gone = Retirement(
            tool="gone",
            source="gone",
            part=f"binary {EVIL}",
            act=RETIRED,
            removes=True,
            who="ann (web)",
            at="2026-03-01T10:00:00Z",
            reason=EVIL,
        )
        journal.followed.retire([gone])
    made.shared.errands._entries.update({entry.number: entry for entry in ENTRIES})
    return made


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    with listening(site) as found:
        yield found


@pytest.fixture(scope="module")
def browser(url: str) -> Iterator[Browser]:
    with Browser() as found:
        log_in(found, url)
        found.log()
        yield found


def log_in(browser: Browser, url: str) -> None:
    """Log in as a person does by keyboard alone: the name's field has the focus."""
    browser.look(width=1280)
    browser.go(f"{url}/login")
    for key in (*"ann", TAB, *PASSWORD, ENTER):
        browser.press(key)
    browser.until("return location.pathname === '/'")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_violation_no_console_error_and_nothing_wider_than_the_window(
    browser: Browser, url: str, width: int, dark: bool
) -> None:
    browser.look(width=width, dark=dark)
    # All of them once in each color, and as narrow as a phone; the others differ by less.
    every = (width, dark) in ((1280, False), (390, True))
    for path in PAGES if every else (PAGES[0], *PAGES[-7:]):
        browser.go(url + path)
        browser.run("for (const d of document.querySelectorAll('details')) d.open = true")
        assert browser.violations() == [], path
        assert browser.log() == [], path
        assert browser.run("return window.evil") is None
        wide = browser.run("return document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path


def test_each_status_has_a_color_and_a_shape_of_its_own(browser: Browser, url: str) -> None:
    for dark in (False, True):
        browser.look(width=1280, dark=dark)
        browser.go(url)
        found = browser.run(
            "return [...document.querySelectorAll('.chips .status')].map(e => {"
            " const s = getComputedStyle(e, '::before');"
            " return [e.textContent, getComputedStyle(e).color, s.clipPath + s.borderTopWidth] })"
        )
        assert {row[0] for row in found} == set(STATUSES)
        assert len({row[1] for row in found}) == len(STATUSES)
        assert len({row[2] for row in found}) == len(STATUSES)


def test_a_search_as_one_types_and_all_by_keyboard(browser: Browser, url: str) -> None:
    browser.look(width=1280)
    browser.go(url)
    browser.press(TAB)
    assert browser.focused() == "Skip to the content"
    for key in ("/", *"machine images"):
        browser.press(key)
    browser.until("return document.querySelectorAll('.tools .t').length === 1")
    assert "machine+images" in browser.run("return location.search")
    for _ in range(20):
        browser.press(TAB)
        if browser.focused() == "Review":
            break
    browser.press(ENTER)
    browser.until(f"return location.pathname === '/review/{HELD}/{VERSION}'")
    reached = set()
    for _ in range(60):
        browser.press(TAB)
        reached.add(browser.focused())
        if "Reject" in reached:
            break
    assert {"Why, in a sentence", "Approve", "Reject"} <= reached
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_without_script_everything_is_there_and_works(browser: Browser, url: str) -> None:
    browser.scripts(run=False)
    try:
        for path in PAGES:
            browser.go(url + path)
            assert len(browser.words()) > 10, path
        browser.go(f"{url}/?q=machine+images")
        assert HELD in browser.words()
        browser.press(TAB)
        browser.press(ENTER)  # to the content
        browser.go(f"{url}/review/{HELD}/{VERSION}")
        told = browser.words()
        assert "perpetual," in told
        assert "Approve" in told
    finally:
        browser.scripts(run=True)


def test_what_runs_is_seen_live(browser: Browser, url: str, site: Site) -> None:
    browser.look(width=1280)
    browser.go(f"{url}/now")
    with underway.step("hello 1.0: build [noble/1]"):
        browser.until("return document.body.textContent.includes('hello 1.0: build')")
    browser.until("return !document.body.textContent.includes('hello 1.0: build')")
    assert browser.log() == []


def test_dark_and_light_are_two(browser: Browser, url: str) -> None:
    papers = []
    for dark in (False, True):
        browser.look(width=1280, dark=dark)
        browser.go(url)
        papers.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert papers == ["rgb(253, 253, 252)", "rgb(22, 24, 27)"]


def test_a_decision_is_made_by_keyboard_and_without_script(
    browser: Browser, url: str, site: Site
) -> None:
    browser.scripts(run=False)
    try:
        browser.go(f"{url}/review/{HELD}/{VERSION}#reason")
        for key in (*"legal has agreed", TAB, ENTER):
            browser.press(key)
        end = time.monotonic() + 10
        while "approved" not in (told := browser.words()):
            assert time.monotonic() < end
        assert "by ann (web): legal has agreed" in told
    finally:
        browser.scripts(run=True)
    with closing(site.journal()) as journal:
        (made,) = journal.decisions.of(HELD)
    assert (made.verdict, made.who, made.reason) == ("approved", "ann (web)", "legal has agreed")


def test_the_pictures_in_the_docs_are_there_and_small() -> None:
    pictures = sorted((ROOT / "docs" / "images").glob("web-*.png"))
    assert [path.name for path in pictures] == [
        *("web-overview-dark.png", "web-overview.png", "web-phone.png", "web-review.png"),
        "web-tool.png",
    ]
    assert all(path.stat().st_size < 260_000 for path in pictures)
    assert Path(ROOT / "docs" / "howto" / "web.md").read_text().count("../images/web-") == 5
