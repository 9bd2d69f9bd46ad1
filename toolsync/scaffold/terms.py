"""Write a first debian/copyright from the license reading of a release's files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolsync.config.packaging import SAY_HERE
from toolsync.license import spdx
from toolsync.license.dep5 import completed, lacking, license_text
from toolsync.license.terms import LicenseText, Terms
from toolsync.scaffold.tree import Tree

_STATED = re.compile(
    r"(?im)^[\s#*;/<!.\"'-]*(?:copyright\b(?:\s*:)?\s*(?:\(c\)|©|&copy;)?|\(c\)|©)\s*"
    r"((?:19|20)\d\d[^\n]{2,160}|[A-Z][^\n]{2,160}?(?:19|20)\d\d[^\n]{0,40})"
)
_PLACEHOLDER = re.compile(r"(?i)<year>|\[yyyy\]|<name of|\[name of|free software foundation")
_SOURCES = ("*.c", "*.h", "*.py", "*.pl", "*.pm", "*.rb", "*.js", "*.go", "*.rs", "*.sh")
_MOST = 12
"""Holders that are named; a file by itself names them all."""


def copyright_of(tree: Tree, terms: Terms, *, name: str, homepage: str, author: str) -> str:
    """Return the text of a debian/copyright (DEP-5); what nobody has said has a placeholder."""
    main = next((text for text in terms.mains if text.id), next(iter(terms.mains), None))
    declared = next((d.expression for d in terms.declared if d.expression), "")
    license_id = _exact(main, declared) or (f"{name}-terms" if main else "")
    holders = list(_holders(tree, terms)) or ([author] if author else [])
    told = "\n ".join(holders) or f"{SAY_HERE} whose it is"
    head = (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        f"Upstream-Name: {name}\nSource: {homepage}\n\nFiles: *\nCopyright: {told}\n"
    )
    if not license_id:
        return f"{head}License: {SAY_HERE} which\n {SAY_HERE} the license's text.\n"
    text = license_text(license_id, main.file if main else "", tree.top)
    body = "\n".join(f" {line}".rstrip() if line.strip() else " ." for line in text.splitlines())
    whole = (
        f"{head}License: {_short(license_id)}\n{body or f' {SAY_HERE} the text of the license.'}\n"
    )
    lacks = lacking(whole, terms)
    return completed(whole, lacks, tree.top) if lacks else whole


def _exact(main: LicenseText | None, declared: str) -> str:
    """Return the license, as metadata say it where they are more exact: "or later"."""
    if main is None or not main.id:
        return declared
    same = {spdx.base(one) for one in spdx.names(declared)}
    return declared if same and same == {spdx.base(one) for one in spdx.names(main.id)} else main.id


def _short(license_id: str) -> str:
    return re.sub(r" (AND|OR|WITH) ", lambda word: word[0].lower(), license_id)


def _holders(tree: Tree, terms: Terms) -> Iterator[str]:
    """Give the statements of copyright of license texts, then of sources, each once."""
    texts = [text.file for text in terms.mains]
    sources = tree.matching(*_SOURCES)
    seen: set[str] = set()
    for path in (*texts, *tree.at_top("README*", "AUTHORS", "NOTICE*"), *sources[:400]):
        if len(seen) >= _MOST:
            return
        for stated in _STATED.findall(tree.text(path)[:20_000]):
            holder = " ".join(stated.split()).strip(" */#-.\"'")
            plain = re.sub(r"\W", "", holder).lower()
            if plain in seen or not holder.isprintable() or _PLACEHOLDER.search(holder):
                continue
            seen.add(plain)
            yield re.sub(r"(?i),?\s*all rights reserved.*", "", holder)
