"""Do one unattended run, as a timer or cron starts it.

A run that ended is a row in the journal (the heartbeat), so that one that did not happen can be
seen: by the next one, and by whoever reads the metrics. A report that fails keeps no other from
being written, and is what the run ends with, not what it stops at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from toolsync.config.definition import Tool
from toolsync.journal.runs import RunRow
from toolsync.journal.statuses import LastStatus
from toolsync.maintain.gc import clean_up
from toolsync.maintain.keylife import key_warnings, known_rows
from toolsync.maintain.scrub import scrub
from toolsync.maintain.scrubbed import read_scrubbed
from toolsync.model.errors import Busy, Damaged, ToolsyncError, gravest, unforeseen
from toolsync.model.release import Outcome
from toolsync.pipeline.context import Context
from toolsync.pipeline.loghead import served_head
from toolsync.pipeline.sync import sync
from toolsync.publish.local import LocalArchive
from toolsync.report.channel import Channel
from toolsync.report.channels import CHANNELS
from toolsync.report.news import Scene
from toolsync.report.post import Post, open_post
from toolsync.system.clock import stamp
from toolsync.system.store import replace_file

if TYPE_CHECKING:
    from toolsync.report.metrics import FleetFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What one run came to."""

    outcomes: tuple[Outcome, ...]
    """Of every tool that it took."""
    messages: int
    """How many were written because something had changed."""
    troubles: tuple[tuple[str, ToolsyncError], ...]
    """The reports that could not be made or sent, by channel; ``all tools`` for the work itself."""
    exit_status: int


