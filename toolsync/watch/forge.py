"""Read a project's tags or releases from the JSON API of GitLab, or of Forgejo and Gitea.

``watch.url`` is the project's page; the API's address follows from it, or is given itself. Pages
are asked for until one brings nothing more: a server may send fewer entries at once than it is
asked for. Rules from GitLab's "Tags API" and "Releases API", and from Forgejo's swagger.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.http.failures import Limited
from toolsync.http.quotas import LIFTED
from toolsync.model.errors import SetupError
from toolsync.model.patterns import LONGEST_SUBJECT, version_pattern
from toolsync.model.release import Release
from toolsync.system.headers import host_of
from toolsync.watch.addresses import filled, joined
from toolsync.watch.candidates import (
    Candidate,
    may_be_project,
    page_says,
    path_names,
    project,
    tag_names,
    what_of,
)
from toolsync.watch.kind import FILE_URL, PATTERN, RELEASES, URL, Clue, Kind, Likely, Seen
from toolsync.watch.pages import Pages
from toolsync.watch.reading import Found, Get, drifted, json_of, json_seen, moment, sha256_of

_MAX_PAGES = 100
_ACCEPT = "application/json"
CUT = (
    "{}: the listing was cut, and a newer release may be missing; watch the repository itself"
    ' (kind = "git"), which tells all'
)
"""What is said of a listing that was not read to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """How one kind of forge is asked, and what its answers mean."""

    api: Callable[[str, list[str]], str]
    """From the server's address and the project's path to the API's address of the project."""
    tags: str
    per_page: int
    size: str
    """The parameter that names how many are wanted at once."""
    archive: str
    """The address of a tag's tarball, below the project's page."""


def _gitlab_api(host: str, names: list[str]) -> str:
    return f"{host}/api/v4/projects/{quote('/'.join(names), safe='')}"


def _forgejo_api(host: str, names: list[str]) -> str:
    return f"{host}/api/v1/repos/{'/'.join(names[:2])}"


_GITLAB = Forge(
    api=_gitlab_api,
    tags="repository/tags",
    per_page=100,
    size="per_page",
    archive="{page}/-/archive/{tag}/{name}-{leaf}.tar.gz",
)
_FORGEJO = Forge(
    api=_forgejo_api,
    tags="tags",
    per_page=50,
    size="limit",
    archive="{page}/archive/{tag}.tar.gz",
)


def gitlab(tool: Tool, pages: Pages) -> list[Release]:
    """Return the tags (or releases) of a GitLab project that ``watch.pattern`` fits."""
    return _read(tool, pages, _GITLAB)


def forgejo(tool: Tool, pages: Pages) -> list[Release]:
    """Return the tags (or releases) of a Forgejo repository that ``watch.pattern`` fits."""
    return _read(tool, pages, _FORGEJO)


def telling_of_tokens(get: Get) -> Get:
    """Return ``get`` for a forge, where whoever shows a token may ask more often."""

    def ask(url: str, accept: str) -> Page:
        try:
            return get(url, accept)
        except Limited as error:
            if "token" in str(error):
                raise
            told = f"{error}; {LIFTED.format(host_of(url))}"
            raise Limited(told, error.retry_after) from error

    return ask


def _read(tool: Tool, pages: Pages, forge: Forge) -> list[Release]:
    watch, get = tool.watch, telling_of_tokens(pages)
    pattern = version_pattern(watch.pattern)
    host, names = _project(watch.url)
    address = f"{forge.api(host, names)}/{forge.tags if watch.releases == 'tags' else 'releases'}"
    page = get(f"{address}?{forge.size}={forge.per_page}", _ACCEPT)
    found = Found(tool, page)
    for at, entry in _entries(page, address, forge, get, pages.told):
        tag = entry.get("tag_name") or entry.get("name")
        tag = tag if isinstance(tag, str) else ""
        found.look_at(tag)
        match = pattern.fullmatch(tag) if len(tag) <= LONGEST_SUBJECT else None
        if match and match["version"] and not entry.get("draft"):
            _add(found, tool, tag, match["version"], entry, at, f"{host}/{'/'.join(names)}", forge)
    return found.releases(f"{watch.releases.removesuffix('s')} that matches {watch.pattern}")


def _project(url: str) -> tuple[str, list[str]]:
    """Return the server's address and the project's path, whatever page of it is named."""
    parts = urlsplit(url)
    names = [part for part in parts.path.split("/") if part]
    if names[:3] == ["api", "v4", "projects"] and len(names) > 3:
        names = names[3].replace("%2F", "/").replace("%2f", "/").split("/")
    elif names[:3] == ["api", "v1", "repos"]:
        names = names[3:5]
    if "-" in names:  # GitLab's own pages of a project stand behind /-/
        names = names[: names.index("-")]
    if len(names) < 2:
        raise SetupError(
            f"watch.url: {url!r} names no project",
            resolution="Write it as https://HOST/OWNER/PROJECT in tool.toml.",
        )
    names[-1] = names[-1].removesuffix(".git")
    return urlunsplit((parts.scheme, parts.netloc, "", "", "")), names


