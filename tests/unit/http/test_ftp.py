"""Listings and files by FTP: within the limits that HTTP has, and no less strict."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import pytest

from tests.servers.ftp import Ftp
from toolsync.http.answer import Page
from toolsync.http.client import Http
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
    assert 'href="a%20b-1.0.tar.gz"' in text
    assert ('href="old"' if missing else 'href="old/"') in text
    assert b'href="top"' in (page(http, f"{server.url}/").body or b"")


LINES = {
    "drwxr-xr-x   2 ftp ftp      4096 Jan  5 10:00 1.2": "1.2/",
    "drwxr-xr-x+  2 ftp          4096 Jan 15  2024 1.2": "1.2/",
    "drwxr-xr-x   2 ftp ftp      4096 2024-01-05 10:00 1.2": "1.2/",
    "drwxr-xr-x   2 ftp ftp      4096 janv.  5 10:00 1.2": "1.2/",
    "-rw-r--r--   1 1000 1000     123 2024-01-05 10:00 a b.tar.gz": "a%20b.tar.gz",
    "-rw-r--r--.  1 ftp ftp 123456789 Dec 31 23:59 a-1.0.tar.gz": "a-1.0.tar.gz",
    "lrwxrwxrwx   1 ftp ftp        12 Jan  5  2024 latest.tgz -> a-1.0.tar.gz": "latest.tgz",
    "01-05-24  10:00AM       <DIR>          old files": "old%20files/",
    "01-05-2024  10:00PM            1234567 a-1.0.zip": "a-1.0.zip",
}


@pytest.mark.parametrize("line", LINES)
def test_listings_of_many_servers_are_read(server: Ftp, http: Http, line: str) -> None:
    server.lines = [line]
    body = (page(http, f"{server.url}/pub/").body or b"").decode()
    assert f'href="{LINES[line]}"' in body


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
