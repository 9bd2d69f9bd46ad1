"""Listings and files by FTP: within the limits that HTTP has, and no less strict."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import pytest

from tests.servers.ftp import Ftp
from toolsync.http.client import Http, Page
from toolsync.model.errors import Hostile, NotThere, SetupError, Unreachable

FILES = {"/pub/a/a b-1.0.tar.gz": b"x" * 1000, "/pub/a/old/z": b"", "/top": b"t"}


@pytest.fixture
def server() -> Iterator[Ftp]:
    with Ftp(FILES) as server:
        yield server


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http(user_agent="tests", timeout=5, retries=0)
    yield client
    client.close()


def page(http: Http, url: str, *, limit: int = 10_000, seconds: float = 5) -> Page:
    return http.page(url, limit=limit, seconds=seconds)


def download(http: Http, url: str, *, limit: int = 10_000, seconds: float = 5) -> bytes:
    sink = io.BytesIO()
    http.download(url, lambda _: sink, limit=limit, seconds=seconds)
    return sink.getvalue()


@pytest.mark.parametrize("missing", ["", "LIST"])
def test_a_listing_is_a_page_of_links(server: Ftp, http: Http, missing: str) -> None:
    server.missing = {missing}
    found = page(http, f"{server.url}/pub/a")
    assert found.url == f"{server.url}/pub/a/"
    text = (found.body or b"").decode()
    if missing:
        assert 'href="old"' in text
    else:
        assert 'href="a%20b-1.0.tar.gz"' in text
        assert 'href="old/"' in text
    assert b'href="top"' in (page(http, f"{server.url}/").body or b"")


def test_a_file_comes_whole_or_not_at_all(server: Ftp, http: Http) -> None:
    address = f"{server.url}/pub/a/a%20b-1.0.tar.gz"
    assert download(http, address) == b"x" * 1000
    assert "PASS anonymous@" in server.asked
    server.cut = 999
    with pytest.raises(Unreachable, match="broke off: 999 bytes came, 1 are missing"):
        download(http, address)
    server.cut, server.missing = None, {"SIZE"}
    assert download(http, address) == b"x" * 1000


def test_bytes_and_seconds_are_bounded(server: Ftp, http: Http) -> None:
    address = f"{server.url}/pub/a/a%20b-1.0.tar.gz"
    for missing in ("", "SIZE"):
        server.missing = {missing}
        with pytest.raises(Hostile, match="more than 999 bytes"):
            download(http, address, limit=999)
    with pytest.raises(Hostile, match="more than 20 bytes"):
        page(http, f"{server.url}/pub/a/", limit=20)
    server.trickle = 0.05
    began = time.monotonic()
    with pytest.raises(Unreachable, match="did not finish within 1 s"):
        download(http, address, seconds=1)
    assert time.monotonic() - began < 3


def test_what_is_not_there_or_not_given_is_told_apart(server: Ftp, http: Http) -> None:
    with pytest.raises(NotThere, match="550 no such file"):
        download(http, f"{server.url}/pub/a/b")
    with pytest.raises(NotThere, match="550 no such folder"):
        page(http, f"{server.url}/nowhere/")
    server.files.clear()
    with pytest.raises(Unreachable, match="530 not you") as refused:
        page(http, f"{server.url}/pub/")
    assert not isinstance(refused.value, NotThere)


def test_no_command_hides_in_an_address(server: Ftp, http: Http) -> None:
    with pytest.raises(SetupError, match="its path has characters that none has"):
        download(http, f"{server.url}/pub/x%0d%0aDELE%20top")
    assert server.asked == []
