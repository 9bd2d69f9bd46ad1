"""Kill a sync at random moments: the next run ends as if nothing had been.

Thirty kills of one tool, and twelve of four at once, spread over the whole length of an
undisturbed run, each on a fresh set-up. The
build runs on this machine as it is, so that a run takes seconds; killing a build in a clean
chroot is tried once in `test_clean`.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.system.lock import end_survivors

KILLS, GROUPS = 30, 6
ONE, FOUR = ("hello",), ("hello", "hello-b", "hello-c", "hello-d")


def follow(root: Path, web: Web, names: Sequence[str] = ONE) -> Rig:
    """Return a fresh set-up that follows two releases of each vendor, all tools at once."""
    rig = Rig(root)
    places = f"[pipeline]\nat_once = {len(names)}\n"
    settings = rig.settings.replace("[build]", f"[build]\nat_once = {len(names)}")
    rig.configure(places + settings)
    for name in names:
        url = f"{web.url}/{name}/"
        write_tool(rig.tools, url, "1.0", "1.1", name=name, backlog=2)
    return rig


@dataclass(frozen=True)
class State:
    """What must be the same after a kill as without one."""

    pool: dict[str, str]
    status: list[dict[str, Any]]
    uploads: list[tuple[str, str, str, str]]
    digests: dict[str, str]
    leftovers: list[Path]


def state_of(rig: Rig, names: Sequence[str] = ONE) -> State:
    proofs = [
        (name, rig.json("evidence", name, version)["predicate"])
        for name in names
        for version in ("1.0", "1.1")
    ]
    kept = ("tool", "current", "newest", "status", "message")
    return State(
        pool=rig.pool(),
        status=[{key: row[key] for key in kept} for row in rig.json("status", *names)],
        uploads=sorted(
            (name, u["version"], u["series"], u["state"])
            for name, p in proofs
            for u in p["uploads"]
        ),
        digests={f"{name} {p['version']}": p["unpack"]["orig"]["sha256"] for name, p in proofs},
        leftovers=rig.leftovers(),
    )


@pytest.mark.slow
@pytest.mark.parametrize("names", [ONE, FOUR], ids=["one", "four at once"])
@pytest.mark.parametrize("group", range(GROUPS))
def test_a_killed_sync_leaves_no_trace(
    group: int, names: Sequence[str], tmp_path: Path, web: Web
) -> None:
    for name in names:
        publish(web, "1.0", "1.1", name=name, path=f"/{name}/")
    calm = follow(tmp_path / "calm", web, names)
    began = time.monotonic()
    calm.run("sync", *names)
    length = time.monotonic() - began
    wanted = state_of(calm, names)
    assert len(wanted.uploads) == 2 * len(names)
    assert wanted.leftovers == []
    chance = random.Random(group)
    share = KILLS // GROUPS if names == ONE else 2
    for number in range(share):
        # Each group covers the whole run: its kills fall in as many equal parts of it.
        moment = length * (number + chance.random()) / share
        rig = follow(tmp_path / f"kill-{number}", web, names)
        process = rig.start("sync", *names)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        rig.run("sync", *names)
        found = state_of(rig, names)
        assert found == wanted, f"killed after {moment:.2f} of {length:.2f} s"
        assert end_survivors(rig.state) == 0
