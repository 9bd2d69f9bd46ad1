"""The named operations of the API of the Launchpad that tests run against.

By what rule of Launchpad's each selects or refuses stands in launchpad_rules.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from debian.debian_support import Version

from tests.servers.launchpad_archive import BUILT, FINAL, Ppa, Publication
from tests.servers.launchpad_copier import copy_later
from tests.servers.launchpad_records import Records
from tests.servers.launchpad_world import World


class Refusal(Exception):
    """An answer that is no success: its status and its text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Found:
    """What an address or an operation leads to: a record of a kind, or many."""

    kind: str
    record: Any
    ppa: Ppa | None = None
    many: bool = False


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of an operation."""

    world: World
    records: Records
    record: Any
    ppa: Ppa
    """The PPA that the record is or belongs to."""
    given: Mapping[str, Any]
    viewer: str
    lookup: Callable[[str, str], Any]
    """From a link and the wanted kind to a record."""

    def linked(self, name: str, kind: str) -> Any:
        """Return the record that an argument links to, or None."""
        return self.lookup(self.given[name], kind) if self.given.get(name) else None


def _ppa_by_name(call: Call) -> Found:
    ppa = call.world.ppas.get((call.record.name, call.given["name"]))
    if ppa is None or ppa.deleted:
        raise Refusal(404, f"No such ppa: '{call.given['name']}'.")
    return Found("archive", ppa, ppa)


def _by_reference(call: Call) -> Found:
    ppas = [p for p in call.world.ppas.values() if p.reference == call.given["reference"]]
    seen = ppas and not ppas[0].deleted and call.world.may_view(call.viewer, ppas[0])
    found = ppas[0] if seen else None
    return Found("archive", found, found)


def _sources(call: Call) -> Found:
    series = call.linked("distro_series", "distro_series")
    pubs = _selected(call, call.ppa.sources, "source_name", series.name if series else "")
    return Found("source_package_publishing_history", pubs, call.ppa, many=True)


def _archive_binaries(call: Call) -> Found:
    place = call.linked("distro_arch_series", "distro_arch_series")
    _, series, arch = place.split("/") if place else ("", "", "")
    pubs = _selected(call, call.ppa.binaries, "binary_name", series)
    pubs = [p for p in pubs if not arch or p.arch == arch]
    return Found("binary_package_publishing_history", pubs, call.ppa, many=True)


def _selected(call: Call, pubs: list[Publication], name_key: str, series: str) -> list[Publication]:
    """Return publications as the filters want them, in Launchpad's order."""
    given, name = call.given, call.given.get(name_key)
    since = given.get("created_since_date")
    if given.get("version") and not name:
        raise Refusal(400, "The 'version' parameter can be used only together with a name.")
    found = [
        p
        for p in pubs
        if (not name or (p.name == name if given.get("exact_match") else name in p.name))
        and given.get("version") in (None, p.version)
        and given.get("status") in (None, p.status)
        and given.get("pocket") in (None, "Release")
        and given.get("component_name") in (None, "main")
        and series in ("", p.series)
        and (not since or p.created >= datetime.fromisoformat(since))
    ]
    if given.get("order_by_date") or given.get("order_by_date_ascending"):
        return sorted(
            found, key=lambda p: (p.created, p.id), reverse=bool(given.get("order_by_date"))
        )
    newest_first = sorted(found, key=lambda p: (Version(p.version), p.id), reverse=True)
    return sorted(newest_first, key=lambda p: p.name)


def _build_records(call: Call) -> Found:
    now, given = call.world.clock.now(), call.given
    builds = [
        b
        for b in call.ppa.builds
        if (given.get("source_name") or "") in b.source.name
        and given.get("build_state") in (None, b.state(now))
        and given.get("pocket") in (None, "Release")
    ]
    return Found("build", builds[::-1], call.ppa, many=True)


