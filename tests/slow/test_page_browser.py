"""The static site in a real Chromium: nothing to complain of, by axe-core and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Browser
from tests.support.gallery import archive
from tests.support.rig import ROOT
from toolsync.model.errors import SetupError
from toolsync.pipeline.status import faulty
from toolsync.report.site import write_site

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

TAB = "\ue004"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    with archive(folder) as (context, tools):
        broken = faulty("broken", SetupError("tool.toml: 1 fault"))
        write_site(context, tools, [broken], folder / "page")
    return folder / "page"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1200])
def test_no_console_error_and_no_violation(
    browser: Browser, page: Path, dark: bool, width: int
) -> None:
    for path in ("index.html", *(f"tools/{p.name}" for p in (page / "tools").glob("*.html"))):
        browser.open(page / path, width=width, dark=dark)
        browser.run("for (const d of document.querySelectorAll('details')) d.open = true")
        assert browser.violations() == [], path
        assert browser.log() == [], path
        # Nothing but what scrolls by itself is wider than the window.
        wide = browser.run("return document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path


def test_dark_and_light_are_two(browser: Browser, page: Path) -> None:
    papers = []
    for dark in (False, True):
        browser.open(page / "index.html", dark=dark)
        papers.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert papers == ["rgb(253, 253, 252)", "rgb(22, 24, 27)"]


def test_the_keyboard_reaches_the_content_the_tools_and_the_buttons(
    browser: Browser, page: Path
) -> None:
    browser.open(page / "index.html")
    reached = []
    for _ in range(40):
        browser.press(TAB)
        reached.append(
            browser.run(
                "const e = document.activeElement;"
                " return e.getAttribute('aria-label') || e.textContent.trim().slice(0, 40)"
            )
        )
    assert reached[0] == "Skip to the content"
    install = "Copy commands to install on bookworm"
    for wanted in ("awscli", "euca2ools", "apt source for bookworm", install):
        assert wanted in reached


def _shown(browser: Browser) -> list[str]:
    """Return the names of the tools in the list, those that are to be seen."""
    rows = "[...document.querySelectorAll('.tools tbody tr')].filter(r => !r.hidden && r.cells[1])"
    names = f"{rows}.filter(r => r.dataset.name).map(r => r.dataset.name)"
    return list(browser.run(f"return {names}"))


def test_it_is_searched_and_sorted(browser: Browser, page: Path) -> None:
    browser.open(page / "index.html")
    browser.press("/")
    for key in "machine images":
        browser.press(key)
    assert _shown(browser) == ["ec2-ami-tools"]
    found = "return document.querySelector('.search [role=status]').textContent"
    assert browser.run(found) == "1 of 4"
    browser.open(page / "index.html")
    assert _shown(browser) == ["ec2-ami-tools", "broken", "euca2ools", "awscli"]
    for word, first in (("name", "awscli"), ("lag", "euca2ools"), ("rank", "ec2-ami-tools")):
        browser.run(
            "const sort = document.querySelector('.search select'); sort.value = arguments[0];"
            " sort.dispatchEvent(new Event('change'))",
            word,
        )
        assert _shown(browser)[0] == first
    below = "return document.querySelector('.tools tbody tr + tr').className"
    assert browser.run(below) == "why"
    assert browser.violations() == []
    assert browser.log() == []


def test_a_button_copies_the_commands(browser: Browser, page: Path) -> None:
    browser.open(page / "index.html")
    browser.run(
        "window.copied = [];"
        "Object.defineProperty(navigator, 'clipboard',"
        " {value: {writeText: async text => { window.copied.push(text) }}});"
        "document.querySelectorAll('.copy button')[1].click()"
    )
    assert browser.run("return window.copied") == [
        "apt-get update\napt-get install awscli1/bookworm"
    ]


def test_the_pictures_in_the_docs_are_small() -> None:
    pictures = sorted((ROOT / "docs" / "images").glob("page-*.png"))
    assert [path.name for path in pictures] == [
        *("page-dark.png", "page-light.png", "page-narrow.png")
    ]
    assert all(path.stat().st_size < 150_000 for path in pictures)
