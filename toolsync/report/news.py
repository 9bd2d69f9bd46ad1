"""Find what is news to somebody: where things stand now against what was told last.

A subject (a tool, its publications, the runs) has a state; a change of it is news, and told
once. Trouble that passes by itself is no news until it has lasted for days, and a tool that is
back where it should be is told of only to those who heard that it was not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from toolsync.journal.pages import PageRow
from toolsync.journal.publications import Publication
from toolsync.journal.runs import RunRow
from toolsync.journal.statuses import LastStatus
from toolsync.model.errors import LATER
from toolsync.model.release import Outcome
from toolsync.pipeline.schedule import LATEST
from toolsync.report.lag import in_words, lag
from toolsync.report.sentences import cause_of
from toolsync.report.why import why

KINDS = ("alarm", "held", "trouble", "key", "recovered", "published")
"""Gravest first: the order in which a report tells."""

_ALARMS = ("recalled", "replaced")
_CALM = ("up-to-date", "new")
_DAYS = re.compile(r", in -?\d+ days?\b")
"""What changes in a warning from day to day, and makes it no other."""

_FLEETING = re.compile(
    r"(?<![\w/])/(?:var/)?tmp/[^\s:,;)'\"]+"  # a folder of that run
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*"  # its time
    r"|\b\d+(?:\.\d+)? ?(?:s|ms|seconds|minutes)\b"  # how long it took
    r"|\b(?:pid|process) \d+"
)
"""What differs each time that the same fails in the same way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to tell."""

    kind: str
    """One of `KINDS`."""
    tool: str
    """Empty for what concerns the whole service."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What changed: the items, and the states that are told by them."""

    items: tuple[Item, ...]
    states: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that a report is made from, as it is now."""

    now: datetime
    statuses: Mapping[str, LastStatus]
    """By name, of the tools that there are now."""
    pages: Mapping[str, PageRow]
    """The last look at each tool's page, without what it gave."""
    publications: Sequence[Publication]
    """All there ever were, oldest first."""
    gap: tuple[RunRow, RunRow] | None
    """The run that ended last and this one, where days lie between them."""
    warnings: Mapping[str, Sequence[str]]
    """What is to be said of the keys of each tool that was looked at, maybe nothing."""
    failure: str
    """What kept this run from its work, empty if nothing did."""
    unsent: Mapping[str, str]
    """Channels that could not be reached several times, with the reason."""
    silence: timedelta
    archive_keys: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Of each of the archive's own keys that ends soon: how soon, and what is to be said of it."""
    damage: Mapping[str, str] = field(default_factory=dict)
    """What is damaged in store and archive, a sentence each by its path."""
    checkpoint: str = ""
    """The signed head of the log of publications, empty before there is one."""


def news(scene: Scene, told: Mapping[str, str], channel: str) -> News:
    """Return what ``channel``, which was told the states ``told``, does not know yet."""
    found = [*_tools(scene, told), *_published(scene, told), *_of_keys(scene, told)]
    found += [*_of_archive_keys(scene, told), *_service(scene, told, channel)]
    found += _of_damage(scene, told)
    items = [item for item, _, _ in found if item]
    fresh = {item.tool for item in items if item.kind == "published"}
    kept = [i for i in items if i.kind != "recovered" or i.tool not in fresh]
    kept.sort(key=lambda item: (KINDS.index(item.kind), item.tool))
    return News(items=tuple(kept), states={subject: state for _, subject, state in found})


_Found = tuple[Item | None, str, str]
"""What to tell, if anything, of which subject, and its state then."""


def _tools(scene: Scene, told: Mapping[str, str]) -> Iterable[_Found]:
    for name, last in sorted(scene.statuses.items()):
        subject = f"tool:{name}"
        before = told.get(subject, "")
        now = _state(scene, last)
        if now is None or now[0] == before:
            continue
        state, kind = now
        if before and before in _states_before(last):
            yield None, subject, state  # told by a version that compared other words
            continue
        lasting = f" It has lasted since {state.rpartition(' ')[2]}." if kind == "trouble" else ""
        text = why(name, as_outcome(last), ()) + lasting
        yield Item(kind=kind, tool=name, text=text), subject, state
    for subject, before in told.items():
        if before and subject.startswith("tool:") and subject[5:] not in scene.statuses:
            yield None, subject, ""  # it is followed no longer


def _state(scene: Scene, last: LastStatus) -> tuple[str, str] | None:
    """Return a tool's state and kind of news; None while nothing can be said."""
    page = scene.pages.get(last.tool)
    answered = page.answered if page else ""
    if last.status in _CALM and not last.exit_status:
        # What is well is looked at ever more rarely, but at least so often.
        silent = answered and _is_long_ago(scene, answered, LATEST)
        return (f"silent since {answered}", "trouble") if silent else ("", "recovered")
    if last.exit_status != LATER:
        kind = "alarm" if last.status in _ALARMS else "held"
        return _code(last) if kind == "held" else _in_words(last), kind
    since = (answered if last.status == "unreachable" else "") or last.since
    return (f"{last.status} since {since}", "trouble") if _is_long_ago(scene, since) else None


def _code(last: LastStatus) -> str:
    """Return what a fault is, whatever it is told with: status, release, and its plain words.

    Paths, numbers, names and all else that is not letters alone may differ at each run. A hold is
    the same whether the run that met it tells of it or whoever looks at what is remembered.
    """
    return _code_with(last, cause_of(last.message))


