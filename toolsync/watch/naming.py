"""Find in the names of files and tags what a person would write as their pattern."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolsync.model.versions import Key, NotAVersion, mangle, upstream_key

_EXT = r"\.(?:tar\.(?:xz|gz|bz2|zst|lzma|lz)|tgz|txz|tbz2?|zip|tar)"
_PRE = r"[-._~]?(?:alpha|beta|rc|pre|dev|a|b|c)[-.]?\d+"
_BUILD = r"-\d+"
_START = re.compile(r"(?:^|(?<=[-_/@]))(?P<v>[vV]\.?)?(?=\d)")
_VERSION = re.compile(rf"\d+(?:[._]\d+)*(?:{_PRE})*(?:{_BUILD}(?![\w.]*[A-Za-z]))?", re.IGNORECASE)
_TAIL = re.compile(r"(?:[-_.+][\w.+-]*)?")
_SOURCE = ("", "-src", "_src", "-source", "-sources", ".orig", ".src")
_LONGEST = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Names that differ in their version alone."""

    head: str
    """What stands before the version, without a leading v of the version's."""
    tail: str
    """What stands behind it, before the ending."""
    versions: tuple[str, ...]
    """As written, newest first."""
    endings: tuple[str, ...] = ()
    """Of files: each form of archive that was seen, e.g. ``.tar.gz``."""

    @property
    def name(self) -> str:
        """The project's name, as far as the names tell."""
        return self.head.strip("-_./@").rpartition("/")[2]

    @property
    def pattern(self) -> str:
        """A regular expression for the names, with a group ``version``."""
        forms = [r"\d+(?:\.\d+)*" if "_" not in "".join(self.versions) else r"\d+(?:[._]\d+)*"]
        if any(re.search(_PRE, version, re.IGNORECASE) for version in self.versions):
            forms.append(r"(?:[-._~]?(?:alpha|beta|rc|pre|dev|a|b|c)[-.]?\d+)?")
        if any(re.search(rf"{_BUILD}$", version) for version in self.versions):
            forms.append(r"(?:-\d+)?")
        return (
            f"{quoted(self.head)}v?(?P<version>{''.join(forms)}){quoted(self.tail)}{self._ending()}"
        )

    @property
    def mangle(self) -> tuple[str, ...]:
        """Rules without which the versions would not be Debian's, or not in their order."""
        rules = []
        if any("_" in version for version in self.versions):
            rules.append("s/_/./g")
        if any(re.search(rf"\d{_BUILD}$", version) for version in self.versions):
            rules.append(r"s/-(\d+)$/.$1/")
        return tuple(rules)

    def _ending(self) -> str:
        plain = [quoted(ending) for ending in self.endings]
        return plain[0] if len(plain) == 1 else f"(?:{'|'.join(plain)})" if plain else ""


def families(names: Iterable[str], *, files: bool) -> list[Family]:
    """Return what ``names`` have in common, the most telling family first.

    Of ``files`` only archives count; without it the names are tags.
    """
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for name in names:
        ending = re.search(rf"{_EXT}$", name, re.IGNORECASE) if files else None
        if len(name) > _LONGEST or (files and not ending):
            continue
        split = _split(name[: ending.start()] if ending else name)
        if split:
            head, version, tail = split
            found[head, tail].append((version, ending[0] if ending else ""))
    made = [_family(key, pairs) for key, pairs in found.items()]
    return sorted((f for f in made if f.versions), key=_rank)


def quoted(text: str) -> str:
    """Return an expression for ``text`` itself, quoting no more than must be."""
    return re.sub(r"([.^$*+?{}\[\]|()\\])", r"\\\1", text)


def _split(stem: str) -> tuple[str, str, str] | None:
    """Return what stands before the version, it, and what follows; the likeliest way to read it."""
    ways = []
    for start in _START.finditer(stem):
        version = _VERSION.match(stem, start.end())
        if version and _TAIL.fullmatch(tail := stem[version.end() :]):
            ways.append((stem[: start.start()], version[0], tail))
    return min(ways, key=lambda w: ("." not in w[1], w[2] != "", len(w[0])), default=None)


def _family(key: tuple[str, str], pairs: Sequence[tuple[str, str]]) -> Family:
    keyed = {version: _key(version) for version, _ in pairs}
    usable = [(found, version) for version, found in keyed.items() if found is not None]
    return Family(
        head=key[0],
        tail=key[1],
        versions=tuple(version for _, version in sorted(usable, reverse=True)),
        endings=tuple(sorted({ending for _, ending in pairs if ending})),
    )


def _key(version: str) -> Key | None:
    try:
        return upstream_key(mangle(version.replace("_", ".")))
    except NotAVersion:
        return None


def _rank(family: Family) -> tuple[int, bool, int, str]:
    return (
        -len(family.versions),
        family.tail.lower() not in _SOURCE,
        len(family.tail),
        family.head,
    )
