"""Read debian/watch, versions 1 to 5, as a frozen value.

The meaning is uscan(1)'s. Versions to 4 are lines, ``opts="…" URL PATTERN VERSION``; version 5
is deb822, whose first paragraph may hold defaults and whose keys are compared without case
and hyphens. An option that is not known changes nothing and is told in ``warnings``: a typo there
may switch a signature off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from toolsync.watchfile.faults import fault, meant, placed
from toolsync.watchfile.lines import Line, lines
from toolsync.watchfile.rules import Rule, parse_rules
from toolsync.watchfile.templates import FIELDS, expanded

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
_KNOWN = frozenset((*_WORDS, *_FLAGS, *_MANGLES, *_IGNORED, *_ALIASES))
_FIELDS = (*_KNOWN, *_PATTERNS, *FIELDS, "source", "matchingpattern", "versionschema",
           "versionconstraint", "untrackable")  # fmt: skip
"""What a paragraph of version 5 may have."""
_SHORTENED = ("pgpmode", "gitmode")
"""Of these words two letters are enough (uscan(1): common sense abbreviations)."""


_SOURCEFORGE = re.compile(
    r"https?://(?:(?:www\.)?sf\.net|qa\.debian\.org/watch/sf\.php)/(?P<name>[\w.-]+)/"
)
"""The redirector that uscan(1) has for SourceForge, which is asked for the same as a feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What one line or paragraph says, before it is read."""

    line: int
    fields: Mapping[str, str]
    """By plain name."""


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
    line: int = 0
    """Where it stands in the file, from 1."""

    @property
    def page(self) -> str:
        """The address that is asked first: without a pattern in its folders."""
        if project := _SOURCEFORGE.match(self.url):
            return f"https://sourceforge.net/projects/{project['name']}/rss?path=/"
        if self.is_git:
            return self.url
        head, pattern, _ = self.url.partition("(")
        return head.rpartition("/")[0] + "/" if pattern else head

    @property
    def is_sourceforge(self) -> bool:
        """Whether it is the redirector for SourceForge."""
        return _SOURCEFORGE.match(self.url) is not None

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
    warnings: tuple[str, ...] = ()
    """What its maintainer should mend, though it can be read."""


@lru_cache(maxsize=256)
def parse(text: str, package: str, homepage: str = "") -> WatchFile:
    """Return what a watch file for the source package ``package`` says.

    ``homepage`` is the package's own, where a template may find its registry. Raises SetupError
    for what cannot be read, and for a rule that could run code or for ever.
    """
    text = text.removeprefix("\ufeff")
    version = _version(text)
    warnings: list[str] = []
    if version < 3:
        warnings.append(
            f"debian/watch is of version {version}, which uscan calls obsolete: write version=4 as"
            " its first line, and compare what is found then"
        )
    found = (
        _paragraphs(text, homepage, warnings) if version == 5 else _entries(text, version, warnings)
    )
    sources = tuple(_source(entry, package) for entry in found)
    if not sources:
        raise fault("names nothing to watch", "Add a line with an address and a pattern")
    warnings += [_of_ftp(source) for source in sources if source.url.startswith("ftp:")]
    return WatchFile(version=version, sources=sources, warnings=tuple(warnings))


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
        raise fault("names nothing to watch: it holds only comments", "Add what is to be watched")
    version = int(match[1]) if match else 1
    if not 1 <= version <= 5:
        raise fault(f"is of version {version}", "Versions 1 to 5 are read; write version=4")
    return version


def _paragraphs(text: str, homepage: str, warnings: list[str]) -> Iterator[_Entry]:
    """Yield the sources of a file of version 5, with defaults and templates filled in."""
    from debian.deb822 import Deb822

    defaults: dict[str, str] = {}
    for number, (start, part) in enumerate(_parted(text)):
        paragraph = Deb822([line for line in part if not line.startswith("#")])
        places = dict[str, int]()
        for line, name in _fields(start, part):
            if places.setdefault(_plain(name), line) != line:
                warnings.append(
                    f"debian/watch line {line}: the field {name} is there already, in line"
                    f" {places[_plain(name)]}; the last one counts"
                )
        fields = {_plain(key): _unfolded(paragraph[key]) for key in paragraph}
        fields.pop("version", None)
        for key in paragraph:
            if _plain(key) not in (*_FIELDS, "version"):
                line = places.get(_plain(key), start)
                warnings.append(_unknown(f"field {key}", line, meant(_plain(key), _FIELDS)))
        if "untrackable" in fields:
            raise fault(f"says that it cannot be tracked: {fields['untrackable']}", "", start)
        if not {"source", "template"} & set(fields):
            if number:
                raise fault(f"has a paragraph without Source: {', '.join(fields)}", "Add Source",
                            start)  # fmt: skip
            defaults = fields
            continue
        with placed(start):
            entry = expanded(defaults | fields, homepage)
        schema = entry.pop("versionschema", "") or entry.pop("versionconstraint", "") or "debian"
        named = [entry.pop(name) for name in _PATTERNS if name in entry]
        entry.setdefault("matchingpattern", (named or [_USUAL])[0])
        yield _Entry(line=start, fields=entry | {"schema": schema})


def _parted(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the paragraphs' lines without comments, each paragraph with its first line's number."""
    start, part = 0, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip() and not line.startswith("#"):
            start, part = start if part else number, [*part, line]
        elif part and not line.strip():
            yield start, part
            part = []
        elif part:
            part.append("#")  # keeps the numbers of the lines after it