def _code_with(last: LastStatus, message: str) -> str:
    words = (word.strip(".,;:()'\"…") for word in message.split())
    plain = " ".join(word for word in words if word.isalpha())
    return f"{last.status} {last.exit_status} {last.newest}: {plain}"


def _in_words(last: LastStatus) -> str:
    return f"{last.status}: {_FLEETING.sub('…', last.message)}"


def _states_before(last: LastStatus) -> Iterable[str]:
    """Yield the states by which older versions knew that they had told of the same."""
    cause = replace(last, message=cause_of(last.message))
    yield from (_in_words(last), _in_words(cause), _code_with(last, last.message))


def _is_long_ago(scene: Scene, moment: str, more: timedelta = timedelta(0)) -> bool:
    return datetime.fromisoformat(moment) <= scene.now - scene.silence - more


def _published(scene: Scene, told: Mapping[str, str]) -> Iterable[_Found]:
    """Tell of publications after the last one told."""
    last = int(told.get("published", "0"))
    fresh: dict[tuple[str, str, str], list[Publication]] = {}
    for row in scene.publications:
        if row.id > last:
            fresh.setdefault((row.tool, row.version, row.target), []).append(row)
    newest = latest(scene.publications)
    for (tool, version, target), rows in fresh.items():
        places = ", ".join(dict.fromkeys(row.series for row in rows))
        text = f"{tool} {version} is published on {target} for {places}{after_what(rows[0])}."
        yield Item(kind="published", tool=tool, text=text), "published", newest


def after_what(publication: Publication) -> str:
    """Return its lag as the end of a sentence, empty where there is none to tell of."""
    took = lag(publication.released, publication.at)
    if not publication.dated and took < 60:
        return ""  # it was taken by the run that first saw it
    since = "its release" if publication.dated else "it was first seen"
    return f", {in_words(took)} after {since}"


def latest(publications: Sequence[Publication]) -> str:
    """Return the state of ``published`` when all of these are told."""
    return str(max((row.id for row in publications), default=0))


def _of_keys(scene: Scene, told: Mapping[str, str]) -> Iterable[_Found]:
    for tool, warnings in sorted(scene.warnings.items()):
        state = "; ".join(sorted(_DAYS.sub("", words) for words in warnings))
        if told.get(f"key:{tool}", "") == state:
            continue
        for words in warnings:
            yield Item(kind="key", tool=tool, text=f"{tool}: {words}."), f"key:{tool}", state
        if not warnings:
            yield None, f"key:{tool}", ""


def _of_archive_keys(scene: Scene, told: Mapping[str, str]) -> Iterable[_Found]:
    """Tell of the archive's own keys, once for each step towards their end."""
    for name, (step, words) in scene.archive_keys.items():
        if told.get(f"archive-key:{name}", "") != step:
            yield Item(kind="key", tool="", text=f"{words}."), f"archive-key:{name}", step
    for subject, state in told.items():
        name = subject.removeprefix("archive-key:")
        if state and name != subject and name not in scene.archive_keys:
            yield None, subject, ""


def _of_damage(scene: Scene, told: Mapping[str, str]) -> Iterable[_Found]:
    """Tell of damaged files, each once, and when all are mended."""
    fresh = [path for path in scene.damage if not told.get(f"damage:{path}")]
    for path in fresh:
        text = f"{scene.damage[path]}. See toolsync doctor, and mend it: toolsync scrub."
        yield Item(kind="alarm", tool="", text=text), f"damage:{path}", "damaged"
    for subject, state in told.items():
        path = subject.removeprefix("damage:")
        if state and path != subject and path not in scene.damage:
            text = f"{path} is damaged no longer."
            yield Item(kind="recovered", tool="", text=text), subject, ""


def _service(scene: Scene, told: Mapping[str, str], channel: str) -> Iterable[_Found]:
    """Yield news of the runs themselves: a gap, a failure of all, an unsent channel."""
    if scene.gap is not None and told.get("run") != scene.gap[1].started:
        ended, began = scene.gap
        text = (
            f"No run ended between {ended.finished} and {began.started}: see that timer or cron"
            " are on, and read what the runs in between said."
        )
        yield Item(kind="trouble", tool="", text=text), "run", began.started
    if told.get("service", "") != scene.failure:
        kind, text = "held", f"No tool could be worked on: {scene.failure}"
        if not scene.failure:
            kind, text = "recovered", "Tools are worked on again."
        yield Item(kind=kind, tool="", text=text), "service", scene.failure
    for other, reason in scene.unsent.items():
        if other != channel and told.get(f"channel:{other}") != "unsent":
            text = f"Reports to {other} cannot be sent: {reason}. They are kept."
            yield Item(kind="trouble", tool="", text=text), f"channel:{other}", "unsent"
    for subject, state in told.items():
        other = subject.removeprefix("channel:")
        if state and other != subject and other not in scene.unsent:
            text = f"Reports to {other} are sent again."
            yield Item(kind="recovered", tool="", text=text), subject, ""


def as_outcome(last: LastStatus) -> Outcome:
    """Return a last status as the outcome that it was kept from."""
    return Outcome(
        tool=last.tool,
        status=last.status,
        current=last.current or None,
        newest=last.newest or None,
        url=None,
        message=last.message,
        resolution=last.resolution,
        exit_status=last.exit_status,
    )
