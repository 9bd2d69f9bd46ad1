"""Builds that only sleep, by a back end from outside: for what many builds at once come to."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from debian.deb822 import Dsc

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.build.backend import Backend
from toolsync.build.backends import BACKENDS
from toolsync.build.job import LOG_LIMIT, Job, Made
from toolsync.config import keys
from toolsync.config.definition import Tool
from toolsync.pipeline.context import Context, opened
from toolsync.setup.settings import SettingsTables, load_config
from toolsync.setup.tools import load_tools
from toolsync.system.clock import SystemClock
from toolsync.system.run import run

Spans = list[tuple[float, float]]
"""When each build began to sleep and when it awoke, on the monotonic clock."""


def sleeper(spans: Spans) -> Backend:
    """Return a back end whose builds sleep for ``[build] sleep`` tenths of a second."""

    def build(job: Job) -> Made:
        began, seconds = time.monotonic(), job.own["sleep"] / 10
        words = ("sh", "-c", f"echo asleep; sleep {seconds}")
        run(*words, timeout=600, cwd=job.folder, log=job.log, limit=LOG_LIMIT)
        spans.append((began, time.monotonic()))
        return Made(changes=_packed(job), builder="asleep", tarball=None)

    return Backend(
        name="sleep",
        about="builds that only sleep",
        build=build,
        settings={"sleep": keys.number("for how many tenths of a second")},
    )


def _packed(job: Job) -> Path:
    """Write a package with next to nothing in it, and its .changes."""
    dsc = Dsc(job.dsc.read_text(encoding="utf-8"))
    source, version = dsc["Source"], dsc["Version"]
    control = job.folder / "empty" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text(
        f"Package: {source}\nVersion: {version}\nArchitecture: all\nMaintainer: T <t@t.example>\n"
        "Section: admin\nPriority: optional\nDescription: nothing\n"
    )
    (control.parents[1] / "note").write_text("slept\n")
    deb = job.folder / f"{source}_{version.partition(':')[2] or version}_all.deb"
    run("dpkg-deb", "--root-owner-group", "-Znone", "-b", control.parents[1], deb, timeout=60)
    digest = hashlib.md5(deb.read_bytes(), usedforsecurity=False).hexdigest()
    changes = deb.with_suffix(".changes")
    changes.write_text(f"Files:\n {digest} {deb.stat().st_size} admin optional {deb.name}\n")
    return changes


@contextmanager
def asleep(
    rig: Rig, web: Web, spans: Spans, *, tools: int, at_once: int, tenths: int
) -> Iterator[tuple[Context, Sequence[Tool]]]:
    """Open a set-up for the block in which so many tools have a release that sleeps."""
    for number in range(tools):
        name = name_of(number)
        publish(web, "1.0", name=name, path=f"/{name}/")
        write_tool(rig.tools, f"{web.url}/{name}/", "1.0", name=name)
    names = ", ".join(f'"{name_of(number)}"' for number in range(tools))
    rig.file.write_text(
        f'series = ["bookworm"]\ntools = [{names}]\n'
        f"[pipeline]\nat_once = {at_once if at_once == 1 else 2 * at_once}\n"
        f'[build]\nbackend = "sleep"\nsleep = {tenths}\nat_once = {at_once}\n'
        f'work = "{rig.work}"\ntests = false\nlint = false\n'
    )
    tables = SettingsTables(backends={**BACKENDS, "sleep": sleeper(spans)})
    with opened(
        load_config(rig.file, rig.state, tables),
        tell=lambda _: None,
        progress=lambda _: lambda done, total: None,
        clock=SystemClock(),
        purpose="a test",
    ) as context:
        found, faults = load_tools(context.config)
        assert not faults
        yield context, found


def name_of(number: int) -> str:
    """Return a tool's name, without a digit at its end that could be a version's."""
    return f"hello-{chr(ord('a') + number)}"


def most_at_once(spans: Spans) -> int:
    """Return how many builds slept at the same time at most."""
    return max(sum(a <= began < b for a, b in spans) for began, _ in spans)
