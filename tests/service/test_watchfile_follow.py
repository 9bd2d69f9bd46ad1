"""A folder with debian/watch as a whole definition: check and fetch through the command line."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.support.archives import zip_of
from tests.support.keys import throwaway_keys
from tests.support.rig import Rig
from tests.support.tiny import archive

PATTERN = "@PACKAGE@@ANY_VERSION@@ARCHIVE_EXT@"
DEP5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"


class Package:
    """A source package that follows a loopback upstream."""

    def __init__(self, root: Path, web: Web) -> None:
        self.web = web
        self.rig = Rig(root / "rig")
        self.out = root / "out"
        self.debian = root / "hello" / "debian"
        (self.debian / "source").mkdir(parents=True)
        self.write("source/format", "3.0 (quilt)\n")
        self.version("1.0-1")

    def write(self, name: str, text: str) -> None:
        path = self.debian / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def version(self, version: str) -> None:
        end = " -- A <a@a.invalid>  Mon, 01 Jan 2024 00:00:00 +0000\n"
        self.write("changelog", f"hello ({version}) unstable; urgency=low\n\n  * x.\n\n{end}")

    def watch(self, *lines: str) -> None:
        text = "\n".join(lines).replace("BASE", self.web.url)
        self.write("watch", f"version=4\n{text}\n")

    def page(self, *names: str, path: str = "/") -> None:
        links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
        self.web.serve(path, f"<html><body>{links}</body></html>")

    def check(self, status: int = 0) -> Any:
        (row,) = self.rig.json("check", self.debian.parent, status=status)
        return row

    def fetch(self, *words: str, status: int = 0) -> Any:
        return self.rig.json(
            "fetch", self.debian.parent, "--output", self.out, *words, status=status
        )

    def files(self) -> list[str]:
        return sorted(p.name for p in self.out.iterdir()) if self.out.exists() else []


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Package]:
    with Web() as web:
        yield Package(tmp_path, web)


def test_a_new_release_is_seen_and_fetched(package: Package) -> None:
    package.watch(f"BASE/ {PATTERN}")
    package.page("hello-1.0.tar.gz", "hello-1.10.tar.gz", "hello-1.9.tar.gz")
    package.web.serve("/hello-1.10.tar.gz", archive("1.10"))
    row = package.check()
    assert (row["tool"], row["current"], row["newest"]) == ("hello", "1.0", "1.10")
    assert row["status"] == "new"
    found = package.fetch()
    assert (found["accepted"], found["verify"]) == (True, "unchecked")
    assert package.files() == ["hello-1.10.tar.gz", "hello_1.10.orig.tar.gz"]
    assert (package.out / found["orig"]).read_bytes() == archive("1.10")


def test_what_is_current_and_what_was_withdrawn(package: Package) -> None:
    package.watch(f'opts="dversionmangle=auto" BASE/ {PATTERN}')
    package.page("hello-1.0.tar.gz")
    package.version("1:1.0+dfsg.1-3")
    assert package.check()["status"] == "up-to-date"
    package.version("2.0-1")
    assert package.check(status=3)["status"] == "recalled"
    assert package.fetch(status=3)["accepted"] is False
    assert package.files() == []


def test_faults_of_a_folder_are_told_in_its_row(package: Package) -> None:
    package.page("hello-2.0.tar.gz")
    for text in ("BASE/ hello-((.+)", "file:///etc/ (passwd)", "# nothing", "BASE/ hello"):
        package.watch(text)
        assert package.check(status=5)["status"] == "error"
    package.watch(f"BASE/ {PATTERN}")
    (package.debian / "changelog").unlink()
    assert "changelog" in package.check(status=5)["message"]


def test_a_key_always_means_verify(package: Package) -> None:
    """Whatever the watch file says of signatures; uscan accepts all but the first of these."""
    package.watch(f"BASE/ {PATTERN}")
    package.page("hello-2.0.tar.gz")
    package.web.serve("/hello-2.0.tar.gz", archive("2.0"))
    with throwaway_keys() as keys:
        ours, other = keys.make("Ours"), keys.make("Other")
        keys.export(package.debian / "upstream" / "signing-key.asc", ours)
        data = package.debian.parent / "data"
        data.write_bytes(archive("2.0"))

        def signed_by(*names: str) -> bytes:
            return keys.sign(data, data.with_suffix(".asc"), *names).read_bytes()

        assert package.fetch(status=3)["verify"] == "missing-signature"
        package.web.serve("/hello-2.0.tar.gz.asc", signed_by(other))
        assert package.fetch(status=3)["verify"] == "bad"
        assert package.files() == []
        package.web.serve("/hello-2.0.tar.gz.asc", signed_by(other, ours))
        assert package.fetch()["verify"] == "good"
        package.watch(f'opts="pgpmode=none" BASE/ {PATTERN}')
        assert package.fetch()["verify"] == "unchecked"


def test_signatures_over_the_plain_tar_and_inside_the_file(package: Package) -> None:
    package.page("hello-2.0.tar.gz", "hello-2.0.tar.gz.gpg")
    package.web.serve("/hello-2.0.tar.gz", archive("2.0"))
    with throwaway_keys() as keys:
        ours = keys.make("Ours")
        keys.export(package.debian / "upstream" / "signing-key.asc", ours)
        data, signed = package.debian.parent / "data", package.debian.parent / "signed"
        data.write_bytes(gzip.decompress(archive("2.0")))
        package.web.serve("/hello-2.0.tar.sign", keys.sign(data, signed, ours).read_bytes())
        package.watch(f'opts="pgpsigurlmangle=s/\\.gz$/.sign/, decompress" BASE/ {PATTERN}')
        assert package.fetch()["verify"] == "good"
        data.write_bytes(archive("2.0"))
        keys.sign(data, signed, ours, how=("--sign",))
        package.web.serve("/hello-2.0.tar.gz.gpg", signed.read_bytes())
        package.watch(f'opts="pgpmode=self" BASE/ {PATTERN}\\.gpg')
        found = package.fetch()
        assert (found["verify"], found["orig"]) == ("good", "hello_2.0.orig.tar.gz")
        assert (package.out / found["orig"]).read_bytes() == archive("2.0")


def test_a_file_that_lies_there_is_never_trusted(package: Package) -> None:
    """uscan takes a file of the right name for the download (the class of CVE-2025-8454)."""
    package.watch(f"BASE/ {PATTERN}")
    package.page("hello-2.0.tar.gz")
    package.web.serve("/hello-2.0.tar.gz", archive("2.0"))
    package.out.mkdir()
    (package.out / "hello-2.0.tar.gz").write_bytes(archive("9.9"))
    found = package.fetch(status=3)
    assert (found["accepted"], found["verify"], found["orig"]) == (False, "bad", None)
    assert package.files() == ["hello-2.0.tar.gz"]


def test_checksums_beside_the_file_must_be_right(package: Package) -> None:
    package.watch(f"BASE/ {PATTERN}")
    names = ("hello-2.0.tar.gz", "SHA256SUMS", "hello-2.0.tar.gz.sha512", "hello-2.0.tar.gz.sha256")
    package.page(*names)
    package.web.serve("/hello-2.0.tar.gz", archive("2.0"))
    digest = hashlib.sha256(archive("2.0")).hexdigest()
    package.web.serve("/SHA256SUMS", "<html>Sorry, not found</html>")  # with status 200
    package.web.serve("/hello-2.0.tar.gz.sha512", status=403)
    assert package.fetch()["verify"] == "unchecked"
    package.web.serve("/hello-2.0.tar.gz.sha256", "0" * 64, type="text/plain")
    assert package.fetch(status=3)["verify"] == "bad"
    package.web.serve("/hello-2.0.tar.gz.sha256", digest, type="text/plain")
    assert package.fetch()["verify"] == "good"


def test_checksums_are_asked_for_only_where_they_may_be(package: Package) -> None:
    """Without a key nobody has promised any: nine questions for each tarball were a nuisance."""
    package.watch(f"BASE/ {PATTERN}")
    package.page("hello-2.0.tar.gz", "hello-2.0.tar.gz.sha512")
    package.web.serve("/hello-2.0.tar.gz", archive("2.0"))
    digest = hashlib.sha512(archive("2.0")).hexdigest()
    package.web.serve("/hello-2.0.tar.gz.sha512", digest, type="text/plain")
    assert package.fetch()["verify"] == "good"
    assert [asked.path for asked in package.web.asked] == [
        "/",
        "/hello-2.0.tar.gz",
        "/hello-2.0.tar.gz.sha512",
    ]
    package.page("files/hello-3.0.tar.gz")
    package.watch("BASE/ files/hello-([\\d.]+)\\.tar\\.gz")
    package.web.serve("/files/hello-3.0.tar.gz", archive("3.0"))
    assert package.fetch()["verify"] == "unchecked"
    assert [asked.path for asked in package.web.asked][5:] == [
        "/files/hello-3.0.tar.gz.sha256",
        "/files/SHA256SUMS",
    ]


def test_a_component_states_its_own_version(package: Package) -> None:
    """ctype (uscan(1)): regardless of the version that debian/changelog tells."""
    file = package.debian.parent / "extra" / "package.json"
    file.parent.mkdir()
    package.page("hello-1.0.tar.gz", "extra-3.1.tar.gz")
    package.web.serve("/hello-1.0.tar.gz", archive("1.0"))
    package.web.serve("/extra-3.1.tar.gz", archive("3.1", name="extra"))

    def watch(schema: str) -> None:
        package.watch(
            f"BASE/ hello-([\\d.]+)\\.tar\\.gz {'group' if schema != 'ignore' else ''}",
            f'opts="component=extra,ctype=nodejs" BASE/ extra-([\\d.]+)\\.tar\\.gz {schema}',
        )

    for schema, joined in (("group", "1.0+~3.0"), ("checksum", "1.0+~cs3.0")):
        watch(schema)
        package.version(f"{joined}-1")
        for text, status in (
            ('{"version": "3.1"}', "up-to-date"),
            ('{"version": "3.0"}', "new"),
            ('{"version": ["3.1"]}', "new"),  # nothing that can be used: the changelog counts
            ("[" * 200_000, "new"),
        ):
            file.write_text(text)
            assert (package.check()["status"], schema, text[:20]) == (status, schema, text[:20])
    watch("ignore")
    package.version("1.0-1")
    file.write_text('{"version": "3.0"}')
    assert package.fetch()["status"] == "new"
    file.write_text('{"version": "3.1"}')
    assert package.fetch()["status"] == "up-to-date"


def test_what_would_change_the_contents_is_refused(package: Package) -> None:
    package.page("hello-2.0.zip")
    package.web.serve("/hello-2.0.zip", zip_of())
    for option, accepted in (("-aa", False), ("-j -q", False), ("-qq -o", True)):
        package.watch(f'opts="unzipopt={option}" BASE/ hello-([\\d.]+)\\.zip')
        found = package.fetch(status=0 if accepted else 5)
        assert (found["accepted"], "unzipopt" in found["message"]) == (accepted, not accepted)
    assert package.check()["status"] == "new"  # looking needs no zip


def test_the_newest_folder_may_be_empty(package: Package) -> None:
    package.watch(f"BASE/v([\\d.]+)/ {PATTERN}")
    package.page("v1.0/", "v2.0/", "v3.0/")
    package.page("README", path="/v3.0/")
    package.page("hello-2.0.tar.gz", path="/v2.0/")
    assert package.check()["url"].endswith("/v2.0/hello-2.0.tar.gz")


@pytest.mark.parametrize(
    ("watch", "body"),
    [
        ("BASE/ get\\?a=1&amp;f=/dl/hello-([\\d.]+)\\.tgz", '<a href="get?a=1&amp;f=/dl/N">'),
        ("BASE/ .*/hello-([\\d.]+)\\.tgz", '<noscript><a href="/dl/N"></noscript>'),
        ('opts=searchmode=plain BASE/ http[^"]*/hello-([\\d.]+)\\.tgz', '{"u": "J\\/dl\\/N"}'),
    ],
    ids=["an ampersand as the page spells it", "noscript", "slashes of JSON"],
)
def test_links_as_pages_spell_them(package: Package, watch: str, body: str) -> None:
    package.watch(watch)
    text = body.replace("N", "hello-2.0.tgz").replace("J", package.web.url.replace("/", "\\/"))
    package.web.serve("/", f"<html>{text}</html>")
    row = package.check()
    assert (row["status"], row["newest"]) == ("new", "2.0")
    assert row["url"].endswith("/dl/hello-2.0.tgz")


def test_checksums_are_sums_of_numbers(package: Package) -> None:
    """uscan(1): only versions composed of digits and full stops are accepted."""
    package.watch(
        "BASE/ hello-([\\d.]+)\\.tgz group", "opts=component=b BASE/ b-(.+)\\.tgz checksum"
    )
    package.page("hello-2.0.tgz", "b-1.2.3-beta.4.tgz")
    assert "digits and dots" in package.check(status=5)["message"]


def test_an_explosive_pattern_ends_at_once(package: Package) -> None:
    package.watch("BASE/ hello-((?:\\d|\\d\\d)+)x?\\.tar\\.gz")
    package.page(f"hello-{'1' * 60}y.tar.gz")
    row = package.check(status=5)
    assert (row["status"], "was stopped" in row["message"]) == ("error", True)


def test_secrets_stay_with_their_host_and_agents_are_sent(package: Package) -> None:
    package.watch(f'opts="useragent=me/1 (x, y)" BASE/ {PATTERN}')
    package.page("hello-2.0.tar.gz")
    port = package.web.url.rpartition(":")[2]
    package.web.serve(
        "/hello-2.0.tar.gz", status=302, headers={"Location": f"http://localhost:{port}/there"}
    )
    package.web.serve("/there", archive("2.0"))
    assert package.fetch("--http-header", f"{package.web.url}@Token=secret")["accepted"]
    tokens = {asked.path: asked.headers.get("token") for asked in package.web.asked}
    assert (tokens["/"], tokens["/hello-2.0.tar.gz"], tokens["/there"]) == (
        "secret",
        "secret",
        None,
    )
    assert {asked.headers["user-agent"] for asked in package.web.asked} == {"me/1 (x, y)"}


def test_excluded_files_give_the_version_its_suffix(package: Package) -> None:
    package.watch(f'opts="repacksuffix=+ds,dversionmangle=auto" BASE/ {PATTERN}')
    package.page("hello-2.0.tar.gz")
    package.web.serve("/hello-2.0.tar.gz", archive("2.0"))
    package.write("copyright", f"{DEP5}Files-Excluded: LICENSE\n")
    assert package.fetch()["orig"] == "hello_2.0+ds.orig.tar.xz"
    assert package.fetch("--no-exclusion")["orig"] == "hello_2.0.orig.tar.gz"


def test_source_format_1_takes_gz_alone(package: Package) -> None:
    package.watch("BASE/ hello-([\\d.]+)\\.tar\\.\\w+")
    package.page("hello-2.0.tar.bz2")
    package.web.serve("/hello-2.0.tar.bz2", bz2.compress(gzip.decompress(archive("2.0"))))
    assert package.fetch()["orig"] == "hello_2.0.orig.tar.bz2"
    package.write("source/format", "1.0\n")
    assert package.fetch()["orig"] == "hello_2.0.orig.tar.gz"


@pytest.mark.parametrize("options", ["repacksuffix=+ds", "oversionmangle=s/$/+ds/"])
def test_the_suffix_is_the_main_tarballs(package: Package, options: str) -> None:
    package.watch(
        f"opts=dversionmangle=auto,{options} BASE/ hello-([\\d.]+)\\.tgz group",
        "opts=component=extra BASE/ extra-([\\d.]+)\\.tgz checksum",
    )
    package.write("copyright", f"{DEP5}Files-Excluded: LICENSE\n")
    package.page("hello-2.0.tgz", "extra-3.1.tgz")
    package.web.serve("/hello-2.0.tgz", archive("2.0"))
    package.web.serve("/extra-3.1.tgz", archive("3.1", name="extra"))
    found = package.fetch()
    assert found["orig"] == "hello_2.0+ds+~cs3.1.orig.tar.xz"
    assert found["components"] == ["hello_2.0+ds+~cs3.1.orig-extra.tar.gz"]
    package.version("2.0+ds+~cs3.1-1")
    assert package.check()["status"] == "up-to-date"


def test_components_come_together_or_not_at_all(package: Package) -> None:
    package.watch(
        "BASE/ hello-([\\d.]+)\\.tar\\.gz group",
        'opts="component=extra" BASE/ extra-([\\d.]+)\\.tar\\.gz group',
    )
    package.page("hello-2.0.tar.gz", "extra-3.1.tar.gz")
    package.web.serve("/hello-2.0.tar.gz", archive("2.0"))
    assert package.check()["newest"] == "2.0+~3.1"
    assert package.fetch(status=4)["accepted"] is False
    assert package.files() == []
    package.web.serve("/extra-3.1.tar.gz", archive("3.1", name="extra"))
    found = package.fetch()
    assert found["orig"] == "hello_2.0+~3.1.orig.tar.gz"
    assert found["components"] == ["hello_2.0+~3.1.orig-extra.tar.gz"]


def test_a_version_may_be_named(package: Package) -> None:
    package.watch(f"BASE/ {PATTERN}")
    package.page("hello-0.9.tar.gz", "hello-2.0.tar.gz")
    package.web.serve("/hello-0.9.tar.gz", archive("0.9"))
    found = package.fetch("--version", "0.9")
    assert (found["version"], found["status"], found["accepted"]) == ("0.9", "new", True)
    assert package.fetch("--version", "7.7", status=2)["accepted"] is False


def test_a_component_may_have_a_source_for_its_signature(package: Package) -> None:
    package.watch(
        'opts="pgpmode=none" BASE/ hello-([\\d.]+)\\.tar\\.gz',
        'opts="component=extra,pgpmode=next" BASE/ extra-([\\d.]+)\\.tar\\.gz ignore',
        'opts="component=extra,pgpmode=previous" BASE/ extra-([\\d.]+)\\.tar\\.gz\\.asc',
    )
    package.page("hello-2.0.tar.gz", "extra-3.0.tar.gz", "extra-3.0.tar.gz.asc")
    package.web.serve("/hello-2.0.tar.gz", archive("2.0"))
    extra = archive("3.0", name="extra")
    package.web.serve("/extra-3.0.tar.gz", extra)
    with throwaway_keys() as keys:
        ours = keys.make("Ours")
        keys.export(package.debian / "upstream" / "signing-key.asc", ours)
        data, signed = package.debian.parent / "data", package.debian.parent / "signed"
        data.write_bytes(extra)
        package.web.serve("/extra-3.0.tar.gz.asc", keys.sign(data, signed, ours).read_bytes())
        assert package.fetch()["components"] == ["hello_2.0.orig-extra.tar.gz"]
        package.web.serve("/extra-3.0.tar.gz", archive("3.1", name="extra"))
        assert package.fetch(status=3)["verify"] == "bad"


def test_two_parts_of_one_name(package: Package) -> None:
    line = "BASE/{}/ hello-([\\d.]+)\\.tar\\.gz"
    package.watch(line.format("a"), f'opts="component=extra" {line.format("b")} same')
    for place, name in (("a", "hello"), ("b", "extra")):
        package.page("hello-2.0.tar.gz", path=f"/{place}/")
        package.web.serve(f"/{place}/hello-2.0.tar.gz", archive("2.0", name=name))
    assert "hello-2.0.tar.gz" in package.fetch(status=5)["message"]
    assert package.files() == []
    package.web.serve("/b/hello-2.0.tar.gz", archive("2.0"))
    assert "the same bytes as its main tarball" in package.fetch(status=3)["message"]
    assert package.files() == []
    # Of another name and unproved, which no archive takes, it is for a person to know.
    other = 'opts="component=extra" BASE/b/ extra-([\\d.]+)\\.tar\\.gz group'
    package.watch(line.format("a").replace("gz", "gz group"), other)
    package.page("extra-3.0.tar.gz", path="/b/")
    package.web.serve("/b/extra-3.0.tar.gz", archive("2.0"))
    assert package.fetch()["components"] == ["hello_2.0+~3.0.orig-extra.tar.gz"]


def test_a_branch_of_a_repository_has_a_version_by_its_day_in_utc(package: Package) -> None:
    repository = package.debian.parent.parent / "repository"
    git = ["git", "-C", str(repository), "-c", "user.name=A", "-c", "user.email=a@a.invalid"]
    subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True)
    late = {"GIT_COMMITTER_DATE": "2024-03-04T23:00:00-05:00", "PATH": os.environ["PATH"]}
    words = ("commit", "-q", "--allow-empty", "-m", "one")
    subprocess.run([*git, *words], check=True, env=late)
    for ref in ("HEAD", "heads/main", "refs/heads/main"):
        package.watch(f'opts="mode=git,uversionmangle=s/^0/9/" file://{repository} {ref}')
        assert package.check(status=3)["newest"].startswith("0.0~git20240305.")
    package.watch(f'opts="mode=git,pretty=2+%cd,date=%H%M" file://{repository} HEAD')
    assert package.check()["newest"] == "2+0400"


def test_a_tag_of_a_repository(package: Package) -> None:
    repository = package.debian.parent.parent / "repository"
    git = ["git", "-C", str(repository), "-c", "user.name=A", "-c", "user.email=a@a.invalid"]
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    (repository / "a.c").write_text("int a;\n")
    (repository / "hidden").write_text("x\n")
    (repository / ".gitattributes").write_text("hidden export-ignore\n")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "one"], check=True)
    subprocess.run([*git, "tag", "v2.0"], check=True)
    subprocess.run([*git, "tag", "debian/9"], check=True)
    for options, hidden in (("", False), (",gitexport=all", True)):
        package.watch(
            f'opts="mode=git,pgpmode=none{options}" file://{repository} refs/tags/v([\\d.]+)'
        )
        found = package.fetch()
        assert found["orig"] == "hello_2.0.orig.tar.xz"
        listed = subprocess.run(
            ["tar", "-tf", package.out / found["orig"]], check=True, capture_output=True, text=True
        ).stdout
        assert "hello-2.0/a.c" in listed
        assert ("hello-2.0/hidden" in listed) is hidden
        for path in package.out.iterdir():
            path.unlink()
    package.watch(f'opts="mode=git,gitmodules=all" file://{repository} refs/tags/v([\\d.]+)')
    assert "gitmodules" in package.fetch(status=5)["message"]
    package.watch(f'opts="mode=git,pgpmode=gittag" file://{repository} refs/tags/v([\\d.]+)')
    assert package.fetch(status=3)["verify"] == "no-keyring"
