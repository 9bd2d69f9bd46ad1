"""Pull requests on Forgejo and Gitea, by their API, version 1 (its swagger)."""

from __future__ import annotations

from dataclasses import replace

from toolsync.git.answers import (
    account,
    best,
    commit,
    has_own_head,
    items,
    link,
    listed,
    number,
    require_own,
    table,
    text,
    written,
)
from toolsync.git.forge import (
    CLOSED,
    MERGED,
    OPEN,
    Api,
    Draft,
    Forge,
    Json,
    Request,
)
from toolsync.model.errors import NotThere


def _find(api: Api, branch: str, base: str) -> Request | None:
    """Look through all: the API finds no branch that has slashes in its name."""
    own = (one for one in listed(api, "/pulls", state="all", limit=50) if has_own_head(one))
    mine = best(one for one in own if _ends(one) == (branch, base))
    return None if mine is None else _get(api, number(mine, "number"))


def _ends(one: Json) -> tuple[str, str]:
    """Return the branches; as ``ref`` one that is deleted has another name, as ``label`` not."""
    return text(table(one.get("head")), "label"), text(table(one.get("base")), "ref")


def _get(api: Api, wanted: int) -> Request:
    one = table(api.get(f"/pulls/{wanted}"))
    require_own(one, has_own_head(one))
    who = account(one.get("merged_by"), "login")
    if text(one, "state") == "closed" and one.get("merged") is not True:
        events = listed(api, f"/issues/{wanted}/timeline", limit=50)
        closing = [account(e.get("user"), "login") for e in events if text(e, "type") == "close"]
        who = closing[-1] if closing else ""
    found = _read(one, who)
    return found if found.state == OPEN else replace(found, head=_head(api, wanted))


def _head(api: Api, wanted: int) -> str:
    """Return what a request that is not open was over: it is told with its branch as it is now."""
    name = f"refs/pull/{wanted}/head"
    try:
        found = api.get(f"/git/{name}")
    except NotThere:
        return ""
    refs = items(found if isinstance(found, list) else [found])
    same = (one for one in refs if text(one, "ref") == name)
    return next((commit(table(one.get("object")), "sha") for one in same), "")


def _open(api: Api, draft: Draft) -> Request:
    body = {"title": draft.title, "head": draft.branch, "base": draft.base, "body": draft.text}
    return _read(table(api.send("POST", "/pulls", body)), "")


def _edit(api: Api, wanted: int, draft: Draft) -> Request:
    body = {"title": draft.title, "body": draft.text}
    return _read(table(api.send("PATCH", f"/pulls/{wanted}", body)), "")


def _read(one: Json, who: str) -> Request:
    closed = CLOSED if text(one, "state") == "closed" else OPEN
    return Request(
        number=number(one, "number"),
        url=link(one, "html_url"),
        state=MERGED if one.get("merged") is True else closed,
        commit=commit(one, "merge_commit_sha"),
        who=who,
        head=commit(table(one.get("head")), "sha"),
        text=written(one, "body"),
    )


FORGEJO = Forge(
    name="forgejo",
    about="a Forgejo or Gitea, such as Codeberg",
    hosts=("codeberg.org",),
    root=lambda api, path: f"{api}/api/v1/repos/{path}",
    headers=lambda token: {"Authorization": f"token {token}"},
    find=_find,
    get=_get,
    open=_open,
    edit=_edit,
)
