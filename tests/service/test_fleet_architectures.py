"""An archive with two architectures that workers build for: what is waited for, and what joins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.fleet import asked_for, changes_of, ported, worker
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.fleet.built import judged
from toolsync.model.errors import Hostile
from toolsync.model.values import dump
from toolsync.publish import index
from toolsync.system.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture
def rig(tmp_path: Path, broker: str, url: str, web: Web) -> Rig:
    """A coordinator whose archive serves amd64 and i386, and a tool with packages for each."""
    found = Rig(tmp_path / "coordinator")
    more = f'[fleet]\nbroker = "{broker}"\nwaiting = 60\n[store]\nurl = "{url}"\n'
    found.configure(f'{found.settings}\n{more}[local]\narchitectures = ["amd64", "i386"]\n')
    publish(web, "1.0")
    folder = write_tool(found.tools, f"{web.url}/dl/", "1.0", "2.0")
    control = folder / "debian" / "control"
    text = control.read_text().replace("Architecture: all", "Architecture: any")
    control.write_text(
        f"{text}\nPackage: hello-doc\nArchitecture: all\nDescription: says nothing\n A text.\n"
    )
    return found


@contextmanager
def there(broker: str, url: str, name: str, how: str, queue: str) -> Iterator[None]:
    """Run a worker for the block, which begins when the worker answers."""
    from toolsync.fleet.overview import served

    with worker(broker, url, name, how, queue):
        while name not in served(broker).get(queue, ()):
            time.sleep(0.1)
        yield


def debs(rig: Rig) -> set[str]:
    """Return version and architecture of the .debs that are served."""
    names = (n for n in index.served(rig.archive, "bookworm") if n.startswith("hello"))
    words = (n.removesuffix(".deb").split("_") for n in names if n.endswith(".deb"))
    return {f"{version.partition('-')[0]} {architecture}" for _, version, architecture in words}


def test_what_is_new_joins_and_what_was_there_is_waited_for(
    rig: Rig, broker: str, url: str, web: Web
) -> None:
    with worker(broker, url, "a@there", "ported", "build.amd64"):
        # Nobody builds for i386, which was never there: the others are not held up.
        said = rig.run("sync", "hello", status=4)
        assert "no worker that answers serves the queue build.i386" in said.stdout + said.stderr
        assert debs(rig) == {"1.0 amd64", "1.0 all"}
        (check,) = [c for c in rig.json("doctor", status=5)
                    if c["subject"] == "architecture i386"]  # fmt: skip
        assert not check["fine"]
        files = rig.pool()
        with there(broker, url, "i@there", "ported", "build.i386"):
            rig.run("sync", "hello")
            assert debs(rig) == {"1.0 amd64", "1.0 i386", "1.0 all"}
            assert rig.pool().items() > files.items()
            once = rig.json("fleet")["queues"]
            rig.run("sync", "hello")  # what is published is neither asked for nor brought again
            now = rig.json("fleet")["queues"]
            assert [now[f"build.{a}"]["last_hour"] for a in ("amd64", "i386")] == [1, 1]
            assert once["build.i386"]["last_hour"] == 1
        publish(web, "1.0", "2.0")
        said = rig.run("sync", "hello", status=4)
        assert "build.i386" in said.stdout + said.stderr
        assert debs(rig) == {"1.0 amd64", "1.0 i386", "1.0 all"}
        assert rig.json("fleet")["queues"]["build.amd64"]["last_hour"] == 1  # nor was it built
        with there(broker, url, "i@there", "ported", "build.i386"):
            rig.run("sync", "hello")
        assert debs(rig) == {"2.0 amd64", "2.0 i386", "2.0 all"}
    files = rig.pool()
    for path in (rig.archive / "pool").rglob("hello_2.0*.deb"):
        path.write_bytes(b"lost")
    rig.run("archive", "repair")
    assert rig.pool() == files
    assert debs(rig) == {"2.0 amd64", "2.0 i386", "2.0 all"}
    evidence = rig.json("evidence", "hello", "2.0")["predicate"]
    assert set(evidence["series"]["bookworm"]["architectures"]) == {"i386"}


def test_a_release_waits_for_all_where_that_is_set(rig: Rig, broker: str, url: str) -> None:
    rig.file.write_text(rig.file.read_text() + "together = true\n")
    with worker(broker, url, "a@there", "ported", "build.amd64"):
        rig.run("sync", "hello", status=4)
        assert not list((rig.archive / "dists").glob("*/InRelease"))
        with there(broker, url, "i@there", "ported", "build.i386"):
            rig.run("sync", "hello")
    assert debs(rig) == {"1.0 amd64", "1.0 i386", "1.0 all"}


def test_a_package_that_does_not_build_for_one_is_held_for_that_alone(
    rig: Rig, broker: str, url: str
) -> None:
    with (
        worker(broker, url, "a@there", "ported", "build.amd64"),
        there(broker, url, "i@there", "blames", "build.i386"),
        there(broker, url, "j@there", "blames", "build.i386"),
    ):
        (row,) = rig.json("sync", "hello", status=3)
        assert "hello did not build" in row["message"]
        assert row["published"] == ["1.0"]
        assert debs(rig) == {"1.0 amd64", "1.0 all"}
        assert rig.json("sync", "hello", status=3)[0]["published"] == []
        # It is not tried again while nothing of it has changed.
        assert rig.json("status", "hello", status=None)[0]["status"] == "held"
        assert rig.json("fleet")["queues"]["build.amd64"]["last_hour"] == 1


def test_a_release_that_loses_a_command_on_one_architecture_alone_is_held(
    rig: Rig, broker: str, url: str, web: Web
) -> None:
    with (
        worker(broker, url, "a@there", "forgetful", "build.amd64"),
        there(broker, url, "i@there", "forgetful", "build.i386"),
    ):
        rig.run("sync", "hello")
        publish(web, "1.0", "2.0")
        (row,) = rig.json("sync", "hello", status=3)
        assert row["status"] == "held"
        assert "breaking: 1 command (hello on i386)" in row["message"]
        assert debs(rig) == {"1.0 amd64", "1.0 i386", "1.0 all"}
        asked = rig.json("fleet")["queues"]
        rig.run("approve", "hello", "2.0", "--reason", "nobody has it")
        rig.run("sync", "hello")
        assert debs(rig) == {"2.0 amd64", "2.0 i386", "2.0 all"}
        assert rig.json("fleet")["queues"] == asked


def test_what_is_for_all_is_refused_of_a_build_for_one_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    asked = asked_for(store)
    made = ported(asked, store)
    assert judged(asked, dump(made), store) == made
    alone = replace(asked, alone=True)
    with pytest.raises(Hostile, match=r"a \.deb for all, wanted amd64"):
        judged(alone, dump(made), store)
    other = replace(alone, architecture="i386")
    made = ported(alone, store)
    with pytest.raises(Hostile, match=r"_amd64\.changes, wanted another name, that ends in _i386"):
        judged(other, dump(made), store)
    renamed = replace(made, changes=changes_of(other, made.files, store))
    with pytest.raises(Hostile, match=r"a \.deb for amd64, wanted i386"):
        judged(other, dump(renamed), store)
