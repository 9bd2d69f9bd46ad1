"""Any JSON by an expression, and a registry of npm's kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.watching import Watcher, versions
from toolsync.model.errors import Drifted, SetupError


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def look(upstream: Watcher, data: Any, path: str, **watch: Any) -> Any:
    body = data if isinstance(data, str) else json.dumps(data)
    upstream.web.serve("/j", body, type="application/json")
    return upstream.look(kind="json", url=upstream.web.url + "/j", path=path, **watch)


DATA: dict[str, Any] = {
    "releases": [
        {"name": "1.0", "file": "hello-1.0.zip", "sum": "A" * 64, "bytes": 7, "bad": False},
        {"name": "1.2", "file": "hello-1.2.zip", "sum": None, "bytes": -1, "bad": "broken"},
        {"name": "1.1", "file": "/dl/hello-1.1.zip", "when": "2020-01-02T03:04:05Z"},
    ]
}
OBJECTS = (
    "releases[].{version: name, url: file, sha256: sum, size: bytes, yanked: bad, published: when}"
)


def test_objects(upstream: Watcher) -> None:
    sighting = look(upstream, DATA, OBJECTS)
    assert (versions(sighting), sighting.yanked) == (["1.1", "1.0"], 1)
    new, old = sighting.releases
    assert (new.url, new.published) == (
        f"{upstream.web.url}/dl/hello-1.1.zip",
        DATA["releases"][2]["when"],
    )
    assert (old.sha256, old.size, old.filename) == ("a" * 64, 7, "hello-1.0.zip")


def test_addresses_and_a_pattern(upstream: Watcher) -> None:
    files = ["http://h/hello-1.0.zip", "http://h/hello-1.1.zip", "http://h/other-9.zip", 7, None]
    sighting = look(upstream, {"f": files}, "f", pattern=r"hello-(?P<version>[\d.]+)\.zip")
    assert versions(sighting) == ["1.1", "1.0"]


def test_versions_and_a_template(upstream: Watcher) -> None:
    data = {"latest": "v1.2", "all": {"v1.0": 1, "v1.1": 2}}
    for path, wanted in (("latest", ["1.2"]), ("keys(all)", ["1.1", "1.0"])):
        sighting = look(
            upstream, data, path, pattern=r"v(?P<version>.+)", file_url="http://h/{version}.zip"
        )
        assert versions(sighting) == wanted


def test_lines_of_json(upstream: Watcher) -> None:
    """As the sparse index of Rust's registry has them."""
    rows = [("0.4.9", False), ("0.4.10", False), ("0.5.0", True), ("0.5.0-alpha.1", False)]
    lines = [json.dumps({"vers": v, "cksum": "a" * 64, "yanked": gone}) for v, gone in rows]
    path = "[].{version: vers, sha256: cksum, yanked: yanked}"
    sighting = look(upstream, "\n".join(lines) + "\n", path, file_url="http://h/{version}.crate")
    assert (versions(sighting), sighting.yanked) == (["0.4.10", "0.4.9"], 1)
    with pytest.raises(Drifted, match="is no JSON"):
        look(upstream, "\n".join(lines)[:-5], path, file_url="http://h/{version}.crate")


def test_a_number_is_a_version(upstream: Watcher) -> None:
    assert versions(look(upstream, [{"version": 12}], "@", file_url="http://h/{version}")) == ["12"]


@pytest.mark.parametrize(
    ("body", "path", "said"),
    [
        ("<html>", "a", "HTML page"),
        ("{", "a", "no JSON"),
        ("[" * 100_000, "a", "no JSON"),
        ("{}", "a", "names no version at a"),
        ('{"a": 7}', "length(a)", "not of the form"),
        ('{"a": [["1.0"]]}', "a", "names no version"),
        ("", "a", "empty page"),
    ],
)
def test_bad_pages_are_told(upstream: Watcher, body: str, path: str, said: str) -> None:
    with pytest.raises(Drifted, match=said):
        look(upstream, body, path, file_url="http://h/{version}")


@pytest.mark.parametrize(
    ("path", "said"), [("a[", "no JMESPath"), ("", "no JMESPath"), ("a", "no address of a file")]
)
def test_faults_of_the_definition_are_told(upstream: Watcher, path: str, said: str) -> None:
    with pytest.raises(SetupError, match=said):
        look(upstream, {"a": ["1.0"]}, path)


def package(**deprecated: str) -> dict[str, Any]:
    return {
        "name": "@scope/hello",
        "versions": {
            v: {"dist": {"tarball": f"http://h/hello-{v}.tgz"},
                **({"deprecated": deprecated[v]} if v in deprecated else {})}
            for v in ("1.0.0", "1.10.0", "1.9.0", "2.0.0-beta.1")
        } | {"odd": 7, "3.0.0": {"dist": None}},
        "time": {"1.10.0": "2020-01-02T03:04:05.678Z"},
    }  # fmt: skip


def npm(upstream: Watcher, data: Any, **watch: Any) -> Any:
    upstream.web.serve("/@scope%2Fhello", json.dumps(data), type="application/json")
    return upstream.look(kind="npm", url=upstream.web.url, project="@scope/hello", **watch)


def test_a_package_of_a_registry(upstream: Watcher) -> None:
    sighting = npm(upstream, package())
    assert (versions(sighting), sighting.prereleases) == (["1.10.0", "1.9.0", "1.0.0"], 1)
    newest = sighting.newest
    assert (newest.published, newest.filename) == ("2020-01-02T03:04:05Z", "hello-1.10.0.tgz")


def test_a_deprecated_version_counts_as_withdrawn_unless_all_are(upstream: Watcher) -> None:
    assert versions(npm(upstream, package(**{"1.10.0": "broken"})))[0] == "1.9.0"
    every = dict.fromkeys(("1.0.0", "1.10.0", "1.9.0", "2.0.0-beta.1"), "moved")
    data = package(**every)
    data["versions"] = {v: e for v, e in data["versions"].items() if v in every}
    assert versions(npm(upstream, data))[0] == "1.10.0"


@pytest.mark.parametrize("data", [{}, [], {"versions": []}, {"versions": {}}, {"error": "no"}])
def test_no_package(upstream: Watcher, data: Any) -> None:
    with pytest.raises(Drifted):
        npm(upstream, data)
