"""Say who would bring a build dependency that a series does not have: its backports, or a tool."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from debian.deb822 import Deb822

from toolsync.build.archives import open_backports
from toolsync.build.relations import Unmet, Versions
from toolsync.model.errors import ToolsyncError
from toolsync.pipeline.context import Context

_one_at_a_time = threading.Lock()
"""Held while apt's folder of a series is made or asked: several tools may lack something."""


def brought(context: Context, series: str, unmet: Sequence[Unmet]) -> Mapping[str, str]:
    """Return in a phrase who would bring what a series lacks, by what is told of it.

    A backports archive that does not answer brings nothing. Builds take nothing from either by
    themselves, since what they are made of would then change with what else is set up.
    """
    if not unmet:
        return {}
    names = sorted({name for one in unmet for name in one.names})
    newer, ours = _backports(context, series, names), _made_here(context, series, names)
    nobody = "no tool here has it"
    if newer is not None:
        nobody = f"neither {series}-backports nor a tool here has it"
    found: dict[str, str] = {}
    for one in unmet:
        said = [f"{series}-backports has {there}"] if (there := one.met_by(newer or {})) else []
        for tool, versions in ours.items():
            if there := one.met_by(versions):
                said.append(f"the tool {tool} makes {there}")
        found[one.told] = " and ".join(said) or nobody
    return found


def _backports(context: Context, series: str, names: Sequence[str]) -> Versions | None:
    """Return what a series' backports have; None where that is not known."""
    config = context.config
    folder = config.state / "apt" / f"{series}-backports"
    try:
        with _one_at_a_time:
            archive = open_backports(series, config.build, folder, context.clock.now())
            return archive.versions(names) if archive else None
    except (ToolsyncError, OSError):
        return None  # that something is lacking is to be told in any case


def _made_here(
    context: Context, series: str, names: Sequence[str]
) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return the packages that tools have brought to a series, with their versions, by tool."""
    found: dict[str, Mapping[str, Sequence[str]]] = {}
    for place in context.config.tool_folders:
        for control in sorted(place.glob("*/debian/control")):
            tool = control.parents[1].name
            if made := [name for name in _packages(control) if name in names]:
                versions = _published(context, tool, series)
                found[tool] = dict.fromkeys(made, versions)
    return found


def _published(context: Context, tool: str, series: str) -> Sequence[str]:
    uploads = context.journal.uploads.of(tool)
    there = [one.version for one in uploads if one.series == series and one.state == "confirmed"]
    return there[-1:]


def _packages(control: Path) -> Iterator[str]:
    try:
        text = control.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for part in Deb822.iter_paragraphs(text.splitlines()):
        if name := part.get("Package"):
            yield str(name)
