"""License expressions, as SPDX writes them and as people do."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from toolsync.license import shortnames

_SHORT = 200
"""Characters of names joined by signs; what is longer is a text."""
_SPELLED = {
    "mit license": "MIT",
    "the mit license": "MIT",
    "the mit license (mit)": "MIT",
    "mit license (mit)": "MIT",
    "expat": "MIT",
    "isc license": "ISC",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd-3": "BSD-3-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "modified bsd license": "BSD-3-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "amazon software license": "LicenseRef-Amazon-Software-License",
    "licenseref-scancode-amazon-sl": "LicenseRef-Amazon-Software-License",
    "gplv2": "GPL-2.0-only",
    "gplv3": "GPL-3.0-only",
    "gplv2+": "GPL-2.0-or-later",
    "gplv3+": "GPL-3.0-or-later",
    "lgpl": "LGPL-2.1-or-later",
    "lgplv2+": "LGPL-2.1-or-later",
    "lgplv3": "LGPL-3.0-only",
    "lgplv3+": "LGPL-3.0-or-later",
    "mpl 2.0": "MPL-2.0",
    "psf": "PSF-2.0",
    "psfl": "PSF-2.0",
    "hpnd": "HPND",
    "historical permission notice and disclaimer (hpnd)": "HPND",
    "unlicense": "Unlicense",
    "zlib license": "Zlib",
}


def expression_of(value: str) -> str:
    """Return what a person wrote as an SPDX expression, empty where it says nothing certain."""
    text = " ".join(value.split())
    if text.lower() in _SPELLED:
        return _SPELLED[text.lower()]
    if not re.fullmatch(
        r"[A-Za-z0-9.+:()-]+(?: (?:AND|OR|WITH|and|or|with) [A-Za-z0-9.+:()-]+)*", text
    ):
        return shortnames.expression(text) if len(text) < _SHORT else ""
    parsed = _parsed(re.sub(r"\b(and|or|with)\b", lambda word: word[0].upper(), text))
    return shortnames.expression(text) if parsed is None else str(parsed)


def names(expression: str) -> frozenset[str]:
    """Return every license that an expression names, as SPDX spells it."""
    parsed = _parsed(expression) if expression else None
    return frozenset() if parsed is None else frozenset(_licensing().license_keys(parsed))


def base(name: str) -> str:
    """Return an id without -only, -or-later or +: a text does not tell which of them is meant."""
    return name.removesuffix("-only").removesuffix("-or-later").removesuffix("+")


def graded(expression: str, grade_of: Callable[[str], int], unknown: int) -> int:
    """Return an expression's grade: of AND and WITH the highest of its parts, of OR the lowest."""
    parsed = _parsed(expression) if expression else None
    return unknown if parsed is None else _grade(parsed, grade_of)


def _grade(node: Any, grade_of: Callable[[str], int]) -> int:
    licensing = _licensing()
    if isinstance(node, licensing.AND):
        return max(_grade(part, grade_of) for part in node.args)
    if isinstance(node, licensing.OR):
        return min(_grade(part, grade_of) for part in node.args)
    # An exception permits more, never less (SPDX specification, annex D).
    return grade_of(str(getattr(node, "license_symbol", node).key))


@cache
def _parsed(text: str) -> object:
    """Return an expression whose every name is known or a LicenseRef, else None."""
    from license_expression import ExpressionError, ExpressionParseError

    licensing = _licensing()
    try:
        parsed = licensing.parse(text)
        unknown = licensing.unknown_license_keys(parsed)
    except (ExpressionError, ExpressionParseError, TypeError, ValueError):
        return None
    if any(not name.startswith("LicenseRef-") for name in unknown):
        return None
    return parsed


@cache
def _licensing() -> Any:
    # Some tenths of a second, so only where an expression is really there to be read.
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()
