"""The bill of materials of a release, in CycloneDX 1.5: what is in it, under which terms.

It is made of a release's record and of the terms that the license gate read, so the same record
comes to the same bytes. What is bundled is named as the gate saw it, by name and place; of most
of it no version is known, and none is claimed.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, urlsplit

from toolsync.attest.statement import Record, files
from toolsync.config.series import series_tag
from toolsync.license import spdx
from toolsync.license.terms import Component, Terms
from toolsync.model.errors import SetupError

SUFFIX = ".cdx.json"
RULES = "1"
"""Raised when the same record would come to other bytes."""
_FORM = "http://cyclonedx.org/schema/bom-1.5.schema.json"
_NAMESPACE = uuid.UUID("5b4f5f7e-5d0c-5a52-9f8f-6f6f6b8c3d10")
_HOMES = frozenset({"vendored", "jar", "library"})
"""Kinds of bundled work that are a place of their own; other signs may lie within."""
_BUNDLED = _HOMES | {"package", "versioned", "certificates", "font"}
_GITHUB = re.compile(r"/([^/]+)/([^/]+?)(?:\.git)?/(?:releases/download|archive|tarball)/")
_DEB = re.compile(r"([a-z0-9][a-z0-9+.-]+)_([^_]+)_([a-z0-9-]+)\.deb")

Part = dict[str, object]
"""A component, as CycloneDX writes it."""


def sbom(record: Record, terms: Terms | None) -> bytes:
    """Return the bill of materials of a release as a file.

    ``record`` is what is known of it (`keep.gather`), ``terms`` are those that the license gate
    kept, None where it kept none.
    """
    known = terms or Terms()
    main = _main(record, known)
    parts = [*_files(record), *_packages(record)]
    bundled = list(_bundled(record, known))
    whole: Part = {
        "$schema": _FORM,
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "toolsync"}]},
            "component": main,
            "properties": [_property("toolsync:rules", RULES)],
            **({"timestamp": at} if (at := record["accepted"].get("at")) else {}),
        },
        "components": [*parts, *bundled],
        "dependencies": [{"ref": main["bom-ref"], "dependsOn": [p["bom-ref"] for p in bundled]}],
    }
    name = json.dumps(whole, sort_keys=True)
    whole["serialNumber"] = f"urn:uuid:{uuid.uuid5(_NAMESPACE, name)}"
    return (json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _main(record: Record, terms: Terms) -> Part:
    """Return the release itself, as upstream offers it."""
    ids = {text.id for text in terms.mains if text.id}
    expression = record["policy"]["license"].get("expression") or ""
    archive = record.get("fetch", {}).get("archive", {})
    return {
        "type": "application",
        "bom-ref": "main",
        "name": record["tool"],
        "version": record["version"],
        "purl": _upstream(record, archive.get("sha256", "")),
        **_hashes(archive.get("sha256")),
        **_licenses([expression] if expression else ids),
        "externalReferences": [{"type": "distribution", "url": record["release"]["url"]}],
    }


def _upstream(record: Record, sha256: str) -> str:
    """Return the package URL of upstream's release, by the kind of the host that has it."""
    url, version = record["release"]["url"], _quoted(record["version"])
    place = urlsplit(url)
    found = _GITHUB.match(place.path) if place.hostname == "github.com" else None
    if found:
        owner, name = (_quoted(part.lower()) for part in found.groups())
        return f"pkg:github/{owner}/{name}@{_quoted(record['release']['tag'] or record['version'])}"
    return _generic(record["tool"], version, url, sha256)


def _generic(name: str, version: str, url: str, sha256: str) -> str:
    rest = {"checksum": f"sha256:{sha256}" if sha256 else "", "download_url": url}
    told = "&".join(f"{key}={quote(value, safe=':')}" for key, value in rest.items() if value)
    return f"pkg:generic/{_quoted(name)}@{version}" + (f"?{told}" if told else "")


def _files(record: Record) -> Iterator[Part]:
    """Yield upstream's other parts and the orig tarballs."""
    for part in record.get("fetch", {}).get("components", ()):
        blob = part["archive"]
        purl = _generic(f"{record['tool']}-{part['component']}", _quoted(record["version"]),
                        "", blob["sha256"])  # fmt: skip
        yield _file("component", blob) | {"type": "library", "purl": purl}
    unpacked = record.get("unpack", {})
    for blob in (unpacked.get("orig"), *(p["orig"] for p in unpacked.get("components", ()))):
        if blob:
            yield _file("orig", blob)


