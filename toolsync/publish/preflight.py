"""Find out before anything is sent what Launchpad would refuse, or drop without a word.

The rules are Launchpad's (its upload processor and its manual): a version is used up for ever
in the whole PPA, versions of a series only grow, a file name stands for the same bytes for
ever, and what is signed by a key that nobody has registered is dropped without a mail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from debian.debian_support import Version

from toolsync.model.errors import Held, Replaced, SetupError
from toolsync.model.release import Blob, SourcePackage
from toolsync.publish.index import is_older
from toolsync.publish.origs import Origs, is_orig
from toolsync.system.launchpad import Launchpad
from toolsync.system.launchpadvalues import Archive, Publication, RemoteFile


def check_archive(archive: Archive) -> None:
    """Raise SetupError for a PPA that is being deleted, or publishes nothing."""
    name = archive.title or archive.reference
    if archive.status != "Active":
        raise SetupError(
            f"{name} is being deleted, or was: Launchpad calls it {archive.status}",
            resolution="Name another PPA: a deleted one does not come back.",
        )
    if not archive.publish:
        raise SetupError(
            f"{name} is switched off: it takes uploads and publishes none",
            resolution=f"Switch it on again on its page {archive.link}, or name another PPA.",
        )


def check_rights(api: Launchpad, reference: str, person: str, series: str, name: str) -> str:
    """Return in a phrase that a person may upload; raise SetupError where Launchpad refuses."""
    refusal = api.may_upload(reference, person, series)
    if refusal:
        raise SetupError(
            f"~{person} may not upload to {name} {series}: {refusal}",
            resolution="Let the PPA's owner give the rights or switch it on, or upload as somebody"
            " else: [ppa] login, key.",
        )
    return f"~{person} may upload"


def check_key(api: Launchpad, fingerprint: str, person: str) -> str:
    """Return in a phrase whose key it is; raise SetupError when nobody has registered it.

    ``person`` uploads; whose keys a team's uploaders have cannot be known.
    """
    if api.is_team(person):
        return f"whether a member of ~{person} has registered {fingerprint} cannot be seen"
    known = api.keys(person)
    if fingerprint not in known:
        raise SetupError(
            f"the key {fingerprint} is not registered for ~{person} on Launchpad, which would"
            f" drop the upload without a word; registered: {', '.join(known) or 'none'}",
            resolution="Send it to keyserver.ubuntu.com and register it on your Launchpad page"
            " (+editpgpkeys), or name a registered one: [ppa] key.",
        )
    return f"~{person} has registered {fingerprint}"


def check_series(api: Launchpad, archive: Archive, series: str) -> str:
    """Return a series' status in Launchpad's word; raise SetupError where it takes no uploads.

    A PPA takes some for series of the future; for obsolete ones only where it was told to.
    """
    known = api.series("ubuntu")
    refused = () if archive.takes_obsolete else ("Obsolete",)
    if known.get(series, "Obsolete") in refused or series not in known:
        active = ", ".join(sorted(name for name, status in known.items() if status not in refused))
        what = "takes no uploads any more" if series in known else "is no series of Ubuntu"
        raise SetupError(
            f"{series} {what}, says Launchpad; these do: {active}",
            resolution="Mend `series` in toolsync.toml.",
        )
    return known[series]


def check_version(source: SourcePackage, history: Iterable[Publication], where: str) -> None:
    """Raise Held for a version that the PPA has used up or that its series has passed."""
    for found in history:
        if found.version == source.version:  # and in another series, or we would go on with it
            raise Held(
                f"{where} has used {source.name} {source.version} for {found.series}"
                f" ({found.status}); a version is used up for ever",
                resolution="Change something in the tool's debian/: a new packaging has a new"
                " version.",
            )
    newest = newest_of(history, source.series)
    if newest is not None and is_older(source.version, newest):
        raise Held(
            f"{where} {source.series} has {source.name} {newest}, wanted to publish"
            f" {source.version}, which is older",
            resolution="An archive never goes back; publish the old code as a newer version.",
        )


def check_orig(
    api: Launchpad, source: SourcePackage, history: Sequence[Publication], origs: Origs
) -> None:
    """Raise Replaced where the PPA, or Ubuntu itself, knows our orig's name with other bytes."""
    upstream = str(Version(source.version).upstream_version)
    for found in history:
        if Version(found.version).upstream_version == upstream:
            check_files(api, source, found, origs.differ)
            return
    for found in origs.in_primary(source.name, upstream):
        check_files(api, source, replace(found, series="Ubuntu itself"), origs.differ)


def check_files(
    api: Launchpad,
    source: SourcePackage,
    found: Publication,
    differ: Callable[[RemoteFile, Blob], str] | None = None,
) -> None:
    """Raise Replaced where a publication's files have our names and not our bytes.

    ``differ`` tells in a phrase how the content of an orig differs.
    """
    ours = {blob.name: blob for blob in source.files[1:]}
    for remote in api.files(found):
        mine = ours.get(remote.name)
        if mine is not None and remote.sha256 and remote.sha256 != mine.sha256:
            how = ""
            if differ is not None and is_orig(mine.name):
                how = f"; {differ(remote, mine) or 'both hold the same'}"
            raise Replaced(
                f"{mine.name} is known to Launchpad ({found.series}) with sha256 {remote.sha256},"
                f" wanted {mine.sha256}: an upload would be refused as having different contents"
                + how,
                resolution="Find out why they differ. A file name's bytes are for ever: an orig of"
                " the same content is used for a new packaging (change something in the tool's"
                " debian/); else tell the upstream version apart by a suffix (+repack1).",
            )


def newest_of(history: Iterable[Publication], series: str) -> str | None:
    """Return the newest version of a series that is, or was until a newer one came, served."""
    best: str | None = None
    for found in history:
        alive = found.series == series and found.status in ("Pending", "Published")
        if alive and (best is None or is_older(best, found.version)):
            best = found.version
    return best
