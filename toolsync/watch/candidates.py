"""Make [watch] and [verify] sections of tool.toml out of what an address shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from toolsync.watch.kind import Seen
from toolsync.watch.naming import Family, families
from toolsync.watch.reading import is_html

ENDINGS = re.compile(r"\.(?:tar\.\w+|tgz|txz|tbz2?|zip|tar|deb)$", re.IGNORECASE)
_ANY_TAG = Family(head="", tail="", versions=("1.0",))
_SIGNATURES = (".asc", ".sig", ".sign", ".gpg")
_SUMS = (".sha256", ".sha512", ".sha256sum", ".sha512sum")
_OTHERS = {
    ".minisig": "a minisign signature",
    ".sigstore": "a sigstore bundle",
    ".sigstore.json": "a sigstore bundle",
    ".publish.attestation": "an attestation of PEP 740",
    ".intoto.jsonl": "a statement of provenance (SLSA)",
    ".sshsig": "an SSH signature",
    ".p7s": "an S/MIME signature",
}
_PROOFS = {
    ".minisig": "minisign",
    ".sshsig": "ssh",
    ".sigstore.json": "sigstore",
    ".sigstore": "sigstore",
    ".publish.attestation": "sigstore",
}
"""Endings that tell which method reads a signature."""
_WHOSE = "find out whose key or identity it is before you rely on it"
_WEAK = re.compile(r"(?:sha1sums?|md5sums?)(?:\.txt)?", re.IGNORECASE)
_WEAK_ENDS = (".sha1", ".md5", ".sha1sum", ".md5sum")
_NO_NAME = re.compile(
    r"v?\d[\d.]*|latest|stable|current|releases?|downloads?|dl|files?|dist|pub|archives?|source|src|tags|docs?"
    r"|index(\.\w+)?|www\d?|ftp|get|static|cdn|assets|packages?|tool|simple|en|org|com|net|co"
)
"""Words in addresses that name no project."""
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
        notes += _beside(leaves, family)
        yield Candidate(
            watch={"kind": kind, "url": url, "pattern": family.pattern, **mangled(family)},
            name=family.name,
            verify=_verify(leaves, family),
            notes=tuple(notes),
        )


def _verify(leaves: Sequence[str], family: Family) -> dict[str, str]:
    """Return what lies beside the newest archive: a signature first, then checksums."""
    there, newest = set(leaves), _newest(leaves, family)
    for file in newest:
        for ending in _SIGNATURES:
            if file + ending in there and not _is_cosign(file + ending, there):
                return {"method": "openpgp", "signature": "{url}" + ending}
    for file in newest:
        for ending, method in _PROOFS.items():
            if file + ending in there:
                return {"method": method, "signature": "{url}" + ending}
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


def _newest(leaves: Sequence[str], family: Family) -> list[str]:
    """Return the newest archives of a family."""
    return [
        n for n in leaves if family.versions[0] in n and n.startswith(family.head)
        and n.endswith(family.endings)
    ]  # fmt: skip


def _is_cosign(signature: str, there: Set[str]) -> bool:
    """Say whether a signature is of cosign's kind: its certificate lies beside it."""
    stem = signature.removesuffix(".sig")
    return any(stem + ending in there for ending in (".pem", ".crt", ".cert"))


def _beside(leaves: Sequence[str], family: Family) -> Iterator[str]:
    """Yield what lies beside the newest archive and proves nothing by itself."""
    there, newest = set(leaves), _newest(leaves, family)
    for file in newest:
        if file + ".sig" in there and _is_cosign(file + ".sig", there):
            yield f"{file}.sig is a sigstore signature (cosign), not one of OpenPGP: {_WHOSE}"
    lists = [name for name in there if _LISTS.fullmatch(name) or _WEAK.fullmatch(name)]
    for name in sorted((*newest, *lists)):
        for ending, what in _OTHERS.items():
            if name + ending in there:
                yield f"{name}{ending} is {what}: {_WHOSE}"
    for name in sorted(there):
        if _WEAK.fullmatch(name) or name in {file + end for file in newest for end in _WEAK_ENDS}:
            yield f"{name} lists digests that can be forged (SHA-1 or MD5): it proves nothing"


def usable_name(text: str, url: str = "") -> str:
    """Return a name that can stand in an address and be a source package's.

    Where ``text`` is none, or says no more than "latest", the project's is taken from ``url``: the
    last folder of its path that is a name, else its host.
    """
    parts = [unquote(part) for part in reversed(urlsplit(url).path.split("/"))]
    host = (urlsplit(url).hostname or "").split(".")[:-1]
    if all(part.isdigit() for part in host):
        host = []
    for word in (text, *(ENDINGS.sub("", part) for part in parts), *host):
        name = plain(word.removesuffix(".git"))
        if len(name) > 1 and not _NO_NAME.fullmatch(name):
            return name
    return plain(text) or "tool"


def project(
    kind: str, url: str, name: str, *, releases: str = "tags", tags: Sequence[str] = ()
) -> Candidate:
    """Return the candidate for a forge's project, its pattern made of ``tags`` where known."""
    found = families(tags, files=False)
    family = found[0] if found else _ANY_TAG
    return Candidate(
        watch={"kind": kind, "url": url, "releases": releases, "pattern": family.pattern,
               **mangled(family)},
        name=unquote(name).rpartition("/")[2].removesuffix(".git"),
    )  # fmt: skip


def tag_names(data: Sequence[object]) -> list[str]:
    """Return the tags that a forge's JSON names."""
    entries = (e for e in data if isinstance(e, dict))
    return [str(e.get("tag_name") or e.get("name") or "") for e in entries]


def what_of(url: str) -> str:
    """Return what an API's address asks for: ``tags`` or ``releases``."""
    asks = url.partition("?")[0].rstrip("/").endswith("/releases")
    return "releases" if asks else "tags"


def page_says(at: Seen, *words: str) -> bool:
    """Say whether an HTML page names one of these forges as what has made it."""
    if at.page is None or not is_html(at.page):
        return False
    text = (at.page.body or b"")[:100_000].decode("latin-1")
    return any(re.search(rf'<meta [^>]*content="{word}\b', text) for word in words)


def may_be_project(at: Seen) -> bool:
    """Say whether an HTML page lies where forges keep a project's: two names and no more."""
    page = at.page
    return page is not None and is_html(page) and len(path_names(page.url)) >= 2


def path_names(url: str) -> list[str]:
    """Return the parts of an address's path."""
    return [part for part in urlsplit(url).path.split("/") if part]


def mangled(family: Family) -> dict[str, object]:
    """Return the rules for a family's versions as a key of [watch], or nothing."""
    return {"mangle": list(family.mangle)} if family.mangle else {}


def plain(name: str) -> str:
    """Return a name as a source package's (Debian Policy 5.6.1), empty where nothing is left."""
    return re.sub(r"[^a-z0-9.+-]+", "-", unquote(name).lower()).strip("-.+@")
