"""The gateway to reprepro: one archive's folder, changed in one step or not at all.

reprepro renames new indices one after the other, and its databases are flushed one after the
other: a kill in between leaves torn indices for apt, or a database that names a file which
the next clean-up deletes. Therefore it never works on what is served, but on a copy that is shown
in one step (`generations`). Files in the pool come before that and are never changed; those that a
killed run left there are known to no database and are removed by the next one.

``db`` and ``dists`` are links through ``current``, so plain ``reprepro -b ARCHIVE`` works too.
The caller holds toolsync's lock.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from toolsync.model.errors import Busy, Held
from toolsync.publish import byhash, distributions
from toolsync.publish.distributions import Layout, Tracked
from toolsync.publish.generations import Generations
from toolsync.publish.index import Served
from toolsync.system.clock import Clock
from toolsync.system.gpg import SigningHome
from toolsync.system.run import Done, run
from toolsync.system.signing import sign_release
from toolsync.system.store import (
    digest_of,
    replace_file,
    sync_file,
    sync_folder,
)

_SECONDS = 600
_REFUSALS = (243, 249, 254, 255)
"""What reprepro 5.3 ends with when it is the package that is at fault."""

_QUIETLY = ("--export=never", "--keepunreferencedfiles", "--ignore=surprisingarch")
"""A .buildinfo has the architecture of the machine, also where all packages have none."""

_UNSEEN = b" includebuildinfos"
"""What of the configuration shows in no index, and so makes none that was signed out of date."""

_DATABASES = ("checksums.db", "packages.db", "references.db", "tracking.db")
_MAGIC = (b"\x62\x31\x05\0", b"\0\x05\x31\x62", b"\x61\x15\x06\0", b"\0\x06\x15\x61")
"""What stands at byte 12 of a file of Berkeley DB's, a btree or a hash (its db.h)."""


