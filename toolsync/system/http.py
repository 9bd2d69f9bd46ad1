"""Ask other people's servers: politely, boundedly, and never twice for the same bytes.

Every request has a limit on bytes and on seconds, retries with back-off what may pass,
honors Retry-After, follows few redirects and none that drops TLS. An answer that cannot
be used is `Unreachable`, in words that name the address and what it said.
"""

from __future__ import annotations

import errno
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeAlias, TypeVar

import requests
import urllib3

from toolsync.errors import Hostile, NotThere, SetupError, Unreachable
from toolsync.system.clock import Clock, SystemClock
from toolsync.system.transport import Adapter, Deadline

T = TypeVar("T")
_Response: TypeAlias = requests.Response

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_OBJECT = re.compile(r"^<?\S*_(?:Plain|Secure)(?:\(.*?\)| object at \w+>?): ")
"""How the HTTP library names a connection before it says what went wrong."""
_CHUNK = 64 * 1024
_MAX_WAIT = 120.0

Progress = Callable[[int, int | None], None]
"""Told the bytes had so far and the whole size, where it is known."""


class Writable(Protocol):
    """What a download is written to."""

    def write(self, data: bytes, /) -> int:
        """Take all of ``data``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server gave to ask "has it changed?" with."""

    etag: str = ""
    last_modified: str = ""

    @property
    def strong(self) -> str:
        """The one that can vouch for a byte range (RFC 9110, section 13.1.5), or nothing."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer held in memory; ``body`` is None when the server said "not changed"."""

    url: str
    """The address after redirects."""
    body: bytes | None
    content_type: str
    validators: Validators


