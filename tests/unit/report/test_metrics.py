"""The Prometheus text file, the rules for it, and the feed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from lxml import etree
from prometheus_client.parser import text_string_to_metric_families

from tests.servers.web import Web
from tests.service.test_run import only
from tests.support.gallery import STORIES, archive
from tests.support.reporting import NOW, ago, last_status, page, publication
from tests.support.rig import ROOT, Rig
from toolsync.journal.runs import RunRow
from toolsync.journal.statuses import LastStatus
from toolsync.maintain.service import run_once
from toolsync.model.errors import Bug
from toolsync.report.feed import feed
from toolsync.report.metrics import Facts, FleetFacts, exposition

RUN = RunRow(id=1, started=ago(minutes=9), finished=ago(minutes=5), exit_status=3)


def samples(*statuses: LastStatus) -> dict[tuple[str, str], float]:
    """Return the samples by name and labels (values alone, in the order of their names)."""
    facts = Facts(
        now=NOW,
        statuses={s.tool: s for s in statuses},
        pages={"hello": page()},
        waiting={"euca": ago(days=2)},
        run=RUN,
        stages=[("fetch", ago(seconds=10), ago(seconds=4)), ("build", ago(hours=3), ago(hours=1))],
        unsent={"webhook": 2},
        archive_keys={"F" * 40: ago(days=-9)},
        scrubbed=ago(days=1),
    )
    families = text_string_to_metric_families(exposition(facts).decode())
    return {
        (sample.name, " ".join(v for _, v in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_tool_is_measured() -> None:
    held = last_status("euca", "held", exit_status=3, newest="1.1", current="1.0")
    found = samples(last_status(), held)
    assert found["toolsync_tool_info", "1.1 1.0 euca"] == 1
    assert found["toolsync_tool_state", "held euca"] == 1
    assert found["toolsync_tool_state", "held hello"] == 0
    assert found["toolsync_tool_held", "euca"] == 1
    assert found["toolsync_tool_lag_seconds", "euca"] == 2 * 86400
    assert found["toolsync_tool_lag_seconds", "hello"] == 0
    answered = NOW.timestamp() - 3600
    assert found["toolsync_tool_last_success_timestamp_seconds", "hello"] == answered
    assert ("toolsync_tool_last_success_timestamp_seconds", "euca") not in found


def test_runs_stages_and_letters_are_measured() -> None:
    found = samples(last_status())
    assert found["toolsync_run_finished_timestamp_seconds", ""] == NOW.timestamp() - 300
    assert found["toolsync_run_duration_seconds", ""] == 240
    assert found["toolsync_run_exit_status", ""] == 3
    assert found["toolsync_report_unsent", "webhook"] == 2
    name = "toolsync_stage_duration_seconds"
    assert found[f"{name}_bucket", "5.0 fetch"] == 0
    assert found[f"{name}_bucket", "15.0 fetch"] == 1
    assert found[f"{name}_bucket", "+Inf build"] == 1
    assert found[f"{name}_sum", "build"] == 7200


def test_a_hostile_version_stays_in_its_label() -> None:
    bad = last_status(newest='1"\n} 1\nevil 1', current="\\")
    found = samples(bad)
    assert not any(name == "evil" for name, _ in found)


def test_the_rules_ask_only_for_what_is_written() -> None:
    rules = (ROOT / "conf" / "alerts.yml").read_text()
    written = {name for name, _ in samples(last_status())}
    asked = set(re.findall(r"\btoolsync_[a-z_]+", " ".join(re.findall(r"expr: (.*)", rules))))
    assert len(asked) >= 6
    assert asked <= written


def test_a_run_replaces_the_file_whole(rig: Rig, web: Web, tmp_path: Path) -> None:
    only(rig, web)
    file = tmp_path / "metrics" / "toolsync.prom"
    rig.configure(f'[http]\nretries = 0\n[report.metrics]\npath = "{file}"\n')
    rig.run("run", status=4)
    text = file.read_text()
    assert 'toolsync_tool_state{status="unreachable",tool="hello"} 1.0' in text
    assert "toolsync_run_exit_status 4.0" in text
    assert list(file.parent.iterdir()) == [file]
    rig.configure('[http]\nretries = 0\n[report.metrics]\npath = "/proc/no/toolsync.prom"\n')
    done = rig.run("run", status=1)
    assert "metrics: " in done.stderr


def test_a_run_that_meets_a_bug_ends_and_says_so(tmp_path: Path) -> None:
    """A definition that is none stands for whatever nobody foresaw."""
    with archive(tmp_path, STORIES[1:2]) as (context, tools):
        report = replace(context.config.report, metrics=str(tmp_path / "m.prom"))
        context = replace(context, config=replace(context.config, report=report))
        came = run_once(context, tools, due=[None])  # type: ignore[list-item]
        ended = context.journal.runs.last_finished()
    assert [(name, type(error)) for name, error in came.troubles] == [("all tools", Bug)]
    assert came.exit_status == 1
    assert ended is not None
    assert ended.exit_status == 1
    assert "toolsync_run_exit_status 1.0" in (tmp_path / "m.prom").read_text()


ATOM = "{http://www.w3.org/2005/Atom}"


def test_the_feed_names_each_publication_for_ever() -> None:
    rows = [publication(1), publication(2, tool="zsh")]
    made = feed(rows, origin="toolsync", url="https://x.example/page/", now=ago())
    root = etree.fromstring(made)
    entries = root.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
        "zsh 1.0 for bookworm",
        "hello 1.0 for bookworm",
    ]
    assert entries[1].findtext(f"{ATOM}id") == "urn:toolsync:toolsync:hello:1.0:bookworm/1@local"
    assert "2 h after its release" in str(entries[0].findtext(f"{ATOM}content"))
    assert root.findtext(f"{ATOM}updated") == rows[1].at
    assert feed(rows, origin="toolsync", url="https://x.example/page/", now="later") == made


def test_an_empty_feed_is_one_too() -> None:
    root = etree.fromstring(feed([], origin="toolsync", url="", now=ago()))
    assert root.findtext(f"{ATOM}updated") == ago()
    for name in ("id", "title", "author"):
        assert root.find(f"{ATOM}{name}") is not None


def test_a_fleets_figures_are_told_by_queue() -> None:
    facts = Facts(
        now=NOW,
        statuses={},
        pages={},
        waiting={},
        run=None,
        stages=[],
        unsent={},
        fleet=FleetFacts(queues={"build.amd64": (2, 5, 1), "look": (0, 3, 0)}, given_up=4),
    )
    families = text_string_to_metric_families(exposition(facts).decode())
    found = {
        (sample.name, sample.labels.get("queue", "")): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("toolsync_fleet_")
    }
    assert found == {
        ("toolsync_fleet_workers", "build.amd64"): 2,
        ("toolsync_fleet_workers", "look"): 0,
        ("toolsync_fleet_tasks_waiting", "build.amd64"): 5,
        ("toolsync_fleet_tasks_waiting", "look"): 3,
        ("toolsync_fleet_tasks_running", "build.amd64"): 1,
        ("toolsync_fleet_tasks_running", "look"): 0,
        ("toolsync_fleet_tasks_given_up", ""): 4,
    }
