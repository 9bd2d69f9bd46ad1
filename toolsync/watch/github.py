"""Read a GitHub repository's tags or releases: Atom feeds, or the JSON API's answers.

The feeds need no quota and are the default: ``watch.url`` is the repository's page. With
``…/repos/OWNER/REPO``, the API's form of that address, the API is asked. A tag is taken
from an entry's id or link, never from its title, which is free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from toolsync.config.definition import Tool
from toolsync.http.client import Page
from toolsync.model.errors import SetupError
from toolsync.model.patterns import LONGEST_SUBJECT, version_pattern
from toolsync.model.release import Release
from toolsync.watch.addresses import filled, http_address, joined
from toolsync.watch.candidates import (
    Candidate,
    may_be_project,
    page_says,
    path_names,
    project,
    tag_names,
)
from toolsync.watch.forge import telling_of_tokens
from toolsync.watch.kind import FILE_URL, PATTERN, RELEASES, URL, Clue, Kind, Likely, Seen
from toolsync.watch.reading import (
    FEED_START,
    Found,
    Get,
    drifted,
    json_of,
    json_seen,
    media_type,
    moment,
    sha256_of,
    xml_root,
)

_PER_PAGE, _MAX_PAGES = 100, 10
_ID = re.compile(r"tag:[^:/]*:Repository/\d+/(?P<tag>.+)", re.DOTALL)
_API = re.compile(r"(https?://[^/]+(?:/api/v3)?/repos/[^/]+/[^/]+)/(tags|releases)")
_LINK = re.compile(r"/releases/tag/(?P<tag>[^?#]+)")


def read(tool: Tool, get: Get) -> list[Release]:
    """Return the repository's tags (or releases) that ``watch.pattern`` fits as a whole."""
    watch, get = tool.watch, telling_of_tokens(get)
    what = watch.releases
    pattern = version_pattern(watch.pattern)
    root, name, is_api = _repository(watch.url)
    page = get(*_first(root, what, is_api))
    found = Found(tool, page)
    for entry in _entries(page, root, what, get):
        tag = entry.pop("tag")
        found.look_at(tag)
        match = pattern.fullmatch(tag) if len(tag) <= LONGEST_SUBJECT else None
        if match and match["version"]:
            _add(found, tool, tag, match["version"], entry, (root, name, is_api))
    return found.releases(f"{what.removesuffix('s')} that matches {watch.pattern}")


def _first(root: str, what: str, is_api: bool) -> tuple[str, str]:
    if is_api:
        return f"{root}/{what}?per_page={_PER_PAGE}", "application/vnd.github+json"
    return f"{root}/{what}.atom", "application/atom+xml"


def _repository(url: str) -> tuple[str, str, bool]:
    """Return the repository's address, its name, and whether that is the API's form."""
    parts = urlsplit(url)
    names = [part for part in parts.path.split("/") if part]
    is_api = len(names) >= 3 and names[-3] == "repos"
    if len(names) < 2:
        raise SetupError(
            f"watch.url: {url!r} names no repository",
            resolution="Write it as https://HOST/OWNER/REPOSITORY in tool.toml.",
        )
    kept = names if is_api else names[:2]
    kept[-1] = kept[-1].removesuffix(".git")
    path = "/" + "/".join(kept)
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), kept[-1], is_api


def _entries(page: Page, root: str, what: str, get: Get) -> Iterator[dict[str, Any]]:
    if not media_type(page).endswith("json"):
        yield from _atom(page)
        return
    for number in range(2, _MAX_PAGES + 2):
        entries = json_of(page)
        if not isinstance(entries, list):
            said = entries.get("message", "") if isinstance(entries, dict) else ""
            raise drifted(page.url, f"answered with no list of {what}: {str(said)[:200]!r}")
        yield from (_json(page, entry) for entry in entries if _counts(entry))
        if len(entries) < _PER_PAGE or number > _MAX_PAGES:
            return
        page = get(
            f"{root}/{what}?per_page={_PER_PAGE}&page={number}", "application/vnd.github+json"
        )


