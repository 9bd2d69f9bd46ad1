"""What a file says of its own license, by well-known phrases: quick, and only an explanation.

A phrase never decides whether terms are allowed; it tells that a file which nobody has seen
before is under other terms than its neighbors.
"""

from __future__ import annotations

import re

from toolsync.license.normalise import SHORTEST

HEAD_BYTES, TAIL_BYTES = 48 * 1024, 8 * 1024
HEADER_BYTES = 4 * 1024
"""Where headers stand; bundlers put some at a file's end."""

TALK = re.compile(
    rb"licen[sc]|spdx-|copyright|public domain|redistribut|permission (?:is hereby|to use)"
    rb"|all rights",
    re.IGNORECASE,
)
"""Words without which nothing is said about a license."""

_SPDX = re.compile(
    r"spdx-license-identifier:[ \t]*"
    r"([A-Za-z0-9][A-Za-z0-9.+-]*(?:[ \t]+(?:AND|OR|WITH)[ \t]+[A-Za-z0-9.+-]+)*)",
    re.IGNORECASE,
)
_NOT_WORD = re.compile(r"[^a-z0-9+.]+|\.(?![0-9])")

_GRANTS: tuple[tuple[str, str], ...] = (
    (r"amazon software license", "LicenseRef-Amazon-Software-License"),
    (r"business source license", "BUSL-1.1"),
    (r"server side public license", "SSPL-1.0"),
    (r"elastic license( 2.0| v2)?", "Elastic-2.0"),
    (r"commons clause", "LicenseRef-Commons-Clause"),
    (r"functional source license", "FSL-1.1"),
    (r"apache license,? (version )?(2.0|2|v2)|apache 2.0 license|apache license", "Apache-2.0"),
    (r"mozilla public license,? (version |v ?\.? ?)?2.0|mpl 2.0", "MPL-2.0"),
    (r"mozilla public license,? (version |v ?)?1.1", "MPL-1.1"),
    (r"gnu affero general public license", "AGPL-3.0"),
    (r"gnu (lesser|library) general public license", "LGPL"),
    (r"gnu general public license( as published)?", "GPL"),
    (r"eclipse public license", "EPL"),
    (r"common development and distribution license", "CDDL"),
    (r"(the )?mit( open source)? license|mit licensed", "MIT"),
    (
        r"(a |the |new |modified |simplified |3 clause |2 clause )*bsd( style| 3 clause| 2 clause)?"
        r"( license)?",
        "BSD",
    ),
    (r"isc license", "ISC"),
    (r"boost software license", "BSL-1.0"),
    (r"python software foundation license|psf license", "PSF-2.0"),
    (r"sil open font license", "OFL-1.1"),
    (r"creative commons [a-z0-9 .]{0,60}|cc by[a-z0-9 .]{0,12}", "CC"),
    (r"unlicense", "Unlicense"),
    (r"w3c[a-z ]{0,20} license", "W3C"),
    (r"zlib( libpng)? license", "Zlib"),
    (r"ruby( s)? license", "Ruby"),
)
_LEAD = (
    r"(?:licen[sc]ed (?:to you |by [a-z0-9 ]{1,40}? )?(?:under|with|using)"
    r"|released under|distributed under|available under"
    r"|subject to|under|governed by|dual licen[sc]ed under|licen[sc]e)"
    r"(?: the)?(?: terms)?(?: and conditions)?(?: of)?(?: either| both)?(?: the| an?)?(?: new)? "
)
_TEXTS: tuple[tuple[str, str], ...] = (
    (r"permission is hereby granted free of charge to any person obtaining a copy", "MIT"),
    (r"permission to use copy modify and( or)? distribute this software", "ISC"),
    (r"redistribution and use in source and binary forms", "BSD"),
    (r"this is free and unencumbered software", "Unlicense"),
    (
        r"this software is provided as is without any express or implied warranty in no event",
        "Zlib",
    ),
    (r"boost software license version 1.0", "BSL-1.0"),
    (
        r"released (in)?to the public domain|placed in the public domain|in the public domain",
        "LicenseRef-Public-Domain",
    ),
    (
        r"for non ?commercial (use|purposes) only|not for commercial use",
        "LicenseRef-Non-Commercial",
    ),
    (r"may not be (redistributed|distributed|copied|reproduced)", "LicenseRef-No-Redistribution"),
    (
        r"all rights reserved proprietary|proprietary and confidential"
        r"|confidential and proprietary",
        "LicenseRef-Proprietary",
    ),
)
_PATTERNS = tuple(
    [(re.compile(_LEAD + f"(?:{name})"), found) for name, found in _GRANTS]
    + [(re.compile(text), found) for text, found in _TEXTS]
)
_BANNER = re.compile(
    r"@licen[sc]e[ \t:]+([A-Za-z0-9][A-Za-z0-9.+-]{1,30})"
    r"|[|*][ \t]*\(?(MIT|ISC|BSD|Apache-2\.0)\)?[ \t]*\*/"
    r"|license:[ \t]*['\"]?(MIT|ISC|BSD-[23]-Clause|Apache-2\.0)\b",
    re.IGNORECASE,
)


