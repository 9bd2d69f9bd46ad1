"""Absent, limited, forbidden and passing are four things; bytes are stored as they were sent."""

from __future__ import annotations

import gzip
import hashlib
import re
import socket
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.web import Answer, Asked, Web
from tests.support.tiny import archive
from tests.support.watching import Watcher
from tests.unit.fetch.test_stage import PatientClock
from toolsync.config.settings import Limits
from toolsync.fetch.stage import fetch
from toolsync.http.client import Http
from toolsync.http.failures import Limited
from toolsync.model.errors import NotThere, SetupError, ToolsyncError, Unreachable
from toolsync.model.plan import Plan, Wanted
from toolsync.model.release import Fetched, Release
from toolsync.system.store import Store

DENIED = '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code><Message>no</Message></Error>'
LATER = str(int((datetime.now(UTC) + timedelta(hours=9)).timestamp()))
LATER_IN_ISO = f"{datetime.fromtimestamp(int(LATER), UTC):%Y-%m-%dT%H:%M:%SZ}"
"""A moment, made when the tests are collected; less is left of it when they run."""


class Upstream:
    """A release at /hello-1.0.tar.gz, with a signature and a checksum file beside it."""

    def __init__(self, web: Web, folder: Path) -> None:
        self.web, self.clock = web, PatientClock()
        self.http = Http(user_agent="test", timeout=3, retries=2, clock=self.clock)
        self.store = Store(folder / "store")

    def fetch(self, *, guessed: bool = False, needed: bool = True) -> Fetched:
        root = self.web.url
        wanted = [Wanted(role=r, url=f"{root}/{n}", guessed=guessed) for r, n in self._beside()]
        release = Release(
            tool="hello", version="1.0", raw_version="1.0", filename="hello-1.0.tar.gz",
            url=f"{root}/hello-1.0.tar.gz", page=root,
        )  # fmt: skip
        plan = Plan(ways=tuple((each,) for each in wanted), needed=needed)
        return fetch(
            release, [plan], source="hello", http=self.http, store=self.store, limits=Limits()
        )

    @staticmethod
    def _beside() -> list[tuple[str, str]]:
        return [("signature", "hello-1.0.tar.gz.asc"), ("checksums", "SHA256SUMS")]


@pytest.fixture
def upstream(web: Web, tmp_path: Path) -> Iterator[Upstream]:
    web.serve("/hello-1.0.tar.gz", archive("1.0"))
    made = Upstream(web, tmp_path)
    yield made
    made.http.close()


def refused(upstream: Upstream, path: str, **answer: object) -> ToolsyncError:
    upstream.web.serve(path, **answer)  # type: ignore[arg-type]
    with pytest.raises(ToolsyncError) as told:
        upstream.fetch()
    return told.value


# 403

