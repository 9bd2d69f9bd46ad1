"""What the pages have done at once, where they may read the state and no more.

Each is what the pages themselves do on one's own machine, by the same function. None takes the
state's lock: a run that goes on for hours holds up no decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from toolsync.config.definition import Tool
from toolsync.journal.decisions import APPROVED, REJECTED
from toolsync.maintain.doctor import Check, examine
from toolsync.maintain.errand import Act, Done, Errand, Tell
from toolsync.maintain.keylife import KeyRow, known_rows
from toolsync.model.errors import Damaged, SetupError, ToolsyncError, UsageError
from toolsync.model.values import dump
from toolsync.pipeline.changes import bring_sides, changes_of, steps_of
from toolsync.pipeline.context import Context
from toolsync.pipeline.outcome import last_standing
from toolsync.pipeline.review import decide, questions, report_of
from toolsync.pipeline.survey import look_at_all
from toolsync.report.toolpage import view
from toolsync.setup.tools import followed_tool
from toolsync.system.cachestore import LARGEST

_PATIENCE = 2.0
"""Seconds that a decision waits while another process writes the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What the doctor says, with what only who signs can tell."""

    checks: tuple[Check, ...] = ()
    keys: tuple[KeyRow, ...] = ()
    """Those that sign the archive."""


def examined(context: Context) -> Examined:
    """Have the doctor look; raises what looking raises."""
    checks = tuple(examine(context.config, context.clock))
    return Examined(checks=checks, keys=known_rows(context))


def approve(context: Context, errand: Errand, _: Tell) -> Done:
    """Let a release go on, as it was shown."""
    return _decided(context, errand, APPROVED)


def reject(context: Context, errand: Errand, _: Tell) -> Done:
    """Keep a release out, as it was shown."""
    return _decided(context, errand, REJECTED)


def _decided(context: Context, errand: Errand, verdict: str) -> Done:
    context.journal.database.patience(_PATIENCE)
    made = decide(
        context.journal,
        errand.tool,
        errand.version,
        verdict=verdict,
        who=errand.who,
        reason=errand.reason,
        shown=errand.shown,
    )
    told = f"{errand.tool} {errand.version} is {verdict}"
    return Done(fine=True, message=told, found={"decisions": [dump(one) for one in made]})


def look(context: Context, errand: Errand, _: Tell) -> Done:
    """Look at the pages of some tools, and remember what they gave."""
    tools = []
    for name in errand.tools.split():
        with suppress(UsageError, SetupError):  # gone meanwhile; its own page tells of the latter
            tools.append(followed_tool(context.config, name))
    look_at_all(context, tools, context.config.jobs)
    return Done(fine=True, message=f"{len(tools)} pages were looked at")


def compare(context: Context, errand: Errand, _: Tell) -> Done:
    """Compute what differs in a release, and keep it where the pages find it."""
    tool = followed_tool(context.config, errand.tool)
    changes_of(context, tool, errand.version)
    bring_sides(context, tool, errand.version)
    return Done(fine=True, message=f"{tool.name} {errand.version} was compared")


def bring(context: Context, errand: Errand, _: Tell) -> Done:
    """Have in the cache what the pages of a tool show, and those of a release where one is named.

    It is brought by being read as the pages read it.
    """
    tool, journal = followed_tool(context.config, errand.tool), context.journal
    standing = last_standing(context, tool, warn=False)
    shown = view(
        context, tool, standing, journal.pages.of(tool.name), journal.publications.of(tool.name)
    )
    if errand.version:
        _bring_release(context, tool, errand.version)
    return Done(fine=True, message=f"what is shown of {shown.name} is here")


def _bring_release(context: Context, tool: Tool, version: str) -> None:
    for question in questions(context.journal, tool.name, version):
        report_of(context.store, question)
    shown = [step.log for step in steps_of(context, tool.name, version)]
    signed = context.journal.evidence.newest(tool.name, version)
    for blob in (*shown, signed.envelope if signed else None):
        if blob is not None and blob.size <= LARGEST and context.store.has(blob):
            with suppress(Damaged):  # the page tells of it
                context.store.require(blob)


def ask_doctor(context: Context, _: Errand, __: Tell) -> Done:
    """Say whether machine and set-up are as they should be, and when the archive's keys end."""
    return Done(fine=True, message="the doctor has looked", found=dump(examined(context)))


def tell_stanzas(context: Context, _: Errand, __: Tell) -> Done:
    """Tell the stanzas by which instances install, of all series that are served."""
    return Done(fine=True, message="these are served", found=stanzas(context))


def stanzas(context: Context) -> dict[str, str]:
    """Return the target's stanza of each series that it serves."""
    found = {}
    for series in context.config.series:
        with suppress(ToolsyncError):  # nothing is served for it yet
            found[series] = context.target.stanza(series)
    return found


AT_ONCE: Mapping[str, Act] = {
    "approve": Act(
        do=approve,
        needs=("tool", "version", "reason", "shown"),
        lock="",
        words="Approve",
        seconds=60,
    ),
    "reject": Act(
        do=reject, needs=("tool", "version", "reason", "shown"), lock="", words="Reject", seconds=60
    ),
    "look": Act(do=look, needs=("tools",), lock="", words="Look", seconds=1800),
    "compare": Act(do=compare, needs=("tool", "version"), lock="", words="Compare", seconds=1800),
    "bring": Act(do=bring, needs=("tool",), lock="", words="Bring files", seconds=600),
    "stanzas": Act(do=tell_stanzas, needs=(), lock="", words="Tell the stanzas", seconds=60),
    "doctor": Act(do=ask_doctor, needs=(), lock="", words="Ask the doctor", seconds=1800),
}
"""What the pages have done when they may only read: they wait for it, and it writes its own log."""
