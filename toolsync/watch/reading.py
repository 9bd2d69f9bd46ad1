"""What every reader of a release page needs: its types, its limits, its words of refusal.

A page is a stranger's: whatever is read from one is bounded in number and length.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.model.errors import Drifted, Hostile
from toolsync.model.patterns import Expression
from toolsync.model.release import Release
from toolsync.model.versions import (
    NotAVersion,
    are_numbers,
    is_numbers,
    is_prerelease,
    mangle,
    probable,
)
from toolsync.model.words import misplaced
from toolsync.watch.addresses import http_address, leaf, plain_file, shown

Get: TypeAlias = Callable[[str, str], Page]
"""Asks for an address with an Accept header; the answer's body is never None."""

MAX_ENTRIES = 100_000
"""Files, links or tags that are looked at."""

LOOK = "Look at the page in a browser, then mend [watch] in tool.toml."

_HTML = re.compile(
    rb"(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
FEED_START = re.compile(r"<(?:rss|feed|rdf:RDF)\b")
"""How the text of a feed begins: RSS 2.0, Atom or RSS 1.0."""
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_ODD = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})


class Found:
    """The releases that a reader finds for one tool, and what to say when there are none."""

    def __init__(self, tool: Tool, page: Page) -> None:
        self._tool, self._page = tool, shown(page.url)
        self._releases: list[Release] = []
        self._seen = 0
        self._unmatched: list[str] = []
        self._refused: list[Release] = []

    def look_at(self, *names: str) -> None:
        """Count entries of the page; raises Hostile at too many."""
        self._seen += len(names)
        if self._seen > MAX_ENTRIES:
            raise Hostile(
                f"{self._page} lists more than {MAX_ENTRIES} entries, the limit",
                resolution="Watch a narrower page, such as one folder's listing.",
            )
        self._unmatched += [name[:80] for name in names[: 3 - len(self._unmatched)]]

    def add(
        self, raw: str, url: str, *, filename: str = "", spelled: str = "", **more: Any
    ) -> None:
        """Take a file, unless its spelling is no version or its address none.

        ``spelled`` is the Debian version that its ecosystem's order wants, where it has one; the
        tool's own rules go before it.
        """
        try:
            rules = self._tool.watch.mangle
            version = spelled if spelled and not rules else mangle(raw, rules)
            name = filename or leaf(url)
            plain = plain_file(url) is not None
            if not name or not (plain or http_address(url)):
                raise NotAVersion(f"{url[:200]!r} is no file's address")
        except NotAVersion as refusal:
            self._refuse(raw, url, filename or leaf(url), str(refusal))
            return
        more["prerelease"] = more.get("prerelease", False) or is_prerelease(version)
        self._releases.append(
            Release(
                tool=self._tool.name,
                version=version,
                raw_version=raw.strip(),
                url=url if plain else shown(url),
                filename=name,
                page=self._page,
                **more,
            )
        )

    def keep(self, known: Iterable[Release]) -> None:
        """Take what was seen before and is there still."""
        kept = list(known)
        self.look_at(*(release.tag for release in kept))
        self._releases += kept

    def refuse(self, raw: str, url: str, name: str, why: str, *, stands: str = "") -> None:
        """Keep what is not to be taken, with the reason; see `Release.refused`."""
        self._refuse(raw, url, name, why)
        self._refused[-1] = self._refused[-1]._replace(version=stands)

    def _refuse(self, raw: str, url: str, name: str, why: str) -> None:
        """Keep what matches and cannot be taken, for it may be the newest that there is."""
        self._refused.append(
            Release(
                tool=self._tool.name,
                version=probable(raw),
                raw_version=raw.strip(),
                url=shown(url),
                filename=name,
                page=self._page,
                refused=why,
            )
        )

    def add_plain(self, folder: str, names: Sequence[str], pattern: Expression) -> None:
        """Take those of the plain files (`is_plain`) in a usable folder that ``pattern`` matches.

        It says the same as `add` of each, in less time.
        """
        tool, page = self._tool.name, self._page
        matches = zip(names, map(pattern.fullmatch, names), strict=True)
        found = [(name, raw) for name, match in matches if match and (raw := match["version"])]
        no_rule = not self._tool.watch.mangle
        each = no_rule and are_numbers([raw for _, raw in found])
        for name, raw in found:
            if each or (no_rule and is_numbers(raw)):
                self._releases.append(Release(tool, raw, raw, folder + name, name, page))
            else:
                self.add(raw, folder + name, filename=name)

    def releases(self, wanted: str) -> list[Release]:
        """Return what was found, or raise Drifted saying what was looked for in vain."""
        if self._releases:
            return [*self._releases, *self._refused]
        seen = f"{self._seen} entries" if self._seen else "nothing that could be one"
        for what, examples in (
            ("such as", self._unmatched),
            ("but", [r.refused for r in self._refused[:3]]),
        ):
            if examples:
                seen += f", {what} {'; '.join(examples)}"
        raise drifted(self._page, f"names no {wanted}: it has {seen}")


