"""Write what a Prometheus server should know, as a text file for node_exporter to collect.

The file is replaced whole. A run that did not happen shows as a time of the last one that grows
old; conf/alerts.yml has the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest

from toolsync.journal.pages import PageRow
from toolsync.journal.runs import RunRow
from toolsync.journal.statuses import LastStatus
from toolsync.model.errors import HELD
from toolsync.model.release import STATUSES
from toolsync.report.lag import lag
from toolsync.system.headers import plain

_BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds that a stage takes: a download is of the first, a build of the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFacts:
    """What is measured of a fleet."""

    queues: Mapping[str, tuple[int, int, int]]
    """Of each queue the workers that serve it, the tasks that wait, and those that run."""
    given_up: int
    """Tasks on the list of those that were given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is measured."""

    now: datetime
    statuses: Mapping[str, LastStatus]
    pages: Mapping[str, PageRow]
    waiting: Mapping[str, str]
    """Of tools whose newest release is not published: when upstream published that."""
    run: RunRow | None
    """The last one that ended."""
    stages: Sequence[tuple[str, str, str]]
    """Stage, start and end of everything that was done."""
    unsent: Mapping[str, int]
    """Messages that wait, by channel."""
    archive_keys: Mapping[str, str] = field(default_factory=dict)
    """When each of the archive's own keys ends that signs and has an end, by fingerprint."""
    damaged: int = 0
    """Files of store and archive that are not as they must be."""
    scrubbed: str = ""
    """When a scrub last came to its end; empty before the first."""
    fleet: FleetFacts | None = None


def exposition(facts: Facts) -> bytes:
    """Return the text format, version 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(facts))
    return generate_latest(registry)


class _Collector:
    """Gives the metrics to a registry."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def collect(self) -> Iterable[Metric]:
        """Yield every family of metrics."""
        yield from _of_tools(self._facts)
        yield from _of_runs(self._facts)
        yield _of_stages(self._facts.stages)
        if self._facts.fleet is not None:
            yield from _of_fleet(self._facts.fleet)


def _of_tools(facts: Facts) -> Iterable[Metric]:
    """Yield the families that have a sample for each tool."""
    versions = InfoMetricFamily(
        "toolsync_tool", "The newest version upstream and the one published.", labels=["tool"]
    )
    state = GaugeMetricFamily(
        "toolsync_tool_state", "1 for the status that a tool has.", labels=["tool", "status"]
    )
    held = _gauge("toolsync_tool_held", "1 while a person must look.")
    behind = _gauge("toolsync_tool_lag_seconds", "Since the newest was released, while it waits.")
    success = _gauge("toolsync_tool_last_success_timestamp_seconds", "Last answer of its page.")
    for name, last in sorted(facts.statuses.items()):
        published = {"newest": last.newest, "published": last.current}
        versions.add_metric([name], {key: plain(text, 200) for key, text in published.items()})
        for status in STATUSES:
            state.add_metric([name, status], float(status == last.status))
        held.add_metric([name], float(last.exit_status == HELD))
        since = facts.waiting.get(name)
        behind.add_metric([name], lag(since, facts.now.isoformat()) if since else 0.0)
        answered = facts.pages[name].answered if name in facts.pages else ""
        if answered:
            success.add_metric([name], _seconds(answered))
    return versions, state, held, behind, success


def _gauge(name: str, words: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, labels=["tool"])


def _of_runs(facts: Facts) -> Iterable[Metric]:
    """Yield the families about channels and runs."""
    unsent = GaugeMetricFamily(
        "toolsync_report_unsent", "Messages that a channel has not taken.", labels=["channel"]
    )
    for channel, count in sorted(facts.unsent.items()):
        unsent.add_metric([channel], count)
    yield unsent
    ends = GaugeMetricFamily(
        "toolsync_archive_key_end_timestamp_seconds",
        "When a key of the archive's own ends, of those that do.",
        labels=["fingerprint"],
    )
    for name, moment in sorted(facts.archive_keys.items()):
        ends.add_metric([name], _seconds(moment))
    yield ends
    yield GaugeMetricFamily(
        "toolsync_damaged_files",
        "Files of store and archive that are not as they must be.",
        value=facts.damaged,
    )
    if facts.scrubbed:
        yield GaugeMetricFamily(
            "toolsync_scrub_finished_timestamp_seconds",
            "When all files of store and archive were last digested.",
            value=_seconds(facts.scrubbed),
        )
    run = facts.run
    if run is None:
        return
    took = lag(run.started, run.finished)
    for name, words, value in (
        ("finished_timestamp_seconds", "When the last run ended.", _seconds(run.finished)),
        ("duration_seconds", "How long the last run took.", took),
        ("exit_status", "The exit status of the last run.", run.exit_status),
    ):
        yield GaugeMetricFamily(f"toolsync_run_{name}", words, value=value)


def _of_fleet(fleet: FleetFacts) -> Iterable[Metric]:
    """Yield the families about workers and queues."""
    for place, (name, words) in enumerate(
        (
            ("workers", "Workers that answer, by queue."),
            ("tasks_waiting", "Tasks that wait for a worker."),
            ("tasks_running", "Tasks that workers do."),
        )
    ):
        family = GaugeMetricFamily(f"toolsync_fleet_{name}", words, labels=["queue"])
        for queue, numbers in sorted(fleet.queues.items()):
            family.add_metric([plain(queue, 200)], numbers[place])
        yield family
    yield GaugeMetricFamily(
        "toolsync_fleet_tasks_given_up", "Tasks that no worker could do.", value=fleet.given_up
    )


def _of_stages(times: Sequence[tuple[str, str, str]]) -> Metric:
    family = HistogramMetricFamily(
        "toolsync_stage_duration_seconds",
        "How long stages took for the releases that there are.",
        labels=["stage"],
    )
    for stage in dict.fromkeys(name for name, _, _ in times):
        took = [lag(started, finished) for name, started, finished in times if name == stage]
        if took:
            counts = [(str(limit), float(sum(t <= limit for t in took))) for limit in _BUCKETS]
            family.add_metric([stage], [*counts, ("+Inf", float(len(took)))], sum(took))
    return family


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
