"""What one look may ask its upstream for: pages and files, counted and bounded together."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.http.answer import NotChanged, Page, Validators
from toolsync.http.client import Http
from toolsync.http.download import Writable
from toolsync.model.errors import Held, Hostile, ToolsyncError, TryAgain
from toolsync.model.release import Release
from toolsync.system.store import digest_of, full_disk_is_told
from toolsync.watch.addresses import shown

_READING = threading.BoundedSemaphore(2)
"""Pages read at once, however many are waited for: a parsed page takes ten times its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that lies on the disk for as long as somebody looks at it."""

    path: Path
    url: str
    """The address after redirects, without credentials."""
    sha256: str
    size: int
    validators: Validators


class Pages:
    """Asks for the pages of one look: counted, bounded, the first one conditionally."""

    def __init__(
        self,
        http: Http,
        limits: Limits,
        conditions: Validators | None = None,
        waits: Callable[[bool], None] = lambda _: None,
        *,
        known: Callable[[], Sequence[Release]] | None = None,
        ready: Callable[[], Page] | None = None,
    ) -> None:
        """``conditions`` are what is remembered of the first page, or of the only file.

        ``waits`` hears False when a page has come, and True when the next one is asked for.
        ``known`` returns all that was seen before, where that was all that there was; ``ready``
        the first page, where it was asked for together with others'.
        """
        self.known, self._ready = known, ready
        self.told: list[str] = []
        """What a person should know of the listing, such as that it was cut."""
        self.notes: list[str] = []
        """What a person should know of this look alone."""
        self.vouched = False
        """Whether an unchanged first page tells that there is nothing new at all."""
        self._http, self._conditions = http, conditions
        self.limits = limits
        self.hasher = hashlib.sha256()
        self.count, self._size = 0, 0
        self.address, self.validators = "", Validators()
        self._waits, self._reading = waits, False

    def __enter__(self) -> Pages:
        return self

    def __exit__(self, *_: object) -> None:
        self._read(False)

    def _read(self, now: bool) -> None:
        """Take or give back a place among those who read; nobody keeps one while he waits."""
        if now and not self._reading:
            _READING.acquire()
        elif self._reading and not now:
            _READING.release()
        self._reading = now

    def __call__(self, url: str, accept: str, /) -> Page:
        """Return the next page, within what is left of the limit on bytes."""
        if self._reading:
            self._read(False)
            self._waits(True)
        return self._take(self._ask(url, accept))

    def together(self) -> Page | None:
        """Return the first page where it was asked for together with others', else None.

        What is wrong with that is noted; the tool's own page may then still be asked for.
        """
        if self._ready is None:
            return None
        try:
            page = self._ready()
        except ToolsyncError as error:
            self.notes.append(f"asked for alone, not together with others: {error}")
            return None
        if self._conditions and page.validators.etag == self._conditions.etag:
            raise NotChanged
        return self._take(page)

    def _take(self, page: Page) -> Page:
        """Count a page that has come."""
        if page.body is None:
            raise NotChanged
        self._size += len(page.body)
        if self._size > self.limits.page_bytes:
            raise Hostile(
                f"{shown(page.url)} and the pages before it have more than "
                f"{self.limits.page_bytes} bytes, the limit",
                resolution="Watch a narrower page, or raise [limits] page_bytes in toolsync.toml.",
            )
        if not self.count:
            self.address, self.validators = shown(page.url), page.validators
        self.hasher.update(b"%d\n" % len(page.body) + page.body)
        self.count += 1
        self._waits(False)
        self._read(True)
        return page

    @contextmanager
    def file(self, url: str, /) -> Iterator[File]:
        """Yield a file for the block; raises NotChanged where it is what is remembered."""
        met: list[Validators] = []

        def learned(now: Validators) -> None:
            met[:] = [now]
            if self._conditions and _is_same(now, self._conditions):
                raise NotChanged

        with tempfile.NamedTemporaryFile(prefix="toolsync-probe-") as part:

            def afresh(_resumed: bool) -> Writable:
                part.seek(0)
                part.truncate()
                return part

            path = Path(part.name)
            with full_disk_is_told(path.parent):
                address = self._http.retrying(
                    lambda: self._http.download(
                        url,
                        afresh,
                        limit=self.limits.file_bytes,
                        seconds=self.limits.seconds,
                        unless=self._conditions,
                        learned=learned,
                    )
                )
                part.flush()
            digest, size = digest_of(path)
            self.address, self.validators = shown(address), met[0]
            self.hasher.update(digest.encode())
            self.count += 1
            yield File(path=path, url=address, sha256=digest, size=size, validators=met[0])

    def _ask(self, url: str, accept: str) -> Page:
        conditions = self._conditions if self.count == 0 else None
        try:
            return self._http.page(
                url,
                limit=self.limits.page_bytes,
                seconds=self.limits.page_seconds,
                accept=accept,
                validators=conditions,
            )
        except (TryAgain, Held) as error:
            if shown(url) == url or "@" not in url:
                raise
            secret = url.partition("://")[2].partition("/")[0].rpartition("@")[0]
            words = [str(error), error.resolution]
            message, resolution = (text.replace(f"{secret}@", "") for text in words)
            raise type(error)(message, resolution=resolution) from None


Reader: TypeAlias = Callable[[Tool, Pages], list[Release]]
"""Returns every file or tag that matched, in any order; raises Drifted when there is none."""


def _is_same(now: Validators, known: Validators) -> bool:
    """Say whether an answer's head is as remembered; for servers that know no conditions."""
    sizes = {size for size in (now.size, known.size) if size is not None}
    return (now.etag, now.last_modified) == (known.etag, known.last_modified) and len(sizes) < 2
