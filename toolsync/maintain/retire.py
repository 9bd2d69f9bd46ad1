"""Take a tool, or what is left over of it, out of the plan: with or without what is served of it.

The word of a person is written down before anything is removed, and what is removed goes in one
step from all series; so a command that is killed anywhere is to be run again, and goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolsync.config.definition import Tool
from toolsync.journal.followed import RESUMED, RETIRED, Retirement
from toolsync.maintain.plan import Orphan, orphans
from toolsync.model.errors import SetupError, UsageError
from toolsync.model.release import Outcome
from toolsync.pipeline.context import Context
from toolsync.publish.target import Withdrawing
from toolsync.system.clock import stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants of a tool."""

    tool: str
    who: str
    reason: str
    remove: bool = False
    """Serve it no longer."""
    leftovers: bool = False
    """Only what its newest packages, and the set-up's series, no longer have."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """What came of it."""

    tool: str
    source: str
    act: str
    """``retired`` or ``resumed``."""
    who: str
    at: str
    reason: str
    parts: tuple[str, ...]
    """What was retired: empty text for all of the tool."""
    served: tuple[str, ...]
    """The packages that go on being served."""
    removed: tuple[str, ...]
    """The packages that are served no longer, or would not be."""
    by_hand: tuple[str, ...]
    """What a person must remove, and where."""


def retire(
    context: Context, wish: Wish, tools: Sequence[Tool], faulty: Sequence[Outcome]
) -> Retired:
    """Write down that a tool is retired and, where it is wished, remove what is served of it.

    ``tools`` and ``faulty`` are all that the set-up names. May be repeated. Raises UsageError for
    a tool of which nothing is known. The caller holds toolsync's lock.
    """
    source = _source(context, wish.tool, tools)
    plan = [tool for tool in tools if wish.leftovers or tool.source != source]
    others = [o for o in faulty if wish.leftovers or o.tool != wish.tool]
    found = [
        orphan
        for orphan in orphans(context.config, context.journal, plan, others, all_of_them=True)
        if orphan.source == source and bool(orphan.part) == wish.leftovers
    ]
    parts = tuple(orphan.part for orphan in found) if wish.leftovers else ("",)
    now = stamp(context.clock.now())
    if not wish.dry_run:
        _write_down(context, wish, source, parts, now)
    names = tuple(_named(orphan) for orphan in found)
    flat = tuple(name for each in names for name in each)
    local = isinstance(context.target, Withdrawing)
    if wish.remove and local and not wish.dry_run:
        _withdraw(context, source, found)
    return Retired(
        tool=wish.tool,
        source=source,
        act=RETIRED,
        who=wish.who,
        at=now,
        reason=wish.reason,
        parts=parts,
        served=() if wish.remove and local else flat,
        removed=flat if wish.remove and local else (),
        by_hand=_by_hand(context, flat) if wish.remove and not local else (),
    )


def resume(context: Context, wish: Wish, tools: Sequence[Tool]) -> Retired:
    """Take back that a tool, and what of it, was retired; what was removed comes with its sync."""
    source, now = _source(context, wish.tool, tools), stamp(context.clock.now())
    parts = tuple(part for name, part in context.journal.followed.retired() if name == source)
    if not wish.dry_run:
        context.journal.followed.retire(
            _word(wish, source, part, RESUMED, now, removes=False) for part in parts
        )
    return Retired(
        tool=wish.tool,
        source=source,
        act=RESUMED,
        who=wish.who,
        at=now,
        reason=wish.reason,
        parts=parts,
        served=(),
        removed=(),
        by_hand=(),
    )


def in_plan(context: Context, tools: Sequence[Tool], *, named: bool) -> tuple[Tool, ...]:
    """Return the tools that are not retired; where they were ``named``, one that is raises."""
    retired = context.journal.followed.retired()
    for tool in tools if named else ():
        if word := retired.get((tool.source, "")):
            raise SetupError(
                f"{tool.name} was retired by {word.who} on {word.at}: {word.reason or '-'}",
                resolution=f"Take it back with: toolsync retire {tool.name} --undo",
            )
    return tuple(tool for tool in tools if (tool.source, "") not in retired)


def _source(context: Context, name: str, tools: Sequence[Tool]) -> str:
    """Return the source package that is meant by a tool's name, or by its own."""
    known = {tool.name: tool.source for tool in tools}
    known |= {name: one.source for name, one in context.journal.followed.all().items()}
    served = {orphan.source for orphan in orphans(context.config, context.journal, ())}
    if name in known or name in served or name in known.values():
        return known.get(name, name)
    raise UsageError(
        f"nothing is known or served of {name}; known are: {', '.join(sorted({*known, *served}))}",
        resolution="Name a tool, or a source package that is served; toolsync status shows them.",
    )


def _write_down(context: Context, wish: Wish, source: str, parts: Sequence[str], now: str) -> None:
    """Keep the person's word on each part, unless it was said before."""
    known = context.journal.followed.retired()
    context.journal.followed.retire(
        _word(wish, source, part, RETIRED, now, removes=wish.remove)
        for part in parts
        if (said := known.get((source, part))) is None or said.removes != wish.remove
    )


def _word(wish: Wish, source: str, part: str, act: str, now: str, *, removes: bool) -> Retirement:
    return Retirement(
        tool=wish.tool,
        source=source,
        part=part,
        act=act,
        removes=removes,
        who=wish.who,
        at=now,
        reason=wish.reason,
    )


def _withdraw(context: Context, source: str, found: Sequence[Orphan]) -> None:
    if isinstance(context.target, Withdrawing):
        context.target.withdraw([item for o in found for item in o.packages], (source,))


def _named(orphan: Orphan) -> tuple[str, ...]:
    texts = (
        f"{item.name} {item.version} ({item.kind}, {item.series}/{item.component})"
        for item in orphan.packages
    )
    return tuple(dict.fromkeys(texts))


def _by_hand(context: Context, names: Sequence[str]) -> tuple[str, ...]:
    """Say what is to be deleted on Launchpad, where we ask for no deletion."""
    owner, _, name = context.target.name.removeprefix("ppa:").partition("/")
    page = f"https://launchpad.net/~{owner}/+archive/ubuntu/{name}/+delete-packages"
    return tuple(f"{text}: delete it at {page}" for text in names)
