"""Say what is missing on this machine, and how to get it; change nothing."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from toolsync.build.backends import backend_of
from toolsync.build.chroot import chroot_folder
from toolsync.build.foreign import require_builder
from toolsync.config.definition import Tool
from toolsync.config.series import series_tag
from toolsync.config.settings import Config
from toolsync.git.forges import forge_at
from toolsync.git.place import place_of
from toolsync.git.place import programs_of as git_programs
from toolsync.maintain.plan import orphans
from toolsync.maintain.scrubbed import read_scrubbed
from toolsync.maintain.secretfiles import secret_files
from toolsync.model.errors import Damaged, ToolsyncError
from toolsync.model.values import Blob
from toolsync.pipeline.belonging import has_journal, open_journal
from toolsync.pipeline.context import open_http, store_of
from toolsync.pipeline.loghead import log_faults, require_logged, served_head
from toolsync.pipeline.status import faulty, fitting_series
from toolsync.publish.archivekeys import WAY_BACK
from toolsync.publish.intact import REPAIR
from toolsync.publish.target import Examinable, ForArchitectures, Inspectable
from toolsync.publish.targets import open_target
from toolsync.setup.settings import SETTINGS, SettingsTables
from toolsync.setup.tools import TOOLS, ToolTables, load_tools
from toolsync.system.architectures import own
from toolsync.system.clock import Clock, SystemClock
from toolsync.system.distro import supported as released
from toolsync.system.door import pages_user
from toolsync.system.gpg import inspect_keys, why_unread
from toolsync.system.programs import find, how_to_get
from toolsync.system.reader import pages_reader
from toolsync.system.work import Workshop
from toolsync.verify.methods import programs_of

ALWAYS = (
    *("apt-get", "bwrap", "dpkg", "dpkg-deb", "dpkg-genchanges", "dpkg-source", "gpg", "gpg-agent"),
    *("gpgconf", "gpgv", "prlimit", "setpriv", "tar", "unshare", "xz"),
)
_ROOM = 5 * 1024**3
"""Bytes that a chroot and a build may need."""
_QUICK = 2 * 1024**3
"""Bytes of the store that are digested in some seconds; the rest is left to a scrub."""
_SOON = timedelta(days=30)
"""How long before its end a pinned key is told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    subject: str
    fine: bool
    message: str
    resolution: str = ""


def examine(
    config: Config,
    clock: Clock,
    *,
    tools: ToolTables = TOOLS,
    settings: SettingsTables = SETTINGS,
) -> Iterator[Check]:
    """Yield every check of this machine and this set-up, fine or not.

    The tables are those that definitions and settings are read with.
    """
    kind = settings.targets.get(config.target.partition(":")[0])
    backend = backend_of(config.build)
    for program in (*ALWAYS, *backend.programs, *(kind.programs(config) if kind else ())):
        yield _program(program)
    for series in config.series:
        yield _tried(f"series {series}", partial(_series, series))
    yield _tried("other series", partial(_new_series, config, clock.now().date()))
    if kind is None or kind.builds_here(config):
        for subject, look in backend.looks(config):
            yield _tried(subject, look)
    yield from _disks(config)
    yield _tried("tools", lambda: _defined(config, tools))
    yield from _tools(config, clock.now(), tools)
    yield from _orphans(config, clock, tools)
    yield from _archive(config, clock, settings)
    yield from _log(config, clock)
    yield _store(config)
    yield from _archive_keys(config, clock)
    yield from _secrets(config)
    for channel in settings.channels.values():
        if channel.is_set_up(config):
            yield _tried(f"report.{channel.name}", partial(channel.ready, config))


def _new_series(config: Config, day: date) -> str:
    """Propose supported series that the set-up does not serve; never a fault."""
    distribution = config.distribution
    others = [name for name in released(distribution, day) if name not in config.series]
    if not others:
        return f"none of {distribution} is missing"
    how = f"toolsync series adopt {others[-1]}" if config.follows else "`series` in toolsync.toml"
    return f"{', '.join(others)} of {distribution} could be served too: {how}"


def _series(series: str) -> str:
    distribution, tag = series_tag(series)
    return f"{distribution}, its versions end in ~{tag}"