class Reprepro:
    """One archive folder, its configuration and its generations."""

    def __init__(self, root: Path, signing: SigningHome, clock: Clock) -> None:
        self._root, self._signing, self._clock = root, signing, clock
        self._generations = Generations(root, clock)

    def configure(self, layout: Layout) -> None:
        """Write ``conf/distributions`` and the links; see `is_current` for whether to export.

        A series that is configured no longer stays as it is: to take a series from under its
        users is no side effect of an edit.
        """
        self._generations.prepare()
        replace_file(self._root / "conf" / "distributions", self._wanted(layout))

    def serves(self, layout: Layout) -> bool:
        """Say whether what is served was made under this layout; changes nothing."""
        path = self._root / "conf" / "distributions"
        known = path.is_file() and _shown(path.read_bytes()) == _shown(self._wanted(layout))
        return known and self.is_current()

    def _wanted(self, layout: Layout) -> bytes:
        present = self._root / "conf" / "distributions"
        return distributions.configuration(layout, present).encode()

    def is_current(self) -> bool:
        """Say whether what is served was made under the present configuration."""
        return self._generations.is_of(self._configuration())

    def made_under(self) -> str:
        """Return a digest of the configuration under which what is served was made."""
        return self._generations.configuration()

    def require_free(self) -> None:
        """Raise Busy when somebody's reprepro is at work; clear away a dead one's lock."""
        lock = self._generations.current / "db" / "lockfile"
        for pid in _workers(self._root) if lock.exists() else ():
            raise Busy(
                f"process {pid} (reprepro) is at work in {self._root}",
                resolution="Wait for it to end and run again.",
            )
        lock.unlink(missing_ok=True)

    def recover(self) -> None:
        """Clear away what a killed run left; see `require_free`."""
        self.require_free()
        if self._generations.stale():
            self._drop_unknown()
        self._generations.drop_stale()

    def include(self, uploads: Sequence[Path], series: str) -> None:
        """Add uploads to a series, each by its .changes, and show them in one step.

        Raises Held in reprepro's own words when it refuses; then nothing has changed.
        """
        with self._generation() as words:
            for changes in uploads:
                done = self._call(
                    *(*words, *_QUIETLY),
                    *("include", series, changes),
                    ok=(0, *_REFUSALS),
                )
                if done.code:
                    raise Held(
                        f"reprepro refused {changes.name} for {series}:\n{done.tail}",
                        resolution="Compare it with what the archive holds; a new version may be"
                        " needed.",
                    )
            self._export(words, series)

    def series(self) -> list[str]:
        """Return the series that are served, those too that the set-up names no longer."""
        return distributions.configured(self._root / "conf" / "distributions")

    def include_deb(self, deb: Path, series: Sequence[str]) -> None:
        """Add a binary package of our own to these series, and show all series anew."""
        with self._generation() as words:
            for name in series:
                self._call(*words, *_QUIETLY, "includedeb", name, deb)
            self._spread(words)
            self._export(words)

    def export(self) -> None:
        """Write the indices of all series anew and show them."""
        with self._generation() as words:
            self._spread(words)
            self._export(words)

    def _spread(self, words: tuple[str, ...]) -> None:
        """Have an architecture that was added show the packages for all of them, too."""
        if len(distributions.architectures(self._root / "conf" / "distributions")) > 1:
            for name in self.series():
                self._call(*words, *_QUIETLY, "flood", name)

    def rebuild(
        self, uploads: Iterable[tuple[str, Callable[[Path], Path]]], deb: Path | None
    ) -> None:
        """Make databases, indices and pool anew of nothing but these uploads, and show them.

        Each is a series and what puts its files into a folder and returns its .changes; ``deb`` is
        a package of our own for every series. All is made beside what is served. Files of the
        pool that are not as they must be are replaced before the link is turned, which harms
        nobody: a right index never named the wrong ones.
        """
        self._generations.drop_stale()
        with self._generation(anew=True) as words:
            fresh = Path(words[1]).parent
            incoming, out = fresh / "incoming", fresh / "out"
            quietly = (*words, "--outdir", str(out), *_QUIETLY)
            for series, bring in uploads:
                incoming.mkdir()
                self._call(*quietly, "include", series, bring(incoming))
                shutil.rmtree(incoming)
            for series in self.series() if deb else ():
                assert deb is not None
                self._call(*quietly, "includedeb", series, deb)
            self._export(words)
            self._take_over(out / "pool")
            shutil.rmtree(out, ignore_errors=True)
        self._drop_unknown()

    def _take_over(self, fresh: Path) -> None:
        """Move files of a pool to the served one, each in one step, where they differ from it."""
        for path in sorted(path for path in fresh.rglob("*") if path.is_file()):
            place = self._root / "pool" / path.relative_to(fresh)
            if place.is_file() and digest_of(place) == digest_of(path):
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            sync_file(path)
            os.replace(path, place)
            sync_folder(place.parent)

    def checksums(self) -> Mapping[str, str]:
        """Return the sha256 of every file that was ever accepted, by its path in the archive."""
        if not (self._root / "db" / "checksums.db").exists():
            return {}
        found: dict[str, str] = {}
        for line in self._call("_listchecksums").out.splitlines():
            path, *sums = line.split()
            found[path] = next(s[3:] for s in sums if s.startswith(":2:"))
        return found

    def database_fault(self, *, tracked: bool = True) -> tuple[str, str]:
        """Return the first database that is gone or none, below the archive, and how it is found.

        Both are empty where all look like databases; reprepro takes a missing one for empty.
        That of tracks is made with the first source package: until one is ``tracked``, as after
        a kill between the first, empty indices and the first publication, there is none.
        """
        for name in _DATABASES if tracked else _DATABASES[:-1]:
            try:
                with (self._root / "db" / name).open("rb") as file:
                    head = file.read(16)[12:]
            except OSError as error:
                return f"db/{name}", f"cannot be read: {error.strerror}"
            if head not in _MAGIC:
                return f"db/{name}", "is no database of reprepro's"
        return "", ""

    def listed(self, series: Sequence[str], scratch: Path) -> set[str]:
        """Return the lines of ``reprepro list``, a package of these series each.

        A copy in ``scratch`` is asked, since whoever looks may not lock out who works.
        """
        copied = scratch / "db"
        copied.mkdir()
        for path in (self._root / "db").iterdir():
            if path.name != "lockfile":
                shutil.copyfile(path, copied / path.name)
        lines = (self._call("--dbdir", copied, "list", name).out for name in series)
        return {line for text in lines for line in text.splitlines()}

    def tracked(self, series: str) -> list[Tracked]:
        """Return the versions of sources whose files are kept for a series."""
        if not (self._root / "db" / "tracking.db").exists():
            return []
        return list(distributions.tracked(self._call("dumptracks", series).out))

    def forget(self, series: str, source: str, version: str) -> None:
        """Let a version go, and its files where no other needs them.

        Files go before the generation that named them: killed in between, the next call
        finds them gone and goes on.
        """
        with self._generation() as words:
            self._call(*words, "removetrack", series, source, version)
            self._call(*words, "deleteunreferenced")

    def withdraw(self, items: Sequence[Served]) -> None:
        """Show these packages no longer, all in one step; of what is gone already nothing is said.

        Their files go afterwards, when no index that is served names them: killed in between,
        the next call finds them.
        """
        if items:
            with self._generation() as words:
                quietly = (*words, *_QUIETLY)
                for item in items:
                    where = ("-C", item.component, "-T", item.kind)
                    self._call(*quietly, *where, "remove", item.series, item.name)
                self._export(words, *dict.fromkeys(item.series for item in items))

    def clear(self, sources: Container[str]) -> None:
        """Let go what no index names of these source packages, with its files."""
        stale = [
            (series, track)
            for series in self.series()
            for track in self.tracked(series)
            if track.source in sources and not track.shown
        ]
        if stale:
            with self._generation() as words:
                for series, track in stale:
                    self._call(*words, "removetrack", series, track.source, track.version)
                self._call(*words, "deleteunreferenced")

    @contextmanager
    def _generation(self, *, anew: bool = False) -> Iterator[tuple[str, ...]]:
        """Yield reprepro's options for a generation that is shown after the block."""
        with self._generations.another(self._configuration(), anew=anew) as fresh:
            yield ("--dbdir", str(fresh / "db"), "--distdir", str(fresh / "dists"))

    def _export(self, words: tuple[str, ...], *series: str) -> None:
        """Write and sign indices; the series that are not named keep theirs, byte for byte.

        reprepro signs what it writes, and each Release is signed once more when it says that
        indices can be had by their digests, which reprepro cannot say.
        """
        dists = Path(words[words.index("--distdir") + 1])
        keys = distributions.signers(self._root / "conf" / "distributions")
        with self._signing.opened() as env:
            self._call(*words, "export", *series, env=env)
            for name in series or self.series():
                byhash.add_digest_names(dists / name, self._clock.now())
                sign_release(dists / name, keys, env)

    def _drop_unknown(self) -> None:
        known = self.checksums()
        for path in (self._root / "pool").rglob("*"):
            if path.is_file() and path.relative_to(self._root).as_posix() not in known:
                path.unlink()

    def _configuration(self) -> str:
        content = (self._root / "conf" / "distributions").read_bytes()
        return hashlib.sha256(_shown(content)).hexdigest()[:16]

    def _call(
        self, *words: str | Path, ok: tuple[int, ...] = (0,), env: Mapping[str, str] | None = None
    ) -> Done:
        base = ("reprepro", "--basedir", self._root)
        return run(*base, *words, timeout=_SECONDS, ok=ok, env=env, limit=64 * 1024 * 1024)


def _workers(root: Path) -> Iterator[int]:
    """Yield the processes of reprepro that were started on this archive."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            where = (entry / "cwd").readlink()
        except OSError:
            continue
        if words[0].endswith(b"reprepro") and (os.fsencode(root) in words or where == root):
            yield int(entry.name)


def _shown(configuration: bytes) -> bytes:
    """Return what of conf/distributions shows in an index."""
    return configuration.replace(_UNSEEN, b"")
