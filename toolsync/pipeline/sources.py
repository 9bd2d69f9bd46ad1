"""Say which source package a target is given: the one that was claimed, or one made now."""

from __future__ import annotations

from toolsync.config.definition import Tool
from toolsync.config.series import series_tag
from toolsync.journal.records import Key, Upload
from toolsync.model.errors import Replaced
from toolsync.model.release import Compatible, SourcePackage, dump
from toolsync.package.stage import KnownOrig, notice_of, package
from toolsync.pipeline.context import Context
from toolsync.pipeline.memory import RULES, fingerprint


def source_for(
    context: Context, tool: Tool, cleared: Compatible, series: str, *, copied: bool = False
) -> SourcePackage:
    """Return the source package: the one that was claimed, or one made of what is here now.

    What is ``copied`` from another target or series is the one that was made for that. Raises
    Replaced where another one was claimed, TryAgain where the target cannot be asked.
    """
    unpacked = cleared.licensed.unpacked
    release, maintainer = cleared.release, context.config.maintainer
    notice = notice_of(cleared)
    content = fingerprint(
        {
            "orig": unpacked.orig.sha256,
            "debian": tool.packaging_digest(),
            "by": maintainer,
            "epoch": tool.epoch,
            "rules": RULES["package"],
            **({"copyright": notice.sha256} if notice else {}),
        }
    )
    revision = _revision(context, cleared, content)
    key = Key(
        tool=tool.name, version=release.version, stage="package", scope=f"{series}/{revision}"
    )
    claimed = _claimed(context, key, cleared, content, copied=copied)
    if claimed is not None:
        return claimed
    known = None if copied else _known_orig(context, tool, cleared)
    source = context.steps.do(
        key,
        SourcePackage,
        {"compatible": cleared},
        {
            "content": content,
            "tag": series_tag(series),
            "told": [
                dump(release),
                unpacked.verified.statement,
                unpacked.untouched,
                unpacked.excluded,
            ],
            **({"orig": known.orig} if known else {}),
        },
        lambda: package(
            cleared,
            tool=tool,
            series=series,
            content=content,
            revision=revision,
            maintainer=maintainer,
            store=context.store,
            workshop=context.workshop,
            known=known,
        ),
    )
    _refuse_another(context, source)
    return source


def _claimed(
    context: Context, key: Key, cleared: Compatible, content: str, *, copied: bool
) -> SourcePackage | None:
    """Return the package made before of the same content, if it was claimed or is to be copied."""
    kept = context.journal.result(key)
    source = kept and context.steps.recall(kept, SourcePackage, {"compatible": cleared})
    if not source or source.content != content:
        return None
    upload = upload_of(context, source)
    sent = upload is not None and upload.dsc == source.files[0].sha256
    return source if copied or sent else None


def _known_orig(context: Context, tool: Tool, cleared: Compatible) -> KnownOrig | None:
    """Return the orig that the target has in place of ours, if that is to be used."""
    ours, target = cleared.licensed.unpacked.orig, context.target
    found = target.known_orig(tool.source, cleared.release.version, ours)
    return None if found is None else KnownOrig(orig=found, target=target.name)


def _revision(context: Context, cleared: Compatible, content: str) -> int:
    """Return which packaging of its version this is, counting those that were ever claimed.

    The newest one is gone on with while nothing in it changes; going back to an older content
    is a new packaging too, since versions only ever go up.
    """
    uploads = context.journal.uploads(cleared.release.tool)
    claimed = [u for u in uploads if u.upstream == cleared.release.version]
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
    return context.journal.upload(*place)


def key_of(source: SourcePackage, stage: str, target: str = "") -> Key:
    """Return the key of a stage's result for a source package, and where it matters a target."""
    scope = f"{source.series}/{source.revision}" + (f"@{target}" if target else "")
    return Key(tool=source.release.tool, version=source.release.version, stage=stage, scope=scope)