def run_once(
    context: Context,
    tools: Sequence[Tool],
    faulty: Sequence[Outcome] = (),
    *,
    due: Sequence[Tool] | None = None,
    channels: Mapping[str, Channel] = CHANNELS,
) -> RunResult:
    """Sync what is ``due`` of ``tools`` (all if not given), then tell what changed.

    ``faulty`` are the tools that cannot be read, ``channels`` all the ways to tell. The caller
    holds the state's lock.
    """
    journal = context.journal
    post = open_post(context.config, journal, context.http, channels)
    post.introduce()
    before, number = journal.runs.last_finished(), journal.runs.begin()
    began = journal.runs.last(1)[0]
    chosen = tools if due is None else due
    outcomes, failure = _worked(context, chosen, faulty)
    journal.statuses.keep(outcomes)
    names = {tool.name for tool in tools} | {outcome.tool for outcome in faulty}
    statuses = {n: s for n, s in journal.statuses.all().items() if n in names}
    worn = _scrubbed(context, tools)
    scene = _scene(context, post, statuses, (before, began), failure)
    messages = post.write(replace(scene, warnings={o.tool: o.warnings for o in outcomes}))
    troubles = ([("all tools", failure)] if failure else []) + worn + post.send()
    status = gravest(
        [outcome.exit_status for outcome in outcomes] + [e.exit_status for _, e in troubles]
    )
    journal.runs.end(number, status)
    late = _written(context, post, tools, faulty, statuses)
    if late:
        troubles += late
        status = gravest([status, *(error.exit_status for _, error in late)])
        journal.runs.end(number, status)
    return RunResult(
        outcomes=outcomes, messages=messages, troubles=tuple(troubles), exit_status=status
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a run would do, as far as a look tells."""

    outcomes: tuple[Outcome, ...]
    messages: tuple[tuple[str, str], ...]
    """What would be told of how things stand after the last run: channel and text."""


def preview(
    context: Context, tools: Sequence[Tool], faulty: Sequence[Outcome], due: Sequence[Tool]
) -> Preview:
    """Look at what is ``due`` and at what was not told yet; do nothing and tell nobody."""
    post = open_post(context.config, context.journal, context.http)
    outcomes = (*sync(context, due, context.config.jobs, dry_run=True), *faulty)
    names = {tool.name for tool in tools} | {outcome.tool for outcome in faulty}
    statuses = {n: s for n, s in context.journal.statuses.all().items() if n in names}
    now = stamp(context.clock.now())
    began = RunRow(id=0, started=now, finished="", exit_status=-1)
    scene = _scene(context, post, statuses, (context.journal.runs.last_finished(), began), None)
    return Preview(outcomes=outcomes, messages=tuple(post.preview(scene)))


def _worked(
    context: Context, tools: Sequence[Tool], faulty: Sequence[Outcome]
) -> tuple[tuple[Outcome, ...], ToolsyncError | None]:
    """Return what became of the tools, and what kept all of them from being worked on."""
    try:
        return (*sync(context, tools, context.config.jobs, dry_run=False), *faulty), None
    except ToolsyncError as error:
        return tuple(faulty), error
    except Exception as error:  # noqa: BLE001 (a run that fails has to say so, too)
        return tuple(faulty), unforeseen(error)


def _scrubbed(context: Context, tools: Sequence[Tool]) -> list[tuple[str, ToolsyncError]]:
    """Look at a share of store and archive, and return what is damaged."""
    try:
        done = scrub(context, tools, share=True)
    except ToolsyncError as error:
        return [("scrub", error)]
    except Exception as error:  # noqa: BLE001 (what else the run has to say comes all the same)
        return [("scrub", unforeseen(error))]
    return [("scrub", Damaged(item.text, resolution=item.resolution)) for item in done.lost]


def _damage(context: Context) -> dict[str, str]:
    """Return what is damaged in store and archive, a sentence each by its path."""
    found = {item.path: item.text for item in read_scrubbed(context.config.state).lost}
    if isinstance(context.target, LocalArchive):
        for fault in context.target.inspector.look():
            found[fault.path] = f"the archive's {fault.path} {fault.message}"
    return found


def _scene(
    context: Context,
    post: Post,
    statuses: Mapping[str, LastStatus],
    runs: tuple[RunRow | None, RunRow],
    failure: ToolsyncError | None,
) -> Scene:
    before, began = runs
    silence = timedelta(days=context.config.report.silence_days)
    return Scene(
        now=context.clock.now(),
        statuses=statuses,
        pages=context.journal.pages.last_looks(),
        publications=context.journal.publications.all(),
        gap=(before, began) if before and _apart(before, began) > silence else None,
        warnings={},
        failure=str(failure) if failure and not isinstance(failure, Busy) else "",
        unsent=post.unsent(),
        silence=silence,
        damage=_damage(context),
        checkpoint=head.data.decode() if (head := served_head(context.config)) else "",
        archive_keys={
            warning.fingerprint: (warning.step, warning.text)
            for warning in key_warnings(known_rows(context), context.clock.now())
        },
    )


def _apart(before: RunRow, began: RunRow) -> timedelta:
    return datetime.fromisoformat(began.started) - datetime.fromisoformat(before.finished)


def _written(
    context: Context,
    post: Post,
    tools: Sequence[Tool],
    faulty: Sequence[Outcome],
    statuses: Mapping[str, LastStatus],
) -> list[tuple[str, ToolsyncError]]:
    """Write the files that are set up and clear the disk; return what went wrong."""
    report, limit = context.config.report, context.config.store_limit
    acts: list[tuple[str, object, Callable[[], object]]] = [
        ("store", limit, lambda: clean_up(context, limit=limit)),
        ("metrics", report.metrics, lambda: write_metrics(context, post, statuses)),
        ("page", report.page, lambda: write_page(context, tools, faulty)),
    ]
    troubles = []
    for name, wanted, act in acts:
        try:
            if wanted:
                act()
        except ToolsyncError as error:
            troubles.append((name, error))
        except Exception as error:  # noqa: BLE001 (a report's trouble is not the run's)
            troubles.append((name, unforeseen(error)))
    return troubles


def write_metrics(context: Context, post: Post, statuses: Mapping[str, LastStatus]) -> None:
    """Replace the Prometheus text file; raises SetupError, OutOfSpace."""
    from toolsync.report.metrics import Facts, exposition

    journal = context.journal
    facts = Facts(
        now=context.clock.now(),
        statuses=statuses,
        pages=journal.pages.last_looks(),
        waiting=journal.statuses.waiting(),
        run=journal.runs.last_finished(),
        stages=journal.results.times(),
        unsent={channel: len(journal.messages.unsent(channel)) for channel in post.channels},
        damaged=len(_damage(context)),
        scrubbed=read_scrubbed(context.config.state).finished,
        archive_keys={
            row.fingerprint: row.ends
            for row in known_rows(context)
            if row.ends and row.state != "ended"
        },
        fleet=_fleet(context),
    )
    replace_file(Path(context.config.report.metrics).expanduser(), exposition(facts))


def _fleet(context: Context) -> FleetFacts | None:
    """Return a fleet's figures, None where there is none or its broker does not answer."""
    if context.fleet is None:
        return None
    from toolsync.fleet.overview import look
    from toolsync.report.metrics import FleetFacts

    try:
        found = look(context.config.fleet.broker, context.clock)
    except ToolsyncError:
        return None
    queues = {
        name: (queue["workers"], queue["waiting"], len(queue["running"]))
        for name, queue in found["queues"].items()
    }
    return FleetFacts(queues=queues, given_up=len(found["given_up"]))


def write_page(context: Context, tools: Sequence[Tool], faulty: Sequence[Outcome]) -> None:
    """Write the static site; raises what `site.write_site` raises."""
    from toolsync.report.site import write_site

    write_site(context, tools, faulty, Path(context.config.report.page).expanduser())
