"""Do what uscan does: watch, fetch, verify and unpack one release into a folder, nothing else.

The journal is asked for what was accepted before and is not written: this is for hands and
scripts, not a step of a release's way to the archive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.fetch.stage import fetch
from toolsync.model.errors import FINE, HELD, Held, Replaced, ToolsyncError, Unverified, UsageError
from toolsync.model.release import Outcome, Release, Verified
from toolsync.model.versions import upstream_key
from toolsync.pipeline import uscan
from toolsync.pipeline.context import Context
from toolsync.pipeline.survey import in_trouble, published, sifted_of
from toolsync.system.store import full_disk_is_told
from toolsync.unpack.stage import unpack
from toolsync.verify.refusal import MissingProof
from toolsync.verify.stage import METHODS, verify
from toolsync.watch.look import look


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """What ``fetch --json`` promises; the files are names in the output folder."""

    tool: str
    current: str | None
    version: str | None
    status: str
    url: str | None
    file: str | None
    verify: str
    """``good``, ``bad``, ``missing-signature``, ``no-keyring`` or ``unchecked``."""
    accepted: bool
    orig: str | None
    components: tuple[str, ...]
    message: str
    resolution: str = ""
    exit_status: int = FINE


def obtain(
    context: Context, tool: Tool, wanted: str | None, output: Path, *, exclude: bool = True
) -> Obtained:
    """Return what became of the newest release, or of version ``wanted``, in ``output``.

    A release that is refused leaves nothing there; the refusal is told in the value. Without
    ``exclude`` a folder's Files-Excluded do not count.
    """
    if tool.watch.is_folder:
        return _as_uscan(context, tool, wanted, output, exclude=exclude)
    current = published(context, tool)
    try:
        release = _choose(context, tool, wanted)
    except UsageError:
        raise
    except ToolsyncError as error:
        return _not_seen(tool, current, error, context)
    try:
        fetched = fetch(
            release,
            tool=tool,
            http=context.http,
            store=context.store,
            limits=context.config.limits,
            progress=context.progress(release.filename),
        )
        verified = verify(fetched, tool=tool, store=context.store, now=context.clock.now())
        _check_accepted(context, verified)
        unpacked = unpack(
            verified,
            tool=tool,
            store=context.store,
            limits=context.config.limits,
            workshop=context.workshop,
        )
    except ToolsyncError as error:
        return _refused(tool, current, release, error)
    with full_disk_is_told(output):
        output.mkdir(parents=True, exist_ok=True)
    context.store.copy_to(fetched.archive, output, _plain(release.filename))
    context.store.copy_to(unpacked.orig, output)
    newer = current is None or upstream_key(release.version) > upstream_key(current)
    return Obtained(
        tool=tool.name,
        current=current,
        version=release.version,
        status="new" if newer else "up-to-date",
        url=release.url,
        file=_plain(release.filename),
        verify="good",
        accepted=True,
        orig=unpacked.orig.name,
        components=(),
        message=f"{release.version}: {verified.statement}",
    )


def _as_uscan(
    context: Context, tool: Tool, wanted: str | None, output: Path, *, exclude: bool
) -> Obtained:
    """Return what became of a release of a folder with debian/watch.

    The status says where the tool stands, so a refused release is told by ``accepted`` and
    ``verify``.
    """
    try:
        bundle = uscan.seek(context, tool, wanted or "")
    except ToolsyncError as error:
        return _not_seen(tool, published(context, tool), error, context)
    status = uscan.standing(tool, bundle)
    seen = Obtained(
        tool=tool.name,
        current=published(context, tool),
        version=bundle.version,
        status=status,
        url=bundle.main.release.url,
        file=None,
        verify="unchecked",
        accepted=False,
        orig=None,
        components=(),
        message="",
    )
    if status == "recalled" and not wanted:
        return replace(
            seen,
            message=f"{seen.current} is current, but the newest that upstream names is"
            f" {bundle.newest}",
            resolution="Ask upstream why it was withdrawn, or name a version with --version.",
            exit_status=HELD,
        )
    try:
        taken = uscan.take(context, tool, bundle, output, exclude=exclude)
    except ToolsyncError as error:
        return replace(
            seen,
            verify=_verdict_of(error),
            message=str(error),
            resolution=error.resolution,
            exit_status=error.exit_status,
        )
    return replace(
        seen,
        file=taken.file,
        verify=taken.verdict,
        accepted=True,
        orig=taken.orig,
        components=taken.components,
        message=f"{bundle.version}: {taken.sentence}",
    )


def _verdict_of(error: ToolsyncError) -> str:
    if isinstance(error, uscan.Refused):
        return error.verdict
    return "bad" if isinstance(error, Replaced) else "unchecked"


def _choose(context: Context, tool: Tool, wanted: str | None) -> Release:
    sighting = look(tool, http=context.http, limits=context.config.limits)
    releases = sighting.releases
    if wanted is None:
        takeable = sifted_of(context, tool, sighting).takeable
        if takeable:
            return takeable[0]
        raise UsageError(
            f"{releases[0].version} and all others that {releases[0].page} names are ignored or too"
            f" young by [watch] of {tool.name}",
            resolution="Name one with --version to fetch it all the same.",
        )
    found = next((r for r in releases if wanted in (r.version, r.raw_version)), None)
    if found is None:
        raise UsageError(
            f"{releases[0].page} names no version {wanted} of {tool.name}; the newest are: "
            f"{', '.join(release.version for release in releases[:5])}"
        )
    return found


def _check_accepted(context: Context, item: Verified) -> None:
    before = context.journal.accepted(item.release.tool, item.release.version)
    if before not in ("", item.fetched.archive.sha256):
        raise Replaced(
            f"{item.release.version} was accepted with sha256 {before}, "
            f"but now is {item.fetched.archive.sha256}",
            resolution="Treat it as an attack until upstream explains it.",
        )


def _not_seen(tool: Tool, current: str | None, error: ToolsyncError, context: Context) -> Obtained:
    outcome: Outcome = in_trouble(context, tool, error)
    return Obtained(
        tool=tool.name,
        current=current,
        version=None,
        status=outcome.status,
        url=outcome.url,
        file=None,
        verify="unchecked",
        accepted=False,
        orig=None,
        components=(),
        message=outcome.message,
        resolution=outcome.resolution,
        exit_status=outcome.exit_status,
    )


def _refused(tool: Tool, current: str | None, release: Release, error: ToolsyncError) -> Obtained:
    status = "replaced" if isinstance(error, Replaced) else "error"
    return Obtained(
        tool=tool.name,
        current=current,
        version=release.version,
        status="held" if isinstance(error, Held) and status == "error" else status,
        url=release.url,
        file=None,
        verify=_verdict(tool, error),
        accepted=False,
        orig=None,
        components=(),
        message=str(error),
        resolution=error.resolution,
        exit_status=error.exit_status,
    )


def _verdict(tool: Tool, error: ToolsyncError) -> str:
    if isinstance(error, MissingProof):
        return "missing-signature"
    if isinstance(error, Unverified | Replaced):
        return "bad" if tool.verify.method in METHODS else "unchecked"
    return "no-keyring" if tool.verify.keys and not tool.keyring else "unchecked"


def _plain(name: str) -> str:
    """Return a file name from a page as one that can stay inside a folder."""
    return Path(name.replace("\\", "/")).name or "download"