def _summaries(call: Call) -> dict[str, Any]:
    """Return one word for all builds of each source, as the page of a PPA has it."""
    found = {}
    for pub in call.ppa.sources:
        if pub.id in call.given["source_ids"]:
            builds = [call.records.show("build", b) for b in call.ppa.builds_of(pub)]
            found[str(pub.id)] = {"status": _summary(call, pub), "builds": builds}
    return found


def _summary(call: Call, pub: Publication) -> str:
    states = [b.state(call.world.clock.now()) for b in call.ppa.builds_of(pub)]
    for state, word in (("Currently building", "BUILDING"), ("Needs building", "NEEDSBUILD")):
        if state in states:
            return word
    if any(state != BUILT for state in states):
        return "FAILEDTOBUILD"
    pending = any(b.status == "Pending" for b in call.ppa.binaries_of(pub))
    return "FULLYBUILT_PENDING" if pending else "FULLYBUILT"


def _counters(call: Call) -> dict[str, int]:
    states = [b.state(call.world.clock.now()) for b in call.ppa.builds]
    pending = {"Currently building", "Uploading build"}
    if call.given.get("include_needsbuild", True):
        pending.add("Needs building")
    failures = {*FINAL, "Dependency wait"} - {BUILT, "Cancelled build"}
    counts = {
        "succeeded": states.count(BUILT),
        "failed": sum(state in failures for state in states),
        "superseded": states.count("Build for superseded Source"),
        "pending": sum(state in pending for state in states),
    }
    return counts | {"total": sum(counts.values())}


def _check_upload(call: Call) -> bool:
    person, series = call.linked("person", "person"), call.linked("distroseries", "distro_series")
    _check_name(call, call.given["sourcepackagename"])
    if call.given["pocket"] != "Release":
        raise Refusal(403, "PPA uploads must be for the RELEASE pocket.")
    if not call.world.may_take(series, call.ppa):
        raise Refusal(403, f"{series.name} is obsolete and will not accept new uploads.")
    if not call.ppa.enabled:
        raise Refusal(403, f"{call.ppa.displayname} is disabled.")
    if not call.world.may_upload(person.name, call.ppa):
        raise Refusal(403, "Signer has no upload rights to this PPA.")
    return True


def _check_name(call: Call, name: str) -> None:
    """Refuse a source package of whose name Launchpad has never heard, in any archive."""
    if not call.world.knows(name):
        raise Refusal(404, f"No such source package: '{name}'.")


def _package_uploaders(call: Call) -> Found:
    """Return the rights on one source package: those on whole archives are others."""
    _check_name(call, call.given["source_package_name"])
    return Found("archive_permission", [], call.ppa, many=True)


def _permissions(call: Call) -> Found:
    person, people = call.linked("person", "person").name, call.world.people
    mine = [u for u in sorted(call.ppa.uploaders) if person in {u, *people[u].members}]
    return Found("archive_permission", mine, call.ppa, many=True)


def _copy_package(call: Call) -> None:
    """Copy the newest publication of this version, of whatever status."""
    name, version = call.given["source_name"], call.given["version"]
    _copy(call, [name], lambda p: p.version == version)


def _copy_packages(call: Call) -> None:
    """Copy the newest publication of each name that is Published or will be."""
    _copy(call, call.given["source_names"], lambda p: p.live)


def _copy(call: Call, names: list[str], fits: Callable[[Publication], bool]) -> None:
    origin: Ppa = call.linked("from_archive", "archive")
    given, series = call.given, str(call.given.get("to_series") or "")
    if given["to_pocket"] != "Release":
        raise Refusal(400, "Destination pocket must be 'release' for a PPA.")
    if series and series not in call.world.series:
        raise Refusal(400, f"No such distribution series: '{series}'.")

    def found() -> list[Publication]:
        place = given.get("from_series") or ""
        pubs = [p for p in origin.sources if p.name in names and fits(p)]
        newest = {p.name: p for p in pubs if place in ("", p.series)}
        return list(newest.values())

    for name in names:
        _check_name(call, name)
        if not any(pub.name == name for pub in found()):
            raise Refusal(400, f"{name} is not published in {origin.displayname}.")
    copy_later(
        call.world,
        found,
        call.ppa,
        origin=origin,
        series=series,
        include_binaries=bool(given.get("include_binaries")),
        requester=call.viewer,
    )


