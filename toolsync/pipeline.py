"""The order of the stages, and the only loop.

    watch → fetch → verify → unpack → license → compat → package → build → publish → confirm

One tool's trouble never touches another's, and one series' trouble never another series'.
Kill a run anywhere: the next one finds each finished stage in the journal, and an upload
that was claimed is asked about at its target before it is sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from toolsync.bench import Bench
from toolsync.compat import gate as compat_gate
from toolsync.config import Tool
from toolsync.errors import HELD, Replaced, ToolsyncError, Unreachable, gravest
from toolsync.fetch import fetch
from toolsync.journal import Key, Result, Upload
from toolsync.license import gate as license_gate
from toolsync.model import (
    Built,
    Compatible,
    Confirmed,
    Fetched,
    Licensed,
    Outcome,
    Receipt,
    Release,
    SourcePackage,
    Unpacked,
    Verified,
    dump,
)
from toolsync.package.build import build
from toolsync.package.series import series_tag
from toolsync.package.source import package
from toolsync.plan import candidates, wanted_series
from toolsync.steps import fingerprint
from toolsync.survey import Look, in_trouble, look_at_all, stand
from toolsync.unpack.stage import unpack
from toolsync.verify.stage import verify
from toolsync.watch.look import Sighting
from toolsync.watch.versions import upstream_key


def sync(bench: Bench, tools: Sequence[Tool], jobs: int, *, dry_run: bool) -> list[Outcome]:
    """Take every release as far as it may go and return where each tool stands then."""
    looks = look_at_all(bench, tools, jobs)
    outcomes = []
    for tool, found in zip(tools, looks, strict=True):
        try:
            outcomes.append(_sync_tool(bench, tool, found, dry_run))
        except ToolsyncError as error:
            outcomes.append(in_trouble(bench, tool, error))
    return outcomes


def _sync_tool(bench: Bench, tool: Tool, found: Look, dry_run: bool) -> Outcome:
    before = stand(bench, tool, found)
    if isinstance(found, ToolsyncError) or before.status not in ("up-to-date", "new", "held"):
        return before
    chosen = candidates(found.releases, before.current, tool.watch.backlog)
    if dry_run:
        return _plan(bench, tool, before, chosen)
    failed: list[ToolsyncError] = []
    for release in chosen:
        try:
            _take(bench, tool, release)
        except ToolsyncError as error:
            failed.append(error)
    return _after(bench, tool, found, before, failed)


def _plan(bench: Bench, tool: Tool, before: Outcome, chosen: Sequence[Release]) -> Outcome:
    versions = [release.version for release in chosen if release.version != before.current]
    if not versions:
        return before
    series = ", ".join(wanted_series(bench.config, tool))
    return replace(
        before,
        message=f"would take {', '.join(versions)} to {bench.target.name} for {series}",
    )


def _after(
    bench: Bench, tool: Tool, found: Sighting, before: Outcome, failed: Sequence[ToolsyncError]
) -> Outcome:
    outcome = stand(bench, tool, found)
    done = tuple(
        dict.fromkeys(
            upload.upstream
            for upload in bench.journal.uploads(tool.name)
            if upload.state == "confirmed" and _newer(upload.upstream, before.current)
        )
    )
    outcome = replace(outcome, done=done)
    if not failed:
        return outcome
    worst = gravest(error.exit_status for error in failed)
    error = next(error for error in failed if error.exit_status == worst)
    status = _status(error)
    return replace(
        outcome,
        status=status,
        message=f"{error}",
        resolution=error.resolution,
        exit_status=worst,
    )


def _newer(version: str, than: str | None) -> bool:
    return than is None or upstream_key(version) > upstream_key(than)


def _status(error: ToolsyncError) -> str:
    if isinstance(error, Replaced):
        return "replaced"
    if isinstance(error, Unreachable):
        return "unreachable"
    return "held" if error.exit_status == HELD else "error"


def _take(bench: Bench, tool: Tool, release: Release) -> None:
    """Take one release through all stages, as far as it may go."""
    bench.journal.see(tool.name, release.version, dump(release))
    cleared = _clear(bench, tool, release)
    errors = []
    for series in wanted_series(bench.config, tool):
        try:
            _deliver(bench, tool, cleared, series)
        except ToolsyncError as error:
            errors.append(error)
    if errors:
        worst = gravest(error.exit_status for error in errors)
        raise next(error for error in errors if error.exit_status == worst)


def _clear(bench: Bench, tool: Tool, release: Release) -> Compatible:
    """Take a release from its page through both gates."""
    steps, store = bench.steps, bench.store
    policy = {name: getattr(tool.verify, name) for name in ("method", "signature", "checksums")}

    def key(stage: str) -> Key:
        return Key(tool=tool.name, version=release.version, stage=stage)

    fetched = steps.do(
        key("fetch"),
        Fetched,
        {"release": release},
        {"url": release.url, "sha256": release.sha256, "etag": release.etag, **policy},
        lambda: fetch(
            release,
            tool=tool,
            http=bench.http,
            store=store,
            limits=bench.config.limits,
            progress=bench.progress(release.filename),
        ),
    )
    verified = steps.do(
        key("verify"),
        Verified,
        {"fetched": fetched},
        {
            "files": [blob.sha256 for blob in (fetched.archive, *fetched.extras)],
            "policy": dump(tool.verify),
            "keys": [_digest(path) for path in tool.keyring],
        },
        lambda: _verify(bench, tool, fetched),
    )
    bench.journal.accept(tool.name, release.version, fetched.archive.sha256)
    unpacked = steps.do(
        key("unpack"),
        Unpacked,
        {"verified": verified},
        {
            "archive": fetched.archive.sha256,
            "copyright": _digest(tool.debian / "copyright"),
            "source": tool.source,
        },
        lambda: unpack(
            verified,
            tool=tool,
            store=store,
            limits=bench.config.limits,
            workshop=bench.workshop,
        ),
    )
    licensed = steps.do(
        key("license"),
        Licensed,
        {"unpacked": unpacked},
        {"orig": unpacked.orig.sha256, "policy": tool.license},
        lambda: license_gate.examine(unpacked, tool=tool),
    )
    return steps.do(
        key("compat"),
        Compatible,
        {"licensed": licensed},
        {"orig": unpacked.orig.sha256, "policy": tool.compat},
        lambda: compat_gate.examine(licensed, tool=tool),
    )


def _verify(bench: Bench, tool: Tool, fetched: Fetched) -> Verified:
    """Verify, after asking whether this version was ever accepted with other bytes."""
    before = bench.journal.accepted(tool.name, fetched.release.version)
    if before not in ("", fetched.archive.sha256):
        raise Replaced(
            f"{tool.name} {fetched.release.version} was accepted with sha256 {before}, but "
            f"{fetched.release.url} now gives {fetched.archive.sha256}",
            resolution="Treat it as an attack until upstream explains it; nothing was shipped.",
        )
    return verify(fetched, tool=tool, store=bench.store, now=bench.clock.now())


def _deliver(bench: Bench, tool: Tool, cleared: Compatible, series: str) -> Confirmed:
    """Package for one series, build, publish, and see that the target serves it."""
    source = _source(bench, tool, cleared, series)
    place = (bench.target.name, source.name, source.version, series)
    upload = bench.journal.upload(*place)
    built = _built(bench, tool, source, upload)
    if upload is None:
        bench.journal.claim(_claim(tool, source, bench.target.name))
        upload = bench.journal.upload(*place)
    assert upload is not None
    state = bench.target.state(series)
    fresh = upload.state != "confirmed" or upload.served != state
    scope = f"{series}@{bench.target.name}"
    version = built.release.version
    receipt = bench.steps.do(
        Key(tool=tool.name, version=version, stage="publish", scope=scope),
        Receipt,
        {"built": built},
        {"dsc": source.files[0].sha256, "changes": built.changes.sha256},
        lambda: bench.target.publish(built),
        fresh=fresh,
    )
    if upload.state == "claimed":
        bench.journal.advance(upload, "sent")
    confirmed = bench.steps.do(
        Key(tool=tool.name, version=version, stage="confirm", scope=scope),
        Confirmed,
        {"receipt": receipt},
        {"dsc": source.files[0].sha256, "changes": built.changes.sha256},
        lambda: bench.target.confirm(receipt),
        fresh=fresh,
    )
    if fresh:
        bench.journal.advance(upload, "confirmed", bench.target.state(series))
    return confirmed


def _source(bench: Bench, tool: Tool, cleared: Compatible, series: str) -> SourcePackage:
    orig = cleared.licensed.unpacked.orig
    version = cleared.release.version
    maintainer = bench.config.maintainer
    content = fingerprint({"orig": orig.sha256, "debian": tool.packaging_digest()})
    revision = _revision(bench, tool, version, content)
    return bench.steps.do(
        Key(tool=tool.name, version=version, stage="package", scope=series),
        SourcePackage,
        {"compatible": cleared},
        {
            "content": content,
            "revision": revision,
            "tag": series_tag(series),
            "by": maintainer,
            "epoch": tool.epoch,
        },
        lambda: package(
            cleared,
            tool=tool,
            series=series,
            content=content,
            revision=revision,
            maintainer=maintainer,
            store=bench.store,
            workshop=bench.workshop,
        ),
    )


def _revision(bench: Bench, tool: Tool, version: str, content: str) -> int:
    """Return the count of this packaging among those of one version that were ever claimed."""
    claimed = [u for u in bench.journal.uploads(tool.name) if u.upstream == version]
    same = [upload.revision for upload in claimed if upload.content == content]
    return same[0] if same else 1 + max((u.revision for u in claimed), default=0)


def _built(bench: Bench, tool: Tool, source: SourcePackage, upload: Upload | None) -> Built:
    version = source.release.version
    key = Key(tool=tool.name, version=version, stage="build", scope=source.series)
    known: Result | None = bench.journal.result(key) if upload else None
    if known is not None:
        # What was claimed was built from this very source: it must not be built again, since
        # another chroot may give other bytes under the same version.
        value = bench.steps.recall(known, Built, {"source": source})
        if value is not None:
            return value
    settings = bench.config.build
    return bench.steps.do(
        key,
        Built,
        {"source": source},
        {
            "dsc": source.files[0].sha256,
            "how": [settings.backend, settings.tests, settings.lint],
        },
        lambda: build(
            source,
            settings=settings,
            store=bench.store,
            workshop=bench.workshop,
            chroots=bench.chroots,
        ),
    )


def _claim(tool: Tool, source: SourcePackage, target: str) -> dict[str, object]:
    release = source.release
    return {
        "target": target,
        "source": source.name,
        "version": source.version,
        "series": source.series,
        "tool": tool.name,
        "upstream": release.version,
        "content": source.content,
        "revision": source.revision,
        "dsc": source.files[0].sha256,
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
