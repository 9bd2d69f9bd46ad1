"""A forge's hook: who may send one, which tools it is about, and that nothing else of it counts."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from tests.support.clock import DrivenClock
from tests.support.served import Site
from toolsync.web.hearing import Hearing
from toolsync.web.hooks import FORGES, leads

SECRET = "a secret that forges know"
VENDOR = "https://vendor.example/"


@pytest.fixture
def told(tmp_path: Path) -> Site:
    file = tmp_path / "hook.secret"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    site = Site(tmp_path, web=f'hook_secret_file = "{file}"\n')
    for name, url in (("awscli", "https://api.github.com/repos/aws/aws-cli"),):
        toml = site.folder / "tools" / name / "tool.toml"
        toml.write_text(toml.read_text().replace(VENDOR, url))
    return site


def signed(body: bytes, key: str = SECRET) -> str:
    return hmac.new(key.encode(), body, "sha256").hexdigest()


def send(site: Site, forge: str, data: object, proof: str | None = None) -> TestResponse:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    kind = FORGES[forge]
    right = kind.prefix + (signed(body) if kind.signs else SECRET)
    headers = {kind.header: right if proof is None else proof}
    return site.browser.post(
        f"/hooks/{forge}", data=body, headers=headers, content_type="application/json"
    )


@pytest.mark.parametrize("forge", FORGES)
def test_each_forge_is_heard_with_its_proof_and_only_with_it(told: Site, forge: str) -> None:
    path = FORGES[forge].paths[0]
    data: object = "https://github.com/aws/aws-cli"
    for name in reversed(path):
        data = {name: data}
    answer = send(told, forge, data)
    assert (answer.status_code, json.loads(answer.text)["tools"]) == (202, ["awscli"])
    assert told.shared.hearing.take() == ("awscli",)
    body = json.dumps(data).encode()
    for proof in ("", "sha256=", "x", f"sha256={signed(body, 'another')}", f"Bearer {SECRET}x"):
        assert send(told, forge, data, proof).status_code == 401, proof
    assert told.shared.hearing.waiting() == ()


def test_nothing_but_the_page_of_a_tool_that_is_followed_counts(told: Site) -> None:
    for data in (
        {"url": "https://github.com/aws/other"},
        {"url": "https://evil.example/aws/aws-cli"},
        {"url": "https://github.com/"},
        {"url": "http://[::1"},
        {"url": ["x" * 100_000, 7, None]},
        {"tool": "awscli", "url": None},
        ["https://github.com/aws/aws-cli"],
    ):
        answer = send(told, "generic", data)
        assert (answer.status_code, json.loads(answer.text)["tools"]) == (202, []), data
    for broken in (b"\xff", b"{", b"[" * 200_000):
        answer = send(told, "generic", broken)
        assert answer.status_code == 400, broken[:3]
        assert answer.content_type == "application/problem+json"
    assert send(told, "generic", b" " * 2_000_000).status_code == 413
    assert told.shared.hearing.waiting() == ()


def test_a_payload_in_a_form_is_read_too(told: Site) -> None:
    data = json.dumps({"repository": {"html_url": "https://github.com/aws/aws-cli"}})
    body = urlencode({"payload": data}).encode()
    answer = told.browser.post(
        "/hooks/github",
        data=body,
        headers={"X-Hub-Signature-256": f"sha256={signed(body)}"},
        content_type="application/x-www-form-urlencoded",
    )
    assert json.loads(answer.text)["tools"] == ["awscli"]


def test_wrong_secrets_come_to_an_end(told: Site) -> None:
    for _ in range(30):
        assert send(told, "gitlab", {}, "wrong").status_code == 401
    assert send(told, "gitlab", {}).status_code == 429
    assert told.browser.post("/hooks/nothing").status_code == 404


def test_there_are_no_hooks_without_a_secret(site: Site) -> None:
    assert send(site, "generic", {"url": VENDOR}).status_code == 404


@pytest.mark.parametrize(
    ("named", "page", "holds"),
    [
        ("https://github.com/A/B", "https://github.com/a/b.git", True),
        ("https://github.com/a/b", "https://api.github.com/repos/a/b", True),
        ("https://github.com/a/b", "https://github.com/a/b/releases", True),
        ("https://git.example/g/sub/p", "https://git.example/g/sub/p", True),
        ("https://git.example:8443/g/p", "https://git.example/g/p", False),
        ("https://github.com/a", "https://github.com/ab/c", False),
        ("https://github.com/a/b/c", "https://github.com/a/b", False),
        ("", "", False),
        ("https://forge.test:99999/acme/hello", "https://forge.test/acme/hello/releases", False),
        ("https://[forge.test/acme/hello", "https://forge.test/acme/hello/releases", False),
    ],
)
def test_an_address_leads_to_a_page(named: str, page: str, holds: bool) -> None:
    assert leads(named, page) is holds


def test_a_page_is_not_looked_at_more_often_than_it_bears() -> None:
    clock = DrivenClock()
    hearing = Hearing(clock=clock)
    assert hearing.ask(["a", "b", "a"]) == 2
    assert hearing.take() == ("a", "b")
    hearing.ask(["a", "c"])
    assert hearing.take() == ("c",)
    assert (hearing.waiting(), hearing.asked.is_set()) == (("a",), True)
    clock.sleep(21)
    assert (hearing.take(), hearing.asked.is_set()) == (("a",), False)


def test_a_reviewer_has_a_page_looked_at(told: Site) -> None:
    told.log_in()
    page = "/tool/awscli"
    assert "Look now" in told.get(page).text
    assert told.post(f"{page}/look", page=page).status_code == 303
    assert "to be looked at in some seconds" in told.get(page).text
    assert told.shared.hearing.take() == ("awscli",)
