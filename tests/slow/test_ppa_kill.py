"""Kill an upload at random moments: never two uploads of one version, and never a lost one.

A run is a process of its own with the real journal, gpg and API; only dput's place is taken by
a script that is as slow as a server and leaves half an upload when it is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.keys import Keys, throwaway_keys
from tests.support.ppas import SERIES
from tests.support.ppasync import FileClock, Site, run_sync
from toolsync.config.settings import Config
from toolsync.journal.uploads import Upload
from toolsync.system.lock import end_survivors

KILLS = 30
PAUSE = 0.12
"""Seconds that a server takes over a file; each upload has four."""
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Keys, str]]:
    with throwaway_keys() as keys:
        yield keys, keys.make("Maker")


def drive(config: Config, clock: Path, path: str) -> None:
    """Be a run of toolsync."""
    os.environ["PATH"] = path
    run_sync(config, FileClock(clock))


def a_run(site: Site, bin_: Path, kill_after: float | None = None) -> float:
    """Run toolsync in a process; kill it after so many seconds; return how long it took."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.ppasync", "toolsync.system.launchpad"])
    path = f"{bin_}:{os.environ['PATH']}"
    process = context.Process(target=drive, args=(site.config(), site.clock.path, path))
    process.start()
    began = time.monotonic()
    process.join(kill_after)
    if process.is_alive():
        process.kill()
    process.join()
    end_survivors(site.root / "state")
    site.end_sessions()
    return time.monotonic() - began


@pytest.mark.slow
def test_thirty_kills_of_an_upload_with_three_series(
    tmp_path: Path, made: tuple[Keys, str], web: Web
) -> None:
    chance = random.Random(5)
    lines = []
    fresh, ready = lengths(tmp_path, made, web)
    for number in range(KILLS):
        # Every fifth is killed anywhere on its way from the page, the others while uploading.
        whole = number % 5 == 0
        site = Site(tmp_path / str(number), *made, web)
        if not whole:
            shutil.copytree(tmp_path / "ready" / "state", site.root / "state")
        moment = (fresh if whole else ready) * (number + chance.random()) / KILLS
        try:
            lines.append(one_kill(site, moment))
        finally:
            site.close()
    head = f"killed at | states then | runs | whole uploads  (a run takes {fresh:.1f} s)"
    sys.stdout.write("\n".join(["", head, *lines, ""]))


def lengths(root: Path, made: tuple[Keys, str], web: Web) -> tuple[float, float]:
    """Return how long a run takes from the page on, and how long when all is made and signed.

    The latter starts from the state in ``ready``, in which no server has taken anything.
    """
    site = Site(root / "ready", *made, web)
    refusing = site.stub()
    (refusing / "dput").write_text(
        '#!/bin/sh\ncase "$*" in *--check-only*) exit 0;; esac\necho Connection failed; exit 1\n'
    )
    fresh = a_run(site, refusing)
    assert site.states() == dict.fromkeys(SERIES, "claimed")
    shutil.copytree(site.root / "state", root / "state")
    ready = a_run(site, site.stub(PAUSE))
    assert site.states() == dict.fromkeys(SERIES, "sent")
    site.close()
    shutil.rmtree(site.root / "state")
    (root / "state").rename(site.root / "state")
    return fresh, ready


def told(upload: Upload) -> str:
    """Return an upload's state, and where it was being sent, that."""
    tries = upload.detail.get("tries", [])
    sending = bool(tries) and tries[-1]["result"] == "sending"
    return "sending" if sending else upload.state


def one_kill(site: Site, moment: float) -> str:
    bin_ = site.stub(PAUSE)
    a_run(site, bin_, moment)
    then = {upload.series: told(upload) for upload in site.uploads()}
    runs = 0
    site.later(minutes=6)
    while set(site.states().values()) != {"confirmed"} or len(site.states()) < len(SERIES):
        runs += 1
        assert runs < 12, (moment, then, site.states(), [u.detail for u in site.uploads()])
        a_run(site, bin_)
        site.later(minutes=31)
    found = Counter(path.name for path in site.arrived)
    assert len(found) == len(SERIES)
    assert set(found.values()) == {1}, (moment, found)
    assert len(site.ppa.sources) == len(SERIES)
    words = ", ".join(f"{name} {then.get(name, '-'):<9}" for name in SERIES)
    return f"{moment:7.2f} s | {words} | {runs} | {sum(found.values())}"
