"""A file on its way into a sink, by HTTP or FTP, with a limit on its bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from toolsync.http.answer import Validators, goes_on, length_of, validators_of, whole_of
from toolsync.http.failures import Transient, broken_off, too_large
from toolsync.system.headers import bare

if TYPE_CHECKING:
    import requests

_CHUNK = 64 * 1024

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there so far and the whole size, None if it is not known."""


class Writable(Protocol):
    """What a download is written to."""

    def write(self, data: bytes, /) -> int:
        """Take all of ``data``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One file, and where it goes; see `Http.download`."""

    url: str
    open_sink: Callable[[bool], Writable]
    """Called once the server has answered, with True if only the rest will follow."""
    limit: int
    """In bytes."""
    learned: Callable[[Validators], None]
    progress: Progress

    def by_http(
        self, response: requests.Response, have: int, validators: Validators | None
    ) -> None:
        """Take what a response sends, behind the bytes that are there where it goes on there.

        Raises Unreachable where it is cut short, Hostile where it passes the limit.
        """
        resumed = response.status_code == 206 and goes_on(response, have, validators)
        if response.status_code == 416 or (response.status_code == 206 and not resumed):
            self.open_sink(False)  # what we have is no part of what is there now: start afresh
            raise Transient(f"{bare(self.url)} has no such part as was asked for")
        done = have if resumed else 0
        total = whole_of(response) if resumed else length_of(response)
        self.learned(replace(validators_of(response), size=total))
        if total is not None and total > self.limit:
            raise too_large(self.url, self.limit)
        sink = self.open_sink(resumed)
        # As they were sent: some servers call a .tar.gz an encoding of a .tar.
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            done += len(chunk)
            if done > self.limit:
                raise too_large(self.url, self.limit)
            sink.write(chunk)
            self.progress(done, total)
        if total is not None and done != total:
            raise broken_off(self.url, done, total)

    def by_ftp(self, target: str, timeout: float) -> None:
        """Take what lies at an address; it always begins afresh, for nothing vouches for it."""
        from toolsync.http import ftp  # heavy, and few addresses are of this kind

        ftp.retrieve(target, self._begin, limit=self.limit, timeout=timeout)

    def _begin(self, total: int | None) -> Callable[[bytes], None]:
        self.learned(Validators(size=total))
        sink, done = self.open_sink(False), 0

        def take(chunk: bytes) -> None:
            nonlocal done
            done += len(chunk)
            sink.write(chunk)
            self.progress(done, total)

        return take
