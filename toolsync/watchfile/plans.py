"""How each tarball of a watch file is to be proved: its pgpmode, as a plan of what to fetch.

Where uscan is lax this is not: a key in debian/upstream always means that a release must be
signed, whether the watch file says so or not. docs/watch-files.md tells all differences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urljoin

from toolsync.model.plan import Plan, Wanted
from toolsync.model.release import Release
from toolsync.watchfile.source import Source

_ENDINGS = (".asc", ".sig", ".sign", ".gpg", ".pgp")
_SIDECARS = (".sha256", ".sha512", ".sha256sum", ".sha512sum")
_LISTS = ("SHA256SUMS", "SHA512SUMS", "sha256sums.txt", "SHA256SUMS.txt", "sha256sum.txt")
_SIGNED = (".asc", ".sig", ".gpg")
_WORD = re.compile(rb"[^\s\"'<>/=]{6,255}")


def plan_of(
    source: Source, release: Release, signature: str, *, keys: bool, named: frozenset[str]
) -> Plan:
    """Return how a source's tarball is to be proved.

    ``signature`` is the address that debian/watch gives, perhaps none; ``keys`` says whether
    debian/ holds upstream's keys; ``named`` are names on the pages that may be of checksums.
    """
    mode = source.pgpmode
    if mode in ("none", "self"):
        return Plan(method="watch", mode=mode)
    if source.is_git:
        wanted = mode in ("gittag", "auto") or (mode == "default" and keys)
        tagged = wanted and release.tag.startswith("refs/tags/")
        return Plan(method="watch", mode="tag" if tagged else "untagged")
    decompress = "decompress" in source.flags
    if mode in ("next", "mangle") or signature:
        ways = ((Wanted(role="signature", url=signature),),) if signature else ()
        return Plan(method="watch", mode="detached", ways=ways, decompress=decompress)
    return Plan(
        method="watch",
        mode="probed",
        ways=tuple(_probed(release, keys=keys, signed=keys or mode == "auto", named=named)),
        needed=keys,
        decompress=decompress,
    )


def names_of_sums(page: bytes) -> set[str]:
    """Return the names on a page that may be those of checksum files."""
    words = (found[0] for found in _WORD.finditer(page))
    return {unquote(w.decode("utf-8", "replace")) for w in words if b"sha" in w.lower()}


def _probed(
    release: Release, *, keys: bool, signed: bool, named: frozenset[str]
) -> Iterator[tuple[Wanted, ...]]:
    """Give signatures and checksums where upstreams put them, in the order of a look."""
    url = release.url.partition("#")[0]
    if signed:
        yield from ((_guess("signature", url + ending),) for ending in _ENDINGS)
    if "?" in url:
        return
    base = url.rpartition("/")[0] + "/"
    beside = [url + ending for ending in _SIDECARS] + [base + name for name in _LISTS]
    for address in beside if keys else _promising(release, beside, base, named):
        proofs = [_guess("checksums-signature", address + end) for end in _SIGNED if keys]
        yield (_guess("checksums", address), *proofs)
    if keys:  # lists that are signed and bear their signature's name
        yield from ((_guess("checksums", f"{base}{name}.asc"),) for name in _LISTS)


def _promising(release: Release, beside: list[str], base: str, named: frozenset[str]) -> list[str]:
    """Return those that the pages name, and without a listing of the folder the usual ones.

    Nobody has said that there are checksums, and nine requests for each tarball are too many.
    """
    listed = urljoin(release.page, ".") == base
    usual = () if listed else (beside[0], base + _LISTS[0])
    return [a for a in beside if a in usual or unquote(a.rpartition("/")[2]) in named]


def _guess(role: str, url: str) -> Wanted:
    return Wanted(role=role, url=url, guessed=True)