def _program(program: str) -> Check:
    path = find(program)
    return Check(
        subject=f"program {program}",
        fine=path is not None,
        message=path or "is not on this machine",
        resolution="" if path else how_to_get(program),
    )


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


def _tools(config: Config, now: datetime, tables: ToolTables) -> Iterator[Check]:
    tools, faults = load_tools(config, tables=tables)
    for name, fault in faults.items():
        yield Check(
            subject=f"tool {name}", fine=False, message=str(fault), resolution=fault.resolution
        )
    for program in sorted({one for tool in tools for one in programs_of(tool.verify)}):
        yield _program(program)
    yield from _git(config, tools)
    for tool in tools:
        series = ", ".join(fitting_series(config, tool))
        message = series or f"not for this set-up: it needs {', '.join(tool.series)}"
        yield Check(subject=f"tool {tool.name}", fine=True, message=message)
        if ready := tables.kinds[tool.watch.kind].ready:
            yield _tried(f"page of {tool.name}", partial(ready, tool))
        yield from _keys(tool, now)


def _git(config: Config, tools: Sequence[Tool]) -> Iterator[Check]:
    """See that releases can be imported, and proposed, where the set-up names a repository."""
    programs: set[str] = set()

    def look(tool: Tool) -> str:
        place = place_of(config, tool)
        if place is None:
            return "no repository"
        programs.update(git_programs(place))
        if not place.settings.propose:
            return f"releases go to {place.url}"
        with closing(open_http(config, SystemClock())) as http:
            forge, _ = forge_at(place, http)
        return f"releases are proposed to {place.url}, on {forge.about}"

    for tool in tools:
        if tool.git or config.git.repository:
            yield _tried(f"[git] of {tool.name}", partial(look, tool))
    yield from (_program(program) for program in sorted(programs))


def _orphans(config: Config, clock: Clock, tables: ToolTables) -> Iterator[Check]:
    """Tell what is served and belongs to no tool, series or newest package of the set-up."""
    if not has_journal(config):
        return
    tools, faults = load_tools(config, tables=tables)
    try:
        with closing(open_journal(config, clock)) as journal:
            named = [faulty(name, fault) for name, fault in faults.items()]
            left = orphans(config, journal, tools, named)
    except ToolsyncError as error:
        yield Check(subject="orphans", fine=False, message=str(error), resolution=error.resolution)
        return
    for orphan in left:
        yield Check(
            subject=f"orphan {orphan.tool}",
            fine=False,
            message=orphan.message,
            resolution=orphan.resolution,
        )


def _log(config: Config, clock: Clock) -> Iterator[Check]:
    """See that the log of publications goes on from its published head, and is served whole."""
    if not has_journal(config):
        return

    def look() -> str:
        with closing(open_journal(config, clock)) as journal:
            require_logged(config, journal, strict=True)
            wrong = [f"{path} {message}" for path, message in log_faults(config, journal)]
            served = served_head(config)
        if wrong:
            more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            raise Damaged(f"{'; '.join(wrong[:3])}{more}", resolution=REPAIR)
        return f"{served.checkpoint.size} leaves are whole" if served else "there is none yet"

    yield _tried("the log of publications", look)


def _keys(tool: Tool, now: datetime) -> Iterator[Check]:
    """Judge each pinned key that no longer counts, or will not for long."""
    found = inspect_keys(tool.keyring) if tool.verify.keys else ()
    for name in tool.verify.keys:
        key = next((key for key in found if name in key.fingerprints), None)
        end = key.end_of(name) if key else None
        dead = key is not None and (key.is_revoked(name) or (end is not None and end <= now))
        if key is None:
            unread = why_unread(tool.keyring)
            message = f"is pinned, but is not in {tool.folder / 'keys'}"
            message += f": {unread}" if unread else ""
        elif key.is_revoked(name):
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


def _archive(config: Config, clock: Clock, tables: SettingsTables) -> Iterator[Check]:
    """See that apt would take what is published: there, signed by our key, not expired."""
    workshop = Workshop(config.state, config.build.work)
    with closing(open_http(config, clock)) as http:
        try:
            store = store_of(config)
            target = open_target(
                config.target, config, store, workshop, clock, http, tables.targets
            )
        except ToolsyncError as error:
            yield Check(
                subject=config.target, fine=False, message=str(error), resolution=error.resolution
            )
            return
        if isinstance(target, Examinable):
            for subject, look in target.looks(config.series):
                yield _tried(subject, look)
        if isinstance(target, ForArchitectures):
            yield from _architectures(config, target.architectures)
        for series in config.series:
            subject = f"archive {target.name} {series}"
            yield _tried(subject, partial(target.check, series, clock.now()))
        if isinstance(target, Inspectable):
            yield _tried(f"archive {target.name}, all files", target.examine)


