"""Gather what the journal knows into the static site, and write that to a folder.

The site is made anew each time. Only files of ours are replaced or removed there: a list of them
is kept beside them, and a folder that holds somebody else's index.html is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from toolsync.bench import Bench
from toolsync.definition import Tool
from toolsync.errors import SetupError, ToolsyncError
from toolsync.model import STAGES, Blob, Outcome
from toolsync.records import PageRow, Publication, Result, Upload
from toolsync.report.chart import Point
from toolsync.report.evidence import evidence
from toolsync.report.feed import NAME, feed
from toolsync.report.lag import lag
from toolsync.report.page import (
    MAX_RECORDS,
    File,
    Hold,
    Install,
    Place,
    Record,
    Site,
    ToolView,
    files,
    signed_name,
)
from toolsync.report.why import why
from toolsync.survey import last_standing
from toolsync.system.clock import stamp
from toolsync.system.forks import side_by_side
from toolsync.system.gpgkeys import inspect_keys
from toolsync.system.store import replace_file
from toolsync.watch.versions import sort_key, upstream_key

_OURS = ".toolsync-page"
_MAX_DIFF = 64 * 1024
"""Bytes of a gate's report or of a log's end that stand on a page."""


def write_site(
    bench: Bench,
    tools: Sequence[Tool],
    faulty: Sequence[Outcome],
    folder: Path,
    *,
    processes: int = 1,
) -> tuple[str, ...]:
    """Write the site into ``folder`` and return the names of its files.

    So many ``processes`` share the rendering, which asks neither journal nor network; more than
    one only where there are no other threads. Raises SetupError when the folder holds somebody
    else's page, or cannot be written.
    """
    before = _ours(folder)
    site = gather(bench, tools, faulty)
    todo: list[File] = [*files(site), (NAME, partial(_feed, bench, site)), *_signed(bench, site)]
    names = tuple(name for name, _ in todo)
    # What is about to be written is ours, also if we are killed in between.
    _note(folder, sorted({*before, *names}))
    shares = [todo[n::processes] for n in range(processes)]
    for answer in side_by_side([partial(_write, folder, share) for share in shares]):
        if isinstance(answer, ToolsyncError):
            raise answer
    for name in set(before) - set(names):
        (folder / name).unlink(missing_ok=True)
    _note(folder, sorted(names))
    return names


def _write(folder: Path, todo: Iterable[File]) -> None:
    for name, make in todo:
        replace_file(folder / name, make(), durable=False)


def gather(bench: Bench, tools: Sequence[Tool], faulty: Sequence[Outcome] = ()) -> Site:
    """Return the whole site as values: what the journal and the target know, nobody asked else."""
    published: dict[str, list[Publication]] = {}
    with bench.journal.one_moment():
        rows = bench.journal.publications()
        for row in rows:
            published.setdefault(row.tool, []).append(row)
        looks = bench.journal.looks()
        views = [
            _view(
                bench,
                tool,
                last_standing(bench, tool, warn=False),
                looks.get(tool.name),
                published.get(tool.name, ()),
            )
            for tool in tools
        ]
    views += [_faulty(outcome) for outcome in faulty]
    columns = {(bench.target.name, series) for series in bench.config.series}
    columns |= {(place.target, place.series) for view in views for place in view.places}
    installs = tuple(_installs(bench))
    key = _key_of(installs[0].stanza) if installs else ""
    return Site(
        title=f"{bench.config.local.label} archive",
        made=stamp(bench.clock.now()),
        published=rows,
        tools=sorted(views, key=lambda view: view.name),
        columns=sorted(columns),
        installs=installs,
        key=key,
        fingerprint=_fingerprint(bench, key),
    )


def _signed(bench: Bench, site: Site) -> Iterator[File]:
    for tool in site.tools:
        for record in tool.records[:MAX_RECORDS]:
            if record.signed is not None:
                yield signed_name(record.signed), bench.store.path(record.signed).read_bytes


def _feed(bench: Bench, site: Site) -> bytes:
    config = bench.config
    return feed(
        site.published,
        origin=config.local.origin,
        url=config.report.page_url,
        now=site.made,
    )


def _view(
    bench: Bench,
    tool: Tool,
    outcome: Outcome | None,
    page: PageRow | None,
    rows: Sequence[Publication],
) -> ToolView:
    log = bench.journal.entries(tool.name, 50) if outcome and outcome.status == "new" else ()
    taken = sorted(
        bench.journal.releases(tool.name), key=lambda r: upstream_key(r["version"]), reverse=True
    )
    results: dict[str, list[Result]] = {row["version"]: [] for row in taken}
    for result in bench.journal.all_results(tool.name):
        if result.key.version in results:
            results[result.key.version].append(result)
    uploads = bench.journal.uploads(tool.name)
    signed = bench.journal.envelopes_of(tool.name)
    records = [evidence(tool.name, r["version"], r, results[r["version"]], uploads) for r in taken]
    return ToolView(
        name=tool.name,
        summary=tool.summary,
        homepage=tool.homepage,
        status=outcome.status if outcome else "unknown",
        sentence=why(tool.name, outcome, page, log),
        upstream=(outcome.newest if outcome else "") or _last_seen(taken),
        looked=page.looked if page else "",
        places=tuple(_places(uploads, rows)),
        points=tuple(_points(rows)),
        holds=tuple(_holds(bench, (r for found in results.values() for r in found))),
        records=tuple(
            Record(
                version=record["version"],
                outcome=_phrase(results[record["version"]]),
                evidence=record,
                signed=_kept(bench, signed.get(record["version"])),
            )
            for record in records[:MAX_RECORDS]
        ),
        evidence=tuple(records),
    )


def _last_seen(taken: Sequence[dict[str, Any]]) -> str:
    return f"{taken[0]['version']} (last seen)" if taken else ""


def _faulty(outcome: Outcome) -> ToolView:
    return ToolView(
        name=outcome.tool,
        summary="cannot be read",
        homepage="",
        status=outcome.status,
        sentence=why(outcome.tool, outcome, None, ()),
        upstream="",
        looked="",
        places=(),
        points=(),
        holds=(),
        records=(),
        evidence=(),
    )


def _places(uploads: Sequence[Upload], rows: Sequence[Publication]) -> Iterator[Place]:
    """Give the newest version that each target serves for each series."""
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


def _kept(bench: Bench, envelope: Blob | None) -> Blob | None:
    return envelope if envelope is not None and bench.store.has(envelope) else None


def _points(rows: Sequence[Publication]) -> Iterator[Point]:
    """Give each release's lag, by when it could first be installed anywhere."""
    seen = set()
    for row in rows:
        if row.version not in seen:
            seen.add(row.version)
            yield Point(version=row.version, at=row.at, seconds=lag(row.released, row.at))


