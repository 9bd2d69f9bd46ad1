"""Real packages built twice: one that is reproduced, others that keep their path or their day."""

from __future__ import annotations

import re

import pytest

from tests.servers.web import Web
from tests.slow.test_build_clean import Yard, yard
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.build.again import DIFFERENT, REPRODUCED
from toolsync.config.settings import Build

__all__ = ["yard"]

pytestmark = pytest.mark.slow

TWICE = Build(backend="sbuild", rebuild=True, lint=False, tests=False)
ROOTED = "execute_before_dh_builddeb:\n\tchown daemon debian/tiny-tool/usr/bin/tiny-tool\n"
KEPT = '{ date +%Y; pwd; } | tr "\\n" " " > debian/tiny-tool/usr/bin/kept'
"""Writes the year and the path into one line."""


def test_a_clean_package_is_reproduced_on_another_path_and_day(yard: Yard) -> None:
    """By fakeroot and faketime together, which both stand before the C library."""
    control = "Source: tiny-tool\nMaintainer: A <a@localhost>\nStandards-Version: 4.6.2\n"
    control += "Build-Depends: debhelper-compat (= 13)\nRules-Requires-Root: binary-targets\n\n"
    control += "Package: tiny-tool\nArchitecture: all\nDescription: x\n y\n"
    source = yard.context.source(rules=ROOTED, files={"control": control})
    built = yard.build(source, TWICE)
    assert built.rebuilt is not None
    assert built.rebuilt.verdict == REPRODUCED, built.rebuilt
    assert len(built.rebuilt.varied) == 4
    assert (built.rebuilt.notes, built.findings) == ((), ())
    log = yard.context.store.path(built.log).read_text()
    first, second = log.split("\n==== second build, ")
    assert "faketime -f +400d" in second
    assert "faketime" not in first


def test_a_package_that_keeps_path_or_day_is_not(yard: Yard) -> None:
    source = yard.context.source(rules=f"execute_after_dh_install:\n\t{KEPT}\n")
    built = yard.build(source, TWICE)
    assert built.rebuilt is not None
    assert built.rebuilt.verdict == DIFFERENT
    told = re.search(r"'\./usr/bin/kept' differs in line 1: (.*)", built.rebuilt.statement)
    assert told, built.rebuilt.statement
    first, second = told[1].split(", in the second build ")
    year, place = first.strip("'").split()
    later, elsewhere = second.strip("'").split()
    assert int(later) > int(year)
    assert place == "/build/reproducible/tiny-tool-1.0"
    assert elsewhere == "/build/another-place/of-another-length/tiny-tool-1.0"
    assert [finding.code for finding in built.findings] == ["not-reproduced"]


def test_evidence_and_why_tell_of_the_second_build(rig: Rig, web: Web) -> None:
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    rig.configure(rig.settings.replace("[build]", "[build]\nrebuild = true"))
    rig.run("sync", "hello")
    (place,) = rig.json("evidence", "hello", "1.0")["predicate"]["series"].values()
    rebuilt = place["build"]["rebuilt"]
    assert rebuilt["verdict"] == "reproduced"
    assert "clock 400 days ahead" in rebuilt["varied"]
    said = rig.run("why", "hello").stdout
    assert "1.0 for bookworm was built twice, reproduced: a second build (path" in said
    before = rig.pool()
    rig.configure(rig.settings)  # what was published stays what it is
    rig.run("sync", "hello")
    assert rig.pool() == before
    assert "was built twice" in rig.run("why", "hello").stdout
