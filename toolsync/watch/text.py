"""Read a VERSION file, or any page of plain text that names versions.

``watch.pattern`` is searched in each line; where the archive lies says ``watch.file_url``.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.model.errors import Hostile
from toolsync.model.patterns import LONGEST_SUBJECT, version_pattern
from toolsync.model.release import Release
from toolsync.watch.addresses import filled, shown
from toolsync.watch.candidates import Candidate, usable_name
from toolsync.watch.kind import FILE_URL, PATTERN, URL, Clue, Kind, Likely, Seen
from toolsync.watch.naming import families
from toolsync.watch.reading import Found, Get, body_of, charset_of, drifted, media_type

_MARKUP = re.compile(r"<(?:[!?]|[A-Za-z][\w:.-]*[\s>/])")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
MAX_LINES = 50_000
_SHORT = 100_000
"""Bytes of a page below which it may be a VERSION file."""


def read(tool: Tool, get: Get) -> list[Release]:
    """Return the versions that the page names, with the addresses that the tool's rule gives."""
    watch = tool.watch
    pattern = version_pattern(watch.pattern)
    page = get(watch.url, "text/plain, */*;q=0.5")
    found, known = Found(tool, page), set[str]()
    lines = _text(page).splitlines()
    if len(lines) > MAX_LINES:
        raise Hostile(
            f"{shown(page.url)} has more than {MAX_LINES} lines, the limit",
            resolution="Watch a shorter page in tool.toml.",
        )
    for line in lines:
        if line.strip():
            found.look_at(repr(line.strip()))
        for match in pattern.finditer(line.strip()[:LONGEST_SUBJECT]):
            raw = match["version"]
            if raw and raw not in known:
                known.add(raw)
                found.add(raw, filled(watch.file_url, {"version": raw, "tag": raw}))
    return found.releases(f"version that matches {watch.pattern}")


def _text(page: Page) -> str:
    """Return the page as text; raises Drifted where it is markup, such as an error's body."""
    body = body_of(page)
    marked = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        charset = "utf-16" if marked else charset_of(page) or "utf-8-sig"
        text = body.decode(charset).lstrip("\ufeff").strip()
    except UnicodeDecodeError as error:
        if _BINARY.search(body):
            raise drifted(
                page.url, f"is no plain text: byte {error.start} is no character"
            ) from error
        text = body.decode("latin-1").strip()  # an old changelog; versions are in ASCII
    if "\x00" in text:
        raise drifted(page.url, "is no plain text: it holds zero bytes")
    if _MARKUP.match(text):
        start = " ".join(text[:60].split())
        raise drifted(
            page.url,
            f"answered with markup ({start!r}…), as error pages do; plain text was wanted",
        )
    return text


def _listed(at: Seen) -> Iterator[Candidate]:
    """Give the candidate for a VERSION file; where its archives lie only a person can say."""
    body = at.page.body or b"" if at.page else b""
    if at.page is None or len(body) >= _SHORT or b"\0" in body or "html" in media_type(at.page):
        return
    text = body.decode(charset_of(at.page) or "utf-8", "replace")
    found = families(text.split()[:200], files=False)
    if not found or text.lstrip()[:1] in ("<", "{", "["):
        return
    parts = urlsplit(at.url).path.split("/")
    tool = at.name or next((part for part in parts if part), "") or "tool"
    yield Candidate(
        watch={
            "kind": "text",
            "url": at.url,
            "pattern": rf"\b{found[0].pattern}\b",
            "file_url": urljoin(at.url, f"{usable_name(tool)}-{{version}}.tar.gz"),
        },
        name=tool,
        notes=("where the archives lie: the page names versions only; mend watch.file_url",),
    )


TEXT = Kind(
    name="text",
    about="a VERSION file, or any plain text that names versions",
    read=read,
    settings={**URL, **PATTERN, **FILE_URL},
    needs=("url", "pattern", "file_url"),
    clues=(Clue(likely=Likely.LISTED, give=_listed),),
)