def _fields(start: int, part: list[str]) -> Iterator[tuple[int, str]]:
    """Yield number and name of each field of a paragraph."""
    for number, line in enumerate(part, start):
        name, colon, _ = line.partition(":")
        if colon and not line[:1].isspace():
            yield number, name


def _entries(text: str, version: int, warnings: list[str]) -> Iterator[_Entry]:
    """Yield the sources of a file of lines; some options hold for later lines, too."""
    defaults: dict[str, str] = {}
    for line in lines(text, version):
        options = _named(line, warnings)
        defaults |= {key: options[key] for key in _PERSISTENT & options.keys()}
        if line.fields:
            url, pattern, schema, *_ = [*line.fields, "", ""]
            own = {"source": url, "matchingpattern": pattern, "schema": schema or "debian"}
            yield _Entry(line=line.number, fields=defaults | options | own)
        elif lost := sorted(options.keys() - _PERSISTENT):
            warnings.append(
                f"debian/watch line {line.number} has options without an address, which do nothing"
                f" ({', '.join(lost)}): a backslash at its end joins it with the next line"
            )


def _named(line: Line, warnings: list[str]) -> dict[str, str]:
    """Return a line's options by their plain names."""
    found: dict[str, str] = {}
    for key, value in line.options:
        name = _plain(key)
        if name == "versionmangle":  # shorthand for both; the last one counts
            found |= {"uversionmangle": value, "dversionmangle": value}
        elif name in _KNOWN:
            found[name] = value
        else:
            warnings.append(_unknown(f"option {key}", line.number, meant(name, _KNOWN)))
        if name == "pgpsigurlmangle":  # says how signatures are found, whatever was before
            found["pgpmode"] = "mangle"
    return found


def _unknown(what: str, line: int, meant_perhaps: str) -> str:
    return f"debian/watch line {line}: the {what} is not known and does nothing{meant_perhaps}"


def _of_ftp(source: Source) -> str:
    return (
        f"debian/watch line {source.line}: {source.page} is asked by FTP, which proves nothing of"
        " what comes: only a signature does, or https where upstream has it"
    )


def _source(entry: _Entry, package: str) -> Source:
    with placed(entry.line):
        return _read(entry, package)


def _read(entry: _Entry, package: str) -> Source:
    options = {_ALIASES.get(key, key): value for key, value in entry.fields.items()}
    component = options.get("component", "")
    words = {key: options.get(key, default) for key, default in _WORDS.items()}
    for key, allowed in _ALLOWED.items():
        words[key] = _whole(key, words[key].lower())
        if words[key] not in allowed:
            raise fault(
                f"has {key}={words[key]}, which is not supported",
                f"Supported are: {', '.join(filter(None, allowed))}",
                entry.line,
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
        line=entry.line,
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
