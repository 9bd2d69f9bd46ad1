"""All that one look at a watch file comes to: the main tarball, its components, signatures.

Versions of groups are joined (``1.0+~2.0``) and those of checksummed sources added up
(``1.0+~cs4.0.3``), as uscan(1) says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from toolsync.config.definition import Tool
from toolsync.model.errors import Drifted, UsageError
from toolsync.model.release import Release
from toolsync.model.versions import are_numbers, is_numbers, probable, upstream_key
from toolsync.system.git import fetched, list_refs
from toolsync.watch.addresses import leaf, usable_address
from toolsync.watch.git import place_of
from toolsync.watch.reading import Get, without_misplaced
from toolsync.watchfile.faults import fault, placed
from toolsync.watchfile.folder import package_of, stated, summed, watch_file
from toolsync.watchfile.pages import Hit, compiled, find, joined_groups
from toolsync.watchfile.rules import mangled
from toolsync.watchfile.source import Source

_VERSION = re.compile(r"[0-9][A-Za-z0-9.+:~-]*")
_NAMED = r"^(?:{})?[-_]?v?(\d[\d.+~a-zA-Z-]*?)\.(?:tar|t[gbx]z|zip)"
_CHANGING = ("downloadurlmangle", "filenamemangle", "uversionmangle")
"""Rules that make a release of a hit."""
_PREFERENCE = (".tar.xz", ".txz", ".tar.lzma", ".tar.bz2", ".tbz2", ".tbz", ".tar.gz", ".tgz")
"""Of one version's files, as uscan takes them: what dpkg-source takes, the smaller first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One tarball of a release."""

    source: Source
    release: Release
    signature: str = ""
    """Where a second source found its signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A release with everything that belongs to it; the main tarball comes first."""

    version: str
    parts: tuple[Part, ...]
    newest: str
    """The newest version there is, when another one was asked for."""

    def has_news(self, tool: Tool) -> bool:
        """Say whether a component is newer than what its own folder states (ctype)."""
        folders = ((part, stated(tool, part.source)) for part in self.parts[1:])
        return any(
            upstream_key(part.release.version) > upstream_key(own) for part, own in folders if own
        )

    @property
    def main(self) -> Part:
        """The main tarball."""
        return self.parts[0]


def read(tool: Tool, get: Get) -> list[Release]:
    """Return the releases of the main tarball: what a reader of a release page gives."""
    sources = watch_file(tool).sources
    if any(source.schema in ("group", "checksum") for source in sources):
        bundle = gather(tool, get)
        return [bundle.main.release._replace(version=bundle.version)]
    return [release for source in _mains(sources) for release in releases(tool, source, get)]


def gather(tool: Tool, get: Get, wanted: str = "") -> Bundle:
    """Return the newest release, or version ``wanted``, with its components.

    Raises UsageError when there is no such version, and what reading a page raises.
    """
    sources = watch_file(tool).sources
    found = [(s, r) for s in _mains(sources) for r in _usable(tool, s, get)]
    newest = _best([release for _, release in found])
    if wanted:
        upstream = [r for _, r in found if wanted in (r.version, r.raw_version)]
        if not upstream:
            names = sorted({r.version for _, r in found}, key=upstream_key, reverse=True)
            raise UsageError(
                f"{newest.page} names no version {wanted} of {tool.name}; the newest are: "
                f"{', '.join(names[:5])}",
                resolution="Name one of these with --version.",
            )
        main = _best(upstream)
    else:
        main = newest
    source = next(s for s, r in found if r is main)
    parts = [
        Part(source=source, release=main, signature=_signature(tool, sources, source, main, get))
    ]
    for other in (s for s in sources if s.component and not _is_signature(s)):
        choice = _usable(tool, other, get)
        if other.schema == "same":
            choice = [r for r in choice if r.version == main.version]
            if not choice:
                raise Drifted(
                    f"{other.url} has no {other.component} of version {main.version}, which the"
                    " main tarball has; it must be the same",
                    resolution="Wait until upstream publishes it.",
                )
        best = _best(choice)
        signature = _signature(tool, sources, other, best, get)
        parts.append(Part(source=other, release=best, signature=signature))
    version = _joined(parts)
    return Bundle(
        version=version, parts=tuple(parts), newest=version if not wanted else newest.version
    )


def releases(tool: Tool, source: Source, get: Get) -> list[Release]:
    """Return the releases that one source names; raises Drifted when there is none."""
    with placed(source.line):
        hits = _git_hits(source, get) if source.is_git else find(source, get)
        made = _releases(tool, source, hits)
    kept = without_misplaced(made)
    if all(release.refused for release in kept):
        raise Drifted(
            f"{source.url} names {len(hits)} files that match, but no version among them is one"
            f" of Debian's: {', '.join(hit.version for hit in hits[:3])}",
            resolution="Mend the pattern or uversionmangle in debian/watch.",
        )
    return kept


def _usable(tool: Tool, source: Source, get: Get) -> list[Release]:
    return [release for release in releases(tool, source, get) if not release.refused]


def _mains(sources: Sequence[Source]) -> list[Source]:
    """Return the sources of the main tarball; of several, the newest release wins."""
    mains = [s for s in sources if not s.component and not _is_signature(s)]
    if not mains:
        raise fault("has components but no main tarball", "Add a source without component")
    return mains


def _is_signature(source: Source) -> bool:
    """Say whether a source finds the signature of the one before it, and no tarball."""
    return "previous" in (source.pgpmode, source.schema)


