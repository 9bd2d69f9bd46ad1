"""What names state of a version: spelled as upstreams do, held for a clear contradiction alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolsync.binding.stated import Expected, prefix_of, read


def says(name: str, version: str, *raw: str, rules: tuple[str, ...] = ()) -> str:
    known = Expected(spellings=(version, *raw), names=frozenset({"hello"}), rules=rules)
    return read(name, known)[0]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("hello-2.0", "2.0"),
        ("hello-2.0.0", "2.0"),
        ("hello-2", "2.0"),
        ("hello2.0", "2.0"),
        ("Hello-V2.0", "2.0"),
        ("2.0", "2.0"),
        ("hello_1_2_3", "1.2.3"),
        ("hello-1-2-3", "1.2.3"),
        ("hello-123", "1.2.3"),
        ("hello-release-2.0", "2.0"),
        ("hello-2.0rc1", "2.0~rc1"),
        ("hello-2.0-rc.1", "2.0~rc1"),
        ("hello-9.3p1", "9.3p1"),
        ("hello-2.0-src", "2.0"),
        ("hello-1.0+dfsg", "1.0"),
        ("hello-1.0.orig", "1.0"),
        ("node-v18.0.0-linux-x64", "18.0.0"),
        ("hello-20240101", "2024.01.01"),
        ("hello-2024-01-01", "20240101"),
        ("hello-2.01", "2.1"),
        ("jdk-17.0.1+12", "17.0.1+12"),
        ("ec2-ami-tools-1.5.19", "1.5.19"),
        ("hello-2.0.tar.gz", "2.0"),
    ],
)
def test_the_same_version(name: str, version: str) -> None:
    assert says(name, version) == "same"


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("hello-1.0", "2.0"),
        ("hello-1.0", "1.0.1"),
        ("hello-1.2.0", "2.0"),
        ("hello-12.0", "2.0"),
        ("hello-2.0.1", "2.0"),
        ("hello-1", "2.0"),
        ("v1.0", "2.0"),
        ("other-1.0", "2.0"),
        ("hello-2.0rc1", "2.0"),
        ("hello-2.0b2", "2.0"),
        ("hello-2.0-beta2", "2.0"),
        ("hello-9.3", "9.3p1"),
        ("hello-1.0.2b", "1.0.2"),
        ("hello-2.0.post1", "2.0"),
        ("hello-1.0-src", "2.0"),
        ("hello-1.0.orig", "2.0"),
        ("hello-1.0+dfsg1", "2.0"),
        ("hello-1.0-linux-x86_64", "2.0"),
        ("hello-20230101", "20240101"),
        ("hello-1.0.tar.bz2", "2.0"),
        ("hello_1.0_amd64.deb", "2.0"),
    ],
)
def test_another_version(name: str, version: str) -> None:
    assert says(name, version) == "other"


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("", "2.0"),
        ("hello", "2.0"),
        ("package", "2.0"),
        ("zip30", "3.0"),
        ("hello-2", "2.4"),
        ("other-3", "2.0"),
        ("hello-2.0", "2.0~rc1"),
        ("hello-a1b2c3d4", "2.0"),
        ("hello-1234567", "2.0"),
        ("hello-0123456789012345678901234567890123456789", "2.0"),
        ("hello-linux-x86_64", "2.0"),
        ("hello-ubuntu-22.04", "2.0"),
        ("for-python-3.11", "2.0"),
        ("hello-1.2-5-gabcdef0", "1.2+git5"),
        ("hello-1.2", "1.2+git20240101"),
        ("hello-0.9", "0~20240101"),
        ("awscli-exe-linux-x86_64.zip", "2.15.0"),
    ],
)
def test_nothing_clear(name: str, version: str) -> None:
    assert says(name, version) == "nothing"


def test_rules_of_mangling_are_heeded() -> None:
    assert says("hello-1.5", "0.1.5", rules=("s/^/0./",)) == "same"
    assert says("hello-REL_2_0", "2.0", "REL_2_0") == "same"
    assert says("hello-1.4", "0.1.5", rules=("s/^/0./",)) == "other"


def test_what_a_file_is_called_before_its_version() -> None:
    assert prefix_of("hello-world-v2.0.tar.gz", ("2.0",)) == "helloworld"
    assert prefix_of("latest.tar.gz", ("2.0",)) == ""


@given(st.text(), st.from_regex(r"[0-9][A-Za-z0-9.+~-]{0,9}", fullmatch=True))
def test_any_name_is_read_without_harm(name: str, version: str) -> None:
    assert says(name, version) in ("same", "other", "nothing")


@given(st.lists(st.integers(0, 300), min_size=2, max_size=4))
def test_a_version_is_always_found_in_its_own_folder(numbers: list[int]) -> None:
    version = ".".join(map(str, numbers))
    for name in (f"hello-{version}", f"v{version}", f"hello-{version.replace('.', '_')}"):
        assert says(name, version) == "same"
