"""What a forge must bring: how it is asked about merge requests, and how one is opened there.

A kind is one file with one record and one line in `forges.FORGES`. A forge's answers are a
stranger's: bounded, of JSON, and believed only where they are of the form that is documented.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode

from toolsync.http.client import Http
from toolsync.model.errors import Drifted, NotThere, SetupError, Unreachable

Json: TypeAlias = Mapping[str, object]

OPEN, MERGED, CLOSED = "open", "merged", "closed"
_LIMIT = 16 * 1024 * 1024
_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A merge request as its forge tells it."""

    number: int
    url: str
    """For a person."""
    state: str
    commit: str = ""
    """What it became on the branch that it was merged into."""
    who: str = ""
    """The account that merged or closed it, empty where it is not told."""
    head: str = ""
    """The last commit of its branch; of one that is not open, when that was merged or closed."""
    text: str = ""
    """As it stands there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A merge request that is to be opened."""

    branch: str
    base: str
    title: str
    text: str
    """Markdown."""
    head: str = ""
    """The commit that was pushed as the branch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A project's API, asked with a token that goes nowhere else."""

    http: Http
    root: str
    """Below which all addresses of the project are."""

    def get(self, path: str, **query: str | int) -> object:
        """Return what is at a path; raises Unreachable, NotThere among them, or Drifted."""
        url = self.root + path + (f"?{urlencode(query)}" if query else "")
        page = self.http.page(url, limit=_LIMIT, seconds=_SECONDS, accept="application/json")
        return _json(url, page.body)

    def send(self, method: str, path: str, body: Json) -> object:
        """Send what is to be made or changed, once; raises as `get`."""
        url, data = self.root + path, json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        page = self.http.post(
            url, data, headers=headers, limit=_LIMIT, seconds=_SECONDS, method=method
        )
        return _json(url, page.body)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forge:
    """A kind of forge."""

    name: str
    about: str
    hosts: tuple[str, ...]
    """Well-known ones of its kind."""
    root: Callable[[str, str], str]
    """Returns a project's address in the API: of the forge's address and the project's path."""
    headers: Callable[[str], Mapping[str, str]]
    """Returns what shows a token."""
    find: Callable[[Api, str, str], Request | None]
    """Returns the request to merge a branch of the project into another: the open one, else the
    newest. Anybody may ask to merge a branch of the same name from a copy of their own."""
    get: Callable[[Api, int], Request]
    """Returns a request; raises Drifted where it merges from another project."""
    open: Callable[[Api, Draft], Request]
    edit: Callable[[Api, int, Draft], Request]
    """Gives a request another title and text, and returns it as it was by then."""


def opened(forge: Forge, api: Api, draft: Draft) -> Request:
    """Return the one request for a branch: found and given this text, or opened now.

    One that was merged or closed counts where it was over the very commit that is proposed.
    A forge that refuses a second one (409, 422), or whose answer was lost, is asked once more.
    """
    try:
        found = _found(forge, api, draft)
        found, fresh = (found, False) if found else _made(forge, api, draft)
    except NotThere as error:
        raise SetupError(
            f"the forge has no such project, or shows it to no one with this token: {error}",
            resolution="Look at [git] repository and token_file; a token needs the right to open"
            " merge requests (GitLab: api; GitHub: pull requests; Forgejo: repository).",
        ) from error
    return found if fresh or found.state != OPEN else edited(forge, api, found.number, draft)


def edited(forge: Forge, api: Api, number: int, draft: Draft) -> Request:
    """Give a request this text, and return what it is; somebody may have closed it meanwhile."""
    found = forge.edit(api, number, draft)
    return found if found.state == OPEN else forge.get(api, number)


def _found(forge: Forge, api: Api, draft: Draft) -> Request | None:
    """Return the request for what is proposed, and for no other commit of its branch."""
    found = forge.find(api, draft.branch, draft.base)
    same = found is not None and (found.state == OPEN or found.head == draft.head != "")
    return found if same else None


def _made(forge: Forge, api: Api, draft: Draft) -> tuple[Request, bool]:
    """Open a request, or return the one that is in the way; say whether it is new."""
    try:
        return forge.open(api, draft), True
    except Unreachable:
        found = _found(forge, api, draft)
        if found is None:
            raise
        return found, False


def _json(url: str, body: bytes | None) -> object:
    try:
        found: object = json.loads(body or b"")
    except (ValueError, RecursionError) as error:
        raise Drifted(
            f"{url.partition('?')[0]} answered with something that is no JSON",
            resolution="Look at [git] forge and api: is it this kind of forge?",
        ) from error
    return found