def _atom(page: Page) -> Iterator[dict[str, Any]]:
    for entry in xml_root(page, ["feed"]).iterfind("{*}entry"):
        match = _ID.fullmatch(str(entry.findtext("{*}id") or "").strip())
        tag = match["tag"] if match else ""
        for link in () if tag else entry.iterfind("{*}link"):
            found = _LINK.search(link.get("href") or "")
            tag = tag or (unquote(found["tag"]) if found else "")
        if tag:
            updated = str(entry.findtext("{*}updated") or "").strip()
            yield {"tag": tag, "published": moment(updated)}


def _counts(entry: object) -> bool:
    return isinstance(entry, dict) and not entry.get("draft")


def _json(page: Page, entry: dict[str, object]) -> dict[str, object]:
    tag = entry.get("tag_name") or entry.get("name")
    tarball, assets = entry.get("tarball_url"), entry.get("assets")
    return {
        "tag": tag if isinstance(tag, str) else "",
        "published": moment(entry.get("published_at")),
        "prerelease": entry.get("prerelease") is True,
        "tarball": joined(page.url, tarball) if isinstance(tarball, str) else "",
        "assets": [a for a in assets if isinstance(a, dict)] if isinstance(assets, list) else [],
    }


def _add(
    found: Found,
    tool: Tool,
    tag: str,
    raw: str,
    entry: dict[str, Any],
    repository: tuple[str, str, bool],
) -> None:
    root, name, is_api = repository
    tarball, assets = entry.pop("tarball", ""), entry.pop("assets", [])
    if tool.watch.file_url:
        url = filled(tool.watch.file_url, {"version": raw, "tag": tag})
        stated: dict[str, object] = next(
            (a for a in assets if a.get("browser_download_url") == url), {}
        )
        digest, size = str(stated.get("digest") or ""), stated.get("size")
        entry["sha256"] = sha256_of(digest.removeprefix("sha256:"))
        entry["size"] = size if type(size) is int and size >= 0 else None
        found.add(raw, url, tag=tag, **entry)
        return
    if is_api:
        url = tarball if http_address(tarball) else f"{root}/tarball/{quote(tag, safe='/+~')}"
    else:
        url = f"{root}/archive/refs/tags/{quote(tag, safe='/+~')}.tar.gz"
    filename = re.sub(r"[^A-Za-z0-9.+~_-]", "_", f"{name}-{raw}.tar.gz")[-200:]
    found.add(raw, url, filename=filename, tag=tag, **entry)


def _stated(at: Seen) -> Iterator[Candidate]:
    if at.page is None:
        return
    if page_says(at, "GitHub"):
        at.tell("it is a page of GitHub's")
        yield _candidate(at.page.url)
    # Its feeds are known by the ids of their entries.
    tags = re.findall(r"<id>\s*tag:[^:<]*:Repository/\d+/([^<]{1,255}?)\s*</id>", at.text)
    if tags and FEED_START.search(at.text[:4096]):
        root = re.sub(r"/(?:tags|releases)\.atom$", "", at.url.partition("?")[0])
        what = "releases" if "/releases.atom" in at.url else "tags"
        yield _candidate(root, releases=what, tags=tags)
    api = _API.fullmatch(at.url.partition("?")[0])
    if api and isinstance(data := json_seen(at.page), list):
        yield _candidate(api[1], releases=api[2], tags=tag_names(data))


def _guessed(at: Seen) -> Iterator[Candidate]:
    if at.page is not None and may_be_project(at):
        yield _candidate(at.page.url)


def _candidate(url: str, *, releases: str = "tags", tags: Sequence[str] = ()) -> Candidate:
    root = url.partition("?")[0].rstrip("/")
    names = path_names(root)
    if "repos" not in names:
        root, names = urljoin(root, "/" + "/".join(names[:2])), names[:2]
    return project("github", root, names[-1] if names else "", releases=releases, tags=tags)


GITHUB = Kind(
    name="github",
    about="a GitHub repository's tags or releases: its feeds, or its API",
    read=read,
    settings={**URL, **PATTERN, **FILE_URL, **RELEASES},
    needs=("url", "pattern"),
    lists="latest",
    clues=(
        Clue(likely=Likely.STATED, give=_stated),
        Clue(likely=Likely.GUESSED, give=_guessed),
    ),
)
