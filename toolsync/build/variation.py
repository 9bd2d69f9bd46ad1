"""In what a second build is other than the first, so that what depends on it shows.

The variations are those of reproducible-builds.org that a clean chroot leaves open: the path, the
umask, the time zone and the day. Path and packages are for the backend to heed; the others go to
debian/rules by words that dpkg-buildpackage(1) runs it with, since `--sanitize-env` would undo
them before.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

PATH, UMASK, ZONE, CLOCK, PACKAGES = "path", "umask", "time zone", "clock", "build dependencies"
ALL = frozenset((PATH, UMASK, ZONE, CLOCK, PACKAGES))
"""What a backend may heed of a variation (`Backend.varies`)."""

_DEPENDS = re.compile(r"([a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?) \(= ([0-9A-Za-z.+:~-]+)\)\Z")
_MANY = 5000
"""Packages that a .buildinfo may name; it comes out of the build, and so from strangers."""


_ELSEWHERE = (
    "perl",
    "-eopen(F,q{>/proc/sys/kernel/ns_last_pid});print{F}(300+int(rand(3e4)));close(F);exit(system(@ARGV)?1:0)",
)
"""Begins a program by a process number that is hardly anybody's: faketime names what it shares in
/dev/shm by its own one, which is low in each process namespace, and ends where that is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """The surroundings of a second build; what is empty or 0 stays as in the first."""

    path: str = "/build/another-place/of-another-length"
    """An absolute path for the source tree."""
    umask: int = 0o002
    zone: str = "LINT-14"
    """As TZ has it in POSIX: UTC+14, which every system knows without a database of zones."""
    days: int = 400
    """How far the clock is ahead: another day, month and year."""
    packages: tuple[str, ...] = ()
    """Versions of build dependencies to install, as ``NAME (= VERSION)``."""

    def only(self, names: Collection[str]) -> Variation:
        """Return it without what is not among ``names``."""
        return replace(
            self,
            path=self.path if PATH in names else "",
            umask=self.umask if UMASK in names else 0,
            zone=self.zone if ZONE in names else "",
            days=self.days if CLOCK in names else 0,
            packages=self.packages if PACKAGES in names else (),
        )

    @property
    def rules(self) -> str:
        """The words of ``--rules-file`` by which debian/rules is run; no word has a space in it."""
        words = ["env", *([f"TZ={self.zone}"] if self.zone else [])]
        if self.days:
            # The times of files stay true: make compares them, and dpkg-deb keeps older ones.
            words += ["NO_FAKE_STAT=1", "DONT_FAKE_MONOTONIC=1", *_ELSEWHERE]
            words += ["faketime", "-f", f"+{self.days}d"]
        if self.umask:
            words += ["perl", f"-eumask({self.umask:#o});exec(@ARGV)".replace("0o", "0")]
        return " ".join((*words, "debian/rules"))

    def told(self) -> tuple[str, ...]:
        """Return what is varied, in words for the evidence."""
        told = (
            f"{PATH} …/{PurePosixPath(self.path).name}" if self.path else "",
            f"{UMASK} {self.umask:04o}" if self.umask else "",
            f"{ZONE} {self.zone}" if self.zone else "",
            f"{CLOCK} {self.days} days ahead" if self.days else "",
        )
        return tuple(filter(None, told))


def installed(buildinfo: str) -> dict[str, str]:
    """Return the versions of Installed-Build-Depends (deb-buildinfo(5)), by package.

    What has another form is left out: these words go into the settings of a program.
    """
    from debian.deb822 import Deb822  # heavy, and rarely needed

    field = Deb822(buildinfo.splitlines()).get("Installed-Build-Depends", "")
    parts = (part.strip() for part in field.split(",")[:_MANY])
    return {match[1]: match[2] for part in parts if (match := _DEPENDS.match(part))}
