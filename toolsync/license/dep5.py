"""Read and complete a debian/copyright (DEP-5) by what was found in a tree.

What is written follows https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolsync.license import hints, normalise, spdx
from toolsync.license.terms import LicenseText, Terms
from toolsync.model.errors import PackageFailed

_COMMON = Path("/usr/share/common-licenses")
_PERLS = "artistic-1.0-perl"
_ARTISTIC = ("artistic", "artistic-1", "artistic-1.0")
"""Names by which a debian/copyright means Perl's own Artistic license, as base-files has it."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A license text of the tree that debian/copyright does not tell of."""

    file: str
    id: str
    said: str
    """What debian/copyright says of that file; empty for nothing."""

    @property
    def message(self) -> str:
        """It in one sentence."""
        said = f"it says {self.said}" if self.said else "it says nothing of it"
        return f"debian/copyright lacks {self.id} for {self.file}: {said}"


def lacking(copyright_text: str, terms: Terms) -> tuple[Lack, ...]:
    """Return the known license texts whose license debian/copyright does not name for them.

    Raises PackageFailed for what is not of the machine-readable form.
    """
    parsed = _parsed(copyright_text)
    return tuple(_lacks(parsed, (*terms.mains, *terms.nested)))


def completed(copyright_text: str, lacks: Sequence[Lack], top: Path) -> str:
    """Return a debian/copyright that also holds what it lacked, with the texts found below ``top``.

    A license that Debian's base-files carries is pointed to (Debian Policy 12.5).
    """
    from debian.copyright import FilesParagraph, License, LicenseParagraph

    parsed = _parsed(copyright_text)
    has = {paragraph.license.synopsis for paragraph in parsed.all_license_paragraphs()}
    told = {glob for paragraph in parsed.all_files_paragraphs() for glob in paragraph.files}
    for lack in lacks:
        folder = lack.file.rpartition("/")[0]
        # Of two paragraphs with one pattern the last would count for all (and lintian refuses it).
        files = [f"{folder}/*" if folder and f"{folder}/*" not in told else lack.file]
        told.update(files)
        holders = _holders(top / lack.file) or "see the license text"
        name = re.sub(r" (AND|OR|WITH) ", lambda word: word[0].lower(), lack.id)
        parsed.add_files_paragraph(FilesParagraph.create(files, holders, License(name)))
        if name not in has:
            has.add(name)
            text = License(name, license_text(lack.id, lack.file, top))
            parsed.add_license_paragraph(LicenseParagraph.create(text))
    return str(parsed.dump())


def _parsed(text: str) -> Any:
    # Heavy, so only where a file is really there to be read.
    from debian.copyright import Copyright, Error

    try:
        return Copyright(text.splitlines(keepends=True), strict=False)
    except (Error, ValueError, TypeError) as error:
        raise PackageFailed(
            f"debian/copyright is not of the machine-readable form: {error}",
            resolution="Write it as DEP-5 wants: a header with Format, then Files and License.",
        ) from error


def _lacks(parsed: Any, texts: Iterable[LicenseText]) -> Iterator[Lack]:
    for text in texts:
        if not text.id or text.file.startswith("debian/"):
            continue  # upstream's own packaging is no part of ours
        paragraph = parsed.find_files_paragraph(text.file)
        license_ = paragraph.license if paragraph is not None else None
        said = license_.synopsis if license_ is not None else ""
        named = {hints.family(spdx.base(word)).lower() for word in _WORD.findall(said)}
        named |= {"mit"} & {"mit" for name in named if name == "expat"}
        named |= {_PERLS} & {_PERLS for name in named if name in _ARTISTIC}
        ids = spdx.names(text.id) or {text.id}
        if any(hints.family(spdx.base(name)).lower() not in named for name in ids):
            yield Lack(file=text.file, id=text.id, said=said)


def _holders(path: Path) -> str:
    """Return the statements of copyright at the head of a license text, one in each line."""
    lines = (normalise.decode(path.read_bytes()[: normalise.TEXT_BYTES]) or "").splitlines()
    found = [line.strip(" \t*#/") for line in lines if not normalise.normalise(line)]
    return "\n ".join(line for line in found if re.search(r"(?:19|20)\d\d|opyright", line))


def _common(name: str) -> Path:
    """Return where base-files has a license, if it has.

    One text serves what may be chosen of it: later versions, a GFDL's invariant sections or none.
    """
    plain = spdx.base(name)
    if plain.lower() == _PERLS:
        return _COMMON / "Artistic"
    if plain.startswith("GFDL"):
        return _COMMON / re.sub(r"-(?:no-)?invariants$", "", plain)
    return _COMMON / (plain.removesuffix(".0") if "GPL" in plain else plain)


def license_text(license_id: str, file: str, top: Path) -> str:
    """Return what debian/copyright has of a license: its text in ``file`` below ``top``.

    Of what base-files has in full, where that lies; empty without either.
    """
    found = {name: _common(name) for name in spdx.names(license_id) or {license_id}}
    if all(path.is_file() for path in found.values()):
        if len(found) == 1:
            return f"On Debian systems, the complete text is in {next(iter(found.values()))}."
        places = [f"of {name} in {path}" for name, path in sorted(found.items())]
        return f"On Debian systems, the complete text is {' and '.join(places)}."
    if not file:
        return ""
    return normalise.decode((top / file).read_bytes()[: normalise.TEXT_BYTES]) or ""
