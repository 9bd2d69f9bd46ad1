"""Who is let in, and what every answer carries: a test for each row of the table of threats."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import DrivenClock
from tests.support.served import PASSWORD, Site
from toolsync.journal.accounts import Token
from toolsync.model.errors import UsageError
from toolsync.system.clock import stamp
from toolsync.web.people import Tries, checked_name, digest_of, fits, new_token, secret_of
from toolsync.web.routes import ROUTES


def token(site: Site, role: str, days: int = 1) -> str:
    text, now = new_token(), site.shared.clock.now()
    journal = site.journal()
    journal.accounts.keep_token(
        Token(
            name="ci",
            digest=digest_of(text),
            account="ann",
            role=role,
            made=stamp(now),
            ends=stamp(now + timedelta(days=days)),
        )
    )
    journal.close()
    return text


def test_nobody_is_let_in_unasked(site: Site) -> None:
    for route in ROUTES:
        path = re.sub(r"<[^>]*>", "x", route.rule)
        if not route.role or route.signed:
            continue
        answer = site.browser.open(path, method=route.method)
        wanted = {303} if route.method == "GET" and not path.startswith("/api") else {401, 403}
        assert answer.status_code in wanted, path
        assert answer.headers.get("Location", "/login").startswith("/login")


def test_a_reader_decides_nothing(site: Site) -> None:
    site.log_in(role="reader")
    for route in ROUTES:
        if route.role == "reviewer" and route.method == "POST":
            answer = site.post(re.sub(r"<[^>]*>", "x", route.rule), page="/")
            assert (answer.status_code, "for reviewers" in answer.text) == (403, True), route.name


def test_every_answer_has_its_headers(site: Site) -> None:
    for path in ("/", "/login", "/nowhere", "/api/v1/tools", "/static/web.css"):
        headers = site.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
    assert site.get("/").headers["Cache-Control"] == "no-store"


def test_the_cookie_is_for_this_site_alone(site: Site, tmp_path: Path) -> None:
    site.account("ann", "reader")
    cookie = site.post("/login", name="ann", password=PASSWORD).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie
    (tmp_path / "tls").mkdir()
    behind = Site(tmp_path / "tls", (), web="https = true\n")
    answer = behind.browser.get("/login", base_url="https://localhost")
    assert answer.headers["Set-Cookie"].startswith("__Host-toolsync=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_a_host_of_anothers_is_refused(site: Site) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost:8765", "[::1]:8765"):
        answer = site.browser.get("/login", headers={"Host": host})
        assert answer.status_code == (200 if host.endswith(":8765") else 421), host


def test_a_form_from_elsewhere_changes_nothing(site: Site) -> None:
    site.log_in()
    tries: list[dict[str, str]] = [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
    tries += [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
    found = re.search(r'name="csrf" value="([^"]+)"', site.get("/").text)
    assert found
    for headers in tries:
        form = {"csrf": found[1] if headers else "guessed"}
        answer = site.browser.post("/logout", data=form, headers=headers)
        assert (answer.status_code, "nothing was changed" in answer.text) == (403, True), headers
    assert site.get("/").status_code == 200


@pytest.mark.parametrize(
    ("then", "there"),
    [
        ("/?status=held", "/?status=held"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/login?then=/x", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
    ],
)
def test_a_login_leads_to_pages_of_ours_alone(site: Site, then: str, there: str) -> None:
    site.account("ann", "reader")
    answer = site.post("/login", name="ann", password=PASSWORD, then=then)
    assert answer.headers["Location"] == there


def test_wrong_passwords_come_to_an_end(site: Site) -> None:
    site.account("ann", "reader")
    for _ in range(5):
        answer = site.post("/login", name="ann", password="wrong")
        assert (answer.status_code, "Name or password is wrong" in answer.text) == (403, True)
    answer = site.post("/login", name="ann", password=PASSWORD)
    assert (answer.status_code, answer.headers["Retry-After"].isdecimal()) == (429, True)


def test_tries_are_forgotten_in_time() -> None:
    clock = DrivenClock()
    tries = Tries(clock=clock)
    for _ in range(5):
        tries.fail("ann")
    assert 890 < tries.wait("ann", 5) <= 900
    assert tries.wait("joe", 5) == 0
    clock.sleep(901)
    assert tries.wait("ann", 5) == 0


def test_a_session_ends_with_the_password_the_role_and_the_account(site: Site) -> None:
    for change in ("passwd", "role", "remove"):
        site.log_in("ann", "reader")
        assert site.get("/").status_code == 200
        journal = site.journal()
        if change == "remove":
            journal.accounts.remove("ann")
        else:
            role = "reviewer" if change == "role" else "reader"
            journal.accounts.keep("ann", role, secret_of("another password"))
        journal.close()
        assert site.get("/").status_code == 303, change


def test_a_session_that_another_key_signed_is_none(site: Site) -> None:
    site.log_in()
    site.app.config["SECRET_KEY"] = b"x" * 32
    assert site.get("/").status_code == 303


def test_logging_out_ends_it(site: Site) -> None:
    site.log_in()
    assert site.post("/logout", page="/").headers["Location"] == "/login"
    assert site.get("/").status_code == 303


def test_tokens_are_for_the_api_for_a_time_and_a_scope(site: Site) -> None:
    site.account("ann", "reader")
    path, known = "/api/v1/tools", token(site, "reviewer")
    assert site.get(path, Authorization=f"Bearer {known}").status_code == 200
    for wrong in ("Bearer x", f"Basic {known}", f"Bearer {known}x", "Bearer "):
        answer = site.get(path, Authorization=wrong)
        assert answer.status_code == 401, wrong
        assert answer.content_type == "application/problem+json"
    ended = token(site, "reader", days=-1)
    assert site.get(path, Authorization=f"Bearer {ended}").status_code == 401
    journal = site.journal()
    assert known not in "".join(journal.database.texts(1))
    assert PASSWORD not in "".join(journal.database.texts(1))
    journal.close()
    for _ in range(30):
        site.get(path, Authorization="Bearer x")
    assert site.get(path, Authorization=f"Bearer {known}").status_code == 429


def test_a_name_is_believed_from_the_proxy_alone(tmp_path: Path) -> None:
    site = Site(tmp_path, web='proxies = ["10.0.0.9"]\nproxy_header = "X-Remote-User"\n')
    for address, status in (("10.0.0.9", 200), ("127.0.0.1", 303)):
        answer = site.browser.get(
            "/", headers={"X-Remote-User": "joe"}, environ_base={"REMOTE_ADDR": address}
        )
        assert answer.status_code == status, address


def test_anybody_may_read_where_that_is_set(tmp_path: Path) -> None:
    site = Site(tmp_path, web="anonymous = true\n")
    assert site.get("/").status_code == 200
    assert "Log in" in site.get("/").text


def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    answer = site.browser.post("/login", data={"name": "x" * 300_000})
    assert answer.status_code == 413


def test_passwords_and_names() -> None:
    secret = secret_of("twelve chars")
    assert fits(secret, "twelve chars")
    assert not fits(secret, "twelve charz")
    for short in ("eleven char", "x" * 1025):
        with pytest.raises(UsageError, match="wanted: 12 to 1024"):
            secret_of(short)
    for name in ("", "a b", "-x", "<b>", "x" * 65, "é"):
        with pytest.raises(UsageError, match="is no name"):
            checked_name(name)
    assert checked_name("joe@example.org")


def test_what_is_secret_lies_in_private_files(site: Site) -> None:
    key = site.folder / "state" / "web" / "session.key"
    assert (key.stat().st_mode & 0o777, key.stat().st_size) == (0o600, 32)
    assert key.parent.stat().st_mode & 0o777 == 0o700