def _packages(record: Record) -> Iterator[Part]:
    """Yield what is served of it for each series: source and binary packages."""
    versions = {upload["series"]: upload for upload in record.get("uploads", ())}
    for series, place in sorted(record["series"].items()):
        known = versions.get(series)
        made = {blob["name"]: blob for blob in files(place)}
        for name, blob in sorted(made.items()):
            deb = _DEB.fullmatch(name)
            if not deb and not name.endswith(".dsc"):
                continue
            package, version, arch = deb.groups() if deb else (*_source(name), "source")
            if known and known["version"].partition(":")[2] == version:
                version = known["version"]  # a file's name has no epoch
            distro = series.partition("/")[0]  # older packagings stand under SERIES/REVISION
            where = f"?arch={arch}&distro={_quoted(distro)}"
            purl = f"pkg:deb/{_distribution(distro)}/{package}@{_quoted(version)}{where}"
            yield _file(series, blob) | {
                "type": "library" if package.startswith("lib") else "application",
                "name": package,
                "version": version,
                "purl": purl,
            }


def _source(name: str) -> tuple[str, str]:
    source, _, version = name.removesuffix(".dsc").partition("_")
    return source, version


def _distribution(series: str) -> str:
    try:
        return series_tag(series)[0]
    except SetupError:  # the record of a series that this machine never heard of
        return "debian"


def _bundled(record: Record, terms: Terms) -> Iterator[Part]:
    """Yield the work of others that the license gate found inside."""
    homes = tuple(f"{part.path}/" for part in terms.components if part.kind in _HOMES)
    found: dict[str, Component] = {}
    own = {_plain(record["tool"]), _plain(record["policy"]["source"])}
    for part in terms.components:
        inner = part.kind not in _HOMES and f"{part.path}/".startswith(homes)
        mine = part.kind in ("package", "versioned") and _plain(part.name) in own
        if part.kind in _BUNDLED and not inner and not mine and part.name:
            found.setdefault(part.path, part)
    for path, part in sorted(found.items()):
        yield {
            "type": "file" if part.kind in ("certificates", "font") else "library",
            "bom-ref": f"bundled:{path}",
            "name": part.name,
            "purl": f"pkg:generic/{_quoted(part.name)}",
            "properties": [
                _property("toolsync:kind", part.kind),
                _property("toolsync:path", path),
            ],
            **_hashes(part.digest),
            **_licenses(_ids_below(path, terms)),
        }


def _ids_below(path: str, terms: Terms) -> set[str]:
    """Return the licenses that files and texts at or below a path say they are under."""
    below = f"{path}/"
    files = terms.ids()
    found = {
        i for name, ids in files.items() if name == path or name.startswith(below) for i in ids
    }
    return found | {text.id for text in terms.nested if text.id and text.file.startswith(below)}


def _licenses(ids: Iterable[str]) -> Mapping[str, object]:
    """Return them as one expression where SPDX has words for all, else by name; none as nothing."""
    each = sorted(set(ids))
    joined = " AND ".join(f"({one})" if " OR " in one and len(each) > 1 else one for one in each)
    expression = spdx.expression_of(joined) if joined else ""
    if expression:
        return {"licenses": [{"expression": expression}]}
    return {"licenses": [{"license": {"name": one}} for one in each]} if each else {}


def _file(place: str, blob: Record) -> Part:
    return {
        "type": "file",
        "bom-ref": f"{place}:{blob['name']}",
        "name": blob["name"],
        **_hashes(blob["sha256"]),
    }


def _hashes(sha256: str | None) -> Mapping[str, object]:
    return {"hashes": [{"alg": "SHA-256", "content": sha256}]} if sha256 else {}


def _property(name: str, value: str) -> Mapping[str, str]:
    return {"name": name, "value": value}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _quoted(text: str) -> str:
    """Return a part of a package URL: percent-encoded, but for what its rules leave as it is."""
    return quote(text, safe=":~")
