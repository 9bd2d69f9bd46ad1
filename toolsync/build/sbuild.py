"""Build in a clean chroot, with sbuild in unshare mode: no root, no network, nothing left."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from toolsync.build.backend import Backend
from toolsync.build.chroot import Chroot
from toolsync.build.chrootdoctor import looks
from toolsync.build.job import (
    LOG_LIMIT,
    Job,
    Made,
    decisive_lines,
    failed,
    failed_build,
    last_lines,
    no_room,
    too_long,
    unreachable,
)
from toolsync.build.mapping import can_map
from toolsync.build.needs import Lacking, require_needs
from toolsync.build.variation import ALL, Variation
from toolsync.config import keys
from toolsync.model.errors import ProgramFailed, SetupError, TookTooLong, ToolsyncError, TryAgain
from toolsync.system.architectures import bits, own
from toolsync.system.run import require, run

_SETTINGS = """\
$chroot_mode = 'unshare';
$unshare_tmpdir_template = '{folder}/sbuild.XXXXXXXXXX';
$build_dir = '{folder}';
# A fixed place, so that a package that records where it was built is still reproducible.
$build_path = '/build/reproducible';
$build_arch_all = {all};
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

_VARIED = """\
$build_path = '{path}';
$manual_depends = [{packages}];
$dpkg_buildpackage_user_options = ['--rules-file={rules}'];
1;
"""
"""The same of a second build, which follows the above."""

_PERSONALITY = {"amd64": 135, "arm64": 92}
"""The number of personality(2), by a machine's architecture of 64 bits that may run 32."""
_LINUX32, _BITS = 8, 32

