"""Fetching: bounded, resumed, retried politely, and never half a file."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.servers.web import Answer, Asked, Web
from tests.support.tiny import write_tool
from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.fetch.stage import fetch
from toolsync.http.answer import Validators
from toolsync.http.client import Http
from toolsync.model.errors import Hostile, NotThere, ToolsyncError, Unreachable
from toolsync.model.release import Fetched, Release
from toolsync.setup.tools import load_tool
from toolsync.system.store import Store
from toolsync.verify.methods import plans_of

DATA = bytes(range(256)) * 4000
LIMITS = Limits(file_bytes=2_000_000, seconds=5)


class PatientClock:
    """A clock whose sleep is only noted."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0  # the system's clock refuses others
        self.slept.append(seconds)


class Kit:
    """A store, a client and a tool, with its release at /f-1.0.tar.gz."""

    def __init__(self, tmp_path: Path, web: Web, retries: int = 2) -> None:
        self.clock = PatientClock()
        self.http = Http(user_agent="test", timeout=2, retries=retries, clock=self.clock)
        _opened.append(self.http)
        self.store = Store(tmp_path / "store")
        self.tool: Tool = load_tool(write_tool(tmp_path / "tools", web.url + "/", "1.0"))
        self.release = Release(
            tool="hello",
            version="1.0",
            raw_version="1.0",
            url=web.url + "/f-1.0.tar.gz",
            filename="f-1.0.tar.gz",
            page=web.url + "/",
        )

    def fetch(self, limits: Limits = LIMITS) -> Fetched:
        plans = plans_of(self.tool, self.release)
        return fetch(
            self.release,
            plans,
            source=self.tool.source,
            http=self.http,
            store=self.store,
            limits=limits,
        )

    def kept(self) -> list[Path]:
        return [path for path in (self.store._root / "sha256").rglob("*") if path.is_file()]


_opened: list[Http] = []


@pytest.fixture(autouse=True)
def _connections_given_back() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


@pytest.fixture
def kit(tmp_path: Path, web: Web) -> Kit:
    return Kit(tmp_path, web)


