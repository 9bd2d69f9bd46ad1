"""Bring what was accepted into a team's git repository, where the set-up names one.

A tool's releases are imported as they are for the first of its series: the packaging is the same
for all of them. What is published and could not be imported is told of, and each run tries again.
"""

from __future__ import annotations

from dataclasses import replace

from toolsync.config.definition import Tool
from toolsync.git.bringing import Known, bring
from toolsync.git.importer import Imported, Importer
from toolsync.git.place import Place, place_of
from toolsync.git.proposing import tag
from toolsync.journal.imports import CLOSED, HELD, IMPORTED, MERGED, OPEN, Import
from toolsync.model import errors
from toolsync.model.errors import Held
from toolsync.model.release import Outcome, SourcePackage
from toolsync.pipeline.archivekey import evidence_key
from toolsync.pipeline.context import Context
from toolsync.pipeline.status import wanted_series
from toolsync.pipeline.work import Work
from toolsync.system import fence
from toolsync.system.gpg import SigningHome
from toolsync.system.signing import Signer


def import_published(work: Work, source: SourcePackage) -> None:
    """See that the repository has what was published, with its tags.

    Raises Held where somebody else's work is in the way, Unreachable where it is not to be had.
    """
    place = place_for(work, source)
    if place is None:
        return
    imports, branch = work.context.journal.imports, place.settings.debian_branch
    known = imports.get(work.tool.name, source.version, place.url)
    if known is not None and (known.state, known.dsc) == (IMPORTED, source.files[0].sha256):
        return
    if known is not None and known.state == MERGED:
        fence.require()
        tag(importer(work.context, place), source, place, known.commit_id)
        imports.keep(replace(known, state=IMPORTED, branch=branch))
        return
    row = row_of(work, source, place, branch)
    fence.require()
    try:
        made = bring(importer(work.context, place), source, place, known_of(work, place))
    except Held as error:
        imports.keep(replace(row, state=HELD, message=str(error), resolution=error.resolution))
        raise
    imports.keep(with_commit(row, made))


def place_for(work: Work, source: SourcePackage) -> Place | None:
    """Return where a package is imported; None for nowhere, or where another series' one is."""
    place = place_of(work.context.config, work.tool)
    if place is None or source.series != wanted_series(work.context.config, work.tool)[0]:
        return None
    return place


def known_of(work: Work, place: Place, before: Import | None = None) -> Known:
    """Return what a repository was given of a tool; ``before`` is this version's row so far."""
    imports = work.context.journal.imports
    last = imports.last(work.tool.name, place.url, place.settings.debian_branch)
    rows = (row for row in imports.of(work.tool.name) if row.repository == place.url)
    return Known(
        commit=last.commit_id if last else "",
        tree=before.tree if before else "",
        trees=tuple(row.tree for row in rows if row.tree),
    )


def importer(context: Context, place: Place) -> Importer:
    """Return what imports; the key of tags is made where nothing was ever signed."""
    settings, config = place.settings, context.config
    key = settings.key or ("" if settings.keyring or not settings.sign else evidence_key(context))
    home = SigningHome(config.state / "gnupg")
    return Importer(
        store=context.store,
        workshop=context.workshop,
        signer=Signer(home, keyring=settings.keyring, key=key),
        maintainer=config.maintainer,
        limit=config.limits.unpacked_bytes,
        seconds=config.limits.seconds,
    )


def row_of(work: Work, source: SourcePackage, place: Place, branch: str) -> Import:
    """Return what is to be kept of an import that has not been made yet."""
    return Import(
        tool=work.tool.name,
        version=source.version,
        repository=place.url,
        upstream=source.release.version,
        series=source.series,
        state=IMPORTED,
        branch=branch,
        dsc=source.files[0].sha256,
    )


def with_commit(row: Import, made: Imported) -> Import:
    """Return the same with what it has become."""
    return replace(row, commit_id=made.commit, tree=made.tree, packaging=made.packaging)


def as_in_git(context: Context, tool: Tool, outcome: Outcome) -> Outcome:
    """Return where a tool stands when its repository is looked at, as far as it is known here."""
    if not (tool.git or context.config.git.repository):
        return outcome
    here = (outcome.newest, outcome.current)
    found = (one for one in context.journal.imports.of(tool.name) if one.upstream in here)
    one = next(found, None)
    if one is None or outcome.status not in ("up-to-date", "new", "held"):
        return outcome
    if one.state == OPEN and one.request and one.upstream != outcome.current:
        told = f"{one.upstream} waits for merge request {one.request}"
        todo = f"Merge {one.request} to publish it, or close it to reject it."
    elif one.state == CLOSED and one.upstream != outcome.current:
        told, todo = one.message, one.resolution
    elif one.state == HELD and outcome.status != "held":
        told, todo = f"{outcome.message}; not in git: {one.message}", one.resolution
    else:
        return outcome
    if outcome.status == "held" and one.state == OPEN:
        told = f"{told}; {outcome.message}"
    return replace(outcome, status="held", message=told, resolution=todo, exit_status=errors.HELD)
