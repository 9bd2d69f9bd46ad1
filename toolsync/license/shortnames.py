"""License names as debian/copyright has them (DEP-5 short names), read as SPDX expressions.

``GPL-2+ or MIT, and Expat`` is read by DEP-5's own rules: a comma parts what `and` and `or`
join. A slash has no rule: it is read as a choice, which it mostly is, and who judges is told.
"""

from __future__ import annotations

import re
from functools import cache

_NAMES = {
    "apache": "Apache-2.0",
    "artistic": "Artistic-1.0-Perl",
    "artistic-1": "Artistic-1.0-Perl",
    "boost": "BSL-1.0",
    "bsd-2": "BSD-2-Clause",
    "bsd-3": "BSD-3-Clause",
    "bsd-4": "BSD-4-Clause",
    "bsl-1": "BSL-1.0",
    "cc0": "CC0-1.0",
    "cc-by": "CC-BY-3.0",
    "eclipse-1": "EPL-1.0",
    "expat": "MIT",
    "gpl": "GPL-1.0-or-later",
    "gpl+": "GPL-1.0-or-later",
    "icu": "ICU",
    "lgpl": "LGPL-2.0-or-later",
    "lgpl+": "LGPL-2.0-or-later",
    "mit/x11": "MIT",
    "mit-style": "",
    "ofl": "OFL-1.1",
    "perl": "Artistic-1.0-Perl OR GPL-1.0-or-later",
    "psf": "PSF-2.0",
    "psf-2": "PSF-2.0",
    "public-domain": "LicenseRef-Public-Domain",
    "python": "Python-2.0",
    "unlicense": "Unlicense",
    "zlib/libpng": "Zlib",
}
_EXCEPTIONS = {
    "autoconf": "Autoconf-exception-2.0",
    "bison": "Bison-exception-2.2",
    "classpath": "Classpath-exception-2.0",
    "font": "Font-exception-2.0",
    "gcc": "GCC-exception-3.1",
    "libtool": "Libtool-exception",
    "linux-syscall-note": "Linux-syscall-note",
}
_GNU = re.compile(r"(a?gpl|lgpl|gfdl)-?v?(\d(?:\.\d)?)(?:\.0)?(\+|-or-later|-only)?")
_WITH = re.compile(r"(?:[ -]with[ -]|-)([a-z0-9-]+?)[ -](?:link(?:ing)?[ -])?exceptions?$")
_WORD = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_LONGEST = 120
"""Characters of a name: no license is called by more, and what is read of it stays bounded."""


def expression(synopsis: str) -> str:
    """Return the first line of a License field as SPDX; empty where a name is not known."""
    text = " ".join(synopsis.lower().split())
    if text in _NAMES:
        return _NAMES[text]
    for pattern, joined in (
        (r",\s*and\s", "AND"),
        (r",\s*or\s", "OR"),
        (r",", "AND"),
        (r"\sand(?:/or)?\s", "AND"),
        (r"\sor\s", "OR"),
        (r"\s?[/|]\s?", "OR"),
    ):
        parts = re.split(pattern, text)
        if len(parts) > 1:
            read = [expression(part) for part in parts]
            return f" {joined} ".join(map(_grouped, read)) if all(read) else ""
    return _one(text)


def _grouped(part: str) -> str:
    return f"({part})" if " AND " in part or " OR " in part else part


def is_slashed(synopsis: str) -> bool:
    """Say whether a synopsis joins names by a sign for which DEP-5 has no rule."""
    text = synopsis.lower().strip()
    return "/" in text.replace("and/or", "").replace("mit/x11", "").replace("zlib/libpng", "")


def _one(text: str) -> str:
    """Return one name, perhaps with an exception; one that is not known permits nothing more."""
    if len(text) > _LONGEST:
        return ""
    found = _WITH.search(text)
    name = _plain(text[: found.start()] if found else text)
    exception = _EXCEPTIONS.get(found[1], "") if found else ""
    return f"{name} WITH {exception}" if name and exception else name


def _plain(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    gnu = _GNU.fullmatch(name)
    if gnu:
        version = gnu[2] if "." in gnu[2] else f"{gnu[2]}.0"
        later = gnu[3] in ("+", "-or-later")
        return f"{gnu[1].upper()}-{version}-{'or-later' if later else 'only'}"
    if not _WORD.fullmatch(name):
        return ""
    keys = _keys()
    return keys.get(name) or keys.get(f"{name}.0") or keys.get(name.removesuffix(".0"), "")


@cache
def _keys() -> dict[str, str]:
    """Return SPDX's spelling of each of its ids, by the id in lower case."""
    from license_expression import get_spdx_licensing

    symbols = get_spdx_licensing().known_symbols
    return {
        key.lower(): key
        for key, symbol in symbols.items()
        if not symbol.is_exception and not key.startswith("LicenseRef-")
    }
