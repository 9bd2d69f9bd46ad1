"""Say which patch does not apply, and to what, from the words of dpkg-source and patch(1)."""

from __future__ import annotations

import re

_APPLYING = re.compile(r"^dpkg-source: info: applying (\S+)$", re.MULTILINE)
_HUNK = re.compile(r"^(?:Hunk #\d+ FAILED.*|patching file .*|.*malformed patch.*)$", re.MULTILINE)
_NO_FILE = re.compile(
    r"^can't find file to patch.*\n(?:(?!can't find)[^|\n]*\n)*((?:\|.*\n)+)", re.MULTILINE
)
_NAMES = re.compile(r"^\|(?:---|\+\+\+) (?:[^/\s]+/)?(\S+)", re.MULTILINE)
_NOT_DELETED = re.compile(r"^The next patch would delete the file (.+),$", re.MULTILINE)
_THERE = re.compile(r"^The next patch would create the file (.+),$", re.MULTILINE)


def told_of_patches(out: str) -> str:
    """Return what is wrong with the patch that was applied last, empty where nothing is told.

    ``out`` is what dpkg-source --build has left on stdout, where patch speaks too.
    """
    applying = list(_APPLYING.finditer(out))
    patch = applying[-1][1] if applying else ""
    said = out[applying[-1].end() :] if applying else out
    gone = [_last_name(found[1]) for found in _NO_FILE.finditer(said)]
    gone += _NOT_DELETED.findall(said)
    words = [f"it changes {name}, which this release does not have" for name in gone]
    words += [f"it adds {name}, which this release has already" for name in _THERE.findall(said)]
    words += _HUNK.findall(said)
    return "; ".join([f"{patch}: {words[0]}" if patch else words[0], *words[1:]]) if words else ""


def _last_name(header: str) -> str:
    """Return the file that a patch's header is about: the one that is no /dev/null."""
    names = [name for name in _NAMES.findall(header) if name != "null"]
    return names[-1] if names else "a file that it does not name"
