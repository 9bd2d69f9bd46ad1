"""What a PPA refuses of a package itself: told by mail alone once it is sent, so asked before.

The rules are those of Launchpad's upload processor: debian/changelog and debian/copyright are
files of at most 10 MiB, and the PPA must be able to build at least one of the architectures.
"""

from __future__ import annotations

from debian.deb822 import Dsc

from toolsync.archives.extract import read_members
from toolsync.archives.member import Kind
from toolsync.config.settings import Limits
from toolsync.model.errors import Held, SetupError
from toolsync.model.release import SourcePackage
from toolsync.system.architectures import ALL, permits
from toolsync.system.launchpad import Launchpad
from toolsync.system.store import Store

_TEXTS = ("debian/changelog", "debian/copyright")
_LARGEST = 10 * 1024**2
"""Bytes of each of them."""


def check_texts(source: SourcePackage, store: Store, limits: Limits) -> None:
    """Raise Held where a text that Launchpad reads is a link, or larger than it reads."""
    for blob in source.files:
        if ".debian.tar." not in blob.name:
            continue
        for member in read_members(store.path(blob), limits):
            if member.path not in _TEXTS:
                continue
            what = f"{member.path} of {source.name} {source.version}"
            if member.kind is not Kind.FILE:
                raise Held(
                    f"{what} is a {member.kind} to {member.target}, which Launchpad refuses",
                    resolution="Put the text itself there, in the tool's debian/.",
                )
            if member.size > _LARGEST:
                raise Held(
                    f"{what} has {member.size} bytes, and Launchpad takes {_LARGEST}",
                    resolution="Shorten it, in the tool's debian/.",
                )


def check_architectures(
    api: Launchpad, reference: str, source: SourcePackage, store: Store
) -> None:
    """Raise SetupError where the PPA builds nothing that the package is for."""
    dsc = Dsc(store.path(source.files[0]).read_text(encoding="utf-8"))
    wanted = str(dsc.get("Architecture", "any")).split()
    built = api.architectures(reference, source.series)
    if not any(ALL in wanted or permits(wanted, arch) for arch in built):
        raise SetupError(
            f"{reference} builds {', '.join(built) or 'nothing'} in {source.series}, and"
            f" {source.name} is for {' '.join(wanted)}: Launchpad would refuse it",
            resolution="Let the PPA build another architecture (on its page: Change details), or"
            " mend Architecture in the tool's debian/control.",
        )