def test_a_file_arrives_whole_with_its_digest_and_address(kit: Kit, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", status=302, headers={"Location": "/real"})
    web.serve("/real", DATA)
    got = kit.fetch()
    assert kit.store.path(got.archive).read_bytes() == DATA
    assert (got.archive.name, got.archive.size) == ("f-1.0.tar.gz", len(DATA))
    assert got.final_url == web.url + "/real"


def test_a_broken_download_is_taken_up_where_it_stopped(kit: Kit, web: Web) -> None:
    web.serve_each(
        "/f-1.0.tar.gz",
        Answer(DATA, headers={"ETag": '"1"'}, cut=300_000),
        Answer(DATA, headers={"ETag": '"1"'}),
    )
    got = kit.fetch()
    assert kit.store.path(got.archive).read_bytes() == DATA
    asked = web.asked[-1].headers
    assert asked["range"].startswith("bytes=")
    assert asked["if-range"] == '"1"'
    assert int(asked["range"][6:-1]) > 0


def test_another_run_takes_it_up_too(tmp_path: Path, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", DATA, etag='"1"', cut=300_000)
    with pytest.raises(Unreachable, match="broke off: 300000 bytes came"):
        Kit(tmp_path, web, retries=0).fetch()
    web.serve("/f-1.0.tar.gz", DATA, etag='"1"')
    got = Kit(tmp_path, web).fetch()
    assert got.archive.size == len(DATA)
    assert "range" in web.asked[-1].headers


def test_a_file_that_changed_meanwhile_starts_afresh(tmp_path: Path, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", DATA, etag='"1"', cut=300_000)
    with pytest.raises(Unreachable):
        Kit(tmp_path, web, retries=0).fetch()
    web.serve("/f-1.0.tar.gz", b"another" * 1000, etag='"2"')
    kit = Kit(tmp_path, web)
    assert kit.store.path(kit.fetch().archive).read_bytes() == b"another" * 1000


def test_without_validators_nothing_is_resumed(tmp_path: Path, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", DATA, cut=300_000)
    with pytest.raises(Unreachable):
        Kit(tmp_path, web, retries=0).fetch()
    web.serve("/f-1.0.tar.gz", DATA)
    Kit(tmp_path, web).fetch()
    assert "range" not in web.asked[-1].headers


def test_a_truncated_download_never_counts(kit: Kit, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", DATA, cut=len(DATA) - 1)
    with pytest.raises(Unreachable, match=rf"broke off: {len(DATA) - 1} bytes came, 1 are missing"):
        kit.fetch()
    assert kit.kept() == []


def test_more_than_the_limit_is_refused_before_and_while_it_comes(kit: Kit, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", DATA)
    with pytest.raises(Hostile, match="more than 1000 bytes"):
        kit.fetch(replace(LIMITS, file_bytes=1000))
    web.serve("/f-1.0.tar.gz", DATA, chunked=True)
    with pytest.raises(Hostile, match="more than 1000 bytes"):
        kit.fetch(replace(LIMITS, file_bytes=1000))
    assert kit.kept() == []


def test_a_drip_ends_with_the_time_for_the_whole(tmp_path: Path, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", DATA, trickle=0.05)
    kit = Kit(tmp_path, web, retries=0)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="did not finish within 1 s"):
        kit.fetch(replace(LIMITS, seconds=1))
    assert time.monotonic() - began < 20


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", DATA, delay=30)
    kit = Kit(tmp_path, web, retries=0)
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"f-1\.0\.tar\.gz"):
        kit.fetch(replace(LIMITS, seconds=1))
    assert time.monotonic() - began < 20  # not the 30 s that it would take


def test_passing_trouble_is_tried_again_with_back_off(kit: Kit, web: Web) -> None:
    web.serve_each("/f-1.0.tar.gz", Answer(status=503), Answer(status=502), Answer(DATA))
    assert kit.fetch().archive.size == len(DATA)
    assert len(kit.clock.slept) == 2
    assert kit.clock.slept[1] > 0


def test_retry_after_is_honored(kit: Kit, web: Web) -> None:
    busy = Answer(status=429, headers={"Retry-After": "7"})
    web.serve_each("/f-1.0.tar.gz", busy, Answer(DATA))
    kit.fetch()
    assert kit.clock.slept == [7.0]


def test_a_retry_after_of_an_hour_is_left_for_the_next_run(kit: Kit, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", status=503, headers={"Retry-After": "3600"})
    with pytest.raises(Unreachable, match="asks to wait 3600 s"):
        kit.fetch()
    assert kit.clock.slept == []


@pytest.mark.parametrize("status", [404, 410])
def test_announced_but_not_there_is_said_so_and_not_hammered(
    kit: Kit, web: Web, status: int
) -> None:
    web.serve("/f-1.0.tar.gz", status=status)
    with pytest.raises(NotThere, match=r"1\.0 is announced on .*, but its file is not there"):
        kit.fetch()
    assert len(web.asked) == 1


def test_redirects_in_circles_are_named(kit: Kit, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", status=302, headers={"Location": "/f-1.0.tar.gz"})
    with pytest.raises(Unreachable, match="redirects in circles"):
        kit.fetch()


def test_no_server_at_all_is_unreachable(tmp_path: Path) -> None:
    with Web() as gone:
        kit = Kit(tmp_path, gone, retries=0)
    with pytest.raises(Unreachable, match="could not be reached") as caught:
        kit.fetch()
    assert caught.value.exit_status == 4


def test_proofs_come_beside_the_archive_and_a_missing_one_is_left_out(
    tmp_path: Path, web: Web
) -> None:
    kit = Kit(tmp_path, web)
    policy = replace(kit.tool.verify, method="openpgp", signature="{url}.sig")
    kit.tool = replace(kit.tool, verify=policy)
    web.serve("/f-1.0.tar.gz", DATA)
    assert kit.fetch().extras == ()
    web.serve("/f-1.0.tar.gz.sig", b"a signature")
    (signature,) = kit.fetch().extras
    assert signature.name == "signature"
    assert kit.store.path(signature).read_bytes() == b"a signature"


def test_a_mirror_is_asked_instead_and_the_address_stays(tmp_path: Path, web: Web) -> None:
    http = Http(user_agent="test", mirrors={"https://vendor.example/": web.url + "/m/"})
    _opened.append(http)
    web.serve("/m/page", "hello")
    page = http.page("https://vendor.example/page", limit=100, seconds=5)
    assert page.body == b"hello"


def test_a_conditional_request_may_be_answered_with_nothing(kit: Kit, web: Web) -> None:
    web.serve("/page", "text", etag='"7"')
    first = kit.http.page(web.url + "/page", limit=100, seconds=5)
    again = kit.http.page(web.url + "/page", limit=100, seconds=5, validators=first.validators)
    assert (first.body, again.body) == (b"text", None)
    assert first.validators == Validators(etag='"7"')


def test_a_page_over_the_limit_is_refused(kit: Kit, web: Web) -> None:
    web.serve("/page", "x" * 101)
    with pytest.raises(Hostile, match="more than 100 bytes"):
        kit.http.page(web.url + "/page", limit=100, seconds=5)


def test_a_page_cut_short_is_no_page(kit: Kit, web: Web) -> None:
    web.serve("/page", "x" * 1000, cut=500)
    with pytest.raises(ToolsyncError, match="/page"):
        kit.http.page(web.url + "/page", limit=10_000, seconds=5)


# two processes at one file


def test_who_finds_a_download_taken_has_one_of_its_own(tmp_path: Path, web: Web) -> None:
    kits = [Kit(tmp_path / str(n), web) for n in range(2)]
    kits[1].store = kits[0].store
    arrived = threading.Barrier(2)

    def answer(asked: Asked) -> Answer:
        arrived.wait(10)  # both are under way before either has a byte
        return Answer(DATA, headers={"ETag": '"1"'})

    web.serve_by("/f-1.0.tar.gz", answer)
    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(lambda kit: kit.fetch().archive, kits))
    assert got[0] == got[1]
    assert kits[0].store.path(got[0]).read_bytes() == DATA
    assert list(kits[0].store.partial("x").parent.iterdir()) == []


def test_what_another_process_does_to_its_part_is_its_own(tmp_path: Path, web: Web) -> None:
    kit = Kit(tmp_path, web)
    part = kit.store.partial(kit.release.url)
    holder = (
        "import fcntl, sys; part = open(sys.argv[1], 'ab'); fcntl.flock(part, fcntl.LOCK_EX);"
        " print(flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", holder, str(part)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        part.write_bytes(b"theirs")
        web.serve("/f-1.0.tar.gz", DATA, etag='"1"')
        assert kit.store.path(kit.fetch().archive).read_bytes() == DATA
        assert part.read_bytes() == b"theirs"
        other.stdin.close()
    assert list(part.parent.iterdir()) == [part]


def test_what_a_killed_process_left_is_cleared_away(kit: Kit, web: Web) -> None:
    web.serve("/f-1.0.tar.gz", DATA)
    part = kit.store.partial(kit.release.url)
    left = [part.with_name(f"{part.name}-abc"), part.with_name(f"{part.name}-abc.json")]
    for path in left:
        path.write_bytes(b"{}")
    kit.fetch()
    assert list(part.parent.iterdir()) == []


def test_a_failure_leaves_no_empty_file(kit: Kit, web: Web) -> None:
    with pytest.raises(NotThere):
        kit.fetch()
    assert list(kit.store.partial("x").parent.iterdir()) == []


def test_a_proof_may_lie_under_the_digest_of_the_file(tmp_path: Path, web: Web) -> None:
    """As GitHub's attestations do."""
    kit = Kit(tmp_path, web)
    policy = replace(kit.tool.verify, method="openpgp", signature=web.url + "/at/{sha256}.json")
    kit.tool = replace(kit.tool, verify=replace(policy, record=None))
    web.serve("/f-1.0.tar.gz", DATA)
    web.serve(f"/at/{hashlib.sha256(DATA).hexdigest()}.json", b"{}", type="application/json")
    assert [extra.name for extra in kit.fetch().extras] == ["signature"]
