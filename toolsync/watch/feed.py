"""Read a feed: RSS 2.0, RSS 1.0 (RDF) and Atom, SourceForge's among them.

``watch.pattern`` is tried on each entry's files (``enclosure``, ``media:content``, links) as on
the links of a page, then on the path that SourceForge gives as a title; a title that is free text
is searched, and then ``watch.file_url`` says where the file is. A feed names the latest entries
only: what has left it was not withdrawn for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.model.errors import Drifted
from toolsync.model.patterns import LONGEST_SUBJECT, Expression, match_path, version_pattern
from toolsync.model.release import Release
from toolsync.watch.addresses import filled, joined, leaf
from toolsync.watch.candidates import Candidate, of_files
from toolsync.watch.html import html_root
from toolsync.watch.kind import FILE_URL, PATTERN, URL, Clue, Kind, Likely, Seen
from toolsync.watch.reading import FEED_START, Found, Get, is_html, moment, xml_root

ACCEPT = "application/atom+xml, application/rss+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.7"
_LINKS = 20
"""Addresses of one entry that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    title: str
    links: tuple[str, ...]
    published: str
    size: int | None


def read(tool: Tool, get: Get) -> list[Release]:
    """Return the entries that ``watch.pattern`` fits."""
    watch = tool.watch
    pattern = version_pattern(watch.pattern)
    page = get(watch.url, ACCEPT)
    found = Found(tool, page)
    for entry in _entries(page.url, xml_root(page, ["feed", "rss", "RDF"])):
        found.look_at(entry.title or next(iter(entry.links), ""))
        raw, url = _match(pattern, entry)
        if raw and watch.file_url:
            url = filled(watch.file_url, {"version": raw, "tag": raw})
        if raw:
            found.add(raw, url, published=entry.published, size=entry.size)
    return found.releases(f"entry that matches {watch.pattern}")


def files(page: Page) -> list[tuple[str, str]]:
    """Return name and address of each file that a feed names, SourceForge's most of all."""
    entries = _entries(page.url, xml_root(page, ["feed", "rss", "RDF"]))
    found = ((leaf(url), url) for entry in entries for url in entry.links[:1])
    return [(name, url) for name, url in found if name]


def _match(pattern: Expression, entry: _Entry) -> tuple[str, str]:
    """Return the version in an entry and the address that goes with it; empty where none is."""
    for url in entry.links:
        path = unquote(urlsplit(url).path).rstrip("/").removesuffix("/download")
        match = match_path(pattern, path)
        if match:
            return match["version"] or "", url
    match = match_path(pattern, entry.title)
    match = match or pattern.search(entry.title[:LONGEST_SUBJECT])
    return (match["version"] or "" if match else ""), next(iter(entry.links), "")


def _entries(base: str, root: Any) -> Iterator[_Entry]:
    for element in (*root.iter("{*}entry"), *root.iter("{*}item")):
        links = [*_links(element)][:_LINKS]
        own = joined(base, element.base) if element.base else base  # xml:base, RFC 4287 section 2
        sizes = [c.get("filesize") or c.get("length") for c in element.iterfind("{*}content")]
        sizes += [c.get("length") for c in element.iterfind("{*}enclosure")]
        yield _Entry(
            title=" ".join(_text(element, "title").split()),
            links=tuple(filter(None, (joined(own, link) for link in links))),
            published=_published(element),
            size=next((int(s) for s in sizes if s and s.isascii() and s.isdigit()
                       and 0 < len(s) < 16), None),
        )  # fmt: skip


def _links(element: Any) -> Iterator[str]:
    """Yield an entry's addresses, those of files first."""
    for name, attribute in (("enclosure", "url"), ("content", "url"), ("group", "")):
        for child in element.iterfind(f"{{*}}{name}"):
            inner = child.iterfind("{*}content") if name == "group" else (child,)
            yield from (c.get(attribute or "url") for c in inner if c.get(attribute or "url"))
    for link in element.iterfind("{*}link"):
        if link.get("rel", "alternate") in ("alternate", "enclosure", "related", "via"):
            yield str(link.get("href") or link.text or "")
    yield from (text for text in (_text(element, "guid"), _text(element, "id")) if "://" in text)


def _published(element: Any) -> str:
    """Return when an entry appeared: Atom and Dublin Core as ISO 8601, RSS as RFC 822."""
    for name in ("published", "updated", "date"):
        if when := moment(_text(element, name)):
            return when
    try:
        parsed = parsedate_to_datetime(_text(element, "pubDate")[:80])
        return moment(parsed.isoformat())
    except (TypeError, ValueError, OverflowError, IndexError):
        return ""


def _text(element: Any, name: str) -> str:
    return str(element.findtext(f"{{*}}{name}") or "").strip()


def _stated(at: Seen) -> Iterator[Candidate]:
    text = at.text
    if not FEED_START.search(text[:4096]) or (at.page and is_html(at.page)):
        return
    at.tell("it is a feed")
    links = re.findall(
        r"(?:href|url)=[\"']([^\"'<>]{1,2000})[\"']|<link>\s*([^<]{1,2000})</link>", text
    )
    paths = [urlsplit(a or b).path.rstrip("/").removesuffix("/download") for a, b in links]
    yield from of_files("feed", at.url, [unquote(path) for path in paths], at.name)


def _named(at: Seen) -> Iterator[Candidate]:
    """Give the feeds that a page names as its own."""
    if at.page is None or not is_html(at.page):
        return
    try:
        links = html_root(at.page).iter("link")
    except Drifted:
        return
    for link in links:
        if link.get("rel") == "alternate" and "xml" in (link.get("type") or ""):
            address = joined(at.page.url, link.get("href") or "")
            if address:
                yield Candidate(
                    watch={"kind": "feed", "url": address,
                           "pattern": r".*?[-_/]v?(?P<version>\d+(?:\.\d+)*)\.(?:tar\.\w+|zip)"},
                    name=leaf(at.page.url),
                )  # fmt: skip


FEED = Kind(
    name="feed",
    about="an RSS or Atom feed, SourceForge's among them",
    read=read,
    settings={**URL, **PATTERN, **FILE_URL},
    needs=("url", "pattern"),
    lists="latest",
    clues=(Clue(likely=Likely.STATED, give=_stated), Clue(likely=Likely.NAMED, give=_named)),
)
