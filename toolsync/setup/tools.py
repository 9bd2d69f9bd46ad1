"""Read definitions of tools: all faults of one at once, then frozen values.

A tool's name is its folder's; of two with one name the operator's wins. What an operator adds to
a shipped one is in an overlay, NAME.toml beside the operator's own tools, so that what is shipped
can change below it. What a tool.toml may say
is a base (``tool.schema.json``) and what the records of kinds of pages and of proofs bring.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from toolsync.config.consistency import tool_faults
from toolsync.config.definition import CompatPolicy, Publish, Tool, Verify, Watch
from toolsync.config.licensing import license_policy
from toolsync.config.record import Schema, Table, as_section, with_choice
from toolsync.config.schema import base, read_overlay, read_toml
from toolsync.config.settings import Config
from toolsync.gate.gates import GATES, Gates
from toolsync.model.errors import SetupError, UsageError
from toolsync.model.values import field_names
from toolsync.verify.method import Method
from toolsync.verify.methods import METHODS
from toolsync.verify.watch import WATCH as BY_WATCH_FILE
from toolsync.watch.kind import Kind
from toolsync.watch.kinds import KINDS

PROOFS: Mapping[str, Method] = {
    name: method for name, method in METHODS.items() if method is not BY_WATCH_FILE
}
"""The methods that a tool.toml may name: a watch file's is for folders with debian/watch."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ToolTables:
    """All that a tool.toml may name."""

    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS)
    """Kinds of release pages."""
    methods: Mapping[str, Method] = field(default_factory=lambda: PROOFS)
    """Methods of verification."""
    gates: Gates = GATES

    @cached_property
    def schema(self) -> Schema:
        """What a tool.toml may say, as a JSON Schema."""
        whole = base("tool.schema.json")
        keys = dict(whole["properties"])
        keys["watch"] = with_choice(keys["watch"], "kind", self.kinds.values())
        keys["verify"] = with_choice(keys["verify"], "method", self.methods.values())
        sections = {gate.name: as_section(gate) for gate in self.gates if gate.settings}
        return {**whole, "properties": {**keys, **sections}}


TOOLS = ToolTables()
"""What is shipped."""


def load_tools(
    config: Config, names: tuple[str, ...] = (), *, tables: ToolTables = TOOLS
) -> tuple[tuple[Tool, ...], dict[str, SetupError]]:
    """Return the named tools, or all, by name; and the faults of those that cannot be read.

    One tool's faults never keep the others from their work. Raises UsageError for a name that
    no folder has.
    """
    tools: list[Tool] = []
    faults: dict[str, SetupError] = {}
    for name, place in tools_named(config, names).items():
        tool = read_tool(place / name, tables, overlay_of(config, name))
        if isinstance(tool, SetupError):
            faults[name] = tool
        else:
            tools.append(tool)
    return tuple(tools), faults


def followed_tool(config: Config, name: str) -> Tool:
    """Return the tool of a name that is followed, as its files define it now.

    Raises UsageError where none of this name is followed, SetupError where it is defined wrongly.
    """
    place = tools_named(config).get(name)
    if place is None:
        raise UsageError(f"no tool of the name {name[:80]!r} is followed")
    return load_tool(place / name, overlay=overlay_of(config, name))


def tools_named(config: Config, names: tuple[str, ...] = ()) -> dict[str, Path]:
    """Return where the folder of each of the named tools lies, or of all, by name.

    Raises UsageError for a name that no folder has. One that the settings name is given the place
    where its folder belongs: it is that tool's fault, and the others go on.
    """
    found = dict(tool_places(config))
    if not names:
        lost = {name: config.tool_folders[0] for name in config.tools if name not in found}
        known = {**found, **lost}
        return {name: known[name] for name in config.tools or sorted(found)}
    missing = [name for name in names if name not in found]
    if missing:
        raise UsageError(
            f"there is no tool named {', '.join(missing)}; there are: {', '.join(sorted(found))}",
            resolution="Name one of these, or write a new one; tool.toml(5) tells how.",
        )
    return {name: found[name] for name in names}


def overlay_of(config: Config, name: str) -> Path:
    """Return the file for what an operator adds to a tool; it need not be there."""
    return Path(f"{config.file.parent}/tools/{name}.toml")  # joining takes three times as long


def read_tool(
    folder: Path, tables: ToolTables = TOOLS, overlay: Path | None = None
) -> Tool | SetupError:
    """Return the tool that a folder and an overlay define, or what is wrong with it."""
    try:
        return load_tool(folder, tables, overlay)
    except SetupError as error:
        return error


def load_tool(folder: Path, tables: ToolTables = TOOLS, overlay: Path | None = None) -> Tool:
    """Return the tool that ``folder`` defines, with what ``overlay`` adds, where that is there.

    Raises SetupError with every fault of the first of the two files that has any.
    """
    return tool_of(folder, parsed(folder, tables, overlay), overlay, tables)


class Parsed(NamedTuple):
    """What the files of a definition say, without a fault."""

    raw: Table
    """The tables of tool.toml, with what the overlay adds."""
    source: str
    """The source package that debian/control names, empty where tool.toml says it."""