def _holds(bench: Bench, results: Iterable[Result]) -> Iterator[Hold]:
    for result in results:
        if result.outcome == "held":
            yield Hold(
                version=result.key.version,
                stage=result.key.stage + (f" [{result.key.scope}]" if result.key.scope else ""),
                message=result.message,
                resolution=result.resolution,
                diff=_diff(bench, result),
            )


def _diff(bench: Bench, result: Result) -> str:
    """Return the gate's report from its beginning, or a failed step's log from its end."""
    judged = bench.journal.judged(result.key.tool, result.key.version, result.key.stage)
    if judged is not None and judged.judgment.report is not None:
        return _text(bench, judged.judgment.report, end=False)
    log = result.data.get("log")
    if not isinstance(log, dict):
        return ""
    try:
        blob = Blob(name=log["name"], sha256=log["sha256"], size=log["size"])
    except KeyError:
        return ""
    return _text(bench, blob, end=True)


def _text(bench: Bench, blob: Blob, *, end: bool) -> str:
    if not bench.store.has(blob):
        return ""
    with bench.store.path(blob).open("rb") as file:
        if end and blob.size > _MAX_DIFF:
            file.seek(blob.size - _MAX_DIFF)
        return file.read(_MAX_DIFF).decode("utf-8", "replace")


def _phrase(results: Sequence[Result]) -> str:
    """Return how far a release has come, in a phrase."""
    held = next((result for result in results if result.outcome == "held"), None)
    if held is not None:
        return f"held at {held.key.stage}"
    last = max(results, key=lambda r: STAGES.index(r.key.stage), default=None)
    if last is None:
        return "seen"
    done = "confirmed" if last.key.stage == "confirm" else f"came as far as {last.key.stage}"
    return f"{done}, {last.finished}"


def _installs(bench: Bench) -> Iterator[Install]:
    for series in bench.config.series:
        try:
            yield Install(series=series, stanza=bench.target.stanza(series))
        except ToolsyncError:
            continue  # nothing is served for it, or nobody can tell now


def _key_of(stanza: str) -> str:
    """Return the key that a deb822 stanza carries (sources.list(5), Signed-By)."""
    _, found, block = stanza.partition("Signed-By:")
    rows = [line[1:] for line in block.splitlines() if line.startswith(" ")]
    key = "\n".join("" if row == "." else row for row in rows)
    return key + "\n" if found and "BEGIN PGP PUBLIC KEY BLOCK" in key else ""


def _fingerprint(bench: Bench, key: str) -> str:
    if not key:
        return ""
    with bench.workshop.folder("page") as folder:
        (folder / "key.asc").write_text(key, encoding="ascii")
        return ", ".join(info.fingerprint for info in inspect_keys([folder / "key.asc"]))


def _ours(folder: Path) -> list[str]:
    """Return the names of the files that we wrote here before."""
    note = folder / _OURS
    if not note.exists():
        if (folder / "index.html").exists():
            raise SetupError(
                f"{folder} holds an index.html that toolsync did not write",
                resolution="Name another folder, or remove that file.",
            )
        return []
    try:
        names = json.loads(note.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return []
    safe = isinstance(names, list) and all(isinstance(n, str) for n in names)
    return [n for n in names if ".." not in n and not n.startswith("/")] if safe else []


def _note(folder: Path, names: Sequence[str]) -> None:
    replace_file(folder / _OURS, json.dumps(names, indent=0).encode())
