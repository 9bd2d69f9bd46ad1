"""Say what is missing on this machine, and how to get it; change nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from toolsync.build.chroot import (
    archive_keyring,
    check_chroot_folder,
    chroot_folder,
)
from toolsync.build.mapping import require_mapping
from toolsync.config import supported
from toolsync.config.definition import Tool, load_tools
from toolsync.config.series import series_tag
from toolsync.config.settings import Config
from toolsync.model.errors import OutOfSpace, ProgramFailed, SetupError, ToolsyncError
from toolsync.pipeline.status import fitting_series
from toolsync.publish.ppa import PpaTarget
from toolsync.publish.targets import open_target
from toolsync.report import mail, webhook
from toolsync.system.clock import Clock
from toolsync.system.distro import supported as released
from toolsync.system.gpg import inspect_keys
from toolsync.system.programs import PACKAGES
from toolsync.system.run import run
from toolsync.system.store import Store
from toolsync.system.work import Workshop

_ALWAYS = (
    *("apt-get", "bwrap", "dpkg", "dpkg-deb", "dpkg-genchanges", "dpkg-source", "gpg", "gpg-agent"),
    *("gpgconf", "gpgv", "prlimit", "reprepro", "setpriv", "tar", "unshare", "xz"),
)
_FOR_BACKEND = {
    "sbuild": (
        *("autopkgtest", "lintian", "mmdebstrap", "newgidmap", "newuidmap", "sbuild", "zstd"),
    ),
    "host": ("dh", "dpkg-buildpackage", "lintian"),
}
_ROOM = 5 * 1024**3
"""Bytes that a chroot and a build may need."""
_SOON = timedelta(days=30)
"""How long before its end a pinned key is told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    subject: str
    fine: bool
    message: str
    resolution: str = ""


def examine(config: Config, clock: Clock) -> Iterator[Check]:
    """Yield every check of this machine and this set-up, fine or not."""
    for program in (*_ALWAYS, *_FOR_BACKEND.get(config.build.backend, ())):
        yield _program(program)
    if is_ppa := config.target.startswith("ppa:"):
        for program in ("dput", *(("sftp",) if config.ppa.method == "sftp" else ())):
            yield _program(program)
    for series in config.series:
        yield _tried(f"series {series}", partial(_series, series))
    yield _tried("other series", partial(_new_series, config, clock.now().date()))
    if config.build.backend == "sbuild" and (config.ppa.build_first or not is_ppa):
        yield from _clean_builds(config)
    yield from _disks(config)
    yield _tried("tools", lambda: _defined(config))
    yield from _tools(config, clock.now())
    yield from _archive(config, clock)
    yield from _reports(config)


def _new_series(config: Config, day: date) -> str:
    """Propose supported series that the set-up does not serve; never a fault."""
    distribution = supported.distribution_of(config.target)
    others = [name for name in released(distribution, day) if name not in config.series]
    if not others:
        return f"none of {distribution} is missing"
    how = f"toolsync series adopt {others[-1]}" if config.follows else "`series` in toolsync.toml"
    return f"{', '.join(others)} of {distribution} could be served too: {how}"


def _series(series: str) -> str:
    distribution, tag = series_tag(series)
    return f"{distribution}, its versions end in ~{tag}"


def _program(program: str) -> Check:
    path = shutil.which(program)
    return Check(
        subject=f"program {program}",
        fine=path is not None,
        message=path or "is not on this machine",
        resolution="" if path else f"apt install {PACKAGES[program]}",
    )


def _clean_builds(config: Config) -> Iterator[Check]:
    """Look for all that unprivileged chroots need, in the builder's own words."""
    folder = chroot_folder(config.build.chroots)
    for series in config.series:
        yield _tried(f"keys of {series}", partial(archive_keyring, series))
    yield _tried("subordinate ids", _mapping)
    yield _tried("user namespaces", _namespace)
    yield _tried("chroots", partial(_chroots, folder))


def _mapping() -> str:
    require_mapping()
    return "65536 users and groups can be mapped"