class Http:
    """A gateway with one connection pool and one TLS context."""

    def __init__(
        self,
        *,
        user_agent: str,
        timeout: float = 20.0,
        retries: int = 3,
        mirrors: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """``timeout`` bounds each wait for the server, ``retries`` what is tried again."""
        self._timeout, self._retries = timeout, retries
        self._mirrors = dict(mirrors or {})
        self._clock = clock or SystemClock()
        self._session = requests.Session()
        self._session.max_redirects = 5
        self._session.headers["User-Agent"] = user_agent
        self._session.mount("https://", Adapter())
        self._session.mount("http://", Adapter())

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def page(
        self,
        url: str,
        *,
        limit: int,
        seconds: float,
        accept: str = "*/*",
        validators: Validators | None = None,
    ) -> Page:
        """Return the answer to a GET, at most ``limit`` bytes long and in ``seconds``.

        With ``validators`` the request is conditional and the body None if nothing changed.
        Raises Unreachable, or Hostile when the body passes the limit.
        """
        headers = {"Accept": accept} | _conditions(validators)

        def read() -> Page:
            with self._open(url, headers, seconds) as response:
                body = None if response.status_code == 304 else _body(response, url, limit)
                return Page(
                    url=response.url,
                    body=body,
                    content_type=response.headers.get("Content-Type", ""),
                    validators=_validators(response),
                )

        return self.retrying(read)

    def download(
        self,
        url: str,
        open_sink: Callable[[bool], Writable],
        *,
        limit: int,
        seconds: float,
        have: int = 0,
        validators: Validators | None = None,
        learned: Callable[[Validators], None] = lambda _: None,
        progress: Progress = lambda done, total: None,
    ) -> str:
        """Stream a file into a sink and return the address it came from in the end.

        ``have`` bytes are there already, vouched for by ``validators``; ``open_sink`` is asked
        for a sink once the server has answered, with True if the rest only will follow.
        ``learned`` hears the answer's validators before the first byte. Raises Unreachable
        (cut short, too slow) or Hostile (more than ``limit`` bytes).
        """
        strong = validators.strong if validators else ""
        headers = {"Accept-Encoding": "identity"}
        if have and strong:
            headers |= {"Range": f"bytes={have}-", "If-Range": strong}
        with self._open(url, headers, seconds) as response:
            resumed = response.status_code == 206 and _starts_at(response, have)
            if response.status_code == 416 or (response.status_code == 206 and not resumed):
                open_sink(False)  # what we have is no part of what is there now: start afresh
                raise _Passing(f"{url} has no such part as was asked for")
            learned(_validators(response))
            done = have if resumed else 0
            total = _length(response, done)
            if total is not None and total > limit:
                raise _too_large(url, limit)
            sink = open_sink(resumed)
            for chunk in _chunks(response):
                done += len(chunk)
                if done > limit:
                    raise _too_large(url, limit)
                sink.write(chunk)
                progress(done, total)
            if total is not None and done != total:
                raise _broken_off(url, done, total)
            return response.url

    def retrying(self, act: Callable[[], T]) -> T:
        """Call ``act`` until it gives an answer: with back-off, jitter and Retry-After.

        Only what may pass is tried again; the last error is raised when tries are used up.
        """
        for attempt in range(self._retries + 1):
            try:
                return act()
            except _Passing as error:
                wait = error.retry_after
                if wait is None:
                    wait = min(30.0, 2.0**attempt * 0.5) * random.uniform(0.5, 1.0)
                if attempt == self._retries or wait > _MAX_WAIT:
                    asked = f" and asks to wait {wait:.0f} s" if wait > _MAX_WAIT else ""
                    raise Unreachable(f"{error}{asked}", resolution=error.resolution) from error
                self._clock.sleep(wait)
        raise AssertionError("unreachable")

    @contextmanager
    def _open(self, url: str, headers: Mapping[str, str], seconds: float) -> Iterator[_Response]:
        """Give an answer with a usable status; all that goes wrong in the block is named."""
        with Deadline(seconds) as deadline:
            try:
                with closing(self._get(url, headers)) as response:
                    _check_status(response, url)
                    yield response
            except requests.TooManyRedirects as error:
                raise Unreachable(f"{url} redirects in circles (more than 5 times)") from error
            except requests.exceptions.InvalidURL as error:
                raise SetupError(f"{url!r} is no address: {error}") from error
            except _FAILURES as error:
                if deadline.passed:
                    raise Unreachable(
                        f"{url} did not finish within {seconds:.0f} s",
                        resolution="Raise [limits] seconds in toolsync.toml if the line is slow.",
                    ) from error
                if isinstance(error, _Passing):
                    raise
                if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise
                raise _Passing(f"{url} {_reason(error)}") from error

    def _get(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        target = self._mirrored(url)
        response = self._session.get(
            target, headers=dict(headers), stream=True, timeout=self._timeout
        )
        if target.startswith("https:") and any(
            hop.url.startswith("http:") for hop in (*response.history, response)
        ):
            response.close()
            raise Hostile(f"{url} leads from https to plain http, which proves nothing")
        return response

    def _mirrored(self, url: str) -> str:
        for prefix, replacement in self._mirrors.items():
            if url.startswith(prefix):
                return replacement + url[len(prefix) :]
        return url


class _Passing(Unreachable):
    """A failure that a second try may not meet."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, resolution="Nothing to do: the next run tries again.")
        self.retry_after = retry_after


_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, _Passing)
"""What may come out of a request; older libraries take a shut socket for the body's end."""


def _check_status(response: _Response, url: str) -> None:
    status = response.status_code
    if status in (200, 206, 304, 416):
        return
    said = f"{url} answered {status} {response.reason or ''}".rstrip()
    if status in _PASSING:
        raise _Passing(said, _retry_after(response))
    kind = NotThere if status in (403, 404, 410) else Unreachable
    raise kind(said, resolution="Look at the address in a browser; it may have moved.")


def _retry_after(response: _Response) -> float | None:
    """Return the seconds that the server asks for: a number or a date (RFC 9110, 10.2.3)."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _conditions(validators: Validators | None) -> dict[str, str]:
    if validators is None:
        return {}
    pairs = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in pairs.items() if value}


def _validators(response: _Response) -> Validators:
    return Validators(
        etag=response.headers.get("ETag", ""),
        last_modified=response.headers.get("Last-Modified", ""),
    )


def _body(response: _Response, url: str, limit: int) -> bytes:
    body = bytearray()
    for chunk in _chunks(response):
        body += chunk
        if len(body) > limit:
            raise _too_large(url, limit)
    total = _length(response, 0)
    if total is not None and not response.headers.get("Content-Encoding") and len(body) != total:
        raise _broken_off(url, len(body), total)
    return bytes(body)


def _chunks(response: _Response) -> Iterator[bytes]:
    chunks: Iterator[bytes] = response.iter_content(_CHUNK)
    return chunks


def _length(response: _Response, offset: int) -> int | None:
    value = response.headers.get("Content-Length", "")
    return int(value) + offset if value.isdigit() else None


def _starts_at(response: _Response, offset: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {offset}-")


def _broken_off(url: str, done: int, total: int) -> _Passing:
    return _Passing(f"{url} broke off: {done} bytes came, {total - done} are missing")


def _too_large(url: str, limit: int) -> Hostile:
    return Hostile(
        f"{url} sends more than {limit} bytes, the limit",
        resolution="Raise [limits] in toolsync.toml if the file is rightly that large.",
    )


def _reason(error: Exception) -> str:
    """Return what went wrong, from the innermost words of the HTTP libraries."""
    cause: BaseException = error
    while True:
        if isinstance(cause, urllib3.exceptions.IncompleteRead):
            return f"broke off: {cause.args[0]} bytes came, {cause.args[1]} are missing"
        inner = getattr(cause, "reason", None)
        nested = inner if isinstance(inner, BaseException) else None
        nested = nested or next((a for a in cause.args if isinstance(a, BaseException)), None)
        if nested is None or nested is cause:
            words = _OBJECT.sub("", " ".join(str(cause).split()))
            return f"could not be reached: {words[:300]}"
        cause = nested
