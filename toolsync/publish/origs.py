"""The orig tarballs that a PPA, or Ubuntu itself, has under our orig's name or beside it.

A file's name stands for the same bytes for ever. An orig that was uploaded by hand, or made by
another program, may hold what ours holds and still be other bytes: then theirs is used. What
Launchpad gives is trusted no further than its digest, and read as hostile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from debian.debian_support import Version

from toolsync.archives.compare import difference
from toolsync.archives.extract import archive_form
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile, NotThere, Unreachable
from toolsync.model.release import Blob
from toolsync.system.launchpad import Launchpad
from toolsync.system.launchpadvalues import Publication, RemoteFile
from toolsync.system.store import Store

Fetch = Callable[[str, str, int], Blob]
"""Takes an address, the name to keep the file under, and how many bytes it may have at most;
raises NotThere, Unreachable, or Hostile for more bytes than that."""

PRIMARY = "ubuntu/+archive/primary"
_ORIG = re.compile(r"\.orig\.tar\.(gz|bz2|xz)\Z")
"""What Launchpad takes as an orig (its manual, "Uploading a package to a PPA")."""


class Origs:
    """Looks at known origs; what it has found holds for a run."""

    def __init__(
        self,
        api: Launchpad,
        reference: str,
        *,
        store: Store,
        fetch: Fetch,
        limits: Limits,
        private: Callable[[], bool],
    ) -> None:
        self._api, self._reference, self._private = api, reference, private
        self._store, self._fetch, self._limits = store, fetch, limits
        self._primary: dict[tuple[str, str], tuple[Publication, ...]] = {}
        self._reusable: dict[tuple[str, str, Blob], Blob | None] = {}

    def reusable(self, source: str, upstream: str, ours: Blob) -> Blob | None:
        """Return the known orig that is to be used for ours; see `Target.known_orig`."""
        key = (source, upstream, ours)
        if key not in self._reusable:
            history = self._api.sources(self._reference, name=source)
            known = list(self._known(source, upstream, ours, history))
            known.sort(key=lambda one: one.name != ours.name)
            if any((one.name, one.sha256) == (ours.name, ours.sha256) for one in known):
                known = []
            same = (one for one in known if one.sha256 and not self.differ(one, ours))
            self._reusable[key] = next(map(_blob, same), None)
        return self._reusable[key]

    def in_primary(self, source: str, upstream: str) -> tuple[Publication, ...]:
        """Return a publication in Ubuntu itself that has an orig of that version, if any."""
        if (source, upstream) not in self._primary:
            try:
                found = self._api.sources(PRIMARY, name=source)
            except NotThere:
                found = ()
            self._primary[source, upstream] = tuple(_of(found, upstream))[:1]
        return self._primary[source, upstream]

    def differ(self, known: RemoteFile, ours: Blob) -> str:
        """Return in a sentence how a known orig's content differs from ours, empty if not at all.

        Raises Unreachable while it cannot be fetched.
        """
        theirs = _blob(known)
        try:
            if not self._store.has(theirs):
                self._get(known)
            path = self._store.path(theirs)
            form, ending = archive_form(path), known.name.rpartition(".")[2]
            if form != ending:
                return f"the known one is called .{ending} and is {form or 'not compressed'}"
            how = difference(path, self._store.path(ours), self._limits)
        except (NotThere, Hostile) as error:
            return f"the known one cannot be compared: {error}"
        return f"in the known one {how}" if how else ""

    def _get(self, known: RemoteFile) -> None:
        if self._private():
            raise NotThere("files of a private PPA are not fetched")
        limit = min(known.size, self._limits.file_bytes)
        if known.size > limit:
            raise Hostile(
                f"{known.name} has {known.size} bytes, more than the limit of {limit} ([limits]"
                " file_bytes in toolsync.toml)"
            )
        got = self._fetch(known.url, known.name, limit)
        if got != _blob(known):
            raise Unreachable(
                f"Launchpad gave {known.name} with sha256 {got.sha256} ({got.size} bytes), but"
                f" says that it has {known.sha256} ({known.size} bytes)",
                resolution="Run again later; if it stays so, ask at answers.launchpad.net.",
            )

    def _known(
        self, source: str, upstream: str, ours: Blob, history: Sequence[Publication]
    ) -> Iterator[RemoteFile]:
        """Yield the known origs of a version, up to the one that has our name."""
        stem = f"{source}_{upstream}.orig.tar."
        files: dict[str, RemoteFile] = {}
        for found in (*_of(history, upstream), *self.in_primary(source, upstream)):
            for one in self._api.files(found):
                if one.name.startswith(stem) and is_orig(one.name) and one.name not in files:
                    files[one.name] = one
                    yield one
            if ours.name in files:
                return


def is_orig(name: str) -> bool:
    """Say whether a file's name is an orig tarball's, and not its signature's."""
    return _ORIG.search(name) is not None


def _of(history: Sequence[Publication], upstream: str) -> Iterator[Publication]:
    """Yield one publication of each version with that upstream version, in the given order."""
    seen: set[str] = set()
    for found in history:
        if found.version not in seen and Version(found.version).upstream_version == upstream:
            seen.add(found.version)
            yield found


def _blob(known: RemoteFile) -> Blob:
    return Blob(name=known.name, sha256=known.sha256, size=known.size)
