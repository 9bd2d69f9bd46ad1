"""A Launchpad on the loopback: uploads go in, the API answers over the wire, time is driven.

::

    with LaunchpadServer(incoming) as launchpad:          # a folder, or None without uploads
        launchpad.add_person("maker", public_key_file)    # OpenPGP keys
        ppa = launchpad.add_ppa("maker", "stable")        # a `launchpad_archive.Ppa`
        launchpad.add_token("maker", "token", "secret")   # an OAuth access token
        … Launchpad.login_anonymously("x", launchpad.service_root, cache, version="devel") …
        launchpad.receive(folder, "~maker/ubuntu/stable") # or a real upload server fills incoming
        launchpad.tick(minutes=30)                        # nothing happens by itself
        launchpad.mails, launchpad.dropped, launchpad.cost()

        ppa.script_builds("Needs building", "Failed to build", series="noble")
        ppa.authorized_size = 0                           # quota full
        ppa.deleted = True
        launchpad.fault("getPublishedSources", status=503, retry_after=1, times=2)
        launchpad.fault(delay=5) / launchpad.fault(cut=100) / launchpad.clear_faults()
        launchpad.tokens.clear()                          # revoked: 401
        launchpad.api.page_size = 2
        launchpad.per_request = timedelta(minutes=1)      # for a client in another process

The unmodified launchpadlib talks to it: anonymous or with OAuth, version ``devel``. It knows no
operation, parameter or value that is not in `launchpad_kinds`. What it does with uploads and
copies is said in `launchpad_intake` and `launchpad_copier`; `launchpad_archive.Pace` says how
long it takes over each. ``clock`` may be shared with the code under test.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.launchpad_api import Api
from tests.servers.launchpad_archive import Pace, Ppa
from tests.servers.launchpad_intake import Intake
from tests.servers.launchpad_oauth import OAuth, Unauthorized
from tests.servers.launchpad_world import DrivenClock, World
from tests.servers.web import Answer, Asked, Web

_STEP = timedelta(minutes=1)


class Publisher(Protocol):
    """Who puts what is Published on disk, see `launchpad_publisher`."""

    def publish(self, ppa: Ppa) -> None:
        """Make a PPA's archive on disk what its publications say."""
        ...

    def file(self, path: str) -> bytes | None:
        """Return a published file by its path below the site, or None."""
        ...


@dataclass
class _Fault:
    when: str
    times: int
    """How often it is still to happen; below zero for ever."""
    status: int
    headers: Mapping[str, str]
    delay: float
    cut: int | None


