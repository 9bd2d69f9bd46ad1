"""What a forge must bring: how it is asked about merge requests, and how one is opened there.

A kind is one file with one record and one line in `forges.FORGES`. A forge's answers are a
stranger's: bounded, of JSON, and believed only where they are of the form that is documented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode

from toolsync.http.client import Http
from toolsync.model.errors import Drifted, Held, NotThere, SetupError, Unreachable
from toolsync.system.headers import plain

Json: TypeAlias = Mapping[str, object]

OPEN, MERGED, CLOSED = "open", "merged", "closed"
_LIMIT = 16 * 1024 * 1024
_SECONDS = 60.0
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_PAGES = 40
"""How many pages of a list are looked at."""


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


def best(found: Iterable[Json]) -> Json | None:
    """Return the request that is open, else the first; they are the newest first."""
    first = None
    for one in found:
        if text(one, "state") in ("open", "opened"):
            return one
        first = first or one
    return first


def is_own(source: object, target: object) -> bool:
    """Say whether two ends of a request are the same project, by its number."""
    return isinstance(source, int) and source > 0 and source == target


def has_own_head(one: Json) -> bool:
    """Say whether head and base of a pull request lie in one repository.

    A head that is gone or hidden is another's.
    """
    ends = (one.get("head"), one.get("base"))
    repos = (end.get("repo") if isinstance(end, dict) else None for end in ends)
    head, base = (repo.get("id") if isinstance(repo, dict) else None for repo in repos)
    return is_own(head, base)


def require_own(one: Json, own: bool) -> Json:
    """Return a request of the project's own; raises Drifted."""
    if not own:
        raise Drifted(
            f"a forge's request {text(one, 'html_url') or text(one, 'web_url')} merges from another"
            " project's branch, wanted one of its own",
            resolution="See what became of toolsync's request there; what others ask to merge"
            " decides nothing.",
        )
    return one


def listed(api: Api, path: str, **query: str | int) -> Iterator[Json]:
    """Give the objects of a list that comes in pages; raises as `Api.get`."""
    for page in range(1, _PAGES + 1):
        found = list(items(api.get(path, **query, page=page)))
        yield from found
        if not found:
            return


def items(value: object) -> Iterator[Json]:
    """Give the objects of a list."""
    if not isinstance(value, list):
        raise _unfit("a list", value)
    yield from map(table, value)


def table(value: object) -> Json:
    """Return an object."""
    if not isinstance(value, dict):
        raise _unfit("an object", value)
    return value


def text(value: Json, key: str) -> str:
    """Return a text, empty where there is none; nothing in it is a line's end or a control."""
    found = value.get(key)
    return plain(found, 500) if isinstance(found, str) else ""


def written(value: Json, key: str) -> str:
    """Return a text as it stands, lines and all, empty where there is none."""
    found = value.get(key)
    return found if isinstance(found, str) else ""


def number(value: Json, key: str) -> int:
    """Return a number of a request."""
    found = value.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise _unfit(f"a number as {key}", found)
    return found


def commit(value: Json, *keys: str) -> str:
    """Return the first of these keys that holds a commit, empty where none does."""
    return next((t for key in keys if _COMMIT.fullmatch(t := text(value, key))), "")


def account(value: object, key: str) -> str:
    """Return an account's name, empty where there is none."""
    return text(value, key) if isinstance(value, dict) else ""


def link(value: Json, key: str) -> str:
    """Return a web address."""
    found = text(value, key)
    if not re.fullmatch(r"https?://[^\s<>\"']+", found):
        raise _unfit(f"an address as {key}", found)
    return found


def _json(url: str, body: bytes | None) -> object:
    try:
        found: object = json.loads(body or b"")
    except (ValueError, RecursionError) as error:
        raise Drifted(
            f"{url.partition('?')[0]} answered with something that is no JSON",
            resolution="Look at [git] forge and api: is it this kind of forge?",
        ) from error
    return found


def _unfit(wanted: str, found: object) -> Held:
    return Drifted(
        f"a forge answered {str(found)[:60]!r} where {wanted} was wanted",
        resolution="Look at [git] forge and api: is it this kind of forge?",
    )
