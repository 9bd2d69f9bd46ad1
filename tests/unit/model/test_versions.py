"""Spellings become Debian versions, and Debian's order is dpkg's."""

from __future__ import annotations

import re
import time

import pytest
from debian.debian_support import NativeVersion
from hypothesis import given
from hypothesis import strategies as st

from toolsync.model.errors import SetupError
from toolsync.model.patterns import compile_safely, match_path
from toolsync.model.versions import (
    LONGEST,
    NotAVersion,
    check_rule,
    is_prerelease,
    mangle,
    sort_key,
    upstream_key,
)
from toolsync.system.run import run

SPELLED = {
    "1.0-rc1": "1.0~rc1",
    "1.0rc1": "1.0~rc1",
    "1.0.RC.1": "1.0~rc1",
    "1.0-rc.1": "1.0~rc1",
    "1.0~rc1": "1.0~rc1",
    "2.0.0dev4": "2.0.0~dev4",
    "2.0.0.dev4": "2.0.0~dev4",
    "2.0.0dev0": "2.0.0~dev0",
    "2.1-beta1": "2.1~beta1",
    "3.0.0-rc1": "3.0.0~rc1",
    "v3.1.0-pre1": "3.1.0~pre1",
    "1.0a1": "1.0~a1",
    "1.0b2": "1.0~b2",
    "1.0c3": "1.0~c3",
    "1.0a1.dev2": "1.0~a1~dev2",
    "1.0a1rc2": "1.0~a1~rc2",
    "20240101b1": "20240101~b1",
    "1.0-rc1-g1a2b3c4": "1.0~rc1-g1a2b3c4",
    "1.0-alpha": "1.0~alpha",
    "1.0_beta_2": "1.0~beta2",
    "V2.2.0": "2.2.0",
    "release-1.2.3": "1.2.3",
    "Release-v1.2.3": "1.2.3",
    " 1.2.1279.0\n": "1.2.1279.0",
}
"""Prereleases and prefixes as upstreams write them."""

KEPT = [
    "1.0.2a", "1.0.post1", "1.0+dev1", "1.06", "1.0.8", "3.27.1", "1.3-57676", "1.1-9", "9e",
    "1.0+git20240101.1a2b3c4", "1.0-5-g1a2b3c4", "1.0.20240101.a1b2c3d4e5",
]  # fmt: skip
"""A letter that is a later fix, a post-release, a local label, a hyphen, a commit stay."""


@pytest.mark.parametrize(("raw", "wanted"), SPELLED.items())
def test_mangled(raw: str, wanted: str) -> None:
    assert mangle(raw) == wanted
    assert is_prerelease(wanted) == ("~" in wanted)


@pytest.mark.parametrize("raw", KEPT)
def test_kept(raw: str) -> None:
    assert mangle(raw) == raw
    assert not is_prerelease(raw)


@pytest.mark.parametrize("raw", ["2.0.0dev4", "1.0-rc1", "2.1-beta1", "1.0b2"])
def test_a_prerelease_is_known_before_mangling_too(raw: str) -> None:
    assert is_prerelease(raw)


@pytest.mark.parametrize(
    "raw", ["", "help", "v", "1_2", "1!2.0", "1:2", "1 2", "٣.1", "1.0/2", "rc1"]
)
def test_what_is_no_version_is_refused(raw: str) -> None:
    with pytest.raises(NotAVersion, match=r"5\.6\.12"):
        mangle(raw)


def test_a_long_version_is_refused() -> None:
    assert mangle("1" * LONGEST) == "1" * LONGEST
    with pytest.raises(NotAVersion, match="101 characters"):
        mangle("1" * (LONGEST + 1))
    with pytest.raises(NotAVersion):
        mangle("1" * LONGEST, ("s/1/22/g",))


@pytest.mark.parametrize(
    ("rule", "raw", "wanted"),
    [
        (r"s/-(\d+)$/.$1/", "1.3-57676", "1.3.57676"),
        (r"s/-(\d+)$/.\1/", "1.3-57676", "1.3.57676"),
        (r"s/-(\d+)$/.${1}0/", "1.3-5", "1.3.50"),
        ("s/_/./g", "1_2_3", "1.2.3"),
        ("s/_/./", "1_2.3", "1.2.3"),
        ("s#^rel-##i", "REL-1.0", "1.0"),
        ("s|a.b|1|", "a.b", "1"),
        (r"s/\//./", "1/2", "1.2"),
        (r"s,\,,.,", "1,2", "1.2"),
        (r"s|\||.|", "1|2", "1.2"),
        (r"s/1/\$1/", "1", None),
        ("s/~~/~/", "1~~a", "1~a"),
    ],
)
def test_rules(rule: str, raw: str, wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises(NotAVersion):
            mangle(raw, (rule,))
    else:
        assert mangle(raw, (rule,)) == wanted


def test_rules_run_in_order_before_the_defaults() -> None:
    assert mangle("tool-1_0-rc1", ("s/^tool-//", "s/_/./")) == "1.0~rc1"


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "s",
        "s/a/b",
        "s/a/b/c/",
        "s/a/b/e",
        "s/a/b/x",
        "tr/a/b/",
        "s/(/b/",
        "s/a/$1/",
        "s/a/$ENV{HOME}/",
        "s/a/@{[ system 'id' ]}$x/",
    ],
)
def test_a_rule_that_is_none_is_told(rule: str) -> None:
    with pytest.raises(SetupError, match=r"^(mangle )?rule ") as caught:
        check_rule(rule)
    assert caught.value.resolution


