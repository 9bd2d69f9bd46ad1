"""Ask for something to be done: a tool tried again, promoted, retired, or made of an address."""

from __future__ import annotations

import hashlib
import json

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from toolsync.config.definition import Tool
from toolsync.journal.states import Asked, State
from toolsync.web.api import VERSION, as_json, body
from toolsync.web.entry import Entry, as_object
from toolsync.web.errands import KEPT, Errands
from toolsync.web.lists import bring_up_to_date
from toolsync.web.problems import Refused
from toolsync.web.request import context, person, shared, tool_named

_OF_TOOLS = ("retry", "promote", "retire", "resume")
_STUCK = ("held", "replaced", "recalled", "drifted", "error", "unreachable", "new")
_LISTED = 20
_FIELDS = ("act", "tool", "version", "reason", "url", "name", "shown")


def of_tool(name: str) -> ResponseReturnValue:
    """Have something done for a tool, unless it has changed since the page was shown."""
    tool, form = tool_named(name), request.form
    if form.get("act") not in _OF_TOOLS:
        raise Refused(400, "the form does not say what is to be done; nothing was", "")
    bring_up_to_date()
    if form.get("shown") != mark_of(context().journal.states.get(tool.name)):
        raise Refused(
            409,
            f"{tool.name} is not where it was when this page was shown; nothing was asked for",
            "Look at the tool again, and decide then.",
        )
    given: dict[str, object] = {"act": form["act"], "tool": tool.name, "who": person().told}
    given |= {n: text for n in ("version", "reason") if (text := _line(n))}
    return _to(known().ask(given | ({"early": True} if form.get("early") else {})))


def mark_of(state: State | None) -> str:
    """Return what is another when a tool stands elsewhere than a page has shown."""
    if state is None:
        return "none"
    seen = [state.status, state.message, state.current, state.newest]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:24]


def address() -> ResponseReturnValue:
    """Show the form that takes the address of a release page."""
    return render_template("address.html.j2")


def look_at_address() -> ResponseReturnValue:
    """Have a release page looked at, to see what tool could be made of it."""
    given = {"act": "propose", "who": person().told, "url": _line("url"), "name": _line("name")}
    return _to(known().ask(given))


def page(number: str) -> ResponseReturnValue:
    """Show how far something has come, and a definition that was found, with a form to write it."""
    entry = _entry(number)
    return render_template("asked.html.j2", entry=entry, may=person().may("reviewer"))


def adopt(number: str) -> ResponseReturnValue:
    """Have the definition written that was shown, and no other."""
    entry = _entry(number)
    proposal = entry.came.proposal if entry.came else None
    shown = request.form.get("shown", "")
    if proposal is None or shown != proposal["shown"]:
        raise Refused(
            409,
            "this is not the definition that was shown; nothing was written",
            "Look at the address again, and decide then.",
        )
    given = {"act": "adopt", "who": person().told, "url": entry.text("url"), "shown": shown}
    return _to(known().ask(given | {"name": entry.text("name")}))


def stuck() -> list[tuple[State, str]]:
    """Return the tools that could be tried again, those first that want a person most."""
    bring_up_to_date()
    found, _ = context().journal.states.listed(Asked(most=_LISTED))
    tools = ((one, mark_of(one)) for one in found if one.status in _STUCK)
    return list(tools)


def retired(tool: Tool) -> bool:
    """Say whether a tool was taken out of the plan."""
    return (tool.source, "") in context().journal.followed.retired()


def api_all() -> ResponseReturnValue:
    """Return what was asked of this server, newest first."""
    return as_json({"version": VERSION, "asked": [as_object(e) for e in known().all()]})


def api_one(number: str) -> ResponseReturnValue:
    """Return how far one of them has come."""
    return as_json({"version": VERSION, **as_object(_entry(number))})


def api_ask() -> ResponseReturnValue:
    """Have something done: ``act`` says what, the other fields for what."""
    given = body()
    asked = {name: given[name] for name in (*_FIELDS, "early") if name in given}
    if isinstance(name := asked.get("tool"), str):
        tool_named(name)
    entry = known().ask(asked | {"who": person().told})
    return as_json({"version": VERSION, **as_object(entry)}, 202)


def known() -> Errands:
    """Return what was asked for, also of a server before this one, as the log tells."""
    errands = shared().errands
    if errands.wants_log:
        lines = context().journal.log.errands(KEPT)
        errands.remember(lines, outlive=shared().acting.reads)
    return errands


def _entry(number: str) -> Entry:
    found = known().get(number)
    if found is None:
        raise Refused(
            404,
            f"nothing of the number {number[:20]!r} is known: it is long over",
            "What was done stands in the log of the tool.",
        )
    return found


def _to(entry: Entry) -> ResponseReturnValue:
    return redirect(url_for("asked", number=entry.number), 303)


def _line(name: str) -> str:
    return " ".join(request.form.get(name, "").split())
