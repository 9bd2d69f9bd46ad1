"""The served state of an archive turns in one step: generations, and the link to the present one.

Database and indices lie together in a *generation*; each change copies the present one, is made
on the copy, which is synced, and turns the link ``current`` to it in one rename.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolsync.model.errors import ProgramFailed, SetupError
from toolsync.publish import byhash
from toolsync.system import fence
from toolsync.system.clock import Clock
from toolsync.system.private import shared_folder
from toolsync.system.store import full_disk_is_told, sync_folder


class Generations:
    """The generations of one archive's folder; the caller holds the archive's lock."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root, self._clock = root, clock
        self._all, self.current = root / ".generations", root / "current"

    def prepare(self) -> None:
        """Make the folder, and the links by which the present generation is found."""
        with full_disk_is_told(self._root):
            shared_folder(self._root)
            self._link_once("db")
            self._link_once("dists")

    def is_of(self, configuration: str) -> bool:
        """Say whether the present one was made under a configuration, by its digest."""
        return self.current.is_symlink() and self.current.readlink().name.startswith(configuration)

    def configuration(self) -> str:
        """Return the digest of the configuration that the present one was made under."""
        present = self.current.readlink().name if self.current.is_symlink() else ""
        return present.partition("-")[0]

    def stale(self) -> list[Path]:
        """Return those that a killed run left."""
        present = self.current.resolve().name
        return [path for path in self._all.glob("*") if path.name != present]

    def drop_stale(self) -> None:
        """Remove them."""
        for path in self.stale():
            shutil.rmtree(path)

    @contextmanager
    def another(self, configuration: str, *, anew: bool = False) -> Iterator[Path]:
        """Yield a copy of the present generation, one without content if ``anew``; then show it.

        On an error the copy is removed, and what is served stays as it was.
        """
        fresh = self._all / f"{configuration}-{secrets.token_hex(8)}"
        with full_disk_is_told(self._root):
            shared_folder(fresh)
            self._copy(fresh, anew=anew)
            try:
                yield fresh
                _sync_tree(fresh)
                self._turn(fresh)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise

    def _copy(self, fresh: Path, *, anew: bool) -> None:
        db, dists = self.current / "db", self.current / "dists"
        if anew:
            byhash.rescue_indices(dists, fresh / "dists")
            return
        if db.is_dir():
            shutil.copytree(db, fresh / "db")
        if dists.is_dir():
            byhash.copy_indices(dists, fresh / "dists", self._clock.now())

    def _turn(self, fresh: Path) -> None:
        """Make a generation the present one, in one rename, and drop the others."""
        fence.require()
        _replace_link(self.current, fresh.relative_to(self._root))
        sync_folder(self._root)
        for path in self._all.iterdir():
            if path != fresh:
                shutil.rmtree(path, ignore_errors=True)

    def _link_once(self, name: str) -> None:
        path = self._root / name
        if path.exists() and not path.is_symlink():
            raise SetupError(
                f"{path} is a folder, wanted a link that toolsync makes",
                resolution="It is another program's archive: name an empty folder in [local] path.",
            )
        if not path.is_symlink():
            _replace_link(path, Path("current", name))


def _replace_link(link: Path, target: Path) -> None:
    temp = link.with_name(f".{link.name}.new")
    temp.unlink(missing_ok=True)
    temp.symlink_to(target)
    os.replace(temp, link)


def _sync_tree(folder: Path) -> None:
    """Make a whole tree durable before a link is turned to it."""
    if not (folder / "dists").is_dir():
        raise ProgramFailed(f"reprepro wrote no indices into {folder}")
    for path in (*folder.rglob("*"), folder):
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
