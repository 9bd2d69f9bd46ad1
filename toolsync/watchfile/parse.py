"""Read debian/watch, versions 1 to 5, as a frozen value.

The meaning is uscan(1)'s. Versions to 4 are lines, ``opts="…" URL PATTERN VERSION``; version 5
is deb822, whose first paragraph may hold defaults and whose keys are compared without case
and hyphens. An option that is not known changes nothing and is told in ``warnings``: a typo there
may switch a signature off.
"""

from __future__ import annotations

import re
from functools import lru_cache

from toolsync.watchfile.entries import Entry, entries, paragraphs
from toolsync.watchfile.faults import fault, placed
from toolsync.watchfile.rules import parse_rules
from toolsync.watchfile.source import Source, WatchFile
from toolsync.watchfile.words import ALIASES, ALLOWED, AUTO, FLAGS, MANGLES, WORDS, substituted

_SHORTENED = ("pgpmode", "gitmode")
"""Of these words two letters are enough (uscan(1): common sense abbreviations)."""


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
        paragraphs(text, homepage, warnings) if version == 5 else entries(text, version, warnings)
    )
    sources = tuple(_source(entry, package) for entry in found)
    if not sources:
        raise fault("names nothing to watch", "Add a line with an address and a pattern")
    warnings += [_of_ftp(source) for source in sources if source.url.startswith("ftp:")]
    return WatchFile(version=version, sources=sources, warnings=tuple(warnings))


def _version(text: str) -> int:
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    match = re.match(r"\s*version\s*[=:]\s*(\d+)", body, re.IGNORECASE)
    if match is None and not body.strip():
        raise fault("names nothing to watch: it holds only comments", "Add what is to be watched")
    version = int(match[1]) if match else 1
    if not 1 <= version <= 5:
        raise fault(f"is of version {version}", "Versions 1 to 5 are read; write version=4")
    return version


def _of_ftp(source: Source) -> str:
    return (
        f"debian/watch line {source.line}: {source.page} is asked by FTP, which proves nothing of"
        " what comes: only a signature does, or https where upstream has it"
    )


def _source(entry: Entry, package: str) -> Source:
    with placed(entry.line):
        return _read(entry, package)


def _read(entry: Entry, package: str) -> Source:
    options = {ALIASES.get(key, key): value for key, value in entry.fields.items()}
    component = options.get("component", "")
    words = {key: options.get(key, default) for key, default in WORDS.items()}
    for key, allowed in ALLOWED.items():
        words[key] = _whole(key, words[key].lower())
        if words[key] not in allowed:
            raise fault(
                f"has {key}={words[key]}, which is not supported",
                f"Supported are: {', '.join(filter(None, allowed))}",
                entry.line,
            )
    mangles = {}
    for key in MANGLES:
        value = options.get(key, "")
        if key in ("uversionmangle", "dversionmangle") and not value:
            value = options.get("versionmangle", "")
        # "auto" stands for a rule, alone or among others.
        parts = [AUTO.get(key, "") if part.strip() == "auto" else part for part in value.split(";")]
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
        flags=frozenset(f for f in FLAGS if options.get(f, "no").lower() in ("yes", "1", "true")),
        mangles=mangles,
        line=entry.line,
    )


def _whole(key: str, word: str) -> str:
    """Return the word that ``word`` is the beginning of, where its option may be shortened."""
    if key not in _SHORTENED or len(word) < 2:
        return word
    return next((full for full in ALLOWED[key] if full.startswith(word)), word)
