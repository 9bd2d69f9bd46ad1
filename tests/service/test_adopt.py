"""Existing packaging becomes a tool, which goes on by its name: sync, status, why, approve."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.keys import Keys, throwaway_keys
from tests.support.rig import Rig
from tests.support.tiny import archive, publish, write_tool

WATCH = "version=4\nhttp://HOST/dl/ hello-([\\d.]+)\\.tar\\.gz\n"
FORMER = """\
hello (2:0.9-3) unstable; urgency=low

  * A change.

 -- Ann Other <ann@other.example>  Mon, 01 Jan 2024 00:00:00 +0100
"""
SETTINGS = """
[http]
timeout = 5
retries = 1
[build]
backend = "host"
tests = false
lint = false
sources = "SOURCES"
"""


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        publish(server, "0.9", "1.0")
        yield server


def packaged(place: Path, web: Web) -> Path:
    """Return a folder with another maintainer's packaging of hello 0.9."""
    folder = write_tool(place, f"{web.url}/dl/")
    (folder / "tool.toml").unlink()
    debian = folder / "debian"
    (debian / "changelog").write_text(FORMER)
    (debian / "watch").write_text(WATCH.replace("http://HOST", web.url))
    return folder


def source_package(place: Path, folder: Path) -> Path:
    """Return the .dsc of a folder's packaging with the orig tarball of 0.9."""
    tree = place / "hello-0.9"
    place.mkdir()
    (place / "hello_0.9.orig.tar.gz").write_bytes(archive("0.9"))
    subprocess.run(["tar", "-xf", "hello_0.9.orig.tar.gz"], cwd=place, check=True)
    shutil.copytree(folder / "debian", tree / "debian")
    subprocess.run(["dpkg-source", "--build", tree], cwd=place, check=True, capture_output=True)
    shutil.rmtree(tree)
    (dsc,) = place.glob("*.dsc")
    return dsc


def served(place: Path, dsc: Path, keys: Keys, lacks: str = "12", series: str = "bookworm") -> Path:
    """Return a sources file for a signed archive of one source package, at file:…

    With ``lacks`` its debhelper is too old for the package.
    """
    suite = place / "dists" / series
    for kind, name in (("source", "Sources"), ("binary-amd64", "Packages")):
        (suite / "main" / kind).mkdir(parents=True)
        (suite / "main" / kind / name).write_text("")
    (pool := place / "pool" / "main" / "hello").mkdir(parents=True, exist_ok=True)
    for path in dsc.parent.iterdir():
        shutil.copy(path, pool)
    index = subprocess.run(
        ["dpkg-scansources", "pool"], cwd=place, check=True, capture_output=True, text=True
    )
    other = index.stdout.replace("hello", "other")  # a name whose files nobody has
    (suite / "main" / "source" / "Sources").write_text(f"{index.stdout}\n{other}")
    (suite / "main" / "binary-amd64" / "Packages").write_text(
        f"Package: debhelper\nVersion: {lacks or 13}.1\nArchitecture: all\nFilename: x\n"
        f"Size: 1\nSHA256: {'0' * 64}\nProvides: debhelper-compat (= {lacks or 13})\n\n"
    )
    rows = "".join(
        f" {hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_size}"
        f" {path.relative_to(suite)}\n"
        for path in sorted(suite.rglob("*"))
        if path.is_file()
    )
    head = f"Suite: {series}\nCodename: {series}\nArchitectures: amd64\nComponents: main\n"
    (suite / "Release").write_text(
        f"{head}Date: {format_datetime(datetime.now(UTC), usegmt=True)}\nSHA256:\n{rows}"
    )
    key = keys.make(f"Archive {series} of {dsc.name}")
    keys.sign(suite / "Release", suite / "InRelease", key, how=["--clear-sign"])
    ring = keys.export(place / "archive.asc", key)
    sources = place / "adopt.sources"
    sources.write_text(
        f"Types: deb deb-src\nURIs: file:{place}\nSuites: {series}\nComponents: main\n"
        f"Signed-By: {ring}\n"
    )
    return sources


def rig_with(root: Path, sources: Path | str) -> Rig:
    return Rig(root / "rig", SETTINGS.replace("SOURCES", str(sources)))


