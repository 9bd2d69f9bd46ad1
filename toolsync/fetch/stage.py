"""Bring all that a release consists of, and what is to prove it, into the store.

This is the only downloader of releases: whatever defines the tool, each tarball comes with a
plan that says which files beside it are wanted (`model.plan`).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from toolsync.config.settings import Limits
from toolsync.fetch.partial import held
from toolsync.http.answer import Validators
from toolsync.http.client import Http
from toolsync.http.download import Progress
from toolsync.http.failures import Limited
from toolsync.model.errors import Hostile, NotThere, SetupError, Unreachable
from toolsync.model.plan import DIGEST, Plan, Wanted
from toolsync.model.release import Blob, Fetched, FetchedPart, Part, Release, dump, load
from toolsync.model.text import name_fault
from toolsync.system import git
from toolsync.system.store import Store, full_disk_is_told

_EXTRA_LIMIT = 4 * 1024 * 1024
"""Bytes of a signature or a checksum file."""


def fetch(
    release: Release,
    plans: Sequence[Plan],
    *,
    source: str,
    tree: bool = False,
    http: Http,
    store: Store,
    limits: Limits,
    progress: Progress = lambda done, total: None,
) -> Fetched:
    """Return the release with its tarballs, and what proves them, in the store.

    ``plans`` are of the release's parts, the main one's first; ``source`` names the top folder
    of what is made of a git tree, and ``tree`` says that a release without parts is one. A proof
    that is not there is left out: to judge that is the next stage's business. Raises NotThere
    when a tarball is not there (yet), Unreachable or Hostile as `Http` does, SetupError where
    two tarballs bear one name.
    """
    fetcher = _Fetcher(http, store, limits, source, tree)
    parts = (release.main, *release.components)
    found = [
        fetcher.part(release, part, plan, progress) for part, plan in zip(parts, plans, strict=True)
    ]
    _refuse_one_name([part.archive for part in found])
    main = found[0]
    return Fetched(
        release=release,
        archive=main.archive,
        final_url=main.final_url,
        extras=main.extras,
        components=tuple(found[1:]),
        etag=main.etag,
        last_modified=main.last_modified,
    )


def _refuse_one_name(archives: Sequence[Blob]) -> None:
    """Raise SetupError where two tarballs that differ would be saved under one name."""
    seen: dict[str, str] = {}
    for blob in archives:
        if seen.setdefault(blob.name, blob.sha256) != blob.sha256:
            raise SetupError(
                f"debian/watch: two tarballs of this release would both be saved as {blob.name}",
                resolution="Give one of them another name with filenamemangle.",
            )


@dataclass(frozen=True, slots=True)
class _Fetcher:
    """Fetches the parts of one release."""

    http: Http
    store: Store
    limits: Limits
    source: str
    tree: bool
    """Whether a release without parts is the tree of its tag."""

    def part(self, release: Release, part: Part, plan: Plan, progress: Progress) -> FetchedPart:
        """Return one tarball and its proofs; raises Hostile for a name that no file may have."""
        if why := name_fault(part.filename):
            raise Hostile(
                f"{part.page} names the download {part.filename[:200]!r}, {why}",
                resolution="Nothing was asked for. Look at the page; watch.file_url gives another"
                " address and name.",
            )
        if part.git or (not release.parts and self.tree):
            return self._of_tag(release, part, signed="tag" in (plan.method, plan.mode))
        download = _Download(self.http, self.store, self.limits.seconds)
        try:
            archive, final_url, seen = download(
                part.url, part.filename, self.limits.file_bytes, progress
            )
        except NotThere as error:
            raise NotThere(
                f"{release.version} is announced on {part.page}, but its file is not there:"
                f" {error}",
                resolution="Vendors often announce before they upload; the next run tries again.",
            ) from error
        return FetchedPart(
            component=part.component,
            archive=archive,
            final_url=final_url,
            extras=self._proofs(_of_file(plan, archive), download),
            etag=seen.etag,
            last_modified=seen.last_modified,
        )

    def _proofs(self, plan: Plan, download: _Download) -> tuple[Blob, ...]:
        """Return the files of the first way whose first file is there."""
        for first, *others in plan.ways:
            blob = self._get(first, plan, download)
            if blob is None:
                continue
            found = {first.role: blob}
            for wanted in others:
                if wanted.role not in found:
                    more = self._get(wanted, plan, download)
                    found |= {wanted.role: more} if more else {}
            return tuple(found.values())
        return ()

    def _get(self, wanted: Wanted, plan: Plan, download: _Download) -> Blob | None:
        """Return a file that helps to prove, None where there is none."""
        try:
            blob = download(wanted.url, wanted.role, _EXTRA_LIMIT)[0]
        except NotThere:
            return None
        except Limited:
            raise  # whether it is there will be known when the limit has ended
        except Unreachable:
            if wanted.guessed and not plan.needed:
                return None
            raise
        return None if wanted.guessed and _is_page(self.store.path(blob)) else blob

    def _of_tag(self, release: Release, part: Part, *, signed: bool) -> FetchedPart:
        """Return a ref's own tree as a tar in the store, with what its signature stands over."""
        ref = part.tag if release.parts else f"refs/tags/{part.tag}"
        prefix = f"{self.source}-{part.version}"
        extras: list[Blob] = []
        whole, everything = "full" in part.git, "all" in part.git
        limit = self.limits.file_bytes
        with git.fetched(self._place(part.url), ref, whole=whole, limit=limit) as tree:
            with tempfile.TemporaryDirectory(prefix="toolsync-tag-") as folder:
                path = Path(folder) / "archive.tar"
                with full_disk_is_told(path.parent):
                    tree.archive(prefix, path, everything=everything)
                archive = self.store.add_file(path, part.filename)
            found = tree.signed_tag() if signed and ref.startswith("refs/tags/") else None
        if found is not None:
            extras = [
                self.store.add_bytes(found[0], "tag"),
                self.store.add_bytes(found[1], "signature"),
            ]
        return FetchedPart(
            component=part.component, archive=archive, final_url=part.url, extras=tuple(extras)
        )

    def _place(self, url: str) -> str:
        """Return where a repository lies after redirects, which the program git does not follow."""
        if not url.startswith(("http://", "https://")):
            return url
        asked = url.rstrip("/") + git.ADVERTISED
        return git.moved(url, self.http.leads_to(asked, seconds=self.limits.page_seconds))


def _of_file(plan: Plan, archive: Blob) -> Plan:
    """Return a plan whose addresses name the tarball's digest where they want it."""
    ways = tuple(
        tuple(replace(wanted, url=wanted.url.replace(DIGEST, archive.sha256)) for wanted in way)
        for way in plan.ways
    )
    return replace(plan, ways=ways)


def _is_page(path: Path) -> bool:
    """Say whether a file is markup, which many servers send for what they do not have."""
    with path.open("rb") as file:
        return file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


class _Download:
    """Downloads one file at a time, taking up what an earlier run began."""

    def __init__(self, http: Http, store: Store, seconds: int) -> None:
        self._http, self._store, self._seconds = http, store, seconds

    def __call__(
        self, url: str, name: str, limit: int, progress: Progress = lambda done, total: None
    ) -> tuple[Blob, str, Validators]:
        """Return the file's blob, the address that it came from in the end, and its validators."""
        seen = Validators()

        def learned(now: Validators) -> None:
            nonlocal seen
            seen = now
            _note(notes, now)

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
                        learned=learned,
                        progress=progress,
                    )

            final_url = self._http.retrying(attempt)
            notes.unlink(missing_ok=True)
            return self._store.adopt(part, name), final_url, seen


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
