"""What users of a release can touch, as names with values, kind by kind.

A surface says nothing about good or bad; `compare` does. It survives its tree: the next release
is compared with what was kept of this one, so all that a comparison needs is in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

FORMAT = 1

KINDS = (
    "command",
    "subcommand",
    "option",
    "exit-code",
    "version-output",
    "api",
    "service",
    "operation",
    "runtime",
    "dependency",
    "environment",
    "package",
    "library",
    "symbol",
    "header",
    "type",
    "pkg-config",
    "alternative",
    "conffile",
    "path",
)
"""Kinds of names, in the order in which changes are shown."""

_TELLING = ("command", "service", "api", "library", "header", "path")

Names = Mapping[str, str]
"""Names of one kind, each with its value; what a value says is told where it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that could not be examined, and why."""

    kind: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """All names of a release by kind, and what could not be read."""

    names: Mapping[str, Names]
    gaps: tuple[Gap, ...] = ()
    digest: str = ""
    """SHA-256 over the tree's files, in hex: the same tree needs no comparison."""
    probed: tuple[str, ...] = ()
    """Commands that have been run."""
    installed: bool = False
    """Whether it is what built packages install, and not what lies in a release's tree."""
    vague: tuple[str, ...] = ()
    """Commands whose files do not tell all options: something from outside may take more."""

    def of(self, kind: str) -> Names:
        """Return the names of one kind."""
        return self.names.get(kind, {})

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found by which a user could tell two releases apart."""
        return not any(self.of(kind) for kind in _TELLING)

    def to_json(self) -> bytes:
        """Return it as JSON, the same bytes for the same surface."""
        data = {
            "format": FORMAT,
            "digest": self.digest,
            "names": {kind: dict(sorted(names.items())) for kind, names in self.names.items()},
            "gaps": [[gap.kind, gap.name, gap.reason] for gap in self.gaps],
            "probed": list(self.probed),
            "vague": list(self.vague),
            **({"installed": True} if self.installed else {}),
        }
        return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Surface:
        """Return what `to_json` gave; raise ValueError for anything else."""
        raw = json.loads(data)
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise ValueError(f"no surface of format {FORMAT}")
        try:
            return cls(
                names={kind: _strings(raw["names"][kind]) for kind in raw["names"]},
                gaps=tuple(Gap(kind=k, name=n, reason=r) for k, n, r in raw["gaps"]),
                digest=str(raw["digest"]),
                probed=tuple(map(str, raw["probed"])),
                vague=tuple(map(str, raw["vague"])),
                installed=raw.get("installed") is True,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a surface lacks or garbles {error}") from error


def _strings(raw: dict[str, object]) -> Names:
    return MappingProxyType({str(name): str(value) for name, value in raw.items()})


@dataclass(slots=True)
class Draft:
    """A surface while it is being read: readers add to it."""

    names: dict[str, dict[str, str]] = field(default_factory=dict)
    gaps: dict[Gap, None] = field(default_factory=dict)
    probed: dict[str, None] = field(default_factory=dict)
    vague: dict[str, None] = field(default_factory=dict)

    def add(self, kind: str, name: str, value: str = "") -> None:
        """Add a name; what was said first about it stays."""
        self.names.setdefault(kind, {}).setdefault(name, value)

    def put(self, kind: str, name: str, value: str) -> None:
        """Set a name's value, whatever was said before."""
        self.names.setdefault(kind, {})[name] = value

    def gap(self, kind: str, name: str, reason: str) -> None:
        """Note what could not be examined."""
        self.gaps[Gap(kind=kind, name=name, reason=" ".join(reason.split())[:400])] = None

    def of(self, kind: str) -> dict[str, str]:
        """Return the names of one kind so far."""
        return self.names.get(kind, {})

    def done(self, digest: str) -> Surface:
        """Return the finished surface of a tree with this digest."""
        return Surface(
            names={kind: self.names[kind] for kind in KINDS if self.names.get(kind)},
            gaps=tuple(sorted(self.gaps, key=lambda g: (g.kind, g.name, g.reason))),
            digest=digest,
            probed=tuple(sorted(self.probed)),
            vague=tuple(sorted(self.vague)),
        )
