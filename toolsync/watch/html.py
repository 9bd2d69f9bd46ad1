"""Read links from HTML: listings of Apache and nginx, and vendors' pages.

Only ``href`` of real ``<a>`` elements counts, never the text of a link (servers cut long
names there), a script or a comment. Links resolve against the address after redirects and
``<base href>``, and are compared decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.entities import html5
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from toolsync.config import keys
from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.model.errors import Drifted, SetupError
from toolsync.model.patterns import LONGEST_SUBJECT, Expression, match_path, version_pattern
from toolsync.model.release import Release
from toolsync.system.confined import confined
from toolsync.watch.addresses import filled, joined, leaf, parted, plain_file, plain_folder
from toolsync.watch.candidates import Candidate, of_files
from toolsync.watch.kind import FILE_URL, PATTERN, URL, Clue, Kind, Likely, Seen
from toolsync.watch.listing import plain_links
from toolsync.watch.reading import Found, Get, body_of, charset_of, drifted, is_html, media_type

ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
_TYPES = ("", "text/html", "application/xhtml+xml")
_UNSEEN = frozenset({"script", "style", "textarea", "template", "title", "iframe"})
"""What no reader sees who runs no scripts; to those ``noscript`` speaks."""
_NAMED = re.compile(r"&([A-Za-z]{2,12};)")
XPATH_SECONDS, XPATH_MEMORY = 5.0, 512 * 1024 * 1024
_MAX_LINKS = 100_000
_LINKS = frozenset({"href", "src", "content", "data-href", "data-url"})


@dataclass(frozen=True, slots=True)
class _Hit:
    """What an entry of the page gives: an address, a text, or both."""

    url: str
    text: str


def read(tool: Tool, get: Get) -> list[Release]:
    """Return the files that the page links to: by ``watch.xpath``, ``watch.pattern`` or both."""
    watch = tool.watch
    page = get(watch.url, ACCEPT)
    found = Found(tool, page)
    pattern = version_pattern(watch.pattern) if watch.pattern else None
    if watch.xpath:
        root = html_root(page)
        hits = iter(_selected(root, base_of(root, page), watch.xpath))
    else:
        links, base = _links(page)
        if pattern and "/" not in watch.pattern and not watch.file_url:
            links = _plain_ones_taken(links, base, pattern, found)
        hits = _anchors(links, base)
    for hit in hits:
        found.look_at(hit.url or hit.text)
        matched = _match(pattern, hit) if pattern else (hit.text, hit.url)
        if matched and matched[0]:
            _add(found, tool, *matched)
    what = f"link that matches {watch.pattern}" if pattern else "version"
    return found.releases(what + (f" at {watch.xpath}" if watch.xpath else ""))


def html_root(page: Page, *types: str) -> Any:
    """Parse a page as HTML and return its root; raises Drifted when it is something else.

    ``types`` are content types that are HTML here besides the usual ones.
    """
    from lxml import etree

    body = body_of(page)
    if media_type(page) not in (*_TYPES, *types) and not is_html(page):
        raise drifted(page.url, f"answered with {media_type(page)[:80]}; an HTML page was wanted")
    try:
        root = etree.fromstring(body, _parser(charset_of(page)))
    except etree.LxmlError as error:
        raise drifted(page.url, f"is no HTML page: {error}") from error
    if root is None:
        raise drifted(page.url, "is no HTML page: it has no elements")
    return root


def _parser(charset: str) -> Any:
    from lxml import etree

    options = {
        "no_network": True, "remove_comments": True, "remove_pis": True, "huge_tree": False,
        "recover": True,
    }  # fmt: skip
    try:
        return etree.HTMLParser(encoding=charset or None, **options)
    except LookupError:  # Python knows some that libxml2 does not, such as cp720
        return etree.HTMLParser(**options)


def seen(element: Any) -> bool:
    """Say whether an element is part of the page as its reader sees it."""
    return not any(above.tag in _UNSEEN for above in element.iterancestors())


def _links(page: Page) -> tuple[list[str], str]:
    """Return the ``href`` of each link of a page, and the address that they resolve against."""
    plain = quick_links(page)
    if plain is not None:
        return plain, page.url
    root = html_root(page)
    return links_of(root), base_of(root, page)


def quick_links(page: Page) -> list[str] | None:
    """Return the links of a plain listing, against whose address they resolve; None of others."""
    plain = plain_links(page) if media_type(page) in _TYPES else None
    return plain if plain is None else [*filter(None, plain)]


def links_of(root: Any) -> list[str]:
    """Return the ``href`` of every link that the page's reader sees, in their order."""
    from lxml import etree

    if not any(True for hiding in root.iter(*_UNSEEN) for _ in hiding.iter("a")):
        found: list[str] = etree.XPath("//a/@href", smart_strings=False)(root)
        return found
    return [element.get("href", "") for element in root.iter("a") if seen(element)]


def _plain_ones_taken(links: list[str], base: str, pattern: Expression, found: Found) -> list[str]:
    """Take the links that only name a file beside the page; return those to be read in full.

    They are all of most listings, and reading them so says the same in a fifth of the time.
    """
    folder = joined(base, ".")
    if not plain_folder(folder):
        return links
    plain, others = parted(links)
    found.look_at(*plain)
    found.add_plain(folder, plain, pattern)
    return others


