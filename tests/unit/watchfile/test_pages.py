"""The quick way over links that only name a file says what the long way says of each spelling."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.rig import ROOT
from toolsync.http.answer import Page, Validators
from toolsync.model.errors import SetupError
from toolsync.system.effort import Effort
from toolsync.watchfile.pages import Hit, find
from toolsync.watchfile.parse import parse
from toolsync.watchfile.perl import Pattern

PLAIN = ("a-1.0.tgz", "b-9.tgz", "a-1.2.tgz", "a-1.0.tgz")
ODD = ("/d%C3%A9/x/a-1.3.tgz", "a-1.4.tgz?from=here", "./a-1.5.tgz", "https://o.test/a-1.6.tgz", "")
URL = "https://h.test/d%C3%A9/x/"


def hits(pattern: str, links: tuple[str, ...], *, comment: str = "", asked: str = URL) -> list[Hit]:
    """Return what a watch file finds on a page; a ``comment`` is what only a parser reads."""
    rows = "".join(f'<a href="{link}">x</a>\n' for link in links)
    page = Page(
        url=URL,
        body=f"<html><body>{comment}{rows}</body></html>".encode(),
        content_type="text/html",
        validators=Validators(),
    )
    (source,) = parse(f"version=4\n{asked} {pattern}\n", "hello").sources
    return find(source, lambda url, accept: page)


def test_links_keep_their_order_and_their_number() -> None:
    found = hits(r"(?:.*/)?a-([\d.]+)\.tgz(?:\?.*)?", PLAIN + ODD)
    assert [hit.version for hit in found] == ["1.0", "1.2", "1.0", "1.3", "1.4", "1.5", "1.6"]
    assert [hit.url for hit in found[:2]] == [f"{URL}a-1.0.tgz", f"{URL}a-1.2.tgz"]
    assert [hit.name for hit in found] == ["a-1.0.tgz", "a-1.2.tgz", "a-1.0.tgz", "", "", "", ""]


@pytest.mark.parametrize(
    ("pattern", "asked", "form"),
    [
        (r"a-([\d.]+)\.tgz", URL, "a-1.2.tgz"),
        (r"/dé/x/a-([\d.]+)\.tgz", URL, "/dé/x/a-1.2.tgz"),
        (r"/d%C3%A9/x/a-([\d.]+)\.tgz", URL, "/d%C3%A9/x/a-1.2.tgz"),
        (r"https://.*/a-([\d.]+)\.tgz", URL, "https://h.test/dé/x/a-1.2.tgz"),
        (r"x/a-([\d.]+)\.tgz", "https://h.test/d%C3%A9/", "x/a-1.2.tgz"),
        (r"(?i)A-(?P<v>[\d.]+)\.tgz", URL, "a-1.2.tgz"),
    ],
)
def test_each_spelling_is_compared(pattern: str, asked: str, form: str) -> None:
    found = hits(pattern, PLAIN, asked=asked)
    assert [hit.version for hit in found] == ["1.0", "1.2", "1.0"]
    assert found[1].href == form
    assert found == hits(pattern, PLAIN, asked=asked, comment="<!-- for a parser -->")


def test_a_plain_listing_needs_no_parser() -> None:
    """A parser takes most of the time of a look, and loading it a tenth of a second."""
    code = """
import sys
from toolsync.http.answer import Page, Validators
from toolsync.watchfile.pages import find
from toolsync.watchfile.parse import parse
rows = "".join(f'<a href="a-1.{n}.tgz">a-1.{n}.tgz</a> 2026-11-03\\n' for n in range(50))
page = Page(url="https://h.test/d/", body=f"<html><body>{rows}</body></html>".encode(),
            content_type="text/html", validators=Validators())
source = parse(sys.argv[1], "hello").sources[0]
print(len(find(source, lambda url, accept: page)), "lxml" in sys.modules)
"""
    for options in ("", 'opts="uversionmangle=s/_/./g,filenamemangle=s/a/b/" '):
        text = f"version=4\n{options}https://h.test/d/ a-([\\d.]+)\\.tgz\n"
        done = subprocess.run([sys.executable, "-c", code, text], capture_output=True, cwd=ROOT)
        assert done.stdout.split() == [b"50", b"False"], done.stderr


def test_what_is_not_linear_is_still_stopped() -> None:
    slow = Pattern(r"(?:a|b|ab)*c", "x")
    assert [bool(match) for match in slow.fullmatches(["abc", "d"])] == [True, False]
    with Effort(0.3), pytest.raises(SetupError, match=r"was stopped after 0\.[123] s"):
        slow.fullmatches(["ab" * 400 + "dc"] * 9)
    quick = Pattern(r"tool-([\d.]+)\.tgz", "x")
    assert [bool(match) for match in quick.fullmatches(["tool-1.tgz", "tool-.tar"])] == [
        True,
        False,
    ]
    assert quick.groups == 1
    assert quick.search("see tool-1.2.tgz")[1] == "1.2"


@pytest.mark.parametrize("odd", [r"a-([\d.]+)\.tgz$?", r"^*a-([\d.]+)\.tgz", r"a-([\d.]+)\.tgz\b?"])
def test_what_only_perl_repeats_is_no_bug(odd: str) -> None:
    assert Pattern(odd, "x").fullmatch("a-1.2.tgz")
