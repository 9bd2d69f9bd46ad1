"""Temporary work folders; the next run removes those of a killed one.

Build tools that map users (sbuild, mmdebstrap) need every parent folder to be open to
strangers for passing through, which a home folder or a private state folder is not. So work
is done below /var/tmp, in a folder whose name begins with what follows from the state folder, and
ends with what nobody can guess, so that no stranger can make it first.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toolsync.model.errors import SetupError
from toolsync.system.private import is_own_folder, own_folder, shared_folder
from toolsync.system.run import run
from toolsync.system.store import full_disk_is_told

PLACE = Path("/var/tmp")  # noqa: S108 (what is made there is ours, and its owner is checked)
"""Where work folders and chroots lie unless settings say otherwise."""


class Workshop:
    """Makes temporary folders for one state folder, below ``root`` or /var/tmp."""

    def __init__(self, state: Path, root: Path | str | None = None) -> None:
        name = hashlib.sha256(str(state.absolute()).encode()).hexdigest()[:12]
        self._place = Path(root or PLACE).absolute()
        self.root = own_folder(self._place, f"toolsync-{os.geteuid()}-{name}")
        """A folder of our own, since everything in it is removed by `sweep`."""

    @contextmanager
    def folder(self, purpose: str) -> Iterator[Path]:
        """Yield a fresh folder for the block and remove it with all it holds."""
        self._prepare()
        with full_disk_is_told(self.root):
            path = Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=self.root))
            path.chmod(0o755)
        try:
            yield path
        finally:
            remove_tree(path)

    def sweep(self) -> None:
        """Remove what a killed run has left; only the holder of the lock may call this."""
        if self.root.is_symlink() or self.root.exists():
            self._prepare()
            for path in self.root.iterdir():
                remove_tree(path)

    def _prepare(self) -> None:
        with full_disk_is_told(self.root):
            shared_folder(self.root)
        mode = self._place.stat().st_mode
        loose = mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH
        if loose or not is_own_folder(self.root):
            why = "can be exchanged: others may write to the folder that it lies in"
            raise SetupError(
                f"{self.root} {why if loose else 'belongs to somebody else or is no folder'}",
                resolution="Remove it, or name another work folder in toolsync.toml: [build] work.",
            )


def remove_tree(path: Path) -> None:
    """Remove a tree, also one whose files belong to mapped users of ours."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    shutil.rmtree(path, ignore_errors=True)
    if path.exists() and os.geteuid() != 0:
        open_folders(path)
        shutil.rmtree(path, ignore_errors=True)
    if path.exists() and os.geteuid() != 0:
        run("unshare", "--map-root-user", "--map-auto", "rm", "-rf", path, timeout=300, ok=(0, 1))
    if path.exists():
        shutil.rmtree(path)


def open_folders(path: Path) -> None:
    """Let us write to every folder of a tree that is ours: archives may hold them as 0555."""
    with suppress(PermissionError):  # those of mapped users
        path.chmod(path.stat().st_mode | stat.S_IRWXU)
    for top, folders, _ in os.walk(path):
        for name in folders:
            folder = Path(top, name)
            if not folder.is_symlink():
                with suppress(PermissionError):
                    folder.chmod(folder.stat().st_mode | stat.S_IRWXU)
