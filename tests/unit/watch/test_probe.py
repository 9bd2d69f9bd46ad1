"""An archive under one name for ever: fetched only on change, its version read from within."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.servers.web import Answer
from tests.support.tiny import archive
from tests.support.watching import Watcher
from toolsync.config.settings import Limits
from toolsync.model.errors import Drifted, Hostile, NotThere

TOP = r"hello-(?P<version>[\d.]+)"
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def look(upstream: Watcher, remembered: Any = None, **watch: Any) -> Any:
    url = upstream.web.url + "/hello.tar.gz"
    watch = {"kind": "probe", "url": url, "pattern": TOP} | watch
    return upstream.look(remembered=remembered, **watch)


def zipped(files: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in files.items():
            file.writestr(name, text)
    return data.getvalue()


VALIDATORS = [
    {"etag": '"1"'},
    {"last_modified": DATE},
    {"etag": '"1"', "last_modified": DATE, "conditional": False},
]


@pytest.mark.parametrize("said", VALIDATORS)
def test_fetched_only_on_change(upstream: Watcher, said: dict[str, Any]) -> None:
    upstream.web.serve("/hello.tar.gz", archive("1.2"), **said)
    first = look(upstream)
    newest = first.newest
    assert (newest.version, newest.url) == ("1.2", upstream.web.url + "/hello.tar.gz")
    assert (newest.size, len(newest.sha256)) == (len(archive("1.2")), 64)
    again = look(upstream, first)
    assert (again.changed, again.releases) == (False, first.releases)
    upstream.web.serve("/hello.tar.gz", archive("1.3"), etag='"2"')
    third = look(upstream, again)
    assert (third.newest.version, third.changed) == ("1.3", True)


def test_the_rest_of_an_unchanged_file_is_not_read(upstream: Watcher) -> None:
    """A server without conditions sends the file again; its head is enough."""
    upstream.web.serve("/hello.tar.gz", archive("1.2"), etag='"1"', conditional=False)
    first = look(upstream)
    upstream.web.serve("/hello.tar.gz", archive("1.2"), etag='"1"', conditional=False, trickle=5)
    assert not look(upstream, first).changed


def test_another_size_under_the_same_etag_is_a_change(upstream: Watcher) -> None:
    upstream.web.serve("/hello.tar.gz", archive("1.2"), etag='"1"', conditional=False)
    first = look(upstream)
    upstream.web.serve(
        "/hello.tar.gz", archive("1.13", extra={"more": "x"}), etag='"1"', conditional=False
    )
    assert look(upstream, first).newest.version == "1.13"


def test_the_version_in_a_member(upstream: Watcher) -> None:
    files = {"t/a": "1.0", "t/lib/version.rb": "# x\nPKG_VERSION = '1.4.0'\nPKG_VERSION = '2'\n"}
    upstream.web.serve("/hello.tar.gz", zipped(files))
    sighting = look(upstream, member="lib/*.rb", pattern=r"VERSION = '(?P<version>[\d.]+)'")
    assert sighting.newest.version == "1.4.0"


def test_a_template_names_the_file(upstream: Watcher) -> None:
    upstream.web.serve("/hello.tar.gz", archive("1.2"))
    newest = look(upstream, file_url="http://h/hello-{version}.tar.gz").newest
    assert (newest.url, newest.sha256) == ("http://h/hello-1.2.tar.gz", "")


BAD = [
    ({}, zipped({"a": "x"}), Drifted, "no top folder, but 'a'"),
    ({}, archive("x"), Drifted, "names no version that matches"),
    ({"member": "VERSION"}, archive("1.2"), Drifted, "no member 'VERSION'; it has hello-1.2"),
    ({}, b"<html>Sign in</html>", Hostile, "is a web page"),
    ({}, b"", Hostile, "is empty"),
    ({}, archive("1.2")[:40], Hostile, "archive"),
    ({}, zipped({"../x/y": "x"}), Hostile, "archive"),
]


@pytest.mark.parametrize(("watch", "body", "error", "said"), BAD, ids=range(len(BAD)))
def test_archives_that_tell_nothing(
    upstream: Watcher, watch: dict[str, Any], body: bytes, error: type[Exception], said: str
) -> None:
    upstream.web.serve("/hello.tar.gz", body)
    with pytest.raises(error, match=said):
        look(upstream, **watch)


def test_a_file_has_a_limit(upstream: Watcher) -> None:
    upstream.web.serve_by("/hello.tar.gz", lambda asked: Answer(bytes(5000), chunked=True))
    with pytest.raises(Hostile, match="more than 4000 bytes"):
        look(upstream, limits=Limits(file_bytes=4000))


def test_a_bomb_is_not_unpacked(upstream: Watcher) -> None:
    upstream.web.serve("/hello.tar.gz", zipped({"t/a": "0" * 10_000_000, "t/VERSION": "1.0"}))
    with pytest.raises(Hostile):
        look(upstream, member="VERSION", limits=Limits(unpacked_bytes=1_000_000))


def test_no_file(upstream: Watcher) -> None:
    with pytest.raises(NotThere):
        look(upstream)
