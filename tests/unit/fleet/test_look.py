"""Shares of the pages: a worker sees what we would see, and what it makes up is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.fleet import LOOK_LIES, machine, pages
from tests.support.watching import tool_with
from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.fleet.kind import Machine
from toolsync.fleet.look import LOOK, SHARE, can_be_shared, judged
from toolsync.http.client import Http
from toolsync.model.errors import Hostile
from toolsync.model.values import dump
from toolsync.system.store import Store
from toolsync.watch.look import look

PATTERN = r"t-(?P<version>[\d.]+)\.tar\.gz"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Machine]:
    http = Http(user_agent="toolsync-tests", timeout=5, retries=0)
    yield replace(machine(Store(tmp_path / "store"), tmp_path), http=http)
    http.close()


@pytest.fixture
def tool(web: Web) -> Tool:
    links = "".join(f"<a href='t-{v}.tar.gz'>" for v in ("1.0", "1.2", "1.10"))
    return tool_with(
        kind="html", url=web.serve("/list", links, etag='"1"'), pattern=PATTERN, min_age=1
    )


def test_it_is_what_a_look_of_our_own_sees(tool: Tool, there: Machine) -> None:
    assert there.http is not None
    ours = look(tool, http=there.http, limits=Limits())
    asked = pages(tool)
    assert LOOK.read(dump(asked)) == asked
    (seen,) = judged(asked, dump(LOOK.do(LOOK.read(dump(asked)), there)))
    assert seen == ours
    assert [release.version for release in ours.releases] == ["1.10", "1.2", "1.0"]


def test_what_is_remembered_is_asked_for_conditionally(
    tool: Tool, there: Machine, web: Web
) -> None:
    (first,) = judged(pages(tool), dump(LOOK.do(pages(tool), there)))
    assert first is not None
    known = replace(first, releases=first.releases[:1])
    again = pages(tool, known=known)
    assert judged(again, dump(LOOK.do(again, there))) == (replace(known, changed=False),)
    assert web.asked[-1].headers["if-none-match"] == '"1"'


def test_a_page_that_a_worker_cannot_read_is_left_to_us(tool: Tool, there: Machine) -> None:
    gone = replace(tool, name="gone", watch=replace(tool.watch, url=f"{tool.watch.url}-not"))
    asked = pages(gone, tool)
    nothing, seen = judged(asked, dump(LOOK.do(asked, there)))
    assert nothing is None
    assert seen is not None


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ("of_another_tool", "a release of sudo"),
        ("a_path", "the version"),
        ("a_file", "the address 'file"),
        ("twice", "there twice"),
        ("as_before", "when there was none"),
    ],
)
def test_no_lie_is_taken(lie: str, said: str, tool: Tool, there: Machine) -> None:
    asked = pages(tool)
    with pytest.raises(Hostile, match=said):
        judged(asked, dump(LOOK_LIES[lie](asked, there)))


@pytest.mark.parametrize(
    "spoil",
    [
        {"seen": []},
        {"seen": [{"tool": "other", "sighting": None}]},
        {"seen": [{"tool": "tool", "sighting": "x"}]},
        {"seen": [{"tool": "tool", "sighting": {"releases": [], "page": ""}}]},
        {"seen": "x"},
        {},
    ],
)
def test_an_answer_of_another_form_is_refused(spoil: dict[str, object], tool: Tool) -> None:
    with pytest.raises(Hostile):
        judged(pages(tool), spoil)


def test_texts_that_no_page_gives_are_refused(tool: Tool, there: Machine) -> None:
    (seen,) = judged(pages(tool), dump(LOOK.do(pages(tool), there)))
    assert seen is not None
    for spoil in (
        {"etag": "a\r\nb"},
        {"told": ("x" * 9000,)},
        {"notes": ("x",) * 51},
        {"matched": -1},
        {"watch": "other rules"},
        {"releases": ()},
        {"recalled": "\x1b[2J"},
    ):
        other = dump(replace(seen, **spoil))
        with pytest.raises(Hostile):
            judged(pages(tool), {"seen": [{"tool": "tool", "sighting": other}]})


def test_what_needs_something_of_ours_is_not_shared(tool: Tool) -> None:
    assert can_be_shared(tool.watch)
    for other in (
        {"url": "https://me:secret@host.example/list"},
        {"url": "file:///etc/passwd"},
        {"url": ""},
        {"kind": "watch"},
        {"kind": "of another package"},
    ):
        watch = replace(tool.watch, **{"record": None, **other})  # type: ignore[arg-type]
        assert not can_be_shared(watch), other
        if "kind" not in other:
            with pytest.raises(Hostile):
                LOOK.read(dump(pages(replace(tool, watch=watch))))


def test_a_question_about_no_page_is_none(tool: Tool) -> None:
    """Whoever names it for people would look for its first page."""
    for asked in (pages(), pages(*[tool] * (SHARE + 1))):
        with pytest.raises(Hostile, match=f"{len(asked.pages)} pages"):
            LOOK.subject(dump(asked))
