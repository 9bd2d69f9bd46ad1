"""The server that other tests rely on does what it says, seen through the real client."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.servers.web import Answer, Asked, Web
from toolsync.http.answer import Validators
from toolsync.http.client import Http
from toolsync.model.errors import Unreachable


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        yield server


@pytest.fixture
def http() -> Iterator[Http]:
    gateway = Http(user_agent="toolsync-tests", timeout=5, retries=0)
    yield gateway
    gateway.close()


def body_of(http: Http, url: str, validators: Validators | None = None) -> bytes | None:
    return http.page(url, limit=10_000, seconds=5, validators=validators).body


def test_answers_and_keeps_what_was_asked(web: Web, http: Http) -> None:
    assert body_of(http, web.serve("/a", "ü")) == "ü".encode()
    assert web.asked[0].path == "/a"
    assert web.asked[0].headers["user-agent"] == "toolsync-tests"


def test_not_modified_by_etag(web: Web, http: Http) -> None:
    url = web.serve("/a", "x", etag='"1"')
    assert body_of(http, url, Validators(etag='"1"')) is None
    assert body_of(http, url, Validators(etag='"0"')) == b"x"


def test_answers_in_sequence_and_the_last_stays(web: Web, http: Http) -> None:
    url = web.serve_each("/a", Answer("1"), Answer("2"))
    assert [body_of(http, url) for _ in range(3)] == [b"1", b"2", b"2"]


def test_a_query_goes_before_its_path(web: Web, http: Http) -> None:
    web.serve_by("/a", lambda asked: Answer(f"any {asked.path}"))
    web.serve("/a?b=1", "exact")
    assert body_of(http, web.url + "/a?b=1") == b"exact"
    assert body_of(http, web.url + "/a?b=2") == b"any /a?b=2"


def test_cut_and_chunked_cut_are_broken_off(web: Web, http: Http) -> None:
    for chunked in (False, True):
        with pytest.raises(Unreachable):
            body_of(http, web.serve("/a", "abcdef", cut=3, chunked=chunked))
    assert body_of(http, web.serve("/a", "abcdef", chunked=True)) == b"abcdef"


def part(web: Web, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.answer(Asked(method="GET", path="/f", headers=named))


def test_ranges_need_the_right_condition(web: Web) -> None:
    web.serve("/f", "abcdef", etag='"1"')
    right = part(web, range="bytes=2-", if_range='"1"')
    assert (right.status, right.body) == (206, b"cdef")
    assert right.headers["Content-Range"] == "bytes 2-5/6"
    assert part(web, range="bytes=2-", if_range='"0"').status == 200
    assert part(web, range="bytes=9-").status == 416


def test_stops_at_once_with_a_client_still_there() -> None:
    with Web() as web:
        host, _, port = web.url.removeprefix("http://").partition(":")
        idle = socket.create_connection((host, int(port)), timeout=5)
        idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 404"
    with idle:
        while idle.recv(4096):
            pass
