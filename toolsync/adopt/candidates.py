"""Make [watch] and [verify] sections of tool.toml out of what an address shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from toolsync.adopt.naming import Family, families

ENDINGS = re.compile(r"\.(?:tar\.\w+|tgz|txz|tbz2?|zip|tar|deb)$", re.IGNORECASE)
_ANY_TAG = Family(head="", tail="", versions=("1.0",))
_SIGNATURES = (".asc", ".sig", ".sign", ".gpg")
_SUMS = (".sha256", ".sha512", ".sha256sum", ".sha512sum")
_LISTS = re.compile(
    r"(?:sha(?:256|512)sums?(?:\.txt)?|checksums?\.txt|.*checksums\.txt)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to watch an address."""

    watch: dict[str, Any]
    """The keys of [watch]."""
    name: str
    """The tool's name, as far as it can be told."""
    verify: dict[str, str] = field(default_factory=dict)
    """What of [verify] the page shows."""
    notes: tuple[str, ...] = ()
    """What could not be decided."""


def of_files(kind: str, url: str, names: Sequence[str], name: str) -> Iterator[Candidate]:
    """Yield the candidates of a listing: one for each family of archives."""
    leaves = [entry.rpartition("/")[2] for entry in names]
    found = families(leaves, files=True)
    chosen = [family for family in found if not name or plain(family.name) == plain(name)]
    for family in chosen or found:
        others = sorted({other.name for other in found if other.name != family.name})[:5]
        notes = [f"the page has other files, too: {', '.join(others)}"] if others else []
        yield Candidate(
            watch={"kind": kind, "url": url, "pattern": family.pattern, **mangled(family)},
            name=family.name,
            verify=_verify(leaves, family),
            notes=tuple(notes),
        )


def _verify(leaves: Sequence[str], family: Family) -> dict[str, str]:
    """Return what lies beside the newest archive: a signature first, then checksums."""
    there = set(leaves)
    newest = [
        n for n in leaves if family.versions[0] in n and n.startswith(family.head)
        and n.endswith(family.endings)
    ]  # fmt: skip
    for file in newest:
        for ending in _SIGNATURES:
            if file + ending in there:
                return {"method": "openpgp", "signature": "{url}" + ending}
    for file in newest:
        for ending in _SUMS:
            if file + ending in there:
                return {"method": "checksums", "checksums": "{url}" + ending}
    sums = sorted(n for n in there if _LISTS.fullmatch(n))
    if not sums:
        return {}
    signed = next((e for e in _SIGNATURES if sums[0] + e in there), "")
    more = {"checksums_signature": "{checksums}" + signed} if signed else {}
    return {"method": "checksums", "checksums": "{dir}/" + sums[0], **more}


def of_feed(url: str, text: str, name: str) -> Iterator[Candidate]:
    """Yield the candidates of a feed: GitHub's is known by its entries' ids."""
    tags = re.findall(r"<id>\s*tag:[^:<]*:Repository/\d+/([^<]{1,255}?)\s*</id>", text)
    if tags:
        root = re.sub(r"/(?:tags|releases)\.atom$", "", url.partition("?")[0])
        what = "releases" if "/releases.atom" in url else "tags"
        yield project("github", root, releases=what, tags=tags)
        return
    links = re.findall(
        r"(?:href|url)=[\"']([^\"'<>]{1,2000})[\"']|<link>\s*([^<]{1,2000})</link>", text
    )
    paths = [urlsplit(a or b).path.rstrip("/").removesuffix("/download") for a, b in links]
    yield from of_files("feed", url, [unquote(path) for path in paths], name)


def usable_name(text: str) -> str:
    """Return a name that can stand in an address and be a source package's."""
    return plain(text) or "tool"


def index(url: str) -> Candidate:
    """Return the candidate for a project's page in a package index."""
    base, _, name = url.rstrip("/").rpartition("/")
    return Candidate(
        watch={"kind": "index", "url": base + "/", "project": name},
        name=name,
        verify={"method": "index"},
    )


def probe(url: str, file: str) -> Candidate:
    """Return the candidate for an archive without a version in its address."""
    stem = ENDINGS.sub("", file)
    return Candidate(
        watch={
            "kind": "probe",
            "url": url,
            "pattern": r".*?[-_]v?(?P<version>\d+(?:[.-]\d+)*)",
        },
        name=stem,
        notes=("the address has no version: each change of the file is downloaded to read it",),
    )


def project(kind: str, url: str, *, releases: str = "tags", tags: Sequence[str] = ()) -> Candidate:
    """Return the candidate for a forge's project, its pattern made of ``tags`` where known."""
    found = families(tags, files=False)
    family = found[0] if found else _ANY_TAG
    root = url.partition("?")[0].partition("/-/")[0].rstrip("/")
    names = [part for part in urlsplit(root).path.split("/") if part]
    if kind == "github" and "repos" not in names:
        root, names = urljoin(root, "/" + "/".join(names[:2])), names[:2]
    name = unquote(names[-1] if names else "").rpartition("/")[2].removesuffix(".git")
    if kind in ("gitlab", "forgejo") and names[:1] == ["api"]:
        name = unquote(names[3] if kind == "gitlab" else "".join(names[4:5])).rpartition("/")[2]
    return Candidate(
        watch={"kind": kind, "url": root, "releases": releases, "pattern": family.pattern,
               **mangled(family)},
        name=name,
    )  # fmt: skip


def mangled(family: Family) -> dict[str, Any]:
    """Return the rules for a family's versions as a key of [watch], or nothing."""
    return {"mangle": list(family.mangle)} if family.mangle else {}


def plain(name: str) -> str:
    """Return a name as a source package's (Debian Policy 5.6.1), empty where nothing is left."""
    return re.sub(r"[^a-z0-9.+-]+", "-", unquote(name).lower()).strip("-.+@")
