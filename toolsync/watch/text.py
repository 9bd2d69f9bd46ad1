"""Read a VERSION file, or any page of plain text that names versions.

``watch.pattern`` is searched in each line; where the archive lies says ``watch.file_url``.
"""

from __future__ import annotations

import re

from toolsync.config.definition import Tool
from toolsync.http.client import Page
from toolsync.model.errors import Hostile
from toolsync.model.patterns import LONGEST_SUBJECT, version_pattern
from toolsync.model.release import Release
from toolsync.watch.addresses import filled, shown
from toolsync.watch.reading import Found, Get, body_of, charset_of, drifted

_MARKUP = re.compile(r"<(?:[!?]|[A-Za-z][\w:.-]*[\s>/])")
MAX_LINES = 50_000


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
    return found.releases(f"version that matches {watch.pattern!r}")


def _text(page: Page) -> str:
    """Return the page as text; raises Drifted where it is markup, such as an error's body."""
    body = body_of(page)
    try:
        text = body.decode(charset_of(page) or "utf-8-sig").lstrip("\ufeff").strip()
    except UnicodeDecodeError as error:
        raise drifted(page.url, f"is no plain text: byte {error.start} is no character") from error
    if "\x00" in text:
        raise drifted(page.url, "is no plain text: it holds zero bytes")
    if _MARKUP.match(text):
        start = " ".join(text[:60].split())
        raise drifted(
            page.url,
            f"answered with markup ({start!r}…), as error pages do; plain text was wanted",
        )
    return text
