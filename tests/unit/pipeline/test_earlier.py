"""What an older release had for an architecture, whichever build it came of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clock import DrivenClock
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.model.release import Blob, dump
from toolsync.pipeline.earlier import packages_of

HERE = Key(tool="t", version="3.0", stage="compat", scope="bookworm/1")
_WAY = ("fetch", "verify", "unpack", "license", "package")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal.open(tmp_path / "journal.sqlite", DrivenClock())
    yield found
    found.close()


def built(journal: Journal, version: str, scope: str, *debs: str) -> None:
    """Write down that a build made these packages, each named ``NAME_ARCHITECTURE``."""
    names = [f"t_{version}.dsc", *(f"{deb.replace('_', f'_{version}_')}.deb" for deb in debs)]
    data = {"files": [dump(Blob(name=name, sha256="0" * 64, size=1)) for name in names]}
    journal.releases.see("t", version, {})
    series = scope.rpartition("/")[0] if scope.count("/") == 2 else scope
    for stage in (*_WAY, "build"):
        place = {"package": series, "build": scope}.get(stage, "")
        key = Key(tool="t", version=version, stage=stage, scope=place)
        given = data if stage == "build" else {}
        journal.results.record(key, inputs="", outcome="done", started="", data=given)


def names(journal: Journal, architecture: str, *versions: str) -> list[str]:
    return [blob.name for blob in packages_of(journal.results, HERE, versions, architecture)]


def test_the_newest_release_that_had_some_tells_with_what_is_for_all(journal: Journal) -> None:
    built(journal, "1.0", "bookworm/1", "t_amd64", "doc_all")
    built(journal, "1.0", "bookworm/1/i386", "t_i386")
    built(journal, "2.0", "bookworm/1", "t_amd64", "doc_all")
    assert names(journal, "i386", "2.0", "1.0") == ["t_1.0_i386.deb", "doc_1.0_all.deb"]
    assert names(journal, "amd64", "2.0", "1.0") == ["t_2.0_amd64.deb", "doc_2.0_all.deb"]
    assert names(journal, "arm64", "2.0", "1.0") == []
    assert names(journal, "i386", "2.0") == []


def test_the_series_own_packaging_goes_before_others_and_the_newest_before_older(
    journal: Journal,
) -> None:
    for scope, word in (("bookworm/1", "a"), ("bookworm/2", "b"), ("trixie/3", "c")):
        built(journal, "1.0", scope, f"{word}doc_all")
        built(journal, "1.0", f"{scope}/i386", f"{word}_i386")
    assert names(journal, "i386", "1.0") == ["b_1.0_i386.deb", "bdoc_1.0_all.deb"]
    built(journal, "2.0", "trixie/1", "t_i386", "doc_all")
    assert names(journal, "i386", "2.0", "1.0") == ["t_2.0_i386.deb", "doc_2.0_all.deb"]
