"""Restore a backup into an empty set-up: everything, or nothing.

A backup may have been tampered with, so each name must stay below its folder, each file must be
as the manifest states it, and no more is written than that states. All is unpacked beside where it
will be, in a folder that nobody else may enter; while ``.restore`` is there, no other command works
on the state. No mode comes from the backup: files are ours alone, from their first byte, and those
that are served are opened to all when everything is there.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from toolsync.maintain.backup import FORM, MANIFEST, Backup, Manifest, Row, damaged_in
from toolsync.model.errors import Hostile, SetupError, UsageError
from toolsync.system.lock import UNFINISHED, exclusive
from toolsync.system.private import open_private, own_state, private_folder
from toolsync.system.store import ASIDE, digest_of, full_disk_is_told, sync_folder

_MOST = 64 * 1024 * 1024
"""Bytes of a manifest."""
_IGNORED = frozenset({"lock", "lost+found"})


def restore_backup(
    source: IO[bytes], name: str, state: Path, archive: Path, public: Sequence[Path] = ()
) -> Backup:
    """Put a backup's files into ``state`` and ``archive``, which must be empty or not there.

    ``name`` is what ``source`` is called; ``public`` are the places in the state that others may
    read, besides the archive. A restore that was killed is begun anew. Raises UsageError for a
    folder that holds something, Hostile for a backup that is damaged. Files
    of the store that were damaged when it was made are put aside, and told: the rest may be all
    that there is.
    """
    apart = not archive.resolve().is_relative_to(state.resolve())
    roots = (state, archive) if apart else (state,)
    made = [root for root in roots if not root.exists()]
    with full_disk_is_told(state):
        own_state(state)
    whole, served = state.resolve(), [path.resolve() for path in (archive, *public)]
    places = [path.relative_to(whole) for path in served if path.is_relative_to(whole)]
    try:
        with exclusive(state, "restore"):
            for root in roots:
                _make_empty(root)
            manifest = _put_all(source, name, state, archive if apart else None, places)
    except BaseException:
        for root in made:
            (root / "lock").unlink(missing_ok=True)
            root.rmdir() if root.exists() and not any(root.iterdir()) else None
        raise
    files = manifest["files"]
    return Backup(
        files=len(files) + len(manifest["links"]),
        size=sum(row["size"] for row in files.values()),
        made=manifest["made"],
        damaged=tuple(damaged_in(files)),
    )


def _make_empty(root: Path) -> None:
    """See that there is nothing in ``root`` but what a killed restore has left; remove that."""
    found = [p for p in root.iterdir() if p.name not in _IGNORED] if root.exists() else []
    if found and root / UNFINISHED not in found:
        raise UsageError(
            f"{root} is not empty, and a backup is restored into an empty folder only",
            resolution="Move what is in it away, or name another folder with --state.",
        )
    for path in sorted(found, key=lambda path: path.name == UNFINISHED):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _put_all(
    source: IO[bytes], name: str, state: Path, archive: Path | None, places: Sequence[Path]
) -> Manifest:
    """Unpack beside the final places, then rename everything there.

    ``places`` are those below the state that others may read; an ``archive`` elsewhere is, too.
    """
    fresh = state / UNFINISHED
    apart = archive / UNFINISHED if archive else None
    try:
        for folder in filter(None, (fresh, apart)):
            with full_disk_is_told(folder.parent):
                private_folder(folder)
        with full_disk_is_told(state):
            manifest = _read(name, source, fresh, apart)
            for place in places:
                _open_to_all(fresh, place)
            if apart:
                _open_to_all(apart, Path())
    except BaseException:
        for folder in filter(None, (apart, fresh)):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    # From here on a kill leaves UNFINISHED, which makes the next restore begin anew.
    for folder in filter(None, (apart, fresh)):
        for path in folder.iterdir():
            path.rename(folder.parent / path.name)
        sync_folder(folder.parent)
    for folder in filter(None, (apart, fresh)):
        folder.rmdir()
        sync_folder(folder.parent)
    return manifest


def _read(name: str, source: IO[bytes], fresh: Path, apart: Path | None) -> Manifest:
    """Take all files out, each as the manifest states it; those of ``archive/`` go ``apart``."""
    with _damage_is_told(name), tarfile.open(fileobj=source, mode="r|") as tar:
        manifest = _manifest(name, tar)
        left, links = dict(manifest["files"]), manifest["links"]
        _check_names(name, (*left, *links))
        aside = frozenset(damaged_in(left))
        while (info := tar.next()) is not None:
            row = left.pop(info.name, None)
            if row is None or not info.isreg() or info.issparse():
                raise _damaged(name, f"it holds {info.name!r}, which its manifest does not")
            if info.size != row["size"]:
                raise _damaged(name, f"{info.name} is not as its manifest states it")
            content = tar.extractfile(info)
            assert content is not None  # of a file there is one
            place = _place(info.name, fresh, apart)
            if info.name in aside:
                place = fresh / "store" / ASIDE / place.name
            _put(name, place, content, row)
        if left:
            raise _damaged(name, f"{len(left)} files are missing, such as {min(left)}")
        for link, target in links.items():
            path = _place(link, fresh, apart)
            _folder(path.parent)
            path.symlink_to(target)
        for link, target in links.items():  # now that every link is there to be followed
            root = apart if apart and link.startswith("archive/") else fresh
            if not _place(link, fresh, apart).resolve().is_relative_to(root.resolve()):
                raise _damaged(name, f"{link} is a link to {target}, out of the state folder")
    return manifest


def _folder(path: Path) -> None:
    """Make a folder, and those above it, for us alone; the topmost is there."""
    if not path.is_dir():
        _folder(path.parent)
        path.mkdir(mode=0o700)


def _open_to_all(root: Path, place: Path) -> None:
    """Let others read what lies at ``place`` below ``root``, and pass to it; follow no link."""
    top = root / place
    if not top.exists() or top.resolve() != root.resolve() / place:
        return  # nothing, or a link: what it leads to may be a secret
    above = [path for path in top.parents if path != root and path.is_relative_to(root)]
    for path in (*above, top, *top.rglob("*")):
        if path != root and not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


@contextmanager
def _damage_is_told(name: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, ValueError, KeyError) as error:
        raise _damaged(name, str(error)) from error
    except (TypeError, AttributeError, RecursionError, RuntimeError) as error:
        raise _damaged(name, f"its manifest makes no sense: {error}") from error
    except OSError as error:
        if isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
            raise _damaged(name, f"two of its files are in one place: {error}") from error
        raise


def _manifest(name: str, tar: tarfile.TarFile) -> Manifest:
    """Return the backup's first member; raise Hostile where it is none of ours."""
    info = tar.next()
    plain = info is not None and info.name == MANIFEST and info.isreg() and not info.issparse()
    if info is None or not plain or info.size > _MOST:
        raise _damaged(name, "it does not begin with a manifest: it is no backup of toolsync's")
    content = tar.extractfile(info)
    assert content is not None  # of a file there is one
    manifest: Manifest = json.loads(content.read())
    if manifest["form"] != FORM:
        raise SetupError(
            f"{name} is a backup of form {manifest['form']}; this toolsync reads form {FORM}",
            resolution="Restore it with the toolsync that wrote it, or with a newer one.",
        )
    tables = isinstance(manifest["files"], dict) and isinstance(manifest["links"], dict)
    if not tables or not isinstance(manifest["made"], str):
        raise _damaged(name, "its manifest makes no sense")
    return manifest


def _check_names(name: str, members: tuple[str, ...]) -> None:
    """See that every name stays below the folder that it is put into."""
    for member in members:
        parts = Path(member).parts
        if not parts or member.startswith("/") or ".." in parts or "\0" in member:
            raise _damaged(name, f"{member!r} leads out of the state folder")
        if parts[0] in (UNFINISHED, "lock"):
            raise _damaged(name, f"{member!r} is no file of a backup")


def _place(member: str, fresh: Path, apart: Path | None) -> Path:
    inner = member.removeprefix("archive/")
    return apart / inner if apart and inner != member else fresh / member


def _put(name: str, target: Path, content: IO[bytes], row: Row) -> None:
    _folder(target.parent)
    with os.fdopen(open_private(target, os.O_EXCL), "wb") as out:
        shutil.copyfileobj(content, out, 1024 * 1024)
        out.flush()
        os.fsync(out.fileno())
    if digest_of(target) != (row["sha256"], row["size"]):
        raise _damaged(name, f"{target.name} is not as its manifest states it")


def _damaged(name: str, why: str) -> Hostile:
    return Hostile(
        f"{name} is damaged: {why}", resolution="Take another backup; nothing was restored."
    )
