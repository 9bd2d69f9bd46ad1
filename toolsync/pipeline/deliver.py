"""Take a cleared release to a target: package, build, publish, confirm, for one series.

What was claimed for a target stays what it is: neither its source package nor its binaries
are made again, since other bytes under a version that is known are refused, there and by us.
A build here stands before every publication, also of a target that builds by itself, unless
the set-up says that the target's own builds are the proof.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from toolsync.attest.keep import attest
from toolsync.build.stage import build
from toolsync.config.definition import Tool
from toolsync.journal.records import FAILURES, Upload
from toolsync.model.errors import Held
from toolsync.model.release import Built, Compatible, Confirmed, Package, Receipt, SourcePackage
from toolsync.model.versions import sort_key
from toolsync.pipeline.context import Context
from toolsync.pipeline.sources import key_of, source_for, upload_of
from toolsync.pipeline.status import wanted_series
from toolsync.system.clock import parsed, stamp


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a package is copied from, with its binaries."""

    target: str
    series: str


def deliver(
    context: Context, tool: Tool, cleared: Compatible, series: str, origin: Origin | None = None
) -> bool:
    """See that the target serves this release for a series; say whether anything was sent.

    With ``origin`` it is copied from there; so it is, too, from the oldest series of a tool
    that says that it need not be rebuilt.
    """
    oldest = wanted_series(context.config, tool)[0]
    if origin is None and tool.publish.copy and context.target.takes_source and series != oldest:
        origin = Origin(context.target.name, oldest)
    if origin is None:
        item = _ready(context, source := source_for(context, tool, cleared, series))
    else:
        item = source = _source_of_copy(context, tool, cleared, series, origin)
    known = upload_of(context, source)
    if known is None:
        context.journal.claim(_claim(source, context.target.name))
    upload = upload_of(context, source)
    assert upload is not None
    if not _stands(context, source, upload):
        ledger = _Row(context, upload)
        if origin is not None and "copy" not in ledger.detail:
            ledger.note(ledger.state, copy={"from": origin.target, "series": origin.series})
        _publish(context, item, upload, ledger)
    context.journal.forget_holds(tool.name, cleared.release.version, series)
    attest(
        tool,
        cleared.release.version,
        journal=context.journal,
        store=context.store,
        config=context.config,
        workshop=context.workshop,
    )
    return known is None or known.state != "confirmed"


def _stands(context: Context, source: SourcePackage, upload: Upload) -> bool:
    """Say whether what was confirmed needs no second look: nothing changed, or a newer one came.

    A run that was killed may have shown a newer release without living to write it down.
    """
    if upload.state != "confirmed":
        return False
    if upload.served == context.target.state(source.series, source.name):
        return True
    newest = context.target.newest(source.name, source.series)
    return newest is not None and sort_key(newest) > sort_key(source.version)


def _source_of_copy(
    context: Context, tool: Tool, cleared: Compatible, series: str, origin: Origin
) -> SourcePackage:
    """Return the origin's source package as that of another series: it is not made anew."""
    made = source_for(
        context, tool, cleared, _first_series(context, tool, cleared, origin), copied=True
    )
    if made.series == series:
        return made
    source = replace(made, series=series)
    context.steps.do(
        key_of(source, "package"),
        SourcePackage,
        {"compatible": cleared},
        {"copied": made.version},
        lambda: source,
    )
    if context.journal.result(key := key_of(source, "build")) is None:
        now = stamp(context.clock.now())
        why = f"copied from {origin.target} {origin.series} with its binaries"
        context.journal.record(key, inputs="", outcome="skipped", started=now, message=why)
    return source


def _first_series(context: Context, tool: Tool, cleared: Compatible, origin: Origin) -> str:
    """Return the series that a package was made for, which a copy of a copy does not tell."""
    for upload in context.journal.uploads(tool.name):
        same = (upload.upstream, upload.target, upload.series)
        if same == (cleared.release.version, origin.target, origin.series):
            return str(upload.detail.get("copy", {}).get("series", origin.series))
    return origin.series


def _publish(context: Context, item: Package, upload: Upload, ledger: _Row) -> None:
    """Send what is claimed, and see it served; both may be repeated at any time."""
    inputs = {"dsc": upload.dsc}
    if isinstance(item, Built):
        inputs["changes"] = item.changes.sha256
    receipt = context.steps.do(
        key_of(item.source, "publish", context.target.name),
        Receipt,
        {"item": item},
        inputs,
        lambda: context.target.publish(item, ledger),
        fresh=True,
    )
    if ledger.state == "claimed":
        ledger.note("sent")
    try:
        context.steps.do(
            key_of(item.source, "confirm", context.target.name),
            Confirmed,
            {"receipt": receipt},
            inputs,
            lambda: context.target.confirm(receipt, ledger),
            fresh=True,
        )
    except Held:
        if ledger.state not in FAILURES:
            ledger.note("lost")
        raise
    served = context.target.state(upload.series, upload.source)
    context.journal.advance(upload, "confirmed", served)


class _Row:
    """The journal's row of an upload, as a target reads and writes it (`target.Ledger`)."""

    def __init__(self, context: Context, upload: Upload) -> None:
        self._bench, self._upload = context, upload
        self.again = context.steps.retry

    @property
    def state(self) -> str:
        return self._upload.state

    @property
    def since(self) -> datetime:
        return parsed(self._upload.since)

    @property
    def detail(self) -> dict[str, Any]:
        return dict(self._upload.detail)

    def note(self, state: str, **detail: Any) -> None:
        known, merged = self._upload, {**self._upload.detail, **detail}
        if (state, merged) == (known.state, known.detail):
            return
        self._bench.journal.advance(known, state, known.served, merged)
        place = (known.target, known.source, known.version, known.series)
        now = self._bench.journal.upload(*place)
        assert now is not None
        self._upload = now


def _ready(context: Context, source: SourcePackage) -> Package:
    """Return what the target is given: binaries from here, or the source package alone."""
    if context.target.takes_source and not context.config.ppa.build_first:
        now = stamp(context.clock.now())
        if context.journal.result(key := key_of(source, "build")) is None:
            why = f"[ppa] build_first is false: the builds of {context.target.name} are the proof"
            context.journal.record(key, inputs="", outcome="skipped", started=now, message=why)
        return source
    return _built(context, source)


def _built(context: Context, source: SourcePackage) -> Built:
    key = key_of(source, "build")
    kept = context.journal.result(key) if upload_of(context, source) else None
    if kept is not None:
        value = context.steps.recall(kept, Built, {"source": source})
        if value is not None and source.files[0] in value.files:
            return value
    settings = context.config.build
    return context.steps.do(
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
            store=context.store,
            workshop=context.workshop,
            chroots=context.chroots,
        ),
    )


def _claim(source: SourcePackage, target: str) -> dict[str, object]:
    return {
        "target": target,
        "source": source.name,
        "version": source.version,
        "series": source.series,
        "tool": source.release.tool,
        "upstream": source.release.version,
        "content": source.content,
        "revision": source.revision,
        "dsc": source.files[0].sha256,
    }
