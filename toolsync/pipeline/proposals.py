"""Let a team decide over a release by a merge request, where the set-up says so.

The release is built and judged as ever, and then proposed instead of published; what a gate holds
is proposed, too, with what it found. Merged, a person has approved what the request showed, and
exactly what was merged is published; closed, it is rejected. There is one request for a version:
its branch is pushed and written down before it is opened, and is asked for first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from toolsync.git.forge import CLOSED, MERGED, OPEN, Draft, Request, edited, opened
from toolsync.git.forges import forge_at
from toolsync.git.importer import Imported
from toolsync.git.place import Place, place_of
from toolsync.git.proposing import merged, propose
from toolsync.git.text import request_text, request_title, text_digest
from toolsync.journal import imports
from toolsync.journal.decisions import APPROVED
from toolsync.journal.imports import Import
from toolsync.model.errors import Changed, GateClosed, Held, Rejected, UsageError
from toolsync.model.release import Compatible, Licensed, Release, SourcePackage
from toolsync.pipeline.gates import shown
from toolsync.pipeline.imports import importer, known_of, row_of, with_commit
from toolsync.pipeline.memory import NoMemory
from toolsync.pipeline.review import decide, fingerprint, questions
from toolsync.pipeline.road import fetched, licensed, unpacked, verified
from toolsync.pipeline.sources import source_for, upload_of
from toolsync.pipeline.status import wanted_series
from toolsync.pipeline.work import Work
from toolsync.system import fence

_ACCEPTED = (imports.MERGED, imports.IMPORTED)
_CUT = "cut"
"""Instead of a fingerprint where a text has not all that waits: a merge approves nothing."""


def is_proposed(work: Work) -> bool:
    """Say whether a tool's releases go by way of a merge request."""
    place = place_of(work.context.config, work.tool)
    return place is not None and place.settings.propose


def agreed_files(work: Work, release: Release) -> Licensed:
    """Return a release past the gates over its files, by a merge where they hold it."""
    try:
        return licensed(work.context, work.tool, release)
    except GateClosed as error:
        if not is_proposed(work):
            raise
        item = unpacked(work, verified(work, fetched(work, release)))
        quiet = replace(work, context=replace(work.context, memory=NoMemory(lambda event: None)))
        series = wanted_series(work.context.config, work.tool)[0]
        _settle(work, source_for(quiet, shown(work, item), series), error)
        return licensed(work.context, work.tool, release)


def agreed(work: Work, item: Licensed, make: Callable[[], Compatible]) -> Compatible:
    """Return a package past all its gates, which ``make`` gives, and merged where that is wanted.

    Raises Held while its request waits, and where that was closed or something else was merged.
    """
    if not is_proposed(work):
        return make()
    series = wanted_series(work.context.config, work.tool)[0]
    try:
        made = make()
    except GateClosed as error:
        _settle(work, source_for(work, item, series), error)
        return make()
    if upload_of(work.context, made.source) is None:  # what was claimed is on its way already
        _settle(work, source_for(work, item, series), None)
    return made


def _settle(work: Work, source: SourcePackage, held: GateClosed | None) -> None:
    """Return where the package was merged; raise what it waits for."""
    place = place_of(work.context.config, work.tool)
    assert place is not None
    journal, dsc = work.context.journal, source.files[0].sha256
    row = journal.imports.get(work.tool.name, source.version, place.url)
    if row is not None and row.state in _ACCEPTED and row.dsc == dsc:
        if held is not None:
            raise held  # it was found after the merge, or the merge was over something else
        return
    fence.require()
    try:
        same = row if row is not None and row.dsc == dsc else None
        waits = _ask(work, source, place, same, row, held)
    except (GateClosed, Rejected):
        raise
    except Held as error:
        known = journal.imports.get(work.tool.name, source.version, place.url)
        row = known or row_of(work, source, place, place.settings.debian_branch)
        row = replace(row, message=str(error), resolution=error.resolution)
        journal.imports.keep(replace(row, state=imports.HELD))
        raise
    if waits:
        raise Held(
            f"{work.tool.name} {work.version} waits for merge request {waits}",
            resolution="Merge it there and it is published by the next run; close it to reject it.",
        )


