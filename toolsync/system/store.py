"""Files by their content: written whole or not at all.

A file is written to a temporary name, synced, renamed to its digest, and its folder is
synced; only then is its digest returned. A crash leaves an orphan, never half a file.

Disks lose bytes in silence, so a file is digested whenever it is read for use: while it is
copied, or before its path is given away. What this process has digested is not digested again
while the file's inode, size and times are what they were.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from toolsync.model.errors import Damaged, OutOfSpace, SetupError
from toolsync.model.release import Blob
from toolsync.system.private import for_readers, private_folder, shared_folder

ASIDE = "damaged"
"""The store's folder of files that were found damaged; a backup leaves it out."""
_CHUNK = 1024 * 1024
_SIZE = 1
"""Where `mark_of` has the size."""


class Store:
    """Content-addressed files under one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._whole: dict[str, tuple[int, ...]] = {}
        """Digests that this process has made, with `mark_of` their files then."""

    def path(self, blob: Blob) -> Path:
        """Return where a blob's bytes are, which are whole; the file is never to be changed.

        Raises Damaged where they are not.
        """
        self.require(blob)
        return self._at(blob.sha256)

    def where(self, blob: Blob) -> Path:
        """Return where a blob's bytes are or were, to be told to a person."""
        return self._at(blob.sha256)

    def require(self, blob: Blob) -> None:
        """Raise Damaged unless a blob's bytes are here and have its size and digest."""
        path = self._at(blob.sha256)
        try:
            mark = self._mark(blob)
            if self._whole.get(blob.sha256) == mark:
                return
            digest, size = digest_of(path)
        except FileNotFoundError as error:
            raise self._damaged(blob, "is gone") from error
        if digest != blob.sha256:
            raise self._damaged(blob, f"has other bytes (sha256 {digest}, {size} of them)")
        self._whole[blob.sha256] = mark

    def _mark(self, blob: Blob) -> tuple[int, ...]:
        """Return `mark_of` a blob's file; raises Damaged where that has another size.

        Whoever states a size may lie (a worker): what is larger than said is never read.
        """
        mark = mark_of(self._at(blob.sha256))
        if (size := mark[_SIZE]) != blob.size:
            raise self._damaged(blob, f"has other bytes ({size} of them, wanted {blob.size})")
        return mark

    def digest_again(self, blob: Blob) -> None:
        """As `require`, though this process may have digested it before."""
        self._whole.pop(blob.sha256, None)
        self.require(blob)

    def put_aside(self, digest: str) -> None:
        """Move a damaged file to where nothing uses it, and a person can look at it."""
        folder = self._root / ASIDE
        with full_disk_is_told(folder), suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)
            os.replace(self._at(digest), folder / digest)
            sync_folder(folder)

    def _damaged(self, blob: Blob, how: str) -> Damaged:
        name = f" ({blob.name})" if blob.name else ""
        return Damaged(
            f"the store's file {self._at(blob.sha256)}{name} {how}, wanted sha256 {blob.sha256}",
            resolution="toolsync scrub gets it anew where it can be had, and says what uses it.",
        )

    def has(self, blob: Blob) -> bool:
        """Say whether the bytes are here, at their full size."""
        try:
            return self._at(blob.sha256).stat().st_size == blob.size
        except FileNotFoundError:
            return False

    def add_bytes(self, data: bytes, name: str) -> Blob:
        """Keep ``data`` and return its blob."""
        with self.writing(name) as sink:
            sink.write(data)
        return sink.blob

    def add_file(self, path: Path, name: str | None = None) -> Blob:
        """Keep a copy of the file at ``path`` and return its blob."""
        with path.open("rb") as source, self.writing(name or path.name) as sink:
            while chunk := source.read(_CHUNK):
                sink.write(chunk)
        return sink.blob

    @contextmanager
    def writing(self, name: str) -> Iterator[Sink]:
        """Yield a sink to write to; at the end of the block its ``blob`` is in the store.

        Raises OutOfSpace when the disk is full; nothing is left behind then, or on any error.
        """
        folder = self.scratch()
        with full_disk_is_told(folder):
            fd, temp = tempfile.mkstemp(dir=folder)
            try:
                with os.fdopen(fd, "wb") as handle:
                    sink = Sink(handle, name)
                    yield sink
                    handle.flush()
                    os.fsync(handle.fileno())
                self._settle(Path(temp), sink.blob.sha256)
            finally:
                Path(temp).unlink(missing_ok=True)

    def scratch(self) -> Path:
        """Return a folder whose files are gone after a kill, see `sweep`."""
        return self._folder("tmp")

    def copy_to(self, blob: Blob, folder: Path, name: str | None = None) -> Path:
        """Put a copy into ``folder`` under the blob's own (checked) name and return its path."""
        wanted = name or blob.name
        if wanted != os.path.basename(wanted) or wanted in ("", ".", ".."):
            raise SetupError(
                f"{wanted!r} cannot be a file's name here, wanted one without slashes",
                resolution="Nothing was written. Treat what brought this name as hostile.",
            )
        target = folder / wanted
        with full_disk_is_told(folder):
            self._copy(blob, target)
        return target

    def _copy(self, blob: Blob, target: Path) -> None:
        """Copy a blob's bytes, digested on the way unless that was done; or nothing."""
        path = self._at(blob.sha256)
        try:
            mark = self._mark(blob)
            if self._whole.get(blob.sha256) == mark:
                shutil.copyfile(path, target)
                return
            with path.open("rb") as source, target.open("wb") as out:
                sink = Sink(out, blob.name)
                while chunk := source.read(_CHUNK):
                    sink.write(chunk)
        except FileNotFoundError as error:
            if path.exists():
                raise
            raise self._damaged(blob, "is gone") from error
        if (found := sink.blob).sha256 != blob.sha256:
            target.unlink()
            raise self._damaged(blob, f"has other bytes (sha256 {found.sha256}, {found.size})")
        self._whole[blob.sha256] = mark

    def copy_all(self, files: Mapping[str, Blob], folder: Path) -> None:
        """Put copies into ``folder`` under the names given, all of them or none."""
        with full_disk_is_told(folder):
            shared_folder(folder)
        temps: dict[str, Path] = {}
        try:
            for name, blob in files.items():
                temps[name] = folder / f".{name}.part"
                self.copy_to(blob, folder, f".{name}.part")
            for name, temp in temps.items():
                temp.replace(folder / name)
        finally:
            for temp in temps.values():
                temp.unlink(missing_ok=True)

    def deliver(self, blob: Blob, folder: Path, name: str) -> None:
        """Put a copy into somebody's ``folder``, whole or not at all; made if it is not there."""
        with full_disk_is_told(folder):
            shared_folder(folder)
            temp = self.copy_to(blob, folder, f".{secrets.token_hex(8)}.part")
            try:
                sync_file(temp)
                temp.replace(folder / Path(name).name)
            finally:
                temp.unlink(missing_ok=True)

    def partial(self, key: str) -> Path:
        """Return where an unfinished download identified by ``key`` may grow."""
        return self._folder("partial") / hashlib.sha256(key.encode()).hexdigest()

    def unfinished(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Yield the files of unfinished downloads."""
        for path in (self._root / "partial").glob("*"):
            with suppress(FileNotFoundError):  # a fetch beside us has finished it
                yield path, path.stat()

    def adopt(self, path: Path, name: str) -> Blob:
        """Move a finished file into the store and return its blob."""
        digest, size = digest_of(path)
        with full_disk_is_told(path.parent):
            sync_file(path)
            self._settle(path, digest)
        return Blob(name=name, sha256=digest, size=size)

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield digest and size in bytes of every file that is kept."""
        for path in (self._root / "sha256").glob("??/*"):
            yield path.name, path.stat().st_size

    def settled(self, digests: Collection[str]) -> Collection[str]:
        """Return those that nobody may be about to name; whoever could waits for our lock."""
        return digests

    def drop(self, digest: str) -> None:
        """Remove a file; one that is gone already is no error."""
        self._at(digest).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove temporary files that a killed run has left."""
        shutil.rmtree(self._root / "tmp", ignore_errors=True)

    def _folder(self, *names: str) -> Path:
        """Return a folder below the store's own, which nobody else writes to."""
        readers = for_readers(self._root.parent)
        with full_disk_is_told(self._root):
            path = private_folder(self._root, readers)
            for name in names:
                path = private_folder(path / name, readers)
        return path

    def _at(self, digest: str) -> Path:
        return Path(f"{self._root}/sha256/{digest[:2]}/{digest}")

    def _settle(self, temp: Path, digest: str) -> None:
        self._folder("sha256", digest[:2])
        final = self._at(digest)
        if readers := for_readers(self._root.parent):
            temp.chmod(0o600 | readers & 0o040)
        os.replace(temp, final)
        sync_folder(final.parent)
        self._whole[digest] = mark_of(final)


class Sink:
    """An open file that counts and digests what is written to it."""

    def __init__(self, handle: BinaryIO, name: str) -> None:
        self._handle, self._name = handle, name
        self._hash, self._size = hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        """Write all of ``data``."""
        self._hash.update(data)
        self._size += len(data)
        return self._handle.write(data)

    @property
    def blob(self) -> Blob:
        """What has been written so far."""
        return Blob(name=self._name, sha256=self._hash.hexdigest(), size=self._size)


def mark_of(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written to: inode, size in bytes, both times in ns."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def digest_of(path: Path) -> tuple[str, int]:
    """Return a file's sha256 in hex and its size in bytes."""
    hasher, size = hashlib.sha256(), 0
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            hasher.update(chunk)
            size += len(chunk)
    return hasher.hexdigest(), size


def sync_file(path: Path) -> None:
    """Make a file's content durable."""
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, data: bytes, mode: int = 0o644, *, durable: bool = True) -> bool:
    """Make ``path`` hold exactly ``data``, whole or not at all; say whether it changed.

    Not ``durable`` is what is soon made anew: a crash of the machine may take it back. Raises
    SetupError where a pipe, a device or a folder is at ``path``: it is neither read nor replaced.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise SetupError(
                f"{path} is no plain file, and is not replaced by one",
                resolution="Name another place, or see who has put that there.",
            )
        if path.read_bytes() == data:
            return False
    folder = path.parent
    with full_disk_is_told(folder):
        shared_folder(folder)
        fd, temp = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
        try:
            with os.fdopen(fd, "wb") as handle:
                handle.write(data)
                handle.flush()
                os.fchmod(fd, mode)
                if durable:
                    os.fsync(fd)
            os.replace(temp, path)
        except BaseException:
            Path(temp).unlink(missing_ok=True)
            raise
        if durable:
            sync_folder(folder)
    return True


@contextmanager
def full_disk_is_told(folder: Path) -> Iterator[None]:
    """Turn "no space" and "read-only" into errors that name the folder."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace(
                f"the disk that holds {folder} is full",
                resolution="Free some room there and run again; nothing was half-written.",
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise SetupError(
                f"{folder} cannot be written: {error.strerror}",
                resolution="Run as the user who owns it, or name another place with --state.",
            ) from error
        raise
