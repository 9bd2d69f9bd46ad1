"""Who would bring what a series lacks: a tool here, by its debian/control and what it published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.clock import DrivenClock
from toolsync.build.relations import build_relations, unmet
from toolsync.config.settings import Build, Config
from toolsync.pipeline.bringing import brought
from toolsync.pipeline.context import Context, opened

CONTROL = "Source: foo\n\nPackage: libfoo1\n\nPackage: libfoo-dev\nDepends: libfoo1\n"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """A set-up with one tool, whose archives are named so that nothing is asked elsewhere."""
    (tmp_path / "tools/foo/debian").mkdir(parents=True)
    (tmp_path / "tools/foo/debian/control").write_text(CONTROL)
    (tmp_path / "x.sources").write_text("Suites: bookworm\nSigned-By: /k\n")
    config = Config(
        file=tmp_path / "toolsync.toml",
        state=tmp_path / "state",
        tool_folders=(tmp_path / "tools",),
    )
    config = replace(config, build=Build(sources=str(tmp_path / "x.sources")))
    with opened(
        config,
        tell=lambda event: None,
        progress=lambda name: lambda done, total: None,
        clock=DrivenClock(),
    ) as found:
        yield found


def publish(context: Context, version: str, series: str, state: str) -> None:
    row = {
        "target": "local", "source": "foo", "version": version, "series": series, "tool": "foo",
        "upstream": "3", "content": "0" * 64, "revision": 1, "dsc": "0" * 64,
    }  # fmt: skip
    context.journal.uploads.claim(row)
    upload = context.journal.uploads.get("local", "foo", version, series)
    assert upload is not None
    context.journal.uploads.advance(upload, state, "")


@pytest.mark.parametrize(
    ("version", "series", "state", "said"),
    [
        ("3.1-1", "bookworm", "confirmed", "the tool foo makes libfoo-dev 3.1-1"),
        ("2.9-1", "bookworm", "confirmed", "no tool here has it"),
        ("3.1-1", "trixie", "confirmed", "no tool here has it"),
        ("3.1-1", "bookworm", "sent", "no tool here has it"),
    ],
)
def test_a_tool_that_published_what_is_lacking_is_named(
    context: Context, version: str, series: str, state: str, said: str
) -> None:
    publish(context, version, series, state)
    groups = build_relations({"Build-Depends": "libfoo-dev (>= 3)"}, "amd64")
    lacking = tuple(unmet(groups, {}))
    assert brought(context, "bookworm", lacking) == {lacking[0].told: said}
    assert brought(context, "bookworm", ()) == {}
