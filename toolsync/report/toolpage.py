"""What one tool's page says, gathered from the journal and the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from toolsync.attest.keep import signed_bill
from toolsync.attest.record import evidence
from toolsync.config.definition import Tool
from toolsync.journal.pages import PageRow
from toolsync.journal.publications import Publication
from toolsync.journal.releases import SeenRelease
from toolsync.journal.results import Result
from toolsync.journal.uploads import Upload
from toolsync.model.errors import Damaged, Unverified
from toolsync.model.release import Blob, Outcome
from toolsync.model.versions import sort_key, upstream_key
from toolsync.pipeline.context import Context
from toolsync.pipeline.rebuilds import second_builds
from toolsync.report.chart import Point
from toolsync.report.columns import Known, values
from toolsync.report.lag import lag
from toolsync.report.page import MAX_RECORDS, Hold, Place, Record, ToolView
from toolsync.report.why import why

_MAX_DIFF = 64 * 1024
"""Bytes of a gate's report or of a log's end that stand on a page."""


def view(
    context: Context,
    tool: Tool,
    outcome: Outcome | None,
    page: PageRow | None,
    rows: Sequence[Publication],
) -> ToolView:
    """Return what is known of a tool; ``outcome`` is where it stood at its last look."""
    log = context.journal.log.of(tool.name, 50) if outcome and outcome.status == "new" else ()
    taken = sorted(
        context.journal.releases.of(tool.name), key=lambda r: upstream_key(r.version), reverse=True
    )
    results: dict[str, list[Result]] = {row.version: [] for row in taken}
    for result in context.journal.results.of(tool.name):
        if result.key.version in results:
            results[result.key.version].append(result)
    current = (outcome.current if outcome else None) or ""
    built = second_builds(results.get(current, ()), current)
    uploads = context.journal.uploads.of(tool.name)
    signed = context.journal.evidence.of(tool.name)
    records = [evidence(tool.name, r.version, r, results[r.version], uploads) for r in taken]
    return ToolView(
        name=tool.name,
        summary=tool.summary,
        homepage=tool.homepage,
        status=outcome.status if outcome else "unknown",
        sentence=why(tool.name, outcome, log, built),
        upstream=(outcome.newest if outcome else "") or _last_seen(taken),
        looked=page.looked if page else "",
        packages=tool.packages,
        places=tuple(places_of(uploads, rows)),
        points=tuple(_points(rows)),
        holds=tuple(_holds(context, (r for found in results.values() for r in found))),
        records=tuple(
            _record(
                context,
                record,
                _phrase(results[record["version"]]),
                _kept(context, signed.get(record["version"])),
            )
            for record in records[:MAX_RECORDS]
        ),
        evidence=tuple(records),
        more=values(Known(tool=tool.name, outcome=outcome, page=page)),
    )


def _record(
    context: Context, record: Mapping[str, object], outcome: str, envelope: Blob | None
) -> Record:
    """Return the evidence of one release, with what was signed of it."""
    bill = None
    with suppress(Unverified):  # told by others, too
        bill = signed_bill(context.store, envelope) if envelope else None
    return Record(
        version=str(record["version"]),
        outcome=outcome,
        evidence=record,
        signed=envelope,
        bill=_kept(context, bill),
    )


def _last_seen(taken: Sequence[SeenRelease]) -> str:
    return f"{taken[0].version} (last seen)" if taken else ""


def faulty_view(outcome: Outcome) -> ToolView:
    """Return what there is to say of a tool whose definition cannot be read."""
    return ToolView(
        name=outcome.tool,
        summary="cannot be read",
        homepage="",
        status=outcome.status,
        sentence=why(outcome.tool, outcome, ()),
        upstream="",
        looked="",
        packages=(),
        places=(),
        points=(),
        holds=(),
        records=(),
        evidence=(),
    )


def places_of(uploads: Sequence[Upload], rows: Sequence[Publication]) -> Iterator[Place]:
    """Yield the newest version that each target serves for each series."""
    newest: dict[tuple[str, str], tuple[Any, str, str]] = {}
    first = {(r.target, r.series, r.version, r.revision): r.at for r in rows}
    for upload in uploads:
        if upload.state != "confirmed":
            continue
        where = (upload.target, upload.series)
        at = first.get((*where, upload.upstream, str(upload.revision)), upload.changed)
        found = (sort_key(upload.version), upload.version, at)
        if where not in newest or newest[where][0] < found[0]:
            newest[where] = found
    for (target, series), (_, version, at) in sorted(newest.items()):
        yield Place(target=target, series=series, version=version, since=at)


def _kept(context: Context, envelope: Blob | None) -> Blob | None:
    """Return signed evidence that is here, and whole: damage to it is told by others."""
    if envelope is None or not context.store.has(envelope):
        return None
    try:
        context.store.require(envelope)
    except Damaged:
        return None
    return envelope


def _points(rows: Sequence[Publication]) -> Iterator[Point]:
    """Yield each release's lag, by when it could first be installed anywhere."""
    seen = set()
    for row in rows:
        if row.version not in seen:
            seen.add(row.version)
            yield Point(version=row.version, at=row.at, seconds=lag(row.released, row.at))


def _holds(context: Context, results: Iterable[Result]) -> Iterator[Hold]:
    for result in results:
        if result.outcome == "held":
            yield Hold(
                version=result.key.version,
                stage=result.key.stage + (f" [{result.key.scope}]" if result.key.scope else ""),
                message=result.message,
                resolution=result.resolution,
                diff=_diff(context, result),
            )


def _diff(context: Context, result: Result) -> str:
    """Return the gate's report from its beginning, or a failed step's log from its end."""
    judged = context.journal.judgments.get(result.key)
    if judged is not None and judged.judgment.report is not None:
        return _text(context, judged.judgment.report, end=False)
    log = result.data.get("log")
    if not isinstance(log, dict):
        return ""
    try:
        blob = Blob(name=log["name"], sha256=log["sha256"], size=log["size"])
    except KeyError:
        return ""
    return _text(context, blob, end=True)


def _text(context: Context, blob: Blob, *, end: bool) -> str:
    if not context.store.has(blob):
        return ""
    try:
        path = context.store.path(blob)
    except Damaged as error:
        return str(error)
    with path.open("rb") as file:
        if end and blob.size > _MAX_DIFF:
            file.seek(blob.size - _MAX_DIFF)
        return file.read(_MAX_DIFF).decode("utf-8", "replace")


def _phrase(results: Sequence[Result]) -> str:
    """Return how far a release has come, in a phrase; ``results`` are in the stages' order."""
    held = next((result for result in results if result.outcome == "held"), None)
    if held is not None:
        return f"held at {held.key.stage}"
    if not results:
        return "seen"
    last = results[-1]
    done = "confirmed" if last.key.stage == "confirm" else f"came as far as {last.key.stage}"
    return f"{done}, {last.finished}"