LIMITS = [
    {"headers": {"Retry-After": "2400"}},
    {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": LATER}},
    {"headers": {"RateLimit-Remaining": " 0 ", "RateLimit-Reset": "2400"}},
    {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{LATER}000"}},
    {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{LATER}.5"}},
    {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": LATER_IN_ISO}},
    {"headers": {"RateLimit": '"default";r=0;t=2400'}},
    {"headers": {"RateLimit": "limit=60, remaining=0, reset=2400"}},
    {"body": "You have triggered an abuse detection mechanism. Please wait a few minutes."},
    {"body": "API rate limit exceeded for 192.0.2.1."},
    {"body": '{"message": "You have exceeded a secondary rate limit"}'},
    {"body": "<h1>Too many requests</h1>"},
    {"body": "<Error><Code>SlowDown</Code></Error>"},
]


@pytest.mark.parametrize("answer", LIMITS)
@pytest.mark.parametrize("path", ["/hello-1.0.tar.gz", "/hello-1.0.tar.gz.asc"])
def test_a_403_that_limits_is_tried_again_later(
    upstream: Upstream, answer: dict[str, object], path: str
) -> None:
    error = refused(upstream, path, status=403, **answer)
    assert isinstance(error, Limited)
    assert error.exit_status == 4
    assert "answered 403" in str(error)
    assert "limits how often it is asked" in str(error)
    assert len(upstream.web.requests(path)) == 1  # who is limited does not ask at once again
    told = re.search(r"until ([-\d]+ [:\d]+) UTC", str(error))
    assert (told is not None) == ("headers" in answer)
    if told is not None:
        left = datetime.fromisoformat(f"{told[1]}+00:00") - datetime.now(UTC)
        far = LATER in str(answer) or LATER_IN_ISO in str(answer)
        least, most = (1, 9 * 60) if far else (39, 40)
        assert timedelta(minutes=least) < left <= timedelta(minutes=most)


def test_a_guessed_proof_that_is_limited_is_not_called_absent(upstream: Upstream) -> None:
    upstream.web.serve("/SHA256SUMS", status=403, headers={"Retry-After": "2400"})
    with pytest.raises(Limited):
        upstream.fetch(guessed=True, needed=False)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404}, {"status": 410}, {"status": 403, "body": DENIED},
        {"status": 403, "body": "<ul>\n<li>Code: AccessDenied</li>\n<li>Message: …</li>"},
    ],
)  # fmt: skip
def test_absent_are_404_410_and_what_s3_says(upstream: Upstream, answer: dict[str, object]) -> None:
    upstream.web.serve("/hello-1.0.tar.gz.asc", **answer)  # type: ignore[arg-type]
    upstream.web.serve("/SHA256SUMS", **answer)  # type: ignore[arg-type]
    assert upstream.fetch().extras == ()
    assert isinstance(refused(upstream, "/hello-1.0.tar.gz", **answer), NotThere)


@pytest.mark.parametrize("status", [401, 403])
def test_forbidden_is_neither_absent_nor_limited(upstream: Upstream, status: int) -> None:
    for path in ("/SHA256SUMS", "/hello-1.0.tar.gz.asc", "/hello-1.0.tar.gz"):
        error = refused(upstream, path, status=status, body="<h1>Forbidden</h1>")
        assert type(error) is Unreachable
        assert "it may be there, but we may not have it" in str(error)


@pytest.mark.parametrize("kind", ["github", "gitlab", "forgejo"])
@pytest.mark.parametrize("answer", LIMITS)
@pytest.mark.parametrize("status", [403, 429])
def test_a_forge_s_limit_is_named_with_its_end_and_what_lifts_it(
    kind: str, answer: dict[str, object], status: int
) -> None:
    with Watcher() as vendor:
        vendor.web.serve_rest(
            lambda asked: Answer(str(answer.get("body", "")), status, answer.get("headers", {}))  # type: ignore[arg-type]
        )
        with pytest.raises(Limited) as told:
            vendor.look(kind=kind, url=vendor.web.url + "/a/b", pattern=r"v(?P<version>[\d.]+)")
    assert "a token lifts the limit" in str(told.value)
    assert "moved" not in f"{told.value} {told.value.resolution}"
    assert ("until 20" in str(told.value)) == ("headers" in answer)


@pytest.mark.parametrize("status", [509, *range(520, 528), 429])
def test_what_passes_is_asked_again(upstream: Upstream, status: int) -> None:
    good = Answer(archive("1.0"))
    upstream.web.serve_each("/hello-1.0.tar.gz", Answer(status=status), good)
    assert upstream.fetch().archive.size == len(good.data)
    error = refused(upstream, "/SHA256SUMS", status=status)
    assert error.exit_status == 4
    assert f"answered {status}" in str(error)
    assert len(upstream.web.requests("/SHA256SUMS")) == 1 + 3


# bytes as they were sent


@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
@pytest.mark.parametrize("chunked", [False, True])
def test_what_is_called_encoded_is_stored_as_it_was_sent(
    upstream: Upstream, coding: str, chunked: bool
) -> None:
    data, sums = archive("1.0"), gzip.compress(b"0" * 64 + b"  x\n", mtime=0)
    for path, body in (("hello-1.0.tar.gz", data), ("hello-1.0.tar.gz.asc", sums)):
        upstream.web.serve(f"/{path}", body, chunked=chunked, headers={"Content-Encoding": coding})
    got = upstream.fetch()
    assert got.archive.sha256 == hashlib.sha256(data).hexdigest()
    assert [upstream.store.path(blob).read_bytes() for blob in got.extras] == [sums]
    assert {asked.headers["accept-encoding"] for asked in upstream.web.asked} == {"identity"}


@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
def test_a_part_of_it_is_taken_up_as_it_was_sent(upstream: Upstream, coding: str) -> None:
    data = archive("1.0")
    head = {"Content-Encoding": coding, "ETag": '"1"'}
    upstream.web.serve_each(
        "/hello-1.0.tar.gz", Answer(data, headers=head, cut=100), Answer(data, headers=head)
    )
    assert upstream.fetch().archive.sha256 == hashlib.sha256(data).hexdigest()
    assert upstream.web.requests("/hello-1.0.tar.gz")[1].headers["range"] == "bytes=100-"


@pytest.mark.parametrize(
    "other", [{"ETag": '"2"'}, {"ETag": '"1"', "Last-Modified": "Tue, 03 Nov 2026 00:00:00 GMT"}]
)
def test_a_part_of_another_file_is_not_spliced(upstream: Upstream, other: dict[str, str]) -> None:
    """A server that does not heed If-Range, or two behind one name that differ."""
    old, new = b"o" * 5000, b"n" * 5000
    first = {"ETag": '"1"', "Last-Modified": "Mon, 02 Nov 2026 00:00:00 GMT"}

    def answer(asked: Asked) -> Answer:
        if len(upstream.web.requests("/hello-1.0.tar.gz")) == 1:
            return Answer(old, headers=first, cut=2000)
        if "range" in asked.headers:
            span = {"Content-Range": "bytes 2000-4999/5000"}
            return Answer(new[2000:], status=206, headers=other | span)
        return Answer(new, headers=other)

    upstream.web.serve_by("/hello-1.0.tar.gz", answer)
    assert upstream.fetch().archive.sha256 == hashlib.sha256(new).hexdigest()


PARTS = {
    "no size": {"Content-Range": "bytes 2000-4999/*", "ETag": '"1"'},
    "no validator": {"Content-Range": "bytes 2000-4999/5000"},
    "no range": {"ETag": '"1"'},
    "several": {"Content-Type": "multipart/byteranges; boundary=x", "ETag": '"1"'},
    "another start": {"Content-Range": "bytes 0-4999/5000", "ETag": '"1"'},
}


@pytest.mark.parametrize("head", PARTS.values(), ids=PARTS)
def test_a_part_that_does_not_say_what_it_is_of_is_not_spliced(
    upstream: Upstream, head: dict[str, str]
) -> None:
    data, asked_for = bytes(range(250)) * 20, []

    def answer(asked: Asked) -> Answer:
        asked_for.append(asked.headers.get("range", ""))
        if asked_for[-1]:
            return Answer(b"?" * 3000, status=206, headers=head)
        cut = 2000 if len(asked_for) == 1 else None
        return Answer(data, headers={"ETag": '"1"'}, cut=cut)

    upstream.web.serve_by("/hello-1.0.tar.gz", answer)
    assert upstream.fetch().archive.sha256 == hashlib.sha256(data).hexdigest()
    assert asked_for == ["", "bytes=2000-", ""]


def test_a_part_that_ends_before_the_file_does_is_no_end(upstream: Upstream) -> None:
    data, asked_for = bytes(range(250)) * 20, []

    def answer(asked: Asked) -> Answer:
        asked_for.append(asked.headers.get("range", ""))
        if not asked_for[-1]:
            return Answer(data, headers={"ETag": '"1"'}, cut=2000)
        at = int(asked_for[-1].removeprefix("bytes=").rstrip("-"))
        head = {"ETag": '"1"', "Content-Range": f"bytes {at}-{at + 1499}/5000"}
        return Answer(data[at : at + 1500], status=206, headers=head)

    upstream.web.serve_by("/hello-1.0.tar.gz", answer)
    assert upstream.fetch().archive.sha256 == hashlib.sha256(data).hexdigest()
    assert asked_for == ["", "bytes=2000-", "bytes=3500-"]


@pytest.mark.parametrize("status", [429, 403])
def test_a_limit_that_ended_in_the_past_does_no_harm(upstream: Upstream, status: int) -> None:
    """One of the two clocks is wrong, or the answer comes from a cache."""
    head = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000000"}
    error = refused(upstream, "/SHA256SUMS", status=status, headers=head)
    assert isinstance(error, Limited)
    assert "until" not in str(error)


# pages


LINKS = b'<a href="foo-1.0.tar.gz">x</a>' * 40


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_a_page_in_a_code_that_nobody_asked_for_is_said_to_be(coding: str) -> None:
    head = {"Content-Type": "text/html", "Content-Encoding": coding}
    with Watcher() as vendor:
        vendor.web.serve_by("/", lambda _: Answer(b"\x28\xb5\x2f\xfd\x04\x00\xff", headers=head))
        with pytest.raises(Unreachable, match=f"a code that was not asked for: {coding}"):
            vendor.look(kind="html", pattern=r"foo-(?P<version>.+)\.tar\.gz")
        vendor.web.serve_by("/", lambda _: Answer(LINKS, headers=head))  # it only says so
        assert vendor.look(kind="html", pattern=r"foo-(?P<version>.+)\.tar\.gz").releases


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_page_that_breaks_off_in_its_code_is_not_half_read(coding: str) -> None:
    data = gzip.compress(LINKS, 0) if coding == "gzip" else zlib.compress(LINKS, 0)
    head = {"Content-Type": "text/html", "Content-Encoding": coding}
    with Watcher() as vendor:
        vendor.web.serve_by("/", lambda _: Answer(data, headers=head, cut=len(data) // 2))
        with pytest.raises(Unreachable, match="broke off"):
            vendor.look(kind="html", pattern=r"foo-(?P<version>.+)\.tar\.gz")


# proxies and certificates


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "proxy", ["http://me:secret@127.0.0.1:1", "http://no-such-proxy.invalid:3"]
)
def test_a_dead_proxy_is_named(monkeypatch: pytest.MonkeyPatch, scheme: str, proxy: str) -> None:
    monkeypatch.setenv(f"{scheme}_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    http = Http(user_agent="test", timeout=3, retries=0)
    name = proxy.rpartition("@")[2].removeprefix("http://")
    with pytest.raises(Unreachable, match=f"the proxy http://{name} could not be used") as told:
        http.page(f"{scheme}://vendor.example/", limit=10, seconds=5)
    assert "secret" not in str(told.value)
    assert "no_proxy" in told.value.resolution
    http.close()


@pytest.mark.parametrize(
    "proxy", ["http://[::", "http://127.0.0.1:99999", "quux://127.0.0.1:1", "http://"]
)
def test_a_malformed_proxy_is_named(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    http = Http(user_agent="test", timeout=3, retries=0)
    with pytest.raises(SetupError, match=r"the proxy .* cannot be used"):
        http.page("http://vendor.example/", limit=10, seconds=5)
    http.close()


@pytest.mark.parametrize("answer", [b"garbage\r\n\r\n", b""])
def test_a_proxy_that_makes_no_sense_is_named(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        http = Http(user_agent="test", timeout=3, retries=0)
        with pytest.raises(Unreachable, match="the proxy http://127"):
            http.page("https://vendor.example/", limit=10, seconds=5)
        http.close()


def test_a_proxy_that_wants_a_password_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with Web() as proxy:
        proxy.serve_rest(lambda asked: Answer(status=407))
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        http = Http(user_agent="test", timeout=3, retries=0)
        with pytest.raises(Unreachable, match="the proxy wants a name and a password"):
            http.page("http://vendor.example/", limit=10, seconds=5)
        http.close()
