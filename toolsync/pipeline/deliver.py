"""Take a cleared release to a target: package, build, compat, publish, confirm, for one series.

What was claimed for a target stays what it is: neither its source package nor its binaries
are made again, since other bytes under a version that is known are refused, there and by us.
A build here stands before every publication, also of a target that builds by itself, unless
the set-up says that the target's own builds are the proof.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from toolsync.attest.keep import attest
from toolsync.journal.uploads import FAILURES, UNSEEN, Upload
from toolsync.model.errors import GateClosed, Held, ToolsyncError, gravest
from toolsync.model.release import (
    Built,
    Compatible,
    Licensed,
    SourcePackage,
)
from toolsync.model.versions import sort_key
from toolsync.pipeline.archivekey import evidence_key
from toolsync.pipeline.building import further_scopes, joined, ready, skip
from toolsync.pipeline.context import Context
from toolsync.pipeline.gates import copy_cleared, package_cleared
from toolsync.pipeline.proposals import agreed, is_proposed
from toolsync.pipeline.sources import source_for, upload_of
from toolsync.pipeline.stages import CONFIRM, PACKAGE, PUBLISH
from toolsync.pipeline.status import wanted_series
from toolsync.pipeline.work import Work, key_of
from toolsync.publish.target import StateByOtherRules
from toolsync.system import fence
from toolsync.system.clock import parsed


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a package is copied from, with its binaries."""

    target: str
    series: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a release that the target serves for a series."""

    news: bool
    """Whether anything was sent."""
    away: ToolsyncError | None = None
    """The gravest of what keeps a further architecture from joining it."""


def deliver(work: Work, licensed: Licensed, series: str, origin: Origin | None = None) -> Delivered:
    """See that the target serves this release for a series; say what came of it.

    With ``origin`` it is copied from there; so it is, too, from the oldest series of a tool
    that says that it need not be rebuilt.
    """
    context, tool = work.context, work.tool
    if origin is None and _is_copied(work, series):
        origin = Origin(context.target.name, wanted_series(context.config, tool)[0])
    if origin is None:
        item = agreed(work, licensed, partial(_made, work, licensed, series))
    else:
        item = agreed(work, licensed, partial(_copied, work, licensed, series, origin))
    source = item.source
    known = upload_of(context, source)
    if known is None:
        context.journal.uploads.claim(_claim(source, context.target.name))
    upload = upload_of(context, source)
    assert upload is not None
    with context.places.at_targets():
        if not _stands(context, source, upload):
            ledger = _Row(context, upload)
            if origin is not None and "copy" not in ledger.detail:
                ledger.note(ledger.state, copy={"from": origin.target, "series": origin.series})
            _publish(context, item, upload, ledger)
        _settle(work, source)
    news = known is None or known.state != "confirmed"
    try:
        whole = _complete(work, item)
    except ToolsyncError as error:
        if (now := upload_of(context, source)) is None or now.state != "confirmed":
            raise  # what joined is not served, and with it perhaps nothing
        return Delivered(news, error)
    return replace(whole, news=news or whole.news)


def _settle(work: Work, source: SourcePackage) -> None:
    """Forget what held a release that is served now, and sign all that is known of it."""
    key, waited_for = key_of(source, "build"), further_scopes(work.context, source)
    work.context.journal.results.forget_holds(key.tool, key.version, source.series, waited_for)
    _attest(work)


def _complete(work: Work, item: Compatible) -> Delivered:
    """Let further architectures join what is published, and say what keeps others away."""
    context, source = work.context, item.source
    if not isinstance(item.package, Built):
        return Delivered(news=False)
    package, errors = joined(work, item.package)
    if news := package != item.package:
        with context.places.at_targets():
            upload = upload_of(context, source)
            assert upload is not None
            _publish(context, replace(item, package=package), upload, _Row(context, upload))
            _settle(work, source)
    if not errors:
        return Delivered(news)
    worst = gravest(error.exit_status for error in errors)
    return Delivered(news, next(error for error in errors if error.exit_status == worst))


def make_ready(work: Work, licensed: Licensed, series: str) -> None:
    """Take a release to where `deliver` would publish it for a series, whatever is sent before.

    Raises what `deliver` would raise until then. What is a copy is made where it comes from.
    """
    if not _is_copied(work, series):
        # What a gate holds and is proposed is proposed by `deliver`.
        with suppress(GateClosed) if is_proposed(work) else nullcontext():
            _made(work, licensed, series)


def _is_copied(work: Work, series: str) -> bool:
    """Say whether a series has the packages of the tool's oldest one."""
    copied = work.tool.publish.copy and work.context.target.takes_source
    return copied and series != wanted_series(work.context.config, work.tool)[0]


def _attest(work: Work) -> None:
    context = work.context
    attest(
        work.tool,
        work.version,
        journal=context.journal,
        store=context.store,
        config=context.config,
        workshop=context.workshop,
        key=lambda: evidence_key(context),
    )


