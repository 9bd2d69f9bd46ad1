"""Unpack an archive into a temporary folder, for the gates and the commands that compare.

What is read is hostile: the readers refuse what could escape or exhaust, and symbolic links are
made last, when the whole tree has been judged, so that nothing is ever written through one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from toolsync.archives.extract import archive_form, guard_for, read_members
from toolsync.archives.member import Kind, Member
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile, UsageError
from toolsync.model.release import Blob
from toolsync.system.store import Store, full_disk_is_told
from toolsync.system.work import Workshop

_PIECE = 256 * 1024


class Part(Protocol):
    """A component of a release."""

    @property
    def component(self) -> str:
        """The name of its folder."""

    @property
    def orig(self) -> Blob:
        """Its orig tarball."""


class Origs(Protocol):
    """A release's orig tarballs."""

    @property
    def orig(self) -> Blob:
        """The main one."""

    @property
    def components(self) -> Sequence[Part]:
        """Those beside it."""


@contextmanager
def open_tree(orig: Blob, *, store: Store, workshop: Workshop, limits: Limits) -> Iterator[Path]:
    """Yield the top folder of an orig tarball's tree for the block, in a folder to be removed.

    Raises Hostile for an archive that no honest upstream would publish, OutOfSpace.
    """
    with open_any(store.path(orig), workshop=workshop, limits=limits) as top:
        yield top


@contextmanager
def open_release(
    item: Origs, *, store: Store, workshop: Workshop, limits: Limits
) -> Iterator[Path]:
    """Give the top folder of a release's whole tree, as dpkg-source lays it out.

    Each component lies in a folder of its name below the top. Raises as `open_tree` does.
    """
    with open_tree(item.orig, store=store, workshop=workshop, limits=limits) as top:
        for part in item.components:
            place = top / part.component
            _remove(place)
            with open_tree(part.orig, store=store, workshop=workshop, limits=limits) as inner:
                shutil.copytree(inner, place, symlinks=True)
        yield top


@contextmanager
def open_packages(debs: Sequence[Path], *, workshop: Workshop, limits: Limits) -> Iterator[Path]:
    """Give a folder with the files of binary packages, as they lie on a machine that has all.

    Raises Hostile for a package that puts files below a link of another one, and what
    `open_tree` raises.
    """
    with workshop.folder("packages") as folder:
        top = folder / "root"
        top.mkdir()
        for number, deb in enumerate(debs):
            place = folder / str(number)
            place.mkdir()
            unpack_into(deb, place, limits)
            _join(place, top, deb.name)
        yield top


def _join(place: Path, top: Path, name: str) -> None:
    """Move a tree's files to where they lie below ``top``; nothing is put through a link."""
    for found, folders, files in os.walk(place):
        there = top / Path(found).relative_to(place)
        if there.is_symlink() or (there.exists() and not there.is_dir()):
            raise Hostile(
                f"{name} puts files below {there.relative_to(top)}, which another package has as"
                " a link or a file",
                resolution="Look at the packaging: dpkg would not install both.",
            )
        there.mkdir(exist_ok=True)
        links = [folder for folder in folders if (Path(found) / folder).is_symlink()]
        for entry in (*files, *links):
            _remove(there / entry)
            (Path(found) / entry).rename(there / entry)


def _remove(place: Path) -> None:
    """Remove what is at a place, without following a link."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


@contextmanager
def open_any(path: Path, *, workshop: Workshop, limits: Limits) -> Iterator[Path]:
    """Yield the top folder of an archive (tar, zip, wheel, .deb …), or ``path`` if it is a folder.

    A folder is given as it is: links in it may lead anywhere, so look before following one.
    Raises UsageError for what is neither file nor folder, and what `open_tree` raises.
    """
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        raise UsageError(
            f"{path} is neither a file nor a folder",
            resolution="Name an archive, or a folder that holds an unpacked one.",
        )
    with workshop.folder("tree") as folder:
        yield unpack_into(path, folder, limits)


def unpack_into(archive: Path, folder: Path, limits: Limits) -> Path:
    """Write an archive's tree into the empty ``folder``; return its top folder.

    The top is the one folder that holds everything, else ``folder`` itself. Files are 0644 or
    0755 and have neither the archive's owners nor its times.
    """
    guard = guard_for(archive_form(archive), limits)
    links: list[Member] = []
    with full_disk_is_told(folder):
        for member in read_members(archive, limits, guard):
            if member.kind is Kind.SYMLINK:
                links.append(member)
            else:
                _write(member, folder)
        for link in links:
            place = folder / link.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(link.target)
    return folder / guard.top


def _write(member: Member, folder: Path) -> None:
    place = folder / member.path
    if member.kind is Kind.FOLDER:
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.kind is Kind.HARDLINK:
        os.link(folder / member.target, place)
        return
    with place.open("xb") as file:
        while data := member.data.read(_PIECE):
            file.write(data)
    place.chmod(0o755 if member.executable else 0o644)
