"""The gateway to reprepro: one archive's folder, written so that a kill leaves no half state.

reprepro renames new indices one after the other and Release last, so a kill (or an apt that
reads meanwhile) could meet new Packages under an old InRelease. Therefore it never writes the
``dists`` that is served: packages go into its database first (``--export=never``), then all
indices are written into a fresh folder, and ``dists``, a symbolic link, is turned to that
folder in one rename. What a killed run was about to add waits in ``incoming`` and is added
first by the next run, so that no package stays half in the database.

The caller holds toolsync's lock; reprepro's own lock file outlives a killed reprepro and is
removed when no process works on the archive.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from debian.deb822 import Changes

from toolsync.errors import Busy, Held, ProgramFailed, SetupError
from toolsync.system.gpg import SigningHome
from toolsync.system.run import Done, run
from toolsync.system.store import full_disk_is_told, replace_file, sync_folder

_SECONDS = 600
_REFUSALS = (243, 249, 254, 255)
"""What reprepro 5.3 ends with when it is the package that is at fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the archive says about itself."""

    origin: str
    label: str
    series: tuple[str, ...]
    architecture: str
    fingerprint: str
    """The full fingerprint of the key that signs the indices."""


class Reprepro:
    """One archive folder, its configuration and its database."""

    def __init__(self, root: Path, signing: SigningHome) -> None:
        self._root, self._signing = root, signing

    @property
    def incoming(self) -> Path:
        """Where packages wait to be included, each in a folder of its own."""
        return self._root / "incoming"

    def configure(self, layout: Layout) -> bool:
        """Write ``conf/distributions``; say whether anything changed.

        A series that is configured no longer stays as it is: to take a series from under its
        users is no side effect of an edit.
        """
        path = self._root / "conf" / "distributions"
        with full_disk_is_told(self._root):
            self._root.mkdir(parents=True, exist_ok=True)
        series = dict.fromkeys((*self._configured(path), *layout.series))
        text = "\n".join(_distribution(layout, name) for name in series)
        changed = replace_file(path, text.encode())
        links = self._root / "dists"
        if links.exists() and not links.is_symlink():
            raise SetupError(
                f"{links} is a folder, wanted a link that toolsync turns at each change",
                resolution="It is another program's archive: name an empty folder in [local] path.",
            )
        return changed

    def recover(self) -> bool:
        """Clear away what a killed run left; say whether there was anything.

        Raises Busy when a reprepro that is not ours is at work in the archive.
        """
        for scrap in self.incoming.glob(".*"):
            shutil.rmtree(scrap)
        lock = self._root / "db" / "lockfile"
        stale = lock.exists()
        if stale:
            for pid in _workers(self._root):
                raise Busy(
                    f"process {pid} (reprepro) is at work in {self._root}",
                    resolution="Wait for it to end and run again.",
                )
            lock.unlink()
        return stale or any(self.waiting())

    def waiting(self) -> Iterator[Path]:
        """Give each .changes file that waits, oldest folder name first."""
        for folder in sorted(self.incoming.glob("[!.]*")):
            yield from folder.glob("*.changes")

    def enqueue(self, name: str, files: Iterable[tuple[str, Path]]) -> None:
        """Put files (name, where) into ``incoming``, visible there all together or not at all."""
        with full_disk_is_told(self._root):
            temp = self.incoming / f".{name}"
            temp.mkdir(parents=True)
            for filename, path in files:
                shutil.copyfile(path, temp / filename)
            os.replace(temp, self.incoming / name)

    def include(self, changes: Path) -> None:
        """Add one upload to the database, then drop it from ``incoming``.

        Raises Held in reprepro's own words when it refuses; the upload is dropped then too.
        """
        series = Changes(changes.read_text(encoding="utf-8"))["Distribution"]
        done = self._call("--export=never", "include", series, changes, ok=(0, *_REFUSALS))
        shutil.rmtree(changes.parent)
        if done.code:
            raise Held(
                f"reprepro refused {changes.name} for {series}:\n{done.tail}",
                resolution="Compare it with what the archive holds; a new version may be needed.",
            )

    def export(self) -> None:
        """Write all indices anew, sign them, and turn ``dists`` to them at once."""
        generations = self._root / ".dists"
        generations.mkdir(exist_ok=True)
        fresh = generations / f"{self._configuration()}-{secrets.token_hex(8)}"
        with self._signing.opened() as env:
            self._call("--distdir", fresh, "export", env=env)
        _sync_tree(fresh)
        link = self._root / "dists.new"
        link.unlink(missing_ok=True)
        link.symlink_to(fresh.relative_to(self._root))
        os.replace(link, self._root / "dists")
        sync_folder(self._root)
        for old in generations.iterdir():
            if old != fresh:
                shutil.rmtree(old)

    def is_current(self) -> bool:
        """Say whether what is served was exported under the present configuration."""
        link = self._root / "dists"
        return link.is_symlink() and link.readlink().name.startswith(self._configuration())

    def tidy(self) -> None:
        """Check the pool against the database and forget files that nothing refers to."""
        self._call("deleteunreferenced")
        self._call("checkpool", "fast")

    def checksums(self) -> Mapping[str, str]:
        """Return the sha256 of every file that was ever accepted, by its file name."""
        if not (self._root / "db" / "checksums.db").exists():
            return {}
        found: dict[str, str] = {}
        for line in self._call("_listchecksums").out.splitlines():
            path, *sums = line.split()
            found[path.rpartition("/")[2]] = next(s[3:] for s in sums if s.startswith(":2:"))
        return found

    def _configuration(self) -> str:
        content = (self._root / "conf" / "distributions").read_bytes()
        return hashlib.sha256(content).hexdigest()[:16]

    def _call(
        self, *words: str | Path, ok: tuple[int, ...] = (0,), env: Mapping[str, str] | None = None
    ) -> Done:
        base = ("reprepro", "--basedir", self._root)
        return run(*base, *words, timeout=_SECONDS, ok=ok, env=env, limit=64 * 1024 * 1024)

    @staticmethod
    def _configured(path: Path) -> list[str]:
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").splitlines()
        return [line.split()[1] for line in lines if line.startswith("Codename:")]


def _distribution(layout: Layout, series: str) -> str:
    """Return one paragraph of conf/distributions.

    ``keep`` and not ``minimal``: the latter deletes the source of a .deb that is still served.
    ``includechanges`` makes a version's bytes binding for ever, as on Launchpad.
    """
    return (
        f"Origin: {layout.origin}\n"
        f"Label: {layout.label}\n"
        f"Suite: {series}\n"
        f"Codename: {series}\n"
        f"Architectures: {layout.architecture} source\n"
        "Components: main non-free\n"
        "Description: vendor tools, kept in sync by toolsync\n"
        f"SignWith: {layout.fingerprint}\n"
        "Tracking: keep includechanges\n"
    )


def _workers(root: Path) -> Iterator[int]:
    """Give the processes of reprepro that were started on this archive."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            where = (entry / "cwd").readlink()
        except OSError:
            continue
        if words[0].endswith(b"reprepro") and (os.fsencode(root) in words or where == root):
            yield int(entry.name)


def _sync_tree(folder: Path) -> None:
    """Make a whole tree durable before a link is turned to it."""
    if not folder.is_dir():
        raise ProgramFailed(f"reprepro wrote no indices into {folder}")
    for path in (*folder.rglob("*"), folder):
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
