"""The API: described as it is, the same states and decisions as the pages, errors as problems."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import jsonschema
import pytest
from werkzeug.test import TestResponse

from tests.support.served import Site
from tests.tools.openapi import FILE, written
from tests.unit.web.test_guard import token
from tests.unit.web.test_review import PATH, TOOL, VERSION, decisions, judge
from toolsync.web.openapi import description
from toolsync.web.routes import ROUTES

REVIEW = f"/api/v1/reviews/{TOOL}/{VERSION}"


@pytest.fixture
def held(site: Site) -> Site:
    judge(site, "the terms changed", "== LICENSE.txt\n")
    site.account("ann", "reviewer")
    return site


def ask(site: Site, path: str, data: object = None, role: str = "reviewer") -> TestResponse:
    headers = {"Authorization": f"Bearer {token(site, role)}"}
    if data is None:
        return site.browser.get(path, headers=headers)
    body = data if isinstance(data, bytes) else json.dumps(data)
    return site.browser.post(path, data=body, headers=headers, content_type="application/json")


def test_every_route_is_described_and_the_file_in_the_docs_is_it() -> None:
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", route.rule), route.method.lower())
        for route in ROUTES
        if route.rule.startswith("/api/")
    }
    paths: dict[str, dict[str, Any]] = description()["paths"]  # type: ignore[assignment]
    assert routes == {(path, method) for path, found in paths.items() for method in found}
    assert FILE.read_text() == written(), "python3 -m tests.tools.openapi"


def test_each_answer_is_of_the_form_that_is_described(held: Site) -> None:
    found = description()
    paths: dict[str, dict[str, Any]] = found["paths"]  # type: ignore[assignment]
    entry = held.shared.errands.ask({"act": "promote", "tool": TOOL, "version": "1", "who": "ann"})
    while not entry.over:
        time.sleep(0.05)
    names = {"name": TOOL, "version": VERSION, "number": str(entry.number)}
    for path, methods in paths.items():
        answer = ask(held, path.format(**names))
        if "get" not in methods:
            assert answer.status_code == 405
            continue
        assert answer.status_code == 200, (path, answer.text)
        told = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = {**told, "components": found["components"]}
        jsonschema.validate(answer.json, schema)
        again = held.browser.get(
            path.format(**names),
            headers={
                "Authorization": f"Bearer {token(held, 'reader')}",
                "If-None-Match": answer.headers["ETag"],
            },
        )
        assert again.status_code == 304, path


def test_a_decision_over_exactly_what_was_given(held: Site) -> None:
    assert [r["tool"] for r in ask(held, "/api/v1/reviews").json["reviews"]] == [TOOL]  # type: ignore[index]
    asked = ask(held, REVIEW).json
    assert asked is not None
    form = {"verdict": "approved", "reason": "legal has agreed", "shown": asked["shown"]}
    for wrong, status in (
        ({"shown": "0" * 64}, 409),
        ({"shown": ""}, 400),
        ({"verdict": "perhaps"}, 400),
        ({"reason": ""}, 400),
    ):
        assert ask(held, REVIEW, form | wrong).status_code == status, wrong
    for body in (b"[]", b"{", b"[" * 100_000, b"\xff"):
        assert ask(held, REVIEW, body).status_code == 400
    assert ask(held, REVIEW, form, role="reader").status_code == 403
    assert decisions(held) == []
    made = ask(held, REVIEW, form)
    assert (made.status_code, made.json["decisions"][0]["who"]) == (201, "ann (token ci)")  # type: ignore[index]
    assert [d.reason for d in decisions(held)] == ["legal has agreed"]
    assert ask(held, REVIEW).status_code == 404


def test_a_session_alone_decides_nothing_in_the_api(held: Site) -> None:
    held.log_in()
    shown = re.search(r'name="shown" value="([^"]+)"', held.get(PATH).text)
    assert shown
    form = {"verdict": "approved", "reason": "x", "shown": shown[1]}
    assert held.browser.post(REVIEW, json=form).status_code == 403
    assert decisions(held) == []


def test_a_look_is_asked_for(held: Site) -> None:
    assert ask(held, f"/api/v1/tools/{TOOL}/look", {}).status_code == 202
    assert held.shared.hearing.take() == (TOOL,)
    assert ask(held, "/api/v1/tools/nothing/look", {}).status_code == 404
