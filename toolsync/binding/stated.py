"""What a name states of a version: a top folder's, a file's in a signed list.

Upstreams spell one version in many ways (``v1.2``, ``1_2_0``, ``1.2-rc1``, ``name-COMMIT``): only a
clear contradiction counts as one, and a name that states nothing says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from toolsync.model.errors import SetupError
from toolsync.model.versions import NotAVersion, mangle, upstream_key

LONGEST = 200
"""Characters of a name that are looked at."""

Says = Literal["same", "other", "nothing"]

_TOKEN = re.compile(r"[0-9]+|[a-z]+")
_WORDS = {"alpha": "a", "beta": "b", "patch": "p", "pl": "p"} | dict.fromkeys(
    ("c", "cr", "pre", "preview"), "rc"
)
"""Words of versions that mean the same."""
_EMPTY = frozenset(("v", "ver", "version", "r", "rel", "release", "tag", "final", "ga", "stable"))
_LATER = frozenset(("a", "b", "rc", "dev", "p", "post", "sp"))
"""Words, with a number or alone, by which a version is another one than without."""
_SNAPSHOT = re.compile(r"^0~|[+~](?:git|svn|hg|bzr|cvs|really|[0-9]{6,})")
_PACKED = re.compile(r"[+~.-](?:dfsg|ds|repack|orig|debian|ga|stable).*")
_PLATFORM = (
    r"x86[-_]64|x86|x64|amd64|arm64|aarch64|armv?[0-9]\w*|i[3-6]86|win(?:32|64)|noarch|py[0-9]+"
    r"|bz2|lz4|7z|mp4|utf8"
)
_TAIL = re.compile(
    rf"[-_.+](?:{_PLATFORM}|(?!(?:alpha|beta|rc|cr|pre|preview|dev|post|sp|pl|patch|[abcp])\b)[a-z]+)$"
)
_STATED = re.compile(
    r"(?:(?P<name>.*?[a-z0-9+)])[-_. ])??(?:v|ver|version|release|rel|r)?[-_.]?"
    r"(?P<version>[0-9]+(?:[-._][0-9]+)*"
    r"(?:[-._~+]?(?:alpha|beta|preview|pre|rc|cr|dev|post|patch|pl|sp|[abcp])[-._]?[0-9]*)*)"
)
_OTHERS = frozenset(
    (
        *("api", "abi", "sdk", "spec", "rfc", "iso", "for", "with", "plugin", "compat"),
        *("ubuntu", "debian", "centos", "rhel", "el", "fedora", "suse", "linux", "glibc", "gcc"),
        *("windows", "win", "macos", "osx", "darwin", "llvm", "clang", "cuda", "qt", "gtk"),
        *("gnome", "python", "py", "ruby", "perl", "php", "java", "jdk", "jre", "jvm", "node"),
    )
)
"""Words before a number that is the version of something else."""
_HASH = 7
"""Digits from which on a lone number may be a commit's, or a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The version that a name is compared with."""

    spellings: tuple[str, ...]
    """As it is known: Debian's, the release page's own."""
    names: frozenset[str]
    """What the tool, or its tarball, is called; see `squeezed`."""
    rules: tuple[str, ...] = ()
    """The tool's rules of mangling."""


def squeezed(name: str) -> str:
    """Return a name by which spellings of one are compared."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def prefix_of(filename: str, spellings: Sequence[str]) -> str:
    """Return the part of a file's name before its version, squeezed; empty where it has none."""
    for spelling in spellings:
        head, found, _ = filename.partition(spelling)
        if found:
            return squeezed(re.sub(r"[-_.]v$", "", head.lower()))
    return ""


def read(name: str, expected: Expected) -> tuple[Says, str]:
    """Return whether a name states the version, and what it states where that is another one."""
    text = name[:LONGEST].lower()
    if any(_holds(text, spelling.lower(), expected.names) for spelling in expected.spellings):
        return "same", ""
    match = _STATED.fullmatch(_without_tails(text))
    if match is None:
        return "nothing", ""
    stated = match["version"]
    says = _compared(stated, match["name"] or "", expected)
    return says, stated if says == "other" else ""


