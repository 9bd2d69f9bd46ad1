"""The gateway to other people's servers, against servers that mean it ill."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter

from tests.servers.web import Answer, Asked, Web
from tests.support.watching import Watcher, versions
from tests.unit.fetch.test_stage import PatientClock
from toolsync.http.answer import Page, Validators
from toolsync.http.client import Http
from toolsync.http.transport import _PLAIN, _Adapter, _prepared
from toolsync.model.errors import Hostile, SetupError, ToolsyncError, Unreachable
from toolsync.watch.addresses import http_address, is_plain, joined, plain_file, shown
from toolsync.watch.reading import moment


class Raw:
    """Sends exactly these bytes to whoever connects and asks, then closes."""

    def __init__(self, *answers: bytes, repeat: int = 1) -> None:
        self.sent, self.heard = 0, b""
        self.connections = 0
        self._answers, self._repeat = answers, repeat
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/page"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        for answer in self._answers:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            with connection, contextlib.suppress(OSError):
                self.heard += connection.recv(65536)
                for _ in range(self._repeat):
                    self.sent += connection.send(answer)

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()


@pytest.fixture
def http() -> Iterator[Http]:
    gateway = Http(user_agent="test", timeout=3, retries=0)
    yield gateway
    gateway.close()


def page(http: Http, url: str, limit: int = 1000, validators: Validators | None = None) -> Page:
    return http.page(url, limit=limit, seconds=5, validators=validators)


# redirects


def test_the_body_of_a_redirect_is_not_read(http: Http, web: Web) -> None:
    web.serve("/real", "here")
    head = f"HTTP/1.1 302 Found\r\nLocation: {web.url}/real\r\nContent-Length: 60000000\r\n\r\n"
    filler = b"x" * 1_000_000
    with Raw(head.encode() + filler, repeat=60) as raw:
        assert page(http, raw.url).body == b"here"
        assert raw.sent < 20_000_000


def test_a_relative_redirect_is_followed_and_told(http: Http, web: Web) -> None:
    web.redirect("/a/b", "../real?x=1", status=307)
    web.serve("/real", "here")
    got = page(http, web.url + "/a/b")
    assert (got.body, got.url) == (b"here", web.url + "/real?x=1")


def test_five_redirects_are_followed_and_six_are_circles(http: Http, web: Web) -> None:
    for number in range(6):
        web.redirect(f"/{number}", f"/{number + 1}")
    web.serve("/6", "here")
    assert page(http, web.url + "/1").body == b"here"
    with pytest.raises(Unreachable, match="redirects in circles"):
        page(http, web.url + "/0")


@pytest.mark.parametrize(
    "location",
    ["ftp://a.example/", "file:///etc/passwd", "http://[::", "http://:80/", "\xff"],
)
def test_a_redirect_to_nowhere_is_named(http: Http, web: Web, location: str) -> None:
    web.redirect("/a", location)
    with pytest.raises(Unreachable, match=r"redirects to no http address|answered 404"):
        page(http, web.url + "/a")


def test_credentials_go_to_their_own_host_only(http: Http, web: Web) -> None:
    with Web("127.0.0.2") as other:
        other.serve("/real", "here")
        web.redirect("/same", "/away")
        web.redirect("/away", other.url + "/real")
        secret = web.url.replace("//", "//me:secret@") + "/same"
        assert page(http, secret).body == b"here"
        expected = "Basic " + base64.b64encode(b"me:secret").decode()
        assert [asked.headers.get("authorization") for asked in web.asked] == [expected] * 2
        assert "authorization" not in other.asked[0].headers


def test_credentials_from_netrc_go_to_their_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: Web
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    http = Http(user_agent="test", retries=0)
    with Web("127.0.0.2") as other:
        other.serve("/real", "here")
        web.redirect("/", other.url + "/real")
        page(http, web.url + "/")
        assert web.asked[0].headers["authorization"].startswith("Basic ")
        assert "authorization" not in other.asked[0].headers
    http.close()


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody but itself has signed, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def secure(authority: Path) -> Iterator[Web]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    with Web(tls=context) as web:
        yield web


@pytest.fixture
def trusting(authority: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Http]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "cert.pem"))
    gateway = Http(user_agent="test", timeout=3, retries=0)
    yield gateway
    gateway.close()


def test_an_unknown_certificate_is_refused_by_name_and_once(secure: Web) -> None:
    clock = PatientClock()
    http = Http(user_agent="test", timeout=3, retries=3, clock=clock)
    with pytest.raises(
        Unreachable, match=r"certificate that is not trusted: .*self.signed"
    ) as told:
        page(http, secure.url + "/")
    assert "ca-certificates" in told.value.resolution
    assert clock.slept == []
    assert secure.asked == []
    http.close()


def test_a_certificate_for_another_name_is_refused(secure: Web, trusting: Http) -> None:
    url = secure.url.replace("127.0.0.1", "localhost") + "/"
    with pytest.raises(Unreachable, match=r"certificate that is not trusted: .*localhost"):
        page(trusting, url)
    assert secure.asked == []


def test_a_trusted_certificate_is_enough(secure: Web, trusting: Http) -> None:
    secure.serve("/", "here")
    assert page(trusting, secure.url + "/").body == b"here"


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_that_the_environment_names_counts(
    secure: Web, authority: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    secure.serve("/", "here")
    monkeypatch.setenv(name, str(authority / "cert.pem"))
    http = Http(user_agent="test", timeout=3, retries=0)
    assert page(http, secure.url + "/").body == b"here"
    http.close()
    monkeypatch.setenv(name, "/nonexistent/ca.pem")
    http = Http(user_agent="test", timeout=3, retries=0)
    with pytest.raises(SetupError, match=f"{name} names /nonexistent/ca.pem"):
        page(http, secure.url + "/")
    http.close()


def test_a_certificate_s_error_says_which_ones_count(
    secure: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    http = Http(user_agent="test", timeout=3, retries=0)
    with pytest.raises(Unreachable) as told:
        page(http, secure.url + "/")
    assert "REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt" in told.value.resolution
    http.close()


def test_no_way_leads_from_https_to_http(secure: Web, trusting: Http, web: Web) -> None:
    secure.redirect("/", web.url + "/real")
    with pytest.raises(Hostile, match="from https to plain http"):
        page(trusting, secure.url + "/")
    assert web.asked == []


def test_a_new_connection_costs_no_reading_of_certificates(secure: Web, trusting: Http) -> None:
    secure.serve("/", "here", headers={"Connection": "close"})
    page(trusting, secure.url + "/")
    began = time.thread_time()
    for _ in range(20):
        page(trusting, secure.url + "/")
    assert (time.thread_time() - began) / 20 < 0.008  # reading the bundle alone takes longer


def test_a_dripped_handshake_ends_with_the_time_for_the_whole() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"\x16\x03\x03\x40\x00")
            while not over.wait(0.2):
                connection.sendall(b"\x00")

    threading.Thread(target=drip, daemon=True).start()
    http = Http(user_agent="test", timeout=3, retries=0)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="did not finish within 1 s"):
        http.page(f"https://127.0.0.1:{server.getsockname()[1]}/", limit=10, seconds=1)
    assert time.monotonic() - began < 20
    over.set()
    server.close()
    http.close()


# heads


@pytest.mark.parametrize(
    "header",
    [
        "Content-Length: ²",
        "Content-Length: " + "9" * 5000,
        "Content-Length: -1",
        "ETag: a\r\n folded",
        "ETag: " + "x" * 60_000,
        "Content-Type: text/html; charset=\x1b[31m",
        "Set-Cookie: a=b; expires=Thu, 99 Foo 99999 99:99:99 GMT",
    ],
)
def test_a_senseless_head_harms_nothing(http: Http, header: str) -> None:
    answer = f"HTTP/1.1 200 OK\r\n{header}\r\nConnection: close\r\n\r\nbody".encode("latin-1")
    with Raw(answer) as raw:
        got = page(http, raw.url)
    assert got.body == b"body"
    assert got.content_type.isprintable()
    assert got.validators.etag.isprintable()
    assert len(got.validators.etag) < 2000


@pytest.mark.parametrize(
    "value", ["²", "9" * 5000, "Thu, 01 Jan 2026 00:00:00 +9999999999999", "soon", "\xff", "-5"]
)
def test_a_senseless_retry_after_is_none(web: Web, value: str) -> None:
    clock = PatientClock()
    http = Http(user_agent="test", retries=1, clock=clock)
    web.serve("/", status=503, headers={"Retry-After": value})
    with pytest.raises(Unreachable, match="answered 503"):
        page(http, web.url + "/")
    assert clock.slept[0] <= 0.5  # our own back-off
    http.close()


@pytest.mark.parametrize("status", [206, 304, 416])
def test_an_answer_to_nothing_that_was_asked_is_none(http: Http, web: Web, status: int) -> None:
    web.serve("/", "" if status == 304 else "x", status=status)
    with pytest.raises(Unreachable, match=f"answered {status} .*nobody asked for"):
        page(http, web.url + "/")
    written: list[bytes] = []

    class Sink:
        def write(self, data: bytes) -> int:
            written.append(data)
            return len(data)

    with pytest.raises(Unreachable, match=f"answered {status} .*nobody asked for"):
        http.download(web.url + "/", lambda resumed: Sink(), limit=10, seconds=5)
    assert written == []


def test_of_a_page_that_is_not_changed_nothing_is_waited_for(http: Http) -> None:
    """Not for the chunks either that its head speaks of."""
    returned, in_time = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n")
                in_time.append(returned.wait(3))

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        same = http.page(url, limit=10, seconds=20, validators=Validators(etag='"1"'))
        returned.set()
        thread.join()
    assert same.body is None
    assert in_time == [True]


def test_a_reason_is_short_and_gives_the_terminal_no_orders(http: Http) -> None:
    answer = b"HTTP/1.1 500 \x1b[2J" + b"x" * 60_000 + b"\r\n\r\n"
    with Raw(answer) as raw, pytest.raises(Unreachable, match="answered 500") as told:
        page(http, raw.url)
    assert len(str(told.value)) < 200
    assert str(told.value).isprintable()


@pytest.mark.parametrize("path", ["/gone", "/busy", "/huge", "/slow", "/circle", "/nowhere"])
def test_no_error_tells_a_password(http: Http, web: Web, path: str) -> None:
    web.serve("/busy", status=503)
    web.serve("/huge", "x" * 2000)
    web.serve("/slow", "x" * 10, trickle=1)
    web.redirect("/circle", "/circle")
    web.redirect("/nowhere", "ftp://me:secret@a.example/")
    url = web.url.replace("//", "//me:secret@") + path
    with pytest.raises(ToolsyncError) as told:
        http.page(url, limit=1000, seconds=1)
    assert "secret" not in f"{told.value} {told.value.resolution}"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid", "[::", "a b", "x" * 300])
def test_no_error_tells_a_password_where_nobody_answers(http: Http, host: str) -> None:
    with pytest.raises(ToolsyncError) as told:
        page(http, f"http://me:secret@{host}/")
    assert "secret" not in f"{told.value} {told.value.resolution}"


# pages


@pytest.mark.parametrize(
    "charset", ["cp720", "punycode", "idna", "unicode_escape", "rot13", "x" * 99]
)
def test_a_charset_that_no_page_has_is_passed_over(charset: str) -> None:
    pattern = r"tool-(?P<version>[\d.]+)\.tar\.gz"
    with Watcher() as vendor:
        kind = f"text/html; charset={charset}"
        vendor.web.serve("/", '<a href="tool-1.0.tar.gz">tool</a>', type=kind)
        assert versions(vendor.look(kind="html", pattern=pattern)) == ["1.0"]
        vendor.web.serve("/text", "tool-1.0.tar.gz", type=kind)
        where: dict[str, Any] = {
            "url": vendor.web.url + "/text",
            "file_url": vendor.web.url + "/{version}.gz",
        }
        assert versions(vendor.look(kind="text", pattern=pattern, **where)) == ["1.0"]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_no_calendar_holds_is_none(text: str) -> None:
    assert moment(text) == ""


def test_an_unasked_not_modified_is_no_news(web: Web) -> None:
    with Watcher() as vendor:
        vendor.web.serve("/", status=304)
        with pytest.raises(Unreachable, match="answered 304"):
            vendor.look(kind="html", pattern=r"tool-(?P<version>[\d.]+)")


# politeness


def test_a_host_gets_few_requests_at_once(web: Web) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def answer(asked: Asked) -> Answer:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.03)
        with lock:
            now -= 1
        return Answer("here")

    web.serve_by("/", answer)
    http = Http(user_agent="test", per_host=3)
    with ThreadPoolExecutor(12) as pool:
        assert len(list(pool.map(lambda _: page(http, web.url + "/"), range(24)))) == 24
    assert most == 3
    http.close()


def test_a_redirect_takes_a_turn_at_its_own_host(web: Web) -> None:
    with Web("127.0.0.2") as other:
        web.redirect("/", other.url + "/")
        other.redirect("/", web.url + "/real")
        web.serve("/real", "here")
        http = Http(user_agent="test", per_host=1)
        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(lambda _: page(http, web.url + "/").body, range(16)))
        assert got == [b"here"] * 16
        http.close()


def test_a_pause_is_kept_between_requests_to_a_host(web: Web) -> None:
    web.serve("/", "here")
    clock = PatientClock()
    http = Http(user_agent="test", interval=30.0, clock=clock)
    for _ in range(3):
        page(http, web.url + "/")
    assert [round(slept) for slept in clock.slept] == [30, 60]
    http.close()


def test_connections_are_used_again(web: Web) -> None:
    web.serve("/", "here")
    http = Http(user_agent="test", per_host=8)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: page(http, web.url + "/"), range(80)))
    assert 1 <= len({asked.port for asked in web.asked}) <= 8
    http.close()


def test_a_page_that_has_not_changed_leaves_its_connection_open(web: Web) -> None:
    web.serve("/", "here", etag='"1"')
    http = Http(user_agent="test")
    known = page(http, web.url + "/").validators
    for _ in range(5):
        answer = http.page(web.url + "/", limit=10, seconds=10, validators=known)
        assert answer.body is None
    assert len({asked.port for asked in web.asked}) == 1
    http.close()


ADDRESS = r"https?://[a-z.-]{1,6}(:[0-9]{1,5})?/[A-Za-z0-9._~%+?#:@/-]{0,12}"


@given(st.from_regex(ADDRESS, fullmatch=True))
def test_what_needs_no_preparation_is_asked_for_as_the_library_would(url: str) -> None:
    try:
        library = requests.Request("GET", url).prepare()
    except requests.RequestException:
        return  # ours is prepared by the library then, which refuses it
    ours = _prepared("GET", url, {"A": "b"}, None)
    assert ours.headers["a"] == "b"
    if _PLAIN.fullmatch(url):
        assert ours.url == library.url
        adapter = _Adapter()
        assert adapter.request_url(ours, {}) == HTTPAdapter().request_url(library, {})
        found = adapter.get_connection(url)
        wanted = HTTPAdapter().poolmanager.connection_from_url(url)
        assert (found.scheme, found.host, found.port) == (wanted.scheme, wanted.host, wanted.port)


def test_a_long_address_is_told_from_a_plain_one_at_once() -> None:
    assert not _PLAIN.fullmatch("http://a/" + "a" * 4000 + "?")


# the quick way to read links


@given(st.text("aZ09._~+-/%&;?#@: \\é", max_size=12), st.text("ab/?#.@%: é", max_size=8))
def test_the_quick_way_says_what_the_full_one_says(href: str, path: str) -> None:
    base = f"http://a.example/{path}"
    if is_plain(href):
        assert joined(base, ".") + href == joined(base, href)
    url = joined(base, href)
    if plain := plain_file(url):
        assert "/".join(plain) == url == shown(url)
        assert plain[1] == unquote(urlsplit(url).path.rpartition("/")[2])
        assert http_address(url)
