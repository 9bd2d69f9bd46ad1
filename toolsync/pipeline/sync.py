"""The order of the stages, and the only loop.

    watch → fetch → verify → unpack → binding → license
          → package → build → compat → publish → confirm

One tool's trouble never touches another's, and one series' trouble never another series'.
Kill a run anywhere: the next one finds each finished stage in the journal, and an upload
that was claimed is asked about at its target before it is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

from toolsync.config.definition import Tool
from toolsync.journal.followed import Follows
from toolsync.model.errors import Rejected, ToolsyncError, gravest, unforeseen
from toolsync.model.release import Licensed, Outcome, Release, dump
from toolsync.model.versions import upstream_key
from toolsync.pipeline import review
from toolsync.pipeline.archivekey import settle_keys
from toolsync.pipeline.context import Context
from toolsync.pipeline.deliver import judge_packages
from toolsync.pipeline.locate import whole
from toolsync.pipeline.memory import Event
from toolsync.pipeline.outcome import Look, in_trouble, sifted_of, stand
from toolsync.pipeline.places import side_by_side
from toolsync.pipeline.promote import bring_in, make_all_ready, take
from toolsync.pipeline.proposals import agreed_files
from toolsync.pipeline.recalls import announce_recalls
from toolsync.pipeline.road import licensed
from toolsync.pipeline.status import candidates, status_of, wanted_series
from toolsync.pipeline.survey import look_at_all
from toolsync.pipeline.transparency import publish_log
from toolsync.pipeline.work import Work, work_on
from toolsync.watch.look import Sighting


def sync(
    context: Context, tools: Sequence[Tool], jobs: int, *, dry_run: bool, retry: bool = False
) -> list[Outcome]:
    """Take every release as far as it may go and return where each tool stands then.

    With ``retry`` a build that failed is tried again, though nothing has changed. Raises SetupError
    before anything is done where the archive's key is lost.
    """
    if not dry_run:
        with context.places.at_targets():
            settle_keys(context)
        context.journal.followed.follow(
            Follows(tool=tool.name, source=tool.source, folder=str(tool.folder.absolute()))
            for tool in tools
        )
    context = replace(context, memory=context.memory.retrying(retry))
    outcomes = _each(context, tools, look_at_all(context, tools, jobs), dry_run)
    if not dry_run:
        with context.places.at_targets():
            publish_log(context)
        try:
            with context.places.at_targets():
                announce_recalls(context, tools, outcomes)
        except ToolsyncError as error:  # told again by the next run, which finds it undone
            context.memory.tell(
                Event(
                    tool="", version="", stage="", scope="", text=f"recalls are not told: {error}"
                )
            )
    return outcomes


def _each(
    context: Context, tools: Sequence[Tool], looks: Sequence[Look], dry_run: bool
) -> list[Outcome]:
    """Return where each tool stands after its turn; they go side by side as there are places.

    Tools of one source package go one after the other: their versions are published in order.
    """
    chains: dict[str, list[tuple[int, Tool, Look]]] = {}
    for place, (tool, found) in enumerate(zip(tools, looks, strict=True)):
        chains.setdefault(tool.source, []).append((place, tool, found))

    def work(own: Sequence[tuple[int, Tool, Look]]) -> list[tuple[int, Outcome]]:
        with context.places.at_tool(own[0][1].source) as ours:
            return [
                (place, one(tool, found) if ours else stand(context, tool, found))
                for place, tool, found in own
            ]

    def one(tool: Tool, found: Look) -> Outcome:
        try:
            return _sync_tool(context, tool, found, dry_run)
        except ToolsyncError as error:
            return in_trouble(context, tool, error)

    works = [partial(work, own) for own in chains.values()]
    done = dict(chain.from_iterable(side_by_side(works, context.places.tools)))
    return [done[place] for place in range(len(tools))]


def _sync_tool(context: Context, tool: Tool, found: Look, dry_run: bool) -> Outcome:
    before = stand(context, tool, found)
    if isinstance(found, ToolsyncError) or before.status not in ("up-to-date", "new", "held"):
        return before
    refused = review.rejected(context.journal, tool.name)
    takeable = sifted_of(context, tool, found).takeable
    offered = [
        release
        for release in takeable
        if release.version not in refused
        or (not dry_run and _asks_again(context, tool, release, before.current))
    ]
    ours = not tool.watch.is_folder or bool(context.journal.uploads.of(tool.name))
    chosen = candidates(offered, before.current, tool.watch.backlog, ours=ours)
    if dry_run:
        return _plan(context, tool, before, chosen)
    done: list[str] = []
    failed: list[ToolsyncError] = []
    for release in chosen:
        taken = _take(context, tool, release)
        done += [release.version] if taken.news and not taken.errors else []
        failed += [*taken.errors, *taken.beside]
    return _after(context, tool, found, done, failed)


def _asks_again(context: Context, tool: Tool, release: Release, current: str | None) -> bool:
    """Say whether a release that a person rejected is to be taken all the same.

    A rejection holds for what was judged: the release is judged once more where it is newer than
    what is published, and under another policy it asks again. Whatever else keeps it
    from being judged is told where it is taken.
    """
    if current and upstream_key(release.version) <= upstream_key(current):
        return False
    try:
        item = licensed(context, tool, whole(context, tool, release))
        judge_packages(work_on(context, tool, release), item)
    except Rejected:
        return False
    except Exception:  # noqa: BLE001 (it comes again, and is told, where the release is taken)
        return True
    return True


def _plan(context: Context, tool: Tool, before: Outcome, chosen: Sequence[Release]) -> Outcome:
    versions = [release.version for release in chosen if release.version != before.current]
    if not versions:
        return before
    series = ", ".join(wanted_series(context.config, tool))
    return replace(
        before,
        message=f"would take {', '.join(versions)} to {context.target.name} for {series}",
    )


def _after(
    context: Context,
    tool: Tool,
    found: Sighting,
    done: Sequence[str],
    failed: Sequence[ToolsyncError],
) -> Outcome:
    outcome = replace(stand(context, tool, found), done=tuple(done))
    if not failed:
        return outcome
    worst = gravest(error.exit_status for error in failed)
    error = next(error for error in failed if error.exit_status == worst)
    others = [text for text in dict.fromkeys(map(str, failed)) if text != str(error)]
    if outcome.status == status_of(error) and str(error) in outcome.message:
        told = outcome  # in the words of all views, which look at what is remembered
    else:
        told = replace(
            outcome,
            status=status_of(error),
            message=str(error),
            resolution=error.resolution,
        )
    return replace(told, message="; also: ".join((told.message, *others)), exit_status=worst)


@dataclass
class _Taken:
    """What came of taking a release."""

    news: bool = False
    """Whether anything was published by it."""
    errors: list[ToolsyncError] = field(default_factory=list)
    """What keeps it from being published."""
    beside: list[ToolsyncError] = field(default_factory=list)
    """What went wrong with it otherwise."""


def _take(context: Context, tool: Tool, release: Release) -> _Taken:
    """Take one release through all stages, as far as it may go."""
    taken = _Taken()
    try:
        context.journal.releases.see(tool.name, release.version, dump(release))
        release = whole(context, tool, release)
        if release.parts:
            context.journal.releases.see(tool.name, release.version, dump(release))
        work = work_on(context, tool, release)
        item = agreed_files(work, release)
        wanted = wanted_series(context.config, tool)
        kept_from = make_all_ready(work, item, wanted)
        for series in wanted:
            try:
                if series in kept_from:
                    raise kept_from[series]
                found = take(work, item, series)
                taken.news = found.news or taken.news
                taken.beside += [found.away] if found.away else []
            except ToolsyncError as error:
                taken.errors.append(error)
        taken.beside += _git_trouble(work, item)
    except ToolsyncError as error:
        taken.errors.append(error)
    except Exception as error:  # noqa: BLE001 (one tool's trouble must not touch another's)
        taken.errors.append(unforeseen(error))
    return taken


def _git_trouble(work: Work, item: Licensed) -> list[ToolsyncError]:
    """Bring what is published into git; return what went wrong, which holds nothing back."""
    try:
        bring_in(work, item)
    except ToolsyncError as error:
        return [error]
    except Exception as error:  # noqa: BLE001 (what is published is so)
        return [unforeseen(error)]
    return []