_STAGE = re.compile(r"^Fail-Stage: *(\S+)", re.MULTILINE)
"""A line of sbuild's own summary, which it writes when nothing of the package runs any more."""
_SETTLED = ("build", "check-space")
"""Stages that fresh package lists cannot help."""
_PACKAGE_STAGES = (
    *("build", "unpack", "arch-check", "check-architecture"),
    *("check-unpacked-version", "parse-changes", "fetch-src"),
)
"""Stages at which the package is at fault; at others it is the chroot, the mirror, or we."""
_LACKING = re.compile(
    # What it asks for is not in the series. A dependency that is there and cannot be installed
    # is another's trouble, mostly of a mirror that is being changed. At this stage apt alone has
    # spoken: nothing of the package was unpacked yet.
    r"^ *sbuild-build-depends-\S+ : .*(?:\n {8,}.*)*?(?:not installable|is to be installed)"
    r"|none of the choices are installable"
    r"|Unable to locate package",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class _Failed:
    """What is known of a build that failed, without its log."""

    stage: str
    full: Path | None


def build_with_sbuild(job: Job) -> Made:
    """Build the binaries; return them with the name and age of the chroot.

    The mirror is asked for news only when the chroot is more than a day old, or when build
    dependencies could not be had from what it already knows. Raises Lacking before anything is
    installed where the series does not have what is built with, PackageFailed with the log's
    decisive lines, Unreachable when the mirror did not answer, OutOfSpace when the disk was full,
    TryAgain when the time was over or the chroot broke, SetupError when this machine lets nobody
    map users or lacks a program.
    """
    require("ip")  # without it sbuild goes on with no loopback, or dies as if a package had failed
    chroot = job.chroots.get(job.series, job.part.foreign)
    require_needs(job, chroot)
    update = not chroot.fresh
    found = _attempt(job, chroot, update=update)
    if found and found.stage not in _SETTLED and not update:
        # The lists may have grown stale within the day: a mirror drops what it replaces.
        found = _attempt(job, chroot, update=True)
    if found:
        raise trouble(job, found.stage, _text(job.log), full=found.full)
    (changes,) = job.folder.glob("*.changes")
    return Made(
        changes=changes,
        builder=f"sbuild (unshare), {chroot.name} chroot of {chroot.made:%Y-%m-%d}",
        tarball=chroot.path,
        findings=chroot.findings,
    )


def _attempt(job: Job, chroot: Chroot, *, update: bool) -> _Failed | None:
    """Run sbuild once; return at which stage it failed, None when it did not."""
    settings = job.folder / "sbuild.conf"
    text = _SETTINGS.format(folder=job.folder, update=int(update), all=int(not job.part.alone))
    text += _personality(job.part.foreign)
    text += _varied(job.varied) if job.varied else ""
    settings.write_text(text, encoding="utf-8")
    job.log.unlink(missing_ok=True)
    try:
        done = run(
            "sbuild",
            f"--chroot={chroot.path}",
            f"--dist={job.series}",
            *((f"--arch={job.part.foreign}",) if job.part.foreign else ()),
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
            isolation=job.isolation,
        )
    except TookTooLong as error:
        what = f"{job.dsc.name} did not build for {job.series}"
        raise too_long(what, error, _text(job.log)) from error
    except ProgramFailed as error:  # it said, or used, too much
        what = f"{job.dsc.name} did not build for {job.series}: {error}"
        raise failed(what, last_lines(_text(job.log))) from error
    if done.code == 0:
        return None
    found = _STAGE.findall(_text(job.log))
    return _Failed(found[-1] if found else "create-session", done.full)


def _personality(foreign: str) -> str:
    """Return the setting by which programs of 32 bits are told of a processor of 32 bits."""
    number = _PERSONALITY.get(own())
    if not foreign or number is None or bits(foreign) != _BITS:
        return ""
    return f'syscall({number}, {_LINUX32}) >= 0 or die "personality: $!";\n1;\n'


def _varies() -> frozenset[str]:
    """Return what can be other in a second build: everything."""
    return ALL


def _varied(varied: Variation) -> str:
    """Return the settings by which a second build has other surroundings; all words are ours."""
    packages = [*varied.packages, *(["faketime"] if varied.days else [])]
    return _VARIED.format(
        path=varied.path or "/build/reproducible",
        packages=", ".join(f"'{package}'" for package in packages),
        rules=varied.rules,
    )


def trouble(job: Job, stage: str, text: str, *, full: Path | None) -> ToolsyncError:
    """Return whose fault it is that sbuild failed at ``stage``; ``full`` is where a disk was.

    Only what is the package's own is remembered against it, as PackageFailed.
    """
    what = f"{job.dsc.name} did not build for {job.series} (sbuild's stage {stage})"
    if stage == "check-space" or full is not None:
        return no_room(what, full or job.folder, text)
    if stage == "install-deps" and _LACKING.search(text):
        lacks = job.lacks()
        return Lacking(what, lacks) if lacks else failed(what, decisive_lines(text))
    if stage in _PACKAGE_STAGES:
        return failed_build(what, text)
    if stage == "create-session" or not can_map():
        return SetupError(
            f"{what}: no chroot could be entered:\n{last_lines(text)}",
            resolution="See what `toolsync doctor` says of user namespaces; if they work, remove"
            " the series' chroot, and a new one is made.",
        )
    if not job.chroots.mirror_answers(job.series):
        return unreachable(what, text)
    return TryAgain(
        f"{what}: chroot or mirror were not ready:\n{decisive_lines(text)}",
        resolution="Run again later; if it stays so, remove the series' chroot, and a new one is"
        " made, or set [build] mirror to another one.",
    )


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


SBUILD = Backend(
    name="sbuild",
    about="a clean chroot",
    build=build_with_sbuild,
    settings={
        "chroot_days": keys.number("after how many days a chroot is made anew"),
        "mirror": keys.text("the Debian mirror for chroots; mmdebstrap's own default if empty"),
        "chroots": keys.text("the folder that keeps chroot tarballs"),
    },
    foreign=True,
    varies=_varies,
    programs=(
        "autopkgtest",
        "ip",
        "lintian",
        "mmdebstrap",
        "newgidmap",
        "newuidmap",
        "sbuild",
        "zstd",
    ),
    looks=looks,
)
