"""GitLab's and Forgejo's APIs: pages to the last one, tags, releases, and what is no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.servers.web import Answer, Asked
from tests.support.watching import Watcher, versions
from toolsync.model.errors import Drifted, SetupError

PATTERN = r"v?(?P<version>\d.*)"
API = {"Content-Type": "application/json"}
TAGS = {
    "gitlab": "/api/v4/projects/group%2Fsub%2Fr/repository/tags",
    "forgejo": "/api/v1/repos/o/r/tags",
}
PAGE = {"gitlab": "/group/sub/r", "forgejo": "/o/r"}


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def look(upstream: Watcher, kind: str, path: str = "", **watch: Any) -> Any:
    url = upstream.web.url + (path or PAGE[kind])
    return upstream.look(**{"kind": kind, "url": url, "pattern": PATTERN} | watch)


@pytest.mark.parametrize("kind", ["gitlab", "forgejo"])
def test_tags_over_all_pages_of_a_server_that_gives_few_at_once(
    upstream: Watcher, kind: str
) -> None:
    tags = [{"name": f"v1.{n}", "commit": {"created_at": "2020-01-02T03:04:05.000+01:00"}}
            for n in range(70)]  # fmt: skip

    def answer(asked: Asked) -> Answer:
        page = int(parse_qs(urlsplit(asked.path).query).get("page", ["1"])[0])
        return Answer(json.dumps(tags[(page - 1) * 30 : page * 30]), headers=API)

    upstream.web.serve_by(TAGS[kind], answer)
    sighting = look(upstream, kind)
    assert (sighting.newest.version, len(sighting.releases), sighting.pages) == ("1.69", 70, 4)
    assert sighting.newest.published == "2020-01-02T02:04:05Z"
    address = sighting.newest.url.removeprefix(upstream.web.url)
    assert (
        address
        == {
            "gitlab": "/group/sub/r/-/archive/v1.69/r-v1.69.tar.gz",
            "forgejo": "/o/r/archive/v1.69.tar.gz",
        }[kind]
    )
    assert sighting.newest.filename == "r-1.69.tar.gz"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("gitlab", "/group/sub/r.git"),
        ("gitlab", "/group/sub/r/-/tags"),
        ("gitlab", "/api/v4/projects/group%2Fsub%2Fr"),
        ("forgejo", "/o/r.git"),
        ("forgejo", "/o/r/"),
        ("forgejo", "/api/v1/repos/o/r"),
    ],
)
def test_a_project_has_many_addresses(upstream: Watcher, kind: str, path: str) -> None:
    upstream.web.serve(TAGS[kind], '[{"name": "v1.0"}]', type="application/json")
    assert versions(look(upstream, kind, path)) == ["1.0"]


def test_a_tag_with_a_slash(upstream: Watcher) -> None:
    upstream.web.serve(TAGS["gitlab"], '[{"name": "rel/1.0"}]', type="application/json")
    newest = look(upstream, "gitlab", pattern=r"rel/(?P<version>.+)").newest
    assert newest.url.endswith("/-/archive/rel/1.0/r-rel-1.0.tar.gz")


def test_releases_of_forgejo(upstream: Watcher) -> None:
    file = f"{upstream.web.url}/o/r/releases/download/v1.2/r.tar.gz"
    releases = [
        {"tag_name": "v1.4", "draft": True},
        {"tag_name": "v1.3", "prerelease": True},
        {"tag_name": "v1.2", "published_at": "2020-01-02T03:04:05Z",
         "assets": [{"browser_download_url": file, "size": 5}, "odd"]},
        {"tag_name": 7},
        "odd",
    ]  # fmt: skip
    upstream.web.serve("/api/v1/repos/o/r/releases", json.dumps(releases), headers=API)
    sighting = look(
        upstream, "forgejo", releases="releases",
        file_url=upstream.web.url + "/o/r/releases/download/{tag}/r.tar.gz",
    )  # fmt: skip
    assert (versions(sighting), sighting.prereleases) == (["1.2"], 1)
    newest = sighting.newest
    assert (newest.url, newest.size, newest.published) == (file, 5, "2020-01-02T03:04:05Z")


def test_releases_of_gitlab(upstream: Watcher) -> None:
    releases = [
        {"tag_name": "v2.0", "upcoming_release": True},
        {"tag_name": "v1.0", "released_at": "2020-01-02T03:04:05Z", "assets": {"links": 7}},
    ]
    upstream.web.serve("/api/v4/projects/group%2Fsub%2Fr/releases", json.dumps(releases))
    sighting = look(upstream, "gitlab", releases="releases", file_url="http://h/{version}.zip")
    assert versions(sighting) == ["1.0"]
    assert sighting.newest.url == "http://h/1.0.zip"


@pytest.mark.parametrize("kind", ["gitlab", "forgejo"])
@pytest.mark.parametrize("body", ['{"message": "404 Project Not Found"}', "7", "{", "[]", "[[]]"])
def test_bad_answers(upstream: Watcher, kind: str, body: str) -> None:
    upstream.web.serve(TAGS[kind], body, type="application/json")
    with pytest.raises(Drifted):
        look(upstream, kind)


def test_an_api_that_never_ends_is_read_to_a_limit(upstream: Watcher) -> None:
    upstream.web.serve(TAGS["forgejo"], json.dumps([{"name": f"v1.{n}"} for n in range(50)]))
    assert len(look(upstream, "forgejo").releases) == 50
    assert len(upstream.web.asked) <= 21


def test_an_address_without_a_project(upstream: Watcher) -> None:
    with pytest.raises(SetupError, match="names no project"):
        look(upstream, "gitlab", "/o")