def parsed(folder: Path, tables: ToolTables = TOOLS, overlay: Path | None = None) -> Parsed:
    """Return what ``folder`` and ``overlay`` say; raises SetupError as `load_tool` does."""
    path = Path(f"{folder}/tool.toml")
    try:
        raw = read_toml(path, tables.schema)
    except SetupError:
        if path.exists():
            raise
        raise SetupError(
            f"`tools` names {folder.name}, which no folder has: there is no {path}",
            resolution="Bring its folder back, or take it out of `tools`. What is published of it"
            f" stays served until: toolsync retire {folder.name} --remove",
        ) from None
    _require_consistent(path, folder, raw, tables)
    if overlay is not None and os.path.isfile(overlay):  # noqa: PTH113 (half the time)
        raw = read_overlay(overlay, raw, tables.schema)
        _require_consistent(overlay, folder, raw, tables)
    return Parsed(raw, "" if raw.get("package", {}).get("source") else _source_named(folder))


def tool_of(
    folder: Path, found: Parsed, overlay: Path | None = None, tables: ToolTables = TOOLS
) -> Tool:
    """Return the tool of a definition that was `parsed`."""
    raw = found.raw
    kind = tables.kinds[raw["watch"]["kind"]]
    package = raw.get("package", {})
    followed = _by_watch_file(folder) if kind.name == "watch" else None
    return Tool(
        name=folder.name,
        folder=folder,
        summary=raw["summary"],
        homepage=raw["homepage"],
        watch=_watch(raw["watch"], kind, followed),
        verify=_verify(raw.get("verify", {}), tables.methods, followed),
        license=license_policy(raw.get("license", {})),
        compat=_compat(raw.get("compat", {})),
        source=package.get("source") or found.source,
        series=tuple(package.get("series", [])),
        epoch=package.get("epoch", followed.epoch if followed else 0),
        lintian=tuple(package.get("lintian", [])),
        adopted=package.get("adopted", ""),
        nearer=package.get("nearer", ""),
        in_main=package.get("in_main", ""),
        main_packages=tuple(package.get("main_packages", [])),
        publish=_publish(raw.get("publish", {})),
        overlay=overlay,
        git=raw.get("git", {}),
        own={
            gate.name: raw[gate.name] for gate in tables.gates if gate.settings and gate.name in raw
        },
    )


_SOURCE = re.compile(r"^Source:[ \t]*([a-z0-9][a-z0-9+.-]+)[ \t]*$", re.MULTILINE | re.IGNORECASE)


def _source_named(folder: Path) -> str:
    """Return the source package that debian/control names, whatever the folder is called."""
    with open(f"{folder}/debian/control", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        text = file.read()
    named = _SOURCE.search(text)
    return named[1] if named else folder.name


def _require_consistent(path: Path, folder: Path, raw: Table, tables: ToolTables) -> None:
    kind = tables.kinds[raw["watch"]["kind"]]
    if faults := list(tool_faults(folder, raw, kind, tables.methods)):
        raise SetupError.listing(str(path), faults)


_BESIDE = frozenset({"own", "record"})
_WATCH = frozenset(field_names(Watch)) - _BESIDE
_VERIFY = frozenset(field_names(Verify)) - _BESIDE


def _by_watch_file(folder: Path) -> Tool:
    """Return the tool that a folder's debian/watch and debian/changelog alone would define."""
    from toolsync.watchfile.folder import load_folder  # no other tool needs its parser

    return load_folder(folder)


def _watch(raw: Table, kind: Kind, followed: Tool | None) -> Watch:
    flat, own = _parted(raw, _WATCH)
    values = {**flat, "mangle": tuple(flat.get("mangle", []))}
    if followed:
        values.setdefault("prereleases", followed.watch.prereleases)
        return replace(followed.watch, **values, own=own, record=kind)
    return Watch(**values, own=own, record=kind)


def _verify(raw: Table, methods: Mapping[str, Method], followed: Tool | None) -> Verify:
    flat, own = _parted(raw, _VERIFY)
    if followed and raw.keys() <= {"pins"}:
        return replace(followed.verify, pins=flat.get("pins", {}))
    pinned = tuple(_squeezed(flat.get("keys", [])))
    return Verify(**{**flat, "keys": pinned}, own=own, record=methods.get(raw.get("method", "")))


def _parted(raw: Table, known: Container[str]) -> tuple[Table, Table]:
    """Return the keys that a value has fields for, and those that a record alone reads."""
    own = {key: value for key, value in raw.items() if key not in known}
    return {key: value for key, value in raw.items() if key not in own}, own


_SECONDS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def _publish(raw: Table) -> Publish:
    number, unit = str(raw.get("promote_after", "3 days")).split()
    return Publish(
        copy=raw.get("copy", False),
        channel=raw.get("channel", "stable"),
        promote_after=int(number) * _SECONDS[unit.rstrip("s")],
    )


def tool_places(config: Config) -> Iterator[tuple[str, Path]]:
    """Give the name of every tool, which is its folder's, and the folder that this lies in.

    Of two with one name, the operator's comes last.
    """
    for place in reversed(config.tool_folders):
        if place.is_dir():
            for name in sorted(os.listdir(place)):  # noqa: PTH208 (a path of each takes 0.4 kB)
                if os.path.isfile(f"{place}/{name}/tool.toml"):  # noqa: PTH113 (and 10 µs)
                    yield name, place


def _compat(raw: Table) -> CompatPolicy:
    lists = ("commands", "services", "waive")
    return CompatPolicy(**{**raw, **{key: tuple(raw.get(key, ())) for key in lists}})


def _squeezed(keys: list[str]) -> list[str]:
    return [key.replace(" ", "").upper() for key in keys]
