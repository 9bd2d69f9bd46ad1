"""What an archive is rebuilt from: packages that were published, whose bytes are kept.

Nothing is made anew here: a file comes from the store, or from the pool where that has the
very bytes, and goes under the name and into the place that it had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from toolsync.model.errors import Damaged
from toolsync.model.release import Blob
from toolsync.system.store import Store, digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One upload to an archive, as it was made."""

    series: str
    source: str
    version: str
    changes: Blob
    files: tuple[Blob, ...]
    """Source and binaries; the ``.dsc`` among them."""
    buildinfo: Blob | None = None
    """In what environment it was built, where that is known."""
    required: bool
    """Whether instances are offered it; a superseded version may be left out."""

    others: tuple[Published, ...] = ()
    """The same for further architectures."""

    @property
    def whole(self) -> tuple[Published, ...]:
        """Itself and the others, in the order in which they are brought."""
        return (self, *self.others)

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """All files that reprepro needs."""
        return (*self.files, self.changes)


class Pool:
    """The files of an archive's pool, as where lost bytes may be found again."""

    def __init__(self, root: Path, store: Store) -> None:
        self._root, self._store = root, store

    @cached_property
    def _by_size(self) -> Mapping[int, Sequence[Path]]:
        found: dict[int, list[Path]] = {}
        for path in sorted((self._root / "pool").rglob("*")):
            if path.is_file():
                found.setdefault(path.stat().st_size, []).append(path)
        return found

    def has(self, blob: Blob) -> bool:
        """Say whether a file of that name and size lies in the pool."""
        return any(path.name == blob.name for path in self._by_size.get(blob.size, ()))

    def bring_back(self, blob: Blob) -> bool:
        """Put a blob that is lost into the store, if the pool has its bytes; say whether it has."""
        for path in self._by_size.get(blob.size, ()):
            if digest_of(path)[0] == blob.sha256:
                return self._store.add_file(path, blob.name).sha256 == blob.sha256
        return False

    def require(self, blob: Blob) -> None:
        """See that a blob is whole in the store, from the pool if need be; raises Damaged."""
        try:
            self._store.require(blob)
        except Damaged:
            if not self.bring_back(blob):
                raise