def without_misplaced(found: list[Release], *, local: bool = False) -> list[Release]:
    """Return releases as they are, those refused that a word may put before the final beside them.

    Where a final is there, what bears a word that nobody knows is not taken silently for newer;
    with ``local`` an ecosystem says that what follows a plus is.
    """
    there = {release.version for release in found if not release.refused}
    wrong = misplaced(there, local=local)
    if not wrong:
        return found
    return [
        r._replace(version=wrong[r.version][0], refused=wrong[r.version][1])
        if r.version in wrong and not r.refused
        else r
        for r in found
    ]


def drifted(url: str, found: str, resolution: str = LOOK) -> Drifted:
    """Return the error for a page, its address without credentials."""
    return Drifted(f"{shown(url)} {found}", resolution=resolution)


def body_of(page: Page) -> bytes:
    """Return a page's bytes; raises Drifted where there are none."""
    body = page.body or b""
    if not body.strip():
        raise drifted(page.url, "answered with an empty page; a list of releases was wanted")
    return body


def json_of(page: Page) -> Any:
    """Parse a page as JSON; raises Drifted when it is none."""
    try:
        return _parsed(body_of(page))
    except (ValueError, RecursionError) as error:
        raise drifted(page.url, f"is no JSON, which its type promises: {error}") from error


def json_seen(page: Page) -> Any:
    """Return what a page is as JSON, or None where it is none."""
    body = page.body or b""
    if not media_type(page).endswith("json") and body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return _parsed(body)
    except (ValueError, RecursionError):
        return None


def _parsed(body: bytes) -> object:
    r"""Parse JSON, or several lines of it as a list; raises ValueError or RecursionError.

    Half of a surrogate pair (``"\ud800"``), which no text holds, becomes U+FFFD.
    """
    try:
        data = json.loads(body)
    except ValueError:
        lines = [line for line in body.splitlines() if line.strip()]
        if len(lines) < 2 or not all(line.lstrip().startswith(b"{") for line in lines):
            raise
        data = [json.loads(line) for line in lines]  # as registries' sparse indexes are
    return _whole(data) if re.search(rb"\\u[dD][89a-fA-F]", body) else data


def _whole(data: object) -> object:
    if isinstance(data, str):
        return data.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(data, list):
        return [_whole(item) for item in data]
    if isinstance(data, dict):
        return {_whole(key): _whole(value) for key, value in data.items()}
    return data


def media_type(page: Page) -> str:
    """Return the content type without its parameters, in lower case."""
    return page.content_type.partition(";")[0].strip().lower()


def charset_of(page: Page) -> str:
    """Return the charset that the answer states, if Python knows it, else nothing.

    Python's own encodings that no page is written in (idna, unicode_escape, …) do not count.
    """
    match = _CHARSET.search(page.content_type)
    try:
        name = codecs.lookup(match[1]).name if match else "utf-8"
        "".encode(name)  # raises LookupError where it encodes no text
        return "" if match is None or name in _ODD else match[1]
    except (LookupError, UnicodeError):
        return ""


def is_html(page: Page) -> bool:
    """Say whether the body is HTML, whatever its type says: how error pages arrive."""
    return bool(_HTML.match((page.body or b"")[:2048].removeprefix(b"\xef\xbb\xbf").lstrip()))


def moment(text: object) -> str:
    """Return a page's ISO 8601 time in UTC to the second, or nothing if it is none."""
    if not isinstance(text, str) or len(text) > 40:
        return ""
    try:
        parsed = datetime.fromisoformat(text)
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return ""


def sha256_of(text: object) -> str:
    """Return a stated SHA-256 in lower case, or nothing if it is none."""
    return text.lower() if isinstance(text, str) and re.fullmatch("[0-9a-fA-F]{64}", text) else ""


def xml_root(page: Page, tags: Iterable[str]) -> Any:
    """Parse a page as XML, with entities, DTD and network off, and return its root element.

    Raises Drifted when it is none, or its root is none of ``tags`` (names without namespace),
    Hostile when it declares a document type, which no listing has use for.
    """
    from lxml import etree

    wanted = " or ".join(tags)
    if is_html(page):
        raise drifted(page.url, f"answered with an HTML page; an XML {wanted} was wanted")
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, dtd_validation=False, no_network=True,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(body_of(page), parser)
    except etree.XMLSyntaxError as error:
        raise drifted(page.url, f"is no XML, {wanted} was wanted: {error.msg}") from error
    if root.getroottree().docinfo.doctype:
        raise Hostile(
            f"{shown(page.url)} declares a document type; an honest {wanted} has none",
            resolution=LOOK,
        )
    name = etree.QName(root).localname
    if name == "Error":
        said = [str(root.findtext(f"{{*}}{part}") or "")[:200] for part in ("Code", "Message")]
        raise drifted(page.url, f"answered with an error, not with {wanted}: {': '.join(said)}")
    if name not in wanted.split(" or "):
        raise drifted(page.url, f"answered with <{name[:80]}>; {wanted} was wanted")
    return root
