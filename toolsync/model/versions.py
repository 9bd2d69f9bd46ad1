"""Convert upstream version strings to Debian's form, and order them as Debian does.

A hyphen that no rule turns into something else stays: Debian Policy 5.6.12 allows it in an
upstream version when a revision follows, and every package made here carries one. Compare
upstream versions with `upstream_key`, which never takes such a hyphen for a revision's.
An underscore has no place in any Debian version: only a rule can say what it means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from toolsync.model.errors import SetupError
from toolsync.model.patterns import Expression, compile_safely
from toolsync.model.words import BEFORE

LONGEST = 100
"""Characters of a version that are taken; file names carry it several times."""
_LONGEST_MADE = 1024
"""Characters that a rule may leave to the next one."""

Key: TypeAlias = tuple[int, tuple[str | int, ...], tuple[str | int, ...]]

_NUMBERS = re.compile(r"[0-9]++(?:\.[0-9]++)*+")
"""What most versions are: nothing in them needs a rule."""
_NUMBERS_EACH = re.compile(rf"{_NUMBERS.pattern}(?:\n{_NUMBERS.pattern})*+")
_UPSTREAM = re.compile(r"[0-9][A-Za-z0-9.+~-]*")
_PREFIX = re.compile(r"(?:release[-_/]?)?v?\.?(?=[0-9])", re.IGNORECASE)
_PRERELEASE = re.compile(
    r"(?<![-._~ ])(?P<gap>[-._~ ]*+)(?<![a-z+])"
    rf"(?:(?P<word>{BEFORE}|(?:alpha|beta)[a-z])"
    r"[-._ ]*(?P<number>[0-9]*)"
    r"|(?P<letter>[abc]|(?<=[-._~ ])(?:m[.]?|[abc][.]))(?P<count>[0-9]+))(?![a-z0-9])",
    re.IGNORECASE,
)
"""A single letter counts only before a number: 1.0b2 is a beta, 1.0.2b a later fix."""
_COMMIT = re.compile(r"g?(?=[0-9]*[a-f]+[0-9]+[a-f])[0-9a-f]{7,40}")
"""As git writes one; 20240101b1 is none, but a beta."""
_ALONG = re.compile(r"[A-Za-z0-9]*")
_DIGITS = re.compile(r"([0-9]+)")

_TILDE, _END = "\x01", "\x02"
_ORDER = {ord(c): chr(ord(c) + 256) for c in map(chr, range(33, 127)) if not c.isalnum()}
_ORDER[ord("~")] = _TILDE
"""Policy 5.6.12: a tilde before the end, the end before letters, letters before the rest."""


_FOREIGN = re.compile(r"[^A-Za-z0-9.+~-]+")


class NotAVersion(ValueError):
    """A spelling that cannot become a Debian upstream version; says why."""


def mangle(raw: str, rules: tuple[str, ...] = ()) -> str:
    """Return the Debian upstream version for a page's spelling.

    First the tool's own ``rules`` (``s/regex/replacement/flags``), then what goes for all: a
    leading v or ``release-`` is removed, and a prerelease gets the tilde that sorts it before its
    release. Raises NotAVersion, or SetupError when a rule is none.
    """
    version = raw.strip()
    if not rules and is_numbers(version):
        return version
    if len(version) > LONGEST:
        raise NotAVersion(f"{version[:40]!r}… has {len(version)} characters, more than {LONGEST}")
    for rule in rules:
        version = _apply(rule, version)
        if len(version) > _LONGEST_MADE:
            raise NotAVersion(
                f"{raw[:40]!r} becomes longer than {_LONGEST_MADE} characters by its rules"
            )
    version = version[_prefix(version) :]
    version = _tilded(version)
    if len(version) > LONGEST or not _UPSTREAM.fullmatch(version):
        raise NotAVersion(
            f"{raw!r} became {version[:LONGEST]!r}, which is no upstream version (Debian Policy "
            "5.6.12: a digit, then letters, digits and . + - ~)"
        )
    return version


def probable(raw: str) -> str:
    """Return where a spelling that is no version would probably stand; empty if nowhere.

    It is for comparing alone.
    """
    start = re.search(r"[0-9]", raw)
    return _FOREIGN.sub(".", _tilded(raw[start.start() : LONGEST])) if start else ""


def is_numbers(raw: str) -> bool:
    """Say whether a spelling is a version already, and a release's, whatever is done with it."""
    return len(raw) <= LONGEST and _NUMBERS.fullmatch(raw) is not None


def are_numbers(raws: Sequence[str]) -> bool:
    """Say whether each of very many spellings, none of two lines, is such a version."""
    return max(map(len, raws), default=0) <= LONGEST and (
        _NUMBERS_EACH.fullmatch("\n".join(raws)) is not None
    )


def is_prerelease(version: str) -> bool:
    """Say whether a version, mangled or as upstream spells it, comes before its release."""
    if _NUMBERS.fullmatch(version):
        return False
    return "~" in version or any(map(_is_marked, _PRERELEASE.finditer(version)))


