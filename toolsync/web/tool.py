"""One tool: why it is where it is, what waits, its history, its evidence, and how to install it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from flask import Response, redirect, render_template
from flask.typing import ResponseReturnValue

from toolsync.config.asking import to_install
from toolsync.config.definition import Tool
from toolsync.model.errors import ToolsyncError
from toolsync.pipeline.approvals import standing
from toolsync.pipeline.outcome import last_standing
from toolsync.pipeline.promote import promotable
from toolsync.pipeline.review import MOST, waiting
from toolsync.pipeline.status import faulty
from toolsync.report.chart import large
from toolsync.report.page import ToolView
from toolsync.report.toolpage import faulty_view, view
from toolsync.setup.tools import overlay_of
from toolsync.system.cachestore import LARGEST
from toolsync.web import asking
from toolsync.web.history import history
from toolsync.web.lists import bring_up_to_date
from toolsync.web.problems import Refused
from toolsync.web.request import config, context, followed, person, shared, tool_named
from toolsync.web.words import tool_url

_LINES, _FIRST, _RECORDS, _HOLDS = 1000, 12, 20, 10
_TEXT = 64 * 1024
"""Bytes of a definition that are shown."""


def page(name: str) -> ResponseReturnValue:
    """Show all that is known of a tool, also of one whose definition is faulty."""
    journal, found = context().journal, followed(name)
    bring_up_to_date()
    known = isinstance(found, Tool)
    view_ = _view(found) if isinstance(found, Tool) else faulty_view(faulty(name, found))
    lines = journal.log.of(name, _LINES)[::-1]
    return render_template(
        "tool.html.j2",
        tool=view_,
        waits=waiting(journal, found) if isinstance(found, Tool) else [],
        approved=standing(journal, found) if isinstance(found, Tool) else [],
        installs=list(_installs(view_.packages)) if known else [],
        ppa=config().target if config().target.startswith("ppa:") else "",
        keys=journal.keydates.of(name),
        events=history(lines),
        whole=len(lines) < _LINES,
        chart=large(points) if (points := view_.points) else None,
        definition=_definition(name),
        promotable=promotable(context(), name),
        retired=isinstance(found, Tool) and asking.retired(found),
        shown=asking.mark_of(journal.states.get(name)),
        asked=name in shared().hearing.waiting(),
        may=person().may("reviewer") and known,
        most={
            "lines": _LINES,
            "first": _FIRST,
            "records": _RECORDS,
            "holds": _HOLDS,
            "reason": MOST,
        },
    )


def look(name: str) -> ResponseReturnValue:
    """Have the tool's page looked at within some seconds."""
    shared().hearing.ask([tool_named(name).name])
    return redirect(tool_url(name), 303)


def evidence(name: str, version: str) -> ResponseReturnValue:
    """Send the signed evidence of a release, as the store has it."""
    store, tool = context().store, tool_named(name)
    signed = context().journal.evidence.newest(tool.name, version)
    if signed is None or not store.has(signed.envelope):
        raise Refused(
            404,
            f"{tool.name} {version[:80]} has no signed evidence: it was not published from here",
            "",
        )
    if signed.envelope.size > LARGEST:
        raise Refused(
            413,
            f"the evidence has {signed.envelope.size} bytes; at most {LARGEST} are sent",
            "Where toolsync runs: toolsync evidence TOOL VERSION --output FOLDER.",
        )
    data = store.path(signed.envelope).read_bytes()
    response = Response(data, content_type="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=signed.envelope.name)
    return response


def _view(tool: Tool) -> ToolView:
    journal = context().journal
    return view(
        context(),
        tool,
        last_standing(context(), tool, warn=not shared().acting.reads),
        journal.pages.of(tool.name),
        journal.publications.of(tool.name),
    )


def _definition(name: str) -> list[tuple[str, str]]:
    """Return the files that define a tool, each with its text: its own, and the overlay."""
    one = shared().plan.one(config(), name)
    assert one is not None  # or there would be no page
    files = (one.place / name / "tool.toml", overlay_of(config(), name))
    found = []
    for path in files:
        with suppress(OSError), path.open("rb") as file:
            found.append((str(path), file.read(_TEXT).decode("utf-8", "replace")))
    return found


def _installs(packages: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield series, stanza and the words for apt, of the local archive alone.

    A page asks no other server.
    """
    if config().target.startswith("ppa:"):
        return
    with suppress(ToolsyncError):  # it is told on the page of health
        for series, stanza in shared().acting.stanzas(context()).items():
            yield series, stanza, to_install(config(), packages, series)
