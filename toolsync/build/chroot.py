"""Clean chroots, one tarball for each series and architecture, made once and renewed when old.

sbuild and autopkgtest unpack the tarball anew for every use. It holds a series' build
essentials and debhelper; dh-python and its Python lie in apt's cache only, so that installing
them needs no network while a package that forgets to declare them still fails.

The tarballs lie beside the work folders (below /var/tmp) and not in the state folder:
autopkgtest reads them as a mapped user, who cannot pass through a private folder. Whoever can
write there chooses what every build runs in, so folder and tarball are looked at before they
are trusted. State folders share them: a lock for each has one toolsync make it while the others
wait.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from toolsync.build.mapping import require_mapping
from toolsync.config.series import series_tag
from toolsync.model.errors import ProgramFailed, SetupError, TryAgain, Unreachable
from toolsync.model.release import Finding
from toolsync.system.architectures import own
from toolsync.system.clock import Clock
from toolsync.system.mirror import answers, lacks
from toolsync.system.private import OTHERS_WRITE, open_private, own_folder, shared_folder
from toolsync.system.run import run
from toolsync.system.store import full_disk_is_told, sync_folder
from toolsync.system.work import PLACE, Workshop

_SECONDS = 3600
_FRESH = timedelta(days=1)
_INCLUDE = "apt,debhelper,fakeroot,ca-certificates"
"""apt stands there for Ubuntu, where it is only `important` and so no part of the variant."""
_COMPONENTS = {"debian": "main", "ubuntu": "main,universe"}
"""Where build dependencies may come from: Ubuntu's main alone has few of them."""
_PREFETCH = "dh-python python3-all"

_PORTS = "ports.ubuntu.com"
_HOSTS = {
    "debian": ("deb.debian.org", "security.debian.org"),
    "ubuntu": ("archive.ubuntu.com", "security.ubuntu.com", _PORTS),
}
"""Where mmdebstrap(1) and chroots take packages from unless they are told otherwise."""

Told = Callable[[str], None]
"""Takes a line of progress for a person."""


