"""``stopping KIND ROOT MARK SECONDS``: do something of upstream's that never ends.

It builds, tests or probes what sleeps for ``MARK`` seconds in several hidden ways, as `toolsync`
does, so that a test can stop it from outside. It ends with 7 when the time limit ended it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.support.releases import lay
from tests.support.tiny_packages import Context
from toolsync.build.autopkgtest import autopkgtest
from toolsync.build.chroot import Chroots, chroot_folder
from toolsync.build.job import Job
from toolsync.build.stage import build
from toolsync.config.settings import Build
from toolsync.model.errors import TryAgain
from toolsync.system import stop
from toolsync.system.clock import SystemClock
from toolsync.system.run import MARK
from toolsync.system.sandbox import Confinement, Sandbox


def hiding(mark: str, dollar: str) -> str:
    """Return shell words that leave their session, their parent and their output, and wait."""
    sleep = f"sleep {mark}"
    lost = f"(setsid env -i {sleep} >/dev/null 2>&1 </dev/null &)"
    return f"setsid {sleep} & {lost}; {sleep}; echo {dollar}$ >/dev/null"


def main(kind: str, root: Path, mark: str, seconds: float) -> int:
    """Do it; return the exit status."""
    context = Context(root)
    shared = Chroots(chroot_folder(), workshop=context.workshop, clock=SystemClock())
    if kind == "probe":
        tree = lay(root / "tree", {"bin/t": f"#!/bin/sh\n{hiding(mark, '$')}\n"})
        seen = Sandbox(tree, limits=Confinement(seconds=seconds)).run("/bin/sh", "/tool/bin/t")
        return 7 if seen.stopped else 0
    try:
        if kind == "build":
            rules = f"override_dh_auto_build:\n\t{hiding(mark, '$$')}\n"
            build(
                context.source(rules=rules),
                settings=Build(seconds=int(seconds), lint=False),
                store=context.store,
                workshop=context.workshop,
                chroots=shared,
            )
        else:
            _test(context, shared, hiding(mark, "$"), seconds)
    except TryAgain:
        return 7
    return 0


def _test(context: Context, shared: Chroots, command: str, seconds: float) -> None:
    built = context.built(files={"tests/control": f"Test-Command: {command}\n"})
    with context.workshop.folder("tests") as folder:
        files = [context.store.copy_to(blob, folder) for blob in built.files]
        job = Job(
            dsc=next(path for path in files if path.suffix == ".dsc"),
            folder=folder,
            series="bookworm",
            log=folder / "build.log",
            seconds=seconds,
            chroots=shared,
        )
        debs = tuple(path for path in files if path.suffix == ".deb")
        autopkgtest(job, debs=debs, tarball=shared.tarball("bookworm"))


if __name__ == "__main__":
    stop.listen()
    os.environ[MARK] = sys.argv[2]
    try:
        sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
    except KeyboardInterrupt:
        stop.leave()
