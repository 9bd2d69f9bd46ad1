"""A floor under dpkg-dev is a later series' own; every other relation stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolsync.build.relations import build_relations
from toolsync.package.floors import is_lowered, lower_floors, rules

CONTROL = """\
Source: libfoo
Build-Depends:
 dpkg-dev (>= 1.22.5),
 debhelper-compat (= 13), dpkg-dev(>= 1.22.0) <!nocheck>,
 libbar-dev (>= 2), libdpkg-dev (>= 1.22), other | dpkg-dev (>= 1.22.1),
 dpkg-dev (>= 1.22.2)
Standards-Version: 4.7.0

Package: libfoo1
Depends: dpkg-dev (>= 1.22.5)
"""
LOWERED = """\
Source: libfoo
Build-Depends:
 debhelper-compat (= 13),
 libbar-dev (>= 2), libdpkg-dev (>= 1.22), other | dpkg-dev (>= 1.22.1)
Standards-Version: 4.7.0

Package: libfoo1
Depends: dpkg-dev (>= 1.22.5)
"""


@pytest.mark.parametrize(
    ("origin", "series", "left"),
    [
        ("trixie", "bookworm", LOWERED),
        ("trixie", "trixie", CONTROL),
        ("bookworm", "trixie", CONTROL),
        ("", "bookworm", CONTROL),
    ],
)
def test_only_a_backport_is_built_without_the_floor(
    tmp_path: Path, origin: str, series: str, left: str
) -> None:
    (tmp_path / "control").write_text(CONTROL)
    told = lower_floors(tmp_path, origin, series)
    assert (tmp_path / "control").read_text() == left
    assert [one.code for one in told] == (["build-floor"] if left == LOWERED else [])
    assert all(
        "asks for dpkg-dev (>= 1.22.5), dpkg-dev(>= 1.22.0) <!nocheck>, dpkg" in one.message
        for one in told
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Build-Depends: dpkg-dev (>= 1.22.5)\n", ""),
        (
            "Build-Depends:\n dpkg-dev (>= 1.22.5),\nRules-Requires-Root: no\n",
            "Rules-Requires-Root: no\n",
        ),
        (
            "Build-Depends: debhelper,\n# why\n dpkg-dev (>= 1.22.5),\n libx-dev\n",
            "Build-Depends: debhelper,\n# why\n libx-dev\n",
        ),
        ("Build-Depends: a,\n# why\n dpkg-dev (= 1.22.5),\n b\n", None),
    ],
)
@pytest.mark.parametrize("head", ["", "# Whose this is.\n\n"])
def test_what_is_passed_over_is_taken_out(
    tmp_path: Path, head: str, before: str, after: str | None
) -> None:
    """Adoption and packaging agree: none is taken that is then refused for its floor."""
    rest = "\nPackage: x\nArchitecture: all\n"
    (tmp_path / "control").write_text(f"{head}Source: x\n{before}{rest}")
    groups = build_relations({"Build-Depends": before.partition(":")[2]}, "amd64")
    assert any(is_lowered(group, "trixie", "bookworm") for group in groups) is (after is not None)
    told = lower_floors(tmp_path, "trixie", "bookworm")
    assert bool(told) is (after is not None)
    left = before if after is None else after
    assert (tmp_path / "control").read_text() == f"{head}Source: x\n{left}{rest}"


@pytest.mark.parametrize(
    ("relation", "origin", "lowered"),
    [
        ("dpkg-dev (>= 1.22)", "trixie", True),
        ("dpkg-dev (>= 1.22)", "bookworm", False),
        ("dpkg-dev (<< 1.22)", "trixie", False),
        ("dpkg-dev", "trixie", False),
        ("dpkg-dev (>= 1.22) | other", "trixie", False),
        ("debhelper (>= 13)", "trixie", False),
    ],
)
def test_no_other_relation_is_passed_over(relation: str, origin: str, lowered: bool) -> None:
    (group,) = build_relations({"Build-Depends": relation}, "amd64")
    assert is_lowered(group, origin, "bookworm") is lowered


def test_only_a_later_series_packaging_depends_on_what_is_lowered() -> None:
    assert rules("trixie", "bookworm") > 0
    assert [rules(*pair) for pair in (("bookworm", "bookworm"), ("", "bookworm"))] == [0, 0]