def _best(found: Sequence[Release]) -> Release:
    def rank(release: Release) -> int:
        name = release.filename.lower()
        return next((i for i, e in enumerate(_PREFERENCE) if name.endswith(e)), len(_PREFERENCE))

    top = max(upstream_key(release.version) for release in found)
    return min((r for r in found if upstream_key(r.version) == top), key=rank)


def _signature(
    tool: Tool, sources: Sequence[Source], source: Source, main: Release, get: Get
) -> str:
    """Return the address of the signature that the source after this one finds."""
    if source.pgpmode != "next":
        return ""
    at = sources.index(source) + 1
    if at >= len(sources) or sources[at].pgpmode != "previous":
        raise fault(
            "has pgpmode=next, but no source with pgpmode=previous after it",
            "Add the line that finds the signature",
            source.line,
        )
    found = [r for r in releases(tool, sources[at], get) if r.version == main.version]
    return found[0].url if found else ""


def _releases(tool: Tool, source: Source, hits: Sequence[Hit]) -> list[Release]:
    """Return the releases that hits are; of most listings there is nothing to be changed in one."""
    if any(source.mangles[rule] for rule in _CHANGING):
        return [_release(tool, source, hit) for hit in hits]
    name = tool.name
    if are_numbers([hit.version for hit in hits]) and all(hit.name for hit in hits):
        return [Release(name, raw, raw, url, file, page) for raw, _, url, page, file in hits]
    return [
        Release(name, hit.version, hit.version, hit.url, hit.name, hit.page)
        if hit.name and is_numbers(hit.version)
        else _release(tool, source, hit)
        for hit in hits
    ]


def _release(tool: Tool, source: Source, hit: Hit) -> Release:
    version = re.sub(r"^[vV]\.?(?=\d)", "", hit.version.strip())
    url = mangled(hit.url, source.mangles["downloadurlmangle"])
    filename = _filename(source, hit, url)
    if not version:
        package = re.escape(package_of(tool.folder).name)
        name = re.search(_NAMED.format(package), filename)
        version = name[1] if name else ""
    if not _is_formed(source):
        version = mangled(version, source.mangles["uversionmangle"])
    why = "" if source.is_git or usable_address(url) else f"{url[:200]} is no file's address"
    if not _VERSION.fullmatch(version):
        why = f"{version[:100] or 'nothing'} is no version of Debian's (Debian Policy 5.6.12)"
    return Release(
        tool=tool.name,
        version=probable(version) if why else version,
        raw_version=hit.version,
        url=url,
        filename=filename or f"{tool.name}-{version}.tar.xz",
        page=hit.page,
        tag=hit.href if source.is_git else "",
        refused=why,
    )


def _is_formed(source: Source) -> bool:
    """Say whether a branch's version is a format's: no uversionmangle is for those (uscan(1))."""
    return source.follows_branch and source.words["gitpretty"] != "describe"


def _filename(source: Source, hit: Hit, url: str) -> str:
    rules = source.mangles["filenamemangle"]
    for text in (hit.href, hit.url):
        name = mangled(text, rules)
        if name != text:
            return name
    if source.is_git:
        return ""
    return leaf("/" + hit.href.partition("#")[0].partition("?")[0]) or leaf(url)


def _git_hits(source: Source, ask: Get) -> list[Hit]:
    pattern, url = compiled(source), source.url
    place = place_of(url, ask)
    if source.follows_branch:
        ref = source.pattern if source.pattern == "HEAD" else f"refs/{source.pattern}"
        pretty = source.words["gitpretty"]
        whole = source.words["gitmode"] == "full" or pretty == "describe"
        with fetched(place, ref, whole=whole) as tree:
            return [Hit(tree.describe(pretty, source.words["gitdate"]), ref, url, url)]
    refs = list_refs(place)
    pairs = ((pattern.fullmatch(ref.name), ref.name) for ref in refs)
    hits = [Hit(joined_groups(match), name, url, url) for match, name in pairs if match]
    if not hits:
        raise Drifted(
            f"{url} has {len(refs)} refs, but none that matches {source.pattern}",
            resolution="Look at git ls-remote, then mend debian/watch.",
        )
    return hits


def _joined(parts: Sequence[Part], suffix: str | None = None) -> str:
    """Return the version of all parts together.

    With a ``suffix``, perhaps an empty one, it is the orig tarballs': each part's own
    oversionmangle counts, and the suffix follows the main tarball's.
    """
    separator = parts[0].source.words["versionseparator"]
    joined = [parts[0], *(p for p in parts[1:] if p.source.schema == "group")]
    names = [
        mangled(p.release.version, () if suffix is None else p.source.mangles["oversionmangle"])
        for p in joined
    ]
    names[0] += suffix or ""
    sums = [p.release.version for p in parts[1:] if p.source.schema == "checksum"]
    wrong = next((version for version in sums if not re.fullmatch(r"[\d.]+", version)), "")
    if wrong:
        raise fault(
            f"has a source with checksum whose version is {wrong}; sums are made of digits and"
            " dots alone (uscan(1))",
            "Let uversionmangle leave only these, or use group",
        )
    if sums:
        names.append(summed(sums))
    return separator.join(names)


def orig_version(bundle: Bundle, suffix: str = "") -> str:
    """Return the version that the orig tarballs carry, ``suffix`` being repacksuffix's."""
    return _joined(bundle.parts, suffix)


def signature_url(part: Part) -> str:
    """Return the address of a part's signature by pgpsigurlmangle or a second source."""
    rules = part.source.mangles["pgpsigurlmangle"]
    return part.signature or (mangled(part.release.url, rules) if rules else "")
