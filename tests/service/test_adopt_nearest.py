"""Without a series, the packaging is adopted that is nearest to the release and can be built."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.service.test_adopt import packaged, repacked, rig_with, served, source_package
from tests.support.keys import throwaway_keys
from tests.support.rig import Rig
from tests.support.tiny import publish


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        publish(server, "0.9", "1.0")
        yield server


def two_series(
    tmp_path: Path,
    web: Web,
    *,
    compat: str = "13",
    watch: str = "",
    needs: str = "",
    fails: bool = False,
    more: tuple[str, ...] = (),
) -> Rig:
    """Return a set-up whose archives have 0.9 in bookworm and packaging of 1.0 in trixie.

    ``compat`` is the level of debhelper that the later one asks for, ``needs`` what else, ``watch``
    its watch file; the build by either one ``fails``. In ``more`` series are what trixie has.
    """
    older = packaged(tmp_path / "older", web)
    if fails:
        with (older / "debian" / "rules").open("a") as rules:
            rules.write("\noverride_dh_auto_build:\n\tfalse\n")
    shutil.copytree(older, later := tmp_path / "later" / "hello")
    control = later / "debian" / "control"
    control.write_text(control.read_text().replace("compat (= 13)", f"compat (= {compat})"))
    if needs:
        text = control.read_text()
        control.write_text(text.replace("Build-Depends: ", f"Build-Depends: {needs}, "))
    if watch:
        (later / "debian" / "watch").write_text(watch)
    with throwaway_keys() as keys:
        stanzas = []
        dsc_of = {"bookworm": source_package(tmp_path / "source", older)}
        dsc_of |= dict.fromkeys(("trixie", *more), repacked(tmp_path / "source-later", later))
        for series, dsc in dsc_of.items():
            (place := tmp_path / f"archive-{series}").mkdir()
            stanzas.append(served(place, dsc, keys, lacks="", series=series).read_text())
    (sources := tmp_path / "both.sources").write_text("\n".join(stanzas))
    return rig_with(tmp_path, sources)


def said(found: dict[str, Any]) -> str:
    return " ".join(found["undecided"])


@pytest.mark.slow
def test_a_later_series_packaging_of_the_release_is_taken_as_a_backport(
    tmp_path: Path, web: Web
) -> None:
    rig = two_series(tmp_path, web)
    (older,) = rig.json("adopt", "apt:hello/bookworm", "--dry-run")
    assert (older["source"], older["version"]) == ("apt:hello/bookworm", "2:0.9-3")
    assert "trixie has packaging of a newer version, 2:1.0+dfsg-1: toolsync adopt" in said(older)
    (found,) = rig.json("adopt", "apt:hello")
    assert (found["source"], found["version"]) == ("apt:hello/trixie", "2:1.0+dfsg-1")
    assert (
        "packaging 2:1.0+dfsg-1 in trixie is taken, since it is nearer to 1.0 than 2:0.9-3"
        in said(found)
    )
    assert (rig.tools / "hello" / "base" / "license_0.9.json").is_file(), "what users have"
    (row,) = rig.json("sync", "hello")
    assert (row["status"], row["published"]) == ("up-to-date", ["1.0"])
    assert any(name.startswith("hello_1.0-0debian1~ppa1~deb12.1") for name in rig.pool())


@pytest.mark.parametrize(
    ("compat", "watch", "why"),
    [
        ("14", "", "bookworm does not have what it is built with: debhelper-compat (= 14): there"),
        ("13", "version=4\nURL/none/ hello-([\\d.]+)\\.tar\\.gz\n", "its debian/watch finds no"),
    ],
)
def test_packaging_that_does_not_fit_the_series_is_told_and_passed_over(
    tmp_path: Path, web: Web, compat: str, watch: str, why: str
) -> None:
    rig = two_series(tmp_path, web, compat=compat, watch=watch.replace("URL", web.url))
    (found,) = rig.json("adopt", "apt:hello", "--dry-run")
    assert (found["source"], found["newest"]) == ("apt:hello/bookworm", "1.0")
    wanted = f"packaging 2:1.0+dfsg-1 in trixie is nearer to the release, and was not taken: {why}"
    assert wanted in said(found)
    assert found["lacks"] == {}, "that is another packaging's"


@pytest.mark.slow
def test_a_hold_tells_why_nearer_packaging_was_not_taken(tmp_path: Path, web: Web) -> None:
    rig = two_series(tmp_path, web, compat="14", fails=True)
    rig.json("adopt", "apt:hello")
    toml = rig.tools / "hello" / "tool.toml"
    before = toml.read_text()
    assert 'nearer = "packaging 2:1.0+dfsg-1 in trixie is nearer to the release, and was' in before
    (row,) = rig.json("sync", "hello", status=3)
    assert row["message"].splitlines()[-1].startswith("As it was adopted: packaging 2:1.0+dfsg-1")
    assert "debhelper-compat (= 14): there is" in row["message"].splitlines()[-1]
    assert [one["changed"] for one in rig.json("adopt", "apt:hello")] == [False]
    assert [one["changed"] for one in rig.json("adopt", "apt:hello/bookworm")] == [True]
    assert "nearer = " not in toml.read_text(), "it was asked for by name"
    assert [one["changed"] for one in rig.json("adopt", "apt:hello")] == [True]
    assert toml.read_text() == before


def test_a_floor_that_is_lowered_anyway_is_not_lacking(tmp_path: Path, web: Web) -> None:
    rig = two_series(tmp_path, web, needs="dpkg-dev (>= 1.99)")
    (found,) = rig.json("adopt", "apt:hello", "--dry-run")
    assert (found["source"], found["lacks"]) == ("apt:hello/trixie", {})


def test_packaging_of_a_newer_release_than_the_page_offers_is_not_looked_at(
    tmp_path: Path, web: Web
) -> None:
    rig = two_series(tmp_path, web)
    publish(web, "0.9")
    (found,) = rig.json("adopt", "apt:hello", "--dry-run")
    assert (found["source"], found["newest"]) == ("apt:hello/bookworm", "0.9")
    assert "trixie is nearer" not in said(found)


def test_packaging_whose_dsc_a_mirror_lacks_is_had_by_its_tarball_alone(
    tmp_path: Path, web: Web
) -> None:
    rig = two_series(tmp_path, web)
    (dsc,) = (tmp_path / "archive-trixie").rglob("*.dsc")
    dsc.unlink()
    (found,) = rig.json("adopt", "apt:hello")
    assert (found["source"], found["version"]) == ("apt:hello/trixie", "2:1.0+dfsg-1")
    assert (rig.tools / "hello" / "debian" / "control").is_file()
    (tarball,) = (tmp_path / "archive-trixie").rglob("*.debian.tar.*")
    tarball.write_bytes(b"another")
    shutil.rmtree(rig.tools / "hello")
    (found,) = rig.json("adopt", "apt:hello")
    assert found["source"] == "apt:hello/bookworm"
    assert "was not taken: it could not be had: apt cannot read" in said(found)


def test_packaging_whose_orig_a_mirror_lacks_is_adopted_by_its_debian_alone(
    tmp_path: Path, web: Web
) -> None:
    rig = two_series(tmp_path, web)
    (orig,) = (tmp_path / "archive-bookworm").rglob("*.orig.tar.*")
    orig.unlink()
    (found,) = rig.json("adopt", "apt:hello/bookworm")
    assert (found["source"], found["version"]) == ("apt:hello/bookworm", "2:0.9-3")
    assert (rig.tools / "hello" / "debian" / "rules").is_file()


def test_packaging_that_no_mirror_has_gives_way_to_a_later_series(tmp_path: Path, web: Web) -> None:
    rig = two_series(tmp_path, web)
    for pattern in ("*.dsc", "*.debian.tar.*"):
        (file,) = (tmp_path / "archive-bookworm").rglob(pattern)
        file.unlink()
    (found,) = rig.json("adopt", "apt:hello")
    assert (found["source"], found["version"]) == ("apt:hello/trixie", "2:1.0+dfsg-1")
    assert "packaging 2:0.9-3 in bookworm could not be had: " in said(found)
    shutil.rmtree(rig.tools / "hello")
    done = rig.run("adopt", "apt:hello/bookworm", status=4)
    assert "hello_0.9-3.debian.tar" in done.stderr, "what a person names is taken or refused"


def test_a_version_that_two_archives_have_is_taken_where_its_files_are(
    tmp_path: Path, web: Web
) -> None:
    rig = two_series(tmp_path, web, more=("sid",))
    for pattern in ("*.dsc", "*.debian.tar.*"):
        (file,) = (tmp_path / "archive-sid").rglob(pattern)
        file.unlink()
    (found,) = rig.json("adopt", "apt:hello")
    assert (found["source"], found["version"]) == ("apt:hello/trixie", "2:1.0+dfsg-1")
    shutil.rmtree(rig.tools / "hello")
    for pattern in ("*.dsc", "*.debian.tar.*"):
        (file,) = (tmp_path / "archive-trixie").rglob(pattern)
        file.rename(tmp_path / "archive-sid" / "pool" / "main" / "hello" / file.name)
    (found,) = rig.json("adopt", "apt:hello")
    assert found["source"] == "apt:hello/sid"
    assert "packaging 2:1.0+dfsg-1 in trixie is nearer to the release, and was not" in said(found)
