"""Each thread has a connection of its own, which is closed when the thread has ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from toolsync.journal.connections import Connections


class Opened:
    """A connection that counts."""

    closed = False

    def close(self) -> None:
        self.closed = True


def test_each_thread_has_its_own_and_the_dead_are_closed() -> None:
    made: list[Opened] = []

    def connect() -> Opened:
        made.append(Opened())
        return made[-1]

    connections = Connections(connect)
    together = Barrier(3)

    def use(_: int) -> bool:
        mine = connections.mine()
        together.wait(10)
        return connections.mine() is mine

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(use, range(3))) == [True] * 3
    assert len(made) == 3
    connections.mine()
    assert [one.closed for one in made] == [True, True, True, False]
    connections.close()
    assert made[-1].closed


def test_one_that_is_dropped_is_followed_by_a_new_one() -> None:
    connections = Connections(Opened)
    assert connections.mine_or_none() is None
    first = connections.mine()
    connections.drop()
    assert first.closed
    assert connections.mine_or_none() is None
    assert connections.mine() is not first
