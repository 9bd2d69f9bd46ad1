"""Read a GitHub repository's tags or releases: Atom feeds, and the API where those do not tell all.

``watch.url`` is the repository's page: its feed needs no quota, and tells the latest ten. Where
older ones count, the API is asked for the rest, unless the feed reaches down to what was the newest
before. With ``…/repos/OWNER/REPO``, the API's form of that address, the API is asked alone. With a
token many repositories are asked for together (`graphql`). A tag is taken from an entry's id or
link, never from its title, which is free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.http.client import Http
from toolsync.http.failures import Limited
from toolsync.model.errors import NotThere, SetupError
from toolsync.model.patterns import LONGEST_SUBJECT, version_pattern
from toolsync.model.release import Release
from toolsync.watch import graphql
from toolsync.watch.addresses import filled, http_address, joined
from toolsync.watch.candidates import (
    Candidate,
    may_be_project,
    page_says,
    path_names,
    project,
    tag_names,
)
from toolsync.watch.forge import CUT, telling_of_tokens
from toolsync.watch.kind import FILE_URL, PATTERN, RELEASES, URL, Clue, Kind, Likely, Seen
from toolsync.watch.pages import Pages
from toolsync.watch.reading import (
    FEED_START,
    Found,
    drifted,
    json_of,
    json_seen,
    media_type,
    moment,
    sha256_of,
    xml_root,
)
from toolsync.watch.together import Together

_PER_PAGE, _MAX_PAGES = 100, 100
_FEED = 10
"""Entries of a feed: where there are so many, there may be more."""
_JSON = "application/vnd.github+json"
_ID = re.compile(r"tag:[^:/]*:Repository/\d+/(?P<tag>.+)", re.DOTALL)
_API = re.compile(r"(https?://[^/]+(?:/api/v3)?/repos/[^/]+/[^/]+)/(tags|releases)")
_LINK = re.compile(r"/releases/tag/(?P<tag>[^?#]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A repository's addresses."""

    root: str
    """Its page, or its place in the API where that is what ``watch.url`` names."""
    name: str
    is_api: bool
    api: str
    """Its place in the API."""
    graphql: str


def read(tool: Tool, pages: Pages) -> list[Release]:
    """Return the repository's tags (or releases) that ``watch.pattern`` fits as a whole."""
    watch = tool.watch
    pattern = version_pattern(watch.pattern)
    place = _place_of(watch.url)
    listing = _Listing(place, watch.releases, pages)
    found = Found(tool, listing.first)
    seen = set()
    for entry in listing.entries():
        tag = entry.pop("tag")
        seen.add(tag)
        found.look_at(tag)
        match = pattern.fullmatch(tag) if len(tag) <= LONGEST_SUBJECT else None
        if match and match["version"]:
            _add(found, tool, tag, match["version"], entry, place)
    found.keep(release for release in listing.known if release.tag not in seen)
    return found.releases(f"{watch.releases.removesuffix('s')} that matches {watch.pattern}")


