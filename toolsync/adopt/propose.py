"""Look at an address and propose how it can be watched: candidates, the likeliest first.

A candidate is a [watch] section of tool.toml; whoever asks tries each and takes the first that
finds releases. What a page is follows from its content, then from where forges keep theirs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import unquote, urljoin, urlsplit

from toolsync.adopt.candidates import (
    ENDINGS,
    Candidate,
    index,
    mangled,
    of_feed,
    of_files,
    probe,
    project,
    usable_name,
)
from toolsync.adopt.naming import families
from toolsync.http.client import Page
from toolsync.model.errors import Drifted, ToolsyncError, Unreachable
from toolsync.watch import git
from toolsync.watch.addresses import joined, leaf
from toolsync.watch.html import html_root, seen
from toolsync.watch.pages import Pages
from toolsync.watch.reading import charset_of, is_html, media_type

_ACCEPT = "application/vnd.pypi.simple.v1+json;q=0.9, */*;q=0.8"


def propose(
    url: str, pages: Pages, *, name: str, tell: Callable[[str], None]
) -> Iterator[Candidate]:
    """Yield the ways to watch ``url``, the likeliest first; ``name`` is wanted where several fit.

    ``tell`` hears what is looked at. Raises what asking for the address raises.
    """
    file = leaf(url)
    if ENDINGS.search(file):
        named = families([file], files=True)
        if not named:
            yield probe(url, file)
            return
        tell(f"{file} is one release; looking at the folder that it lies in")
        url, name = urljoin(url, "."), name or named[0].name
    tell(f"asking for {url}")
    try:
        page = pages(url, _ACCEPT)
    except Unreachable:
        yield from _repository(url, pages, tell)
        raise
    yield from _of_page(url, page, name, tell)
    if is_html(page):
        yield from _alternates(page)
        yield from _forges(page.url)
    yield from _repository(url, pages, tell)


def _of_page(url: str, page: Page, name: str, tell: Callable[[str], None]) -> Iterator[Candidate]:
    """Yield the candidates for a page by its type and content."""
    body, kind = page.body or b"", media_type(page)
    head = body[:4096].decode("latin-1")
    if kind.endswith("json") or body.lstrip()[:1] in (b"{", b"["):
        tell("it is JSON")
        yield from _of_json(url, page)
    elif "<ListBucketResult" in head:
        tell("it is the listing of a bucket")
        keys = re.findall(r"<Key>([^<]{1,1024})</Key>", body.decode("utf-8", "replace"))
        yield from of_files("s3", url, keys, name)
    elif re.search(r"<(?:rss|feed|rdf:RDF)\b", head):
        tell("it is a feed")
        yield from of_feed(url, body.decode("utf-8", "replace"), name)
    elif "pypi:repository-version" in head:
        tell("it is a project of a package index")
        yield index(url)
    elif is_html(page) or kind in ("text/html", "application/xhtml+xml"):
        yield from _of_html(url, page, name, tell)
    elif len(body) < 100_000 and b"\0" not in body:
        yield from _of_text(url, body.decode(charset_of(page) or "utf-8", "replace"), name)


def _of_html(url: str, page: Page, name: str, tell: Callable[[str], None]) -> Iterator[Candidate]:
    """Yield the candidates for an HTML page: of a forge, an index, or a listing."""
    try:
        root = html_root(page)
    except Drifted:
        return
    hrefs = [e.get("href") for e in root.iter("a") if e.get("href") and seen(e)]
    paths = [unquote(urlsplit(joined(page.url, href)).path) for href in hrefs[:100_000]]
    text = (page.body or b"")[:100_000].decode("latin-1")
    for word, forge in (
        ("GitHub", "github"),
        ("GitLab", "gitlab"),
        ("Forgejo", "forgejo"),
        ("Gitea", "forgejo"),
    ):
        if re.search(rf'<meta [^>]*content="{word}\b', text):
            tell(f"it is a page of {word}'s")
            yield project(forge, page.url)
    tell(f"it is an HTML page with {len(hrefs)} links")
    if any("#sha256=" in href for href in hrefs):
        yield index(url)
    yield from of_files("html", url, [path.rpartition("/")[2] for path in paths], name)


def _of_json(url: str, page: Page) -> Iterator[Candidate]:
    """Yield the candidates for a JSON document: index, npm, or an API of a forge."""
    try:
        data = json.loads(page.body or b"")
    except (ValueError, RecursionError):
        return
    path = urlsplit(url).path
    if isinstance(data, dict) and isinstance(data.get("files"), list):
        yield index(url)
    elif isinstance(data, dict) and isinstance(data.get("versions"), dict):
        package = str(data.get("name") or path.strip("/").rpartition("/")[2])
        yield Candidate(watch={"kind": "npm", "url": url, "project": package}, name=package)
    elif isinstance(data, list):
        for prefix, kind in (("/api/v4/projects/", "gitlab"), ("/api/v1/repos/", "forgejo")):
            if path.startswith(prefix):
                yield project(kind, url, releases=_what(path), tags=_names(data))
        repository = re.search(r"^(.*/repos/[^/]+/[^/]+)/(tags|releases)$", url.partition("?")[0])
        if repository:
            yield project("github", repository[1], releases=repository[2], tags=_names(data))


def _names(data: Sequence[object]) -> list[str]:
    entries = (e for e in data if isinstance(e, dict))
    return [str(e.get("tag_name") or e.get("name") or "") for e in entries]


def _what(path: str) -> str:
    return "releases" if path.rstrip("/").endswith("/releases") else "tags"


def _of_text(url: str, text: str, name: str) -> Iterator[Candidate]:
    """Yield the candidate for a VERSION file; where its archives lie only a person can say."""
    found = families((word for word in text.split()[:200]), files=False)
    if not found:
        return
    tool = name or next((part for part in urlsplit(url).path.split("/") if part), "") or "tool"
    yield Candidate(
        watch={
            "kind": "text",
            "url": url,
            "pattern": rf"\b{found[0].pattern}\b",
            "file_url": urljoin(url, f"{usable_name(tool)}-{{version}}.tar.gz"),
        },
        name=tool,
        notes=("where the archives lie: the page names versions only; mend watch.file_url",),
    )


def _alternates(page: Page) -> Iterator[Candidate]:
    """Yield the feeds that a page names as its own."""
    try:
        links = html_root(page).iter("link")
    except Drifted:
        return
    for link in links:
        if link.get("rel") == "alternate" and "xml" in (link.get("type") or ""):
            address = joined(page.url, link.get("href") or "")
            if address:
                yield Candidate(
                    watch={"kind": "feed", "url": address,
                           "pattern": r".*?[-_/]v?(?P<version>\d+(?:\.\d+)*)\.(?:tar\.\w+|zip)"},
                    name=leaf(page.url),
                )  # fmt: skip


def _forges(url: str) -> Iterator[Candidate]:
    """Yield what a project's page could be where forges keep theirs: two names and no more."""
    if len([part for part in urlsplit(url).path.split("/") if part]) >= 2:
        for kind in ("github", "gitlab", "forgejo"):
            yield project(kind, url)


def _repository(url: str, pages: Pages, tell: Callable[[str], None]) -> Iterator[Candidate]:
    """Yield the candidate for a git repository, if there is one at the address."""
    root = url.partition("?")[0].rstrip("/")
    tell(f"asking whether {root} is a git repository")
    try:
        tags = git.tags_at(root, pages)
    except ToolsyncError:
        return
    found = families(tags, files=False)
    if found:
        yield Candidate(
            watch={"kind": "git", "url": root, "pattern": found[0].pattern, **mangled(found[0])},
            name=leaf(root).removesuffix(".git"),
        )
