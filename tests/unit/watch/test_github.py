"""GitHub's feeds and its API's answers: the tag is the truth, the title is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.servers.web import Answer, Asked
from tests.support.watching import Watcher, tool_with, versions
from toolsync.config.settings import Limits
from toolsync.model.errors import Drifted, Hostile, NotThere, SetupError
from toolsync.watch import graphql
from toolsync.watch.together import Wanted

PATTERN = r"v?(?P<version>\d.*)"


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def feed(*tags: str, title: str = "9.9.9 is not the tag", by_id: bool = True) -> str:
    entries = "".join(
        f"<entry><id>{f'tag:github.com,2008:Repository/42/{tag}' if by_id else 'x'}</id>"
        f"<updated>2017-01-18T21:04:05+01:00</updated>"
        f'<link rel="alternate" type="text/html" href="https://h/o/r/releases/tag/{tag}"/>'
        f"<title>{title}</title></entry>"
        for tag in tags
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
        f'xml:lang="en-US"><id>tag:github.com,2008:https://h/o/r/releases</id>{entries}</feed>'
    )


TAGS = ("v3.4.1", "v3.3.3", "v3.1.0-pre1", "3.0.5", "3.0.0-rc1", "2.1-beta1", "help", "2.0.0dev4")
"""Maintenance lines interleave, the form changes, and one tag is no version."""


def look(upstream: Watcher, **watch: Any) -> Any:
    watch = {"url": upstream.web.url + "/o/r", "pattern": PATTERN} | watch
    return upstream.look(kind="github", **watch)


@pytest.mark.parametrize("by_id", [True, False])
def test_tags_from_the_feed(upstream: Watcher, by_id: bool) -> None:
    upstream.web.serve("/o/r/tags.atom", feed(*TAGS, by_id=by_id), type="application/atom+xml")
    sighting = look(upstream)
    assert versions(sighting) == ["3.4.1", "3.3.3", "3.0.5"]
    assert (sighting.matched, sighting.prereleases) == (7, 4)
    newest = sighting.newest
    assert (newest.tag, newest.published) == ("v3.4.1", "2017-01-18T20:04:05Z")
    assert newest.url == upstream.web.url + "/o/r/archive/refs/tags/v3.4.1.tar.gz"
    assert newest.filename == "r-3.4.1.tar.gz"


def test_prereleases_sort_before_their_release(upstream: Watcher) -> None:
    upstream.web.serve("/o/r/tags.atom", feed("3.0.0-rc1", "3.0.0", "2.0.0dev4", "2.0.0"))
    sighting = look(upstream, prereleases=True)
    assert versions(sighting) == ["3.0.0", "3.0.0~rc1", "2.0.0", "2.0.0~dev4"]


def test_a_template_names_the_file(upstream: Watcher) -> None:
    upstream.web.serve("/o/r/releases.atom", feed("v1.0-rc1", "v0.9"))
    sighting = look(
        upstream,
        url=upstream.web.url + "/o/r.git",
        releases="releases",
        prereleases=True,
        file_url="http://h/o/r/releases/download/{tag}/r_{version}.tar.gz",
    )
    assert sighting.newest.url == "http://h/o/r/releases/download/v1.0-rc1/r_1.0-rc1.tar.gz"
    assert sighting.newest.filename == "r_1.0-rc1.tar.gz"


def test_a_tag_with_a_slash_and_one_to_be_quoted(upstream: Watcher) -> None:
    upstream.web.serve("/o/r/tags.atom", feed("release/1.0", "release/0.9 #1"))
    sighting = look(upstream, pattern=r"release/(?P<version>[\d.]+).*")
    assert [release.url.partition("/tags/")[2] for release in sighting.releases] == [
        "release/1.0.tar.gz",
        "release/0.9%20%231.tar.gz",
    ]


def test_one_version_under_two_tags_is_one_release(upstream: Watcher) -> None:
    upstream.web.serve("/o/r/tags.atom", feed("v1.0", "1.0"))
    sighting = look(upstream)
    assert versions(sighting) == ["1.0"]
    assert sighting.matched == 2


BAD = {
    "": "empty page",
    feed(): "names no tag",
    feed("help"): "names no tag that matches .* 1 entries, such as help",
    "<!DOCTYPE html><html></html>": "HTML page",
    "<rss><channel/></rss>": "<rss>; feed was wanted",
    "x": "no XML",
}


@pytest.mark.parametrize(("body", "said"), BAD.items())
def test_bad_feeds_are_told(upstream: Watcher, body: str, said: str) -> None:
    upstream.web.serve("/o/r/tags.atom", body, type="application/atom+xml")
    with pytest.raises(Drifted, match=said):
        look(upstream)


def test_a_feed_with_entities_is_hostile(upstream: Watcher) -> None:
    upstream.web.serve("/o/r/tags.atom", '<!DOCTYPE f [<!ENTITY a "b">]><feed>&a;</feed>')
    with pytest.raises(Hostile):
        look(upstream)


def test_an_address_without_a_repository(upstream: Watcher) -> None:
    with pytest.raises(SetupError, match="names no repository"):
        look(upstream, url=upstream.web.url + "/o")


API = "application/json; charset=utf-8"


def test_releases_from_the_api(upstream: Watcher) -> None:
    file_url = "http://h/o/r/releases/download/v1.2/r.tar.gz"
    releases = [
        {"tag_name": "v1.4", "draft": True},
        {"tag_name": "v1.3", "prerelease": True},
        {
            "tag_name": "v1.2",
            "name": "Version 9.9",
            "published_at": "2020-01-02T03:04:05Z",
            "assets": [
                {"browser_download_url": file_url, "digest": "sha256:" + "A" * 64, "size": 5}
            ],
        },
        {"tag_name": None},
        "odd",
    ]
    upstream.web.serve("/repos/o/r/releases", json.dumps(releases), type=API)
    sighting = look(
        upstream,
        url=upstream.web.url + "/repos/o/r",
        releases="releases",
        file_url="http://h/o/r/releases/download/{tag}/r.tar.gz",
    )
    assert versions(sighting) == ["1.2"]
    newest = sighting.newest
    assert (newest.url, newest.sha256, newest.size) == (file_url, "a" * 64, 5)
    assert newest.published == "2020-01-02T03:04:05Z"
    assert (sighting.matched, sighting.prereleases) == (2, 1)


def test_tags_from_the_api_over_several_pages(upstream: Watcher) -> None:
    def answer(asked: Asked) -> Answer:
        query = parse_qs(urlsplit(asked.path).query)
        page, size = int(query.get("page", ["1"])[0]), int(query["per_page"][0])
        numbers = range((page - 1) * size, min(page * size, 150))
        tags = [{"name": f"v1.{n}", "tarball_url": f"/tarball/v1.{n}"} for n in numbers]
        return Answer(json.dumps(tags), headers={"Content-Type": API})

    upstream.web.serve_by("/repos/o/r/tags", answer)
    sighting = look(upstream, url=upstream.web.url + "/repos/o/r")
    assert (sighting.newest.version, len(sighting.releases)) == ("1.149", 150)
    assert sighting.newest.url == upstream.web.url + "/tarball/v1.149"
    assert sighting.pages == 2


def test_an_api_that_never_ends_is_read_to_a_limit(upstream: Watcher) -> None:
    tags = json.dumps([{"name": f"v1.{n}"} for n in range(100)])
    upstream.web.serve("/repos/o/r/tags", tags, type=API)
    assert len(look(upstream, url=upstream.web.url + "/repos/o/r").releases) == 100
    assert len(upstream.web.asked) <= 11


@pytest.mark.parametrize("body", ['{"message": "Not Found"}', "7", "{", "[]"])
def test_bad_answers_of_the_api(upstream: Watcher, body: str) -> None:
    upstream.web.serve("/repos/o/r/tags", body, type=API)
    with pytest.raises(Drifted):
        look(upstream, url=upstream.web.url + "/repos/o/r")


@pytest.mark.parametrize(
    "listed", ["800", '{"nodes": 800}', '{"nodes": "x"}', '{"nodes": {"a": 1}}', "{}", "null"]
)
@pytest.mark.parametrize("errors", ["[]", "7", '{"type": "x"}', "[[]]"])
def test_bad_answers_to_a_question_about_many(upstream: Watcher, listed: str, errors: str) -> None:
    """What is no list of releases is trouble of that project, never an empty list of them."""
    body = f'{{"data": {{"r0": {{"listed": {listed}}}}}, "errors": {errors}}}'
    place = upstream.web.serve("/graphql", body, type="application/json")
    tool = tool_with(kind="github", url=f"{upstream.web.url}/o/r", pattern=PATTERN)
    (heard,) = graphql.ask(place, [Wanted(tool, "")], upstream.http, Limits())
    assert isinstance(heard, NotThere)
