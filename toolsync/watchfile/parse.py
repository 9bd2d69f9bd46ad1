"""Read debian/watch, versions 3, 4 and 5, as a frozen value.

The meaning is uscan(1)'s. Version 3 and 4 are lines, ``opts="…" URL PATTERN VERSION``; version 5
is deb822, whose first paragraph may hold defaults and whose keys are compared without case
and hyphens. Options that are not known are named in ``unknown`` and otherwise ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from toolsync.model.errors import SetupError
from toolsync.watchfile.rules import Rule, parse_rules
from toolsync.watchfile.templates import expanded

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

_USUAL = "(?:@PACKAGE@)?@ANY_VERSION@@ARCHIVE_EXT@"
"""The pattern of a paragraph that has none (debian-watch(5))."""

_GROUP = re.compile(r"\(.*\)|@(?:ANY|SEMANTIC|STABLE)_VERSION@")
"""Where an address ends in such a thing, its last part is the pattern."""

_QUOTED = (
    r'"((?:[^"\\]|\\.|"(?!\s|$))*)"(?:\s+|$)',
    r'"((?:[^"\\]|\\.)*)"\s*',
    r'([\w-]+\s*=\s*)"([^"]*)"(?:\s+|$)',
)
"""How options are quoted in uscan(1)'s examples: the quote that ends them stands before a space."""