@pytest.mark.slow
def test_a_folder_is_adopted_and_goes_the_whole_way_by_its_name(tmp_path: Path, web: Web) -> None:
    folder = packaged(tmp_path / "theirs", web)
    dsc = source_package(tmp_path / "source", folder)
    rig = rig_with(tmp_path, tmp_path / "no.sources")
    (seen,) = rig.json("adopt", dsc, "--dry-run")
    assert (seen["tool"], seen["newest"], seen["folder"]) == ("hello", "1.0", None)
    assert "nothing proves 1.0" in " ".join(seen["undecided"])
    assert "no.sources cannot be read" in " ".join(seen["undecided"])
    assert not (rig.tools / "hello").exists()
    done = rig.run("adopt", dsc)
    assert "proof         none yet" in done.stdout
    toml = rig.tools / "hello" / "tool.toml"
    digest = hashlib.sha256(archive("0.9")).hexdigest()
    assert f'[verify.pins]\n"0.9" = "{digest}"\n' in toml.read_text()
    assert [one["changed"] for one in rig.json("adopt", dsc)] == [False]
    new = hashlib.sha256(archive("1.0")).hexdigest()
    toml.write_text(toml.read_text() + f'"1.0" = "{new}"\n')
    rig.run("sync", "hello", status=3)  # the license's text is known to nobody
    rig.run("approve", "hello", "1.0", "--reason", "it is free")
    rig.run("sync", "hello")
    (row,) = rig.json("status", "hello")
    assert (row["status"], row["current"]) == ("up-to-date", "1.0")
    assert any(name.startswith("hello_1.0-0debian1~ppa1") for name in rig.pool())
    (told,) = rig.json("adopt", "--report")
    assert (told["tool"], told["status"], told["unattended"]) == ("hello", "up-to-date", False)
    (rig.tools / "hello" / "debian" / "rules").write_text("#!/usr/bin/make -f\n%:\n\tdh  $@\n")
    (folder / "debian" / "install").write_text("hello usr/bin\n\n")
    refused = rig.run("adopt", folder, status=2)
    assert "was changed since it was adopted; nothing there is overwritten" in refused.stderr


def test_a_folder_that_was_synced_is_known_by_its_tools_name(tmp_path: Path, web: Web) -> None:
    folder = packaged(tmp_path / "theirs", web)
    rig = rig_with(tmp_path, "")
    rig.run("sync", folder, status=3)
    rows = {row["tool"]: row["status"] for row in rig.json("status", status=3)}
    assert rows["hello"] == "held"
    assert "nothing proves where hello 1.0 comes from" in rig.run("why", "hello").stdout
    assert "nothing proves" in rig.run("sync", "hello", status=3).stdout
    assert "Nothing of hello waits" in rig.run("review", "hello").stdout
    shutil.rmtree(folder)
    assert "hello" not in {row["tool"] for row in rig.json("status")}


def test_an_archives_package_is_adopted_as_its_keyring_vouches(tmp_path: Path, web: Web) -> None:
    folder = packaged(tmp_path / "theirs", web)
    dsc = source_package(tmp_path / "source", folder)
    with throwaway_keys() as keys:
        (place := tmp_path / "archive").mkdir()
        sources = served(place, dsc, keys)
        rig = rig_with(tmp_path, sources)
        (names := tmp_path / "names").write_text("# ours\nhello\nother # has no files\nnobody\n")
        found, *faults = rig.json("adopt", "--from", names, status=2)
        other = keys.export(tmp_path / "other.asc", keys.make("Other"))
    assert (found["tool"], found["source"]) == ("hello", "apt:hello/bookworm")
    assert found["served"] == {"bookworm": "2:0.9-3"}
    lacks = "debhelper-compat (= 13): there is debhelper-compat 12; no tool here has it"
    assert found["lacks"] == {"bookworm": [lacks]}
    assert [fault["source"] for fault in faults] == ["apt:other", "apt:nobody"]
    assert "have no source package nobody" in faults[1]["message"]
    assert (rig.tools / "hello" / "debian" / "changelog").read_text() == FORMER
    sources.write_text(sources.read_text().replace(str(place / "archive.asc"), str(other)))
    refused = rig.run("adopt", "apt:hello", "--output", tmp_path / "out", status=3)
    assert "apt cannot read the archive of bookworm" in refused.stderr


