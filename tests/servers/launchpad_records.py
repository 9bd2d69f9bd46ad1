"""Records of the Launchpad that tests run against, as its API shows them: JSON and addresses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tests.servers.launchpad_archive import BUILT, Build, Ppa, Publication
from tests.servers.launchpad_kinds import KINDS
from tests.servers.launchpad_world import Person, Series, World


class Records:
    """Shows records below ``root``, the API's address with a slash at its end."""

    def __init__(self, world: World, root: str) -> None:
        self._world, self.root = world, root
        self.site = urlsplit(root)._replace(path="").geturl()

    def show(self, kind: str, record: Any, ppa: Ppa | None = None) -> dict[str, Any]:
        """Return the representation of a record."""
        known = KINDS[kind]
        links = [f"{word.split(':')[0]}_link" for word in known.links.split()]
        shape = dict.fromkeys((*known.attributes.split(), *links))
        shown = self._shown(kind)(record, ppa)
        full: dict[str, Any] = shape | {key: _plain(value) for key, value in shown.items()}
        full["resource_type_link"] = f"{self.root}#{kind}"
        if known.page:
            full["web_link"] = full["self_link"].replace("/devel/", "/")
        digest = hashlib.sha256(json.dumps(full, sort_keys=True).encode()).hexdigest()
        return full | {"http_etag": f'"{digest}"'}

    def link(self, *words: str) -> str:
        return self.root + "/".join(words)

    def archive_link(self, ppa: Ppa) -> str:
        return self.link(ppa.place)

    def file_link(self, ppa: Ppa, pub: Publication, name: str) -> str:
        """Return the address from which a file of a publication can be fetched."""
        place = "+files" if pub.arch else f"+sourcefiles/{pub.source.name}/{pub.source.version}"
        return f"{self.site}/{ppa.place}/{place}/{name}"

    def _person(self, person: Person, ppa: Ppa | None) -> dict[str, Any]:
        here = self.link(f"~{person.name}")
        return {
            "self_link": here,
            "name": person.name,
            "display_name": person.name.title(),
            "is_team": bool(person.members),
            "is_valid": True,
            "private": False,
            "gpg_keys_collection_link": f"{here}/gpg_keys",
            "ppas_collection_link": f"{here}/ppas",
            **({"members_collection_link": f"{here}/members"} if person.members else {}),
        }

    def _key(self, fingerprint: str, ppa: Ppa | None) -> dict[str, Any]:
        owner = next(p.name for p in self._world.people.values() if fingerprint in p.fingerprints)
        here = self.link(f"~{owner}", "+gpg-keys", fingerprint)
        return {"self_link": here, "fingerprint": fingerprint, "keyid": fingerprint[-8:]}

    def _ppa(self, ppa: Ppa, _: Ppa | None) -> dict[str, Any]:
        return {
            "self_link": self.archive_link(ppa),
            "authorized_size": ppa.authorized_size,
            "displayname": ppa.displayname,
            "name": ppa.name,
            "owner_link": self.link(f"~{ppa.owner or 'ubuntu-archive'}"),
            "distribution_link": self.link("ubuntu"),
            "private": ppa.private,
            "publish": ppa.publish,
            "reference": ppa.reference,
            "require_virtualized": True,
            "permit_obsolete_series_uploads": ppa.permit_obsolete_series_uploads,
            "processors_collection_link": f"{self.archive_link(ppa)}/processors",
            "signing_key_fingerprint": ppa.signing_key_fingerprint or None,
            "status": ppa.status,
        }

    def _publication(self, pub: Publication, ppa: Ppa) -> dict[str, Any]:
        origin = pub.copied_from
        series = self._world.series[pub.series]
        return {
            "archive_link": self.archive_link(ppa),
            "component_name": "main",
            "section_name": pub.source.section,
            "date_created": pub.created,
            "date_published": pub.published,
            "date_superseded": pub.superseded,
            "date_removed": pub.removed,
            "display_name": f"{pub.name} {pub.version} in {series.name}",
            "pocket": "Release",
            "removal_comment": pub.comment or None,
            "source_package_name": pub.source.name,
            "source_package_version": pub.source.version,
            "status": pub.status,
            "copied_from_archive_link": self.archive_link(origin) if origin else None,
        }

    def _source(self, pub: Publication, ppa: Ppa) -> dict[str, Any]:
        return self._publication(pub, ppa) | {
            "self_link": f"{self.archive_link(ppa)}/+sourcepub/{pub.id}",
            "distro_series_link": self.link("ubuntu", pub.series),
            "package_signer_link": self.link(f"~{pub.source.signer}"),
        }

    def _binary(self, pub: Publication, ppa: Ppa) -> dict[str, Any]:
        assert pub.build is not None
        return self._publication(pub, ppa) | {
            "self_link": f"{self.archive_link(ppa)}/+binarypub/{pub.id}",
            "architecture_specific": pub.specific,
            "binary_package_name": pub.name,
            "binary_package_version": pub.version,
            "build_link": f"{self.archive_link(pub.build.archive)}/+build/{pub.build.id}",
            "distro_arch_series_link": self.link("ubuntu", pub.series, pub.arch),
            "is_debug": False,
        }

    def _build(self, build: Build, _: Ppa | None) -> dict[str, Any]:
        now, ppa = self._world.clock.now(), build.archive
        state, here = build.state(now), f"{self.archive_link(ppa)}/+build/{build.id}"
        done = state == build.script[-1] and len(build.script) > 1
        log = f"{here}/+files/buildlog.txt.gz".replace("/devel/", "/")
        source = build.source
        current = [p for p in ppa.sources if build in ppa.builds_of(p) and p.live]
        return {
            "self_link": here,
            "arch_tag": build.arch,
            "archive_link": self.archive_link(ppa),
            "distribution_link": self.link("ubuntu"),
            "buildstate": state,
            "build_log_url": log if done else None,
            "datecreated": build.created,
            "datebuilt": build.ended if done else None,
            "dependencies": "debhelper-compat (= 99)" if state == "Dependency wait" else None,
            "pocket": "Release",
            "source_package_name": source.name,
            "source_package_version": source.version,
            "title": f"{build.arch} build of {source.name} {source.version} in ubuntu"
            f" {build.series} RELEASE",
            "can_be_retried": state not in (BUILT, "Needs building", "Currently building"),
            "current_source_publication_link": f"{self.archive_link(ppa)}/+sourcepub/"
            f"{current[0].id}"
            if current
            else None,
        }

    def _distribution(self, name: str, ppa: Ppa | None) -> dict[str, Any]:
        newest = [s for s in self._world.series.values() if s.status.startswith("Current")]
        return {
            "self_link": self.link(name),
            "name": name,
            "display_name": name.title(),
            "active": True,
            "series_collection_link": self.link(name, "series"),
            "main_archive_link": self.archive_link(self._world.primary),
            "current_series_link": self.link(name, newest[0].name) if newest else None,
        }

    def _series(self, series: Series, ppa: Ppa | None) -> dict[str, Any]:
        return {
            "self_link": self.link("ubuntu", series.name),
            "name": series.name,
            "displayname": series.name.title(),
            "fullseriesname": f"Ubuntu {series.name.title()}",
            "version": series.version,
            "status": series.status,
            "active": series.active,
            "supported": series.active,
            "distribution_link": self.link("ubuntu"),
            "nominatedarchindep_link": self.link("ubuntu", series.name, "amd64"),
            "architectures_collection_link": self.link("ubuntu", series.name, "architectures"),
        }

    def _arch_series(self, place: str, ppa: Ppa | None) -> dict[str, Any]:
        _, series, arch = place.split("/")
        return {
            "self_link": self.link(place),
            "architecture_tag": arch,
            "display_name": f"Ubuntu {series} {arch}",
            "distroseries_link": self.link("ubuntu", series),
            "is_nominated_arch_indep": arch == "amd64",
            "enabled": True,
            "official": True,
            "supports_virtualized": True,
            "processor_link": self.link("+processors", processor_of(arch)),
        }

    def _processor(self, name: str, ppa: Ppa | None) -> dict[str, Any]:
        return {
            "self_link": self.link("+processors", name),
            "name": name,
            "title": name,
            "build_by_default": name == "amd64",
            "restricted": False,
        }

    def _shown(self, kind: str) -> Callable[[Any, Any], dict[str, Any]]:
        table: Mapping[str, Callable[[Any, Any], dict[str, Any]]] = {
            "person": self._person,
            "team": self._person,
            "gpg_key": self._key,
            "archive": self._ppa,
            "archive_permission": self._permission,
            "source_package_publishing_history": self._source,
            "binary_package_publishing_history": self._binary,
            "build": self._build,
            "distribution": self._distribution,
            "distro_series": self._series,
            "distro_arch_series": self._arch_series,
            "processor": self._processor,
        }
        return table[kind]

    def _permission(self, person: str, ppa: Ppa) -> dict[str, Any]:
        return {
            "self_link": f"{self.archive_link(ppa)}/+upload/{person}",
            "permission": "Archive Upload Rights",
            "component_name": "main",
            "archive_link": self.archive_link(ppa),
            "person_link": self.link(f"~{person}"),
        }


def processor_of(arch: str) -> str:
    """Return Launchpad's name for an architecture's processor, which is mostly the same."""
    return {"i386": "386"}.get(arch, arch)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
