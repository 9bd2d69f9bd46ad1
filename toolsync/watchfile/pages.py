"""Find the files that one source of a watch file means: on pages, in folders, in text.

A link's address is compared as it is written and as it resolves, decoded first; the whole of it
must match (uscan(1)). Folders with a pattern are tried newest first: one that holds no file
yet is passed over.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from toolsync.http.answer import Page
from toolsync.model.errors import Hostile, NotThere
from toolsync.model.patterns import LONGEST_SUBJECT
from toolsync.model.versions import upstream_key
from toolsync.watch import feed, s3
from toolsync.watch.addresses import joined, parted, plain_folder, shown, usable_address
from toolsync.watch.html import base_of, html_root, links_of, quick_links
from toolsync.watch.reading import MAX_ENTRIES, charset_of, drifted, media_type
from toolsync.watchfile.faults import fault
from toolsync.watchfile.perl import Pattern
from toolsync.watchfile.rules import mangled
from toolsync.watchfile.source import Source

_ACCEPT = "text/html, application/xhtml+xml;q=0.9, application/json;q=0.9, */*;q=0.5"
_FOLDERS = 8
"""Folders of one level that are looked into before giving up."""
_HIDES = re.compile(r"<!--|<(script|style|textarea|template|title|iframe)\b", re.IGNORECASE)
"""What begins a part that no reader sees."""
_ANCHOR = re.compile(r"<a\s[^<>]*?\bhref\s*=\s*[\"']([^\"'<>]+)[\"']", re.IGNORECASE)

Ask = Callable[[str, str], Page]
_pattern = lru_cache(maxsize=1024)(Pattern)


class Hit(NamedTuple):
    """A file as the page names it."""

    version: str
    """The pattern's groups, joined by dots; empty when it has none."""
    href: str
    url: str
    page: str
    name: str = ""
    """The file's, where the link names no more than that, and all of it is plain."""


def find(source: Source, ask: Ask) -> list[Hit]:
    """Return what the source's pages name, in their order; never empty.

    Raises Drifted where nothing matches, SetupError for a source that cannot be used.
    """
    pattern = compiled(source)
    if not usable_address(source.url):
        raise fault(
            f"names {source.url[:200]} as its address, which cannot be asked",
            "Wanted: an address of http, https or ftp, or mode=git for a repository",
            source.line,
        )
    if source.is_sourceforge:
        return _of_sourceforge(source, pattern, ask)
    last = ""
    for url in _folders(source, source.url, ask):
        try:
            page = ask(url, _ACCEPT)
        except NotThere:
            if url == source.url:
                raise
            continue
        page = _mangled(_whole_listing(page, url, source, ask), source)
        last = page.url
        plain = source.words["searchmode"] == "plain"
        hits = list(_in_text(page, pattern) if plain else _in_links(page, url, pattern, source))
        if hits:
            return hits
    raise drifted(
        last or source.url,
        f"names nothing that matches {source.pattern}",
        "Look at the page in a browser, then mend debian/watch.",
    )


def _of_sourceforge(source: Source, pattern: Pattern, ask: Ask) -> list[Hit]:
    """Return the hits among a project's files: uscan's redirector asks SourceForge for the same."""
    page = ask(source.page, feed.ACCEPT)
    found = [
        Hit(joined_groups(match), name, url, page.url)
        for name, url in feed.files(page)
        if len(name) <= LONGEST_SUBJECT and (match := pattern.fullmatch(name))
    ]
    if not found:
        raise drifted(page.url, f"names nothing that matches {source.pattern}")
    return found


def _whole_listing(page: Page, url: str, source: Source, ask: Ask) -> Page:
    """Return a bucket's listing with the pages after its first one; any other page as it is."""
    if "bare" in source.flags or not s3.is_listing(page):
        return page
    body, following = page, s3.page_after(page, url)
    asked = {url}
    while following and len(asked) < s3.MAX_PAGES:
        if following in asked:
            raise drifted(page.url, "leads from page to page in a circle; an end was wanted")
        asked.add(following)
        part = ask(following, _ACCEPT)
        body = replace(body, body=(body.body or b"") + (part.body or b""))
        following = s3.page_after(part, url)
    return body


