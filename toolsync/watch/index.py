"""Read a project's page in a package index: PEP 691 JSON, or PEP 503 HTML where that is served.

The answer's content type decides, not what was asked for: many mirrors serve HTML alone.
Only source distributions are taken (PEP 625, and the older spellings); a yanked file
(PEP 592) is told as yanked. Names compare normalized (PEP 503).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.model.patterns import version_pattern
from toolsync.model.release import Release
from toolsync.watch.addresses import joined, leaf
from toolsync.watch.candidates import Candidate
from toolsync.watch.html import html_root, links_seen, seen
from toolsync.watch.kind import PATTERN, PROJECT, URL, Clue, Kind, Likely, Seen
from toolsync.watch.ordering import by_pep_440
from toolsync.watch.pipindex import index_url
from toolsync.watch.reading import (
    Found,
    Get,
    drifted,
    is_html,
    json_of,
    json_seen,
    media_type,
    moment,
    sha256_of,
)

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = "application/vnd.pypi.simple.v1+html"
ACCEPT = f"{_JSON}, {_HTML};q=0.2, text/html;q=0.1"

_SDISTS = (".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".zip")
_VERSION = re.compile(  # PEP 440, which sdists with a platform's name in them are not
    r"v?(\d{1,9}!)?\d+(\.\d+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?"
    r"(-\d+|[-_.]?(post|rev|r)[-_.]?\d*)?([-_.]?dev[-_.]?\d*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)


def read(tool: Tool, get: Get) -> list[Release]:
    """Return the project's source distributions, from ``watch.url`` or pip's own index."""
    watch = tool.watch
    project = normalized(watch.project)
    page = get(_address(watch.url or index_url(), project), ACCEPT)
    pattern = version_pattern(watch.pattern) if watch.pattern else None
    found = Found(tool, page)
    for file in _json(page, project) if media_type(page).endswith("json") else _html(page):
        name = file.pop("filename")
        found.look_at(name)
        if not name.endswith(_SDISTS):
            continue
        if pattern:
            match = pattern.fullmatch(name)
            raw = match["version"] if match else ""
        else:
            raw = sdist_version(name, project)
        if raw:
            _take(found, tool, raw, name, file)
    return found.releases(
        f"source distribution of {project}" + (f" matching {watch.pattern}" if pattern else "")
    )


def _take(found: Found, tool: Tool, raw: str, name: str, file: dict[str, Any]) -> None:
    """Take a file by PEP 440's order; what an epoch puts above all others needs Debian's, too."""
    epoch, spelled = by_pep_440(raw) or (0, "")
    if epoch > tool.epoch and not tool.watch.mangle:
        why = f"its epoch puts it above all others: epoch = {epoch} in tool.toml takes it"
        found.refuse(raw, file["url"], name, why, stands=f"{10**9 + epoch}.{spelled}")
    elif epoch == tool.epoch or not epoch:
        found.add(raw, filename=name, spelled=spelled, **file)


def normalized(name: str) -> str:
    """Return a project's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def sdist_version(filename: str, project: str) -> str:
    """Return the version in an sdist's name, or nothing when it is not one of ``project``.

    Old names may hold hyphens, so the split is where the name before it is the project's.
    """
    stem = next((filename.removesuffix(end) for end in _SDISTS if filename.endswith(end)), "")
    for match in re.finditer("-", stem):
        if normalized(stem[: match.start()]) == project:
            version = stem[match.end() :]
            return version if len(version) < 200 and _VERSION.fullmatch(version) else ""
    return ""


def _address(base: str, project: str) -> str:
    """Return the project's page under an index, unless the address is that page already."""
    last = urlsplit(base).path.rstrip("/").rpartition("/")[2]
    return base if normalized(last) == project else f"{base.rstrip('/')}/{project}/"


def _json(page: Page, project: str) -> Iterator[dict[str, Any]]:
    data = json_of(page)
    if not isinstance(data, dict) or not isinstance(data.get("files"), list):
        raise drifted(page.url, "answered with JSON that has no list of files (PEP 691)")
    meta = data.get("meta")
    _check_api(page, meta.get("api-version") if isinstance(meta, dict) else None)
    if "name" in data and normalized(str(data["name"])[:200]) != project:
        raise drifted(page.url, f"is about {str(data['name'])[:80]!r}; {project} was wanted")
    for file in data["files"]:
        if isinstance(file, dict) and isinstance(file.get("url"), str):
            hashes, size = file.get("hashes"), file.get("size")
            yield {
                "filename": leaf("/" + str(file.get("filename", ""))),
                "url": joined(page.url, file["url"]),
                "sha256": sha256_of(hashes.get("sha256") if isinstance(hashes, dict) else ""),
                "yanked": _reason(file.get("yanked") or False),  # truthy, as PEP 691 says
                "published": moment(file.get("upload-time")),
                "size": size if type(size) is int and 0 <= size < 1 << 60 else None,
            }


def _html(page: Page) -> Iterator[dict[str, Any]]:
    if media_type(page) not in (_HTML, "text/html", "") and not is_html(page):
        raise drifted(
            page.url, f"answered with {media_type(page)[:80]}; an index's HTML or JSON was wanted"
        )
    root = html_root(page, _HTML)
    for element in root.iter("meta"):
        if element.get("name") == "pypi:repository-version":
            _check_api(page, element.get("content"))
    for element in root.iter("a"):
        href = element.get("href")
        if not href or not seen(element):
            continue
        url, _, fragment = joined(page.url, href).partition("#")
        digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
        yield {
            "filename": leaf(url),
            "url": url,
            "sha256": sha256_of(digest),
            "yanked": _reason(element.get("data-yanked")),
            "published": moment(element.get("data-upload-time")),
        }


def _check_api(page: Page, version: object) -> None:
    """Refuse a page of another major version of the API, as PEP 629 demands."""
    if isinstance(version, str) and version.partition(".")[0] != "1":
        raise drifted(
            page.url,
            f"speaks version {version[:20]} of the index API; 1 was wanted",
            "Update toolsync, or watch another index with watch.url in tool.toml.",
        )


def _reason(yanked: object) -> str:
    """Return why a file was withdrawn; an attribute without a value is a reason too."""
    if isinstance(yanked, str):
        return " ".join(yanked.split())[:500] or "no reason given"
    return "no reason given" if yanked is True else ""


def _stated(at: Seen) -> Iterator[Candidate]:
    if at.page is None:
        return
    if "pypi:repository-version" in at.text[:4096]:
        at.tell("it is a project of a package index")
        yield _candidate(at.url)
    data = json_seen(at.page)
    if isinstance(data, dict) and isinstance(data.get("files"), list):
        yield _candidate(at.url)


def _listed(at: Seen) -> Iterator[Candidate]:
    if any("#sha256=" in href for href in links_seen(at)):
        yield _candidate(at.url)


def _candidate(url: str) -> Candidate:
    base, _, name = url.rstrip("/").rpartition("/")
    return Candidate(
        watch={"kind": "index", "url": base + "/", "project": name},
        name=name,
        verify={"method": "index"},
    )


def _ready(tool: Tool) -> str:
    return tool.watch.url or index_url()


INDEX = Kind(
    name="index",
    about="a project's page in a package index, as PyPI has them",
    read=read,
    settings={**URL, **PROJECT, **PATTERN},
    orders=True,
    needs=("project",),
    home=index_url,
    accept=_JSON,
    packages=("python3-pip",),
    ready=_ready,
    clues=(
        Clue(likely=Likely.STATED, give=_stated),
        Clue(likely=Likely.LISTED, give=_listed),
    ),
)
