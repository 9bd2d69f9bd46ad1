"""Put all that cannot be had again into one file, and take it out again.

A backup is a tar: first ``manifest.json``, which names every file with size and SHA-256, then the
files. In it are the journal as of one moment, the keys, tokens, the archive, and the store. What is
only in the way elsewhere (locks, unfinished downloads, work folders) is not.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from toolsync.bench import Bench
from toolsync.errors import Hostile, SetupError, UsageError
from toolsync.system.store import digest_of, full_disk_is_told, sync_file, sync_folder
from toolsync.system.user import give, owner_of

FORM = 1
"""Of the manifest; raised when an older toolsync could not read it."""
_JOURNAL = "journal.sqlite"
_LEFT_OUT = frozenset(
    {"lock", "journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "store/tmp"}
    | {"store/partial", "cache"}
)
_MANIFEST = "manifest.json"
_MOST = 64 * 1024 * 1024
"""Bytes of a manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds."""

    files: int
    size: int
    """Bytes of their contents."""
    made: str


def write_backup(bench: Bench, path: Path) -> Backup:
    """Write a backup of the state to ``path``, mode 0600, whole or not at all.

    The caller holds toolsync's lock. Raises UsageError where there is something at ``path``.
    """
    if path.exists():
        raise UsageError(
            f"{path} exists already, and a backup overwrites nothing",
            resolution="Name another file, or remove that one.",
        )
    state = bench.config.state
    with full_disk_is_told(path.parent), tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        journal = Path(scratch) / _JOURNAL
        bench.journal.copy_to(journal)
        files = {_JOURNAL: journal, **dict(_files(state)), **dict(_archive(bench))}
        links = {name: str(p.readlink()) for name, p in files.items() if p.is_symlink()}
        rows = {name: _row(p) for name, p in files.items() if name not in links}
        made = bench.clock.now().isoformat(timespec="seconds")
        manifest = {"form": FORM, "made": made, "files": rows, "links": links}
        temp = Path(scratch) / "backup"
        with os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            _write(out, manifest, {name: files[name] for name in rows})
        sync_file(temp)
        temp.rename(path)
    sync_folder(path.parent)
    return Backup(files=len(files), size=sum(row["size"] for row in rows.values()), made=made)


def restore_backup(path: Path, state: Path) -> Backup:
    """Put a backup's files into ``state``, which must be empty or not there; all or nothing.

    Raises UsageError for a state that holds something, Hostile for a file that is damaged.
    """
    if state.exists() and any(state.iterdir()):
        raise UsageError(
            f"{state} is not empty, and a backup is restored into an empty folder only",
            resolution="Move it away, or name another folder with --state.",
        )
    owner = owner_of(state)  # root restores the service's state, too
    with full_disk_is_told(state.parent):
        state.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=state.parent, prefix=".restore-") as scratch:
            fresh = Path(scratch) / "state"
            manifest = _read(path, fresh)
            give(fresh, owner)
            if state.exists():
                state.rmdir()
            fresh.rename(state)
        sync_folder(state.parent)
    files = manifest["files"]
    return Backup(
        files=len(files) + len(manifest["links"]),
        size=sum(row["size"] for row in files.values()),
        made=manifest["made"],
    )


def _files(state: Path) -> Iterator[tuple[str, Path]]:
    """Give every file and link of the state that a backup holds, by its name below it."""
    for path in sorted(state.rglob("*")):
        name = path.relative_to(state).as_posix()
        above = {name, *(parent.as_posix() for parent in Path(name).parents)}
        if not above & _LEFT_OUT and (path.is_symlink() or path.is_file()):
            yield name, path


def _archive(bench: Bench) -> Iterator[tuple[str, Path]]:
    """Give the files of an archive that lies elsewhere, as if it lay in the state folder."""
    archive, state = bench.config.archive, bench.config.state
    if archive.is_dir() and not archive.is_relative_to(state):
        for name, path in _files(archive):
            yield f"archive/{name}", path


def _row(path: Path) -> dict[str, Any]:
    digest, size = digest_of(path)
    return {"sha256": digest, "size": size, "mode": path.stat().st_mode & 0o777}


def _write(out: IO[bytes], manifest: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        head = json.dumps(manifest, indent=1).encode()
        info = tarfile.TarInfo(_MANIFEST)
        info.size, info.mode = len(head), 0o600
        tar.addfile(info, io.BytesIO(head))
        for name, path in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = manifest["files"][name]["size"], 0o600
            with path.open("rb") as content:
                tar.addfile(info, content)


def _read(path: Path, fresh: Path) -> dict[str, Any]:
    """Take all files out into ``fresh``, each as the manifest states it."""
    try:
        with tarfile.open(path, mode="r|") as tar:
            manifest = _manifest(path, tar)
            left = dict(manifest["files"])
            while (info := tar.next()) is not None:
                row = left.pop(info.name, None)
                if row is None or not info.isfile():
                    raise _damaged(path, f"it holds {info.name!r}, which its manifest does not")
                content = tar.extractfile(info)
                assert content is not None  # of a file there is one
                _put(path, fresh, info.name, content, row)
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        if error.filename == str(path):
            raise SetupError(
                f"{path} cannot be read: {error.strerror}", resolution="Name a backup's file."
            ) from error
        raise
    if left:
        raise _damaged(path, f"{len(left)} files are missing, such as {min(left)}")
    for name, target in manifest["links"].items():
        link = fresh / _inside(path, name)
        _inside(path, os.path.normpath(Path(name).parent / target))
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    return manifest


def _manifest(path: Path, tar: tarfile.TarFile) -> dict[str, Any]:
    info = tar.next()
    content = tar.extractfile(info) if info and info.name == _MANIFEST else None
    if info is None or content is None or info.size > _MOST:
        raise _damaged(path, "it does not begin with a manifest: it is no backup of toolsync's")
    manifest: dict[str, Any] = json.loads(content.read())
    if manifest["form"] != FORM:
        raise SetupError(
            f"{path} is a backup of form {manifest['form']}; this toolsync reads form {FORM}",
            resolution="Restore it with the toolsync that wrote it, or with a newer one.",
        )
    return manifest


def _put(path: Path, fresh: Path, name: str, content: IO[bytes], row: Mapping[str, Any]) -> None:
    target = fresh / _inside(path, name)
    folder = target.parent
    folder.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        shutil.copyfileobj(content, out, 1024 * 1024)
        out.flush()
        os.fsync(out.fileno())
    if digest_of(target) != (row["sha256"], row["size"]):
        raise _damaged(path, f"{name} is not as its manifest states it")
    target.chmod(row["mode"] & 0o777)
    if name.startswith("gnupg/"):
        folder.chmod(0o700)  # else gpg complains


def _inside(path: Path, name: str) -> str:
    """Return a name that stays below the folder it is put into; raise Hostile for another."""
    parts = Path(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise _damaged(path, f"{name!r} leads out of the state folder")
    return name


def _damaged(path: Path, why: str) -> Hostile:
    return Hostile(
        f"{path} is damaged: {why}", resolution="Take another backup; nothing was restored."
    )
