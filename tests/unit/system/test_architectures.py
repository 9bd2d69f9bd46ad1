"""Architectures: what dpkg's own tables say, and what a package is built for."""

from __future__ import annotations

import subprocess

import pytest

from toolsync.system.architectures import bits, known, own, permits


def test_dpkg_says_what_there_is() -> None:
    machine = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
    assert own() == machine
    assert {"amd64", "i386", "arm64", own()} <= known()
    assert not {"all", "any", "source", "x86"} & known()
    assert (bits("i386"), bits("amd64")) == (32, 64)


@pytest.mark.parametrize(
    ("words", "permitted"),
    [
        ("any", {"amd64", "i386", "hurd-i386"}),
        ("any all", {"amd64", "i386", "hurd-i386"}),
        ("all", set()),
        ("linux-any", {"amd64", "i386"}),
        ("any-i386", {"i386", "hurd-i386"}),
        ("amd64 arm64", {"amd64"}),
        ("i386 all", {"i386"}),
        ("kfreebsd-any sparc", set()),
        ("x86", set()),
    ],
)
def test_the_words_of_a_package_say_where_it_is_built(words: str, permitted: set[str]) -> None:
    there = ("amd64", "i386", "hurd-i386")
    assert {name for name in there if permits(words.split(), name)} == permitted
