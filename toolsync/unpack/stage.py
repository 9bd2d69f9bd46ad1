"""The stage: verified tarballs go in, their orig tarballs are in the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.model.release import Blob, ComponentOrig, Part, Unpacked, Verified
from toolsync.system.store import Store
from toolsync.system.work import Workshop
from toolsync.unpack.exclusions import Exclusions
from toolsync.unpack.orig import Orig, make_orig
from toolsync.unpack.stated import stated_version


def unpack(
    item: Verified,
    *,
    tool: Tool,
    store: Store,
    limits: Limits,
    workshop: Workshop,
    exclude: bool = True,
) -> Unpacked:
    """Return ``item`` with the orig tarballs of all its parts in the store.

    Without ``exclude`` debian/copyright's Files-Excluded do not count. Raises Hostile for what
    no honest upstream would publish, Held when debian/copyright leaves nothing over, SetupError
    for a debian/copyright that cannot be read, OutOfSpace.
    """
    release = item.release
    parts = (release.main, *release.components)
    with workshop.folder("unpack") as folder:
        version = parts[0].orig_version or release.version
        maker = _Maker(tool, store, limits, folder, exclude, version)
        made = [maker.orig(part, blob) for part, blob in zip(parts, item.contents, strict=True)]
        named = _named(parts[0], made, version)
        stated = stated_version(store.path(item.contents[0]), tool, limits)
        blobs = [
            maker.kept(orig, content, named)
            for orig, content in zip(made, item.contents, strict=True)
        ]
    main = made[0]
    return Unpacked(
        verified=item,
        orig=blobs[0],
        untouched=main.untouched,
        members=main.members,
        excluded=main.excluded,
        epoch=max(orig.epoch for orig in made),
        findings=tuple(finding for orig in made for finding in orig.findings),
        components=tuple(
            ComponentOrig(
                component=part.component,
                orig=blob,
                untouched=orig.untouched,
                members=orig.members,
                excluded=orig.excluded,
                top=orig.top,
            )
            for part, orig, blob in zip(parts[1:], made[1:], blobs[1:], strict=True)
        ),
        named="" if named == release.version else named,
        top=main.top,
        stated=stated,
    )


def _named(main: Part, made: list[Orig], version: str) -> str:
    """Return the version in the orig tarballs' names: it may tell that something was left out."""
    repacked = main.repacked_version and any(orig.excluded for orig in made)
    return main.repacked_version if repacked else version


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the orig tarballs of one release, each in a folder of its own."""

    tool: Tool
    store: Store
    limits: Limits
    folder: Path
    exclude: bool
    version: str

    def orig(self, part: Part, content: Blob) -> Orig:
        """Return a part's orig tarball, named as if nothing was left out of any part."""
        exclusions = Exclusions()
        if self.exclude:
            exclusions = Exclusions.read(self.tool.debian / "copyright", part.component)
        return make_orig(
            self.store.path(content),
            source=self.tool.source,
            version=self.version,
            exclusions=exclusions,
            limits=self.limits,
            folder=self.folder / f"orig-{part.component}",
            compression=part.compression or "xz",
            component=part.component,
            force=part.repack,
            wrap=part.wrap,
        )

    def kept(self, orig: Orig, content: Blob, named: str) -> Blob:
        """Put an orig tarball into the store, under the name that bears the version ``named``.

        An untouched file is there already, under the same digest.
        """
        name = orig.name.replace(f"_{self.version}.orig", f"_{named}.orig", 1)
        if orig.untouched:
            return replace(content, name=name)
        return self.store.add_file(orig.path, name)
