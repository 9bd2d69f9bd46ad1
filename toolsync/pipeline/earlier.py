"""Find the packages that an older release had for an architecture, as they were built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from toolsync.journal.key import Key
from toolsync.journal.results import Result, Results
from toolsync.model.release import Blob, load

_ALL = "all"


def packages_of(
    results: Results, key: Key, versions: Sequence[str], architecture: str
) -> tuple[Blob, ...]:
    """Return the .debs for an architecture of the first of these versions that has some.

    Those for all architectures, which come of the release's own build, are among them. The
    packaging is the newest one of the key's series, or of another where that has none.
    """
    for version in versions:
        made = [
            result
            for result in results.of_release(key.tool, version)
            if result.key.stage == "build" and result.outcome == "done"
        ]
        mine = key.place.series
        made.sort(key=lambda one: (one.key.place.series == mine, one.key.place.revision))
        for result in reversed(made):
            if own := _of(result, architecture):
                first = next((r for r in made if r.key.scope == result.key.packaging), None)
                return (*own, *(_of(first, _ALL) if first is not None else ()))
    return ()


def _of(result: Result, architecture: str) -> tuple[Blob, ...]:
    """Return a build's packages for an architecture."""
    return tuple(b for b in _files(result) if b.name.endswith(f"_{architecture}.deb"))


def _files(result: Result) -> Iterator[Blob]:
    listed = result.data.get("files")
    for one in listed if isinstance(listed, list) else ():
        with suppress(KeyError, TypeError, ValueError):  # written by another version
            yield load(Blob, one)
