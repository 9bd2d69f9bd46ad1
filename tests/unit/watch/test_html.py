"""Listings and pages in HTML, and plain text files: what counts as a link, and what never does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.watching import Watcher, versions
from toolsync.config.settings import Limits
from toolsync.model.errors import Drifted, Hostile, SetupError, Unreachable

PATTERN = r"tool-(?P<version>\d[\w.~-]*)\.(?:tar\.(?:xz|bz2|gz)|zip)"


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def html(*links: str) -> str:
    return f"<!DOCTYPE html><html><body>{' '.join(links)}</body></html>"


def a(href: str, text: str = "x") -> str:
    return f'<a href="{href}">{text}</a>'


def test_the_link_counts_and_not_its_cut_text(upstream: Watcher) -> None:
    upstream.web.serve("/d/", html(a("tool-1.10.tar.gz", "tool-1.1..&gt;"), a("tool-1.9.tar.gz")))
    sighting = upstream.look(kind="html", url=upstream.web.url + "/d/", pattern=PATTERN)
    assert versions(sighting) == ["1.10", "1.9"]
    assert sighting.newest.url == upstream.web.url + "/d/tool-1.10.tar.gz"


def test_of_one_version_the_best_archive_is_taken(upstream: Watcher) -> None:
    names = ("tool-1.0.zip", "tool-1.0.tar.gz", "tool-1.0.tar.xz", "tool-1.0.tar.bz2")
    upstream.web.serve("/", html(*map(a, names)))
    sighting = upstream.look(kind="html", pattern=PATTERN)
    assert [release.filename for release in sighting.releases] == ["tool-1.0.tar.xz"]
    assert sighting.matched == 4


def test_links_resolve_against_the_address_after_redirects(upstream: Watcher) -> None:
    upstream.web.redirect("/", upstream.web.url + "/new/place/")
    upstream.web.serve("/new/place/", html(a("tool-1.0.zip")))
    newest = upstream.look(kind="html", pattern=PATTERN).newest
    assert newest.url == upstream.web.url + "/new/place/tool-1.0.zip"
    assert newest.page == upstream.web.url + "/new/place/"


def test_a_base_element_moves_links(upstream: Watcher) -> None:
    upstream.web.serve("/", '<base href="/files/">' + html(a("tool-1.0.zip")))
    newest = upstream.look(kind="html", pattern=PATTERN).newest
    assert newest.url == upstream.web.url + "/files/tool-1.0.zip"


def test_links_are_decoded_to_compare_and_kept_to_fetch(upstream: Watcher) -> None:
    upstream.web.serve("/", html(a("tool%2D1&#46;0&period;1.zip?a=1&amp;b=2")))
    newest = upstream.look(kind="html", pattern=PATTERN).newest
    assert (newest.version, newest.filename) == ("1.0.1", "tool-1.0.1.zip")
    assert newest.url.endswith("/tool%2D1.0.1.zip?a=1&b=2")


def test_what_no_reader_sees_does_not_count(upstream: Watcher) -> None:
    hidden = a("tool-9.zip")
    page = html(
        a("tool-1.0.zip"),
        f"<!-- {hidden} -->",
        f"<script>document.write('{hidden}')</script>",
        f"<textarea>{hidden}</textarea>",
        f"<template>{hidden}</template>",
        "tool-8.zip",
        '<a name="tool-7.zip">',
        '<img src="tool-6.zip">',
    )
    upstream.web.serve("/", page)
    assert versions(upstream.look(kind="html", pattern=PATTERN)) == ["1.0"]


@pytest.mark.parametrize(
    "href",
    [
        "javascript:tool-9.zip",
        "file:///tool-9.zip",
        "ftp://h/tool-9.zip",
        "http://[/tool-9.zip",
        "data:tool-9.zip",
        "xtool-9.zip",
        "tool-9.zip.asc",
        "..%2Ftool-9.zip/../" + "x" * 5000,
        "x/..%2F..%2Ftool-9.zip%00",
    ],
)
def test_links_that_are_none(upstream: Watcher, href: str) -> None:
    upstream.web.serve("/", html(a(href), a("tool-1.0.zip")))
    assert versions(upstream.look(kind="html", pattern=PATTERN)) == ["1.0"]


def test_a_name_is_never_a_path(upstream: Watcher) -> None:
    upstream.web.serve("/", html(a("..%2f..%2ftool-9.zip"), a("tool-1.0.zip")))
    for release in upstream.look(kind="html", pattern=PATTERN).releases:
        assert "/" not in release.filename


def test_a_redirector_carries_its_target_in_the_query(upstream: Watcher) -> None:
    target = "http://127.0.0.1:9/d/tool-1.4.zip"
    upstream.web.serve("/", html(a(f"/gp/redirect.html/ref=x?location={target}&amp;token=A1")))
    newest = upstream.look(kind="html", pattern=PATTERN).newest
    assert (newest.version, newest.url) == ("1.4", target)


def test_a_download_script_names_the_file_in_its_query(upstream: Watcher) -> None:
    upstream.web.serve("/", html(a("/get.php?file=tool-1.4.zip")))
    newest = upstream.look(kind="html", pattern=PATTERN).newest
    assert newest.filename == "tool-1.4.zip"
    assert newest.url == upstream.web.url + "/get.php?file=tool-1.4.zip"


def test_a_link_that_ends_in_download(upstream: Watcher) -> None:
    upstream.web.serve("/", html(a("/p/files/tool-1.4.zip/download")))
    pattern = r"tool-(?P<version>[\d.]+)\.zip/download"
    assert upstream.look(kind="html", pattern=pattern).newest.filename == "tool-1.4.zip"


def test_xpath_selects_links_attributes_and_text(upstream: Watcher) -> None:
    page = html(
        a("tool-9.zip"),
        f'<div id="r">{a("tool-1.0.zip")}</div><p class="v">Version 2.0</p>',
    )
    upstream.web.serve("/", page)
    there = "//div[@id='r']//a"
    assert versions(upstream.look(kind="html", xpath=there, pattern=PATTERN)) == ["1.0"]
    assert versions(upstream.look(kind="html", xpath=f"{there}/@href", pattern=PATTERN)) == ["1.0"]
    template = upstream.web.url + "/tool-{version}.zip"
    for xpath in ("//p[@class='v']", "//p[@class='v']/text()", "string(//p[@class='v'])"):
        sighting = upstream.look(
            kind="html", xpath=xpath, pattern=r"Version (?P<version>\S+)", file_url=template
        )
        assert sighting.newest.url == upstream.web.url + "/tool-2.0.zip"
    bare = "substring-after(//p[@class='v'], 'Version ')"
    assert versions(upstream.look(kind="html", xpath=bare, file_url=template)) == ["2.0"]


@pytest.mark.parametrize(
    "watch",
    [
        {"xpath": "//a["},
        {"xpath": "re:match('x', '(a+)+b')", "file_url": "http://h/{version}"},
        {"xpath": "//p", "pattern": "(?P<version>2.0)"},
        {"xpath": "//p", "file_url": "http://h/{verison}"},
        {"pattern": r"(?P<version>\d+"},
        {"pattern": r"(\d+)"},
    ],
)
def test_faults_of_configuration_are_told(upstream: Watcher, watch: dict[str, Any]) -> None:
    upstream.web.serve("/", html("<p>2.0</p>"))
    with pytest.raises(SetupError) as caught:
        upstream.look(kind="html", **watch)
    assert caught.value.resolution


BAD_HTML = {
    "": ("text/html", "empty page"),
    "{}": ("application/json", "answered with application/json; an HTML page was wanted"),
    "PK\3\4": ("application/zip", "answered with application/zip"),
    html(): ("text/html", "names no link that matches .*nothing that could be one"),
    html(a("/login")): ("text/html", "1 entries, such as http.*/login"),
    html(a("tool-1_0.zip")): ("text/html", "no upstream version"),
    "<!-- x -->": ("text/html", "names no link|no HTML"),
}


@pytest.mark.parametrize(("body", "wanted"), BAD_HTML.items())
def test_bad_pages_are_told(upstream: Watcher, body: str, wanted: tuple[str, str]) -> None:
    upstream.web.serve("/", body, type=wanted[0])
    with pytest.raises(Drifted, match=wanted[1]) as caught:
        upstream.look(kind="html", pattern=PATTERN)
    assert caught.value.resolution


def test_too_many_links(upstream: Watcher) -> None:
    upstream.web.serve("/", a("x") * 100_001)
    with pytest.raises(Hostile, match="more than 100000 entries"):
        upstream.look(kind="html", pattern=PATTERN)


def test_a_huge_page(upstream: Watcher) -> None:
    upstream.web.serve("/", a("tool-1.0.zip") * 1000)
    with pytest.raises(Hostile, match="more than 9999 bytes"):
        upstream.look(kind="html", pattern=PATTERN, limits=Limits(page_bytes=9999))


def test_deep_nesting_does_no_harm(upstream: Watcher) -> None:
    upstream.web.serve("/", html(a("tool-1.0.zip"), "<div>" * 100_000))
    assert versions(upstream.look(kind="html", pattern=PATTERN)) == ["1.0"]


TEXT = r"^(?P<version>\d+(?:\.\d+)+)$"


def text(upstream: Watcher, body: str | bytes, **watch: Any) -> list[str]:
    url = upstream.web.serve("/VERSION", body, type="binary/octet-stream")
    watch = {"pattern": TEXT, "file_url": "http://h/{version}/tool.deb"} | watch
    return versions(upstream.look(kind="text", url=url, **watch))


def test_a_version_file(upstream: Watcher) -> None:
    assert text(upstream, "  1.2.707.0\r\n\n") == ["1.2.707.0"]
    assert text(upstream, b"\xef\xbb\xbf1.2\n") == ["1.2"]


def test_the_archive_lies_where_the_template_says(upstream: Watcher) -> None:
    url = upstream.web.serve("/VERSION", "3.0.0-rc1\n2.0\n")
    sighting = upstream.look(
        kind="text",
        url=url,
        pattern=r"^(?P<version>\S+)$",
        file_url="http://h/v{version}/tool-{version}.zip",
        prereleases=True,
    )
    assert [r.url for r in sighting.releases] == [
        "http://h/v3.0.0-rc1/tool-3.0.0-rc1.zip",
        "http://h/v2.0/tool-2.0.zip",
    ]
    assert versions(sighting) == ["3.0.0~rc1", "2.0"]


def test_a_changelog_names_many(upstream: Watcher) -> None:
    body = "=====\nCHANGELOG\n=====\n\n2.15.1\n======\n* a\n\n2.9.0\n======\n"
    assert text(upstream, body) == ["2.15.1", "2.9.0"]


BAD_TEXT = {
    "": "empty page",
    "<html><body>503 1.2.3</body></html>": "markup",
    "\n<!DOCTYPE HTML>\n1.2.3": "markup",
    "<?xml version='1.0'?>\n<Error><Code>NoSuchKey</Code></Error>": "markup",
    "<Error><Code>NoSuchKey</Code></Error>": "markup",
    "latest": "names no version that matches .* such as 'latest'",
    "1.0\x002": "zero bytes",
    b"\xff1.0\x00\xfe": "no plain text",
    "1." * 3000: "names no version",
}


@pytest.mark.parametrize(("body", "said"), BAD_TEXT.items())
def test_bad_text_is_told(upstream: Watcher, body: str | bytes, said: str) -> None:
    with pytest.raises(Drifted, match=said):
        text(upstream, body)


@pytest.mark.parametrize(
    "body",
    ["1.2.3\r\n".encode("utf-16"), b"\xef\xbb\xbf1.2.3\n", "1.2.3 für alle\n".encode("latin-1")],
    ids=["UTF-16", "UTF-8 with a mark", "Latin-1"],
)
def test_text_in_other_codes_is_read(upstream: Watcher, body: bytes) -> None:
    assert text(upstream, body, pattern=r"^(?P<version>[\d.]+)") == ["1.2.3"]


def test_a_template_with_an_unknown_word(upstream: Watcher) -> None:
    with pytest.raises(SetupError, match=r"has \{arch\}; known here are \{version\}, \{tag\}"):
        text(upstream, "1.0", file_url="http://h/{version}/{arch}.deb")


def test_403_for_a_key_that_is_not_there_is_no_news(upstream: Watcher) -> None:
    url = upstream.web.serve("/VERSION", "<Error/>", status=403)
    with pytest.raises(Unreachable, match="403"):
        upstream.look(kind="text", url=url, pattern=TEXT, file_url="http://h/{version}")