def _compared(stated: str, name: str, expected: Expected) -> Says:
    if _is_mangled(stated, expected) or any(_alike(stated, s) for s in expected.spellings):
        return "same"
    if any(_SNAPSHOT.search(s) for s in expected.spellings):
        return "nothing"
    mine = [_numbers(s) for s in expected.spellings]
    numbers = _numbers(stated)
    if any(_key(stated) == _key(re.split(r"[+~]", s)[0]) for s in expected.spellings):
        return "nothing"  # a prerelease, or a rebuild, in the folder of its release
    if len(numbers) > 1:
        words = _TOKEN.findall(name)
        known = not name or squeezed(name) in expected.names
        return "other" if known or not words or words[-1] not in _OTHERS else "nothing"
    lone = numbers[0]
    if squeezed(name) not in expected.names and name:
        return "nothing"
    if len(lone) >= _HASH:
        return "other" if any(list(map(len, m)) == [len(lone)] for m in mine) else "nothing"
    return "nothing" if any(int(m[0]) == int(lone) for m in mine if m) else "other"


def _holds(text: str, spelling: str, names: frozenset[str]) -> bool:
    """Say whether a name holds a version whole, and not as a part of another one."""
    wanted = _key(spelling)
    tokens = list(_tokens(text))
    size = len(wanted)
    if not size or not any(isinstance(part, int) for part in wanted):
        return False
    for at in range(len(tokens) - size + 1):
        if tuple(token.value for token in tokens[at : at + size]) == wanted:
            before = tokens[at - 1] if at else None
            lone = size == 1
            if _begins(before, tokens[at], lone, names) and _ends(tokens[at + size :]):
                return True
    return False


@dataclass(frozen=True, slots=True)
class _Token:
    value: int | str
    gap: str
    """What stands between it and the one before."""


def _tokens(text: str) -> Iterator[_Token]:
    end = 0
    for match in _TOKEN.finditer(text):
        value = int(match[0]) if match[0].isdigit() else _WORDS.get(match[0], match[0])
        yield _Token(value, text[end : match.start()])
        end = match.end()


def _begins(before: _Token | None, first: _Token, lone: bool, names: frozenset[str]) -> bool:
    """Say whether a version may begin here; one of a lone number is easily part of something."""
    if before is None:
        return True
    if isinstance(before.value, int):
        return not lone and first.gap not in (".", "_")
    if not lone or before.value in _EMPTY or squeezed(before.value) in names:
        return True
    return bool(first.gap) and before.value not in _LATER


def _ends(rest: Sequence[_Token]) -> bool:
    """Say whether a version ends before these tokens; zeros may follow."""
    for at, token in enumerate(rest):
        if isinstance(token.value, int):
            if token.gap not in (".", "_"):
                return True
            if token.value:
                return False
            continue
        number = at + 1 < len(rest) and isinstance(rest[at + 1].value, int)
        short = not token.gap and len(token.value) == 1
        return not (
            short or (token.value in _LATER and (number or token.value not in ("a", "b", "p")))
        )
    return True


def _key(spelling: str) -> tuple[int | str, ...]:
    """Return a version's numbers and words, without what is empty and without zeros at its end."""
    values = [token.value for token in _tokens(_PACKED.sub("", spelling.lower()))]
    while values and (values[-1] in _EMPTY or values[-1] == 0):
        values.pop()
    while values and values[0] in _EMPTY:
        values.pop(0)
    return tuple(values) or ((0,) if "0" in spelling else ())


def _numbers(spelling: str) -> list[str]:
    return re.findall(r"[0-9]+", spelling)


def _alike(stated: str, spelling: str) -> bool:
    """Say whether two spellings are one, perhaps with or without separators."""
    if _key(stated) == _key(spelling):
        return True
    one, two = _numbers(stated), _numbers(spelling)
    return 1 in (len(one), len(two)) and "".join(one) == "".join(two)


def _is_mangled(stated: str, expected: Expected) -> bool:
    try:
        made = mangle(stated, expected.rules)
    except (NotAVersion, SetupError):
        return False
    return any(upstream_key(made) == upstream_key(s) for s in expected.spellings)


def _without_tails(text: str) -> str:
    """Return a name without what often follows a version: -src, -linux-x64, .orig."""
    before = ""
    while before != text:
        before, text = text, _TAIL.sub("", text)
    return _PACKED.sub("", text) if re.search(r"[+~.-](?:dfsg|ds|repack)[0-9.]*$", text) else text
