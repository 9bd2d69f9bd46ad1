"""A look: conditional where it may be, honest where it may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.web import Answer
from tests.support.watching import Watcher, versions
from toolsync.config.settings import Limits
from toolsync.model.errors import Drifted, Hostile, Unreachable
from toolsync.model.release import dump, load
from toolsync.watch.kinds import KINDS
from toolsync.watch.look import Sighting

WATCH: dict[str, Any] = {"kind": "html", "pattern": r"tool-(?P<version>[\w.]+)\.tar\.gz"}


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def page(*numbers: str) -> str:
    return "".join(f'<a href="tool-{number}.tar.gz">x</a>' for number in numbers)


def look(upstream: Watcher, remembered: Sighting | None = None, **more: Any) -> Sighting:
    return upstream.look(remembered=remembered, **{**WATCH, **more})


def test_a_sighting_survives_json(upstream: Watcher) -> None:
    upstream.web.serve("/", page("1.0", "1.1"), etag='"1"')
    sighting = look(upstream)
    assert load(Sighting, json.loads(json.dumps(dump(sighting)))) == sighting


@pytest.mark.parametrize(
    "validators",
    [{"etag": '"1"'}, {"etag": 'W/"1"'}, {"last_modified": "Thu, 01 Jan 2026 00:00:00 GMT"}],
)
def test_an_unchanged_page_costs_one_conditional_request(
    upstream: Watcher, validators: dict[str, str]
) -> None:
    upstream.web.serve("/", page("1.0"), **validators)  # type: ignore[arg-type]
    first = look(upstream)
    assert first.changed
    again = look(upstream, first)
    assert not again.changed
    assert again.releases == first.releases
    asked = upstream.web.asked[-1].headers
    assert "if-none-match" in asked or "if-modified-since" in asked
    upstream.web.serve("/", page("1.0", "1.1"), etag='"2"')
    assert (look(upstream, again).newest.version, look(upstream, again).changed) == ("1.1", True)


def test_without_validators_the_bytes_tell(upstream: Watcher) -> None:
    upstream.web.serve("/", page("1.0"))
    first = look(upstream)
    assert not look(upstream, first).changed
    upstream.web.serve("/", page("1.0") + " ")
    assert look(upstream, first).changed


def test_a_changed_watch_section_is_not_answered_from_memory(upstream: Watcher) -> None:
    upstream.web.serve("/", page("1.0", "2.0"), etag='"1"')
    first = look(upstream)
    narrow = look(upstream, first, pattern=r"tool-(?P<version>1[\w.]+)\.tar\.gz")
    assert versions(narrow) == ["1.0"]
    assert narrow.changed


def test_a_listing_of_several_pages_is_read_again(upstream: Watcher) -> None:
    def listing(key: str, more: bool) -> str:
        on = "<IsTruncated>true</IsTruncated>" if more else ""
        return f"<ListBucketResult>{on}<Contents><Key>{key}</Key></Contents></ListBucketResult>"

    watch: dict[str, Any] = {"kind": "s3", "pattern": r"tool-(?P<version>[\d.]+)\.zip"}
    upstream.web.serve("/", listing("tool-1.0.zip", True), etag='"same"')
    upstream.web.serve("/?marker=tool-1.0.zip", listing("tool-1.1.zip", False))
    first = upstream.look(**watch)
    assert first.pages == 2
    upstream.web.serve("/?marker=tool-1.0.zip", listing("tool-1.2.zip", False))
    again = upstream.look(remembered=first, **watch)
    assert (again.newest.version, again.changed) == ("1.2", True)


def test_a_page_that_goes_backwards_names_what_was_recalled(upstream: Watcher) -> None:
    watch: dict[str, Any] = {
        "kind": "text",
        "pattern": r"^(?P<version>[\d.]+)$",
        "file_url": "http://h/{version}.deb",
    }
    upstream.web.serve("/", "1.2.889.0\n", etag='"2"')
    first = upstream.look(**watch)
    assert first.recalled == ""
    upstream.web.serve("/", "1.2.835.0\n", etag='"1"')
    back = upstream.look(remembered=first, **watch)
    assert (back.newest.version, back.recalled) == ("1.2.835.0", "1.2.889.0")


def test_a_yanked_newest_is_a_recall(upstream: Watcher) -> None:
    watch: dict[str, Any] = {"kind": "index", "project": "t"}
    link = '<a href="t-{0}.tar.gz"{1}>x</a>'
    upstream.web.serve("/t/", link.format("1.0", "") + link.format("1.1", ""))
    first = upstream.look(**watch)
    upstream.web.serve("/t/", link.format("1.0", "") + link.format("1.1", ' data-yanked="bad"'))
    back = upstream.look(remembered=first, **watch)
    assert (back.newest.version, back.recalled, back.yanked) == ("1.0", "1.1", 1)


def test_a_page_that_lost_its_releases_is_drift_and_no_news(upstream: Watcher) -> None:
    upstream.web.serve("/", page("1.0"), etag='"1"')
    first = look(upstream)
    upstream.web.serve("/", "<html>We have moved</html>", etag='"2"')
    with pytest.raises(Drifted):
        look(upstream, first)


def test_prereleases_alone_are_told(upstream: Watcher) -> None:
    upstream.web.serve("/", page("1.0rc1"))
    with pytest.raises(Drifted, match="prerelease or withdrawn"):
        look(upstream)
    assert versions(look(upstream, prereleases=True)) == ["1.0~rc1"]


def test_versions_that_debian_holds_equal_are_one(upstream: Watcher) -> None:
    upstream.web.serve("/", page("1.06", "1.6"))
    assert len(look(upstream).releases) == 1


@pytest.mark.parametrize(
    "answer",
    [Answer(status=404), Answer(status=503), Answer("x" * 99, cut=9), Answer("x" * 99, trickle=1)],
)
def test_an_upstream_out_of_reach_is_never_current(upstream: Watcher, answer: Answer) -> None:
    upstream.web.serve("/", page("1.0"), etag='"1"')
    first = look(upstream)
    upstream.web.serve_each("/", answer)
    with pytest.raises(Unreachable):
        look(upstream, first, limits=Limits(page_seconds=1))


def test_all_pages_together_have_one_limit(upstream: Watcher) -> None:
    body = (
        "<ListBucketResult><IsTruncated>true</IsTruncated>"
        f"<Contents><Key>tool-{{}}.zip</Key></Contents>{' ' * 500}</ListBucketResult>"
    )
    upstream.web.serve_by("/", lambda asked: Answer(body.format(len(upstream.web.asked))))
    with pytest.raises(Hostile, match="the pages before it have more than 2000 bytes"):
        upstream.look(kind="s3", pattern=r"(?P<version>x)", limits=Limits(page_bytes=2000))
    assert len(upstream.web.asked) < 6


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"watch"}))  # that one reads a folder
@pytest.mark.parametrize("type_", ["text/html", "application/json", "application/xml", "image/png"])
@pytest.mark.parametrize(
    "body", [b"", b"\x89PNG\r\n\x1a\n\x00\xff", b"<", b"<a", b"&", b"null", b"\xff\xfe<\x00", b"{}"]
)
def test_no_page_makes_a_reader_stumble(
    upstream: Watcher, kind: str, type_: str, body: bytes
) -> None:
    for path in (
        "/",
        "/o/r/tags.atom",
        "/tool/",
        "/info/refs",
        "/tool",
        "/api/v4/projects/o%2Fr/repository/tags",
        "/api/v1/repos/o/r/tags",
    ):
        upstream.web.serve(path, body, type=type_)
    url = upstream.web.url + ("/o/r" if kind in ("github", "gitlab", "forgejo") else "/")
    with pytest.raises((Drifted, Hostile)) as caught:  # a probe's archive is no page
        upstream.look(
            kind=kind, url=url, project="tool", file_url="http://h/{version}",
            pattern=r"tool-(?P<version>\d[\d.]*)", path="a[]",
        )  # fmt: skip
    assert caught.value.resolution


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("github", '[{"name": "%s", "tag_name": "%s"}]'),
        ("gitlab", '[{"name": "%s", "tag_name": "%s"}]'),
        ("forgejo", '[{"name": "%s", "tag_name": "%s"}]'),
        ("json", '[{"version": "%s", "url": "/%s"}]'),
        ("index", '{"files": [{"filename": "%s.zip", "url": "/%s"}]}'),
    ],
)
def test_half_a_character_makes_no_reader_stumble(kind: str, entry: str) -> None:
    r"""JSON may hold ``\ud800`` alone, which no text that is sent or kept can."""
    body = entry % ((r"1.0-\ud800",) * 2)
    with Watcher() as vendor:
        answer = Answer(body, headers={"Content-Type": "application/json"})
        vendor.web.serve_rest(lambda asked: answer)
        own: dict[str, Any] = {"json": {"path": "[]"}, "index": {"project": "tool"}}.get(kind, {})
        url = vendor.web.url + ("/repos/o/r" if kind == "github" else "/o/r")
        pattern = r"(?P<version>.+?)(?:\.zip)?"
        with pytest.raises(Drifted, match="is no upstream version"):
            vendor.look(kind=kind, url=url, pattern=pattern, **own)