def _ask(
    work: Work,
    source: SourcePackage,
    place: Place,
    row: Import | None,
    before: Import | None,
    held: GateClosed | None,
) -> str:
    """See that there is a request, and do what has become of it.

    Returns its address while it is open, nothing once it was merged; raises Rejected where it was
    closed.
    """
    forge, api = forge_at(place, work.context.http)
    if row is None or not row.commit_id:
        known = known_of(work, place, before)
        made = propose(importer(work.context, place), source, place, known)
        row = with_commit(row_of(work, source, place, made.branch), made)
        row = replace(row, state=imports.OPEN)
        work.context.journal.imports.keep(row)
    draft, shows = _draft(work, source, place, row)
    if row.number:
        request = forge.get(api, row.number)
        if request.state == OPEN and not (row.shown == shows and _stands(draft, request)):
            request = edited(forge, api, row.number, draft)
    else:
        request = opened(forge, api, draft)
        row = replace(row, number=request.number, request=request.url)
    if request.state == OPEN:
        row = replace(row, shown=shows if _stands(draft, request) else "")
    if request.state == MERGED:
        _take_merged(work, place, row, request, held)
        return ""
    if request.state == CLOSED:
        _refuse(work, row, request)
    row = replace(row, state=imports.OPEN, who="", message="", resolution="")
    work.context.journal.imports.keep(row)
    return request.url


def _draft(work: Work, source: SourcePackage, place: Place, row: Import) -> tuple[Draft, str]:
    """Return the request, and what its text shows, as `Import.shown` has it."""
    asked = questions(work.context.journal, work.tool.name, work.version)
    said = work.context.journal.judgments.of_release(work.tool.name, work.version)
    once = {(one.key.stage, one.judgment.subject): one.judgment for one in said}
    text, whole = request_text(source, tuple(once.values()), work.context.target.name)
    draft = Draft(
        branch=row.branch,
        base=place.settings.debian_branch,
        title=request_title(source),
        text=text,
        head=row.commit_id,
    )
    return draft, f"{fingerprint(asked) if whole else _CUT}:{text_digest(text)}"


def _stands(draft: Draft, request: Request) -> bool:
    """Say whether a request has the text that was written, and nobody another one."""
    return text_digest(draft.text) == text_digest(request.text)


def _take_merged(
    work: Work, place: Place, row: Import, request: Request, held: GateClosed | None
) -> None:
    """Accept what was merged, if it is what was proposed; a gate's hold is approved by it."""
    wanted = Imported(
        branch=row.branch,
        commit=row.commit_id,
        tree=row.tree,
        packaging=row.packaging,
        given=False,
    )
    other = merged(importer(work.context, place), place, request.commit, wanted)
    if other:
        raise Held(
            f"{request.url} was merged with other files than were proposed:"
            f" {', '.join(other[:5])}; nothing was published",
            resolution="Take over what was changed into the tool's packaging: that is proposed"
            " as a new version.",
        )
    who = request.who or "somebody"
    why_not = _approve(work, row, request, f"{who} (merge request)")
    if held is not None and why_not:
        raise GateClosed(
            f"{held}; {request.url} was merged, which approves nothing: {why_not}",
            resolution=held.resolution,
            log=held.log,
        )
    accepted = replace(
        row, state=imports.MERGED, commit_id=request.commit, who=who, message="", resolution=""
    )
    work.context.journal.imports.keep(accepted)


def _approve(work: Work, row: Import, request: Request, who: str) -> str:
    """Let a merge approve what its request's text has shown, of all series, and nothing else.

    Returns in words why it does not, empty where nothing waits any more.
    """
    journal, tool, version = work.context.journal, work.tool.name, work.version
    if all(question.decision is not None for question in questions(journal, tool, version)):
        return ""
    shown, _, text = row.shown.partition(":")
    if shown == _CUT:
        return "its text had no room for all that waits"
    if not shown or text != text_digest(request.text):
        return "its text is not what was written"
    why = f"merged {request.url}"
    try:
        decide(*(journal, tool, version), verdict=APPROVED, who=who, reason=why, shown=shown)
    except (Changed, UsageError):
        return "its text had shown something else"
    return ""


def _refuse(work: Work, row: Import, request: Request) -> NoReturn:
    """Refuse what was closed without being merged, for as long as it is.

    No decision is kept, which would outlast the request's being opened again: it is asked by
    each run.
    """
    who = request.who or "somebody"
    told = f"{work.tool.name} {work.version} was rejected by {who}, who closed {request.url}"
    error = Rejected(
        told,
        resolution=f"To take it after all, open {request.url} again and merge it.",
    )
    row = replace(row, state=imports.CLOSED, who=who, message=told, resolution=error.resolution)
    work.context.journal.imports.keep(row)
    raise error
