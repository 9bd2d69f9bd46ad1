"""Ask GitHub for many repositories' tags or releases in one request, which needs a token.

The answer of each becomes a page of JSON: ``nodes`` with the entries, the latest first, and
``cut`` where older ones are missing. Its ETag is made of the first of the listing's parts and the
count of all, so a listing in which nothing changed is known by one request for all. Rules from
GitHub's "GraphQL API" manual.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.http.answer import Page, Validators
from toolsync.http.client import Http
from toolsync.http.failures import Limited
from toolsync.model.errors import NotThere, ToolsyncError
from toolsync.watch.reading import drifted, json_of, moment
from toolsync.watch.together import Wanted

AT_ONCE = 75
"""Repositories in one request: GitHub gives up on what takes it ten seconds."""
_PER_PAGE, _MAX_ROUNDS = 100, 100
_PAGING = "totalCount pageInfo{hasNextPage endCursor}"
_DATED = "...on Commit{committedDate} ...on Tag{tagger{date}}"
_FIELDS = {
    "tags": 'refs(refPrefix:"refs/tags/",orderBy:{field:TAG_COMMIT_DATE,direction:DESC},%s)'
    f"{{{_PAGING} nodes{{name target{{{_DATED}}}}}}}",
    "releases": "releases(orderBy:{field:CREATED_AT,direction:DESC},%s)"
    f"{{{_PAGING} nodes{{tagName publishedAt isDraft isPrerelease}}}}",
}


@dataclass
class _Listing:
    """What was heard of one repository."""

    wanted: Wanted
    owner: str
    name: str
    nodes: list[dict[str, Any]] = field(default_factory=list)
    cursor: str = ""
    goes_on: bool = True
    is_cut: bool = False
    digest: str = ""
    trouble: str = ""

    def takes(self, given: dict[str, Any]) -> None:
        """Add a part of the listing."""
        if not self.digest:
            told = json.dumps([given.get("totalCount"), given.get("nodes")])
            self.digest = hashlib.sha256(told.encode()).hexdigest()
        nodes = _objects(given.get("nodes"))
        self.nodes += nodes
        paging = given.get("pageInfo")
        paging = paging if isinstance(paging, dict) else {}
        before, self.cursor = self.cursor, str(paging.get("endCursor") or "")
        more = bool(paging.get("hasNextPage") and nodes and self.cursor not in ("", before))
        known = any(tag_of(node) == self.wanted.down_to for node in nodes if self.wanted.down_to)
        self.goes_on = more and not known
        self.is_cut = more


def ask(
    place: str, wanted: Sequence[Wanted], http: Http, limits: Limits
) -> list[Page | ToolsyncError]:
    """Return a page, or what is wrong, for each repository in order.

    Raises Limited with the limit's end, and what ``http`` raises.
    """
    listings = [_Listing(each, *repository_of(each.tool.watch.url)) for each in wanted]
    for _ in range(_MAX_ROUNDS):
        left = [listing for listing in listings if listing.goes_on]
        if not left:
            break
        _ask_once(place, left, http, limits)
    return [_page(place, listing) for listing in listings]


def _ask_once(place: str, listings: Sequence[_Listing], http: Http, limits: Limits) -> None:
    body = json.dumps({"query": _question(listings)}).encode()
    headers = {
        "Authorization": f"bearer {http.token(place)}",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
    page = http.query(
        place, body, headers=headers, limit=limits.page_bytes, seconds=limits.page_seconds
    )
    answer = json_of(page)
    answer = answer if isinstance(answer, dict) else {}
    errors = _objects(answer.get("errors"))
    if any("RATE_LIMIT" in str(error.get("type")) for error in errors):
        raise Limited(f"{place} limits how often it is asked{page.limited}")
    data = answer.get("data")
    if not isinstance(data, dict):
        said = str(errors[0].get("message") if errors else answer)[:200]
        raise drifted(place, f"answered with no data: {said!r}")
    for number, listing in enumerate(listings):
        repository = data.get(f"r{number}")
        given = repository.get("listed") if isinstance(repository, dict) else None
        if isinstance(given, dict) and isinstance(given.get("nodes"), list):
            listing.takes(given)
        else:
            listing.goes_on, listing.trouble = False, _said(errors, f"r{number}")


def _objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list, none where it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _said(errors: Sequence[Mapping[str, object]], alias: str) -> str:
    for error in errors:
        path = error.get("path")
        if isinstance(path, list) and path[:1] == [alias]:
            return str(error.get("message"))[:200]
    return "nothing was said of it"


def _question(listings: Sequence[_Listing]) -> str:
    return "query{" + " ".join(_part(n, listing) for n, listing in enumerate(listings)) + "}"


def _part(number: int, listing: _Listing) -> str:
    paging = f"first:{_PER_PAGE}"
    if listing.cursor:
        paging += f",after:{json.dumps(listing.cursor)}"
    owner, name = json.dumps(listing.owner), json.dumps(listing.name)
    asked = _FIELDS[listing.wanted.tool.watch.releases] % paging
    return f"r{number}:repository(owner:{owner},name:{name}){{listed:{asked}}}"


def _page(place: str, listing: _Listing) -> Page | ToolsyncError:
    if listing.trouble:
        return NotThere(
            f"{place} knows no {listing.owner}/{listing.name}: {listing.trouble}",
            resolution="Look at watch.url in a browser; it may have moved.",
        )
    body = json.dumps({"nodes": listing.nodes, "cut": listing.is_cut}).encode()
    etag = f'"graphql-{listing.digest}"'
    return Page(
        url=place, body=body, content_type="application/json", validators=Validators(etag=etag)
    )


def entries(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the tags or releases of such a page, without drafts."""
    for node in data["nodes"]:
        target = node.get("target")
        target = target if isinstance(target, dict) else {}
        tagger = target.get("tagger")
        dated = tagger.get("date") if isinstance(tagger, dict) else target.get("committedDate")
        if not node.get("isDraft"):
            yield {
                "tag": tag_of(node),
                "published": moment(node.get("publishedAt") or dated),
                "prerelease": node.get("isPrerelease") is True,
            }


def tag_of(node: dict[str, Any]) -> str:
    """Return the tag of an entry, empty if it names none."""
    tag = node.get("tagName") or node.get("name")
    return tag if isinstance(tag, str) else ""


def repository_of(url: str) -> tuple[str, str]:
    """Return owner and name of the repository whose page, or place in the API, is given."""
    names = [name for name in urlsplit(url).path.split("/") if name]
    owner, name = names[-2:] if names[-3:-2] == ["repos"] else names[:2]
    return owner, name.removesuffix(".git")


def is_asked(tool: Tool) -> bool:
    """Say whether such a page has all that a tool's page has: it tells nothing of assets."""
    return not (tool.watch.releases == "releases" and tool.watch.file_url)
