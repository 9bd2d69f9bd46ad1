"""Which files of a tree state terms, and which folders hold other people's work: by name alone."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

MAIN, NOTICE, NESTED = "main", "notice", "nested"

_CODE_WORDS = """
py pyc pyi js mjs cjs ts tsx jsx map json rb java class jar kt go rs c h cc cpp hpp cs php pl pm
sh bash cmd bat ps1 lua swift scala css scss less svg png gif jpg jpeg ico yml yaml toml xml xsl
lock so dll exe cfg ini in tmpl j2 snap po mo pot sql gz zip whl asc sig sha256 tag
"""
_CODE = frozenset(_CODE_WORDS.split())
"""Endings of files that are no texts for people, whatever their names say."""
_TEXTS_WORDS = """
txt md markdown rst html htm adoc asciidoc rtf text tex
"""
_TEXTS = frozenset(_TEXTS_WORDS.split())
_PACKED = frozenset({"gz", "xz", "bz2", "zst", "lzma", "lz", "z", "br", "zip", "7z"})
"""Endings of a file that holds another, which is not read here."""
_ALIKE = str.maketrans(
    "\u0430\u0435\u0456\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u051b\u03b1\u03b5\u03b9\u03bd\u03bf\u03c1\u03c4\u03c5\u03ba\u0261\u0131",
    "aeikmhopctyxsqaeivoptukgi",
)
"""Small letters of other scripts and the Latin ones that they look like (Unicode's TR39)."""
_STRICT = re.compile(
    r"(?:the[-_. ])?(?:un)?licen[sc]es?|copying|copyrights?|eula|legal|patents|terms"
    r"|terms[-_ ]of[-_ ](?:use|service)"
    r"|(?:licen[sc]e|copying)[-_. ]?(?:mit|expat|isc|x11|bsd\w*|apache\w*|a?gpl\w*"
    r"|lgpl\w*|lesser\w*|mpl\w*|zlib|boost|psf|python|artistic|cc0?\S*|ofl"
    r"|unlicense|sspl\S*|elastic\S*"
    r"|busl\S*|commercial|enterprise|ee|bundled|asl|ruby|eula|v?\d[\d.]*)(?:[-_. ]?\d[\d.]*)?"
    r"|(?:mit|isc|bsd|apache|a?gpl|lgpl|mpl|zlib|boost|psf|asl|ofl)"
    r"[-_. ]?(?:\d[\d.]*[-_. ]?)?licen[sc]e"
    r"|(?:ofl|gpl|lgpl|agpl|mit|apache|bsd|mpl)[-_. ]?v?\d?[\d.]*",
    re.IGNORECASE,
)
_LOOSE = re.compile(
    r"licen[sc]e|copying|copyright|eula|agreement"
    r"|lizenz|licencia|licen\u00e7a|licenza|licentie|licencj|licens\b",
    re.IGNORECASE,
)
_FOLDERS = frozenset({"license", "licenses", "licence", "licences"})
"""In such a folder each text states terms, whatever it is called: REUSE names it by its license."""
_NOTICE = re.compile(
    r"notices?|third[-_. ]?part(?:y|ies)\S*|3rd[-_. ]?party\S*"
    r"|open[-_]?source[-_]?licen[sc]es|attributions?",
    re.IGNORECASE,
)
_VENDOR_WORDS = """
vendor vendored _vendor _vendored third_party third-party thirdparty 3rdparty 3rd_party extern
_extern externals external bundled _bundled bundled_deps node_modules bower_components
"""
_VENDOR = frozenset(_VENDOR_WORDS.split())
"""Folders in whose every child is somebody else's work."""
_DIGIT = re.compile(r"-\d")
_DIST_INFO = re.compile(r"(?:[^/]+)\.dist-info(?=/|$)")
_META = re.compile(
    r"(?:\.dist-info(?:/licen[sc]es)?|META-INF|LICENSES?|[^/]+\.egg-info)", re.IGNORECASE
)
_VERSIONED = re.compile(
    r"(?<=[A-Za-z_])[-_]v?\d+(?:\.\d+)*(?:[-_.+]?(?:rc|a|b|dev|post|final)\d*)?(?=$|[./-])"
)
_HASHED = re.compile(r"[-.][0-9a-f]{8,64}(?=\.)")


def canonical(path: str) -> str:
    """Return a path without what changes with each version: ``NAME-1.0.dist-info/…``."""
    head, slash, rest = path.partition("/")
    if slash and _DIST_INFO.fullmatch(head):
        return f".dist-info/{rest}"
    if "-info/" not in path:
        return path
    *folders, last = path.split("/")
    return "/".join([*map(_without_version, folders), last])


def _without_version(folder: str) -> str:
    """Return the name of a folder with metadata without the version that stands in it."""
    stem, dot, kind = folder.rpartition(".")
    start = _DIGIT.search(stem) if kind in ("dist-info", "egg-info") else None
    return stem[: start.start()] + dot + kind if start else folder


def plain_name(name: str) -> str:
    """Return a component's name without version and hash: ``libjpeg-e44fd0cd.so.62`` is libjpeg."""
    name = _HASHED.sub("", name)
    name = re.sub(r"\.so(?:\.\d+)*$|\.dylib$|\.dll$|\.(?:dist|egg)-info$", "", name)
    return _VERSIONED.sub("", name).lower()


def role(path: str) -> tuple[str, bool]:
    """Return what kind of license file a canonical path names, and whether its name is certain.

    The kind is `MAIN`, `NOTICE` or `NESTED`, empty for what states no terms. Where the name is
    not certain (``list-licenses.rst``) the content must decide; so it is for a text that is
    compressed (``LICENSE.gz``), whose content is not read.
    """
    where = PurePosixPath(path)
    stem, ending = _as_it_looks(where.name), ""
    front, _, last = stem.rpartition(".")
    if packed := bool(front) and last.lower() in _PACKED:
        stem = front
    if "." in stem:
        front, _, last = stem.rpartition(".")
        if last.lower() in _CODE or (packed and last.lower() == "tar"):
            return "", False
        if last.lower() in _TEXTS:
            stem, ending = front, last.lower()
    folder = where.parent.as_posix()
    top = folder == "." or bool(_META.fullmatch(folder))
    if _NOTICE.fullmatch(stem):
        return (NOTICE if top else NESTED), ending != "rst" and not packed
    if _STRICT.fullmatch(stem):
        certain = ending not in ("rst", "html", "htm") or top
        return (MAIN if top else NESTED), certain and not packed
    bare = not ending and re.search(r"\.(?!\d+$)", stem) is None  # GPL-2.0, and no data.db
    among = where.parent.name.lower() in _FOLDERS and (bare or ending in ("txt", "md"))
    if (_LOOSE.search(stem) or among) and (ending or not packed):
        return (MAIN if top else NESTED), False
    return "", False


def _as_it_looks(name: str) -> str:
    """Return a name in the letters that a reader sees: wide, hidden and foreign ones count."""
    if name.isascii():
        return name
    shown = (c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    return "".join(shown).lower().translate(_ALIKE)


def vendored(path: str) -> tuple[str, str]:
    """Return folder and child of the innermost place for other people's work, or two empties."""
    parts = path.split("/")
    for at in range(len(parts) - 2, -1, -1):
        if parts[at].lower() in _VENDOR or parts[at].endswith(".libs"):
            child = parts[at + 1]
            if child.startswith("@") and at + 3 < len(parts):
                child += "/" + parts[at + 2]
            return "/".join(parts[: at + 1]), child
    return "", ""
