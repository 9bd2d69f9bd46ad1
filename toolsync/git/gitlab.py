"""Merge requests on GitLab, by its REST API, version 4 ("Merge requests API")."""

from __future__ import annotations

from urllib.parse import quote

from toolsync.git.answers import (
    account,
    best,
    commit,
    is_own,
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

_STATES = {"merged": MERGED, "closed": CLOSED}
"""``locked`` is one that is being merged."""


def _find(api: Api, branch: str, base: str) -> Request | None:
    found = listed(
        api,
        "/merge_requests",
        source_branch=branch,
        target_branch=base,
        state="all",
        order_by="created_at",
        sort="desc",
        per_page=50,
    )
    mine = best(one for one in found if text(one, "source_branch") == branch and _is_own(one))
    return None if mine is None else _read(mine)


def _get(api: Api, wanted: int) -> Request:
    one = table(api.get(f"/merge_requests/{wanted}"))
    return _read(require_own(one, _is_own(one)))


def _is_own(one: Json) -> bool:
    return is_own(one.get("source_project_id"), one.get("target_project_id"))


def _open(api: Api, draft: Draft) -> Request:
    body = {
        "source_branch": draft.branch,
        "target_branch": draft.base,
        "title": draft.title,
        "description": draft.text,
        "remove_source_branch": True,
    }
    return _read(table(api.send("POST", "/merge_requests", body)))


def _edit(api: Api, wanted: int, draft: Draft) -> Request:
    body = {"title": draft.title, "description": draft.text}
    return _read(table(api.send("PUT", f"/merge_requests/{wanted}", body)))


def _read(one: Json) -> Request:
    state = _STATES.get(text(one, "state"), OPEN)
    by = (
        (one.get("merge_user") or one.get("merged_by")) if state == MERGED else one.get("closed_by")
    )
    return Request(
        number=number(one, "iid"),
        url=link(one, "web_url"),
        state=state,
        # A fast-forward has neither of the first two.
        commit=commit(one, "merge_commit_sha", "squash_commit_sha", "sha"),
        who=account(by, "username"),
        head=commit(one, "sha"),
        text=written(one, "description"),
    )


GITLAB = Forge(
    name="gitlab",
    about="a GitLab, such as Salsa",
    hosts=("salsa.debian.org", "gitlab.com"),
    root=lambda api, path: f"{api}/api/v4/projects/{quote(path, safe='')}",
    headers=lambda token: {"PRIVATE-TOKEN": token},
    find=_find,
    get=_get,
    open=_open,
    edit=_edit,
)
