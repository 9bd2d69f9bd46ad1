"""The words that stand beside a version's numbers: which come before a final, which after it.

What is in neither list nobody knows, and Debian's order puts it after the final.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set

BEFORE = (
    "alpha|beta|rc|cr|(?:release[-._]?)?candidate|milestone|(?:tech(?:nical)?[-._]?)?preview|"
    "prerelease|prealpha|prebeta|pre|development|develop|devel|dev|snapshot|nightly|daily|weekly|"
    "canary|next|testing|test|trunk|unstable|unreleased|edge|insiders?|experimental|prototype|"
    "draft|early(?:-access)?|eap|ea|wip|dp|tp|ctp"
)
"""Words of prereleases, longer ones before those that they begin with."""
AFTER = (
    "p|pl|sp|sr|mr|post|patch|hotfix|hf|bugfix|ifix|fix|security|sec|errata|update|upd|u|cu|final|"
    "ga|rtm|incubating|release|rel|rev|r|stable|lts|esm|build|git|svn|hg|dfsg|ds|deb|debian|ubuntu|"
    "repack"
)
"""Words of what is the final itself, or comes after it."""

_KNOWN_BEFORE = re.compile(rf"(?:{BEFORE}|(?:alpha|beta)[a-z])(?![a-z])", re.IGNORECASE)
_LETTER_BEFORE = re.compile(r"[mabc]\.?[0-9]", re.IGNORECASE)
"""What is a milestone, an alpha or a beta where it stands apart."""
_KNOWN_AFTER = re.compile(rf"(?:{AFTER})(?![a-z])|[a-z](?![a-z0-9])", re.IGNORECASE)
"""A letter alone is a later fix, as openssl had them; x64, i386 and k8s are none."""
_FIX = re.compile(r"[a-z]\d*(?![a-z0-9])", re.IGNORECASE)
"""A later fix where it stands right behind the numbers: 9.1j2."""
_COMMIT = re.compile(r"g[0-9a-f]{6,40}(?![a-z0-9])", re.IGNORECASE)
"""As ``git describe`` names one that came after a tag."""
_DATE = re.compile(r"(?:19|20)\d\d(?:(0[1-9]|1[0-2])(?:[0-3]\d)?(?!\d)|(?=[.-]|$))")
_LIKE = {True: r"(?:19|20)\d{4}", False: r"(?:19|20)\d\d\b"}
_WORDED = re.compile(r"(\d+(?:\.\d+)*)[-._]([A-Za-z]{2,})\d*")
_POINTS, _FAR = re.compile(r"(\d{1,9})\.\d[0-9A-Za-z.+~-]*"), 10
_NUMBERS = re.compile(r"[0-9.\n]*+")
"""Of many versions that none has a word."""
_SPLIT = re.compile(r"(?P<final>\d+(?:\.\d+)*)(?P<gap>[-._+ ]*)(?P<rest>[A-Za-z].*)")
_WORD = re.compile(r"(?:^|(?<=[-._+ ]))[A-Za-z]+")
"""In what stands behind a final; a part that begins with a digit is a number, or a commit."""


def misplaced(there: Set[str], *, local: bool = False) -> Mapping[str, tuple[str, str]]:
    """Return those that Debian sorts behind a final beside them, though they may come before it.

    Each leads to the version as which it would sort rightly, itself where nobody knows, and to
    what is wrong with it in a phrase. With ``local`` an ecosystem says that what follows a plus
    comes after the final.
    """
    if _NUMBERS.fullmatch("\n".join(there)):
        return {}
    worded = (version for version in there if not version.replace(".", "").isdigit())
    if local:
        worded = (version for version in worded if "+" not in version)
    return {version: told for version in worded if (told := _told(version, there))}


def changed_scheme(newest: str, later: str) -> str:
    """Return the mangle rule that puts ``newest`` below a version that came later, if it should be.

    That is so where the first is a date and the other is none, or a count of revisions far above
    the other (4521, then 1.0), or where a word alone puts the first above a later number (1.0.SP1
    above 1.0.1). Empty where both are of one scheme, as a later fix of an older series is.
    """
    if date := _DATE.match(newest):
        whole = _DATE.match(later)
        return "" if whole else f"s/^({_LIKE[bool(date[1])]})/0~$1/"
    parts = _POINTS.fullmatch(later)
    if parts and newest.isdigit() and int(newest) >= _FAR * max(int(parts[1]), 10):
        return "s/^(\\d{3,})$/0~$1/"
    worded = _WORDED.fullmatch(newest)
    if worded and later.startswith(f"{worded[1]}."):
        return f"s/[-._]?({worded[2]}\\d*)$/+$1/"
    return ""


def _told(version: str, there: Set[str]) -> tuple[str, str] | None:
    found = _SPLIT.fullmatch(version)
    if found is None or found["final"] not in there:
        return None
    final, rest = found["final"], found["rest"].partition("~")[0]
    if _KNOWN_BEFORE.match(rest) or (found["gap"] and _LETTER_BEFORE.match(rest)):
        return f"{final}~{found['rest']}", f"it comes before {final}, but sorts behind it"
    word = _unknown(rest, glued=not found["gap"])
    if not word:
        return None
    return (
        version,
        f"{final} is there, too, and nobody knows whether {word} stands before or after a final",
    )


def _unknown(rest: str, *, glued: bool) -> str:
    """Return the first word behind a final that nobody knows, empty if there is none.

    After one that comes after a final, such as ``release-`` or ``build.``, another may still stand.
    """
    for found in _WORD.finditer(rest):
        at = found.start()
        known = _KNOWN_AFTER.match(rest, at) or _COMMIT.match(rest, at)
        if not (known or (glued and not at and _FIX.match(rest))):
            return found[0]
    return ""