def _builds(call: Call) -> Found:
    return Found("build", call.ppa.builds_of(call.record), call.ppa, many=True)


def _source_binaries(call: Call) -> Found:
    active = call.given.get("active_binaries_only", True)
    pubs = [b for b in call.ppa.binaries_of(call.record) if b.live or not active]
    return Found("binary_package_publishing_history", pubs, call.ppa, many=True)


def _source_urls(call: Call) -> list[Any]:
    pub: Publication = call.record
    urls = [
        {
            "url": call.records.file_link(call.ppa, pub, name),
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        for name, data in sorted(pub.source.files.items())
    ]
    return urls if call.given.get("include_meta") else [url["url"] for url in urls]


def _binary_urls(call: Call) -> list[Any]:
    """Return the addresses of a binary's file, or of all that a source has made."""
    pubs = [call.record] if call.record.arch else call.ppa.binaries_of(call.record)
    names = dict.fromkeys(pub.filename for pub in pubs)
    urls = [call.records.file_link(call.ppa, pubs[0], name) for name in names]
    if not call.given.get("include_meta"):
        return urls
    datas = [call.ppa.debs.get(name, b"") for name in names]
    sums = [{"sha256": hashlib.sha256(d).hexdigest(), "size": len(d)} for d in datas]
    return [{"url": url} | more for url, more in zip(urls, sums, strict=True)]


def _delete(call: Call) -> None:
    comment = str(call.given.get("removal_comment") or "")
    call.ppa.delete(call.record, call.world.clock.now(), comment)


def _series(call: Call) -> Found:
    wanted = call.given["name_or_version"]
    for series in call.world.series.values():
        if wanted in (series.name, series.version):
            return Found("distro_series", series)
    raise Refusal(404, f"No such distribution series: '{wanted}'.")


def _ubuntu_archive(call: Call) -> Found:
    found = call.world.primary if call.given["name"] == "primary" else None
    return Found("archive", found, found)


_SPPH, _BPPH = "source_package_publishing_history", "binary_package_publishing_history"
OPERATIONS: Mapping[tuple[str, str], Callable[[Call], Any]] = {
    ("person", "getPPAByName"): _ppa_by_name,
    ("archives", "getByReference"): _by_reference,
    ("archive", "getPublishedSources"): _sources,
    ("archive", "getPublishedBinaries"): _archive_binaries,
    ("archive", "getBuildRecords"): _build_records,
    ("archive", "getBuildSummariesForSourceIds"): _summaries,
    ("archive", "getBuildCounters"): _counters,
    ("archive", "getSigningKeyData"): lambda call: call.ppa.signing_key or None,
    ("archive", "checkUpload"): _check_upload,
    ("archive", "getUploadersForPackage"): _package_uploaders,
    ("archive", "getPermissionsForPerson"): _permissions,
    ("archive", "copyPackage"): _copy_package,
    ("archive", "copyPackages"): _copy_packages,
    (_SPPH, "getBuilds"): _builds,
    (_SPPH, "getPublishedBinaries"): _source_binaries,
    (_SPPH, "sourceFileUrls"): _source_urls,
    (_SPPH, "binaryFileUrls"): _binary_urls,
    (_SPPH, "changesFileUrl"): lambda call: call.records.file_link(
        call.ppa, call.record, call.record.source.changes_name
    ),
    (_SPPH, "requestDeletion"): _delete,
    (_BPPH, "binaryFileUrls"): _binary_urls,
    ("distribution", "getSeries"): _series,
    ("distribution", "getArchive"): _ubuntu_archive,
}
