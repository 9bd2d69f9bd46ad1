"""Compare what is remembered and served with the plan: the tools and series of the set-up.

What was remembered of a tool follows its source package to a folder of another name. What is
served and belongs to no tool, series or newest package any more is an *orphan*: it is told until
somebody brings it back into the plan or retires it.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.journal.followed import Follows
from toolsync.journal.journal import Journal
from toolsync.model.release import Outcome
from toolsync.pipeline.status import Planned, fitting_series
from toolsync.publish import index
from toolsync.publish.index import Served
from toolsync.publish.keyring import NAME as KEYRING
from toolsync.setup.tools import read_tool, tool_places

_DEFINES = ("tool.toml", "debian/watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """Packages of one source that are served and no longer belong to the plan."""

    tool: str
    """The tool that they were last published for; the source package where none is known."""
    source: str
    part: str
    """Empty for all of the tool, else what of it, such as ``binary hello-doc bookworm``."""
    packages: tuple[Served, ...]

    @property
    def message(self) -> str:
        """What is served, and why it does not belong there."""
        places = ", ".join(dict.fromkeys(item.series for item in self.packages))
        what = ", ".join(dict.fromkeys(f"{item.name} {item.version}" for item in self.packages))
        kind, _, rest = self.part.partition(" ")
        why = {
            "": f"{self.tool} is no longer followed",
            "binary": f"{self.source} has no binary package {rest.partition(' ')[0]} any more",
            "component": f"{self.source} lies in another component than {rest.partition(' ')[0]}",
            "series": f"{self.source} is no longer made for {rest}",
        }
        return f"{why[kind]}, but {what} is served for {places}"

    @property
    def resolution(self) -> str:
        """The ways out."""
        words = f"toolsync retire {self.tool}" + (" --leftovers" if self.part else "")
        back = "Bring it back into the set-up; or stop" if not self.part else "Stop"
        return f"{back} serving it: {words} --remove; or let it be served on: {words}"


def settle_names(config: Config, journal: Journal) -> dict[str, Path]:
    """Let tools whose folders were renamed keep what is remembered; known by their source package.

    Returns the folders that were synced by their paths, and are there still, by tool. Cheap where
    every tool that is remembered is still where it was.
    """
    known = journal.followed.all()
    gone = {name for name, one in known.items() if not _is_defined(one.folder)}
    if gone and _settled(config, journal, known, gone):
        known = journal.followed.all()
        gone = {name for name, one in known.items() if not _is_defined(one.folder)}
    own = _own_folders(config)
    away = [n for n, one in known.items() if n not in gone and _lies_elsewhere(own, one)]
    places = dict(tool_places(config)) if away else {}
    return {name: Path(known[name].folder) for name in away if name not in places}


def _settled(
    config: Config, journal: Journal, known: Mapping[str, Follows], gone: Container[str]
) -> bool:
    """Rename in the journal what was renamed in the set-up; say whether anything was."""
    places = dict(tool_places(config))
    lost = {one.source: n for n, one in known.items() if n not in places and n in gone}
    renamed = False
    for name in sorted(places.keys() - known.keys()) if lost else ():
        tool = read_tool(places[name] / name)
        if isinstance(tool, Tool) and (was := lost.pop(tool.source, None)):
            journal.followed.rename(was, name)
            renamed = True
    return renamed


def orphans(
    config: Config,
    journal: Journal,
    tools: Sequence[Planned],
    faulty: Iterable[Outcome] = (),
    *,
    all_of_them: bool = False,
) -> list[Orphan]:
    """Return what is served of the set-up's target and belongs to no plan, but what is retired.

    ``tools`` and ``faulty`` are all that the set-up names. With ``all_of_them`` that which was
    retired is among them.
    """
    known = journal.followed.all()
    wanted = {tool.source: fitting_series(config, tool) for tool in tools}
    owners = {one.source: name for name, one in known.items()}
    owners |= {tool.source: tool.name for tool in tools}
    own = _own_folders(config)
    away = (name for name, one in known.items() if _lies_elsewhere(own, one))
    kept = {o.tool for o in faulty} | {n for n in away if _is_defined(known[n].folder)}
    unread = {known[name].source if name in known else name for name in kept} - wanted.keys()
    found = [
        Orphan(tool=owners.get(source, source), source=source, part=part, packages=items)
        for source, served in _by_source(_served(config, journal)).items()
        if source not in unread
        for part, items in (
            _leftovers(served, wanted[source]) if source in wanted else {"": served}
        ).items()
    ]
    retired = journal.followed.retired()
    return [
        orphan
        for orphan in found
        if all_of_them or (act := retired.get((orphan.source, orphan.part))) is None or act.removes
    ]


def _is_defined(folder: str) -> bool:
    # A path of each takes three times as long, and there may be ten thousand.
    return folder not in ("", ".") and any(os.path.isfile(f"{folder}/{name}") for name in _DEFINES)  # noqa: PTH113


def _own_folders(config: Config) -> frozenset[str]:
    """Return the folders of the set-up's tools as they are named, and as a sync writes them."""
    places = config.tool_folders
    return frozenset(map(str, (*places, *(place.absolute() for place in places))))


def _lies_elsewhere(own: Container[str], one: Follows) -> bool:
    """Say whether it is a folder that was named on the command line, outside of our ``own``."""
    return (os.path.dirname(one.folder) or ".") not in own  # noqa: PTH120 (a third of the time)


def _served(config: Config, journal: Journal) -> Iterator[Served]:
    """Give all packages that the target serves; of a PPA what we saw it serve, by the journal."""
    if config.target == "local":
        yield from (item for item in index.entries(config.archive) if item.source != KEYRING)
        return
    newest: dict[tuple[str, str], Served] = {}
    for source, series, version in journal.uploads.served(config.target):
        newest[source, series] = Served(
            series=series,
            component="main",
            kind="dsc",
            name=source,
            version=version,
            source=source,
        )
    yield from newest.values()


def _by_source(items: Iterable[Served]) -> dict[str, tuple[Served, ...]]:
    found: dict[str, list[Served]] = {}
    for item in items:
        found.setdefault(item.source, []).append(item)
    return {source: tuple(own) for source, own in sorted(found.items())}


def _leftovers(own: Sequence[Served], wanted: Sequence[str]) -> dict[str, tuple[Served, ...]]:
    """Return the packages of a source that its newest package does not bring, by what they are."""
    newest: dict[str, Served] = {}
    for item in own:
        best = newest.get(item.series)
        if item.kind == "dsc" and (best is None or index.is_older(best.version, item.version)):
            newest[item.series] = item
    found: dict[str, list[Served]] = {}
    for item in own:
        if part := _part(item, newest.get(item.series), wanted):
            found.setdefault(part, []).append(item)
    return {part: tuple(items) for part, items in found.items()}


def _part(item: Served, newest: Served | None, wanted: Sequence[str]) -> str:
    """Return as what a package is left over; empty for one that belongs to the plan."""
    if item.series not in wanted:
        return f"series {item.series}"
    if newest is None:
        return ""
    bare = item.name.removesuffix("-dbgsym")
    if item.kind == "deb" and newest.binaries and not {item.name, bare} & {*newest.binaries}:
        return f"binary {item.name} {item.series}"
    if item.component != newest.component and item.version != newest.version:
        return f"component {item.component} {item.series}"
    return ""
