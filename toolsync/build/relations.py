"""Relations to other packages, by Debian Policy chapter 7: which count here, and which are met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolsync.model.versions import sort_key
from toolsync.system.architectures import falls_under

FIELDS = ("Build-Depends", "Build-Depends-Arch", "Build-Depends-Indep")
"""Those of a source package that is built whole."""
_TOLD = 5

Relation = Mapping[str, object]
Versions = Mapping[str, Sequence[str]]
"""The versions that there are of packages, by name; ``""`` for one that is provided without."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """Alternatives none of which can be had."""

    group: tuple[Relation, ...]
    known: Versions
    """What there is of them."""

    @property
    def names(self) -> tuple[str, ...]:
        """The packages any of which would do."""
        return tuple(str(one["name"]) for one in self.group)

    @property
    def told(self) -> str:
        """It with the versions that there are, in a phrase."""
        words = " | ".join(
            f"{one['name']} ({' '.join(version)})"
            if isinstance(version := one.get("version"), tuple)
            else str(one["name"])
            for one in self.group
        )
        found = [
            f"{name} {', '.join(v or '(no version)' for v in versions[:_TOLD])}"
            for name in dict.fromkeys(self.names)
            if (versions := self.known.get(name, ()))
        ]
        return f"{words}: there is {'; '.join(found) or 'none'}"

    def met_by(self, known: Versions) -> str:
        """Return a package and version of ``known`` that would do; empty where none would."""
        for one in self.group:
            for version in known.get(str(one["name"]), ()):
                if _is_met(one, {str(one["name"]): [version]}):
                    return f"{one['name']} {version}".strip()
        return ""


def build_relations(control: Mapping[str, str], architecture: str) -> list[tuple[Relation, ...]]:
    """Return what a source package is built with on an architecture, each as its alternatives.

    ``control`` is a .dsc, or the first paragraph of a debian/control.
    """
    from debian.deb822 import PkgRelation  # a status is told without it

    groups = [
        tuple(one for one in group if _is_meant(one, architecture))
        for field in FIELDS
        if (text := _relations(control.get(field, "")))
        for group in PkgRelation.parse_relations(text)
    ]
    return [group for group in groups if group]


def unmet(groups: Sequence[tuple[Relation, ...]], known: Versions) -> Iterator[Unmet]:
    """Yield those of relations that ``known`` does not meet, each once."""
    told: set[str] = set()
    for group in groups:
        lacking = Unmet(group, known)
        if not any(_is_met(one, known) for one in group) and lacking.told not in told:
            told.add(lacking.told)
            yield lacking


def _relations(text: str) -> str:
    """Return a field's relations without comments, variables of debhelper and empty ones."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    each = [part.strip() for part in " ".join(lines).split(",")]
    return ", ".join(part for part in each if part and "${" not in part) or ""


def _is_meant(one: Relation, architecture: str) -> bool:
    """Say whether a relation counts here: for this architecture, with no build profile."""
    restrictions = one.get("restrictions") or []
    if isinstance(restrictions, list) and any(
        all(term.enabled for term in group) for group in restrictions
    ):
        return False
    arches = one.get("arch") or []
    if not isinstance(arches, list) or not arches:
        return True
    named = [item.enabled for item in arches if falls_under(architecture, item.arch)]
    return named[0] if named else not arches[0].enabled


def _is_met(one: Relation, known: Versions) -> bool:
    there = known.get(str(one["name"]), ())
    wanted = one.get("version")
    if not isinstance(wanted, tuple):
        return bool(there)
    relation, version = wanted
    return any(_fits(found, relation, version) for found in there if found)


def _fits(found: str, relation: str, version: str) -> bool:
    left, right = sort_key(found), sort_key(version)
    return {
        "<<": left < right,
        "<=": left <= right,
        "=": left == right,
        ">=": left >= right,
        ">>": left > right,
    }.get(relation, True)
