"""Write an Atom feed (RFC 4287) of what was published."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from toolsync.journal.publications import Publication
from toolsync.model.text import escaped
from toolsync.report.news import after_what

_ATOM = "http://www.w3.org/2005/Atom"
_MAX_ENTRIES = 100
NAME = "feed.xml"
"""The feed's file name, beside the page."""


def feed(publications: Sequence[Publication], *, origin: str, url: str, now: str) -> bytes:
    """Return the feed of the newest publications (given oldest first), one entry for each.

    ``origin`` names the archive in ids that never change, ``url`` is where the page is found,
    empty if nobody said; ``now`` is the feed's date while there is no entry.
    """
    newest = list(reversed(publications))[:_MAX_ENTRIES]
    root: object = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    _add(root, "title", f"{origin}: published packages")
    _add(root, "id", f"urn:toolsync:{origin}")
    _add(root, "updated", newest[0].at if newest else now)
    _add(_add(root, "author", ""), "name", origin)
    if url:
        _add(root, "link", "", rel="self", href=url.rstrip("/") + f"/{NAME}")
        _add(root, "link", "", rel="alternate", href=url.rstrip("/") + "/")
    for row in newest:
        place = f"{row.series}/{row.revision}@{row.target}"
        entry = _add(root, "entry", "")
        _add(entry, "title", f"{row.tool} {row.version} for {row.series}")
        _add(entry, "id", f"urn:toolsync:{origin}:{row.tool}:{row.version}:{place}")
        _add(entry, "updated", row.at)
        _add(
            entry,
            "content",
            f"{row.tool} {row.version} is published on {row.target} for {row.series}"
            f"{after_what(row)}.",
            type="text",
        )
        if url:
            _add(entry, "link", "", href=f"{url.rstrip('/')}/tools/{row.tool}.html")
    document: bytes = etree.tostring(
        root, xml_declaration=True, encoding="utf-8", pretty_print=True
    )
    return document


def _add(parent: object, name: str, text: str, **attributes: str) -> object:
    element = etree.SubElement(parent, f"{{{_ATOM}}}{name}", **attributes)
    element.text = escaped(text) or None
    return element
