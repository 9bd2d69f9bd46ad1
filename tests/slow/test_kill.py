"""Kill a sync at random moments: the next run ends as if nothing had been.

Thirty kills, spread over the whole length of an undisturbed run, each on a fresh set-up. The
build runs on this machine as it is, so that a run takes seconds; killing a build in a clean
chroot is tried once in `test_clean`.
"""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.system.lock import end_survivors

KILLS, GROUPS = 30, 6


def follow(root: Path, web: Web) -> Rig:
    """Return a fresh set-up that follows the vendor's two releases."""
    rig = Rig(root)
    write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1", backlog=2)
    return rig


@dataclass(frozen=True)
class State:
    """What must be the same after a kill as without one."""

    pool: dict[str, str]
    status: list[dict[str, Any]]
    uploads: list[tuple[str, str, str]]
    digests: dict[str, str]
    leftovers: list[Path]


def state_of(rig: Rig) -> State:
    proofs = [rig.json("evidence", "hello", version)["predicate"] for version in ("1.0", "1.1")]
    (row,) = rig.json("status", "hello")
    return State(
        pool=rig.pool(),
        status=[{key: row[key] for key in ("current", "newest", "status", "message")}],
        uploads=sorted(
            (u["version"], u["series"], u["state"]) for p in proofs for u in p["uploads"]
        ),
        digests={f"{p['version']}": p["unpack"]["orig"]["sha256"] for p in proofs},
        leftovers=rig.leftovers(),
    )


@pytest.mark.slow
@pytest.mark.parametrize("group", range(GROUPS))
def test_a_killed_sync_leaves_no_trace(group: int, tmp_path: Path, web: Web) -> None:
    publish(web, "1.0", "1.1")
    calm = follow(tmp_path / "calm", web)
    began = time.monotonic()
    calm.run("sync", "hello")
    length = time.monotonic() - began
    wanted = state_of(calm)
    assert len(wanted.uploads) == 2
    assert wanted.leftovers == []
    chance = random.Random(group)
    share = KILLS // GROUPS
    for number in range(share):
        # Each group covers the whole run: its kills fall in as many equal parts of it.
        moment = length * (number + chance.random()) / share
        rig = follow(tmp_path / f"kill-{number}", web)
        process = rig.start("sync", "hello")
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        rig.run("sync", "hello")
        found = state_of(rig)
        assert found == wanted, f"killed after {moment:.2f} of {length:.2f} s"
        assert end_survivors(rig.state) == 0