versions = st.from_regex(r"[0-9][A-Za-z0-9.+~]{0,8}(-[A-Za-z0-9.+~]{1,4}){0,2}", fullmatch=True)
with_epoch = st.one_of(versions, st.builds("{}:{}".format, st.integers(0, 12), versions))


@given(with_epoch, with_epoch)
def test_the_key_orders_as_python_debian_does(a: str, b: str) -> None:
    ours, theirs = (sort_key(a), sort_key(b)), (NativeVersion(a), NativeVersion(b))
    assert (ours[0] < ours[1]) == (theirs[0] < theirs[1])
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])


@given(versions, versions)
def test_the_upstream_key_takes_no_hyphen_for_a_revision(a: str, b: str) -> None:
    theirs = NativeVersion(f"{a}-0"), NativeVersion(f"{b}-0")
    assert (upstream_key(a) < upstream_key(b)) == (theirs[0] < theirs[1])
    assert (upstream_key(a) == upstream_key(b)) == (theirs[0] == theirs[1])


@given(st.text("0123456789.-_~+vrcabdeltphR", max_size=20))
def test_mangling_ends_in_a_version_and_stays_there(raw: str) -> None:
    try:
        version = mangle(raw)
    except NotAVersion:
        return
    assert re.fullmatch(r"[0-9][A-Za-z0-9.+~-]*", version)
    assert mangle(version) == version


ORDERED = [
    ("1.3-57419-0ubuntu1", "1.3.36506-1"),
    ("1.0.8-1", "1.07-1"),
    ("3.0.0~rc1-1", "3.0.0-1"),
    ("2.0.0~dev4-1", "2.0.0-1"),
    ("1.5.7-1", "1.5.19-1"),
    ("1.0~~-1", "1.0~-1"),
    ("1.0-1", "1.0a-1"),
    ("1.0a-1", "1.0+-1"),
    ("9-1", "1:0-1"),
]


@pytest.mark.parametrize(("older", "newer"), ORDERED)
def test_traps_of_order_agree_with_dpkg(older: str, newer: str) -> None:
    assert sort_key(older) < sort_key(newer)
    assert run("dpkg", "--compare-versions", older, "lt", newer, timeout=10).code == 0


def test_the_newest_of_two_hundred_takes_well_under_a_millisecond() -> None:
    many = [f"1.{n}.{n % 7}~rc{n % 3}" for n in range(200)]

    def once() -> float:
        upstream_key.cache_clear()
        start = time.thread_time()
        assert max(many, key=upstream_key) == "1.199.3~rc1"
        return time.thread_time() - start

    assert min(once() for _ in range(20)) < 0.002  # twice and more of slack for a busy machine


HARMLESS = [
    r"\d+(?:\.\d+)+",
    r"tool-(?P<version>\d[\d.]*(?:-\d+)?)\.zip",
    r"v?(?P<version>\d+(?:\.\d+)*(?:[-.]?(?:rc|beta)\d*)?)",
    r"(?:[\w.]+/)*(?P<version>\d+)",
]


@pytest.mark.parametrize("expression", HARMLESS)
def test_a_harmless_pattern_is_taken_and_is_quick(expression: str) -> None:
    pattern = compile_safely(expression, what="watch.pattern")
    start = time.thread_time()
    pattern.search("1." * 400 + "!")
    pattern.search("a1-" * 300 + "!")
    assert time.thread_time() - start < 1


def test_a_pattern_meets_whole_components() -> None:
    plain = compile_safely(r"a-.*(?P<version>\d)\.zip", what="")
    assert match_path(plain, "/x/a-1.zip")
    assert not match_path(plain, "/a-x/b-1.zip")
    assert not match_path(plain, "/xa-1.zip")
    slashed = compile_safely(r"plugin/(?P<version>[\d.]+)/a\.deb", what="")
    assert match_path(slashed, "/s3/plugin/1.2/a.deb")
    assert not match_path(slashed, "/s3/notplugin/1.2/a.deb")
