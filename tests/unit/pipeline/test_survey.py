"""Many projects of one forge: how often it is asked, and that what is cut is not taken for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.forge import TOKEN, Forge
from tests.support.watching import tool_with
from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.model.release import Outcome
from toolsync.pipeline.context import Context, opened
from toolsync.pipeline.survey import check
from toolsync.system.clock import SystemClock

MANY = 500
BRANCH = [f"v1.9.{n}" for n in range(149, 139, -1)]
"""Ten tags of an older series, which fill a feed."""


@contextmanager
def context_at(state: Path) -> Iterator[Context]:
    config = Config(
        file=state / "toolsync.toml", state=state, tool_folders=(), timeout=5, retries=0, jobs=16
    )
    with opened(
        config,
        tell=lambda event: None,
        progress=lambda name: lambda done, total: None,
        clock=SystemClock(),
    ) as context:
        yield context


def tools(forge: Forge) -> list[Tool]:
    return [
        replace(
            tool_with(
                kind="github", url=f"{forge.web.url}/{name}", pattern=r"v(?P<version>[\d.]+)"
            ),
            name=name.partition("/")[2],
        )
        for name in forge.projects
    ]


def newest(state: Path, given: Sequence[Tool]) -> dict[str, Outcome]:
    """Return what a process of its own sees, by tool."""
    with context_at(state) as context:
        return {outcome.tool: outcome for outcome in check(context, given, 16)}


def projects() -> dict[str, list[str]]:
    """Return many projects: of every tenth the newest is not among the latest ten tags."""
    return {
        f"o/p{n:03}": [*BRANCH, "v1.10.5", "v1.9.1"] if n % 10 == 0 else ["v1.2", "v1.1"]
        for n in range(MANY)
    }


def with_token(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "netrc").write_text(f"machine 127.0.0.1 login x password {TOKEN}\n")
    monkeypatch.setenv("NETRC", str(folder / "netrc"))


def test_many_projects_without_a_token(tmp_path: Path) -> None:
    with Forge(projects()) as forge:
        given = tools(forge)
        seen = newest(tmp_path, given)
        assert {o.newest for n, o in seen.items() if n.endswith("0")} == {"1.10.5"}
        assert {o.newest for n, o in seen.items() if not n.endswith("0")} == {"1.2"}
        cold = forge.asked()
        assert (cold["feed"], cold["unchanged"], cold["api"]) == (MANY, 0, MANY // 10)

        assert {n: o.newest for n, o in newest(tmp_path, given).items()} == {
            n: o.newest for n, o in seen.items()
        }
        idle = forge.asked()
        assert (idle["feed"], idle["unchanged"], idle["api"]) == (0, MANY, 0)

        forge.projects["o/p010"].insert(0, "v1.11.0")
        assert newest(tmp_path, given)["p010"].newest == "1.11.0"
        one = forge.asked()
        assert (one["feed"], one["unchanged"], one["api"]) == (1, MANY - 1, 1)

        forge.projects["o/p010"].insert(0, "v1.11.1")
        assert newest(tmp_path, given)["p010"].newest == "1.11.1"
        assert forge.asked()["api"] == 0  # the feed reaches down to 1.11.0


def test_many_projects_with_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_token(monkeypatch, tmp_path)
    listed = projects() | {"o/long": [f"v2.0.{n}" for n in range(250)] + ["v3.0"]}
    with Forge(listed) as forge:
        given = tools(forge)
        seen = newest(tmp_path, given)
        assert (seen["p010"].newest, seen["p011"].newest) == ("1.10.5", "1.2")
        assert seen["long"].newest == "3.0"
        cold = forge.asked()
        assert cold == {"feed": 0, "unchanged": 0, "api": 0, "graphql": 9, "refused": 0}

        assert newest(tmp_path, given)["long"].newest == "3.0"
        assert forge.asked()["graphql"] <= 10

        forge.projects["o/p011"].insert(0, "v1.3")
        seen = newest(tmp_path, given)
        assert (seen["p011"].newest, seen["p012"].newest) == ("1.3", "1.2")
        assert forge.asked()["graphql"] <= 10


def test_one_that_is_gone_harms_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_token(monkeypatch, tmp_path)
    with Forge({"o/a": ["v1.0"], "o/b": ["v1.0"]}) as forge:
        given = tools(forge)
        del forge.projects["o/b"]
        seen = newest(tmp_path, given)
    assert (seen["a"].newest, seen["b"].status) == ("1.0", "unreachable")
    assert "tags.atom answered 404" in seen["b"].message


def test_a_limit_is_not_met_and_runs_share_it(tmp_path: Path) -> None:
    listed = {f"o/p{n:02}": [*BRANCH, "v1.10.5"] for n in range(70)}
    with Forge(listed, quota=30) as forge:
        given = tools(forge)
        before: set[str] = set()
        for _ in range(3):
            seen = newest(tmp_path, given)
            wrong = [o for o in seen.values() if o.newest not in (None, "1.10.5")]
            assert not wrong
            answered = {name for name, o in seen.items() if o.newest}
            assert answered > before  # what was answered stays so, and asks no more
            before = answered
            left = [o for o in seen.values() if o.newest is None]
            for outcome in left:
                assert outcome.status == "unreachable"
                assert "limits how often it is asked" in outcome.message
                assert "UTC" in outcome.message
                assert "a token lifts the limit" in outcome.message
            assert forge.asked()["refused"] == 0
            forge.left = forge.quota
        assert len(before) == 70


def test_a_listing_that_was_cut_is_told(tmp_path: Path) -> None:
    with Forge({"o/r": [*BRANCH, "v1.10.5"]}) as forge:
        forge.web.serve("/api/v3/repos/o/r/tags", "no such thing", status=404)
        for _ in range(2):  # also where nothing has changed
            seen = newest(tmp_path, tools(forge))["r"]
            assert seen.newest == "1.9.149"
            assert any("the listing was cut" in told for told in seen.warnings)
