"""The stages before there are packages, as records: what each depends on, and what it does.

`road` runs them in this order; packages and targets follow in `deliver`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolsync.fetch.stage import fetch as fetch_release
from toolsync.gate.binding import BINDING
from toolsync.model.release import (
    Built,
    Compatible,
    Confirmed,
    Fetched,
    Licensed,
    Receipt,
    Release,
    SourcePackage,
    Unpacked,
    Verified,
    dump,
)
from toolsync.pipeline.accepted import check_accepted, check_versions
from toolsync.pipeline.memory import Kept, P, V
from toolsync.pipeline.work import Work
from toolsync.unpack.stage import unpack as unpack_release
from toolsync.verify.methods import method_of, plans_of
from toolsync.verify.stage import verify as verify_release
from toolsync.watch.named import named_by

_JUDGING = frozenset({"keys", "keys_url", "pins"})
"""What of a tool's policy decides about files that are here, and never which are fetched; all
other keys may, also those that one method alone has."""


def _never(_work: Work, _before: object) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Kept[P, V]):
    """A stage: how its value is kept, what it depends on, and its function."""

    inputs: Callable[[Work, P], Mapping[str, object]]
    act: Callable[[Work, P], V]
    fresh: Callable[[Work, P], bool] = _never
    """Says whether it must be done again, whatever is known of it."""


def _fetch_inputs(work: Work, release: Release) -> dict[str, object]:
    parts = {"parts": [dump(part) for part in release.parts]} if release.parts else {}
    return {
        "url": release.url,
        "sha256": release.sha256,
        "etag": release.etag,
        **{key: value for key, value in dump(work.tool.verify).items() if key not in _JUDGING},
        **parts,
    }


def _fetch(work: Work, release: Release) -> Fetched:
    context, tool = work.context, work.tool
    return fetch_release(
        release,
        plans_of(tool, release),
        source=tool.source,
        tree=tool.watch.is_tree,
        http=context.http.dressed(user_agent=tool.watch.user_agent, named=lambda: named_by(tool)),
        store=context.store,
        limits=context.config.limits,
        progress=context.progress(release.filename),
    )


def _may_have_changed(work: Work, release: Release) -> bool:
    """Say whether to ask upstream again for what was refused before.

    A signature may be there by now, or a file mended, or one of another version gone.
    """
    named = work.context.journal.results.get(work.key(BINDING.name))
    if named is not None and named.kind == "GateClosed":
        return True
    verdict = work.context.journal.results.get(work.key("verify"))
    refused = verdict is not None and verdict.outcome == "held"
    method = method_of(work.tool.verify)
    return refused and method is not None and not method.waits(work.tool, release)


def _verify_inputs(work: Work, fetched: Fetched) -> dict[str, object]:
    return {
        "files": [blob.sha256 for part in fetched.parts for blob in (part.archive, *part.extras)],
        "policy": work.tool.verify,
        "keys": [_digest(path) for path in work.tool.trust],
    }


def _verify(work: Work, fetched: Fetched) -> Verified:
    """Verify, after asking whether this version was ever accepted with other bytes.

    Nor may these bytes be another version's: asked before, since they say so themselves, and
    after, when it is known what was signed.
    """
    context, tool = work.context, work.tool
    check_accepted(context.journal, tool.name, fetched)
    check_versions(context.journal, fetched)
    found = verify_release(
        fetched,
        tool=tool,
        store=context.store,
        now=context.clock.now(),
        limits=context.config.limits,
        unproved=work.unproved,
    )
    check_versions(context.journal, fetched, found)
    return found


def _unpack_inputs(work: Work, verified: Verified) -> dict[str, object]:
    archive, *others = verified.contents
    more: dict[str, object] = {"components": [blob.sha256 for blob in others]} if others else {}
    more |= {"binding": own} if (own := work.tool.own.get(BINDING.name)) else {}
    return {
        "archive": archive.sha256,
        "copyright": _digest(work.tool.debian / "copyright"),
        "source": work.tool.source,
        **more,
    }


def _unpack(work: Work, verified: Verified) -> Unpacked:
    context = work.context
    return unpack_release(
        verified,
        tool=work.tool,
        store=context.store,
        limits=context.config.limits,
        workshop=context.workshop,
        exclude=work.exclude,
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


FETCH = Stage(
    name="fetch",
    rules=1,
    value=Fetched,
    wraps="release",
    inputs=_fetch_inputs,
    act=_fetch,
    fresh=_may_have_changed,
)
VERIFY = Stage(
    name="verify",
    rules=1,
    value=Verified,
    wraps="fetched",
    inputs=_verify_inputs,
    act=_verify,
)
UNPACK = Stage(
    name="unpack",
    rules=1,
    value=Unpacked,
    wraps="verified",
    inputs=_unpack_inputs,
    act=_unpack,
)

PACKAGE: Kept[Licensed, SourcePackage] = Kept(
    name="package", rules=1, value=SourcePackage, wraps="licensed"
)
BUILD: Kept[SourcePackage, Built] = Kept(
    name="build", rules=1, value=Built, wraps="source", costly=True
)
PUBLISH: Kept[Compatible, Receipt] = Kept(name="publish", rules=1, value=Receipt, wraps="item")
CONFIRM: Kept[Receipt, Confirmed] = Kept(name="confirm", rules=1, value=Confirmed, wraps="receipt")
"""The steps of `deliver`, whose inputs follow from what was claimed for a target."""
