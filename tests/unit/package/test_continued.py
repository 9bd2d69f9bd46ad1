"""Packaging that another wrote is gone on with: changelog, Maintainer, version, signature."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from debian.changelog import Changelog
from debian.deb822 import Deb822
from debian.debian_support import Version

from tests.support.keys import throwaway_keys
from tests.support.tiny import archive
from tests.unit.package.test_stage import MAINTAINER, cleared, make, store, tool
from toolsync.config.definition import Tool
from toolsync.config.series import is_later
from toolsync.model.errors import PackageFailed
from toolsync.model.release import Blob
from toolsync.package.continued import armored, taken_over, version_over
from toolsync.system.store import Store

__all__ = ["store", "tool"]  # fixtures

FORMER = """\
hello (2:0.9-3) unstable; urgency=low

  * Séa change.  Closes: #1

 -- Ann Other <ann@other.example>  Mon, 01 Jan 2024 00:00:00 +0100

hello (2:0.9-1) unstable; urgency=low

  * Begun.

 -- Ann Other <ann@other.example>  Sun, 01 Jan 2023 00:00:00 +0000
"""


def laid_out(files: Sequence[Blob], store: Store, folder: Path) -> Path:
    for blob in files:
        store.copy_to(blob, folder)
    (dsc,) = folder.glob("*.dsc")
    subprocess.run(["dpkg-source", "-x", dsc, "tree"], cwd=folder, check=True, capture_output=True)
    return folder / "tree" / "debian"


def test_the_changelog_goes_on_and_the_maintainer_is_kept_beside_ours(
    tmp_path: Path, store: Store, tool: Tool
) -> None:
    (tool.debian / "changelog").write_text(FORMER, encoding="utf-8")
    made = make(cleared(store), replace(tool, epoch=2), store, tmp_path / "w", "bookworm")
    (out := tmp_path / "out").mkdir()
    debian = laid_out(made.files, store, out)
    text = (debian / "changelog").read_text(encoding="utf-8")
    assert text.endswith(f"\n\n{FORMER}")
    log = Changelog(text, strict=True)
    assert [str(v) for v in log.versions] == ["2:1.0-0debian1~ppa1~deb12.1", "2:0.9-3", "2:0.9-1"]
    assert log.versions[0] > log.versions[1]
    assert log.date == "Sun, 31 Dec 2023 23:00:01 +0000", "never before the former entry"
    control = Deb822((debian / "control").read_text())
    assert control["Maintainer"] == MAINTAINER
    assert control["XSBC-Original-Maintainer"] == "Tiny <tiny@tiny.example>"
    digest = tool.packaging_digest()
    (tool.debian / "changelog").write_text(FORMER.replace("Begun", "Started"), encoding="utf-8")
    assert tool.packaging_digest() != digest


@pytest.mark.parametrize("how", ["--armor", "--no-armor"])
def test_upstreams_signature_goes_with_the_orig_that_it_is_of(
    tmp_path: Path, store: Store, tool: Tool, how: str
) -> None:
    item = cleared(store)
    unpacked = item.unpacked
    (out := tmp_path / "out").mkdir()
    with throwaway_keys() as keys:
        key = keys.make("Upstream")
        proof = tmp_path / "proof"
        keys.sign(store.path(unpacked.orig), proof, key, how=(how, "--detach-sign"))
        keys.export(tool.debian / "upstream" / "signing-key.asc", key)
    extras = (store.add_bytes(proof.read_bytes(), "signature"),)
    fetched = replace(unpacked.verified.fetched, extras=extras)
    verified = replace(unpacked.verified, fetched=fetched, fingerprint=key)
    unpacked = replace(unpacked, verified=verified)
    tool = replace(tool, epoch=2)
    (tool.debian / "changelog").write_text(FORMER, encoding="utf-8")
    made = make(replace(item, unpacked=unpacked), tool, store, tmp_path / "w", "bookworm")
    assert "hello_1.0.orig.tar.gz.asc" in {blob.name for blob in made.files}
    said = laid_out(made.files, store, out)
    gpgv = ["gpgv", "--keyring", f"{tmp_path}/ring", f"{out}/hello_1.0.orig.tar.gz.asc"]
    ring = ["gpg", "--dearmor", "-o", f"{tmp_path}/ring", f"{said}/upstream/signing-key.asc"]
    subprocess.run(ring, check=True)
    subprocess.run([*gpgv, f"{out}/hello_1.0.orig.tar.gz"], check=True, capture_output=True)
    repacked = replace(
        unpacked, orig=store.add_bytes(archive("1.0", name="x"), "hello_1.0.orig.tar.gz")
    )
    made = make(replace(item, unpacked=repacked), tool, store, tmp_path / "w", "bookworm")
    assert not any(blob.name.endswith(".asc") for blob in made.files)
    assert armored(b"untrusted comment: minisign") is None


def test_a_version_is_above_the_packagings_own_and_below_the_distributions_next() -> None:
    ours = version_over("xx (1:2.9-1) sid; urgency=low\n", "2.9", "bookworm", 1, 1)
    assert ours == "1:2.9-1+~ppa1~deb12.1"
    assert Version("1:2.9-1") < Version(ours) < Version("1:2.9-1+deb12u1") < Version("1:2.9-2")
    assert version_over("xx (2.3-3) sid\n", "2.9", "bookworm", 1, 0) == "2.9-0debian1~ppa1~deb12.1"
    assert version_over("", "2.9", "bookworm", 1, 0) == "2.9-0debian1~ppa1~deb12.1"
    with pytest.raises(
        PackageFailed, match=r"the packaging is of 1:2\.0-1, which is newer"
    ) as caught:
        version_over("xx (1:2.0-1) sid\n", "2.9", "bookworm", 1, 0)
    assert "epoch" in caught.value.resolution


def test_packaging_of_a_later_series_is_backported_below_its_own_version() -> None:
    log = "xx (2.9-1+b) trixie; urgency=low\n"
    ours = version_over(log, "2.9", "bookworm", 1, 0, origin="trixie")
    assert ours == "2.9-1+b~ppa1~deb12.1"
    assert Version("2.9-0debian1~ppa9~deb12.1") < Version(ours) < Version("2.9-1+b")
    assert version_over(log, "2.9", "trixie", 1, 0, origin="trixie") == "2.9-1+b+~ppa1~deb13.1"
    for_ubuntu = version_over("xx (2.9-1) trixie\n", "2.9", "noble", 1, 0, origin="trixie")
    assert for_ubuntu == "2.9-1~ppa1~ubuntu24.04.1"
    assert Version(for_ubuntu) < Version("2.9-1") < Version("2.9-1ubuntu1"), "as Ubuntu takes it"
    for_debian = version_over(
        "xx (2.9-1ubuntu0.1) noble\n", "2.9", "bookworm", 1, 0, origin="noble"
    )
    assert for_debian == "2.9-1~ppa1~deb12.1"
    rebuilt = version_over("xx (1:2.9-1build2) noble\n", "2.9", "bookworm", 2, 1, origin="noble")
    assert rebuilt == "1:2.9-1~ppa2~deb12.1"
    repacked = "xx (2.9+dfsg-1) trixie; urgency=low\n"
    ours = version_over(repacked, "2.9", "bookworm", 1, 0, origin="trixie")
    assert ours == "2.9-0debian1~ppa1~deb12.1"
    assert Version(ours) < Version("2.9+dfsg-1")
    with pytest.raises(PackageFailed, match="is newer"):
        version_over(repacked, "2.8", "bookworm", 1, 0, origin="trixie")
    with pytest.raises(PackageFailed, match="is newer"):
        version_over(repacked, "2.9", "bookworm", 1, 0, origin="bookworm")
    ours = version_over(repacked, "2.9", "noble", 1, 0, origin="trixie")
    assert ours == "2.9-0ubuntu1~ppa1~ubuntu24.04.1"
    assert is_later("sid", "trixie")
    assert not is_later("trixie", "trixie")
    assert not is_later("noble", "bookworm")


def test_a_maintainer_that_was_taken_over_before_is_kept() -> None:
    text = "Source: x\nmaintainer: A <a@a>,\n B <b@b>\nVcs-Git: g\n\nPackage: x\nMaintainer: no\n"
    first = taken_over(text, MAINTAINER)
    kept = "XSBC-Original-Maintainer: A <a@a>,\n B <b@b>\nVcs-Git"
    assert first.startswith(f"Source: x\nMaintainer: {MAINTAINER}\n{kept}")
    assert first.endswith("\n\nPackage: x\nMaintainer: no\n")
    assert taken_over(first, MAINTAINER) == first
    again = taken_over(first, "C <c@c>")
    assert again == first.replace(MAINTAINER, "C <c@c>")
