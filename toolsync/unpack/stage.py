"""The stage: a verified archive goes in, its orig tarball is in the store."""

from __future__ import annotations

from dataclasses import replace

from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.model.release import Unpacked, Verified
from toolsync.system.store import Store
from toolsync.system.work import Workshop
from toolsync.unpack.exclusions import Exclusions
from toolsync.unpack.orig import make_orig


def unpack(
    item: Verified, *, tool: Tool, store: Store, limits: Limits, workshop: Workshop
) -> Unpacked:
    """Return ``item`` with its orig tarball in the store.

    Raises Hostile for what no honest upstream would publish, Held when debian/copyright leaves
    nothing over, SetupError for a debian/copyright that cannot be read, OutOfSpace.
    """
    archive = item.fetched.archive
    exclusions = Exclusions.read(tool.debian / "copyright")
    with workshop.folder("unpack") as folder:
        orig = make_orig(
            store.path(archive),
            source=tool.source,
            version=item.fetched.release.version,
            exclusions=exclusions,
            limits=limits,
            folder=folder,
        )
        # An untouched file is in the store already, under the same digest.
        if orig.untouched:
            blob = replace(archive, name=orig.name)
        else:
            blob = store.add_file(orig.path, orig.name)
    return Unpacked(
        verified=item,
        orig=blob,
        untouched=orig.untouched,
        members=orig.members,
        excluded=orig.excluded,
        epoch=orig.epoch,
        findings=orig.findings,
    )
