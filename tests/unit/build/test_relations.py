"""Who would meet a relation that nothing meets; which do is in `test_archives`."""

from __future__ import annotations

import pytest

from toolsync.build.relations import build_relations, unmet


@pytest.mark.parametrize(
    ("elsewhere", "by"),
    [
        ({"libfoo-dev": ["2.9-1~bpo12+1"]}, ""),
        ({"libfoo-dev": ["3.1-1~bpo12+1"]}, "libfoo-dev 3.1-1~bpo12+1"),
        ({"libbar-dev": ["1"]}, "libbar-dev 1"),
        ({"libbar-dev": [""]}, "libbar-dev"),
        ({"libfoo-dev": []}, ""),
        ({}, ""),
    ],
)
def test_what_would_meet_a_relation_is_named(elsewhere: dict[str, list[str]], by: str) -> None:
    groups = build_relations({"Build-Depends": "libfoo-dev (>= 3) | libbar-dev"}, "amd64")
    (one,) = unmet(groups, {"libfoo-dev": ["2.0-1"]})
    assert one.names == ("libfoo-dev", "libbar-dev")
    assert one.told == "libfoo-dev (>= 3) | libbar-dev: there is libfoo-dev 2.0-1"
    assert one.met_by(elsewhere) == by


def test_a_relation_that_stands_in_two_fields_is_told_once() -> None:
    control = {"Build-Depends": "nobody", "Build-Depends-Indep": "nobody, other [arm64]"}
    assert [one.told for one in unmet(build_relations(control, "amd64"), {})] == [
        "nobody: there is none"
    ]
