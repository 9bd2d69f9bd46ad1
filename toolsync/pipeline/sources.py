"""Say which source package a target is given: the one that was claimed, or one made now."""

from __future__ import annotations

from toolsync.config.definition import Tool
from toolsync.config.series import series_tag
from toolsync.journal.key import Key
from toolsync.journal.uploads import Upload
from toolsync.model.errors import Replaced
from toolsync.model.release import Licensed, SourcePackage, dump
from toolsync.package import floors
from toolsync.package.stage import KnownOrig, package
from toolsync.pipeline.context import Context
from toolsync.pipeline.memory import fingerprint
from toolsync.pipeline.nearer import telling
from toolsync.pipeline.stages import PACKAGE
from toolsync.pipeline.work import Work


def source_for(
    work: Work, licensed: Licensed, series: str, *, copied: bool = False
) -> SourcePackage:
    """Return the source package: the one that was claimed, or one made of what is here now.

    What is ``copied`` from another target or series is the one that was made for that. Raises
    Replaced where another one was claimed, TryAgain where the target cannot be asked.
    """
    context, content = work.context, _content(work, licensed)
    revision = _revision(context, licensed, content)
    key = Key(
        tool=work.tool.name,
        version=work.version,
        stage="package",
        scope=f"{series}/{revision}",
    )
    claimed = _claimed(context, key, licensed, content, copied=copied)
    if claimed is not None:
        return claimed
    known = None if copied else _known_orig(work, licensed)
    told: dict[str, object] = {
        "content": content,
        "tag": series_tag(series),
        "told": _told(licensed),
    }
    if lowered := floors.rules(work.tool.origin, series):
        told["floors"] = lowered  # what was held before they were is made anew; a claim stays
    source = context.memory.do(
        PACKAGE,
        key,
        licensed,
        lambda: {**told, **({"orig": known.orig} if known else {})},
        lambda: telling(
            work.tool,
            lambda: package(
                licensed,
                tool=work.tool,
                series=series,
                content=content,
                revision=revision,
                maintainer=context.config.maintainer,
                store=context.store,
                workshop=context.workshop,
                known=known,
            ),
        ),
    )
    _refuse_another(context, source)
    return source


def _content(work: Work, licensed: Licensed) -> str:
    """Return a digest of what goes into the source package, the same for every series."""
    main, *components = licensed.unpacked.origs
    notice = licensed.notice
    return fingerprint(
        {
            "orig": main.sha256,
            "debian": work.tool.packaging_digest(licensed.release.version),
            "by": work.context.config.maintainer,
            "epoch": work.tool.epoch,
            "rules": PACKAGE.rules,
            **({"copyright": notice.sha256} if notice else {}),
            **({"components": [orig.sha256 for orig in components]} if components else {}),
            **({"signatures": signed} if (signed := _signatures(work.tool, licensed)) else {}),
        }
    )


def _signatures(tool: Tool, licensed: Licensed) -> list[str]:
    """Return the digests of what may go into the source package as upstream's signatures."""
    parts = licensed.unpacked.verified.fetched.parts if tool.carried_keys else ()
    return [blob.sha256 for part in parts for blob in part.extras if blob.name == "signature"]


def _told(licensed: Licensed) -> list[object]:
    """Return what the changelog tells of a release."""
    unpacked, release = licensed.unpacked, licensed.release
    return [
        dump(release, without="" if release.parts else "parts"),
        unpacked.verified.statement,
        unpacked.untouched,
        unpacked.excluded,
    ]


def _claimed(
    context: Context, key: Key, licensed: Licensed, content: str, *, copied: bool
) -> SourcePackage | None:
    """Return the package made before of the same content, if it was claimed or is to be copied."""
    kept = context.journal.results.get(key)
    source = kept and context.memory.recall(PACKAGE, kept, licensed)
    if not source or source.content != content:
        return None
    upload = upload_of(context, source)
    sent = upload is not None and upload.dsc == source.files[0].sha256
    return source if copied or sent else None


def _known_orig(work: Work, licensed: Licensed) -> KnownOrig | None:
    """Return the orig that the target has in place of ours, if that is to be used."""
    unpacked, target = licensed.unpacked, work.context.target
    with work.context.places.at_targets():
        found = target.known_orig(work.tool.source, unpacked.upstream, unpacked.orig)
    return None if found is None else KnownOrig(orig=found, target=target.name)


def _revision(context: Context, licensed: Licensed, content: str) -> int:
    """Return which packaging of its version this is, counting those that were ever claimed.

    The newest one is gone on with while nothing in it changes; going back to an older content
    is a new packaging too, since versions only ever go up.
    """
    uploads = context.journal.uploads.of(licensed.release.tool)
    claimed = [u for u in uploads if u.upstream == licensed.release.version]
    highest = max((upload.revision for upload in claimed), default=0)
    same = any(u.content == content for u in claimed if u.revision == highest)
    return highest if same else highest + 1


def _refuse_another(context: Context, source: SourcePackage) -> None:
    upload = upload_of(context, source)
    if upload is not None and upload.dsc != source.files[0].sha256:
        raise Replaced(
            f"{source.name} {source.version} was claimed for {upload.target} with a .dsc of sha256 "
            f"{upload.dsc}, but was now made with {source.files[0].sha256}",
            resolution="Change something in its debian/: that is published under a new version.",
        )


def upload_of(context: Context, source: SourcePackage) -> Upload | None:
    """Return the journal's row of a source package's upload to the context's target."""
    place = (context.target.name, source.name, source.version, source.series)
    return context.journal.uploads.get(*place)