def compiled(source: Source) -> Pattern:
    """Return the source's pattern; raises SetupError where it has no group for a version."""
    pattern = _pattern(source.pattern, "debian/watch: the matching pattern")
    named = pattern.groups or source.mangles["filenamemangle"] or source.follows_branch
    if not named:
        raise fault(
            f"has the pattern {source.pattern or '(none)'}, in which no group (…) is the version",
            "Put parentheses around the version's part",
            source.line,
        )
    return pattern


def joined_groups(match: re.Match[str]) -> str:
    """Return the version that a match's groups make: joined by dots, empty ones left out."""
    return ".".join(filter(None, match.groups()))


def _folders(source: Source, url: str, ask: Ask) -> Iterator[str]:
    """Give the addresses that a pattern in the folders' names stands for, newest first."""
    head, found, _ = url.partition("(")
    if not found:
        yield url
        return
    start = head.rpartition("/")[0] + "/"
    name, _, rest = _component(url[len(start) :])
    pattern = _pattern(name, "debian/watch: a folder's pattern")
    page = _mangled(ask(start, _ACCEPT), source)
    named: dict[str, tuple[str, str]] = {}
    bases = _bases(page, start)
    for href, resolved in _links(page, source):
        if not (link := resolved().rstrip("/")):
            continue
        for form in _forms(href.rstrip("/"), partial(str, link), bases):
            match = pattern.fullmatch(form)
            if match:
                version = mangled(joined_groups(match) or form, source.mangles["dirversionmangle"])
                named.setdefault(link + "/", (version, form))
                break
    order = sorted(named, key=lambda link: upstream_key(named[link][0]), reverse=True)
    for link in order[:_FOLDERS]:
        yield from _folders(source, link + rest, ask)


def _component(path: str) -> tuple[str, str, str]:
    """Split a path after its first component; a slash in parentheses does not end it."""
    depth = 0
    for at, char in enumerate(path):
        depth += (char == "(") - (char == ")")
        if char == "/" and depth <= 0:
            return path[:at], "/", path[at + 1 :]
    return path, "", ""


def _mangled(page: Page, source: Source) -> Page:
    rules = source.mangles["pagemangle"]
    if not rules:
        return page
    text = mangled(_text(page), rules)
    return replace(page, body=text.encode(), content_type="text/html; charset=utf-8")