_AUTO = {
    "dversionmangle": r"s/@DEB_EXT@//",
    "uversionmangle": r"s/(\d)[_\.\-\+]?((?:(?i:rc|pre|dev|beta|alpha)|a|b)[.-]?\d*)$/$1~$2/",
    "filenamemangle": r"s/.*?@ANY_VERSION@(@ARCHIVE_EXT@)(?:[?#].*)?$/@PACKAGE@-$1$2/",
}
_MANGLES = (
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
_WORDS = {
    "component": "", "ctype": "", "mode": "lwp", "searchmode": "html", "pgpmode": "default",
    "compression": "", "repacksuffix": "", "hrefdecode": "", "useragent": "", "gitmode": "shallow",
    "gitexport": "default", "gitpretty": "0.0~git%cd.%h", "gitdate": "%Y%m%d", "gitmodules": "",
    "versionseparator": "+~", "unzipopt": "",
}  # fmt: skip
_FLAGS = ("repack", "decompress", "bare", "versionless")
_PERSISTENT = frozenset(("useragent", "compression", "bare"))
_IGNORED = frozenset(("pasv", "passive", "active", "nopasv", "updatescript"))
_ALIASES = {"pretty": "gitpretty", "date": "gitdate"}
_PATTERNS = ("versionregex", "versionpattern")
"""Other names of Matching-Pattern in version 5."""
_ALLOWED = {
    "mode": ("lwp", "http", "https", "git"),
    "searchmode": ("html", "plain"),
    "pgpmode": ("auto", "default", "mangle", "next", "previous", "self", "gittag", "none"),
    "gitexport": ("default", "all"),
    "gitmode": ("shallow", "full"),
    "ctype": ("", "nodejs", "perl"),
    "hrefdecode": ("", "percent-encoding", "yes"),
    "compression": ("", "default", "xz", "gz", "gzip", "bz2", "bzip2", "lzma"),
}
_SHORTENED = ("pgpmode", "gitmode")
"""Of these words two letters are enough (uscan(1): common sense abbreviations)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One tarball (or signature) that is watched, and how."""

    url: str
    """Up to the last slash, perhaps with patterns in its folders; a repository's for git."""
    pattern: str
    schema: str
    """``debian``, ``same``, ``ignore``, ``previous``, ``group``, ``checksum``, or a version."""
    words: Mapping[str, str]
    """The options with a word, each with its default."""
    flags: frozenset[str]
    mangles: Mapping[str, tuple[Rule, ...]]

    @property
    def component(self) -> str:
        """The component's name, empty for the main tarball."""
        return self.words["component"]

    @property
    def pgpmode(self) -> str:
        """How the origin is proved."""
        return self.words["pgpmode"]

    @property
    def is_git(self) -> bool:
        """Whether this is a git repository."""
        return self.words["mode"] == "git"

    @property
    def follows_branch(self) -> bool:
        """Whether this is a git repository of which a branch is followed, and no tags."""
        return self.is_git and (self.pattern == "HEAD" or self.pattern.startswith("heads/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchFile:
    """All that a debian/watch says."""

    version: int
    sources: tuple[Source, ...]
    unknown: tuple[str, ...] = ()
    """Options that nobody knows."""


@lru_cache(maxsize=256)
def parse(text: str, package: str) -> WatchFile:
    """Return what a watch file for the source package ``package`` says.

    Raises SetupError for what cannot be read, and for a rule that could run code or for ever.
    """
    text = text.removeprefix("\ufeff")
    version = _version(text)
    entries = list(_paragraphs(text) if version == 5 else _lines(text))
    if not entries:
        raise _fault("names nothing to watch", "Add a line with an address and a pattern.")
    unknown: list[str] = []
    sources = tuple(_source(entry, package, unknown) for entry in entries)
    return WatchFile(version=version, sources=sources, unknown=tuple(unknown))


def substituted(text: str, package: str, component: str = "") -> str:
    """Return ``text`` with uscan's macros replaced, names quoted for a regular expression."""
    for word, name in (("@PACKAGE@", package), ("@COMPONENT@", component)):
        text = text.replace(word, name.replace(".", "\\.").replace("+", "\\+"))
    for word, meaning in _MACROS.items():
        text = text.replace(word, meaning)
    return text


def _version(text: str) -> int:
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    match = re.match(r"\s*version\s*[=:]\s*(\d+)", body, re.IGNORECASE)
    if match is None and not body.strip():
        raise _fault("names nothing to watch: it holds only comments", "Add what is to be watched.")
    version = int(match[1]) if match else 1
    if version not in (3, 4, 5):
        raise _fault(f"is of version {version}", "Versions 3, 4 and 5 are read; convert it.")
    return version


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    """Give the sources of a file of version 5, with defaults and templates filled in."""
    from debian.deb822 import Deb822

    defaults: dict[str, str] = {}
    for number, paragraph in enumerate(Deb822.iter_paragraphs(text.splitlines(keepends=True))):
        fields = {_plain(key): _unfolded(paragraph[key]) for key in paragraph}
        fields.pop("version", None)
        if "untrackable" in fields:
            raise _fault(f"says that it cannot be tracked: {fields['untrackable']}", "")
        if not {"source", "template"} & set(fields):
            if number:
                raise _fault(f"has a paragraph without Source: {', '.join(fields)}", "Add Source.")
            defaults = fields
            continue
        entry = expanded(defaults | fields)
        schema = entry.pop("versionschema", "") or entry.pop("versionconstraint", "") or "debian"
        named = [entry.pop(name) for name in _PATTERNS if name in entry]
        entry.setdefault("matchingpattern", (named or [_USUAL])[0])
        yield entry | {"schema": schema}


def _lines(text: str) -> Iterator[dict[str, str]]:
    """Give the sources of a file of version 3 or 4; some options hold for later lines, too."""
    joined = re.sub(r"(?<!\\)\\\r?\n[ \t]*", "", re.sub(r"(?m)^\s*#.*\n?", "", text))
    defaults: dict[str, str] = {}
    for line in filter(None, map(str.strip, joined.splitlines())):
        if re.match(r"version\s*=", line):
            continue
        options, rest = _options(line)
        defaults |= {key: options[key] for key in _PERSISTENT & options.keys()}
        if not rest:
            continue
        fields = rest.split(None, 3)
        head, slash, leaf = fields[0].rpartition("/")
        if slash and _GROUP.search(leaf):
            fields[0:1] = [head + slash, leaf]
        url, pattern, schema, *_ = [*fields, "", ""]
        yield (
            defaults
            | options
            | {"source": url, "matchingpattern": pattern}
            | {"schema": schema or "debian"}
        )


def _options(line: str) -> tuple[dict[str, str], str]:
    """Split a line's options off."""
    start = re.match(r"opt(?:ion)?s\s*=\s*", line)
    if not start:
        return {}, line
    rest = line[start.end() :]
    found = next(filter(None, (re.match(form, rest) for form in _QUOTED)), None)
    if rest.startswith('"') and not found:
        raise _fault('has opts=" without the quote that ends it', 'End the options with ".')
    found = found or re.match(r"(\S*)\s*", rest)
    assert found is not None
    pairs: dict[str, str] = {}
    text = "".join(found.groups()).strip(" \t,")
    for option in re.split(r"(?:,\s*)+(?=[a-z][a-z-]*\s*(?:=|,|$))", text):
        key, equals, value = option.partition("=")
        if _plain(key) == "versionmangle":  # shorthand for both; the last one counts
            pairs |= {"uversionmangle": value.strip(), "dversionmangle": value.strip()}
        elif key.strip():
            pairs[_plain(key)] = value.strip() if equals else "yes"
        if _plain(key) == "pgpsigurlmangle":  # says how signatures are found, whatever was before
            pairs["pgpmode"] = "mangle"
    return pairs, rest[found.end() :].strip()


def _source(entry: Mapping[str, str], package: str, unknown: list[str]) -> Source:
    options = {_ALIASES.get(key, key): value for key, value in entry.items()}
    component = options.get("component", "")
    words = {key: options.get(key, default) for key, default in _WORDS.items()}
    for key, allowed in _ALLOWED.items():
        words[key] = _whole(key, words[key].lower())
        if words[key] not in allowed:
            raise _fault(
                f"has {key}={words[key]!r}, which is not supported",
                f"Supported are: {', '.join(filter(None, allowed))}.",
            )
    mangles = {}
    for key in _MANGLES:
        value = options.get(key, "")
        if key in ("uversionmangle", "dversionmangle") and not value:
            value = options.get("versionmangle", "")
        # "auto" stands for a rule, alone or among others.
        parts = [
            _AUTO.get(key, "") if part.strip() == "auto" else part for part in value.split(";")
        ]
        text = ";".join(parts)
        if component and value == "auto":  # or two parts would be saved under one name
            text = text.replace("@PACKAGE@", "@PACKAGE@-@COMPONENT@")
        mangles[key] = parse_rules(substituted(text, package, component), key)
    if words["pgpmode"] == "mangle" and not mangles["pgpsigurlmangle"]:
        words["pgpmode"] = "default"
    known = {*_WORDS, *_FLAGS, *_MANGLES, *_IGNORED, "source", "matchingpattern", "schema"}
    unknown += sorted(set(options) - known)
    pattern = substituted(options["matchingpattern"], package, component)
    if words["mode"] == "git" and re.fullmatch(r"refs/heads/[^()]+", pattern):
        pattern = pattern.removeprefix("refs/")  # uscan(1) names branches in both ways
    url = options["source"]
    for word, name in (("@PACKAGE@", package), ("@COMPONENT@", component)):
        url = url.replace(word, name)
    return Source(
        url=substituted(url, package, component),
        pattern=pattern,
        schema=options["schema"].lower(),
        words=words,
        flags=frozenset(f for f in _FLAGS if options.get(f, "no").lower() in ("yes", "1", "true")),
        mangles=mangles,
    )


def _whole(key: str, word: str) -> str:
    """Return the word that ``word`` is the beginning of, where its option may be shortened."""
    if key not in _SHORTENED or len(word) < 2:
        return word
    return next((full for full in _ALLOWED[key] if full.startswith(word)), word)


def _plain(key: str) -> str:
    return re.sub(r"[-_\s]", "", key).lower()


def _unfolded(value: str) -> str:
    return " ".join(str(value).split("\n")).strip()


def _fault(found: str, resolution: str) -> SetupError:
    return SetupError(f"debian/watch {found}", resolution=resolution)