class NotOffered(SetupError):
    """The mirror has no such series, or nothing of that architecture: none will come of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chroot:
    """One series' tarball."""

    name: str
    """Its series, and its architecture where that is not this machine's own."""
    path: Path
    made: datetime
    fresh: bool
    """Its package lists are of the last day, so that they need not be fetched again."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Which:
    """Which chroot is wanted."""

    series: str
    distribution: str
    architecture: str

    @property
    def name(self) -> str:
        """By what its files are called."""
        return "-".join(filter(None, (self.series, self.architecture)))


class Chroots:
    """The tarballs in one folder; ``days`` is the age at which one is made anew."""

    def __init__(
        self,
        folder: Path,
        *,
        mirror: str = "",
        days: int = 14,
        workshop: Workshop,
        clock: Clock,
        told: Told = lambda line: None,
    ) -> None:
        self._folder, self._mirror, self._days = folder.absolute(), mirror, days
        self._workshop, self._clock, self._told = workshop, clock, told

    def tarball(self, series: str) -> Path:
        """Return a series' tarball; see `get`."""
        return self.get(series).path

    def get(self, series: str, architecture: str = "") -> Chroot:
        """Return a series' chroot, made or renewed where that is due.

        With ``architecture`` it is that of another one than this machine's own. A renewal that
        fails keeps the old one and says so in a finding. Raises SetupError when this machine cannot
        make chroots, somebody else could have put one there, or the mirror has no such packages,
        Unreachable when it gives nothing.
        """
        distribution, _ = series_tag(series)
        require_mapping()
        which = _Which(series, distribution, architecture)
        path = self._folder / f"{which.name}.tar.zst"
        with full_disk_is_told(self._folder):
            shared_folder(self._folder)
        check_chroot_folder(self._folder)
        return self._young(which, path) or self._renewed(which, path)

    def _young(self, which: _Which, path: Path) -> Chroot | None:
        """Return the chroot that is there, unless there is none or it is due to be renewed."""
        made = _made(path)
        if made is None or self._clock.now() - made >= timedelta(days=self._days):
            return None
        return self._chroot(which, path, made)

    def _renewed(self, which: _Which, path: Path) -> Chroot:
        """Make the chroot, or wait for the toolsync that is making it."""
        with self._alone(which.name):
            return self._young(which, path) or self._made_anew(which, path)

    def _made_anew(self, which: _Which, path: Path) -> Chroot:
        made, name = _made(path), which.name
        try:
            self._make(which, path)
        except (TryAgain, ProgramFailed, NotOffered) as error:
            if made is None:
                raise
            self._told(f"the {name} chroot of {made:%Y-%m-%d} could not be renewed")
            finding = Finding(
                stage="build",
                code="old-chroot",
                severity="risky",
                message=f"the {name} chroot of {made:%Y-%m-%d} could not be renewed: {error}",
            )
            return self._chroot(which, path, made, finding)
        renewed = _made(path)
        assert renewed is not None
        return self._chroot(which, path, renewed)

    def _chroot(self, which: _Which, path: Path, made: datetime, *findings: Finding) -> Chroot:
        fresh = self._clock.now() - made < _FRESH
        return Chroot(name=which.name, path=path, made=made, fresh=fresh, findings=findings)

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Hold a chroot's lock, which the kernel gives back when its holder ends.

        The lock's file stays: removing it would give two processes two locks.
        """
        path = self._folder / f".{name}.lock"
        with full_disk_is_told(self._folder):
            fd = open_private(path)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._told(f"waiting for whoever makes the {name} chroot")
                fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _make(self, which: _Which, path: Path) -> None:
        from toolsync.build.keyrings import archive_keyring  # only where one is made

        keyring, name = archive_keyring(which.series), which.name
        self._told(f"making a clean {name} chroot (once, about a minute)")
        for scrap in self._folder.glob(f".{name}.*.tar.zst"):
            scrap.unlink()  # a killed run's: nobody else makes this one while we hold its lock
        # The suffix decides the compression, so it stays last.
        temp = self._folder / f".{name}.{os.getpid()}.tar.zst"
        try:
            self._bootstrap(which, keyring, temp)
            temp.chmod(0o644)  # whatever our umask: mapped users read it, nobody else writes it
            with temp.open("rb") as handle:
                os.fsync(handle.fileno())
            os.replace(temp, path)
        finally:
            temp.unlink(missing_ok=True)
        sync_folder(self._folder)

    def _bootstrap(self, which: _Which, keyring: Path, target: Path) -> None:
        named = [self._mirror] if self._mirror and which.distribution == "debian" else []
        series, foreign = which.series, which.architecture
        with self._workshop.folder("chroot") as folder:
            # mmdebstrap unpacks below TMPDIR as a mapped user.
            folder.chmod(0o1777)
            try:
                run(
                    "mmdebstrap",
                    *("--variant=buildd", "--mode=unshare", f"--include={_INCLUDE}"),
                    *((f"--architectures={foreign}",) if foreign else ()),
                    *(f"--components={_COMPONENTS[which.distribution]}", f"--keyring={keyring}"),
                    *_OPTIONS,
                    series,
                    target,
                    *named,
                    timeout=_SECONDS,
                    env={"TMPDIR": str(folder), "HOME": str(folder)},
                )
            except ProgramFailed as error:
                mirror = self._mirror_of(series, foreign)
                _require_offered(which, mirror, error)
                if answers(mirror, series):
                    raise TryAgain(
                        f"no {which.name} chroot could be made: {error}",
                        resolution="Run again later: a mirror that is being changed has files that"
                        " do not fit; if it stays so, see that it has this architecture, or set"
                        " [build] mirror to another one.",
                    ) from error
                raise Unreachable(
                    f"no {which.name} chroot could be made: its mirror does not answer: {error}",
                    resolution="Run again later, or set [build] mirror to one that answers.",
                ) from error

    def mirror_answers(self, series: str) -> bool:
        """Ask the mirror of a series' packages ourselves whether it is there."""
        return answers(self._mirror_of(series), series)

    def mirror_hosts(self, series: str) -> tuple[str, ...]:
        """Return the hosts from which a chroot takes packages, as `proxy` takes them."""
        distribution, _ = series_tag(series)
        place = urlsplit(self._mirror_of(series)).netloc.rpartition("@")[2]
        return (*((place,) if place else ()), *_HOSTS[distribution])

    def _mirror_of(self, series: str, architecture: str = "") -> str:
        distribution, _ = series_tag(series)
        named = self._mirror if distribution == "debian" else ""
        return named or default_mirror(distribution, architecture)