def _chroots(folder: Path) -> str:
    check_chroot_folder(folder)
    return f"in {folder}"


def _namespace() -> str:
    """Make a user namespace as the builder does."""
    try:
        run("unshare", "--map-root-user", "--map-auto", "true", timeout=30)
    except (ProgramFailed, OutOfSpace) as error:  # the kernel says ENOSPC where none are allowed
        raise SetupError(
            f"no user namespace can be made: {error}",
            resolution="Allow it: sysctl kernel.unprivileged_userns_clone=1 (Debian),"
            " kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), user.max_user_namespaces"
            " above 0; in a container, let its host allow nesting. Or build without chroots:"
            " [build] backend = 'host'.",
        ) from error
    return "can be made"


def _disks(config: Config) -> Iterator[Check]:
    """Look at every disk that a run fills: state, builds and chroots may lie apart."""
    work = Workshop(config.state, config.build.work).root
    wanted = {
        config.state: "--state",
        work: "[build] work",
        chroot_folder(config.build.chroots): "[build] chroots",
    }
    seen: set[int] = set()
    for folder, option in wanted.items():
        place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        disk = place.stat().st_dev
        if disk not in seen:
            seen.add(disk)
            yield _room(place, option)


def _room(place: Path, option: str) -> Check:
    free = shutil.disk_usage(place).free
    return Check(
        subject=f"room in {place}",
        fine=free > _ROOM,
        message=f"{free / 1024**3:.1f} GiB are free, wanted {_ROOM / 1024**3:.0f}",
        resolution="" if free > _ROOM else f"Free some, or name another disk's folder: {option}.",
    )


def _tools(config: Config, now: datetime) -> Iterator[Check]:
    tools, faults = load_tools(config)
    for name, fault in faults.items():
        yield Check(
            subject=f"tool {name}", fine=False, message=str(fault), resolution=fault.resolution
        )
    for tool in tools:
        series = ", ".join(fitting_series(config, tool))
        message = series or f"not for this set-up: it needs {', '.join(tool.series)}"
        yield Check(subject=f"tool {tool.name}", fine=True, message=message)
        yield from _keys(tool, now)


def _keys(tool: Tool, now: datetime) -> Iterator[Check]:
    """Judge each pinned key that no longer counts, or will not for long."""
    found = inspect_keys(tool.keyring) if tool.verify.keys else ()
    for name in tool.verify.keys:
        key = next((key for key in found if name in key.fingerprints), None)
        end = key.end_of(name) if key else None
        dead = key is not None and (key.revoked or (end is not None and end <= now))
        if key is None:
            message = f"is pinned, but is not in {tool.folder / 'keys'}"
        elif key.revoked:
            message = "was revoked by its owner"
        elif end is not None and end <= now + _SOON:
            message = f"{'expired' if dead else 'expires'} on {end:%Y-%m-%d}"
        else:
            continue
        yield Check(
            subject=f"key {name} of {tool.name}",
            fine=key is not None and not dead,
            message=message,
            resolution=f"Get it anew from where you trust it, into {tool.folder / 'keys'}.",
        )


def _archive(config: Config, clock: Clock) -> Iterator[Check]:
    """See that apt would take what is published: there, signed by our key, not expired."""
    workshop = Workshop(config.state, config.build.work)
    try:
        store = Store(config.state / "store")
        target = open_target(config.target, config, store, workshop, clock)
    except ToolsyncError as error:
        yield Check(
            subject=config.target, fine=False, message=str(error), resolution=error.resolution
        )
        return
    if isinstance(target, PpaTarget):
        for subject, look in target.looks(config.series):
            yield _tried(subject, look)
    for series in config.series:
        yield _tried(f"archive {target.name} {series}", partial(target.check, series, clock.now()))


def _reports(config: Config) -> Iterator[Check]:
    """Yield a check for each way to tell what changed that is set up."""
    report = config.report
    if report.mail.to:
        yield _tried("report.mail", lambda: mail.ready(report.mail))
    if report.webhook.url:
        yield _tried("report.webhook", lambda: webhook.ready(report.webhook))


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
