"""Files and folders that are nobody else's, and folders that all may read, whatever the umask is.

What is secret is so from its first byte: it is made with its mode, in one step, and no mode is
taken from elsewhere. What a stranger has put in its place is told, never used.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from toolsync.model.errors import SetupError

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = 0o077
_GROUP_READS, _GROUP_OPENS = 0o050, 0o040
"""What the group gets of a folder, and of a file."""
_NO_FILE = (errno.ELOOP, errno.EISDIR, errno.ENXIO)
"""What open(2) says of links, folders and sockets."""
UMASK = 0o022
"""For commands and for the programs that they start: builds, archives and mapped users need it."""


def for_readers(state: Path) -> int:
    """Return the mode bits by which the group reads what is kept in a state folder: mostly none.

    Who sets the set-group-ID bit of that folder says by it that its group may read journal, store
    and differences. Nothing else of the state is read by these bits (docs/adr/0046).
    """
    try:
        return _GROUP_READS if state.stat().st_mode & stat.S_ISGID else 0
    except FileNotFoundError:
        return 0


def private_folder(path: Path, readers: int = 0) -> Path:
    """Return ``path`` as a folder of mode 0700, made at once where it is not there.

    ``readers`` are the bits of `for_readers`. Folders above it that are missing are made too, as
    `shared_folder` does. Raises SetupError for a link, for what is no folder, and for one that is
    somebody else's.
    """
    shared_folder(path.parent)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = _own(path).st_mode
    else:
        found = 0o700
    if found & _OTHERS != readers:
        path.chmod(0o700 | readers)
    return path


def shared_folder(path: Path) -> Path:
    """Return ``path`` as a folder; what had to be made of it and above it has mode 0755.

    One that is there keeps its mode, since it may be the operator's.
    """
    if not path.is_dir():
        shared_folder(path.parent)
        try:
            path.mkdir(mode=0o755)
        except FileExistsError:  # another process was first, or it is no folder
            if not path.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "is no folder", str(path)) from None
        else:
            path.chmod(0o755)  # a umask only takes rights away, so nobody had more before
    return path


def own_state(path: Path) -> Path:
    """Return a state folder that we alone write to, made where it is not there.

    It can be read, since the archive in it is. Raises SetupError where it is somebody else's.
    """
    shared_folder(path)
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise strange(path, found.st_uid)
    if found.st_mode & stat.S_IWOTH:
        path.chmod(stat.S_IMODE(found.st_mode) & ~stat.S_IWOTH)
    return path


def open_private(path: Path, flags: int = 0) -> int:
    """Return a descriptor, for reading and appending, of a file that nobody else may open.

    It is made with mode 0600 where it is not there; ``flags`` are further ones of open(2). Raises
    SetupError for a link, for what is no plain file, and for one that is somebody else's.
    """
    wanted = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(path, wanted | os.O_CLOEXEC | flags, 0o600)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise strange(path) from error
        raise
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(fd)
        raise strange(path, found.st_uid)
    if found.st_mode & _OTHERS:
        os.fchmod(fd, 0o600)
    return fd


def private_file(path: Path, readers: int = 0) -> Path:
    """Return ``path`` as a file of mode 0600, made empty where it is not there.

    ``readers`` are the bits of `for_readers`. One that is there is not opened: to close it would
    end SQLite's locks of this process on it.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        os.close(open_private(path))
        found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise strange(path, found.st_uid)
    if found.st_mode & _OTHERS != (wanted := readers & _GROUP_OPENS):
        path.chmod(0o600 | wanted)
    return path


def is_at(fd: int, path: Path) -> bool:
    """Say whether an open file is still the one at ``path``."""
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False


def is_private(path: Path) -> bool:
    """Say whether there is a file of ours that nobody else may open."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
    return ours and not found.st_mode & _OTHERS


def own_folder(place: Path, name: str) -> Path:
    """Return our folder of this name in a place where anybody may make folders, such as /var/tmp.

    A name that is known beforehand can be taken by a stranger; so what is made has an ending that
    nobody can guess, and what is found counts only where it is ours. It is not made here.
    """
    import secrets  # brings hmac along, and few commands make a folder

    try:
        names = sorted(n for n in os.listdir(place) if n == name or n.startswith(f"{name}-"))  # noqa: PTH208
    except FileNotFoundError:
        names = []
    mine = (place / found for found in names if is_own_folder(place / found))
    return next(mine, place / f"{name}-{secrets.token_hex(5)}")


def is_own_folder(path: Path) -> bool:
    """Say whether there is a folder that is ours, and that nobody else may write to."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return ours and not found.st_mode & OTHERS_WRITE


def _own(path: Path) -> os.stat_result:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise strange(path, found.st_uid)
    return found


def strange(path: Path, uid: int | None = None) -> SetupError:
    """Return the error for what a stranger has put at ``path``, or what is not of its kind."""
    what = (
        f"belongs to user {uid}" if uid not in (None, os.geteuid()) else "is not what it is to be"
    )
    return SetupError(
        f"{path} {what}, wanted one of user {os.geteuid()}, and no link: it was not used",
        resolution="Run as the user whose state this is; if a stranger has put it there, remove it"
        " and see who may write to its folder.",
    )
