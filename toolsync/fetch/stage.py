"""Bring a release's files into the store: bounded, resumable, never half.

A download grows in a file named after its address, with the validators that the server gave
beside it. A later run asks for the rest only, and only if the server vouches that the file
is still the same; else it starts afresh.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.fetch.partial import held
from toolsync.http.client import Http, Progress, Validators
from toolsync.model.errors import NotThere
from toolsync.model.release import Blob, Fetched, Release, dump, load
from toolsync.system import git
from toolsync.system.store import Store, full_disk_is_told

_EXTRA_LIMIT = 4 * 1024 * 1024
"""Bytes of a signature or a checksum file."""


def fetch(
    release: Release,
    *,
    tool: Tool,
    http: Http,
    store: Store,
    limits: Limits,
    progress: Progress = lambda done, total: None,
) -> Fetched:
    """Return the release with its archive, and what proves it, in the store.

    A proof that is not there is left out: to judge that is the next stage's business. Raises
    NotThere when the archive itself is not there (yet), Unreachable or Hostile as `Http` does.
    """
    if tool.watch.is_tree:
        return _of_tag(release, tool, store, limits)
    download = _Download(http, store, limits.seconds)
    try:
        archive, final_url = download(release.url, release.filename, limits.file_bytes, progress)
    except NotThere as error:
        raise NotThere(
            f"{release.version} is announced on {release.page}, but its file is not there: {error}",
            resolution="Vendors often announce before they upload; the next run tries again.",
        ) from error
    extras = []
    for role, url in _proofs(tool, release):
        try:
            extras.append(download(url, role, _EXTRA_LIMIT)[0])
        except NotThere:
            continue
    return Fetched(release=release, archive=archive, final_url=final_url, extras=tuple(extras))


def _proofs(tool: Tool, release: Release) -> Iterator[tuple[str, str]]:
    """Give role and address of each file that the tool's way of verification needs."""
    words = {
        "url": release.url,
        "dir": release.url.rpartition("/")[0],
        "version": release.raw_version,
        "tag": release.tag,
    }
    policy = tool.verify
    if policy.method == "openpgp":
        yield "signature", policy.signature.format(**words)
    elif policy.method == "checksums":
        words["checksums"] = policy.checksums.format(**words)
        yield "checksums", words["checksums"]
        if policy.checksums_signature:
            yield "checksums-signature", policy.checksums_signature.format(**words)


def _of_tag(release: Release, tool: Tool, store: Store, limits: Limits) -> Fetched:
    """Return a tag's own tree as a tar in the store, with what its signature stands over."""
    ref, extras = f"refs/tags/{release.tag}", []
    with git.fetched(release.url, ref, limit=limits.file_bytes) as tree:
        with tempfile.TemporaryDirectory(prefix="toolsync-tag-") as folder:
            path = Path(folder) / "archive.tar"
            with full_disk_is_told(path.parent):
                tree.archive(f"{tool.source}-{release.version}", path, everything=False)
            archive = store.add_file(path, release.filename)
        signed = tree.signed_tag() if tool.verify.method == "tag" else None
    if signed is not None:
        extras = [store.add_bytes(signed[0], "tag"), store.add_bytes(signed[1], "signature")]
    return Fetched(release=release, archive=archive, final_url=release.url, extras=tuple(extras))


class _Download:
    """Downloads one file at a time, taking up what an earlier run began."""

    def __init__(self, http: Http, store: Store, seconds: int) -> None:
        self._http, self._store, self._seconds = http, store, seconds

    def __call__(
        self, url: str, name: str, limit: int, progress: Progress = lambda done, total: None
    ) -> tuple[Blob, str]:
        """Return the file's blob and the address that it came from in the end."""
        with held(self._store.partial(url)) as part:
            notes = part.with_suffix(".json")

            def attempt() -> str:
                known = _known(notes)
                with full_disk_is_told(part.parent), _Growing(part) as growing:
                    return self._http.download(
                        url,
                        growing.open,
                        limit=limit,
                        seconds=self._seconds,
                        have=part.stat().st_size if known else 0,
                        validators=known,
                        learned=lambda seen: _note(notes, seen),
                        progress=progress,
                    )

            final_url = self._http.retrying(attempt)
            notes.unlink(missing_ok=True)
            return self._store.adopt(part, name), final_url


class _Growing:
    """The part file, opened when the server has said whether it goes on or starts afresh."""

    def __init__(self, part: Path) -> None:
        self._part = part
        self._handle: BinaryIO | None = None

    def __enter__(self) -> _Growing:
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.close()

    def open(self, resumed: bool) -> BinaryIO:
        self._handle = self._part.open("ab" if resumed else "wb")
        return self._handle


def _note(notes: Path, seen: Validators) -> None:
    notes.write_text(json.dumps(dump(seen)), encoding="utf-8")


def _known(notes: Path) -> Validators | None:
    try:
        return load(Validators, json.loads(notes.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
