"""What operator and maintainer say about licenses: classes, and terms that were accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ALLOWED = (
    "0BSD AFL-2.1 Apache-1.1 Apache-2.0 Artistic-1.0-Perl Artistic-2.0 BSD-2-Clause BSD-3-Clause"
    " BSD-4-Clause BSL-1.0 CC0-1.0 CC-BY-4.0 CC-BY-SA-4.0 curl EPL-2.0 FSFAP GPL-2.0-only"
    " GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later AGPL-3.0-only AGPL-3.0-or-later HPND ISC"
    " LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only"
    " LGPL-3.0-or-later MIT MIT-0 MPL-1.1 MPL-2.0 OFL-1.1 OpenSSL PSF-2.0 Python-2.0 Ruby Unlicense"
    " W3C X11 Zlib"
)
ALSO_ALLOWED = (
    "BSD-1-Clause BSD-2-Clause-Darwin BSD-3-Clause-flex bzip2-1.0.6 CC-BY-3.0 dtoa GPL-1.0-or-later"
    " HPND-sell-variant ICU Info-ZIP Libpng libpng-2.0 NCSA PostgreSQL TCL Unicode-3.0"
    " Unicode-DFS-2016 WTFPL X11-distribute-modifications-variant"
)
"""Allowed where the settings name no class of their own; in Debian's main. They stand apart so that
what was decided by the classes above goes on counting."""
NEEDS_ACCEPTANCE = (
    "LicenseRef-Amazon-Software-License CDDL-1.0 CDDL-1.1 CPL-1.0 EPL-1.0 GFDL-1.3-only"
)
DENIED = (
    "BUSL-1.1 SSPL-1.0 Elastic-2.0 JSON CC-BY-NC-4.0 CC-BY-NC-SA-4.0 CC-BY-ND-4.0 CC-BY-NC-ND-4.0"
    " LicenseRef-Commons-Clause"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """Which licenses may pass by themselves; what is in none of these wants a review."""

    allowed: tuple[str, ...] = tuple(ALLOWED.split())
    needs_acceptance: tuple[str, ...] = tuple(NEEDS_ACCEPTANCE.split())
    """Pass once a tool's definition says who accepted them for it."""
    denied: tuple[str, ...] = tuple(DENIED.split())

    @property
    def passing(self) -> tuple[str, ...]:
        """All licenses that may pass by themselves."""
        by_default = self.allowed == tuple(ALLOWED.split())
        return (*self.allowed, *ALSO_ALLOWED.split()) if by_default else self.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Terms that somebody has read and accepted for one tool."""

    expression: str
    by: str
    when: str
    """ISO 8601 day."""
    why: str
    fingerprints: tuple[str, ...] = ()
    """Of the main texts; empty where each wording of a license that is known will do."""
    redistributable: bool = True
    field_of_use: str = ""
    """What it may be used for only, in words for the operator; empty where it is free."""
    must_ship: tuple[str, ...] = ()
    """Files that every package must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """Somebody else's work inside a tool, whose terms are known."""

    expression: str
    path: str = ""
    """A folder or file; what lies below belongs to it."""
    sha256: str = ""
    """Of a jar."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensePolicy:
    """The table ``[license]`` of tool.toml."""

    expression: str = ""
    """What the whole is under, as its maintainer says."""
    accepted: tuple[Accepted, ...] = ()
    component: tuple[Bundled, ...] = ()
    never_auto: bool = False
    """Every release waits for a person, whatever its terms."""

    @property
    def area(self) -> str:
        """The archive area that it may be in (Debian Policy 2.2): ``main`` or ``non-free``."""
        limited = any(terms.field_of_use or not terms.redistributable for terms in self.accepted)
        return "non-free" if limited else "main"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator must know before others can get it."""
        found = []
        for terms in self.accepted:
            if not terms.redistributable:
                found.append(
                    f"{terms.expression} does not allow to pass it on: keep it to yourself"
                )
            if terms.field_of_use:
                found.append(
                    f"{terms.expression} limits its use ({terms.field_of_use}): the package is in "
                    "non-free (multiverse in Ubuntu), and a public PPA takes only what its terms "
                    "of use allow; read them before you publish there"
                )
        return tuple(found)

    @property
    def must_ship(self) -> tuple[str, ...]:
        """Files that every package must hold."""
        return tuple(sorted({path for terms in self.accepted for path in terms.must_ship}))


def license_policy(raw: Mapping[str, Any]) -> LicensePolicy:
    """Return the policy of a checked ``[license]`` table."""
    rest = {key: raw[key] for key in ("expression", "never_auto") if key in raw}
    return LicensePolicy(
        **rest,
        accepted=tuple(Accepted(**_frozen(row)) for row in raw.get("accepted", [])),
        component=tuple(Bundled(**row) for row in raw.get("component", [])),
    )


def license_classes(raw: Mapping[str, object]) -> Classes:
    """Return the classes of a checked ``[license]`` table of toolsync.toml."""
    return Classes(**_frozen(raw))


def _frozen(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