class _Listing:
    """The entries of a repository, from wherever they must be asked for."""

    def __init__(self, place: _Place, what: str, pages: Pages) -> None:
        self._place, self._what, self._pages = place, what, pages
        self._get = telling_of_tokens(pages)
        self._together = pages.together()
        self.first = self._together or self._get(*self._address())
        self.known: Sequence[Release] = ()
        """What was seen before and counts besides the entries."""

    def _address(self) -> tuple[str, str]:
        root, what = self._place.root, self._what
        if self._place.is_api:
            return f"{root}/{what}?per_page={_PER_PAGE}", _JSON
        return f"{root}/{what}.atom", "application/atom+xml"

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the entries; to be used up before ``known`` counts."""
        if self._together:
            yield from self._of_many(json_of(self._together))
        elif media_type(self.first).endswith("json"):
            # Its tags come in no order of time: of several pages the first vouches for none.
            self._pages.vouched = self._what == "releases"
            yield from self._of_api(self.first, self._place.root)
        else:
            yield from self._of_feed(list(_atom(self.first)))

    def _of_many(self, data: dict[str, Any]) -> Iterator[dict[str, Any]]:
        listed = list(graphql.entries(data))
        self._pages.vouched = True
        if data["cut"] and not self._reaches(listed):
            self._tell(f"{self.first.url} goes on after {len(listed)} {self._what}, the limit")
        yield from listed

    def _of_feed(self, listed: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        self._pages.vouched = True
        # Only the API says which releases are prereleases.
        if len(listed) < _FEED or (self._what == "tags" and self._reaches(listed)):
            yield from listed
            return
        dates = {entry["tag"]: entry["published"] for entry in listed}
        cut = f"{self.first.url} names the {len(listed)} latest {self._what} alone"
        address = f"{self._place.api}/{self._what}?per_page={_PER_PAGE}"
        try:
            page = self._get(address, _JSON)
        except NotThere as error:
            self._tell(f"{cut}, and the API is not there ({error})")
            yield from listed
            return
        except Limited as error:
            raise Limited(
                f"{cut}, and the API could not be asked: {error}", error.retry_after
            ) from error
        for entry in self._of_api(page, self._place.api):
            yield entry | {"published": entry["published"] or dates.pop(entry["tag"], "")}
            dates.pop(entry["tag"], "")
        yield from (entry for entry in listed if entry["tag"] in dates)  # newer than the API's

    def _of_api(self, page: Page, root: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of this page of the API's and of those after it."""
        for number in range(2, _MAX_PAGES + 2):
            entries = json_of(page)
            if not isinstance(entries, list):
                said = entries.get("message", "") if isinstance(entries, dict) else ""
                raise drifted(
                    page.url, f"answered with no list of {self._what}: {str(said)[:200]!r}"
                )
            yield from (_json(page, entry) for entry in entries if _counts(entry))
            if len(entries) < _PER_PAGE:
                return
            if number > _MAX_PAGES:
                self._tell(f"{page.url} goes on after {_MAX_PAGES} pages, the limit")
                return
            before = page.body
            page = self._get(f"{root}/{self._what}?per_page={_PER_PAGE}&page={number}", _JSON)
            if page.body == before:
                return  # a server that knows no pages

    def _reaches(self, listed: Sequence[dict[str, Any]]) -> bool:
        """Say whether the latest entries reach down to what was newest; what was known counts then.

        Whatever came after that stands above it.
        """
        known = self._pages.known() if self._pages.known else ()
        if not known or all(entry["tag"] != known[0].tag for entry in listed):
            return False
        self.known = known
        return True

    def _tell(self, cut: str) -> None:
        """Tell that the listing was cut, which then vouches for nothing."""
        self._pages.vouched = False
        self._pages.told.append(CUT.format(cut))


def _place_of(url: str) -> _Place:
    """Return a repository's addresses, whatever page of it is named."""
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
    host = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    root = f"{host}/{'/'.join(kept)}"
    above = f"{host}/{'/'.join(kept[:-3])}".rstrip("/")
    if not is_api:
        # GitHub's own API has a host of its own, that of a GitHub Enterprise Server a folder.
        public = (parts.hostname or "").removeprefix("www.") == "github.com"
        above = f"{parts.scheme}://api.github.com" if public else f"{host}/api/v3"
    return _Place(
        root=root,
        name=kept[-1],
        is_api=is_api,
        api=f"{above}/repos/{'/'.join(kept[-2:])}",
        graphql=f"{above.removesuffix('/v3')}/graphql",
    )


def _asked_with(tool: Tool, http: Http) -> str:
    """Return where a tool's repository is asked for with others, which needs a token."""
    try:
        place = _place_of(tool.watch.url)
    except SetupError:
        return ""
    return place.graphql if graphql.is_asked(tool) and http.token(place.graphql) else ""


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
    place: _Place,
) -> None:
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
    if place.is_api:
        url = tarball if http_address(tarball) else f"{place.root}/tarball/{quote(tag, safe='/+~')}"
    else:
        url = f"{place.root}/archive/refs/tags/{quote(tag, safe='/+~')}.tar.gz"
    filename = re.sub(r"[^A-Za-z0-9.+~_-]", "_", f"{place.name}-{raw}.tar.gz")[-200:]
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
    together=Together(place=_asked_with, ask=graphql.ask, most=graphql.AT_ONCE),
    clues=(
        Clue(likely=Likely.STATED, give=_stated),
        Clue(likely=Likely.GUESSED, give=_guessed),
    ),
)
