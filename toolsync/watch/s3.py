"""Read the listing of an S3 bucket: ListBucketResult, version 2 and version 1.

Rules from the S3 API reference (ListObjectsV2, ListObjects): version 2 hands out continuation
tokens; version 1 names the NextMarker only with a delimiter, otherwise the last key is the
next marker. Keys come in byte order, so the newest may be on any page: all are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode, urlsplit, urlunsplit

from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.model.errors import Hostile
from toolsync.model.patterns import match_path, version_pattern
from toolsync.model.release import Release
from toolsync.watch.addresses import filled, shown
from toolsync.watch.candidates import Candidate, of_files
from toolsync.watch.kind import FILE_URL, PATTERN, URL, Clue, Kind, Likely, Seen
from toolsync.watch.reading import LOOK, Found, Get, drifted, moment, xml_root

MAX_PAGES = 100
"""Of a thousand keys each."""
_SAFE = "/~"
"""What stands for itself in a key's address, besides letters, digits, - . and _."""


def read(tool: Tool, get: Get) -> list[Release]:
    """Return the files of the bucket whose key matches ``watch.pattern``."""
    watch = tool.watch
    pattern = version_pattern(watch.pattern)
    page = get(_with(watch.url, {"list-type": "2"}), "application/xml, text/xml;q=0.9")
    found, first, asked = Found(tool, page), page, set[str]()
    for _ in range(MAX_PAGES):
        root = xml_root(page, ["ListBucketResult"])
        encoded = _text(root, "EncodingType") == "url"
        for entry in root.iterfind("{*}Contents"):
            key = _key(_text(entry, "Key"), encoded)
            found.look_at(key)
            match = None if key.endswith("/") else match_path(pattern, key)
            if match and match["version"]:
                _add(found, tool, first, key, match["version"], entry)
        if _text(root, "IsTruncated").strip().lower() != "true":
            return found.releases(f"key that matches {watch.pattern}{_hint(root)}")
        following = _next(page, root, encoded)
        address = _with(watch.url, following)
        if address in asked:
            raise drifted(page.url, "leads from page to page in a circle; an end was wanted")
        asked.add(address)
        page = get(address, "application/xml, text/xml;q=0.9")
    raise Hostile(
        f"{shown(watch.url)} goes on after {MAX_PAGES} pages, the limit",
        resolution="Narrow the listing: put ?prefix=… into watch.url in tool.toml.",
    )


def escaped(key: str) -> str:
    """Return a key as the path of its address; S3 reads a plus in a path as a blank."""
    return quote(key, safe=_SAFE)


def is_listing(page: Page) -> bool:
    """Say whether a page is the listing of a bucket."""
    return b"<ListBucketResult" in (page.body or b"")[:4096]


def page_after(page: Page, url: str) -> str:
    """Return the address of the page after this one, empty at the listing's end."""
    root = xml_root(page, ["ListBucketResult"])
    if _text(root, "IsTruncated").strip().lower() != "true":
        return ""
    return _with(url, _next(page, root, _text(root, "EncodingType") == "url"))


def _add(found: Found, tool: Tool, page: Page, key: str, raw: str, entry: object) -> None:
    size = _text(entry, "Size").strip()
    template = tool.watch.file_url
    words = {"version": raw, "tag": raw, "key": key}
    found.add(
        raw,
        filled(template, words, safe=_SAFE) if template else _bucket(page.url) + escaped(key),
        published=moment(_text(entry, "LastModified").strip()),
        size=int(size) if size.isascii() and size.isdigit() and len(size) < 16 else None,
        etag=_text(entry, "ETag").strip().strip('"')[:200],
    )


def _next(page: Page, root: Any, encoded: bool) -> dict[str, str]:
    """Return the parameters that ask for the next page."""
    token = _text(root, "NextContinuationToken")
    if token:
        return {"list-type": "2", "continuation-token": token}
    marker = _text(root, "NextMarker")
    if not marker:
        keys = [_text(entry, "Key") for entry in root.iterfind("{*}Contents")]
        keys += [_text(entry, "Prefix") for entry in root.iterfind("{*}CommonPrefixes")]
        marker = max(keys, key=lambda key: _key(key, encoded).encode(), default="")
    if not marker:
        raise drifted(page.url, "says that it goes on, but not where; a marker was wanted", LOOK)
    return {"marker": _key(marker, encoded)}


def _with(url: str, parameters: dict[str, str]) -> str:
    """Put parameters into an address's query, whose prefix and delimiter stay."""
    parts = urlsplit(url)
    paging = {"list-type", "marker", "continuation-token", *parameters}
    kept = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in paging
    ]
    query = urlencode([*kept, *parameters.items()])
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))


def _bucket(url: str) -> str:
    """Return the address under which the keys lie, with a slash at its end."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/", "", ""))


def _hint(root: Any) -> str:
    folders = [_text(entry, "Prefix") for entry in root.iterfind("{*}CommonPrefixes")][:3]
    return f" (there are folders: {', '.join(folders)}; put one as prefix)" if folders else ""


def _key(text: str, encoded: bool) -> str:
    return unquote_plus(text) if encoded else text


def _text(element: Any, name: str) -> str:
    return str(element.findtext(f"{{*}}{name}") or "")


def _stated(at: Seen) -> Iterator[Candidate]:
    if at.page is not None and is_listing(at.page):
        at.tell("it is the listing of a bucket")
        keys = re.findall(r"<Key>([^<]{1,1024})</Key>", at.text)
        yield from of_files("s3", at.url, keys, at.name)


S3 = Kind(
    name="s3",
    about="the listing of an S3 bucket",
    read=read,
    settings={**URL, **PATTERN, **FILE_URL},
    needs=("url", "pattern"),
    clues=(Clue(likely=Likely.STATED, give=_stated),),
)