def _entries(
    page: Page, address: str, forge: Forge, get: Get, told: list[str]
) -> Iterator[tuple[Page, dict[str, object]]]:
    for number in range(2, _MAX_PAGES + 2):
        entries = json_of(page)
        if not isinstance(entries, list):
            said = entries.get("message", "") if isinstance(entries, dict) else ""
            raise drifted(page.url, f"answered with no list of tags or releases: {said!r:.200}")
        yield from ((page, entry) for entry in entries if isinstance(entry, dict))
        # A server's own limit is a round number; a page of any other length is the last one.
        if not entries or len(entries) % 10:
            return
        if number > _MAX_PAGES:
            told.append(CUT.format(f"{page.url} goes on after {_MAX_PAGES} pages, the limit"))
            return
        before = page.body
        page = get(f"{address}?{forge.size}={forge.per_page}&page={number}", _ACCEPT)
        if page.body == before:
            return  # a server that knows no pages


def _add(
    found: Found,
    tool: Tool,
    tag: str,
    raw: str,
    entry: dict[str, object],
    page: Page,
    project: str,
    forge: Forge,
) -> None:
    name = project.rpartition("/")[2]
    words = {"page": project, "tag": quote(tag, safe="/+~"), "name": name,
             "leaf": quote(tag.replace("/", "-"), safe="+~")}  # fmt: skip
    more: dict[str, Any] = {
        "tag": tag,
        "published": _published(entry),
        "prerelease": entry.get("prerelease") is True or entry.get("upcoming_release") is True,
    }
    if not tool.watch.file_url:
        filename = re.sub(r"[^A-Za-z0-9.+~_-]", "_", f"{name}-{raw}.tar.gz")[-200:]
        found.add(raw, forge.archive.format(**words), filename=filename, **more)
        return
    url = filled(tool.watch.file_url, {"version": raw, "tag": tag})
    for asset in _assets(entry):
        stated = asset.get("browser_download_url") or asset.get("direct_asset_url")
        if isinstance(stated, str) and joined(page.url, stated) == url:
            size = asset.get("size")
            more["size"] = size if type(size) is int and size >= 0 else None
            more["sha256"] = sha256_of(asset.get("sha256"))
    found.add(raw, url, **more)


def _published(entry: dict[str, Any]) -> str:
    commit = entry.get("commit")
    inner = commit if isinstance(commit, dict) else {}
    for named in ("released_at", "published_at", "created_at"):
        if when := moment(entry.get(named)):
            return when
    return moment(inner.get("created_at") or inner.get("created"))


def _assets(entry: dict[str, object]) -> list[dict[str, object]]:
    assets = entry.get("assets")
    listed = assets.get("links") if isinstance(assets, dict) else assets
    if not isinstance(listed, list):
        return []
    return [asset for asset in listed if isinstance(asset, dict)]


@dataclass(frozen=True, slots=True)
class _Told:
    """How a forge's projects are told: its pages name their maker, its API has a path."""

    kind: str
    makers: Sequence[str]
    api: str

    def clues(self) -> tuple[Clue, ...]:
        """Return the clues of the record."""
        return (
            Clue(likely=Likely.STATED, give=self.stated),
            Clue(likely=Likely.GUESSED, give=self.guessed),
        )

    def stated(self, at: Seen) -> Iterator[Candidate]:
        """Give what a page of the forge, or an answer of its API, says of itself."""
        if at.page is None:
            return
        if page_says(at, *self.makers):
            at.tell(f"it is a page of {self.makers[0]}'s")
            yield self._candidate(at.page.url)
        is_api = urlsplit(at.url).path.startswith(self.api)
        if is_api and isinstance(data := json_seen(at.page), list):
            yield self._candidate(at.url, releases=what_of(at.url), tags=tag_names(data))

    def guessed(self, at: Seen) -> Iterator[Candidate]:
        """Give what an address of a project's form may be."""
        if at.page is not None and may_be_project(at):
            yield self._candidate(at.page.url)

    def _candidate(
        self, url: str, *, releases: str = "tags", tags: Sequence[str] = ()
    ) -> Candidate:
        root = url.partition("?")[0].partition("/-/")[0].rstrip("/")
        names = path_names(root)
        if names[:1] == ["api"]:
            names = names[3:4] if self.kind == "gitlab" else names[4:5]
        return project(self.kind, root, names[-1] if names else "", releases=releases, tags=tags)


GITLAB = Kind(
    name="gitlab",
    about="a project's tags or releases on a GitLab",
    read=gitlab,
    settings={**URL, **PATTERN, **FILE_URL, **RELEASES},
    needs=("url", "pattern"),
    lists="latest",
    clues=_Told("gitlab", ("GitLab",), "/api/v4/projects/").clues(),
)
FORGEJO = Kind(
    name="forgejo",
    about="a repository's tags or releases on a Forgejo or Gitea",
    read=forgejo,
    settings={**URL, **PATTERN, **FILE_URL, **RELEASES},
    needs=("url", "pattern"),
    lists="latest",
    clues=_Told("forgejo", ("Forgejo", "Gitea"), "/api/v1/repos/").clues(),
)
