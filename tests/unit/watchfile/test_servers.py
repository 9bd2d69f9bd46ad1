"""Templates of watch files, the redirector and long listings, against servers that answer them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.unit.watch.test_feed import sourceforge

MIRRORS = """
[http]
timeout = 5
retries = 0
[mirrors]
"https://api.github.com/" = "{0}/github/"
"https://gitlab.com/" = "{0}/gitlab/"
"https://sourceforge.net/" = "{0}/sf/"
"""


class Folder:
    """A folder with debian/watch, on a machine whose forges are on the loopback."""

    def __init__(self, rig: Rig, web: Web) -> None:
        self.rig, self.web = rig, web
        self.debian = rig.root / "hello" / "debian"
        self.debian.mkdir(parents=True)
        text = "hello (1.0-1) unstable; urgency=low\n\n  * x\n\n -- A <a@a.invalid>"
        text += "  Thu, 01 Jan 2026 00:00:00 +0000\n"
        (self.debian / "changelog").write_text(text)
        rig.configure(MIRRORS.format(web.url))

    def check(self, text: str, *, status: int | None = 0, **env: Any) -> dict[str, Any]:
        (self.debian / "watch").write_text(text)
        done = self.rig.run("check", self.debian.parent, "--json", status=status, **env)
        (row,) = json.loads(done.stdout)
        answer: dict[str, Any] = row
        return answer


@pytest.fixture
def folder(rig: Rig, web: Web) -> Folder:
    return Folder(rig, web)


def template(name: str, *lines: str) -> str:
    return "\n".join(("Version: 5", "", f"Template: {name}", *lines, ""))


def test_github(folder: Folder) -> None:
    api = "https://api.github.com/repos/o/hello"
    refs = [{"ref": f"refs/tags/v{v}", "url": f"{api}/git/refs/tags/v{v}"} for v in ("1.9", "1.10")]
    folder.web.serve("/github/repos/o/hello/git/matching-refs/tags/", json.dumps(refs))
    row = folder.check(template("GitHub", "Dist: https://github.com/o/hello"))
    assert (row["status"], row["newest"]) == ("new", "1.10")
    assert row["url"] == f"{api}/tarball/refs/tags/v1.10"


def test_gitlab(folder: Folder) -> None:
    tags = json.dumps([{"name": "v1.9"}, {"name": "v1.10"}], separators=(",", ":"))
    folder.web.serve("/gitlab/api/v4/projects/o%2Fhello/repository/tags", tags)
    row = folder.check(template("GitLab", "Dist: https://gitlab.com/o/hello"))
    assert row["newest"] == "1.10"
    assert row["url"] == "https://gitlab.com/o/hello/-/archive/v1.10/hello-v1.10.tar.gz"


def test_an_index_and_a_registry(folder: Folder) -> None:
    web = folder.web
    web.serve("/simple/hello/", '<a href="/f/Hello-1.2.tar.gz#sha256=0">x</a>')
    row = folder.check(template("PyPI", "Dist: hello"), PIP_INDEX_URL=f"{web.url}/simple/")
    assert (row["newest"], row["url"].partition("#")[0]) == ("1.2", f"{web.url}/f/Hello-1.2.tar.gz")
    tarball = {"dist": {"tarball": f"{web.url}/hello/-/hello-1.3.0.tgz"}}
    web.serve("/npm/hello", json.dumps({"versions": {"1.3.0": tarball}}))
    row = folder.check(
        template("Npmregistry", "Dist: hello"), NPM_CONFIG_REGISTRY=f"{web.url}/npm/"
    )
    assert row["newest"] == "1.3.0"


@pytest.mark.parametrize(
    "head", ["http://sf.net/hello", "https://qa.debian.org/watch/sf.php/hello"]
)
def test_the_redirector_for_sourceforge(folder: Folder, head: str) -> None:
    folder.web.serve("/sf/projects/hello/rss", sourceforge("1.9", "1.10"), type="text/xml")
    row = folder.check(f"version=4\n{head}/ hello-([\\d.]+)\\.tar\\.gz\n")
    assert row["newest"] == "1.10"
    assert row["url"].endswith("/hello/1.10/hello-1.10.tar.gz/download")


def test_a_bucket_of_several_pages(folder: Folder) -> None:
    def page(key: str, more: str) -> str:
        return (
            f"<ListBucketResult><IsTruncated>{more}</IsTruncated>"
            f"<Contents><Key>{key}</Key></Contents></ListBucketResult>"
        )

    folder.web.serve("/b/", page("hello-1.10.zip", "true"), type="application/xml")
    folder.web.serve("/b/?marker=hello-1.10.zip", page("hello-1.9.zip", "false"))
    row = folder.check(f"version=4\n{folder.web.url}/b/ hello-([\\d.]+)\\.zip\n")
    assert row["newest"] == "1.10"
    folder.web.serve("/b/?marker=hello-1.10.zip", page("hello-1.20.zip", "false"))
    row = folder.check(f"version=4\n{folder.web.url}/b/ hello-([\\d.]+)\\.zip\n")
    assert row["newest"] == "1.20"
