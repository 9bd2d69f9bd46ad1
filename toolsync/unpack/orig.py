"""Make the orig tarball: upstream's own file where it will do, else the same bytes everywhere."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from toolsync.archives.extract import ZIP, archive_form, guard_for, read_members, zip_members
from toolsync.archives.guard import Guard
from toolsync.archives.member import NOTHING, Kind, Member, as_text, shown
from toolsync.config.settings import Limits
from toolsync.model.errors import UsageError
from toolsync.model.release import Finding
from toolsync.system.store import full_disk_is_told
from toolsync.unpack.choice import Choice, choose
from toolsync.unpack.compress import ending
from toolsync.unpack.doubles import without_doubles
from toolsync.unpack.exclusions import Exclusions
from toolsync.unpack.repack import Direct, Spool, Tree, newest, write_tarball

KEPT = ("gz", "xz", "bz2", "lzma")
"""What dpkg-source takes as it is in format 3.0 (quilt) (dpkg-source(1))."""

_PIECE = 256 * 1024
_SOURCE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+~-]*")
_COMPONENT = re.compile(r"[0-9A-Za-z-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orig:
    """The finished tarball."""

    path: Path
    name: str
    """As dpkg-source wants it, e.g. ``awscli_1.46.2.orig.tar.gz``."""
    untouched: bool
    """It is the given file, byte for byte."""
    members: int
    """Members of the given archive, before anything was left out."""
    excluded: tuple[str, ...]
    """Paths that were left out, as the archive names them, sorted."""
    epoch: int
    """The newest modification time inside, in seconds since 1970 (UTC)."""
    findings: tuple[Finding, ...] = ()
    """Patterns of debian/copyright that match nothing."""
    top: str = ""
    """The one folder that holds all that is kept of the archive, empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    """What one pass over the archive has shown."""

    form: str
    guard: Guard
    """A forgiving one, which has seen all members."""
    members: tuple[Member, ...]
    doubles: bool = False
    """Whether a member is there twice with the same content, which counts as one."""

    @property
    def origins(self) -> dict[str, str]:
        """For each hard link, the file that it repeats; a link to a link is followed."""
        found: dict[str, str] = {}
        for member in self.members:
            if member.kind is Kind.HARDLINK:
                found[member.path] = found.get(member.target, member.target)
        return found

    def choose(self, exclusions: Exclusions, limits: Limits, *, tidy: bool) -> Choice:
        """Return what goes into the orig tarball; raises as `choose` does."""
        return choose(
            self.members,
            self.guard,
            self.origins,
            exclusions,
            lambda forgiving: guard_for(self.form, limits, forgiving=forgiving),
            tidy=tidy or self.form not in KEPT,
        )


def make_orig(
    archive: Path,
    *,
    source: str,
    version: str,
    exclusions: Exclusions,
    limits: Limits,
    folder: Path,
    compression: str = "xz",
    component: str = "",
    force: bool = False,
    wrap: bool = True,
) -> Orig:
    """Put the orig tarball of ``archive`` into ``folder`` and say what became of it.

    A tarball that dpkg-source takes is kept byte for byte, unless something is left out, a
    member has a bit that must go, it lacks a top folder of its own, or ``force`` asks
    for another ``compression`` than it has. With ``wrap`` false a missing top folder is left
    missing, as uscan does. Nothing is appended to ``version`` when something is left out.

    Raises Hostile for the archive's faults, Held when nothing would be left, UsageError for
    names that cannot be part of a file's name, OutOfSpace. An error leaves nothing behind.
    """
    form = ending(compression)
    stem = _stem(source, version, component)
    with full_disk_is_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            spool = opened.enter_context(Spool(folder))
            contents = _look(archive, limits, spool, opened)
            chosen = contents.choose(exclusions, limits, tidy=wrap)
            kept = chosen.kept
            alike = not chosen.left_out and not chosen.beside
            untouched = alike and _will_do(
                contents, chosen.top, wrap=wrap, form=form if force else ""
            )
            name = f"{stem}.{contents.form if untouched else form}"
            temp = folder / f".{name}.part"
            temp.unlink(missing_ok=True)
            try:
                if untouched:
                    shutil.copyfile(archive, temp)
                else:
                    below = f"{source}-{version}" if wrap and not chosen.top else ""
                    _repack(archive, limits, contents, kept, below, spool, temp, form)
                os.chmod(temp, 0o644)
                os.replace(temp, folder / name)
            finally:
                temp.unlink(missing_ok=True)
    return Orig(
        path=folder / name,
        name=name,
        untouched=untouched,
        members=len(contents.members),
        excluded=tuple(map(as_text, sorted(chosen.left_out))),
        epoch=newest(kept),
        findings=(*map(_unused, chosen.unused), *_apples(chosen.beside)),
        top=chosen.top,
    )


