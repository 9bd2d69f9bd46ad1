"""What an archive's package lists say of build dependencies, by Debian Policy chapter 7."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.web import Web
from toolsync.build.archives import Archive, control_of, series_of, stanzas
from toolsync.config.settings import Build
from toolsync.model.errors import NotThere, SetupError
from toolsync.system.apt import private_apt

PACKAGES = """\
Package: debhelper
Version: 13.11
Provides: debhelper-compat (= 13), dh-sequence-single-binary

Package: libfoo-dev
Version: 1:2.0-1

Package: exim4
Version: 4.96
Provides: mail-transport-agent
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """An archive that apt trusts because the test says so."""
    place = tmp_path_factory.mktemp("archive")
    listed = "".join(
        f"{part.rstrip()}\nArchitecture: all\nFilename: x\nSize: 1\nSHA256: {'0' * 64}\n\n"
        for part in PACKAGES.split("\n\n")
    )
    (place / "Packages").write_text(listed)
    stanza = f"Types: deb\nURIs: file:{place}\nSuites: ./\nTrusted: yes\n"
    archive = Archive("bookworm", place, private_apt(place / "root", stanza))
    archive.update()
    return archive


@pytest.mark.parametrize(
    ("field", "lacks"),
    [
        ("debhelper-compat (= 13), libfoo-dev (>= 1:1.9), dh-sequence-single-binary", ()),
        ("debhelper-compat (= 14)",
            ("debhelper-compat (= 14): there is debhelper-compat 13",)),
        ("libfoo-dev (>= 1:3)", ("libfoo-dev (>= 1:3): there is libfoo-dev 1:2.0-1",)) ,
        ("libfoo-dev (>= 1:3) | mail-transport-agent", ()),
        ("nobody | noone (>> 1)", ("nobody | noone (>> 1): there is none",)),
        ("nobody [hurd-any], nobody <!nocheck>, one <nocheck>, ${perl:Depends},",
            ("nobody: there is none",)),
        ("# a comment\n libfoo-dev,\n", ()),
        ("mail-transport-agent (>= 1)", (
            "mail-transport-agent (>= 1): there is mail-transport-agent (no version)",)),
    ],
)  # fmt: skip
def test_what_a_series_cannot_meet_is_told_with_what_there_is(
    archive: Archive, field: str, lacks: tuple[str, ...]
) -> None:
    found = archive.lacks({"Build-Depends": field})
    assert tuple(one.told for one in found) == lacks


def test_a_sources_file_says_by_whom_each_archive_is_signed(tmp_path: Path) -> None:
    file = tmp_path / "x.sources"
    stanza = "Types: deb\nURIs: http://a/\nSuites: trixie trixie-updates sid\nComponents: main\n"
    file.write_text(f"{stanza}Signed-By: /k\n")
    settings = Build(sources=str(file))
    assert series_of(settings) == ("trixie", "sid")
    assert "Types: deb deb-src\nURIs: http://a/\nSuites: trixie trixie-updates\n" in stanzas(
        "trixie", settings
    )
    with pytest.raises(SetupError, match="has no archive for bookworm"):
        stanzas("bookworm", settings)
    file.write_text(stanza)
    with pytest.raises(SetupError, match="without Suites or Signed-By"):
        series_of(settings)


def test_the_first_paragraph_of_control_counts(tmp_path: Path) -> None:
    (tmp_path / "control").write_text("Source: x\nBuild-Depends: a,\n b\n\nPackage: y\n")
    assert control_of(tmp_path / "control")["Build-Depends"] == "a,\n b"


SOURCES = """Package: hello
Format: 3.0 (quilt)
Version: VERSION
Binary: hello
Architecture: all
Directory: pool
Checksums-Sha256:
 DIGEST SIZE hello_VERSION.dsc
"""


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        yield server


def name_source(web: Web, version: str) -> None:
    """Let the index of the mirror name this version of hello, and no other."""
    data = f"Source: hello\nVersion: {version}\n".encode()
    index = SOURCES.replace("VERSION", version).replace("SIZE", str(len(data)))
    web.serve("/./Sources", index.replace("DIGEST", hashlib.sha256(data).hexdigest()))
    web.serve(f"/pool/hello_{version.replace('+', '%2b')}.dsc", data)


def mirrored(web: Web, place: Path) -> Archive:
    """Return the archive of a mirror whose index names hello 1-1 as it is read."""
    name_source(web, "1-1")
    stanza = f"Types: deb-src\nURIs: {web.url}/\nSuites: ./\nTrusted: yes\n"
    (place / "archive").mkdir()
    archive = Archive("bookworm", place / "archive", private_apt(place / "root", stanza))
    archive.update()
    return archive


@pytest.mark.parametrize("status", [404, 403, 500])
def test_where_a_version_has_gone_from_the_mirror_the_next_one_is_taken(
    web: Web, tmp_path: Path, status: int
) -> None:
    archive = mirrored(web, tmp_path)
    web.serve("/pool/hello_1-1.dsc", status=status)
    name_source(web, "1-1+deb12u1")
    dsc = archive.source("hello", "1-1", tmp_path / "into")
    assert dsc.name == "hello_1-1+deb12u1.dsc"
    assert archive.current("hello", "1-1").version == "1-1+deb12u1"


def test_what_the_mirror_lacks_though_its_newest_index_names_it_is_told_by_name(
    web: Web, tmp_path: Path
) -> None:
    archive = mirrored(web, tmp_path)
    web.serve("/pool/hello_1-1.dsc", status=404)
    wanted = r"mirror does not have hello_1-1\.dsc, which the index of bookworm names"
    read = sum(asked.path == "/./Sources" for asked in web.asked)
    for _ in range(2):
        with pytest.raises(NotThere, match=wanted):
            archive.source("hello", "1-1", tmp_path / "into")
    with pytest.raises(NotThere, match=wanted):
        archive.file("hello", "1-1", "hello_1-1.dsc", tmp_path / "into")
    assert sum(asked.path == "/./Sources" for asked in web.asked) == read + 1, "once, and no more"
    with pytest.raises(NotThere, match="names no source package nobody"):
        archive.current("nobody", "1-1")
