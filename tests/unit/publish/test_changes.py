"""What of a .changes the archive is to take, whichever lists of digests it has."""

from __future__ import annotations

from pathlib import Path

from debian.deb822 import Changes

from toolsync.publish.changes import leave_out_unserved, name_buildinfo

FILES = "".join(
    f" {'0' * 32} 1 admin optional x_1-1_{end}\n" for end in ("amd64.deb", "amd64.udeb", "all.ddeb")
)
SHA256 = "".join(f" {'0' * 64} 1 x_1-1_{end}\n" for end in ("amd64.deb", "amd64.udeb", "all.ddeb"))


def names(changes: Path, field: str) -> list[str]:
    return [str(entry["name"]) for entry in Changes(changes.read_text())[field]]


def test_what_no_archive_serves_is_left_out_of_each_list_that_is_there(tmp_path: Path) -> None:
    changes = tmp_path / "x_1-1_amd64.changes"
    changes.write_text(f"Format: 1.8\nSource: x\nChecksums-Sha256:\n{SHA256}Files:\n{FILES}")
    leave_out_unserved(changes)
    assert names(changes, "Files") == names(changes, "Checksums-Sha256") == ["x_1-1_amd64.deb"]
    before = changes.read_bytes()
    leave_out_unserved(changes)
    assert changes.read_bytes() == before


def test_a_buildinfo_is_named_in_each_list_that_is_there(tmp_path: Path) -> None:
    changes = tmp_path / "x_1-1_amd64.changes"
    dsc = f" {'0' * 32} 1 admin optional x_1-1.dsc\n"
    changes.write_text(f"Format: 1.8\nSource: x\nFiles:\n{dsc}")
    (buildinfo := tmp_path / "x_1-1_amd64.buildinfo").write_text("Format: 1.0\n")
    name_buildinfo(changes, buildinfo)
    assert names(changes, "Files") == ["x_1-1.dsc", buildinfo.name]
    assert "Checksums" not in changes.read_text()
