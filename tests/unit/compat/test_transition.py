"""A library's new ABI beside the old one takes nothing away; in its place it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolsync.compat.compare import compare
from toolsync.compat.surface import Surface
from toolsync.compat.transition import as_the_distribution_has, package_named, side_by_side
from toolsync.compat.verdict import verdict_of
from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import LicensePolicy


@pytest.mark.parametrize(
    ("soname", "package"),
    [
        ("libfmt.so.9", "libfmt9"),
        ("libtinyxml2.so.10", "libtinyxml2-10"),
        ("libgtk-3.so.0", "libgtk-3-0"),
        ("libbfd-2.40.so", "libbfd-2.40"),
        ("libSDL_ttf-2.0.so.0", "libsdl-ttf-2.0-0"),
        ("plugin.so", ""),
    ],
)
def test_a_librarys_package_is_named_by_its_soname(soname: str, package: str) -> None:
    assert package_named(soname) == package


def surface(library: str, package: str, takes: str = "", **names: dict[str, str]) -> Surface:
    packages = {package: takes, "libx-dev": ""}
    symbols = {f"{library} f@Base": "FUNC"}
    return Surface(
        names={"library": {library: ""}, "package": packages, "symbol": symbols, **names},
        installed=True,
    )


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        (surface("libx.so.2", "libx2"), "additive"),
        (surface("libx.so.2", "libx2", takes="libx-old libx1"), "breaking"),
        (surface("libx.so.2", "libx1"), "breaking"),
        (surface("libx.so.2", "libx"), "breaking"),
        (surface("liby.so.2", "liby2"), "breaking"),
        (surface("libx.so.2", "libx2", header={"x.h": ""}), "additive"),
    ],
)
def test_the_old_stays_where_both_can_be_installed(new: Surface, verdict: str) -> None:
    old = surface("libx.so.1", "libx1")
    found = side_by_side(compare(old, new), old, new)
    assert verdict_of(found) == verdict


def test_the_name_that_a_librarys_package_needs_is_told() -> None:
    old, new = surface("libx.so.1", "libx1"), surface("libx.so.2", "libx1")
    (library,) = [c for c in side_by_side(compare(old, new), old, new) if c.name == "libx.so.1"]
    assert library.severity == "breaking"
    assert "it is libx.so.2 now, so that libx1 must be renamed libx2 in debian" in library.proof


def test_what_goes_beside_a_library_is_missed_all_the_same() -> None:
    old = surface("libx.so.1", "libx1", command={"x": ""}, header={"old.h": ""})
    new = surface("libx.so.2", "libx2")
    found = side_by_side(compare(old, new), old, new)
    assert {(c.kind, c.name) for c in found if c.severity == "breaking"} == {
        ("command", "x"),
        ("header", "old.h"),
    }
    (library,) = [c for c in found if c.name == "libx.so.1"]
    assert library.proof == (
        "the distribution's stays, to be installed beside libx.so.2, which has another ABI"
    )


def typed(members: str, package: str = "libx1") -> Surface:
    types = {"struct s": members, "enum e": "A = 1"}
    needed = {"deb libc6": ">=2.36"} | ({"deb liby1": ""} if "b" in members else {})
    return surface("libx.so.1", package, type=types, dependency=needed)


@pytest.mark.parametrize(
    ("new", "packages", "verdict"),
    [
        (typed("int a; long b;"), ("libx1", "libx-dev", "x-doc"), "same"),
        (typed("int a; long b;"), ("libx1t64", "libx-dev"), "risky"),
        (typed("int a; long b;"), (), "risky"),
        (typed("int a ;"), (), "same"),
        (surface("libx.so.1", "libx1"), ("libx1", "libx-dev"), "additive"),
    ],
)
def test_types_pass_that_a_distribution_has_in_packages_of_the_same_names(
    tmp_path: Path, new: Surface, packages: tuple[str, ...], verdict: str
) -> None:
    old = typed("int a;")
    tool = Tool(
        name="x", folder=tmp_path, summary="", homepage="", watch=Watch(kind="html"),
        verify=Verify(), license=LicensePolicy(), compat=CompatPolicy(), source="x", series=(),
        in_main="1.0", main_packages=packages,
    )  # fmt: skip
    found = as_the_distribution_has(compare(old, new), new, tool)
    assert verdict_of(found) == verdict
    if packages and verdict == "same":
        assert {c.kind for c in found} >= {"type"}
        assert all("a distribution has 1.0 in packages of the same" in c.proof for c in found)
