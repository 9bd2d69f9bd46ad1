"""Many pages at once: no host holds up the others, and what was seen is kept in little room."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolsync.model.release import Release
from toolsync.pipeline.scheduler import Waits, in_turn
from toolsync.watch.kept import pack, unpack
from toolsync.watch.look import Sighting


def test_a_slow_host_does_not_hold_up_the_others() -> None:
    over = threading.Event()
    items = [("slow", n) for n in range(50)] + [(f"host{n}", n) for n in range(50)]
    quick: list[str] = []

    def act(item: tuple[str, int], waits: Waits) -> str:
        if item[0] == "slow":
            over.wait(10)
        return item[0]

    for _, host in in_turn([(host, (host, n)) for host, n in items], act, jobs=8, per_host=4):
        if host != "slow":
            quick.append(host)
            if len(quick) == 50:
                over.set()
        else:
            assert len(quick) == 50


@given(
    st.lists(st.sampled_from("abcdef"), max_size=60),
    st.integers(1, 8),
    st.integers(1, 8),
)
def test_each_item_is_done_once_and_no_host_is_crowded(
    hosts: list[str], jobs: int, per_host: int
) -> None:
    lock, busy, most = threading.Lock(), dict.fromkeys("abcdef", 0), 0

    def act(item: tuple[int, str], waits: Waits) -> int:
        nonlocal most
        with lock:
            busy[item[1]] += 1
            most = max(most, busy[item[1]])
        time.sleep(0)
        with lock:
            busy[item[1]] -= 1
        return item[0]

    items = [(host, (n, host)) for n, host in enumerate(hosts)]
    done = [result for _, result in in_turn(items, act, jobs=jobs, per_host=per_host)]
    assert sorted(done) == list(range(len(hosts)))
    assert most <= per_host


def test_items_are_taken_as_they_are_needed() -> None:
    taken = 0

    def items() -> Iterator[tuple[str, int]]:
        nonlocal taken
        for n in range(1000):
            taken += 1
            yield "host", n

    results = in_turn(items(), lambda n, waits: n, jobs=4, per_host=4)
    next(results)
    assert taken <= 5


def test_what_has_its_answer_waits_for_nobody() -> None:
    """While one is read, the next is asked for; only so many are read at once."""
    answered = [threading.Event() for _ in range(40)]

    def act(n: int, waits: Waits) -> int:
        answered[n].set()
        waits(False)
        # The next begins though this one is not done: with one place, and one for its host.
        return n if n > 14 or answered[n + 1].wait(10) else -1

    items = [("host", n) for n in range(40)]
    done = [result for _, result in in_turn(items, act, jobs=1, per_host=1)]
    assert sorted(done) == list(range(40))


def test_who_asks_again_has_his_place_again() -> None:
    begun, again, over = [threading.Event() for _ in range(3)], threading.Event(), threading.Event()

    def act(n: int, waits: Waits) -> int:
        begun[n].set()
        if n == 0:
            waits(False)
            assert begun[1].wait(10)
            waits(True)
            again.set()
            assert over.wait(10)
        if n == 1:
            assert again.wait(10)
        return n

    results = in_turn([("host", n) for n in range(3)], act, jobs=1, per_host=1)
    assert next(results) == (1, 1)
    assert not begun[2].wait(0.2)  # the only place is the first one's, who came back for it
    over.set()
    assert sorted(results) == [(0, 0), (2, 2)]


def test_nothing_begins_when_nobody_listens_any_more() -> None:
    begun: list[int] = []
    stopped = threading.Event()

    def act(n: int, waits: Waits) -> int:
        begun.append(n)
        if n:
            assert stopped.wait(10)
            waits(False)
        return n

    results = in_turn([("host", n) for n in range(100)], act, jobs=2, per_host=2)
    next(results)
    threading.Timer(0.2, stopped.set).start()
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 4


releases = st.builds(
    Release,
    tool=st.just("t"),
    version=st.text(max_size=9),
    raw_version=st.text(max_size=9),
    url=st.text(max_size=9),
    filename=st.text(max_size=9),
    page=st.just("p"),
    prerelease=st.booleans(),
    size=st.none() | st.integers(0, 2**40),
    parts=st.just(()),
)


@given(st.lists(releases, min_size=1, max_size=20))
def test_a_sighting_comes_back_as_it_was(found: list[Release]) -> None:
    sighting = Sighting(releases=tuple(found), page="p", etag='"1"', matched=3, changed=False)
    kept = pack(sighting)
    assert unpack(kept, whole=True) == sighting
    assert unpack(kept, whole=False) == replace(sighting, releases=sighting.releases[:1])


@given(st.lists(releases, min_size=1, max_size=5), st.text(max_size=4))
def test_a_listing_comes_back_as_it_was(found: list[Release], folder: str) -> None:
    """What most pages are: files of one folder, whose versions need no rule."""
    listed = [it._replace(raw_version=it.version, url=folder + it.filename) for it in found]
    sighting = Sighting(releases=tuple(listed), page="p")
    assert unpack(pack(sighting), whole=True) == sighting


@pytest.mark.parametrize("harm", [{"all": "!"}, {"newest": {}}, {"all": "c-jJ"}, {"odd": 1}])
def test_a_damaged_one_is_told(harm: dict[str, object]) -> None:
    release = Release(tool="t", version="1", raw_version="1", url="u", filename="f", page="p")
    kept = pack(Sighting(releases=(release,), page="p"))
    with pytest.raises((TypeError, ValueError, KeyError)):
        unpack({**kept, **harm}, whole="newest" not in harm)


def test_what_takes_long_lends_its_place() -> None:
    """With as many slow hosts as there are places, the others are still done at once."""
    over = threading.Event()
    items = [(f"slow{n}", n) for n in range(8)] + [(f"quick{n}", n) for n in range(40)]
    quick = 0

    def act(name: str, waits: Waits) -> str:
        if name.startswith("slow"):
            over.wait(20)
        return name

    for _, name in in_turn([(host, host) for host, _ in items], act, jobs=4, per_host=1):
        quick += name.startswith("quick")
        if quick == 40:
            over.set()
    assert quick == 40