def _architectures(config: Config, names: Sequence[str]) -> Iterator[Check]:
    """See that somebody builds for each architecture that is to be served beside our own."""
    by_workers = bool(config.fleet.broker) and "build" in config.fleet.tasks

    def look(name: str) -> str:
        if not by_workers:
            return f"is built {require_builder(backend_of(config.build), name)}"
        from toolsync.fleet.build import queue_of  # only where there is a fleet
        from toolsync.fleet.overview import require_served, served

        require_served(queue_of(name), served(config.fleet.broker))
        return "is built by a worker"

    for name in names:
        if name != own():
            yield _tried(f"architecture {name}", partial(look, name))


def _store(config: Config) -> Check:
    """Tell of the last scrub, and digest what can be digested while a person waits."""
    scrubbed, store = read_scrubbed(config.state), store_of(config)
    wrong, size = [item.text for item in scrubbed.lost], 0
    for digest, bytes_ in store.files():
        size += bytes_
        if size > _QUICK:
            break
        try:
            store.require(Blob(name="", sha256=digest, size=bytes_))
        except Damaged as error:
            wrong.append(str(error))
    looked = f"the first {_QUICK:,} bytes are" if size > _QUICK else f"all {size:,} bytes are"
    return Check(
        subject=f"store {config.state / 'store'}",
        fine=not wrong,
        message="; ".join(wrong) or f"{looked} whole; {scrubbed.told}",
        resolution="toolsync scrub gets anew what can be had, and says what to do."
        if wrong
        else "",
    )


def _archive_keys(config: Config, clock: Clock) -> Iterator[Check]:
    """Judge the archive's own keys: there, able to sign, and for how long."""
    from toolsync.maintain.keylife import key_rows, key_warnings

    subject = "the archive's key"
    try:
        rows = key_rows(config, Workshop(config.state, config.build.work), clock)
    except ToolsyncError as error:
        yield Check(subject=subject, fine=False, message=str(error), resolution=error.resolution)
        return
    told = {warning.fingerprint: warning.text for warning in key_warnings(rows, clock.now())}
    for row in rows:
        if row.state == "ended":
            continue
        fine = row.state not in ("lost", "dead")
        what, _, then = told.get(row.fingerprint, "").rpartition(": ")
        until = f"signs until {row.ends[:10]}" if row.ends else "signs, and has no end"
        yield Check(
            subject=f"{subject} {row.fingerprint}",
            fine=fine,
            message=(what or until) if fine else f"is {row.state}",
            resolution=then if fine else WAY_BACK,
        )


def _secrets(config: Config) -> Iterator[Check]:
    """See that the pages' user, who may read the state, reads no secret that settings name."""
    reader = pages_reader(config.state, pages_user())
    if reader is None:
        return
    for key, path in secret_files(config):
        with suppress(OSError):  # it is not there, or closed to us: told by whatever needs it
            wrong, mode = reader.reads(path), stat.S_IMODE(path.stat().st_mode)
            yield Check(
                subject=f"secret {path}",
                fine=not wrong,
                message=f"which {key} names, can be read by the pages' user: mode {mode:04o}"
                if wrong
                else f"which {key} names, is closed to the pages' user",
                resolution=f"chown --reference={config.state} {path} && chmod 0600 {path}"
                if wrong
                else "",
            )


def _tried(subject: str, act: Callable[[], object]) -> Check:
    try:
        return Check(subject=subject, fine=True, message=str(act()))
    except ToolsyncError as error:
        return Check(subject=subject, fine=False, message=str(error), resolution=error.resolution)


def _defined(config: Config, tables: ToolTables) -> str:
    tools, faults = load_tools(config, tables=tables)
    return f"{len(tools) + len(faults)} defined in {_places(config)}"


def _places(config: Config) -> str:
    return ", ".join(str(place) for place in config.tool_folders if place.is_dir())
