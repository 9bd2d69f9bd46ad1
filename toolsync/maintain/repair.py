"""Rebuild the local archive from the store: what the journal says was published, and no more.

Which packages there were is asked of the journal, and of the indices as far as their signature
still holds: what instances are offered is never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from debian.debian_support import Version

from toolsync.journal.key import Key
from toolsync.journal.results import Result
from toolsync.journal.uploads import Upload
from toolsync.model.errors import SetupError, UsageError
from toolsync.model.release import UNSERVED, Blob
from toolsync.model.values import load
from toolsync.pipeline.context import Context
from toolsync.pipeline.transparency import publish_log
from toolsync.publish import keyring, snapshots
from toolsync.publish.checked import Entry
from toolsync.publish.intact import Fault
from toolsync.publish.local import LocalArchive
from toolsync.publish.rebuild import Pool, Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What a repair came to."""

    faults: tuple[Fault, ...]
    """What was wrong before; nothing was changed where there was nothing."""
    packages: tuple[str, ...]
    """What the archive was rebuilt of: ``SERIES SOURCE VERSION`` each."""
    snapshots: tuple[str, ...] = ()
    """What was done for damaged snapshots, a sentence each."""


def repair(context: Context) -> Repaired:
    """Rebuild the archive if anything of it is damaged, and show it in one step.

    The caller holds the state's lock. Killed at any moment, what was served before is served
    on, and the next repair goes on. Raises SetupError where the promised key, or the bytes of a
    package that instances are offered, are not here; then nothing has changed.
    """
    archive = context.target
    if not isinstance(archive, LocalArchive):
        raise UsageError(
            f"{archive.name} is no archive of ours", resolution="Only local can be repaired."
        )
    faults = archive.inspector.look_and_keep(deep=True)
    entries = [entry for suite in archive.inspector.checked().suites for entry in suite.entries]
    pool = Pool(context.config.archive, context.store)
    wanted = list(_published(context, archive.name, {entry.sha256 for entry in entries}, pool))
    offered = {(suite.series, e.source) for suite in archive.inspector.checked().suites
               for e in suite.entries}  # fmt: skip
    missing = [p for p in wanted if p.required and (p.series, p.source) not in offered]
    if missing and not faults:
        text = ", ".join(f"{p.series} {p.source}" for p in missing)
        faults = (Fault(path="dists", message=f"names nothing of {text}"),)
    mended = tuple(
        Fault(path=name, message="of the log was not as the journal has it")
        for name in publish_log(context, deep=True)
    )
    if faults:
        _require_known(wanted, entries)
        archive.rebuild(wanted, pool)
    made = wanted if faults else []
    return Repaired(
        faults=(*faults, *mended),
        packages=tuple(f"{p.series} {p.source} {p.version}" for p in made),
        snapshots=tuple(snapshots.mend(context.config.archive)),
    )


def _published(context: Context, target: str, named: set[str], pool: Pool) -> Iterator[Published]:
    """Give what the archive is made of, the older versions of a package before the newer.

    That is every newest version that was confirmed, all that an index names, and of the
    superseded ones those that the pool still keeps.
    """
    found: dict[tuple[str, str], list[Published]] = {}
    for tool in context.journal.results.tools():
        for upload in context.journal.uploads.of(tool):
            made = _made(context, upload) if upload.target == target else None
            if made is None:
                continue
            made = replace(made, others=tuple(_others(context, upload, named)))
            indexed = any(blob.sha256 in named for blob in made.files if not _is_orig(blob))
            if upload.state == "confirmed" or indexed:
                item = replace(made, required=indexed)
                found.setdefault((made.series, made.source), []).append(item)
    for place in sorted(found):
        *older, newest = sorted(found[place], key=lambda item: Version(item.version))
        yield from (item for item in older if item.required or pool.has(item.files[0]))
        yield replace(newest, required=True)


def _made(context: Context, upload: Upload) -> Published | None:
    """Return the files that an upload was made of, None where that is not known any longer."""
    key = Key(
        tool=upload.tool,
        version=upload.upstream,
        stage="build",
        scope=f"{upload.series}/{upload.revision}",
    )
    result = context.journal.results.get(key)
    if result is None or result.outcome != "done":
        return None
    return _of(result, upload)


def _others(context: Context, upload: Upload, named: set[str]) -> Iterator[Published]:
    """Yield the builds of an upload for further architectures that the indices name.

    Where nothing of it is named, and so nothing is known of them, all that there are.
    """
    for result in context.journal.results.of_release(upload.tool, upload.upstream):
        place = result.key.place
        mine = (result.key.stage, place.series, place.revision, result.outcome)
        if place.architecture and mine == ("build", upload.series, upload.revision, "done"):
            made = _of(result, upload)
            own = {blob.sha256 for blob in made.files if blob.name.endswith(".deb")}
            if own & named or upload.dsc not in named:
                yield replace(made, required=bool(own & named))


def _of(result: Result, upload: Upload) -> Published:
    """Return the files of a build that was published."""
    made = (load(Blob, blob) for blob in result.data["files"])
    files = [blob for blob in made if not blob.name.endswith(UNSERVED)]
    files.sort(key=lambda blob: blob.sha256 != upload.dsc)
    return Published(
        series=upload.series,
        source=upload.source,
        version=upload.version,
        changes=load(Blob, result.data["changes"]),
        buildinfo=load(Blob, told) if (told := result.data.get("buildinfo")) else None,
        files=tuple(files),
        required=False,
    )


def _is_orig(blob: Blob) -> bool:
    """Say whether a file may belong to several packagings."""
    return ".orig." in blob.name or ".orig-" in blob.name


def _require_known(wanted: list[Published], entries: list[Entry]) -> None:
    """See that nothing would be dropped that the signed indices name."""
    known = {blob.sha256 for item in wanted for one in item.whole for blob in one.files}
    lost = sorted({e.path for e in entries if e.sha256 not in known and e.source != keyring.NAME})
    if lost:
        raise SetupError(
            f"the archive serves {', '.join(lost[:3])}{' …' if lost[3:] else ''}, which the journal"
            " does not know, and a rebuilt one would not have it",
            resolution="Nothing was changed. Restore state and archive from one backup, or take"
            " these out first: reprepro remove.",
        )