def _anchors(links: list[str], base: str) -> Iterator[_Hit]:
    for href in links:
        url = joined(base, _NAMED.sub(_character, href)) if href else ""
        if url:
            yield _Hit(url, "")


def _character(match: re.Match[str]) -> str:
    """Return what a name stands for that HTML 5 has and Debian 12's parser does not know."""
    character = html5.get(match[1], "")
    return character if character.isascii() and character else match[0]


def _selected(root: object, base: str, xpath: str) -> list[_Hit]:
    """Return what an XPath 1.0 expression selects, in a process that can be ended.

    None of its steps has a limit, and two of them can take the square of the page's size.
    """
    return confined(
        lambda: list(_chosen(root, base, xpath)),
        what=f"selecting {xpath} from the page",
        seconds=XPATH_SECONDS,
        memory=XPATH_MEMORY,
    )


def _chosen(root: Any, base: str, xpath: str) -> Iterator[_Hit]:
    """Give what the expression selects: elements, attributes or text."""
    from lxml import etree

    try:
        # Without EXSLT's regular expressions, which no one has checked for their cost.
        chosen = etree.XPath(xpath, regexp=False)(root)
    except etree.XPathError as error:
        raise SetupError(
            f"watch.xpath: {xpath} is no XPath 1.0 expression: {error}",
            resolution="Mend watch.xpath in tool.toml.",
        ) from error
    for item in chosen if isinstance(chosen, list) else [chosen]:
        if isinstance(item, str):
            is_link = getattr(item, "attrname", None) in _LINKS
            yield _Hit(joined(base, item) if is_link else "", "" if is_link else item.strip())
        elif hasattr(item, "iterancestors") and item.tag not in _UNSEEN and seen(item):
            href = item.get("href")
            yield _Hit(joined(base, href) if href else "", " ".join(item.itertext()).strip())


def _match(pattern: Any, hit: _Hit) -> tuple[str, str] | None:
    """Return version and address where the pattern fits a link, its query, or plain text."""
    if not hit.url:
        match = pattern.search(hit.text[:LONGEST_SUBJECT])
        return (match["version"], "") if match else None
    if "/" not in pattern.pattern and (plain := plain_file(hit.url)):
        match = pattern.fullmatch(plain[1])
        return (match["version"], hit.url) if match else None
    parts = urlsplit(hit.url)
    match = match_path(pattern, unquote(parts.path))
    if match:
        return match["version"], hit.url
    # Redirectors carry their target in the query, download scripts the file's name.
    for _, value in parse_qsl(parts.query)[:20] if parts.query else ():
        target = joined(hit.url, value) if "://" in value else ""
        match = match_path(pattern, unquote(urlsplit(target).path) if target else value)
        if match:
            return match["version"], target or hit.url
    return None


def _add(found: Found, tool: Tool, raw: str, url: str) -> None:
    template = tool.watch.file_url
    if template:
        url = filled(template, {"version": raw.strip(), "tag": raw.strip()})
    if not url:
        raise SetupError(
            f"{tool.name}: watch.xpath selects text, which names no file",
            resolution="Add watch.file_url with {version} to tool.toml, or select links.",
        )
    found.add(raw, url, filename=_filename(url))


def _filename(url: str) -> str:
    """Return the file's name; a download script's is in its query."""
    name = leaf(url)
    if "." in name and not name.endswith((".php", ".cgi", ".jsp", ".asp", ".html")):
        return name
    values = [leaf("/" + value) for _, value in parse_qsl(urlsplit(url).query)[:20]]
    return next((value for value in values if "." in value), name)


def links_seen(at: Seen) -> list[str]:
    """Return the links of an HTML page that a tool is to be made for; none of another page."""
    page = _readable(at)
    return [] if page is None else [h for h in links_of(html_root(page))[:_MAX_LINKS] if h]


def _readable(at: Seen) -> Page | None:
    """Return an HTML page that can be parsed; None for another, or where there is none."""
    page = at.page
    if page is None or not (is_html(page) or media_type(page) in _TYPES[1:]):
        return None
    try:
        html_root(page)
    except Drifted:
        return None
    return page


def _listed(at: Seen) -> Iterator[Candidate]:
    hrefs = links_seen(at)
    if at.page is None or not hrefs:
        return
    at.tell(f"it is an HTML page with {len(hrefs)} links")
    paths = [unquote(urlsplit(joined(at.page.url, href)).path) for href in hrefs]
    yield from of_files("html", at.url, [path.rpartition("/")[2] for path in paths], at.name)


def _told(at: Seen) -> Iterator[Candidate]:
    # Loaded where a page lists no file of its own: few do not.
    from toolsync.watch.told import told

    page = _readable(at)
    if page is not None:
        root = html_root(page)
        yield from told(at, root, base_of(root, page))


def base_of(root: Any, page: Page) -> str:
    """Return the address that a page's links resolve against."""
    for element in root.iter("base"):
        if element.get("href"):
            return joined(page.url, element.get("href")) or page.url
    return page.url


HTML = Kind(
    name="html",
    about="an HTML page that links to the files",
    read=read,
    settings={
        **URL,
        **PATTERN,
        "xpath": keys.text("an XPath 1.0 expression that selects links or text"),
        **FILE_URL,
    },
    needs=("url", ("pattern", "xpath")),
    clues=(
        Clue(likely=Likely.LISTED, give=_listed),
        Clue(likely=Likely.GUESSED, give=_told),
    ),
)
