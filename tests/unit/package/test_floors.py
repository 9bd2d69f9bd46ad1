"""A floor under dpkg-dev is a later series' own; every other relation stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolsync.package.floors import is_lowered, lower_floors

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
    ("names", "origin", "lowered"),
    [
        (("dpkg-dev",), "trixie", True),
        (("dpkg-dev",), "bookworm", False),
        (("dpkg-dev", "other"), "trixie", False),
        (("debhelper",), "trixie", False),
    ],
)
def test_no_other_relation_is_passed_over(
    names: tuple[str, ...], origin: str, lowered: bool
) -> None:
    assert is_lowered(names, origin, "bookworm") is lowered
