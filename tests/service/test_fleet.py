"""A fleet on loopback: workers that do their work, die or lie, behind a real broker."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.redis import Redis
from tests.servers.web import Answer, Asked, Web
from tests.support.fleet import INTERVAL, LIES, asked_for, offered, pages, release, worker
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from tests.support.watching import tool_with
from toolsync.compat.surface import Surface
from toolsync.fleet.build import BUILD
from toolsync.fleet.look import LOOK, SHARE
from toolsync.fleet.scan import SCAN
from toolsync.fleet.surface import SURFACE
from toolsync.license.terms import from_json
from toolsync.model.errors import PackageFailed, TryAgain, UsageError
from toolsync.model.values import dump
from toolsync.system.clock import SystemClock
from toolsync.system.fleetstore import open_store
from toolsync.system.store import Store

if TYPE_CHECKING:
    from toolsync.fleet.coordinator import Coordinator

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path: Path, url: str) -> Store:
    return open_store(tmp_path / "here", url)


def coordinator(
    broker: str,
    store: Store,
    told: list[str],
    waiting: float = 60,
    tries: int = 3,
    urgent: bool = True,
) -> Coordinator:
    from toolsync.fleet.coordinator import Coordinator, Patience

    patience = Patience(seconds=60, waiting=waiting, tries=tries)
    return Coordinator(broker, store, SystemClock(), patience, told.append, urgent=urgent)


def test_a_worker_that_dies_or_lies_costs_a_retry_elsewhere(
    broker: str, url: str, store: Store
) -> None:
    told: list[str] = []
    fleet = coordinator(broker, store, told)
    for number, how in enumerate(("suicide", "other_bytes", "endless")):
        asked = asked_for(store, version=f"{number}.0-1")
        with worker(broker, url, f"{how}@there", how):
            # It is alone when the first task is sent, and refused when the next one is.
            helped = _afterwards(lambda: len(told) > 0, broker, url)
            try:
                made = fleet.ask(BUILD, asked)
            finally:
                helped()
        assert made.files[-1].name == f"hello_{asked.version}_all.deb"
        assert len(told) == 1, told
        assert f"the worker {how}@there" in told[0]
        told.clear()


def test_terms_are_read_by_a_worker_a_liar_is_refused_and_without_any_it_is_done_here(
    broker: str, url: str, store: Store
) -> None:
    told: list[str] = []
    fleet = coordinator(broker, store, told)
    asked = release(store)
    with worker(broker, url, "liar@there", "left_out"):
        helped = _afterwards(lambda: len(told) > 0, broker, url)
        try:
            read = fleet.ask(SCAN, asked)
        finally:
            helped()
    assert "the worker liar@there lied: terms without 1 files" in told[0]
    terms = from_json(store.path(read.terms).read_bytes())
    assert terms is not None
    assert terms.mains[0].id == "MIT"
    with pytest.raises(TryAgain, match="no worker took the scan"):
        coordinator(broker, store, told, waiting=1).ask(SCAN, release(store, pkg__c_py=b"c = 3"))


def test_a_surface_is_read_by_a_worker_and_a_liar_is_refused(
    broker: str, url: str, store: Store
) -> None:
    told: list[str] = []
    fleet = coordinator(broker, store, told)
    with worker(broker, url, "liar@there", "no_surface"):
        helped = _afterwards(lambda: len(told) > 0, broker, url)
        try:
            found = fleet.ask(SURFACE, offered(store))
        finally:
            helped()
    assert set(found.of("command")) == {"a"}
    assert "the worker liar@there lied: what it says is a surface is none" in told[0]


def test_an_answer_that_makes_its_judge_fall_costs_a_retry_and_no_run(
    broker: str, url: str, store: Store
) -> None:
    def fall(*_: object) -> Surface:
        raise RecursionError("too deep")

    told: list[str] = []
    with worker(broker, url, "odd@there", "honest"), pytest.raises(TryAgain, match="1 workers"):
        coordinator(broker, store, told, tries=1).ask(replace(SURFACE, judge=fall), offered(store))
    assert told == [
        "t_1.orig.tar.gz: the worker odd@there gave what cannot be judged: RecursionError: too deep"
    ]


def test_a_broker_that_goes_away_is_told_as_such_whenever_that_is(url: str, store: Store) -> None:
    from toolsync.fleet.broker import AWAY, board_of, make_app, send
    from toolsync.fleet.coordinator import Coordinator, Patience

    patience = Patience(seconds=60, waiting=60, tries=1)
    with Redis() as redis:

        def kill(_: str) -> None:
            redis.kill()

        fleet = Coordinator(redis.url, store, SystemClock(), patience, kill)
        with (
            worker(redis.url, url, "liar@there", "other_names"),
            pytest.raises(TryAgain, match="the broker does not answer"),
        ):
            fleet.ask(BUILD, asked_for(store))
        redis.start()
        app = make_app(redis.url, 60)
        send(app, "build", "a", "q", [], urgent=True)
        board_of(app).sent("a")
        # The note is gone before the answer is: else nobody would ask once more.
        assert 0 < app.backend.client.ttl("toolsync:sent:a") <= app.conf.result_expires
        redis.kill()
        with pytest.raises(AWAY):
            send(app, "build", "b", "q", [], urgent=True)


def test_a_queue_that_nobody_serves_is_waited_for_once(broker: str, store: Store) -> None:
    from toolsync.fleet.overview import look

    fleet = coordinator(broker, store, [], waiting=2)
    with pytest.raises(TryAgain, match="no worker took the scan"):
        fleet.ask(SCAN, release(store))
    began = time.monotonic()
    with pytest.raises(TryAgain, match="no worker took the scan"):
        fleet.ask(SCAN, release(store, more=b"other"))
    assert time.monotonic() - began < 1
    assert look(broker)["waiting"] == {"scan": 1}


def test_a_worker_that_hangs_and_says_it_works_is_left_in_a_kinds_own_time(
    broker: str, url: str, store: Store
) -> None:
    told: list[str] = []
    began = time.monotonic()
    with worker(broker, url, "slow@there", "sleep:50"), pytest.raises(TryAgain, match="in time"):
        coordinator(broker, store, told, tries=1).ask(replace(BUILD, seconds=1), asked_for(store))
    assert time.monotonic() - began < 30
    assert LOOK.seconds <= 15 * 60


@pytest.mark.parametrize("written", ["1e18", "inf", "nan", "-5", "x", "1e400", ""])
def test_a_pause_that_was_written_or_set_back_by_a_clock_holds_nobody_up(
    broker: str, written: str
) -> None:
    from toolsync.fleet.broker import make_app
    from toolsync.fleet.politeness import bucket_of

    make_app(broker, 60).backend.client.set("toolsync:host:h", written)
    bucket = bucket_of(broker, 10.0, 1)
    assert bucket.wait("h") == 0
    assert 0 < bucket.wait("h") <= 10  # the next one waits as ever


@contextmanager
def odd_worker(broker: str, answer: object) -> Iterator[None]:
    """Answer whoever asks workers for what they do, and never as a worker does."""
    from toolsync.fleet.broker import make_app

    app, ended, ready = make_app(broker, 60), threading.Event(), threading.Event()
    handlers = {name: lambda *_, **__: answer for name in ("active_queues", "active", "stats")}

    def serve() -> None:
        with app.connection() as connection:
            node = app.control.mailbox.Node("odd@there", handlers=handlers)
            node.channel = connection.default_channel
            with node.listen(callback=None):
                ready.set()
                while not ended.is_set():
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=0.2)

    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait(10)
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [3, "x", [1], [{"name": 1}], {"total": {"a": "b"}}, [{"delivery_info": 3, "time_start": "x"}]],
)
def test_what_a_worker_says_of_itself_keeps_nobody_from_seeing_the_fleet(
    broker: str, url: str, answer: object
) -> None:
    from toolsync.fleet.broker import make_app
    from toolsync.fleet.overview import look

    keys = make_app(broker, 60).backend.client
    keys.lpush("toolsync:dead", "[1]", '"id"', "not JSON", '{"id": 3}', "[" * 100_000)
    with worker(broker, url, "honest@here", "honest"), odd_worker(broker, answer):
        while len((found := look(broker))["workers"]) < 2:
            time.sleep(0.1)
    assert {one["name"] for one in found["workers"]} == {"honest@here", "odd@there"}
    assert found["given_up"] == []


def test_a_task_that_cannot_be_sent_again_stays_on_the_list(broker: str, store: Store) -> None:
    from toolsync.fleet import givenup
    from toolsync.fleet.broker import Note, board_of, make_app

    app = make_app(broker, 60)
    question = dump(asked_for(store))
    note = Note(id="i", kind="build", what="w", why="y", queue="q", at="a", question=question)
    board_of(app).give_up(note)
    app.backend.client.execute_command("ACL", "SETUSER", "default", "-lpush")
    with pytest.raises(TryAgain, match="does not answer"):
        givenup.retry(broker, "all")
    assert board_of(app).given_up() == [note]
    app.backend.client.execute_command("ACL", "SETUSER", "default", "+lpush")
    assert givenup.retry(broker, "all") == [note]
    assert board_of(app).given_up() == []


def test_pages_are_seen_by_workers_who_are_polite_together(
    broker: str, url: str, store: Store, web: Web
) -> None:
    from toolsync.fleet.overview import look

    moments: list[float] = []

    def answer(asked: Asked) -> Answer:
        moments.append(time.monotonic())
        return Answer("<a href='t-1.0.tar.gz'>", headers={"Content-Type": "text/html"})

    web.serve_by("/list", answer)
    tool = tool_with(kind="html", url=f"{web.url}/list", pattern=r"t-(?P<version>[\d.]+)\.tar\.gz")
    questions = [
        pages(*(replace(tool, name=f"t{share}-{n}") for n in range(SHARE))) for share in range(3)
    ]
    told: list[str] = []
    fleet = coordinator(broker, store, told)
    with worker(broker, url, "a@there", "honest"), worker(broker, url, "b@there", "honest"):
        while len(look(broker)["workers"]) < 2:
            time.sleep(0.1)
        with ThreadPoolExecutor(3) as pool:
            seen = list(pool.map(lambda share: fleet.ask(LOOK, share), questions))
        done = sorted(worker["done"] for worker in look(broker)["workers"])
    assert all(one is not None and one.newest.version == "1.0" for row in seen for one in row)
    assert len(moments) == 3 * SHARE
    assert done == [1, 2]
    assert max(moments) - min(moments) > 0.9 * INTERVAL * (len(moments) - 1)
    assert told == []


def test_a_liar_about_pages_is_refused(broker: str, url: str, store: Store, web: Web) -> None:
    told: list[str] = []
    web.serve("/list", "<a href='t-1.0.tar.gz'>")
    tool = tool_with(kind="html", url=f"{web.url}/list", pattern=r"t-(?P<version>[\d.]+)\.tar\.gz")
    fleet = coordinator(broker, store, told)
    with worker(broker, url, "liar@there", "a_file"):
        helped = _afterwards(lambda: len(told) > 0, broker, url)
        try:
            (seen,) = fleet.ask(LOOK, pages(tool))
        finally:
            helped()
    assert seen is not None
    assert seen.newest.url == f"{web.url}/t-1.0.tar.gz"
    assert "the worker liar@there lied: the address 'file:" in told[0]


def test_what_was_given_up_is_asked_for_again_or_forgotten(
    broker: str, url: str, store: Store
) -> None:
    from toolsync.fleet import givenup
    from toolsync.fleet.overview import look

    told: list[str] = []
    asked, other = asked_for(store), asked_for(store, 2)
    with worker(broker, url, "liar@there", "other_names"):
        for each in (asked, other):
            with pytest.raises(TryAgain, match="lied"):
                coordinator(broker, store, told, tries=1).ask(BUILD, each)
    notes = look(broker)["given_up"]
    assert [note["what"] for note in notes] == [
        "hello2 1.0-1 for bookworm",
        "hello 1.0-1 for bookworm",
    ]
    with pytest.raises(UsageError, match="no task"):
        givenup.retry(broker, "nothing")
    assert givenup.forget(broker, notes[0]["id"]) == notes[:1]
    assert givenup.retry(broker, "all") == notes[1:]
    found = look(broker)
    assert found["given_up"] == []
    assert found["queues"]["build.amd64"] == {
        "workers": 0,
        "waiting": 1,
        "running": [],
        "last_hour": 0,
    }
    with worker(broker, url, "honest@here", "honest"):
        while look(broker)["queues"]["build.amd64"]["waiting"]:
            time.sleep(0.1)
        while not (done := look(broker)["workers"]) or not done[0]["done"]:
            time.sleep(0.1)
    # The next run finds the answer, though no worker is there any more.
    assert coordinator(broker, store, told, waiting=1).ask(BUILD, asked).builder == "a test's"
    assert look(broker)["queues"]["build.amd64"]["last_hour"] == 1


def test_a_persons_request_goes_before_a_timers_run(broker: str, url: str, store: Store) -> None:
    from toolsync.fleet.overview import look

    told: list[str] = []
    ended: list[str] = []

    def ask(number: int, urgent: bool) -> None:
        fleet = coordinator(broker, store, told, urgent=urgent)
        ended.append(fleet.ask(BUILD, asked_for(store, number)).files[0].name)

    with ThreadPoolExecutor(4) as pool:
        for number in (1, 2, 3):
            pool.submit(ask, number, False)
        while look(broker)["waiting"].get("build.amd64") != 3:
            time.sleep(0.05)
        pool.submit(ask, 9, True)
        while look(broker)["waiting"]["build.amd64"] != 4:
            time.sleep(0.05)
        with worker(broker, url, "slow@there", "sleep:2"):
            while not (running := look(broker)["queues"]["build.amd64"]["running"]):
                time.sleep(0.05)
            assert (running[0]["what"], running[0]["worker"]) == (
                "hello9 1.0-1 for bookworm",
                "slow@there",
            )
            pool.shutdown()
    assert ended[0] == "hello9_1.0-1.dsc"
    assert len(ended) == 4


def _afterwards(ready: Callable[[], bool], broker: str, url: str) -> Callable[[], None]:
    """Start an honest worker once it is time, and return what stops it."""
    ended = threading.Event()

    def help_out() -> None:
        while not ready() and not ended.is_set():
            time.sleep(0.05)
        with worker(broker, url, "honest@here", "honest"):
            ended.wait()

    thread = threading.Thread(target=help_out)
    thread.start()

    def stop() -> None:
        ended.set()
        thread.join()

    return stop


def test_what_no_worker_can_do_is_given_up_and_shown(broker: str, url: str, store: Store) -> None:
    from toolsync.fleet.overview import look

    told: list[str] = []
    asked = asked_for(store)
    with worker(broker, url, "liar@there", "other_names"), pytest.raises(TryAgain, match="lied"):
        coordinator(broker, store, told, tries=1).ask(BUILD, asked)
    with pytest.raises(TryAgain, match="no worker took"):
        coordinator(broker, store, told, waiting=1).ask(BUILD, asked_for(store, 2))
    with worker(broker, url, "honest@here", "honest"):
        # What waits is done by the next one that comes, and asking again finds it.
        assert (
            coordinator(broker, store, told).ask(BUILD, asked_for(store, 2)).builder == "a test's"
        )
        assert coordinator(broker, store, told).ask(BUILD, asked).builder == "a test's"
        found = look(broker)
    assert [w["name"] for w in found["workers"]] == ["honest@here"]
    assert [note["what"] for note in found["given_up"]] == ["hello 1.0-1 for bookworm"]
    assert set(LIES) >= {"other_names", "bomb"}


def test_a_coordinator_that_comes_back_finds_what_was_built(
    broker: str, url: str, store: Store
) -> None:
    told: list[str] = []
    asked = asked_for(store)
    with worker(broker, url, "honest@here", "honest"):
        first = coordinator(broker, store, told).ask(BUILD, asked)
    # No worker is there any more: the answer of before is what counts.
    assert coordinator(broker, store, told, waiting=1).ask(BUILD, asked) == first
    with pytest.raises(TryAgain, match="no worker took"):
        coordinator(broker, store, told, waiting=1).ask(BUILD, asked, again=True)


def test_a_release_is_built_by_a_worker_and_published_by_its_coordinator(
    broker: str, url: str, tmp_path: Path, web: Web
) -> None:
    tasks = 'tasks = ["build", "look", "scan", "surface"]'
    fleet = f'[fleet]\nbroker = "{broker}"\nwaiting = 60\n{tasks}\n[store]\nurl = "{url}"\n'
    here, there = (Rig(tmp_path / name) for name in ("coordinator", "worker"))
    for rig in (here, there):
        rig.configure(f"{rig.settings}\n{fleet}")
    publish(web, "1.0")
    write_tool(here.tools, f"{web.url}/dl/", "1.0")
    process = there.start("worker", "--at-once", "1", "--name", "w@there")
    try:
        here.run("sync", "hello")
        (seen,) = here.json("fleet")["workers"]
        assert (seen["name"], seen["done"]) == ("w@there", 4)
        assert any(name.startswith("hello_1.0") for name in here.pool())
        here.run("sync", "hello")  # what is published is not asked for once more
        assert here.json("fleet")["workers"][0]["done"] == 5  # but its page is looked at
        assert not list(there.state.glob("journal*"))
        assert not (there.state / "gnupg").exists()
    finally:
        process.terminate()
        assert process.wait(60) in (0, 128 + 15)


def test_a_package_is_at_fault_where_two_say_so_or_nobody_else_is_there(
    broker: str, url: str, store: Store
) -> None:
    told: list[str] = []
    fleet = coordinator(broker, store, told)
    with worker(broker, url, "one@there", "blames"):
        with pytest.raises(PackageFailed, match=r"^hello did not build \(on one@there\)$"):
            fleet.ask(BUILD, asked_for(store))
        with worker(broker, url, "two@there", "blames"):
            _until_there(broker, 2)
            with pytest.raises(PackageFailed, match=r"\((?=.*one@there)(?=.* and )(?=.*two@there)"):
                fleet.ask(BUILD, asked_for(store, 2))


def test_a_worker_that_blames_the_package_is_not_believed_where_another_builds_it(
    broker: str, url: str, store: Store
) -> None:
    told: list[str] = []
    fleet = coordinator(broker, store, told)
    with worker(broker, url, "liar@there", "blames"):
        slow = worker(broker, url, "slow@there", "sleep:1")
        with slow:
            _until_there(broker, 2)
            names = {fleet.ask(BUILD, asked_for(store, n)).builder for n in range(1, 5)}
    assert names == {"a test's"}
    assert any("the worker liar@there says that the package is at fault" in one for one in told)


def _until_there(broker: str, workers: int) -> None:
    from toolsync.fleet.overview import look

    while len(look(broker)["workers"]) < workers:
        time.sleep(0.1)


def test_a_liar_without_a_name_uses_up_no_workers_tries(
    broker: str, url: str, store: Store
) -> None:
    from toolsync.fleet.broker import make_app

    told: list[str] = []
    keys, lies, ended = make_app(broker, 60).backend.client, set[str](), threading.Event()
    lie = json.dumps({"status": "SUCCESS", "result": {"made": 3}})

    def answer_first() -> None:
        while not ended.is_set() and len(lies) < 4:
            for key in keys.keys("toolsync:sent:*"):
                task = key.decode().rpartition(":")[2]
                if task not in lies:
                    lies.add(task)
                    keys.set(f"celery-task-meta-{task}", lie)
            time.sleep(0.005)

    liar = threading.Thread(target=answer_first)
    liar.start()
    helped = _afterwards(lambda: len(told) > 3, broker, url)
    try:
        made = coordinator(broker, store, told, tries=2).ask(BUILD, asked_for(store))
    finally:
        ended.set()
        liar.join()
        helped()
    assert made.builder == "a test's"
    assert len(told) == 4
    assert all("the worker  lied" in one for one in told)
