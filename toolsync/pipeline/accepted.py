"""The bytes under which a version was first accepted: nothing else is ever taken for it.

Nor are they ever taken for another version: a proof is of bytes, and an old release under a newer
name brings its own good one along. This is the only place that compares them, with what a page
states now, with what was fetched, and with what lies in a folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from glob import escape
from pathlib import Path

from toolsync.binding.gate import Before
from toolsync.gate.binding import BINDING
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.journal.releases import AcceptedPart, SeenRelease
from toolsync.model.errors import Replaced, Unverified
from toolsync.model.release import Blob, Fetched, Release, Verified, load
from toolsync.model.versions import upstream_key
from toolsync.system.store import digest_of

ATTACK = "Treat it as an attack until upstream explains it"
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def check_accepted(journal: Journal, tool: str, item: Fetched) -> None:
    """Raise Replaced where the version was accepted with other bytes than these."""
    before = journal.releases.accepted(tool, item.release.version)
    if before not in ("", item.archive.sha256):
        raise Replaced(
            f"{tool} {item.release.version} was accepted with sha256 {before}, but"
            f" {item.release.url} now gives {item.archive.sha256}",
            resolution=f"{ATTACK}; nothing was shipped.",
        )


def parts_of(item: Fetched, proved: Verified | None = None) -> tuple[AcceptedPart, ...]:
    """Return the bytes that are accepted with a release.

    These are the tarballs as they were fetched, those inside signed messages, and where a signature
    stands over the plain tar that one: anybody can compress it anew.
    """
    release = item.release
    found = []
    for at, part in enumerate((release.main, *release.components)):
        digests = [item.parts[at].archive.sha256]
        if proved:
            digests += [proved.contents[at].sha256, proved.proofs[at].plain]
        own = part.version if part.component else release.version
        found += [
            AcceptedPart(sha256=digest, version=release.version, component=part.component, own=own)
            for digest in dict.fromkeys(filter(None, digests))
        ]
    return tuple(found)


def check_versions(journal: Journal, item: Fetched, proved: Verified | None = None) -> None:
    """Raise Unverified where a release has the bytes of another version of the tool.

    So it does where its main tarball has those of a component, or a component those of a main one.
    Two parts of one release may be the same file where they are called differently and nothing is
    proved of them, which a person may take for himself alone: there is no proof to be misused.
    """
    release, offered = item.release, parts_of(item, proved)
    mains = {part.sha256 for part in offered if not part.component}
    claimed = proved and (proved.verdict == "good" or any(p.fingerprint for p in proved.proofs))
    for part in offered:
        is_named_alike = part.own in (release.version, release.main.version)
        if part.component and part.sha256 in mains and (claimed or is_named_alike):
            raise _twin(release, part, f"its main tarball, sha256 {part.sha256}")
    for part, before in _others(journal, release, offered):
        if not (part.component and before.component):
            raise _twin(release, part, _words(release.tool, before))


def renumbered(journal: Journal, item: Verified) -> tuple[str, ...]:
    """Return in words which components have bytes that were accepted under another version.

    One may stay as it is while the release goes on, and may then be called otherwise.
    """
    release = item.release
    return tuple(
        f"{part.component} {part.own} has the same bytes as {_words(release.tool, before)}"
        for part, before in _others(journal, release, parts_of(item.fetched, item))
        if part.component and before.component and part.own != before.own
    )


def is_of_old(journal: Journal, item: Verified) -> bool:
    """Say whether these bytes were accepted before there was a gate over the version."""
    release = item.release
    accepted = journal.releases.accepted(release.tool, release.version)
    asked = journal.results.get(Key(tool=release.tool, version=release.version, stage=BINDING.name))
    return accepted == item.fetched.archive.sha256 and asked is None


def before_of(journal: Journal, item: Verified) -> Before:
    """Return what the gate over the version must know of the tool's other releases."""
    release = item.release
    here = upstream_key(release.version)
    signed = [
        (min(str(proof.data.get("signed_at", "")), row.accepted), row.version)
        for row in journal.releases.of(release.tool)
        if row.sha256 and upstream_key(row.version) < here
        if (proof := journal.results.get(Key(tool=row.tool, version=row.version, stage="verify")))
    ]
    signed_at, older = max(signed, default=("", ""))
    return Before(
        older=older if signed_at else "",
        signed_at=signed_at,
        renumbered=renumbered(journal, item),
    )