def _stands(context: Context, source: SourcePackage, upload: Upload) -> bool:
    """Say whether what was confirmed needs no second look: nothing changed, or a newer one came.

    A run that was killed may have shown a newer release without living to write it down.
    """
    if upload.state != "confirmed":
        return False
    state = context.target.state(source.series, source.name)
    if upload.served == state or _is_as_told_before(context, upload, state):
        return True
    newest = context.target.newest(source.name, source.series)
    return newest is not None and sort_key(newest) > sort_key(source.version)


def _is_as_told_before(context: Context, upload: Upload, state: str) -> bool:
    """Say whether a target is as an older toolsync has told it; from now on as this one does."""
    target = context.target
    if not isinstance(target, StateByOtherRules):
        return False
    same = upload.served == target.older_state(upload.series, upload.source)
    if same:
        context.journal.uploads.restate(upload, state)
    return same


def judge_packages(work: Work, licensed: Licensed) -> None:
    """Take a release as far as the gates over its packages, for each series it is built for."""
    for series in wanted_series(work.context.config, work.tool):
        _made(work, licensed, series)


def _made(work: Work, licensed: Licensed, series: str) -> Compatible:
    """Return the package for a series, made here or for a target that builds, past its gates."""
    source = source_for(work, licensed, series)
    return package_cleared(work, ready(work, source))


def _copied(work: Work, licensed: Licensed, series: str, origin: Origin) -> Compatible:
    """Return the origin's package as that of another series: it is neither made nor judged anew."""
    context = work.context
    first = _first_series(work, origin)
    made = source_for(work, licensed, first, copied=True)
    original = package_cleared(work, ready(work, made))
    if made.series == series:
        return original
    source = replace(made, series=series)
    context.memory.do(
        PACKAGE,
        key_of(source, "package"),
        licensed,
        lambda: {"copied": made.version},
        lambda: source,
    )
    why = f"copied from {origin.target} {origin.series} with its binaries"
    for stage in ("build", *(gate.name for gate in context.gates.packages)):
        skip(context, source, stage, why)
    return copy_cleared(original, source)


def _first_series(work: Work, origin: Origin) -> str:
    """Return the series that a package was made for, which a copy of a copy does not tell."""
    for upload in work.context.journal.uploads.of(work.tool.name):
        same = (upload.upstream, upload.target, upload.series)
        if same == (work.version, origin.target, origin.series):
            return str(upload.detail.get("copy", {}).get("series", origin.series))
    return origin.series


def _publish(context: Context, item: Compatible, upload: Upload, ledger: _Row) -> None:
    """Send what is claimed, and see it served; both may be repeated at any time."""
    inputs = {"dsc": upload.dsc}
    if isinstance(item.package, Built):
        inputs["changes"] = item.package.changes.sha256
        others = {one.architecture: one.changes.sha256 for one in item.package.others}
        inputs |= others
    receipt = context.memory.do(
        PUBLISH,
        key_of(item.source, "publish", context.target.name),
        item,
        lambda: inputs,
        lambda: context.target.publish(item, ledger),
        fresh=True,
    )
    if ledger.state == "claimed":
        ledger.note("sent")
    try:
        context.memory.do(
            CONFIRM,
            key_of(item.source, "confirm", context.target.name),
            receipt,
            lambda: inputs,
            lambda: context.target.confirm(receipt, ledger),
            fresh=True,
        )
    except Held:
        if ledger.state not in FAILURES:
            ledger.note("lost")
        raise
    served = context.target.state(upload.series, upload.source)
    context.journal.uploads.advance(upload, "confirmed", served)


class _Row:
    """The journal's row of an upload, as a target reads and writes it (`target.Ledger`)."""

    def __init__(self, context: Context, upload: Upload) -> None:
        self._context, self._upload = context, upload
        self.again = context.memory.retry

    @property
    def state(self) -> str:
        return self._upload.state

    @property
    def since(self) -> datetime:
        return parsed(self._upload.since)

    @property
    def detail(self) -> dict[str, Any]:
        return dict(self._upload.detail)

    @property
    def elsewhere(self) -> dict[str, datetime]:
        mine = self._upload
        return {
            one.series: parsed(one.since)
            for one in self._context.journal.uploads.of(mine.tool)
            if (one.target, one.source, one.version) == (mine.target, mine.source, mine.version)
            and one.series != mine.series
            and one.state in UNSEEN
            and one.detail.get("tries")
        }

    def note(self, state: str, **detail: Any) -> None:
        known, merged = self._upload, {**self._upload.detail, **detail}
        if (state, merged) == (known.state, known.detail):
            return
        fence.require()
        self._context.journal.uploads.advance(known, state, known.served, merged)
        place = (known.target, known.source, known.version, known.series)
        now = self._context.journal.uploads.get(*place)
        assert now is not None
        self._upload = now


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
