"""Say what is missing on this machine, and how to get it."""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolsync.config import Config, load_tools
from toolsync.errors import ToolsyncError
from toolsync.package.series import series_tag
from toolsync.plan import fitting_series
from toolsync.system.run import PACKAGES

_ALWAYS = ("apt-cache", "apt-get", "dpkg-source", "gpg", "gpgv", "reprepro", "tar", "unshare", "xz")
_FOR_BACKEND = {
    "sbuild": ("sbuild", "mmdebstrap", "autopkgtest", "lintian", "newuidmap"),
    "host": ("dpkg-buildpackage", "dh", "lintian"),
}
_ROOM = 5 * 1024**3
"""Bytes that a chroot and a build may need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    subject: str
    fine: bool
    message: str
    resolution: str = ""


def examine(config: Config) -> Iterator[Check]:
    """Give every check of this machine and this set-up, fine or not."""
    for program in (*_ALWAYS, *_FOR_BACKEND[config.build.backend]):
        yield _program(program)
    if config.build.backend == "sbuild":
        yield from _mapped_users()
    for series in config.series:
        yield _tried(f"series {series}", partial(_series, series))
    yield _room(config.state)
    yield _tried("tools", lambda: _defined(config))
    yield from _tools(config)


def _series(series: str) -> str:
    distribution, tag = series_tag(series)
    return f"{distribution}, its versions end in ~{tag}"


def _program(program: str) -> Check:
    packages = {**PACKAGES, "newuidmap": "uidmap", "dh": "debhelper", "tar": "tar"}
    path = shutil.which(program)
    return Check(
        subject=f"program {program}",
        fine=path is not None,
        message=path or "is not on this machine",
        resolution="" if path else f"apt install {packages[program]}",
    )


def _mapped_users() -> Iterator[Check]:
    """Look for the subordinate ids that unprivileged chroots need (subuid(5), subgid(5))."""
    user = getpass.getuser()
    for name in ("/etc/subuid", "/etc/subgid"):
        lines = Path(name).read_text().splitlines() if Path(name).is_file() else []
        fine = any(line.split(":")[0] in (user, str(os.geteuid())) for line in lines)
        yield Check(
            subject=name,
            fine=fine,
            message=f"has a range for {user}" if fine else f"has no range for {user}",
            resolution="" if fine else f"echo {user}:100000:65536 | sudo tee -a {name}",
        )


def _room(state: Path) -> Check:
    place = next(path for path in (state, *state.parents) if path.exists())
    free = shutil.disk_usage(place).free
    return Check(
        subject=f"room in {place}",
        fine=free > _ROOM,
        message=f"{free / 1024**3:.1f} GiB are free",
        resolution="" if free > _ROOM else "Free 5 GiB, or name another folder with --state.",
    )


def _tools(config: Config) -> Iterator[Check]:
    tools, faults = load_tools(config)
    for name, fault in faults.items():
        yield Check(
            subject=f"tool {name}", fine=False, message=str(fault), resolution=fault.resolution
        )
    for tool in tools:
        series = ", ".join(fitting_series(config, tool))
        message = series or f"not for this set-up: it needs {', '.join(tool.series)}"
        yield Check(subject=f"tool {tool.name}", fine=True, message=message)


def _tried(subject: str, act: Callable[[], object]) -> Check:
    try:
        return Check(subject=subject, fine=True, message=str(act()))
    except ToolsyncError as error:
        return Check(subject=subject, fine=False, message=str(error), resolution=error.resolution)


def _defined(config: Config) -> str:
    tools, faults = load_tools(config)
    return f"{len(tools) + len(faults)} defined in {_places(config)}"


def _places(config: Config) -> str:
    return ", ".join(str(place) for place in config.tool_folders if place.is_dir())
