"""The source package: honest, lintian-clean, and the same bytes every time."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from debian.deb822 import Dsc
from debian.debian_support import Version

from tests.support.tiny import EPOCH, archive, write_tool
from tests.support.tiny_packages import consent
from toolsync.config.definition import Tool
from toolsync.config.packaging import SAY_HERE
from toolsync.config.series import full_version, series_tag
from toolsync.model.errors import PackageFailed, SetupError
from toolsync.model.release import (
    Fetched,
    Licensed,
    Release,
    SourcePackage,
    Unpacked,
    Verified,
)
from toolsync.package.stage import package
from toolsync.setup.tools import load_tool
from toolsync.system.store import Store
from toolsync.system.work import Workshop

MAINTAINER = "Archive <archive@archive.example>"


def cleared(store: Store, version: str = "1.0") -> Licensed:
    """Return a release of the tiny vendor that its gates let pass."""
    blob = store.add_bytes(archive(version), f"hello-{version}.tar.gz")
    release = Release(
        tool="hello",
        version=version,
        raw_version=f"v{version}",
        url=f"https://vendor.example/dl/hello-{version}.tar.gz",
        filename=blob.name,
        page="https://vendor.example/dl/",
        published="2023-11-14T22:13:20Z",
    )
    fetched = Fetched(release=release, archive=blob, final_url=release.url)
    verified = Verified(fetched=fetched, method="pins", statement="sha256 as pinned")
    orig = store.add_bytes(archive(version), f"hello_{version}.orig.tar.gz")
    unpacked = Unpacked(verified=verified, orig=orig, untouched=True, members=3, epoch=EPOCH)
    return Licensed(unpacked=unpacked, passed=(consent("license"),))


def make(item: Licensed, tool: Tool, store: Store, work: Path, series: str) -> SourcePackage:
    return package(
        item,
        tool=tool,
        series=series,
        content="c",
        revision=1,
        maintainer=MAINTAINER,
        store=store,
        workshop=Workshop(work, work),
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    return load_tool(write_tool(tmp_path / "tools", "https://vendor.example/dl/", "1.0"))


def test_the_package_is_3_0_quilt_with_an_honest_changelog(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    made = make(cleared(store), tool, store, tmp_path / "w", "bookworm")
    assert made.version == "1.0-0debian1~ppa1~deb12.1"
    assert [blob.name.rpartition(".")[2] for blob in made.files] == ["dsc", "xz", "gz"]
    dsc = Dsc(store.path(made.files[0]).read_text())
    assert dsc["Format"] == "3.0 (quilt)"
    sums = {row["name"]: row["sha256"] for row in dsc["Checksums-Sha256"]}
    assert sums == {blob.name: blob.sha256 for blob in made.files[1:]}
    tree = tmp_path / "tree"
    for blob in made.files:
        store.copy_to(blob, tmp_path)
    subprocess.run(["dpkg-source", "-x", made.files[0].name, tree], cwd=tmp_path, check=True)
    log = (tree / "debian" / "changelog").read_text()
    for fact in (
        "hello (1.0-0debian1~ppa1~deb12.1) bookworm; urgency=medium",
        "https://vendor.example/dl/",
        "as v1.0, published on 2023-11-14",
        "Verified: sha256 as pinned.",
        made.licensed.unpacked.orig.sha256,
        f" -- {MAINTAINER}  Tue, 14 Nov 2023 22:13:20 +0000",
    ):
        assert fact in " ".join(log.split()) or fact in log
    assert max(map(len, log.splitlines())) <= 80


def test_another_umask_zone_clock_and_checkout_give_the_same_bytes(
    tmp_path: Path, store: Store, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make(cleared(store), tool, store, tmp_path / "w1", "bookworm")
    other = tmp_path / "elsewhere" / "hello"
    shutil.copytree(tool.folder, other)
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    before = os.umask(0o077)
    try:
        second = make(cleared(store), load_tool(other), store, tmp_path / "w2", "bookworm")
    finally:
        os.umask(before)
    assert second.files == first.files


def test_series_share_the_orig_and_differ_in_version(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    item = cleared(store)
    made = [make(item, tool, store, tmp_path / "w", name) for name in ("bookworm", "noble")]
    assert made[0].files[-1] == made[1].files[-1]
    assert made[1].version == "1.0-0ubuntu1~ppa1~ubuntu24.04.1"


def test_a_patch_that_does_not_apply_is_told_with_its_hunk(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    patches = tool.debian / "patches"
    patches.mkdir()
    (patches / "series").write_text("broken.patch\n")
    (patches / "broken.patch").write_text(
        "--- a/LICENSE\n+++ b/LICENSE\n@@ -1 +1 @@\n-Do as we like.\n+Do as they like.\n"
    )
    with pytest.raises(PackageFailed) as caught:
        make(cleared(store), tool, store, tmp_path / "w", "bookworm")
    assert "a patch does not apply" in str(caught.value)
    assert "Hunk #1 FAILED" in str(caught.value)
    assert "LICENSE" in str(caught.value)
    assert "toolsync workspace hello" in caught.value.resolution
    assert list((tmp_path / "w").glob("toolsync-*/*")) == []


def test_a_patch_that_applies_is_left_to_dpkg_source(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    patches = tool.debian / "patches"
    patches.mkdir()
    (patches / "series").write_text("good.patch\n")
    (patches / "good.patch").write_text(
        "--- a/LICENSE\n+++ b/LICENSE\n@@ -1 +1 @@\n-Do as you like.\n+Do as they like.\n"
    )
    assert make(cleared(store), tool, store, tmp_path / "w", "bookworm").files


def test_a_placeholder_is_refused_with_its_place(tmp_path: Path, store: Store, tool: Tool) -> None:
    with (tool.debian / "control").open("a") as control:
        control.write(f" {SAY_HERE} what it does.\n")
    with pytest.raises(SetupError, match=r"debian/control:\d+ \(what it does\)"):
        make(cleared(store), tool, store, tmp_path / "work", "bookworm")


def test_upstreams_own_debian_folder_is_replaced(tmp_path: Path, store: Store, tool: Tool) -> None:
    item = cleared(store)
    data = archive("1.0", extra={"debian/changelog": "theirs\n", "debian/rules": "theirs\n"})
    orig = store.add_bytes(data, "hello_1.0.orig.tar.gz")
    unpacked = Unpacked(
        verified=item.unpacked.verified, orig=orig, untouched=True, members=5, epoch=EPOCH
    )
    item = Licensed(unpacked=unpacked, passed=(consent("license"),))
    made = make(item, tool, store, tmp_path / "w", "bookworm")
    for blob in made.files:
        store.copy_to(blob, tmp_path)
    subprocess.run(["dpkg-source", "-x", made.files[0].name, "tree"], cwd=tmp_path, check=True)
    assert "theirs" not in (tmp_path / "tree" / "debian" / "rules").read_text()


class TestVersions:
    def test_the_scheme_is_the_ppas(self) -> None:
        assert full_version("1.5.19", "noble", 1) == "1.5.19-0ubuntu1~ppa1~ubuntu24.04.1"
        assert full_version("1.46.2", "bookworm", 2, 1) == "1:1.46.2-0debian1~ppa2~deb12.1"

    def test_a_distributions_own_version_takes_over(self) -> None:
        ours = Version(full_version("1.5.19", "noble", 1))
        assert ours < Version("1.5.19-0ubuntu1")
        assert Version(full_version("1.5.19", "bookworm", 9)) < Version("1.5.19-1")

    def test_newer_series_and_packagings_sort_higher(self) -> None:
        order = [
            full_version("1.0", "bookworm", 1),
            full_version("1.0", "trixie", 1),
            full_version("1.0", "bookworm", 2),
            full_version("1.0", "bookworm", 10),
            full_version("1.0.1", "bookworm", 1),
        ]
        assert order == sorted(order, key=Version)

    def test_an_unknown_series_says_what_to_do(self) -> None:
        with pytest.raises(SetupError, match="no Debian or Ubuntu series named 'hardy2'") as caught:
            series_tag("hardy2")
        assert "distro-info-data" in caught.value.resolution