def _text(page: Page) -> str:
    body = page.body or b""
    try:
        return body.decode(charset_of(page) or "utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _in_text(page: Page, pattern: Pattern) -> Iterator[Hit]:
    text = _text(page)
    for count, match in enumerate(pattern.finditer(text)):
        if count > MAX_ENTRIES:
            raise _too_many(page)
        found = match[0].strip()
        plain = found.replace("\\/", "/")  # as some programs spell addresses in JSON
        yield Hit(joined_groups(match), found, joined(page.url, plain) or page.url, page.url)


def _in_links(page: Page, asked: str, pattern: Pattern, source: Source) -> Iterator[Hit]:
    base, hrefs = _hrefs(page, source)
    if len(hrefs) > MAX_ENTRIES:
        raise _too_many(page)
    bases = _bases(page, asked)
    plain, others = _plain_hits(page, base, hrefs, pattern, bases)
    if len(plain) == len(hrefs):
        yield from plain.values()
        return
    for href in hrefs:
        if href not in others:
            if hit := plain.get(href):
                yield hit
            continue
        spelled, url = _link(href, base, source)
        for form in _forms(spelled, url, bases):
            match = pattern.fullmatch(form) if len(form) <= LONGEST_SUBJECT else None
            if match and (link := url()):
                yield Hit(joined_groups(match), form, link, page.url)
                break


def _plain_hits(
    page: Page, base: str, hrefs: Sequence[str], pattern: Pattern, bases: Iterable[str]
) -> tuple[dict[str, Hit], Collection[str]]:
    """Return the hits among links that only name a file beside the page; and the other links.

    They are all of most listings. Each spelling of such a link is its name behind something that
    is the same for all, so none is resolved.
    """
    folder = joined(base, ".")
    if not plain_folder(folder):
        return {}, frozenset(hrefs)
    links, others = parted(hrefs)
    left, found = list(dict.fromkeys(links)), dict[str, Hit]()
    one = pattern.groups == 1
    for before in ("", *_forms("", lambda: folder, bases)):
        forms = [before + name for name in left] if before else left
        for name, form, match in zip(left, forms, pattern.fullmatches(forms), strict=True):
            if match:
                version = match[1] or "" if one else joined_groups(match)
                found[name] = Hit(version, form, folder + name, page.url, name)
        if len(found) == len(left):
            break
        left = [name for name in left if name not in found]
    return found, frozenset(others)


def _bases(page: Page, asked: str) -> Iterable[str]:
    return dict.fromkeys((urljoin(page.url, "."), urljoin(asked, ".")))


def _forms(href: str, resolved: Callable[[], str], bases: Iterable[str]) -> Iterator[str]:
    """Give the spellings of a link that a pattern may mean, decoded ones first.

    It is resolved only where the page's own spelling is not what is meant.
    """
    met: dict[str, None] = {}
    spelled: list[str] = []
    for text in _spelled(href, resolved, bases):
        spelled.append(text)
        for form in (unquote(text), text):
            if form and form not in met:
                met[form] = None
                yield form
    # uscan compares what stands in the page, so patterns may have to spell an & as it does.
    for text in [text.replace("&", "&amp;") for text in spelled if "&" in text]:
        for form in (unquote(text), text):
            if form not in met:
                met[form] = None
                yield form


def _spelled(href: str, resolved: Callable[[], str], bases: Iterable[str]) -> Iterator[str]:
    yield href
    yield href.partition("#")[0]
    url = resolved()
    yield from (url[len(base) :] for base in bases if url.startswith(base))
    parts = urlsplit(url)
    yield parts.path + (f"?{parts.query}" if parts.query else "")
    yield url


def _links(page: Page, source: Source) -> Iterator[tuple[str, Callable[[], str]]]:
    """Give each link as written, and what resolves it, the fragment kept; empty for no address."""
    base, hrefs = _hrefs(page, source)
    if len(hrefs) > MAX_ENTRIES:
        raise _too_many(page)
    for href in hrefs:
        yield _link(href, base, source)


def _link(href: str, base: str, source: Source) -> tuple[str, Callable[[], str]]:
    spelled = unquote(href.strip()) if source.words["hrefdecode"] else href.strip()
    return spelled, lambda: joined(base, spelled)


def _too_many(page: Page) -> Hostile:
    return Hostile(
        f"{shown(page.url)} names more than {MAX_ENTRIES} entries, the limit",
        resolution="Watch a narrower page, such as one folder's listing, in debian/watch.",
    )


def _hrefs(page: Page, source: Source) -> tuple[str, list[str]]:
    plain = quick_links(page)
    if plain is not None:
        return page.url, plain
    text = _text(page)
    if "<ListBucketResult" in text[:4096] and "bare" not in source.flags:
        keys = re.findall(r"<Key>([^<]*)</Key>", text)
        return page.url, [s3.escaped(entities.unescape(key)) for key in keys]
    root = html_root(page, media_type(page))
    base, hrefs = base_of(root, page), [href for href in links_of(root) if href]
    # A quote that is not closed hides the links after it from every parser, not from a reader.
    visible = _visible(text)
    known = set(hrefs)
    broken = any("<" in href for href in hrefs)
    loose = (entities.unescape(m) for m in _ANCHOR.findall(visible)) if broken else ()
    return base, hrefs + [href for href in loose if href not in known]


def _visible(text: str) -> str:
    """Return a page's text without comments, scripts and the like that have an end."""
    parts: list[str] = []
    at = 0
    endless: set[str] = set()  # what has no end after one place has none after a later one
    for start in _HIDES.finditer(text):
        name = (start[1] or "").lower()
        if start.start() < at or name in endless:
            continue
        end = re.compile(rf"</{name}\s*>" if name else "-->", re.IGNORECASE).search(
            text, start.end()
        )
        if end is None:
            endless.add(name)
            continue
        parts += [text[at : start.start()], " "]
        at = end.end()
    return "".join(parts) + text[at:]
