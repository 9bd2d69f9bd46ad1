"""The named operations of the API of the Launchpad that tests run against."""

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
        raise Refusal(404, f"No such PPA: '{call.given['name']}'.")
    return Found("archive", ppa, ppa)


def _by_reference(call: Call) -> Found:
    ppas = [p for p in call.world.ppas.values() if p.reference == call.given["reference"]]
    found = ppas[0] if ppas and not ppas[0].deleted else None
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
        for b in call.ppa.all_builds()
        if given.get("source_name") in (None, b.source.name)
        and given.get("build_state") in (None, b.state(now))
        and given.get("pocket") in (None, "Release")
    ]
    return Found("build", builds[::-1], call.ppa, many=True)


def _summaries(call: Call) -> dict[str, Any]:
    """Return one word for all builds of each source, as the page of a PPA has it."""
    found = {}
    for pub in call.ppa.sources:
        if pub.id in call.given["source_ids"]:
            builds = [call.records.show("build", b, call.ppa) for b in pub.builds]
            found[str(pub.id)] = {"status": _summary(call, pub), "builds": builds}
    return found


def _summary(call: Call, pub: Publication) -> str:
    states = [b.state(call.world.clock.now()) for b in pub.builds]
    if any(s not in (BUILT, "Needs building", "Currently building") for s in states):
        return "FAILEDTOBUILD"
    for state, word in (("Currently building", "BUILDING"), ("Needs building", "NEEDSBUILD")):
        if state in states:
            return word
    mine = [b for b in call.ppa.binaries if b.build in pub.builds and b.series == pub.series]
    pending = any(b.status == "Pending" for b in mine)
    return "FULLYBUILT_PENDING" if pending else "FULLYBUILT"


def _counters(call: Call) -> dict[str, int]:
    states = [b.state(call.world.clock.now()) for b in call.ppa.all_builds()]
    succeeded = states.count(BUILT)
    failed = sum(s in FINAL or s == "Dependency wait" for s in states) - succeeded
    counts = {"total": len(states), "succeeded": succeeded, "failed": failed, "superseded": 0}
    return counts | {"pending": len(states) - succeeded - failed}


def _check_upload(call: Call) -> bool:
    person, series = call.linked("person", "person"), call.linked("distroseries", "distro_series")
    if not series.active:
        raise Refusal(403, f"{series.name} is obsolete and will not accept new uploads.")
    if call.given["pocket"] != "Release":
        raise Refusal(403, "PPA uploads must be for the RELEASE pocket.")
    if not call.world.may_upload(person.name, call.ppa):
        raise Refusal(403, "Signer has no upload rights to this PPA.")
    return True


def _permissions(call: Call) -> Found:
    people = sorted(call.ppa.uploaders)
    if "person" in call.given:
        people = [p for p in people if p == call.linked("person", "person").name]
    return Found("archive_permission", people, call.ppa, many=True)


def _copy_package(call: Call) -> None:
    name, version = call.given["source_name"], call.given["version"]
    _copy(call, lambda p: p.name == name and p.version == version, f"{name} {version}")


def _copy_packages(call: Call) -> None:
    names = call.given["source_names"]
    _copy(call, lambda p: p.name in names, ", ".join(names))


def _copy(call: Call, wanted: Callable[[Publication], bool], what: str) -> None:
    origin: Ppa = call.linked("from_archive", "archive")
    given, series = call.given, str(call.given.get("to_series") or "")
    if given["to_pocket"] != "Release":
        raise Refusal(400, "Destination pocket must be 'release' for a PPA.")
    if series and (series not in call.world.series or not call.world.series[series].active):
        raise Refusal(400, f"No such distribution series: '{series}'.")

    def found() -> list[Publication]:
        place = given.get("from_series") or ""
        pubs = [p for p in origin.sources if wanted(p) and p.live and place in ("", p.series)]
        newest = {(p.name, "" if series else p.series): p for p in pubs}
        return list(newest.values())

    if not found():
        raise Refusal(400, f"{what} not published in {origin.displayname}.")
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
    return Found("build", list(call.record.builds), call.ppa, many=True)


def _own_binaries(call: Call) -> list[Publication]:
    pub = call.record
    return [b for b in call.ppa.binaries if b.source is pub.source and b.series == pub.series]


def _source_binaries(call: Call) -> Found:
    active = call.given.get("active_binaries_only", True)
    pubs = [b for b in _own_binaries(call) if b.live or not active]
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
    pubs = [call.record] if call.record.arch else _own_binaries(call)
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
    if call.given["name"] != "primary":
        raise Refusal(404, f"No such archive: '{call.given['name']}'.")
    return Found("archive", call.world.primary, call.world.primary)


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
    ("archive", "getUploadersForPackage"): _permissions,
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
