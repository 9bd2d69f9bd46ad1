"""Many tools at once on one machine: side by side where they may, one by one where they must."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.service.test_stop import PATIENT, SECOND, stopped
from tests.support.living import alive, gone
from tests.support.rig import Rig
from tests.support.sleeping import Spans, asleep, most_at_once
from tests.support.tiny import publish, write_tool
from toolsync.pipeline.sync import sync


@pytest.mark.parametrize("at_once", [1, 4])
def test_builds_go_side_by_side_as_far_as_there_are_places(
    tmp_path: Path, web: Web, at_once: int
) -> None:
    spans: Spans = []
    rig = Rig(tmp_path)
    with asleep(rig, web, spans, tools=4, at_once=at_once, tenths=40 if at_once > 1 else 3) as (
        context,
        tools,
    ):
        outcomes = sync(context, tools, 4, dry_run=False)
        assert [outcome.tool for outcome in outcomes] == [tool.name for tool in tools]
        assert [outcome.status for outcome in outcomes] == ["up-to-date"] * 4, outcomes[0].message
        uploads = [u for tool in tools for u in context.journal.uploads.of(tool.name)]
        assert [upload.state for upload in uploads] == ["confirmed"] * 4
    assert len(spans) == 4
    assert most_at_once(spans) == at_once


def test_four_builds_at_once_are_stopped_and_the_next_run_goes_on(tmp_path: Path, web: Web) -> None:
    at_once = PATIENT.replace("[build]", "[build]\nat_once = 4")
    rig = Rig(tmp_path, f"[pipeline]\nat_once = 4\n{at_once}")
    names = ["hello-a", "hello-b", "hello-c", "hello-d"]
    for name in names:
        publish(web, "1.0", name=name, path=f"/{name}/")
        rules = write_tool(rig.tools, f"{web.url}/{name}/", "1.0", name=name) / "debian" / "rules"
        wanted = rules.read_text()
        rules.write_text(f"{wanted}override_dh_auto_build:\n\tsetsid sleep 773.5 & sleep 773.5\n")
    took, said = stopped(rig, signal.SIGINT, lambda: len(alive("sleep 773.5")) == 8, "sync", *names)
    assert took < SECOND
    assert said.count("toolsync: stopped") == 1
    assert gone("sleep 773.5", 1) == []
    assert rig.leftovers() == []
    # What was stopped has not failed: nothing is held by it, and the next run builds again.
    assert [row["status"] for row in rig.json("status", *names)] == ["new"] * 4
    for name in names:
        (rig.tools / name / "debian" / "rules").write_text(wanted)
    rows = rig.json("sync", *names)
    assert [(row["tool"], row["published"]) for row in rows] == [(name, ["1.0"]) for name in names]
