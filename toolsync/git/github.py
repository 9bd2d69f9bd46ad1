"""Pull requests on GitHub, by its REST API of 2022-11-28 ("Pull requests")."""

from __future__ import annotations

from toolsync.git.answers import (
    account,
    best,
    commit,
    has_own_head,
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


def _find(api: Api, branch: str, base: str) -> Request | None:
    owner = api.root.rsplit("/", 2)[1]
    found = listed(
        api,
        "/pulls",
        head=f"{owner}:{branch}",
        base=base,
        state="all",
        sort="created",
        direction="desc",
        per_page=50,
    )
    own = (one for one in found if has_own_head(one))
    mine = best(one for one in own if text(table(one.get("head")), "ref") == branch)
    return None if mine is None else _get(api, number(mine, "number"))


def _get(api: Api, wanted: int) -> Request:
    """Return a request; who closed it is told of as an issue alone."""
    one = table(api.get(f"/pulls/{wanted}"))
    require_own(one, has_own_head(one))
    if text(one, "state") == "closed" and one.get("merged") is not True:
        issue = table(api.get(f"/issues/{wanted}"))
        return _read(one, account(issue.get("closed_by"), "login"))
    return _read(one, account(one.get("merged_by"), "login"))


def _open(api: Api, draft: Draft) -> Request:
    body = {"title": draft.title, "head": draft.branch, "base": draft.base, "body": draft.text}
    return _read(table(api.send("POST", "/pulls", body)), "")


def _edit(api: Api, wanted: int, draft: Draft) -> Request:
    body = {"title": draft.title, "body": draft.text}
    return _read(table(api.send("PATCH", f"/pulls/{wanted}", body)), "")


def _read(one: Json, who: str) -> Request:
    state = MERGED if one.get("merged") is True else OPEN
    state = CLOSED if state == OPEN and text(one, "state") == "closed" else state
    return Request(
        number=number(one, "number"),
        url=link(one, "html_url"),
        state=state,
        commit=commit(one, "merge_commit_sha"),
        who=who,
        head=commit(table(one.get("head")), "sha"),
        text=written(one, "body"),
    )


def _root(api: str, path: str) -> str:
    return f"{api}/repos/{path}"


GITHUB = Forge(
    name="github",
    about="GitHub",
    hosts=("github.com",),
    root=_root,
    headers=lambda token: {
        "Authorization": f"Bearer {token}",
        "X-GitHub-Api-Version": "2022-11-28",
    },
    find=_find,
    get=_get,
    open=_open,
    edit=_edit,
)