def _look(archive: Path, limits: Limits, spool: Spool, opened: ExitStack) -> _Contents:
    """Read the archive once, and remember all but the contents; the tree is judged later.

    Those of what is packed anew in any case go to the spool at once, but a zip's: it is left
    open, and they are judged when they are read, in the order in which they are written.
    """
    form = archive_form(archive)
    guard = guard_for(form, limits, forgiving=True)
    if form == ZIP:
        found = opened.enter_context(zip_members(archive, limits, guard))
        return _Contents(form=form, guard=guard, members=found)
    members = []
    for member in read_members(archive, limits, guard):
        if form not in KEPT and member.kind is Kind.FILE:
            spool.keep(member)
        members.append(replace(member, data=NOTHING))
    once = without_doubles(archive, limits, members)
    doubles = len(once) < len(members)
    return _Contents(form=form, guard=guard, members=tuple(once), doubles=doubles)


def _stem(source: str, version: str, component: str) -> str:
    """Return the orig tarball's name up to its last ending; refuse what could be a path."""
    for what, word, pattern in (
        ("package name", source, _SOURCE),
        ("upstream version", version, _VERSION),
        ("component", component, _COMPONENT),
    ):
        if not pattern.fullmatch(word):
            raise UsageError(
                f"{word!r} is no {what} of Debian's; wanted: {pattern.pattern}",
                resolution="Mend it in tool.toml (the version: by watch.mangle), or in the call.",
            )
    return f"{source}_{version}.orig{'-' if component else ''}{component}.tar"


def _will_do(contents: _Contents, top: str, *, wrap: bool, form: str) -> bool:
    """Say whether dpkg-source can take upstream's file as it is."""
    return (
        contents.form in KEPT
        and not contents.doubles
        and form in ("", contents.form)
        and (bool(top) or not wrap)
        and not any(member.special for member in contents.members)
    )


def _unused(pattern: str) -> Finding:
    return Finding(
        stage="unpack",
        code="unused-pattern",
        severity="info",
        message=f"debian/copyright: the pattern {pattern} matches nothing in this release",
    )


def _apples(beside: tuple[str, ...]) -> Iterator[Finding]:
    if beside:
        yield Finding(
            stage="unpack",
            code="macos-metadata",
            severity="info",
            message=f"{len(beside)} members that macOS has put beside the top folder, about its own"
            f" files, are left out: {shown(beside[0])} …",
        )


def _repack(
    archive: Path,
    limits: Limits,
    contents: _Contents,
    kept: Sequence[Member],
    below: str,
    spool: Spool,
    path: Path,
    form: str,
) -> None:
    """Write what is kept to ``path``; reads a tarball a second time, for the contents."""
    tree = Tree(
        members={member.path: member for member in kept}, origin=contents.origins, below=below
    )
    needed = tree.needed
    files = {member.path: member for member in contents.members if member.path in needed}
    if contents.form in KEPT:
        seen = guard_for(contents.form, limits, forgiving=True)  # what is kept was judged already
        for member in read_members(archive, limits, seen):
            if member.path in needed:
                spool.keep(member)
    if contents.form == ZIP:
        _judge(member for member in contents.members if member.path not in needed)
    write_tarball(tree, Direct(files) if contents.form == ZIP else spool, files, path, form)


def _judge(left_out: Iterable[Member]) -> None:
    """Read what nobody else reads: an archive is damaged or hostile as a whole."""
    for member in left_out:
        while member.data.read(_PIECE):
            pass
