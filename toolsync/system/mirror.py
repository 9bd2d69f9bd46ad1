"""Ask an archive's mirror what it has: our own look, where a log would only say so.

What it says is not verified: it serves to tell why something else has failed.
"""

from __future__ import annotations

import re
from pathlib import Path

_SECONDS = 30.0
_MOST = 4 * 1024 * 1024
"""Bytes that are read of an index's head; Debian's have 0.2 MB."""
_ARCHITECTURES = re.compile(r"^Architectures:[ \t]*(.+)$", re.MULTILINE)
_THERE, _NOBODY = 200, 0
_GONE = (404, 410)
_LATER = (408, 425, 429)
_FOLDER = re.compile(r"(?:file:|copy:)?(?://)?(/.*)")
"""A mirror that is a folder of this machine's, as apt takes it (sources.list(5))."""
_INDICES = ("Packages.xz", "Packages.gz", "Packages")
"""The names of a list of packages: a mirror has one of them at least."""


def answers(url: str, series: str) -> bool:
    """Say whether a mirror gives the index of a series; that it has none is an answer, too."""
    if not url.startswith(("http://", "https://")):
        return True  # a folder of this machine's: there is nobody to be away
    status, head = _get(url, f"{series}/InRelease", 1)
    if status == _THERE:
        return bool(head)
    return status != _NOBODY and status < 500 and status not in _LATER


def lacks(url: str, series: str, architecture: str) -> str:
    """Return in a phrase what a mirror does not have of a series, empty where it has it.

    It is the series itself or an architecture of it. Nothing is said of a mirror that gives no
    clear answer. Part of a mirror may be left out without a word in its index, which is signed.
    """
    status, index = _get(url, f"{series}/InRelease", _MOST)
    if status in _GONE:
        status, index = _get(url, f"{series}/Release", _MOST)
    if status in _GONE:
        return f"no series {series}"
    if status != _THERE:
        return ""
    found = _ARCHITECTURES.search(index.decode(errors="replace"))
    known = [name for name in found[1].split() if name != "all"] if found else []
    if known and architecture not in known:
        return f"no {architecture} of {series}, only {', '.join(sorted(known))}"
    place = f"{series}/main/binary-{architecture}"
    if all(_get(url, f"{place}/{name}", 1)[0] in _GONE for name in _INDICES):
        return f"no packages for {architecture} of {series}, though its index names it"
    return ""


def _get(url: str, path: str, most: int) -> tuple[int, bytes]:
    """Return how a mirror answers for a file below dists/ (HTTP's status), and its first bytes."""
    if not url.startswith(("http://", "https://")):
        return _read(url, path, most)
    import http.client  # heavy, and few commands ask
    import urllib.error
    import urllib.request

    address = f"{url.rstrip('/')}/dists/{path}"
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 (as above)
            return _THERE, bytes(answer.read(most))
    except urllib.error.HTTPError as error:
        return error.code, b""
    except (OSError, ValueError, http.client.HTTPException):
        return _NOBODY, b""


def _read(url: str, path: str, most: int) -> tuple[int, bytes]:
    """Return the same of a folder; nobody answers where it is none."""
    match = _FOLDER.fullmatch(url)
    if match is None or not (dists := Path(match[1], "dists")).is_dir():
        return _NOBODY, b""
    try:
        with (dists / path).open("rb") as file:
            return _THERE, file.read(most)
    except FileNotFoundError:
        return _GONE[0], b""
    except OSError:
        return _NOBODY, b""
