"""Build on this machine as it is: quick, and as clean as the machine; an operator's choice."""

from __future__ import annotations

from pathlib import Path

from toolsync.build import variation
from toolsync.build.backend import Backend
from toolsync.build.job import (
    LOG_LIMIT,
    Job,
    Made,
    failed,
    failed_build,
    no_room,
    too_long,
)
from toolsync.model.errors import ProgramFailed, SetupError, TookTooLong
from toolsync.system.programs import find
from toolsync.system.run import run


def build_on_host(job: Job) -> Made:
    """Build the binaries with dpkg-buildpackage.

    Raises SetupError where build dependencies are not installed (the machine is at fault, not
    the package), TryAgain where time or disk did not suffice, PackageFailed with the log's
    decisive lines where the build fails.
    """
    what = f"{job.dsc.name} did not build on this machine"
    varied = job.varied
    tree = job.folder / (Path(varied.path).name if varied and varied.path else "tree")
    run("dpkg-source", "--no-check", "-x", job.dsc, tree, timeout=600, cwd=job.folder)
    _see_dependencies(job, tree)
    try:
        done = run(
            *("dpkg-buildpackage", "--sanitize-env", "-us", "-uc"),
            "-B" if job.part.alone else "-b",
            *((f"--rules-file={varied.rules}",) if varied else ()),
            cwd=tree,
            timeout=job.seconds,
            log=job.log,
            limit=LOG_LIMIT,
            env={"TMPDIR": str(job.folder)},
            ok=range(256),
            isolation=job.isolation,
        )
    except TookTooLong as error:
        raise too_long(what, error, job.log.read_text(errors="replace")) from error
    except ProgramFailed as error:  # it said, or used, too much
        raise failed(what, str(error)) from error
    text = job.log.read_text(encoding="utf-8", errors="replace")
    if done.code and done.full is not None:
        raise no_room(what, done.full, text)
    if done.code:
        raise failed_build(what, text)
    (changes,) = job.folder.glob("*.changes")
    return Made(changes=changes, builder="host (dpkg-buildpackage on this machine)", tarball=None)


def _see_dependencies(job: Job, tree: Path) -> None:
    """Raise SetupError where this machine lacks what the package needs to be built."""
    done = run("dpkg-checkbuilddeps", timeout=60, cwd=tree, ok=range(256))
    if done.code:
        raise SetupError(
            f"{job.dsc.name} cannot be built on this machine: {done.tail}",
            resolution="Install these, or build in a clean chroot: [build] backend = 'sbuild'.",
        )


def _varies() -> frozenset[str]:
    """Return what can be other in a second build here: packages cannot."""
    clock = {variation.CLOCK} if find("faketime") else set()
    return frozenset({variation.PATH, variation.UMASK, variation.ZONE, *clock})


HOST = Backend(
    name="host",
    about="this machine as it is",
    build=build_on_host,
    programs=("dh", "dpkg-buildpackage", "lintian"),
    varies=_varies,
)
