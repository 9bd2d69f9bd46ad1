"""Build on this machine as it is: quick, and as clean as the machine; an operator's choice."""

from __future__ import annotations

import re

from toolsync.errors import ProgramFailed, SetupError
from toolsync.package.job import LOG_LIMIT, Job, Made, decisive_lines, failed
from toolsync.system.run import run

_UNMET = re.compile(r"Unmet build dependencies: *(.*)")


def build_on_host(job: Job) -> Made:
    """Build the binaries with dpkg-buildpackage.

    Raises SetupError where build dependencies are not installed (the machine is at fault, not
    the package), PackageFailed with the log's decisive lines where the build fails.
    """
    tree = job.folder / "tree"
    run("dpkg-source", "--no-check", "-x", job.dsc, tree, timeout=600, cwd=job.folder)
    try:
        done = run(
            *("dpkg-buildpackage", "--sanitize-env", "-us", "-uc", "-b"),
            cwd=tree,
            timeout=job.seconds,
            log=job.log,
            limit=LOG_LIMIT,
            env={"HOME": "/nonexistent", "TMPDIR": str(job.folder)},
            ok=range(256),
        )
    except ProgramFailed as error:  # too long, or too much to say
        raise failed(f"{job.dsc.name} did not build on this machine", str(error)) from error
    text = job.log.read_text(encoding="utf-8", errors="replace")
    if unmet := _UNMET.search(text):
        raise SetupError(
            f"{job.dsc.name} cannot be built on this machine: it lacks {unmet.group(1)}",
            resolution="Install these, or build in a clean chroot: [build] backend = 'sbuild'.",
        )
    if done.code:
        raise failed(f"{job.dsc.name} did not build on this machine", decisive_lines(text))
    (changes,) = job.folder.glob("*.changes")
    return Made(changes=changes, builder="host (dpkg-buildpackage on this machine)", tarball=None)
