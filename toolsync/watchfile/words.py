"""The words of debian/watch: macros, options, fields, and what they may say (uscan(1))."""

from __future__ import annotations

import re

from toolsync.watchfile.templates import FIELDS

_EXT = r"\.(?:tar\.xz|tar\.bz2|tar\.gz|tar\.zstd?|tar\.lz(?:ma)?|zip|tgz|tbz2?|txz)"
_MACROS = {
    "@ANY_VERSION@": r"(?:[-_]?[Vv]?(\d[\-+\.:\~\da-zA-Z]*))",
    "@SEMANTIC_VERSION@": (
        r"(?:[-_]?[Vv]?((?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
        r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?))"
    ),
    "@STABLE_VERSION@": r"(?:[-_]?[Vv]?(\d+(?:\.\d+){2}))",
    "@ARCHIVE_EXT@": f"(?i:{_EXT})",
    "@SIGNATURE_EXT@": rf"(?i:{_EXT}\.(?:asc|pgp|gpg|sig|sign))",
    "@DEB_EXT@": r"(?:[\+~](debian|dfsg|ds|deb)(\.)?(\d+)?$)",
}
"""uscan(1); archives in .lz and .lzma count here too."""

USUAL = "(?:@PACKAGE@)?@ANY_VERSION@@ARCHIVE_EXT@"
"""The pattern of a paragraph that has none (debian-watch(5))."""

AUTO = {
    "dversionmangle": r"s/@DEB_EXT@//",
    "uversionmangle": r"s/(\d)[_\.\-\+]?((?:(?i:rc|pre|dev|beta|alpha)|a|b)[.-]?\d*)$/$1~$2/",
    "filenamemangle": r"s/.*?@ANY_VERSION@(@ARCHIVE_EXT@)(?:[?#].*)?$/@PACKAGE@-$1$2/",
}
"""What the word ``auto`` stands for in these rules."""
MANGLES = (
    "uversionmangle",
    "dversionmangle",
    "versionmangle",
    "oversionmangle",
    "dirversionmangle",
    "filenamemangle",
    "downloadurlmangle",
    "pgpsigurlmangle",
    "pagemangle",
)
"""The options that hold rules."""
WORDS = {
    "component": "", "ctype": "", "mode": "lwp", "searchmode": "html", "pgpmode": "default",
    "compression": "", "repacksuffix": "", "hrefdecode": "", "useragent": "", "gitmode": "shallow",
    "gitexport": "default", "gitpretty": "0.0~git%cd.%h", "gitdate": "%Y%m%d", "gitmodules": "",
    "versionseparator": "+~", "unzipopt": "",
}  # fmt: skip
"""The options with a word, each with its default."""
FLAGS = ("repack", "decompress", "bare", "versionless")
"""The options that are yes or no."""
PERSISTENT = frozenset(("useragent", "compression", "bare"))
"""On a line without an address these hold for the lines after it."""
IGNORED = frozenset(("pasv", "passive", "active", "nopasv", "updatescript"))
"""What other programs read."""
ALIASES = {"pretty": "gitpretty", "date": "gitdate"}
"""Other names of options."""
PATTERNS = ("versionregex", "versionpattern")
"""Other names of Matching-Pattern in version 5."""
ALLOWED = {
    "mode": ("lwp", "http", "https", "git"),
    "searchmode": ("html", "plain"),
    "pgpmode": ("auto", "default", "mangle", "next", "previous", "self", "gittag", "none"),
    "gitexport": ("default", "all"),
    "gitmode": ("shallow", "full"),
    "ctype": ("", "nodejs", "perl"),
    "hrefdecode": ("", "percent-encoding", "yes"),
    "compression": ("", "default", "xz", "gz", "gzip", "bz2", "bzip2", "lzma"),
}
"""The words that an option may have."""
KNOWN = frozenset((*WORDS, *FLAGS, *MANGLES, *IGNORED, *ALIASES))
"""The options of a line."""
PARAGRAPH_FIELDS = (*KNOWN, *PATTERNS, *FIELDS, "source", "matchingpattern", "versionschema",
           "versionconstraint", "untrackable")  # fmt: skip
"""What a paragraph of version 5 may have."""


def substituted(text: str, package: str, component: str = "") -> str:
    """Return ``text`` with uscan's macros replaced, names quoted for a regular expression."""
    for word, name in (("@PACKAGE@", package), ("@COMPONENT@", component)):
        text = text.replace(word, name.replace(".", "\\.").replace("+", "\\+"))
    for word, meaning in _MACROS.items():
        text = text.replace(word, meaning)
    return text


def plain(key: str) -> str:
    """Return an option's or a field's name without case, hyphens and blanks."""
    return re.sub(r"[-_\s]", "", key).lower()
