"""See that a chroot's archive has what a package is built with, before it is built.

apt decides, by its exit status, from the package lists that lie in the chroot's tarball; no network
is asked for that. What is missing there is looked for once more in the archive as it is now: only
what neither has is the package's fault. What is there and cannot be installed together is told by
sbuild, which tries it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolsync.build.chroot import Chroot
from toolsync.build.job import Job
from toolsync.build.relations import Unmet
from toolsync.model.errors import PackageFailed, ToolsyncError
from toolsync.system.run import run

if TYPE_CHECKING:
    from toolsync.build.archives import Archive

_SECONDS = 300
_PARTS = ("./etc/apt/*", "./var/lib/apt/lists/*", "./var/lib/dpkg/status")
"""What of a chroot says which packages it has and could have."""


class Lacking(PackageFailed):
    """The series does not have what a package is built with."""

    def __init__(
        self, what: str, unmet: Sequence[Unmet], elsewhere: Mapping[str, str] | None = None
    ) -> None:
        """``elsewhere`` says who would bring what is told."""
        self.what, self.unmet = what, tuple(unmet)
        places = elsewhere or {}
        told = [one.told for one in self.unmet]
        lines = [f"{line}; {places[line]}" if line in places else line for line in told]
        super().__init__(
            f"{what}: the series does not have what it is built with:\n" + "\n".join(lines),
            resolution="Take packaging that asks for less (toolsync adopt apt:NAME/SERIES), mend"
            " Build-Depends in the tool's debian/control, or leave this series out.",
        )

    def with_places(self, places: Mapping[str, str]) -> Lacking:
        """Return it with who would bring what is lacking, by what is told of that."""
        found = Lacking(self.what, self.unmet, places)
        found.log = self.log
        return found


def require_needs(job: Job, chroot: Chroot) -> None:
    """Raise Lacking where neither the chroot's lists nor the archive have what is built with.

    What cannot be found out is left to the build, and so is what another architecture has: the apt
    that is asked is this machine's own.
    """
    from toolsync.build.archives import control_of  # a status is told without its library

    if job.part.foreign:
        return
    try:
        lists = archive_in(chroot.path, job.series, job.folder.parent / "lists")
        if not lists.can_build(job.dsc) and lists.lacks(control_of(job.dsc)):
            unmet = job.lacks()
        else:
            unmet = ()
    except (ToolsyncError, OSError):
        return
    if unmet:
        raise Lacking(f"{job.dsc.name} is not built for {job.series}", unmet)


def archive_in(tarball: Path, series: str, folder: Path) -> Archive:
    """Return what apt knows in a chroot's tarball, laid out below ``folder``."""
    from toolsync.build.archives import Archive

    root, cache = folder / "root", folder / "cache"
    for place in (root, cache / "archives" / "partial"):
        place.mkdir(parents=True, exist_ok=True)
    run(
        *("tar", "--extract", "--file", tarball, "--directory", root, "--wildcards"),
        *("--no-same-owner", *_PARTS),
        timeout=_SECONDS,
    )
    settings = {
        "Dir": root,
        "Dir::State::status": root / "var/lib/dpkg/status",
        "Dir::Cache": cache,
        "Dir::Log": folder,
        "APT::Sandbox::User": "root",
    }
    lines = [f'{name} "{value}";' for name, value in settings.items()]
    (folder / "apt.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    env = {"APT_CONFIG": str(folder / "apt.conf"), "HOME": str(folder), "TMPDIR": str(folder)}
    return Archive(series, folder, env)
