"""Write a backup: everything that could not be made again, in one file for `restore`.

A backup is a tar: first ``manifest.json``, which names every file with size and SHA-256, then the
files. In it are the journal as of one moment, the keys, tokens, the archive, and the store. Locks,
unfinished downloads and work folders are left out.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypedDict

from toolsync.model.errors import Damaged, SetupError, TryAgain, UsageError
from toolsync.pipeline.context import Context
from toolsync.publish.checked import NAME as CHECKED
from toolsync.publish.local import LocalArchive
from toolsync.system.store import ASIDE, digest_of, full_disk_is_told, sync_file, sync_folder

FORM = 1
"""Of the manifest; raised when an older toolsync could not read it."""
JOURNAL = "journal.sqlite"
MANIFEST = "manifest.json"
_LEFT_OUT = frozenset(
    {
        "lock",
        ".gnupg.lock",
        ".gnupg.next.lock",
        JOURNAL,
        f"{JOURNAL}-wal",
        f"{JOURNAL}-shm",
        "lost+found",
    }
    | {
        "store/tmp",
        "store/partial",
        f"store/{ASIDE}",
        "cache",
        "definitions",
        "standings",
        "launchpad/cache",
        "launchpad/request",
        "snapshots",
        "archive/snapshots",
    }
    | {"conf/lock", "archive/conf/lock", f"conf/{CHECKED}", f"archive/conf/{CHECKED}"}
)

_STORED = re.compile(r"store/sha256/[0-9a-f]{2}/([0-9a-f]{64})")
"""The name of a file of the store, which ends in its digest."""


class Row(TypedDict):
    """What the manifest states of a file."""

    sha256: str
    size: int
    mode: int


class Manifest(TypedDict):
    """The first member of a backup."""

    form: int
    made: str
    files: dict[str, Row]
    links: dict[str, str]
    """Where each symbolic link leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds."""

    files: int
    size: int
    """Bytes of their contents."""
    made: str
    damaged: tuple[str, ...] = ()
    """Files of the store that had other bytes already when it was made, and were put aside."""


def write_backup(context: Context, path: Path) -> Backup:
    """Write a backup of the state to ``path``, mode 0600, whole or not at all.

    The caller holds toolsync's lock. Raises UsageError where there is something at ``path``, or
    where it lies in what is to be kept.
    """
    if path.exists() or path.is_symlink():
        raise UsageError(
            f"{path} exists already, and a backup overwrites nothing",
            resolution="Name another file, or remove that one.",
        )
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is no folder", resolution="Make it, or name another.")
    for root in (context.config.state, context.config.archive):
        if path.parent.resolve().is_relative_to(root.resolve()):
            raise UsageError(
                f"{path} lies in {root}, which is to be kept",
                resolution="Name a file elsewhere, best on another disk.",
            )
    with full_disk_is_told(path.parent), tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        temp = Path(scratch) / "backup"
        with os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            made = send_backup(context, out, Path(scratch))
        sync_file(temp)
        temp.rename(path)
        sync_folder(path.parent)
    return made


def send_backup(context: Context, out: IO[bytes], scratch: Path) -> Backup:
    """Write a backup to an open file; ``scratch`` is a folder with room for the journal.

    The caller holds toolsync's lock. Raises TryAgain where a file was changed meanwhile.
    """
    state, archive = context.config.state, context.config.archive
    journal = scratch / JOURNAL
    context.journal.copy_to(journal)
    files = {JOURNAL: journal, **dict(_files(state))}
    if not archive.resolve().is_relative_to(state.resolve()):
        files = {name: p for name, p in files.items() if not name.startswith("archive/")}
        files |= {f"archive/{name}": p for name, p in _files(archive)}
    links = {name: str(p.readlink()) for name, p in files.items() if p.is_symlink()}
    try:
        rows = {name: _row(p) for name, p in files.items() if name not in links}
        _require_whole(context, rows)
        made = context.clock.now().isoformat(timespec="seconds")
        manifest = Manifest(form=FORM, made=made, files=rows, links=links)
        _write(out, manifest, {name: files[name] for name in rows})
    except FileNotFoundError as error:
        raise _changed(Path(error.filename)) from error
    return Backup(files=len(files), size=sum(row["size"] for row in rows.values()), made=made)


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield every file and link below ``root`` that a backup holds, by its name below it."""
    inside = root.resolve()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        above = {name, *(parent.as_posix() for parent in Path(name).parents)}
        if above & _LEFT_OUT:
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            raise SetupError(
                f"{path} is a link to {path.readlink()}, and a backup would not hold what is there",
                resolution="Name an archive elsewhere by [local] path in toolsync.toml; have other"
                " folders elsewhere by a bind mount.",
            )
        if path.is_symlink() or path.is_file():
            yield name, path


def _require_whole(context: Context, rows: Mapping[str, Row]) -> None:
    """Raise Damaged where a backup would hold what no restore could make whole again.

    What was digested for the manifest is compared with the digests that must be.
    """
    wrong = [f"{name} has other bytes" for name in damaged_in(rows)]
    if isinstance(context.target, LocalArchive):
        inspector = context.target.inspector
        wrong += [f"archive/{fault.path} {fault.message}" for fault in inspector.look()]
        for suite in inspector.checked().suites:
            for entry in suite.entries:
                row = rows.get(f"archive/{entry.path}")
                if row is not None and row["sha256"] != entry.sha256:
                    wrong.append(f"archive/{entry.path} has other bytes")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise Damaged(
            f"what is to be kept is damaged: {'; '.join(dict.fromkeys(wrong[:5]))}{more}",
            resolution="First toolsync scrub, which mends what it can and puts the rest aside, and"
            " toolsync archive repair. Keep the last backup. Nothing was written.",
        )


def damaged_in(rows: Mapping[str, Row]) -> list[str]:
    """Return the files of the store whose bytes have not the digest that they are called by."""
    stored = {name: _STORED.fullmatch(name) for name in rows}
    return [name for name, found in stored.items() if found and found[1] != rows[name]["sha256"]]


def _row(path: Path) -> Row:
    digest, size = digest_of(path)
    return {"sha256": digest, "size": size, "mode": path.stat().st_mode & 0o777}


class _Read:
    """An open file that is digested as it is read."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle, self.digest = handle, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes and digest them."""
        data = self._handle.read(size)
        self.digest.update(data)
        return data


def _write(out: IO[bytes], manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write manifest and files as a tar; raise TryAgain where a file was changed."""
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        head = json.dumps(manifest, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(head), 0o600
        tar.addfile(info, io.BytesIO(head))
        for name, path in files.items():
            row = manifest["files"][name]
            info = tarfile.TarInfo(name)
            info.size, info.mode = row["size"], 0o600
            with path.open("rb") as handle:
                content = _Read(handle)
                try:
                    tar.addfile(info, content)  # type: ignore[arg-type, unused-ignore]
                except OSError as error:
                    if str(error) == "unexpected end of data":  # tarfile's word for a short file
                        raise _changed(path) from error
                    raise
            if content.digest.hexdigest() != row["sha256"]:
                raise _changed(path)


def _changed(path: Path) -> TryAgain:
    return TryAgain(
        f"{path} was changed while it was read, and a backup is as of one moment",
        resolution="Run again when nothing else works there.",
    )
