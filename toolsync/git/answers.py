"""Read what forges answer: believed only where it is of the form that is documented.

Anybody may ask to merge a branch of any name from a copy of the project: only a request whose two
ends lie in the project itself is the project's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from toolsync.git.forge import Api, Json
from toolsync.model.errors import Drifted, Held
from toolsync.system.headers import plain

_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_PAGES = 40
"""How many pages of a list are looked at."""


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


def _unfit(wanted: str, found: object) -> Held:
    return Drifted(
        f"a forge answered {str(found)[:60]!r} where {wanted} was wanted",
        resolution="Look at [git] forge and api: is it this kind of forge?",
    )