_PROSE_ENDINGS = """
.md .rst .txt .html .htm .adoc .json .xml .po .pot .mo .csv .in .map record metadata pkg-info
"""
_PROSE = tuple(_PROSE_ENDINGS.split())
_HEADER = re.compile(rb"licen[sc]e|permission|public domain|redistribution and", re.IGNORECASE)
_TERMS = re.compile(
    r"permission is (hereby )?granted|permission to use|redistribution and use"
    r"|licensed under|license agreement"
    r"|terms and conditions|you may (not )?(use|reproduce|copy|distribute)"
    r"|everyone is permitted|as is|all rights"
    r"|released under|governed by|free software|public domain|covered by|dual license"
)


def states_terms(words: str) -> bool:
    """Say whether a normalised text reads as terms, and not as a page about licenses."""
    return len(words) > SHORTEST and bool(_TERMS.search(words))


def is_prose(path: str) -> bool:
    """Say whether a file talks about things, licenses among them, and is no work with a header."""
    return path.lower().endswith(_PROSE)


def wants_explanation(data: bytes, path: str) -> bool:
    """Say whether a file's header may name a license in words that are not known here."""
    return not is_prose(path) and bool(_HEADER.search(data[:HEADER_BYTES]))


def ids(data: bytes, *, path: str = "") -> tuple[str, ...]:
    """Return what a file's own words say, sorted; families where the version is not told.

    Documentation talks of licenses that are not its own: there only an SPDX tag counts.
    """
    if len(data) > HEAD_BYTES + TAIL_BYTES:
        data = data[:HEAD_BYTES] + b"\n" + data[-TAIL_BYTES:]
    if not TALK.search(data):
        return ()
    text = data.decode("utf-8", "replace")
    found = {" ".join(match.split()) for match in _SPDX.findall(text)}
    if is_prose(path):
        return tuple(sorted(found))
    for match in _BANNER.finditer(text):
        name = next(filter(None, match.groups()))
        if name.lower() in _SHORT:
            found.add(_SHORT[name.lower()])
    words = _NOT_WORD.sub(" ", text.lower())
    found.update(name for pattern, name in _PATTERNS if pattern.search(words))
    return tuple(sorted(found))


_SHORT = {
    "mit": "MIT",
    "isc": "ISC",
    "bsd": "BSD",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-2-clause": "BSD-2-Clause",
    "apache-2.0": "Apache-2.0",
    "gpl": "GPL",
}


def family(name: str) -> str:
    """Return an id without version and variant, since headers rarely tell them."""
    for head in ("AGPL", "LGPL", "GPL", "BSD", "MPL", "CC-BY", "EPL", "CDDL"):
        if name.startswith(head):
            return head
    return name