class LaunchpadServer(World):
    """The server; its context starts and stops it."""

    def __init__(
        self,
        incoming: Path | None = None,
        *,
        clock: DrivenClock | None = None,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(clock, pace)
        self._web = Web()
        self._web.serve_rest(self._answer)
        self.url = self._web.url
        self.service_root = f"{self.url}/"
        """What launchpadlib takes as service root; the site with OAuth's pages is the same."""
        self.api = Api(self, f"{self.url}/devel/")
        self.intake = Intake(self, incoming)
        self.oauth = OAuth(self)
        self.publisher: Publisher | None = None
        self.twisted: dict[str, bytes | None] = {}
        """What is given for files whose address holds such a word; None: they are gone."""
        self.per_request = timedelta(0)
        """By how much the clock moves with each request to the API."""
        self._faults: list[_Fault] = []
        self._sessions = 0

    def __enter__(self) -> LaunchpadServer:
        self._web.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._web.__exit__(kind, error, trace)
        self.close()

    def tick(self, **words: float) -> None:
        """Let time pass: ``minutes=20``, ``hours=1``, as of `timedelta`; nothing for "now"."""
        left = timedelta(**words)
        self.settle()
        while left > timedelta(0):
            self.clock.sleep(min(left, _STEP).total_seconds())
            self.settle()
            left -= _STEP

    def settle(self) -> None:
        """Do all that is due at the clock's present moment."""
        with self.lock:
            self.intake.scan()
            changed = self.advance()
            if self.publisher is not None:
                for ppa in changed:
                    self.publisher.publish(ppa)

    def receive(self, folder: Path, place: str, *, names: tuple[str, ...] = ()) -> None:
        """Take an upload as the upload server leaves it: a folder's files, or those named."""
        assert self.intake.incoming is not None
        self._sessions += 1
        session = self.intake.incoming / f"upload-test-{self._sessions:06}"
        staged = self.intake.incoming / f".{session.name}"
        (staged / place).mkdir(parents=True)
        for path in folder.iterdir():
            if path.is_file() and (not names or path.name in names):
                shutil.copy(path, staged / place)
        staged.rename(session)

    def fault(
        self,
        when: str = "",
        *,
        times: int = 1,
        status: int = 0,
        retry_after: int | None = None,
        delay: float = 0.0,
        cut: int | None = None,
    ) -> None:
        """Answer the next requests that contain ``when`` (of "GET /path?query") with a fault.

        A ``status``, ``delay`` seconds, a connection ``cut`` after so many bytes; ``times``
        below zero means from now on.
        """
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._faults.append(_Fault(when, times, status, headers, delay, cut))

    def clear_faults(self) -> None:
        """Answer well again."""
        self._faults.clear()

    @property
    def asked(self) -> list[Asked]:
        """Every request, in the order of arrival."""
        return self._web.asked

    def cost(self) -> Counter[str]:
        """Count the requests to the API: "GET getPublishedSources", "GET ~maker", …"""
        found: Counter[str] = Counter()
        for asked in self.asked:
            parts = urlsplit(asked.path)
            if parts.path.startswith("/devel"):
                query = parse_qs(f"{parts.query}&{asked.body.decode(errors='replace')}")
                path = parts.path.removeprefix("/devel/") or "/"
                found[f"{asked.method} {query.get('ws.op', [path])[0]}"] += 1
        return found

    def _answer(self, asked: Asked) -> Answer:
        with self.lock:
            path = unquote(urlsplit(asked.path).path)
            if not path.startswith("/devel"):
                return self._site(asked, path)
            self.clock.sleep(self.per_request.total_seconds())
            self.settle()
            fault = self._next_fault(f"{asked.method} {asked.path}\n{asked.body.decode()}")
            if fault is not None and fault.status:
                plain = {"Content-Type": "text/plain", **fault.headers}
                return Answer(f"fault {fault.status}", fault.status, plain)
            answer = self._of_api(asked)
            return answer if fault is None else replace(answer, delay=fault.delay, cut=fault.cut)

    def _of_api(self, asked: Asked) -> Answer:
        try:
            viewer = self.oauth.viewer(asked.headers.get("authorization", ""))
        except Unauthorized as error:
            return Answer(str(error), 401, {"Content-Type": "text/plain"})
        return self.api.answer(asked, viewer)

    def _next_fault(self, request: str) -> _Fault | None:
        for fault in self._faults:
            if fault.when in request and fault.times:
                fault.times -= 1
                return fault
        return None

    def _site(self, asked: Asked, path: str) -> Answer:
        """Answer outside the API: OAuth's pages, uploaded files, published archives."""
        if path.startswith("/+"):
            return self.oauth.page(asked, path)
        data = self._file(path)
        data = next((d for word, d in self.twisted.items() if word in path), data)
        if data is None and self.publisher is not None:
            data = self.publisher.file(path)
        if data is None:
            return Answer("not here", 404, {"Content-Type": "text/plain"})
        return Answer(data, 200, {"Content-Type": "application/octet-stream"})

    def _file(self, path: str) -> bytes | None:
        match = re.fullmatch(r"/(.+?)/\+(?:files|sourcefiles/[^/]+/[^/]+)/([^/]+)", path)
        every = (self.primary, *self.ppas.values())
        ppa = next((p for p in every if match and p.place == match[1]), None)
        if match is None or ppa is None:
            return None
        changes = {pub.source.changes_name: pub.source.changes for pub in ppa.sources}
        return (changes | ppa.known_files() | ppa.debs).get(match[2])
