"""The choice of architectures: by the .dsc, what the archive offers, and what it had."""

from __future__ import annotations

import pytest

from toolsync.pipeline.building import Architectures, choose

BOTH = ("amd64", "i386")


@pytest.mark.parametrize(
    ("words", "offered", "needed", "chosen"),
    [
        # One architecture: nothing else is asked about.
        ("any", ("amd64",), (), Architectures("amd64")),
        ("all", BOTH, BOTH, Architectures("amd64")),
        # What the last version had must be there; what it never had may come later.
        ("any", BOTH, (), Architectures("amd64", (), BOTH)),
        ("any all", BOTH, ("amd64",), Architectures("amd64", ("amd64",), ("i386",))),
        ("linux-any", BOTH, BOTH, Architectures("amd64", BOTH)),
        # What it had and the source package is for no longer is waited for by nobody.
        ("amd64", BOTH, BOTH, Architectures("amd64")),
        ("amd64 all", BOTH, BOTH, Architectures("amd64")),
        # The packages for all come of the first one's build, whatever else that makes.
        ("i386 all", BOTH, (), Architectures("amd64", (), ("i386",))),
        ("i386", BOTH, (), Architectures("i386")),
        # Nothing of it can be made: the build of the first says so.
        ("s390x", BOTH, (), Architectures("amd64")),
    ],
)
def test_a_package_is_built_for_what_it_is_for_and_the_archive_serves(
    words: str, offered: tuple[str, ...], needed: tuple[str, ...], chosen: Architectures
) -> None:
    assert choose(words.split(), offered, needed) == chosen
