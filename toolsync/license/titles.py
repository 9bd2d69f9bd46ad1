"""The titles that licenses go by, and which licenses each may stand above.

A title never says what a text is. But one that names another license than the text below it is a
claim about terms, and such a text is not identified.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from toolsync.license.wording import wording

_TITLES = {
    "MIT": "MIT | MIT/X11 | MIT X11 | X11/MIT | X11 | Expat | MIT/Expat | MIT (Expat) | MIT Expat"
    " | mit-license | The MIT License (MIT) | MIT License (MIT)",
    "X11": "X11 | MIT | MIT/X11 | X Consortium",
    "ISC": "ISC | Internet Software Consortium | ISC License (ISC) | OpenBSD",
    "BSD": "BSD | bsd-license | Berkeley | BSD licence (BSD)",
    "BSD-2": "BSD 2-Clause | 2-clause BSD | two-clause BSD | Simplified BSD | FreeBSD"
    " | freebsd-license | BSD-2"
    " | BSD 2-Clause Simplified | 2 clause BSD | BSD 2 Clause",
    "BSD-3": "BSD 3-Clause | 3-clause BSD | three-clause BSD | New BSD | Modified BSD | BSD-3"
    " | Revised BSD | BSD 3-Clause New or Revised | 3-clause or Modified BSD | BSD 3 Clause"
    " | new style BSD | 3 clause BSD | 3-clause (modified) BSD",
    "BSD-4": "original BSD | 4-clause BSD | BSD 4-Clause",
    "0BSD": "0BSD | Zero-Clause BSD | BSD Zero Clause",
    "Apache-2.0": "Apache | Apache 2 | Apache 2.0 | Apache License 2.0"
    " | Apache License, Version 2.0"
    " | Apache-2.0 | Apache Software",
    "MPL-2.0": "MPL | MPL 2.0 | Mozilla Public License | Mozilla Public License 2.0 | MPL-2.0"
    " | Mozilla Public License Version 2.0 | Mozilla Public License, v. 2.0",
    "GPL": "GPL | GNU GPL | GNU General Public | GNU General Public License (GPL)",
    "GPL-1": "The GNU General Public License, Version 1, February 1989",
    "GPL-2": "GPL version 2 | GPLv2 | GNU GPL version 2 | GPL-2 | GNU GPL v2 | GPL v2"
    " | GNU General Public License version 2 | GNU General Public License v2 | GPL-2.0"
    " | GNU Public License version 2",
    "GPL-3": "GPL version 3 | GPLv3 | GNU GPL version 3 | GPL-3 | GNU GPL v3 | GPL v3"
    " | GNU General Public License version 3 | GNU General Public License v3 | GPL-3.0",
    "LGPL": "LGPL | GNU LGPL | GNU Lesser General Public | GNU Library General Public",
    "LGPL-2.1": "LGPL version 2.1 | LGPLv2.1 | LGPL-2.1 | GNU LGPL v2.1"
    " | GNU Lesser General Public License version 2.1 | LGPL v2.1",
    "LGPL-3": "LGPL version 3 | LGPLv3 | LGPL-3 | GNU Lesser General Public License version 3",
    "Zlib": "zlib | zlib/libpng | zlib libpng",
    "BSL-1.0": "Boost | Boost Software | Boost Software License 1.0"
    " | Boost Software License, Version 1.0 | Boost Software License - Version 1.0",
    "Unlicense": "Unlicense | Public Domain | UNLICENSE",
    "CC0-1.0": "CC0 | CC0 1.0 | CC0 1.0 Universal | Creative Commons Zero",
    "CC-BY-3.0": "CC-BY 3.0 | Creative Commons Attribution 3.0",
    "CC-BY-4.0": "CC-BY 4.0 | Creative Commons Attribution 4.0 International",
    "CC-BY-SA-4.0": "CC-BY-SA 4.0 | Creative Commons Attribution-ShareAlike 4.0 International",
    "OFL-1.1": "OFL | SIL Open Font | SIL OFL | SIL Open Font License 1.1 | OFL-1.1"
    " | SIL Open Font License, Version 1.1",
    "Artistic": "Artistic | The Artistic License 1.0 | Artistic License 2.0 | Perl Artistic",
    "OpenSSL": "OpenSSL | SSLeay | Original SSLeay",
    "PSF": "Python Software Foundation | PSF | Python | PSF License Version 2",
    "Python": "Python Software Foundation | PSF | Python",
    "NCSA": "NCSA | University of Illinois/NCSA Open Source",
    "EPL": "EPL | Eclipse Public | Eclipse Public License - v 1.0 | Eclipse Public License - v 2.0",
    "WTFPL": "WTFPL | Do What The Fuck You Want To Public",
    "Ruby": "Ruby | Ruby's",
    "curl": "curl | MIT/X derivate",
    "HPND": "HPND | MIT | CMU",
    "TCL": "Tcl | Tcl/Tk",
    "Vim": "Vim",
    "Libpng": "libpng | PNG Reference Library | zlib/libpng",
    "libpng-2.0": "libpng | PNG Reference Library",
    "bzip2-1.0.6": "bzip2",
    "PostgreSQL": "PostgreSQL",
    "ICU": "ICU | X11 | Unicode",
    "Unicode": "Unicode | Unicode data",
    "Info-ZIP": "Info-ZIP",
    "FSFAP": "all-permissive",
}
"""Titles by the beginning of the SPDX ids that they may stand above."""
_NAMED_WORDS = """
mit x11 expat isc bsd berkeley freebsd openbsd apache mozilla mpl gpl lgpl agpl gnu affero zlib
boost unlicense cc0 creative commons sil ofl artistic openssl ssleay python psf ncsa eclipse epl
wtfpl cddl sspl busl elastic proprietary clause domain public gplv2 gplv3 lgplv2
"""
NAMED = frozenset(_NAMED_WORDS.split())
"""Words that name a license or a kind of terms: such a word is no name of a work."""


@cache
def _titles() -> Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]:
    """Return title and license by the title's first word."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name, titles in _TITLES.items():
        for title in titles.split(" | "):
            words = tuple(wording(title))
            found.setdefault(words[0], []).append((words, name))
    return {first: tuple(pairs) for first, pairs in found.items()}


def starting(words: Sequence[str], start: int) -> dict[int, frozenset[str]]:
    """Return what each title that begins at a place may stand above, by where it ends."""
    found: dict[int, set[str]] = {}
    for title, name in _titles().get(words[start], ()):
        end = start + len(title)
        if tuple(words[start:end]) == title:
            found.setdefault(end, set()).add(name)
    return {end: frozenset(names) for end, names in found.items()}


def fits(names: frozenset[str], license_id: str) -> bool:
    """Say whether a title of these licenses may stand above a text of ``license_id``."""
    return any(
        license_id == name or re.match(rf"{re.escape(name)}(?![A-Za-z0-9])", license_id)
        for name in names
    )
