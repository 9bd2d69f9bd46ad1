"""Gather what the journal knows into the static site, and write that to a folder.

The site is made anew each time. Only files of ours are replaced or removed there: a list of them
is kept beside them, and a folder that holds somebody else's index.html is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from toolsync.config.asking import to_install
from toolsync.config.definition import Tool
from toolsync.journal.publications import Publication
from toolsync.model.errors import SetupError, ToolsyncError
from toolsync.model.release import Outcome
from toolsync.pipeline.context import Context
from toolsync.pipeline.loghead import FOLDER
from toolsync.pipeline.outcome import last_standing
from toolsync.report.feed import NAME, feed
from toolsync.report.page import (
    MAX_RECORDS,
    File,
    Install,
    Site,
    ToolView,
    bill_name,
    files,
    signed_name,
)
from toolsync.report.toolpage import faulty_view, view
from toolsync.system.clock import stamp
from toolsync.system.forks import side_by_side
from toolsync.system.gpgkeys import inspect_keys
from toolsync.system.store import replace_file

_OURS = ".toolsync-page"


def write_site(
    context: Context,
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
    site = gather(context, tools, faulty)
    todo: list[File] = [
        *files(site),
        (NAME, partial(_feed, context, site)),
        *_signed(context, site),
        *_log(context),
    ]
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


def gather(context: Context, tools: Sequence[Tool], faulty: Sequence[Outcome] = ()) -> Site:
    """Return the whole site as values: what the journal and the target know, nobody asked else."""
    published: dict[str, list[Publication]] = {}
    with context.journal.one_moment():
        rows = context.journal.publications.all()
        for row in rows:
            published.setdefault(row.tool, []).append(row)
        looks = context.journal.pages.last_looks()
        views = [
            view(
                context,
                tool,
                last_standing(context, tool, warn=False),
                looks.get(tool.name),
                published.get(tool.name, ()),
            )
            for tool in tools
        ]
    views += [faulty_view(outcome) for outcome in faulty]
    installs = tuple(_installs(context, views))
    key = _key_of(installs[0].stanza) if installs else ""
    return Site(
        title=f"{context.config.local.label} archive",
        made=stamp(context.clock.now()),
        published=rows,
        tools=sorted(views, key=lambda view: view.name),
        target=context.target.name,
        installs=installs,
        key=key,
        fingerprint=_fingerprint(context, key),
    )


def _signed(context: Context, site: Site) -> Iterator[File]:
    for tool in site.tools:
        for record in tool.records[:MAX_RECORDS]:
            if record.signed is not None:
                yield signed_name(record.signed), context.store.where(record.signed).read_bytes
            if record.bill is not None:
                yield bill_name(record.bill), context.store.where(record.bill).read_bytes


def _log(context: Context) -> Iterator[File]:
    """Give the log of publications where no archive of ours serves it: `toolsync audit --url`."""
    folder = context.config.archive / FOLDER
    for path in sorted(folder.rglob("*")) if context.target.takes_source else ():
        if path.is_file():
            yield f"{FOLDER}/{path.relative_to(folder).as_posix()}", path.read_bytes


def _feed(context: Context, site: Site) -> bytes:
    config = context.config
    return feed(
        site.published,
        origin=config.local.origin,
        url=config.report.page_url,
        now=site.made,
    )


def _installs(context: Context, views: Sequence[ToolView]) -> Iterator[Install]:
    for series in context.config.series:
        here = (context.target.name, series)
        served = (
            view.packages
            for view in views
            if any((place.target, place.series) == here for place in view.places)
        )
        example = to_install(context.config, next(served, ("PACKAGE",)), series)
        try:
            stanza = context.target.stanza(series)
        except ToolsyncError:
            continue  # nothing is served for it, or nobody can tell now
        yield Install(series=series, stanza=stanza, example=example)


def _key_of(stanza: str) -> str:
    """Return the key that a deb822 stanza carries (sources.list(5), Signed-By)."""
    _, found, block = stanza.partition("Signed-By:")
    rows = [line[1:] for line in block.splitlines() if line.startswith(" ")]
    key = "\n".join("" if row == "." else row for row in rows)
    return key + "\n" if found and "BEGIN PGP PUBLIC KEY BLOCK" in key else ""


def _fingerprint(context: Context, key: str) -> str:
    if not key:
        return ""
    with context.workshop.folder("page") as folder:
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
