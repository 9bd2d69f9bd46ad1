"""The package index: JSON and HTML say the same, and the wrong files are never chosen."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.watching import Watcher, versions
from toolsync.model.errors import Drifted, SetupError, ToolsyncError
from toolsync.system.run import run
from toolsync.watch.index import normalized, sdist_version
from toolsync.watch.pipindex import index_url

JSON = "application/vnd.pypi.simple.v1+json"
SHA = "43e77f324745e760918dc3c6ffb73eef49e35e9f52a5c39fe4a6de854f7e1121"


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def file(filename: str, **more: Any) -> dict[str, Any]:
    return {
        "filename": filename,
        "url": f"../../packages/{filename}",
        "hashes": {"sha256": SHA},
    } | more


FILES = [
    file("tool_kit-1.10.tar.gz", **{"upload-time": "2026-10-21T19:35:52.123456Z", "size": 7}),
    file("tool-kit-1.9.zip"),
    file("tool-kit-1.9.tar.gz"),
    file("tool.kit-1.8.tar.gz"),
    file("tool_kit-1.11.tar.gz", yanked="broken\non import"),
    file("tool_kit-1.12.tar.gz", yanked=True),
    file("tool_kit-1.13.tar.gz", yanked=""),
    file("tool_kit-2.0rc1.tar.gz"),
    file("tool_kit-3.0-py3-none-any.whl"),
    file("tool_kit-3.1.linux-x86_64.tar.gz"),
    file("tool_kit-3.2-py3.11.egg"),
    file("tool_kit_extra-3.3.tar.gz"),
    file("tool_kit-3.4.exe"),
]


def as_json(files: list[dict[str, Any]], **more: Any) -> str:
    return json.dumps({"meta": {"api-version": "1.1"}, "name": "tool-kit", "files": files} | more)


def as_html(files: list[dict[str, Any]]) -> str:
    links = ""
    for item in files:
        yanked = item.get("yanked", "")
        extra = f' data-yanked="{yanked if yanked is not True else ""}"' if yanked else ""
        if "upload-time" in item:
            extra += f' data-upload-time="{item["upload-time"]}"'
        links += (
            f'<a href="{item["url"]}#sha256={SHA}" data-requires-python="&gt;=3"{extra}>'
            f"{item['filename']}</a><br/>\n"
        )
    return f"<!DOCTYPE html><html><body>\n{links}</body></html>"


@pytest.mark.parametrize("form", ["json", "html"])
def test_both_forms_say_the_same(upstream: Watcher, form: str) -> None:
    if form == "json":
        upstream.web.serve("/simple/tool-kit/", as_json(FILES), type=JSON)
    else:
        upstream.web.serve("/simple/tool-kit/", as_html(FILES), type="text/html")
    url = upstream.web.url + "/simple/"
    sighting = upstream.look(kind="index", url=url, project="Tool_Kit")
    assert versions(sighting) == ["1.13", "1.10", "1.9", "1.8"]
    newest = sighting.releases[1]
    assert newest.url == upstream.web.url + "/packages/tool_kit-1.10.tar.gz"
    assert (newest.sha256, newest.published) == (SHA, "2026-10-21T19:35:52Z")
    assert newest.size == (7 if form == "json" else None)
    assert sighting.releases[2].filename == "tool-kit-1.9.tar.gz"
    assert (sighting.matched, sighting.yanked, sighting.prereleases) == (8, 2, 1)
    assert upstream.web.asked[0].headers["accept"].startswith(JSON)


def test_an_empty_yanked_attribute_yanks(upstream: Watcher) -> None:
    page = '<a href="t-1.1.tar.gz" data-yanked>t-1.1.tar.gz</a><a href="t-1.0.tar.gz">x</a>'
    upstream.web.serve("/t/", page)
    sighting = upstream.look(kind="index", project="t")
    assert (versions(sighting), sighting.yanked) == (["1.0"], 1)


def test_a_withdrawn_project_is_told(upstream: Watcher) -> None:
    upstream.web.serve("/t/", '<a href="t-1.1.tar.gz" data-yanked="bad">t-1.1.tar.gz</a>')
    with pytest.raises(Drifted, match=r"1 files or tags that match .1\.1., but each is"):
        upstream.look(kind="index", project="t")


def test_prereleases_when_they_are_wanted(upstream: Watcher) -> None:
    upstream.web.serve("/tool-kit/", as_json(FILES), type=JSON)
    sighting = upstream.look(kind="index", project="tool-kit", prereleases=True)
    assert sighting.newest.version == "2.0~rc1"
    assert sighting.newest.prerelease


def test_a_pattern_narrows(upstream: Watcher) -> None:
    upstream.web.serve("/tool-kit/", as_json(FILES), type=JSON)
    pattern = r"tool.kit-(?P<version>1\.[0-9])\.tar\.gz"
    sighting = upstream.look(kind="index", project="tool-kit", pattern=pattern)
    assert versions(sighting) == ["1.9", "1.8"]


def test_the_project_page_itself_may_be_named(upstream: Watcher) -> None:
    upstream.web.serve("/simple/tool-kit/", as_json(FILES), type=JSON)
    url = upstream.web.url + "/simple/tool-kit/"
    assert upstream.look(kind="index", url=url, project="tool-kit").matched == 8


BAD = [
    ("", JSON, "empty page"),
    ("<html></html>", JSON, "no JSON"),
    ("[" * 100_000, JSON, "no JSON"),
    ("[]", JSON, "no list of files"),
    ('{"files": {}}', JSON, "no list of files"),
    (as_json([]), JSON, "names no source distribution of tool-kit"),
    (as_json(FILES, meta={"api-version": "2.0"}), JSON, "version 2.0 of the index API"),
    (as_json(FILES, name="other"), JSON, "about 'other'; tool-kit was wanted"),
    (as_json([file("tool_kit-1.0.tar.gz", url=7)]), JSON, "names no source"),
    (as_json([file("tool_kit-1.0.tar.gz", url="file:///x")]), JSON, "no file's address"),
    (as_html([]), "text/html", "names no source distribution"),
    (
        '<meta name="pypi:repository-version" content="2.0">' + as_html(FILES),
        "text/html",
        "version 2.0 of the index API",
    ),
    ("1.0", "text/plain", "answered with text/plain"),
]


@pytest.mark.parametrize(("body", "kind", "said"), BAD)
def test_bad_pages_are_told(upstream: Watcher, body: str, kind: str, said: str) -> None:
    upstream.web.serve("/tool-kit/", body, type=kind)
    with pytest.raises(Drifted, match=said):
        upstream.look(kind="index", project="tool-kit")


def test_odd_values_are_not_believed(upstream: Watcher) -> None:
    odd = file("tool_kit-1.0.tar.gz", hashes={"sha256": "abc"}, size=-1, yanked=None)
    upstream.web.serve("/tool-kit/", as_json([odd | {"upload-time": 7}]), type=JSON)
    newest = upstream.look(kind="index", project="tool-kit").newest
    assert (newest.sha256, newest.size, newest.published, newest.yanked) == ("", None, "", "")


@pytest.mark.parametrize(
    ("name", "project", "version"),
    [
        ("awscli-1.46.2.tar.gz", "awscli", "1.46.2"),
        ("zope.interface-5.0.tar.gz", "zope-interface", "5.0"),
        ("a-b-c-1.0.post1.zip", "a-b-c", "1.0.post1"),
        ("a-b-c-1.0-1.tar.gz", "a-b-c", "1.0-1"),
        ("a-b-1.0.tar.gz", "a", ""),
        ("a-1.0.linux-x86_64.tar.gz", "a", ""),
        ("a-1.0-py3-none-any.whl", "a", ""),
        ("a.tar.gz", "a", ""),
    ],
)
def test_names_of_sdists(name: str, project: str, version: str) -> None:
    assert sdist_version(name, normalized(project)) == version


def test_a_page_of_many_megabytes_is_quick(upstream: Watcher) -> None:
    many = [
        file(f"tool_kit-1.{n}.tar.gz", url="x" * 150 + f"/tool_kit-1.{n}.tar.gz")
        for n in range(20_000)
    ]
    upstream.web.serve("/tool-kit/", as_html(many), type="text/html")
    sighting = upstream.look(kind="index", project="tool-kit")
    assert len(sighting.releases) == 20_000
    assert sighting.newest.version == "1.19999"


def test_the_environment_names_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert index_url() == "http://127.0.0.1:9/simple/"
    monkeypatch.setenv("PIP_INDEX_URL", "file:///srv/simple")
    with pytest.raises(SetupError, match="http or https"):
        index_url()


def test_pips_configuration_names_the_index(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    conf = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    conf.write_text("[global]\nindex-url = http://127.0.0.1:9/mirror\n")
    assert index_url() == "http://127.0.0.1:9/mirror/"
    conf.write_text("[install]\nindex-url = http://127.0.0.1:9/install\n[global]\nindex-url = x\n")
    assert index_url() == "http://127.0.0.1:9/install/"
    conf.write_text("index-url")
    with pytest.raises(SetupError, match="pip's configuration cannot be read"):
        index_url()


def test_pip_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    assert index_url().startswith("https://")


def test_without_pip_the_next_step_is_told(tmp_path: Path) -> None:
    (tmp_path / "pip.py").write_text("")  # a module that is no package, found before pip
    script = (
        "from toolsync.model.errors import SetupError\n"
        "from toolsync.watch.pipindex import index_url\n"
        "try: index_url()\n"
        "except SetupError as error: print(error.resolution)\n"
    )
    root = str(Path(__file__).parents[3])
    done = run(
        "env", "-u", "PIP_INDEX_URL", f"PYTHONPATH={tmp_path}:{root}", sys.executable, "-c", script,
        timeout=60,
    )  # fmt: skip
    assert "apt install python3-pip" in done.out
    assert "PIP_INDEX_URL" in done.out


def test_a_password_reaches_neither_record_nor_error(
    upstream: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = upstream.web.url.replace("://", "://user:s3cret@")
    monkeypatch.setenv("PIP_INDEX_URL", f"{secret}/simple")
    upstream.web.serve("/simple/tool-kit/", as_html(FILES), type="text/html")
    sighting = upstream.look(kind="index", url="", project="tool-kit")
    assert "authorization" in upstream.web.asked[0].headers
    assert "s3cret" not in repr(sighting)
    for answer in ({"status": 404}, {"status": 503}, {"body": ""}, {"body": "x"}, {"cut": 0}):
        upstream.web.serve("/simple/tool-kit/", **{"body": "x"} | answer)
        with pytest.raises(ToolsyncError) as caught:
            upstream.look(kind="index", url="", project="tool-kit")
        assert "s3cret" not in f"{caught.value!r} {caught.value.resolution}"
