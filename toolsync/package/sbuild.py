"""Build in a clean chroot, with sbuild in unshare mode: no root, no network, nothing left."""

from __future__ import annotations

import re
from pathlib import Path

from toolsync.errors import ProgramFailed, SetupError
from toolsync.package.chroot import Chroot
from toolsync.package.job import (
    LOG_LIMIT,
    Job,
    Made,
    decisive_lines,
    failed,
    is_network_trouble,
    unreachable,
)
from toolsync.system.run import run

_SETTINGS = """\
$chroot_mode = 'unshare';
$unshare_tmpdir_template = '{folder}/sbuild.XXXXXXXXXX';
$build_dir = '{folder}';
# A fixed place, so that a package that records where it was built is still reproducible.
$build_path = '/build/reproducible';
$build_arch_all = 1;
$build_source = 0;
$clean_source = 0;
$apt_update = {update};
$apt_upgrade = 0;
$apt_distupgrade = {update};
$apt_clean = 0;
# The chroot is thrown away as a whole.
$purge_build_deps = 'never';
$purge_build_directory = 'never';
$run_lintian = 0;
$run_piuparts = 0;
$run_autopkgtest = 0;
$nolog = 1;
$log_colour = 0;
1;
"""
"""sbuild.conf(5). It stands in for the user's own, which must not change what is built."""

_STAGE = re.compile(r"^Fail-Stage: *(\S+)", re.MULTILINE)
_BUILD_STAGES = ("build", "check-space")
_NO_NAMESPACE = re.compile(r"unable to +(?:to )?unshare|invalid idmap|Operation not permitted")


def build_with_sbuild(job: Job) -> Made:
    """Build the binaries; return them with the name and age of the chroot.

    The mirror is asked for news only when the chroot is more than a day old, or when build
    dependencies could not be had from what it already knows. Raises PackageFailed with the
    log's decisive lines, Unreachable when the mirror did not answer, SetupError when this
    machine lets nobody map users.
    """
    chroot = job.chroots.get(job.series)
    update = not chroot.fresh
    stage = _attempt(job, chroot, update=update)
    if stage and stage not in _BUILD_STAGES and not update:
        # The lists may have grown stale within the day: a mirror drops what it replaces.
        stage = _attempt(job, chroot, update=True)
    if stage:
        raise _error(job, stage)
    (changes,) = job.folder.glob("*.changes")
    return Made(
        changes=changes,
        builder=f"sbuild (unshare), {job.series} chroot of {chroot.made:%Y-%m-%d}",
        tarball=chroot.path,
        findings=chroot.findings,
    )


def _attempt(job: Job, chroot: Chroot, *, update: bool) -> str:
    """Run sbuild once; return the stage at which it failed, empty when it did not."""
    settings = job.folder / "sbuild.conf"
    settings.write_text(_SETTINGS.format(folder=job.folder, update=int(update)), encoding="utf-8")
    job.log.unlink(missing_ok=True)
    try:
        done = run(
            "sbuild",
            f"--chroot={chroot.path}",
            f"--dist={job.series}",
            job.dsc,
            cwd=job.folder,
            timeout=job.seconds,
            log=job.log,
            limit=LOG_LIMIT,
            env={
                "SBUILD_CONFIG": str(settings),
                "HOME": str(job.folder),
                "TMPDIR": str(job.folder),
            },
            ok=range(256),
        )
    except ProgramFailed as error:  # too long, or too much to say
        raise failed(
            f"{job.dsc.name} did not build for {job.series}: {error}", _tail(job.log)
        ) from error
    if done.code == 0:
        return ""
    found = _STAGE.search(_text(job.log))
    return found.group(1) if found else "create-session"


def _error(job: Job, stage: str) -> Exception:
    text = _text(job.log)
    what = f"{job.dsc.name} did not build for {job.series} (sbuild's stage {stage})"
    if stage not in _BUILD_STAGES and is_network_trouble(text):
        return unreachable(what, text)
    if stage in ("create-session", "chroot-missing") or _NO_NAMESPACE.search(text):
        return SetupError(
            f"{what}: no chroot could be entered:\n{_tail(job.log)}",
            resolution="See that this user may make user namespaces: unshare --map-auto -r true",
        )
    return failed(what, decisive_lines(text))


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


def _tail(log: Path) -> str:
    return "\n".join(_text(log).splitlines()[-12:])
