"""Watch files that people have, and what was wrong in what toolsync said of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.servers.ftp import Ftp
from tests.servers.web import Web
from tests.support.archives import gz, tar
from tests.support.rig import Rig, environment
from tests.unit.watchfile.test_servers import Folder, template

FILENAME = r'opts="filenamemangle=s/.+\/v?(\d\S*)\.tar\.gz/golang-x-\$1\.tar\.gz/'
TILDE = r"uversionmangle=s/(\d)[_\.\-\+]?(RC|rc|pre|dev|beta|alpha)[.]?(\d*)$/\$1~\$2\$3/"


@pytest.fixture
def folder(rig: Rig, web: Web) -> Folder:
    return Folder(rig, web)


def links(folder: Folder, path: str, *names: str) -> str:
    """Serve a page that links to these, and return its address."""
    folder.web.serve(path, "".join(f'<a href="{name}">{name}</a>\n' for name in names))
    return folder.web.url + path


def fetch(folder: Folder, text: str, output: Path) -> dict[str, Any]:
    (folder.debian / "watch").write_text(text)
    done = folder.rig.run("fetch", folder.debian.parent, "--output", output, "--json", status=None)
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def test_a_dollar_behind_a_backslash_is_a_group(folder: Folder) -> None:
    names = [f"/o/r/archive/v{v}.tar.gz" for v in ("8.4.4", "8.4.5-rc.1")]
    page = links(folder, "/o/r/tags", *names)
    text = (
        f'version=4\n{FILENAME}, \\\n      {TILDE}" \\\n  {page} .*/v?(\\d\\S*)\\.tar\\.gz debian\n'
    )
    row = folder.check(text)
    assert (row["status"], row["newest"]) == ("new", "8.4.5~rc1")


def test_the_file_is_named_by_the_group(folder: Folder, tmp_path: Path) -> None:
    page = links(folder, "/o/s/tags", "/f/v1.1.tar.gz")
    folder.web.serve("/f/v1.1.tar.gz", gz(tar()), type="application/gzip")
    row = fetch(
        folder, f'version=4\n{FILENAME}" {page} .*/v?(\\d\\S*)\\.tar\\.gz\n', tmp_path / "out"
    )
    assert row["file"] == "golang-x-1.1.tar.gz"


def test_a_macro_in_filenamemangle(folder: Folder, tmp_path: Path) -> None:
    page = links(folder, "/d/", "hello-1.1.tar.gz")
    folder.web.serve("/d/hello-1.1.tar.gz", gz(tar()), type="application/gzip")
    rule = r"filenamemangle=s/.*?(\d\S+)(@ARCHIVE_EXT@)/$1-x$2/"
    row = fetch(folder, f'version=4\nopts="{rule}" {page} hello-(.*)\\.tar\\.gz\n', tmp_path / "o")
    assert row["file"] == "1.1-x.tar.gz"


def test_version_2_is_read_with_a_warning(folder: Folder) -> None:
    page = links(folder, "/d/", "demo-1.1.tar.gz")
    row = folder.check(f"version=2\n{page}demo-(.*)\\.tar\\.gz debian\n")
    assert (row["status"], row["newest"]) == ("new", "1.1")
    (warning,) = row["warnings"]
    assert "of version 2" in warning
    assert "write version=4" in warning


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("opts=repack \\ \n{page} demo-(.*)\\.tar\\.gz\n", "line 2 ends with a backslash and a b"),
        ("# x\n{page} demo-.*\\.tar\\.gz\n", "line 3 has the pattern demo-.*\\.tar\\.gz, in which"),
        ("{page} demo-((.*\\.tar\\.gz\n", "line 2: the matching pattern"),
        ("opts=uversionmangle=s/a/b {page} demo-(.*)\n", "line 2: uversionmangle"),
    ],
)
def test_the_message_alone_says_all(folder: Folder, text: str, says: str) -> None:
    page = links(folder, "/d/", "demo-1.1.tar.gz")
    row = folder.check(f"version=4\n{text.format(page=page)}", status=None)
    assert row["status"] == "error"
    assert row["message"].startswith(f"debian/watch {says}")
    assert row["message"].count(". ") >= 1  # then what would be right


@pytest.mark.parametrize(
    "line",
    [
        "{page}demo-(.*)\\.tar\\.gz",
        "# see http://h.invalid/ first\n{page} nothing-(.*)",
        "{site}/@PACKAGE@/ @PACKAGE@-(\\d.*)",
        "{site}/(\\d+)/ x-(.*)",
    ],
)
def test_the_address_is_the_page_that_was_asked(folder: Folder, line: str) -> None:
    page = links(folder, "/hello/", "other.zip")
    links(folder, "/", "other.zip")
    text = line.format(page=page, site=folder.web.url)
    row = folder.check(f"version=4\n{text}\n", status=None)
    assert row["status"] == "drifted"
    assert row["url"] == (f"{folder.web.url}/" if "/(\\d+)/" in line else page)


@pytest.mark.parametrize(
    ("words", "path", "names", "variable"),
    [
        (
            ("CRAN", "Package: vegan"),
            "/package=vegan",
            "../src/contrib/vegan_{}.tar.gz",
            "R_CRAN_WEB",
        ),
        (
            ("Bioconductor", "Package: IRanges"),
            "/packages/IRanges",
            "../src/contrib/IRanges_{}.tar.gz",
            "BIOCONDUCTOR_MIRROR",
        ),
    ],
    ids=["CRAN", "Bioconductor"],
)
def test_templates_of_registries(
    folder: Folder, words: tuple[str, str], path: str, names: str, variable: str
) -> None:
    links(folder, path, names.format("2.6-4"), names.format("2.5-7"))
    environment: dict[str, Any] = {variable: f"{folder.web.url}/"}
    row = folder.check(template(*words), **environment)
    assert (row["status"], row["newest"]) == ("new", "2.6-4")
    assert row["url"].startswith(folder.web.url)


def test_the_template_for_perl(folder: Folder) -> None:
    found = [
        {"fields": {"version": v, "download_url": f"https://h.invalid/A/Foo-Bar-{v}.tar.gz"}}
        for v in ("1.09", "1.10")
    ]
    folder.web.serve("/v1/release/_search", json.dumps({"hits": {"hits": found}}))
    row = folder.check(template("Metacpan", "Dist: Foo::Bar"), METACPAN_API=folder.web.url)
    assert (row["status"], row["newest"]) == ("new", "1.10")
    assert row["url"] == "https://h.invalid/A/Foo-Bar-1.10.tar.gz"


def test_a_registry_is_known_by_the_packages_homepage(folder: Folder) -> None:
    (folder.debian / "control").write_text("Source: x\nHomepage: https://cran.example/package=x\n")
    folder.rig.configure(
        f'[http]\nretries = 0\n[mirrors]\n"https://cran.example/" = "{folder.web.url}/"\n'
    )
    links(folder, "/package=vegan", "../vegan_1.2.tar.gz")
    row = folder.check(template("CRAN", "Package: vegan"))
    assert row["newest"] == "1.2"


def test_ftp_is_followed_and_proves_nothing(folder: Folder, tmp_path: Path) -> None:
    files = {f"/gnu/{d}/hello-{d}.tar.gz": gz(tar()) for d in ("1.9", "1.10")}
    with Ftp(files) as server:
        text = f"version=4\n{server.url}/gnu/([\\d.]+)/ hello-(.+)\\.tar\\.gz\n"
        row = folder.check(text)
        assert (row["status"], row["newest"]) == ("new", "1.10")
        assert row["url"] == f"{server.url}/gnu/1.10/hello-1.10.tar.gz"
        assert "proves nothing" in row["warnings"][0]
        got = fetch(folder, text, tmp_path / "out")
    assert (got["file"], got["verify"], got["accepted"]) == ("hello-1.10.tar.gz", "unchecked", True)
    assert "proves nothing" in got["warnings"][0]


def test_a_page_by_http_leads_to_no_ftp(folder: Folder) -> None:
    page = links(folder, "/d/", "ftp://127.0.0.1:1/hello-1.1.tar.gz")
    row = folder.check(f"version=4\n{page} .*hello-(.+)\\.tar\\.gz\n", status=None)
    assert row["status"] == "drifted"


def test_a_key_of_a_bucket_is_escaped_so_that_s3_reads_it_back(folder: Folder) -> None:
    keys = "<Contents><Key>a b/hello-1.1+x.zip</Key></Contents>"
    folder.web.serve("/b/", f"<ListBucketResult>{keys}</ListBucketResult>", type="application/xml")
    row = folder.check(f"version=4\n{folder.web.url}/b/ .*hello-(.+)\\.zip\n")
    assert (row["newest"], row["url"]) == ("1.1+x", f"{folder.web.url}/b/a%20b/hello-1.1%2Bx.zip")


def test_a_pattern_is_printed_as_it_is_written(folder: Folder) -> None:
    page = links(folder, "/d/", "other.zip")
    row = folder.check(f"version=4\n{page} hello-(\\d\\S*)\\.tar\\.gz\n", status=None)
    assert "hello-(\\d\\S*)\\.tar\\.gz" in row["message"]


def test_a_name_that_is_a_folder_here_is_taken_as_one(folder: Folder, tmp_path: Path) -> None:
    page = links(folder, "/d/", "hello-1.1.tar.gz")
    (folder.debian / "watch").write_text(f"version=4\n{page} hello-(.+)\\.tar\\.gz\n")
    argv = folder.rig.argv("check", "hello", "--json")
    where = folder.debian.parent.parent
    done = subprocess.run(argv, cwd=where, capture_output=True, text=True, env=environment())
    (row,) = json.loads(done.stdout)
    assert (row["tool"], row["newest"]) == ("hello", "1.1")
