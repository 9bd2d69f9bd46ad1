"""Restore a backup into an empty set-up: everything, or nothing.

A backup may have been tampered with, so each name must stay below its folder, each file must be
as the manifest states it, and no more is written than that states. All is unpacked beside where it
will be; while ``.restore`` is there, no other command works on the state.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from toolsync.maintain.backup import FORM, MANIFEST, Backup, Manifest, Row
from toolsync.model.errors import Hostile, SetupError, UsageError
from toolsync.system.lock import UNFINISHED, exclusive
from toolsync.system.store import digest_of, full_disk_is_told, sync_folder

_MOST = 64 * 1024 * 1024
"""Bytes of a manifest."""
_PRIVATE = ("gnupg", "launchpad")
"""Folders that are nobody else's; gpg complains of others."""
_IGNORED = frozenset({"lock", "lost+found"})


def restore_backup(source: IO[bytes], name: str, state: Path, archive: Path) -> Backup:
    """Put a backup's files into ``state`` and ``archive``, which must be empty or not there.

    ``name`` is what ``source`` is called. A restore that was killed is begun anew. Raises
    UsageError for a folder that holds something, Hostile for a backup that is damaged.
    """
    apart = not archive.resolve().is_relative_to(state.resolve())
    roots = (state, archive) if apart else (state,)
    made = [root for root in roots if not root.exists()]
    with full_disk_is_told(state):
        state.mkdir(parents=True, exist_ok=True)
    try:
        with exclusive(state, "restore"):
            for root in roots:
                _make_empty(root)
            manifest = _put_all(source, name, state, archive if apart else None)
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


def _put_all(source: IO[bytes], name: str, state: Path, archive: Path | None) -> Manifest:
    """Unpack beside the final places, then rename everything there."""
    fresh = state / UNFINISHED
    apart = archive / UNFINISHED if archive else None
    try:
        for folder in filter(None, (fresh, apart)):
            with full_disk_is_told(folder.parent):
                folder.mkdir(parents=True)
        with full_disk_is_told(state):
            manifest = _read(name, source, fresh, apart)
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
        while (info := tar.next()) is not None:
            row = left.pop(info.name, None)
            if row is None or not info.isreg() or info.issparse():
                raise _damaged(name, f"it holds {info.name!r}, which its manifest does not")
            if info.size != row["size"]:
                raise _damaged(name, f"{info.name} is not as its manifest states it")
            content = tar.extractfile(info)
            assert content is not None  # of a file there is one
            _put(name, _place(info.name, fresh, apart), content, row)
        if left:
            raise _damaged(name, f"{len(left)} files are missing, such as {min(left)}")
        for link, target in links.items():
            path = _place(link, fresh, apart)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(target)
        for link, target in links.items():  # now that every link is there to be followed
            root = apart if apart and link.startswith("archive/") else fresh
            if not _place(link, fresh, apart).resolve().is_relative_to(root.resolve()):
                raise _damaged(name, f"{link} is a link to {target}, out of the state folder")
    for folder in (fresh / private for private in _PRIVATE):
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o700) if path.is_dir() and not path.is_symlink() else None
    return manifest


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
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        shutil.copyfileobj(content, out, 1024 * 1024)
        out.flush()
        os.fsync(out.fileno())
    if digest_of(target) != (row["sha256"], row["size"]):
        raise _damaged(name, f"{target.name} is not as its manifest states it")
    target.chmod(row["mode"] & 0o777)


def _damaged(name: str, why: str) -> Hostile:
    return Hostile(
        f"{name} is damaged: {why}", resolution="Take another backup; nothing was restored."
    )