@lru_cache(maxsize=16384)
def sort_key(version: str) -> Key:
    """Return a key that orders full Debian versions as dpkg does (Policy 5.6.12)."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "0")
    return int(epoch), _part(upstream), _part(revision)


@lru_cache(maxsize=16384)
def upstream_key(version: str) -> Key:
    """Return the key of an upstream version, whose hyphens are its own."""
    return 0, _part(version), _NO_REVISION


def check_rule(rule: str) -> None:
    """Raise SetupError where ``rule`` is no ``s/regex/replacement/flags``."""
    _parsed(rule)


def _part(text: str) -> tuple[str | int, ...]:
    """Return words and numbers in turn; a missing number counts as 0."""
    parts: list[str | int] = list(_DIGITS.split(text))
    if parts[-1] or len(parts) == 1:
        parts += ["0", ""]
    parts[::2] = map(_word, parts[::2])
    parts[1::2] = map(int, parts[1::2])
    return tuple(parts)


@lru_cache(maxsize=4096)
def _word(text: str | int) -> str:
    """Return what stands between numbers so that plain string order is Debian's."""
    return str(text).translate(_ORDER) + _END


_NO_REVISION = _part("0")


def _prefix(version: str) -> int:
    match = _PREFIX.match(version)
    return match.end() if match else 0


def _tilded(version: str) -> str:
    """Mark prereleases until nothing is left to mark: in 1.0a1rc2 one hides the other."""
    before = ""
    while before != version and len(version) <= LONGEST:
        before, version = version, _PRERELEASE.sub(_tilde, version)
    return version


def _is_marked(match: re.Match[str]) -> bool:
    """Say whether a prerelease is meant: not at the start, nor by what is a part of a commit."""
    at = max(match.start("word"), match.start("letter"))
    before, behind = match.string[:at], _ALONG.match(match.string, at)
    assert behind is not None
    start = len(re.split(r"[^A-Za-z0-9]", before)[-1])
    return match.start() > 0 and not _COMMIT.fullmatch(before[at - start :] + behind[0])


def _tilde(match: re.Match[str]) -> str:
    if not _is_marked(match):
        return match[0]
    word = (match["word"] or match["letter"]).lower().rstrip(".")
    return f"~{word}{match['number'] or match['count'] or ''}"


def _apply(rule: str, text: str) -> str:
    regex, pieces, everywhere = _parsed(rule)

    def put(match: re.Match[str]) -> str:
        return "".join(p if isinstance(p, str) else match[p] or "" for p in pieces)

    return regex.substitute(text, put, everywhere=everywhere)[0]


@lru_cache(maxsize=1024)
def _parsed(rule: str) -> tuple[Expression, tuple[str | int, ...], bool]:
    """Return regex, replacement (texts and numbers of groups) and whether g was given."""
    delimiter = rule[1:2]
    if rule[:1] != "s" or not delimiter or delimiter.isalnum() or delimiter in "\\ ":
        raise _fault(rule, "it does not start with s and a delimiter")
    halves = _halves(rule)
    if len(halves) != 3:
        raise _fault(rule, f"it has {len(halves) - 1} of the 2 parts that {delimiter!r} must end")
    regex, replacement, flags = halves
    if set(flags) - {"g", "i"}:
        raise _fault(rule, f"of the flags {flags!r} only g and i are known")
    compiled = compile_safely(regex, re.IGNORECASE if "i" in flags else 0, what=f"rule {rule}")
    pieces = _pieces(rule, replacement)
    if any(isinstance(p, int) and p > compiled.groups for p in pieces):
        raise _fault(rule, f"its replacement names a group that {regex} does not have")
    return compiled, pieces, "g" in flags


def _halves(rule: str) -> list[str]:
    """Split what follows ``s`` at unescaped delimiters; an escaped one stands for itself."""
    delimiter, halves, at = rule[1], [""], 2
    while at < len(rule):
        if rule[at] == "\\" and at + 1 < len(rule):
            escaped = rule[at + 1]
            plain = escaped == delimiter and delimiter not in ".^$*+?{}[]|()"
            halves[-1] += escaped if plain else rule[at : at + 2]
            at += 2
            continue
        if rule[at] == delimiter:
            halves.append("")
        else:
            halves[-1] += rule[at]
        at += 1
    return halves


_PIECE = re.compile(r"\\(?P<back>[0-9])|\$(?P<group>[0-9])|\$\{(?P<braced>[0-9])\}|\\(?P<self>.)")


def _pieces(rule: str, replacement: str) -> tuple[str | int, ...]:
    pieces: list[str | int] = []
    at = 0
    for match in _PIECE.finditer(replacement):
        pieces.append(replacement[at : match.start()])
        number = match["back"] or match["group"] or match["braced"]
        pieces.append(int(number) if number else match["self"])
        at = match.end()
    pieces.append(replacement[at:])
    if any(isinstance(p, str) and "$" in p and p != "$" for p in pieces):
        raise _fault(rule, "its replacement may name groups ($1 or \\1), but no variable")
    return tuple(pieces)


def _fault(rule: str, why: str) -> SetupError:
    return SetupError(
        f"mangle rule {rule}: {why}",
        resolution="Write it as s/regex/replacement/flags, for example s/-([0-9]+)$/.$1/.",
    )
