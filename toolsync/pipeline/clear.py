"""Take one release from its page through both gates: fetch, verify, unpack, license, compat."""

from __future__ import annotations

import hashlib
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.fetch.stage import fetch
from toolsync.journal.records import Key
from toolsync.model.errors import Replaced
from toolsync.model.release import Compatible, Fetched, Release, Unpacked, Verified
from toolsync.pipeline.context import Context
from toolsync.pipeline.gates import compat_cleared, license_cleared
from toolsync.unpack.stage import unpack
from toolsync.verify.stage import verify

_PROOFS = ("method", "signature", "checksums", "checksums_signature")
"""What of a tool's policy decides which files are fetched."""


def clear(context: Context, tool: Tool, release: Release) -> Compatible:
    """Return the release as both gates have cleared it; raise what holds it."""
    verified = _prove(context, tool, _fetch(context, tool, release))
    unpacked = context.steps.do(
        _key(release, "unpack"),
        Unpacked,
        {"verified": verified},
        {
            "archive": verified.fetched.archive.sha256,
            "copyright": _digest(tool.debian / "copyright"),
            "source": tool.source,
        },
        lambda: unpack(
            verified,
            tool=tool,
            store=context.store,
            limits=context.config.limits,
            workshop=context.workshop,
        ),
    )
    return compat_cleared(context, tool, license_cleared(context, tool, unpacked))


def _fetch(context: Context, tool: Tool, release: Release) -> Fetched:
    return context.steps.do(
        _key(release, "fetch"),
        Fetched,
        {"release": release},
        {
            "url": release.url,
            "sha256": release.sha256,
            "etag": release.etag,
            **{name: getattr(tool.verify, name) for name in _PROOFS},
        },
        lambda: fetch(
            release,
            tool=tool,
            http=context.http,
            store=context.store,
            limits=context.config.limits,
            progress=context.progress(release.filename),
        ),
        fresh=_may_have_changed(context, tool, release),
    )


def _may_have_changed(context: Context, tool: Tool, release: Release) -> bool:
    """Say whether to ask upstream again for what was refused before.

    A signature may be there by now, or a file mended. Where only a person's pin is missing,
    other bytes would not help.
    """
    verdict = context.journal.result(_key(release, "verify"))
    refused = verdict is not None and verdict.outcome == "held"
    waits_for_pin = tool.verify.method == "pins" and release.version not in tool.verify.pins
    return refused and bool(tool.verify.method) and not waits_for_pin


def _prove(context: Context, tool: Tool, fetched: Fetched) -> Verified:
    release = fetched.release
    verified = context.steps.do(
        _key(release, "verify"),
        Verified,
        {"fetched": fetched},
        {
            "files": [blob.sha256 for blob in (fetched.archive, *fetched.extras)],
            "policy": tool.verify,
            "keys": [_digest(path) for path in tool.keyring],
        },
        lambda: _verify(context, tool, fetched),
    )
    context.journal.accept(tool.name, release.version, fetched.archive.sha256)
    return verified


def _verify(context: Context, tool: Tool, fetched: Fetched) -> Verified:
    """Verify, after asking whether this version was ever accepted with other bytes."""
    before = context.journal.accepted(tool.name, fetched.release.version)
    if before not in ("", fetched.archive.sha256):
        raise Replaced(
            f"{tool.name} {fetched.release.version} was accepted with sha256 {before}, but "
            f"{fetched.release.url} now gives {fetched.archive.sha256}",
            resolution="Treat it as an attack until upstream explains it; nothing was shipped.",
        )
    return verify(fetched, tool=tool, store=context.store, now=context.clock.now())


def _key(release: Release, stage: str) -> Key:
    return Key(tool=release.tool, version=release.version, stage=stage)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
