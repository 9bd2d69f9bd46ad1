"""From a page's address to a definition that works: on copies of the pages that are met most."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.git import Repository
from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import archive
from tests.unit.watch.test_feed import sourceforge
from tests.unit.watch.test_github import feed
from toolsync.adopt.add import Proposal, propose_tool, write_tool
from toolsync.model.errors import Drifted
from toolsync.pipeline.context import Context, opened
from toolsync.pipeline.survey import check
from toolsync.setup.settings import load_config
from toolsync.setup.tools import load_tool
from toolsync.system.clock import SystemClock
from toolsync.watch.candidates import usable_name
from toolsync.watch.naming import families

APACHE = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
<html><head><title>Index of /dl</title></head><body><h1>Index of /dl</h1><table>
<tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
<tr><td><a href="/">Parent Directory</a></td></tr>{rows}</table>
<address>Apache/2.4.57 (Debian) Server</address></body></html>"""
APACHE_ROW = (
    '<tr><td valign="top"><img src="/icons/compressed.gif" alt="[   ]"></td>'
    '<td><a href="{0}">{0:.20}..&gt;</a></td><td align="right">2023-11-14 22:13  </td></tr>\n'
)
NGINX = (
    "<html>\r\n<head><title>Index of /dl/</title></head>\r\n<body>\r\n<h1>Index of /dl/</h1><hr>"
    '<pre><a href="../">../</a>\r\n{rows}</pre><hr></body>\r\n</html>\r\n'
)
NGINX_ROW = '<a href="{0}">{0}</a>          14-Nov-2023 22:13      1234\r\n'
S3 = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><KeyCount>9</KeyCount>
<IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"""
S3_ROW = (
    "<Contents><Key>{0}</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified>"
    "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>1234</Size></Contents>"
)


def listing(page: str, row: str, *names: str) -> str:
    return page.format(rows="".join(row.format(name) for name in names))


class Adder:
    """Adds a tool, checks it at once, and reads what was written."""

    def __init__(self, context: Context, place: Path) -> None:
        self.context, self.place = context, place

    def __call__(self, url: str, name: str = "") -> Proposal:
        """Return what was proposed and written, after the definition has passed a check."""
        told: list[str] = []
        proposal = propose_tool(self.context, url, name=name, tell=told.append)
        folder = write_tool(proposal, self.place)
        (outcome,) = check(self.context, [load_tool(folder)], 1)
        assert (outcome.status, outcome.newest) == ("new", proposal.releases[0].version)
        assert told
        return proposal

    def toml(self, name: str = "hello") -> dict[str, Any]:
        return tomllib.loads((self.place / name / "tool.toml").read_text())


@pytest.fixture
def add(rig: Rig) -> Iterator[Adder]:
    config = load_config(rig.file, rig.state)
    silent = lambda done, total: None  # noqa: E731
    with opened(
        config, tell=lambda event: None, progress=lambda name: silent, clock=SystemClock()
    ) as context:
        yield Adder(context, rig.tools)


FILES = ("hello-1.9.tar.gz", "hello-1.10.tar.gz", "hello-1.10.tar.gz.asc", "hello.tar.gz", "README")


@pytest.mark.parametrize(("page", "row"), [(APACHE, APACHE_ROW), (NGINX, NGINX_ROW)])
def test_an_index_of_a_web_server(add: Adder, web: Web, page: str, row: str) -> None:
    web.serve("/dl/", listing(page, row, *FILES))
    answer = add(web.url + "/dl/")
    assert (answer.name, answer.kind) == ("hello", "html")
    assert [r.version for r in answer.releases] == ["1.10", "1.9"]
    assert "whose key signs" in answer.undecided[0]
    assert add.toml()["verify"] == {"method": "pins"}
    assert '# signature = "{url}.asc"' in answer.toml


def test_a_bucket_with_a_second_tool(add: Adder, web: Web) -> None:
    names = ("ec2-ami-tools-1.3-34544.zip", "ec2-ami-tools-1.5.7.zip", "ec2-ami-tools-1.5.19.zip",
             "ec2-ami-tools.zip", "ec2-api-tools-1.7.5.1.zip", "img/logo.png")  # fmt: skip
    web.serve("/", listing(S3, S3_ROW, *names), type="application/xml")
    answer = add(web.url + "/")
    assert (answer.name, answer.kind) == ("ec2-ami-tools", "s3")
    assert [r.version for r in answer.releases] == ["1.5.19", "1.5.7", "1.3.34544"]
    assert "other files, too: ec2-api-tools" in answer.undecided[0]
    assert add(web.url + "/", "ec2-api-tools").releases[0].version == "1.7.5.1"


def test_tags_of_github(add: Adder, web: Web) -> None:
    body = feed("v3.4.1", "v3.3.3", "v3.1.0-rc1", "help")
    web.serve("/o/hello/tags.atom", body, type="application/atom+xml; charset=utf-8")
    answer = add(web.url + "/o/hello/tags.atom")
    assert (answer.kind, answer.releases[0].version) == ("github", "3.4.1")
    assert add.toml()["watch"]["url"] == web.url + "/o/hello"


def test_a_projects_page_leads_to_its_tags(add: Adder, web: Web) -> None:
    web.serve("/o/hello", "<html><body><a href='/login'>Sign in</a></body></html>")
    web.serve("/o/hello/tags.atom", feed("v1.0"), type="application/atom+xml")
    assert add(web.url + "/o/hello").kind == "github"


@pytest.mark.parametrize("form", ["html", "json"])
def test_a_project_of_an_index(add: Adder, web: Web, form: str) -> None:
    data = archive("1.0", name="hello")
    digest = hashlib.sha256(data).hexdigest()
    web.serve("/f/hello-1.0.tar.gz", data)
    if form == "html":
        web.serve(
            "/simple/hello/",
            '<html><head><meta name="pypi:repository-version" content="1.0"></head><body>'
            f'<a href="/f/hello-1.0.tar.gz#sha256={digest}">hello-1.0.tar.gz</a></body></html>',
        )
    else:
        files = [{"filename": "hello-1.0.tar.gz", "url": "/f/hello-1.0.tar.gz",
                  "hashes": {"sha256": digest}}]  # fmt: skip
        index = {"meta": {"api-version": "1.0"}, "name": "hello", "files": files}
        web.serve("/simple/hello/", json.dumps(index), type="application/vnd.pypi.simple.v1+json")
    answer = add(web.url + "/simple/hello/")
    assert (answer.kind, answer.undecided) == ("index", ())
    assert add.toml()["verify"] == {"method": "index"}


@pytest.mark.parametrize("server", ["smart", "dumb"])
def test_a_git_server(add: Adder, web: Web, tmp_path: Path, server: str) -> None:
    repository = Repository(tmp_path / "r", "v1.0", "v1.2", "v1.10")
    url = getattr(repository, f"serve_{server}")(web, "/hello.git")
    answer = add(url)
    assert (answer.name, answer.kind) == ("hello", "git")
    assert [r.version for r in answer.releases] == ["1.10", "1.2", "1.0"]


API = {
    "/api/v4/projects/o%2Fhello/repository/tags": "gitlab",
    "/api/v1/repos/o/hello/tags": "forgejo",
    "/repos/o/hello/tags": "github",
}


@pytest.mark.parametrize(("path", "kind"), API.items())
def test_an_api(add: Adder, web: Web, path: str, kind: str) -> None:
    web.serve(path, '[{"name": "v1.0"}, {"name": "v1.1"}]', type="application/json")
    answer = add(web.url + path)
    assert (answer.name, answer.kind) == ("hello", kind)


def test_a_feed_a_registry_and_an_archive(add: Adder, web: Web) -> None:
    web.serve("/rss", sourceforge("1.9", "1.10"), type="application/rss+xml")
    assert add(web.url + "/rss", "one").kind == "feed"
    package = {
        "name": "hello",
        "versions": {"1.0.0": {"dist": {"tarball": "http://h/h-1.0.0.tgz"}}},
    }
    web.serve("/hello", json.dumps(package), type="application/json")
    assert add(web.url + "/hello", "two").kind == "npm"
    web.serve("/latest/hello.tar.gz", archive("1.2"))
    assert add(web.url + "/latest/hello.tar.gz", "three").kind == "probe"


def test_one_release_leads_to_its_folder(add: Adder, web: Web) -> None:
    web.serve("/dl/", listing(NGINX, NGINX_ROW, "hello-1.0.zip", "hello-1.0.zip.sha256", "x-2.zip"))
    answer = add(web.url + "/dl/hello-1.0.zip")
    assert (answer.name, answer.kind) == ("hello", "html")
    verify = add.toml()["verify"]
    assert verify.pop("reason")
    assert verify == {"method": "checksums", "checksums": "{url}.sha256", "unsigned": True}
    assert any("no proof of origin" in question for question in answer.undecided)


@pytest.mark.parametrize(
    ("beside", "words", "method"),
    [
        ("hello-1.0.zip.minisig", "hello-1.0.zip.minisig is a minisign signature", "pins"),
        ("hello-1.0.zip.sigstore.json", "zip.sigstore.json is a sigstore bundle", "pins"),
        ("hello-1.0.zip.publish.attestation", "is an attestation of PEP 740", "pins"),
        ("hello-1.0.zip.sigstore", "whose identity signs, and who vouches for it", "pins"),
        ("hello-1.0.zip.sig hello-1.0.zip.pem", "a sigstore signature (cosign)", "pins"),
        ("hello-1.0.zip.intoto.jsonl", "provenance", "pins"),
        ("SHA1SUMS", "SHA1SUMS lists digests that can be forged", "pins"),
        ("hello-1.0.zip.md5", "hello-1.0.zip.md5 lists digests that can be forged", "pins"),
        ("SHA256SUMS", "a list that nobody signs will do ({dir}/SHA256SUMS)", "checksums"),
        ("SHA256SUMS SHA256SUMS.minisig", "SHA256SUMS.minisig is a minisign", "checksums"),
    ],
)
def test_what_lies_beside_is_said_for_what_it_is(
    add: Adder, web: Web, beside: str, words: str, method: str
) -> None:
    web.serve("/dl/", listing(NGINX, NGINX_ROW, "hello-1.0.zip", *beside.split()))
    answer = add(web.url + "/dl/")
    assert words in "\n".join(answer.undecided)
    assert words in answer.toml
    verify = add.toml()["verify"]
    assert verify["method"] == method
    assert verify.get("unsigned", False) == (method == "checksums")
    assert ('# issuer = "https://ISSUER"' in answer.toml) == (
        "sigstore" in answer.toml and ".pem" not in beside
    )


@pytest.mark.parametrize(
    ("path", "file", "name"),
    [
        ("/hello/releases/download/", "v1.0.tar.gz", "hello"),
        ("/pub/hello/", "1.0.zip", "hello"),
        ("/p/Hello%20World/files/latest/", "2.1.tar.xz", "hello-world"),
        ("/hello/tags/v1/", "latest-1.0.zip", "hello"),
    ],
)
def test_a_name_comes_from_the_project(
    add: Adder, web: Web, path: str, file: str, name: str
) -> None:
    web.serve(path, listing(NGINX, NGINX_ROW, file))
    assert add(web.url + path).name == name


def test_a_name_comes_from_the_host_at_last() -> None:
    for url, name in {
        "https://www.hello.org/": "hello",
        "https://downloads.hello.example/dl/latest/": "hello",
        "https://hello.github.io/releases/": "hello",
        "http://127.0.0.1:8000/": "tool",
    }.items():
        assert usable_name("", url) == name
    assert usable_name("v1.0", "https://h.example/hello/") == "hello"


MARKETING = "<html><body><h1>Hello</h1><p>Runs on Python 3.11</p>{}</body></html>"
TOLD = {
    "text of a link": '<a href="/latest/hello.tar.gz">Get <b>Hello 1.10.2</b> now</a>',
    "text before it": '<a href="/about">9.9.9</a><a href="/latest/hello.tar.gz">v1.10.2</a>',
    "a script's data": '<a href="/latest/hello.tar.gz">Get it</a>'
    '<script>window.app = {"name": "hello", "version": "1.10.2", "min": "0.1.0"};</script>',
    "the data of a long script": '<a href="/latest/hello.tar.gz">Get it</a>'
    "<script>" + "var x = 1;\\n" * 900 + "const page = {appVersion: '1.10.2'};</script>",
    "a script's data, without a link": '<script type="application/ld+json">{"@type": "Software",'
    '"softwareVersion": "1.10.2", "downloadUrl": "/latest/hello.tar.gz"}</script>',
    "an address in a script": '<a href="/about">About</a><script type="application/json">'
    '{"logo": "/hello.svg", "text": "'
    + "x " * 2000
    + '", "url": "http:\\/\\/h.example\\/1.10.2\\/hello-1.10.2.tar.gz", "old": "x-0.1"}</script>',
}


@pytest.mark.parametrize("case", TOLD)
def test_a_version_that_is_told_in_a_text_or_to_a_script(add: Adder, web: Web, case: str) -> None:
    web.serve("/hello/", MARKETING.format(TOLD[case]), type="text/html")
    answer = add(web.url + "/hello/")
    assert (answer.name, answer.kind) == ("hello", "html")
    assert [r.version for r in answer.releases] == ["1.10.2"]
    assert answer.releases[0].url.endswith(
        "//h.example/1.10.2/hello-1.10.2.tar.gz" if "address" in case else "/latest/hello.tar.gz"
    )
    web.serve("/hello/", MARKETING.format(TOLD[case].replace("1.10.2", "1.11.0")))
    (outcome,) = check(add.context, [load_tool(add.place / "hello")], 1)
    assert outcome.newest == "1.11.0"


@pytest.mark.parametrize("file", ["/get/hello.tar.gz", "/hello/latest.tar.gz"])
def test_an_archive_without_a_version_is_probed(add: Adder, web: Web, file: str) -> None:
    web.serve("/hello/", MARKETING.format(f'<a href="{file}">Download</a>'), type="text/html")
    web.serve(file, archive("1.2"))
    answer = add(web.url + "/hello/")
    assert (answer.name, answer.kind) == ("hello", "probe")
    assert answer.releases[0].version == "1.2"
    assert "the address has no version" in answer.undecided[0]


def test_signed_checksums(add: Adder, web: Web) -> None:
    names = ("hello-1.0.zip", "SHA256SUMS", "SHA256SUMS.gpg")
    web.serve("/dl/", listing(NGINX, NGINX_ROW, *names))
    answer = add(web.url + "/dl/")
    assert add.toml()["verify"] == {"method": "checksums", "checksums": "{dir}/SHA256SUMS"}
    assert '# checksums_signature = "{checksums}.gpg"' in answer.toml


@pytest.mark.parametrize(
    "body",
    ["<html><body>Nothing here</body></html>", "", "<html><a href='logo-2.png'>x</a></html>",
     '{"a": 1}', "[1]", "\x00\x01", "<rss/>", "<ListBucketResult/>", '{"versions": {}}'],
)  # fmt: skip
def test_a_page_that_shows_nothing_is_told(add: Adder, web: Web, body: str) -> None:
    web.serve("/p", body)
    with pytest.raises(Drifted, match="shows no releases"):
        add(web.url + "/p")
    assert not list(add.place.iterdir())


def test_nothing_is_written_unless_somebody_says_so(rig: Rig, web: Web) -> None:
    web.serve("/dl/", listing(NGINX, NGINX_ROW, *FILES))
    url = web.url + "/dl/"
    done = rig.run("add", url, status=2)
    assert "Say so with --yes" in done.stderr
    assert "1.10" in done.stdout
    assert "trying kind html" in done.stderr
    assert rig.json("add", url)["folder"] is None
    assert not list(rig.tools.iterdir())
    place = rig.root / "place"
    assert "written:" in rig.run("add", url, "--yes", "--output", place, "--name", "My_Tool").stdout
    assert (place / "my-tool" / "debian" / "rules").stat().st_mode & 0o111
    (row,) = rig.json("check", place / "my-tool")
    assert row["status"] == "new"
    again = rig.run("add", url, "--yes", "--output", place, "--name", "my-tool", status=2)
    assert "defines a tool already" in again.stderr


def test_no_address_and_nobody_there(rig: Rig, web: Web) -> None:
    assert "is no address" in rig.run("add", "ftp://h/", status=2).stderr
    rig.run("add", web.url + "/none", "--yes", status=4)


NUMBER = r"(?P<version>\d+(?:\.\d+)*)"
PRE = r"(?:[-._~]?(?:alpha|beta|rc|pre|dev|a|b|c)[-.]?\d+)?"
NAMES = [
    (["v1.0", "v1.10-rc1"], False, "", f"v?{NUMBER[:-1]}{PRE})"),
    (["t-1.0.tar.gz", "t-1.1.tar.xz"], True, "t", rf"t-v?{NUMBER}(?:\.tar\.gz|\.tar\.xz)"),
    (["a+b-1.0.zip"], True, "a+b", rf"a\+b-v?{NUMBER}\.zip"),
    (["lib2-3.0-src.tgz"], True, "lib2", rf"lib2-v?{NUMBER}-src\.tgz"),
    (["rel_1_2", "rel_1_10"], False, "rel", r"rel_v?(?P<version>\d+(?:[._]\d+)*)"),
    (["t-1.0-linux-x86_64.zip", "t-1.0.zip"], True, "t", rf"t-v?{NUMBER}\.zip"),
]


@pytest.mark.parametrize(("names", "files", "name", "pattern"), NAMES)
def test_names_and_their_pattern(names: list[str], files: bool, name: str, pattern: str) -> None:
    family = families(names, files=files)[0]
    assert (family.name, family.pattern) == (name, pattern)


@pytest.mark.parametrize("names", [[], ["help"], ["x" * 300 + "-1.0.zip"], ["README.zip"], ["-"]])
def test_names_without_a_version(names: list[str]) -> None:
    assert families(names, files=True) == []