@pytest.mark.slow
def test_a_newer_revision_of_the_distributions_packaging_is_gated_and_published(
    tmp_path: Path, web: Web
) -> None:
    folder = packaged(tmp_path / "theirs", web)
    dsc = source_package(tmp_path / "source", folder)
    with throwaway_keys() as keys:
        (place := tmp_path / "archive").mkdir()
        sources = served(place, dsc, keys, lacks="")
        rig = rig_with(tmp_path, sources)
        rig.json("adopt", "apt:hello/bookworm")
        pin = hashlib.sha256(archive("1.0")).hexdigest()
        (rig.tools / "hello.toml").write_text(f'[verify.pins]\n"1.0" = "{pin}"\n')
        rig.run("sync", "hello", status=None)
        rig.run("approve", "hello", "1.0", "--reason", "seen", status=None)
        rig.run("sync", "hello")
        first = {name for name in rig.pool() if name.endswith(".deb")}
        debian = folder / "debian"
        log = (debian / "changelog").read_text()
        (debian / "changelog").write_text(log.replace("0.9-3", "0.9-4") + "\n" + log)
        (debian / "README.Debian").write_text("What is new in this packaging.\n")
        (later := tmp_path / "later").mkdir()
        newer = served(later, source_package(tmp_path / "newer", folder), keys, lacks="")
    sources.write_text(newer.read_text())
    shutil.rmtree(rig.state / "apt")  # lists are asked for once a day
    done = rig.run("sync", "hello")
    assert "its packaging 2:0.9-3 has become 2:0.9-4 in bookworm" in done.stderr
    second = {name for name in rig.pool() if name.endswith(".deb")} - first
    assert len(first) == len(second) == 1
    assert (
        'adopted = "apt:hello/bookworm 2:0.9-4"' in (rig.tools / "hello" / "tool.toml").read_text()
    )
    (evidence,) = [e for e in rig.json("status", "hello") if e["tool"] == "hello"]
    assert evidence["status"] == "up-to-date"


def repacked(place: Path, folder: Path) -> Path:
    """Return the .dsc of 1.0, of which a distribution has repacked the orig tarball."""
    tree = place / "hello-1.0"
    place.mkdir()
    packed = lzma.compress(gzip.decompress(archive("1.0")))
    (place / "hello_1.0+dfsg.orig.tar.xz").write_bytes(packed)
    subprocess.run(["tar", "-xf", "hello_1.0+dfsg.orig.tar.xz"], cwd=place, check=True)
    shutil.copytree(folder / "debian", tree / "debian")
    (tree / "debian" / "changelog").write_text(FORMER.replace("0.9-3", "1.0+dfsg-1"))
    subprocess.run(["dpkg-source", "--build", tree], cwd=place, check=True, capture_output=True)
    shutil.rmtree(tree)
    (dsc,) = place.glob("*.dsc")
    return dsc


@pytest.mark.slow
def test_what_the_archive_has_repacked_proves_upstreams_file_and_its_terms(
    tmp_path: Path, web: Web
) -> None:
    folder = packaged(tmp_path / "theirs", web)
    dsc = repacked(tmp_path / "source", folder)
    with throwaway_keys() as keys:
        (place := tmp_path / "archive").mkdir()
        rig = rig_with(tmp_path, served(place, dsc, keys, lacks=""))
        (found,) = rig.json("adopt", folder)
        assert found["proof"] == (
            "the orig tarball of 2:1.0+dfsg-1 in bookworm has the same content"
        )
        toml = (rig.tools / "hello" / "tool.toml").read_text()
        assert f'"1.0" = "{hashlib.sha256(archive("1.0")).hexdigest()}"\n' in toml
        assert "2:1.0+dfsg-1 in bookworm has this very release in its component main" in toml
        (row,) = rig.json("sync", "hello")
        assert (row["status"], row["published"]) == ("up-to-date", ["1.0"])
        other = archive("1.0", extra={"more": "what nobody has looked at"})
        web.serve("/dl/hello-1.0.tar.gz", other, type="application/gzip", etag='"2"')
        (found,) = Rig(tmp_path / "second", rig.settings).json("adopt", folder)
    assert found["proof"] == "none yet"
    assert "it lacks more, which Files-Excluded does not name" in " ".join(found["undecided"])
