"""Merge requests as GitLab, GitHub and Forgejo keep them, over a real repository.

Each follows its own documented rules: the header of a token, required keys, the status of a
second request for a branch (409, 422, 409), what a list leaves out, pages, and who closed it.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.git import Writable
from tests.servers.web import Answer, Asked, Web

T = TypeVar("T")
TOKEN = "s3cret"


@dataclass
class Kept:
    """A request, as the server knows it."""

    number: int
    branch: str
    base: str
    title: str
    text: str
    state: str = "open"
    commit: str = ""
    who: str = ""
    head: str = ""
    """The branch's last commit when it was merged or closed."""
    project: int | None = 7
    """Where its branch lies: 7 is the project itself, another a fork, None one that is gone."""


@dataclass
class Forge:
    """A forge with one project, ``team/hello``, at any of the three APIs."""

    web: Web
    repository: Writable
    kind: str
    kept: list[Kept] = field(default_factory=list)
    made: Callable[[], None] = lambda: None
    """Called when a request was made, before that is said."""
    editing: Callable[[], None] = lambda: None
    """Called when a request is to be changed, before it is."""

    def __post_init__(self) -> None:
        self.web.serve_rest(self._answer)

    @property
    def url(self) -> str:
        """The forge's address, as [git] api has it."""
        return self.web.url

    def merge(self, number: int, who: str, *, more: str = "") -> str:
        """Merge as a person does; ``more`` is what somebody adds to debian/ first."""
        one = self.kept[number - 1]
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            self._git("clone", "-q", "-b", one.base, str(self.repository.folder), str(tree))
            at = ("-C", str(tree), "-c", "user.name=M", "-c", "user.email=m@m.invalid")
            self._git(*at, "merge", "-q", "--no-ff", "-m", "Merge", f"origin/{one.branch}")
            if more:
                (tree / "debian" / "more").write_text(more)
                self._git(*at, "add", "debian/more")
                self._git(*at, "commit", "-q", "--amend", "--no-edit")
            self._git(*at, "push", "-q", "origin", one.base)
            one.commit = self._git(*at, "rev-parse", "HEAD")
        one.state, one.who, one.head = "merged", who, self._head_of(one)
        return one.commit

    def close(self, number: int, who: str) -> None:
        """Close without merging."""
        one = self.kept[number - 1]
        one.state, one.who, one.head = "closed", who, self._head_of(one)

    def _head_of(self, one: Kept) -> str:
        """Return a request's head: an open one's is its branch's."""
        if one.state != "open" or one.project != 7:
            return one.head or "1" * 40
        return self._git("-C", str(self.repository.folder), "rev-parse", f"refs/heads/{one.branch}")

    def fork(self, branch: str, *, gone: bool = False) -> int:
        """Let a stranger ask to merge a branch of that name from a fork; return its number."""
        number = len(self.kept) + 1
        project = None if gone else 100 + number
        self.kept.append(Kept(number, branch, "debian/latest", "mine", "mine", project=project))
        return number

    def _git(self, *words: str) -> str:
        env = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": "/usr/bin"}
        done = subprocess.run(["git", *words], capture_output=True, text=True, env=env, timeout=60)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout.strip()

    def _branches(self) -> set[str]:
        words = ("for-each-ref", "--format=%(refname:short)", "refs/heads")
        return set(self._git("-C", str(self.repository.folder), *words).split())

    def _answer(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        roots = {
            "gitlab": "/api/v4/projects/team%2Fhello",
            "github": "/repos/team/hello",
            "forgejo": "/api/v1/repos/team/hello",
        }
        shown = {
            "gitlab": asked.headers.get("private-token") == TOKEN,
            "github": asked.headers.get("authorization") == f"Bearer {TOKEN}",
            "forgejo": asked.headers.get("authorization") == f"token {TOKEN}",
        }
        root = roots[self.kind]
        if not parts.path.startswith(root):
            return _told(404, {"message": "404 Not Found"})
        if not shown[self.kind]:
            return _told(401, {"message": "401 Unauthorized"})
        words = unquote(parts.path.removeprefix(root)).strip("/").split("/")
        if words[:3] == ["git", "refs", "pull"] and self.kind == "forgejo":
            sha = self._head_of(self.kept[int(words[3]) - 1])
            return _told(200, {"ref": "/".join(words[1:]), "object": {"sha": sha}})
        if asked.method == "POST":
            return self._make(json.loads(asked.body))
        if len(words) > 1 and int(words[1]) > len(self.kept):
            return _told(404, {"message": "404 Not Found"})
        if words[0] == "issues":
            return self._as_issue(self.kept[int(words[1]) - 1], words[2:], query)
        if asked.method == {"gitlab": "PUT"}.get(self.kind, "PATCH"):
            self.editing()
            one, body = self.kept[int(words[1]) - 1], json.loads(asked.body)
            one.text = body["description" if self.kind == "gitlab" else "body"]
            return _told(201 if self.kind == "forgejo" else 200, self._shown(one))
        if len(words) > 1:
            return _told(200, self._shown(self.kept[int(words[1]) - 1]))
        return self._list(query)

    def _list(self, query: dict[str, str]) -> Answer:
        found = list(reversed(self.kept))
        if query.get("state") != "all":
            found = [one for one in found if one.state == "open"]
        if self.kind == "gitlab":
            found = [one for one in found if one.branch == query.get("source_branch", one.branch)]
            found = [one for one in found if one.base == query.get("target_branch", one.base)]
        if self.kind == "github":  # a head without an owner is passed over
            owner, _, branch = query.get("head", "").partition(":")
            found = [one for one in found if not branch or (owner, one.branch) == ("team", branch)]
            found = [one for one in found if one.project is not None]
        return _told(200, [self._shown(one, listed=True) for one in _page(found, query)])

    def _make(self, body: dict[str, str]) -> Answer:
        names = {
            "gitlab": ("source_branch", "target_branch", "title", "description"),
            "github": ("head", "base", "title", "body"),
            "forgejo": ("head", "base", "title", "body"),
        }
        branch, base, title, text = (body.get(name, "") for name in names[self.kind])
        if not (branch and base and title):
            return _told(400 if self.kind == "gitlab" else 422, {"message": "is missing"})
        if not {branch, base} <= self._branches():
            return _told(404 if self.kind == "forgejo" else 422, {"message": "no such branch"})
        here = (k for k in self.kept if k.project == 7)
        if any((k.branch, k.base, k.state) == (branch, base, "open") for k in here):
            return _told(422 if self.kind == "github" else 409, {"message": "already exists"})
        one = Kept(len(self.kept) + 1, branch, base, title, text)
        self.kept.append(one)
        self.made()
        return _told(201, self._shown(one))

    def _shown(self, one: Kept, *, listed: bool = False) -> dict[str, object]:
        if self.kind == "gitlab":
            states = {"open": "opened"}
            return {
                "id": 1000 + one.number,
                "iid": one.number,
                "state": states.get(one.state, one.state),
                "source_branch": one.branch,
                "target_branch": one.base,
                "source_project_id": one.project,
                "target_project_id": 7,
                "web_url": f"{self.url}/team/hello/-/merge_requests/{one.number}",
                "sha": self._head_of(one),
                "description": one.text,
                "merge_commit_sha": one.commit or None,
                "squash_commit_sha": None,
                "merge_user": {"username": one.who} if one.state == "merged" else None,
                "closed_by": {"username": one.who} if one.state == "closed" else None,
            }
        merged: dict[str, object] = {
            "merged": one.state == "merged",
            "merged_by": {"login": one.who} if one.state == "merged" else None,
        }
        return {
            "id": 1000 + one.number,
            "number": one.number,
            "state": "open" if one.state == "open" else "closed",
            "head": self._head(one),
            "base": {"ref": one.base, "label": one.base, "repo": {"id": 7}},
            "html_url": f"{self.url}/team/hello/pulls/{one.number}",
            "merge_commit_sha": one.commit or None,
            "body": one.text.replace("\n", "\r\n") if self.kind == "github" else one.text,
            **({} if listed and self.kind == "github" else merged),
        }

    def _head(self, one: Kept) -> dict[str, object]:
        repo = None if one.project is None else {"id": one.project}
        if self.kind == "github":
            sha = self._head_of(one)
            return {"ref": one.branch, "label": f"team:{one.branch}", "repo": repo, "sha": sha}
        there = one.project == 7 and one.branch in self._branches()
        ref = one.branch if there else f"refs/pull/{one.number}/head"
        # Told of a request that was closed, too, is where its branch is now.
        sha = self._head_of(replace(one, state="open") if there else one)
        return {"ref": ref, "label": one.branch, "repo": repo, "sha": sha}

    def _as_issue(self, one: Kept, rest: list[str], query: dict[str, str]) -> Answer:
        who = {"login": one.who} if one.state == "closed" else None
        if self.kind == "github":
            return _told(200, {"number": one.number, "closed_by": who})
        assert rest == ["timeline"]
        events: list[object] = [{"type": "comment", "user": {"login": "talkative"}}] * 60
        events += [{"type": "close", "user": who}] if who else []
        return _told(200, _page(events, query))


def _page(found: Sequence[T], query: dict[str, str]) -> Sequence[T]:
    """Return a page of a list, as each of them counts: 50 at most."""
    size = min(int(query.get("limit", query.get("per_page", "20"))), 50)
    begin = (int(query.get("page", "1")) - 1) * size
    return found[begin : begin + size]


def _told(status: int, value: object) -> Answer:
    return Answer(json.dumps(value), status, {"Content-Type": "application/json"})