def _others(
    journal: Journal, release: Release, offered: Iterable[AcceptedPart]
) -> Iterator[tuple[AcceptedPart, AcceptedPart]]:
    """Give each part that was accepted with another version, with what it was accepted as.

    What was accepted already stays so; and the same spelling on the page is the same release,
    under another rule of mangling.
    """
    known = {row.version: row for row in journal.releases.of(release.tool)}
    here = known.get(release.version)
    for part in offered:
        if here and not part.component and here.sha256 == part.sha256:
            return
        for before in journal.releases.accepted_as(release.tool, part.sha256):
            spelled = known[before.version].data["raw_version"] if before.version in known else ""
            if before.version != release.version and spelled != release.raw_version:
                yield part, before


def _words(tool: str, part: AcceptedPart) -> str:
    what = f", component {part.component} {part.own}" if part.component else ""
    return f"what was accepted as {tool} {part.version}{what} on {part.at}"


def _twin(release: Release, part: AcceptedPart, said: str) -> Unverified:
    what = f", component {part.component} {part.own}," if part.component else ""
    return Unverified(
        f"{release.tool} {release.version}{what} is offered with the same bytes as {said}"
        f" ({release.url}); a version never has the bytes of another",
        resolution=f"{ATTACK}: an old release under a newer name brings a good proof along. If"
        f" upstream really published one file twice, pass {release.version} over with watch.ignore"
        " in tool.toml (in debian/watch, with a pattern that does not match it).",
    )


def check_folders(
    archives: Iterable[Blob], folders: Iterable[Path], source: str, version: str
) -> None:
    """Compare what was fetched with what lies in folders, where a person's releases are kept.

    Raises Replaced where there is a file of that name with other bytes, Unverified where these
    bytes are there as the orig tarball of another version of ``source``.
    """
    places = tuple(folders)
    for blob in archives:
        for there in _origs(places, source):
            other = there.name[len(source) + 1 :].partition(".orig")[0]
            if other != version and there.stat().st_size == blob.size:
                _refuse_twin(blob, there, other, version)
        for there in (place / blob.name for place in places):
            found = digest_of(there)[0] if there.is_file() else blob.sha256
            if found != blob.sha256:
                raise Replaced(
                    f"{there} is there already, but with other bytes than upstream now publishes"
                    f" (sha256 {found}, not {blob.sha256})",
                    resolution="One of them was changed. Compare both, then remove the wrong one.",
                )


def _origs(folders: Iterable[Path], source: str) -> Iterator[Path]:
    for folder in folders:
        yield from (p for p in folder.glob(f"{escape(source)}_*.orig.tar.*") if p.is_file())


def _refuse_twin(blob: Blob, there: Path, other: str, version: str) -> None:
    if digest_of(there)[0] == blob.sha256:
        raise Unverified(
            f"{blob.name} is offered as {version}, but has the same bytes as {there}, which is"
            f" {other}; a version never has the bytes of another",
            resolution=f"{ATTACK}: an old release under a newer name brings a good proof along.",
        )


def accepted_releases(seen: Iterable[SeenRelease]) -> dict[str, Release]:
    """Return the releases that were accepted, each with the digest of what was."""
    return {
        release.version: load(Release, release.data)._replace(sha256=release.sha256)
        for release in seen
        if release.sha256
    }


def changed_since(release: Release, before: Release) -> str:
    """Return how a page's release differs from the one accepted under its version, or nothing."""
    if release.sha256 and before.sha256 and release.sha256 != before.sha256:
        return f"with sha256 {before.sha256}, but the page now states {release.sha256}"
    if release.sha512 and before.sha512 and release.sha512 != before.sha512:
        return f"with sha512 {before.sha512}, but the page now states {release.sha512}"
    is_tag = release.tag and release.tag == before.tag and release.url == before.url
    # Of a git tag the etag is its object: a tag that was moved has another.
    if is_tag and _OBJECT.fullmatch(release.etag) and _OBJECT.fullmatch(before.etag):
        moved = release.etag != before.etag
        return f"as tag {before.etag}, but the tag is now {release.etag}" if moved else ""
    return ""
