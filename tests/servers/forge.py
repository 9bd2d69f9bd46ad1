"""A GitHub Enterprise Server on the loopback that counts: feeds, REST and GraphQL of its tags.

::

    with Forge({"o/r": ["v1.1", "v1.0"]}, quota=60) as forge:      # the latest first
        …
        forge.asked()     # {"feed": 1, "unchanged": 0, "api": 0, "graphql": 0, "refused": 0}

Feeds name the latest ten, REST lists all in the order of the alphabet, as GitHub's do.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.web import Answer, Asked, Web

TOKEN = "a-token"
_ASKED = re.compile(
    r'(r\d+):repository\(owner:"([^"]+)",name:"([^"]+)"\)\{listed:(?:refs|releases)\(.*?'
    r'first:(\d+)(?:,after:"(\d+)")?\)'
)
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Forge:
    """The server; its context starts and stops it."""

    def __init__(self, projects: Mapping[str, Sequence[str]], *, quota: int = 0) -> None:
        """``projects`` are tags by owner and name, the latest first; ``quota`` 0: no limit."""
        self.projects = {name: list(tags) for name, tags in projects.items()}
        self.quota, self.left = quota, quota
        self.ends = int(time.time()) + 1800
        self.web = Web()
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> Forge:
        self.web.__enter__()
        self.web.serve_rest(self._answer)
        return self

    def __exit__(self, *error: Any) -> None:
        self.web.__exit__(None, None, None)

    def asked(self) -> dict[str, int]:
        """Return how much was asked since the last call."""
        counts, self._counts = self._counts, Counter()
        return {kind: counts[kind] for kind in ("feed", "unchanged", "api", "graphql", "refused")}

    def _answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if path == "/api/graphql" and asked.method == "POST":
            return self._graphql(asked)
        if found := re.fullmatch(r"/api/v3/repos/([^/]+/[^/]+)/tags", path):
            return self._rest(asked, self.projects.get(found[1]))
        if found := re.fullmatch(r"/([^/]+/[^/]+)/tags\.atom", path):
            return self._feed(asked, self.projects.get(found[1]))
        return Answer("not here", 404)

    def _feed(self, asked: Asked, tags: Sequence[str] | None) -> Answer:
        if tags is None:
            return Answer("not here", 404)
        entries = "".join(
            f"<entry><id>tag:github.com,2008:Repository/1/{tag}</id>"
            f"<updated>{_date(tags, n)}</updated></entry>"
            for n, tag in enumerate(tags[:10])
        )
        etag = f'W/"{hashlib.sha256(entries.encode()).hexdigest()}"'
        same = asked.headers.get("if-none-match") == etag
        self._counts["unchanged" if same else "feed"] += 1
        body = f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'
        return Answer(body, headers={"Content-Type": "application/atom+xml", "ETag": etag})

    def _rest(self, asked: Asked, tags: Sequence[str] | None) -> Answer:
        if tags is None:
            return Answer('{"message": "Not Found"}', 404, _JSON)
        headers = _JSON
        if self.quota:
            refused = self.left <= 0
            self.left = max(0, self.left - 1)
            headers = _JSON | {
                "X-RateLimit-Limit": str(self.quota),
                "X-RateLimit-Remaining": str(self.left),
                "X-RateLimit-Reset": str(self.ends),
            }
            if refused:
                self._counts["refused"] += 1
                return Answer('{"message": "API rate limit exceeded"}', 403, headers)
        self._counts["api"] += 1
        query = parse_qs(urlsplit(asked.path).query)
        size, number = int(query["per_page"][0]), int(query.get("page", ["1"])[0])
        some = sorted(tags, reverse=True)[(number - 1) * size : number * size]
        return Answer(json.dumps([{"name": tag} for tag in some]), headers=headers)

    def _graphql(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"bearer {TOKEN}":
            return Answer('{"message": "Bad credentials"}', 401, _JSON)
        self._counts["graphql"] += 1
        data: dict[str, Any] = {}
        errors = []
        for alias, owner, name, first, after in _ASKED.findall(json.loads(asked.body)["query"]):
            tags = self.projects.get(f"{owner}/{name}")
            if tags is None:
                data[alias] = None
                errors.append({"type": "NOT_FOUND", "path": [alias], "message": "no such"})
                continue
            begin, end = int(after or 0), int(after or 0) + int(first)
            nodes = [
                {"name": tag, "target": {"committedDate": _date(tags, n)}}
                for n, tag in enumerate(tags)
            ]
            paging = {"hasNextPage": end < len(tags), "endCursor": str(end)}
            listed = {"totalCount": len(tags), "pageInfo": paging, "nodes": nodes[begin:end]}
            data[alias] = {"listed": listed}
        return Answer(json.dumps({"data": data, "errors": errors}), headers=_JSON)


def _date(tags: Sequence[str], number: int) -> str:
    """Return the day of a tag: the first one of all is of the first day."""
    days = len(tags) - number
    return f"20{10 + days // 336:02}-{days // 28 % 12 + 1:02}-{days % 28 + 1:02}T00:00:00Z"