_OPTIONS = (
    # With the lists kept, neither sbuild nor autopkgtest must fetch them while they are fresh.
    "--skip=cleanup/apt/lists,cleanup/apt/cache",
    '--aptopt=Acquire::Languages "none"',
    # What is lost in a crash is a chroot that is thrown away anyway.
    "--dpkgopt=force-unsafe-io",
    # man-db's own switch for its trigger, which indexes manual pages for nobody.
    '--customize-hook=rm -f "$1/var/lib/man-db/auto-update"',
    '--customize-hook=chroot "$1" apt-get clean',
    '--customize-hook=chroot "$1" apt-get -qy --download-only --no-install-recommends'
    f" install {_PREFETCH}",
    '--customize-hook=rm -f "$1"/var/cache/apt/*.bin',
)


def default_mirror(distribution: str, architecture: str = "") -> str:
    """Return where mmdebstrap(1) takes a distribution's packages for an architecture from.

    It is this machine's own if empty. Ubuntu has a place of its own for all but two.
    """
    if distribution == "ubuntu" and (architecture or own()) not in ("amd64", "i386"):
        return f"http://{_PORTS}/ubuntu-ports"
    return f"http://{_HOSTS[distribution][0]}/{distribution}"


def _require_offered(which: _Which, mirror: str, error: ProgramFailed) -> None:
    """Raise NotOffered where the mirror says that it has no such packages: none will come.

    It is asked only after a chroot could not be made.
    """
    architecture = which.architecture or own()
    if what := lacks(mirror, which.series, architecture):
        raise NotOffered(
            f"no {which.name} chroot can be made: {mirror} has {what}",
            resolution=f"Leave {architecture} out of [local] architectures or {which.series}"
            " out of `series`, have the tool name other series ([package] series), or set"
            " [build] mirror to one that has it.",
        ) from error


def chroot_folder(named: str = "") -> Path:
    """Return the folder for tarballs: ``named`` ([build] chroots), or this user's own one."""
    return Path(named) if named else own_folder(PLACE, f"toolsync-{os.geteuid()}-chroots")


def check_chroot_folder(folder: Path) -> None:
    """Raise SetupError for a folder that others could fill, or that mapped users cannot reach.

    One that is not there yet is fine where mapped users can reach it.
    """
    parents = [parent for parent in (folder, *folder.parents) if os.path.lexists(parent)]
    for parent in parents:
        if not parent.stat().st_mode & stat.S_IXOTH:
            raise SetupError(
                f"{folder} cannot hold chroots: mapped users may not pass through {parent}",
                resolution="Name a folder outside of homes in toolsync.toml: [build] chroots.",
            )
    if folder not in parents:
        return
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise SetupError(
            f"{folder} belongs to somebody else or is no folder",
            resolution="Remove it, or name another folder in toolsync.toml: [build] chroots.",
        )
    if found.st_mode & OTHERS_WRITE:
        raise SetupError(
            f"others may write to {folder}, wanted a folder that only we write to: builds run in"
            " what lies there",
            resolution=f"Remove what is in it and: chmod go-w {folder}",
        )


def _made(path: Path) -> datetime | None:
    """Return when a tarball was made, None when there is none; refuse what is not ours."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    faults = {
        "no plain file": not stat.S_ISREG(found.st_mode),
        "somebody else's": found.st_uid != os.geteuid(),
        "open for others to write": bool(found.st_mode & OTHERS_WRITE),
    }
    if any(faults.values()):
        fault = next(word for word, true in faults.items() if true)
        raise SetupError(
            f"{path} is {fault}, wanted a tarball that we made and that only we write to",
            resolution="Remove it: the next build makes a new one. Find out who put it there.",
        )
    return datetime.fromtimestamp(found.st_mtime, UTC)
