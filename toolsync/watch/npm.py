"""Read a package's document in a registry of npm's kind."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from toolsync.config import keys
from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.model.errors import SetupError
from toolsync.model.patterns import LONGEST_SUBJECT, version_pattern
from toolsync.model.release import Release
from toolsync.model.versions import is_prerelease, upstream_key
from toolsync.watch.addresses import http_address, leaf
from toolsync.watch.candidates import Candidate
from toolsync.watch.jsonpage import ACCEPT, add, json_page
from toolsync.watch.kind import FILE_URL, PATTERN, PROJECT, URL, Clue, Kind, Likely, Seen
from toolsync.watch.ordering import by_semver
from toolsync.watch.reading import Found, Get, drifted, json_seen


def read(tool: Tool, get: Get) -> list[Release]:
    """Return the versions of ``watch.project`` in the registry at ``watch.url``.

    A version that is deprecated, while not all are, counts as withdrawn. What is newer than the
    version that ``watch.dist_tag`` names (``latest`` if not given) is not taken, unless
    prereleases are wanted and no tag is given.
    """
    watch = tool.watch
    page = get(_package(watch.url, watch.project), ACCEPT)
    data = json_page(page)
    versions = data.get("versions") if isinstance(data, dict) else None
    if not isinstance(versions, dict):
        raise drifted(page.url, "answered with JSON that has no versions; npm's form was wanted")
    times = data.get("time")
    told = {v: e.get("deprecated") for v, e in versions.items() if isinstance(e, dict)}
    all_gone = all(told.values())
    pattern = version_pattern(watch.pattern) if watch.pattern else None
    found = Found(tool, page)
    tag, top = _tagged(tool, page, data)
    for version, entry in versions.items():
        found.look_at(version[:200])
        match = pattern.fullmatch(version[:LONGEST_SUBJECT]) if pattern else None
        dist = entry.get("dist") if isinstance(entry, dict) else None
        url = dist.get("tarball") if isinstance(dist, dict) else None
        if (pattern and not match) or not isinstance(url, str):
            continue
        spelled = by_semver(version) or ""
        if top and spelled and upstream_key(spelled) > upstream_key(top):
            if not is_prerelease(spelled) or tool.watch.prereleases:
                found.refuse(version, url, leaf(url), f"the dist-tag {tag} names {top}")
            continue
        published = times.get(version) if isinstance(times, dict) else ""
        entry = {"url": url, "spelled": "" if pattern else spelled, "sha512": _sha512(dist or {})}
        why = told[version] if isinstance(told[version], str) else bool(told[version])
        entry |= {"published": published, "yanked": why and not all_gone and why}
        add(found, tool, page, match["version"] if match else version, entry)
    return found.releases(f"version of {watch.project}")


def _tagged(tool: Tool, page: Page, data: Mapping[str, Any]) -> tuple[str, str]:
    """Return the dist-tag that counts and the Debian spelling of its version, empty for none."""
    asked = str(tool.watch.own.get("dist_tag", ""))
    tags = data.get("dist-tags")
    named = tags.get(asked or "latest") if isinstance(tags, dict) else None
    if asked and not isinstance(named, str):
        raise drifted(page.url, f"has no dist-tag {asked}, which watch.dist_tag names")
    if not isinstance(named, str) or (tool.watch.prereleases and not asked):
        return "", ""
    return asked or "latest", by_semver(named) or ""


def _sha512(dist: Mapping[str, Any]) -> str:
    """Return the SHA-512 of ``integrity`` (Subresource Integrity) in hex, empty where none is."""
    stated = dist.get("integrity")
    for word in stated.split()[:10] if isinstance(stated, str) else ():
        kind, _, digest = word.partition("-")
        try:
            raw = base64.b64decode(digest.partition("?")[0], validate=True)
        except ValueError:
            continue
        if kind == "sha512" and len(raw) == 64:
            return raw.hex()
    return ""


def _package(registry: str, project: str) -> str:
    """Return the address of a package's document; a scope's slash is escaped, as npm does."""
    base = registry or _home()
    if not http_address(base):
        raise SetupError(
            "no registry is named for a page of kind npm",
            resolution="Set watch.url in tool.toml, or NPM_CONFIG_REGISTRY.",
        )
    whole = unquote(base).rstrip("/").endswith(f"/{project}")
    return base if whole else f"{base.rstrip('/')}/{quote(project, safe='@')}"


def _home() -> str:
    return os.environ.get("NPM_CONFIG_REGISTRY", "")


def _stated(at: Seen) -> Iterator[Candidate]:
    data = json_seen(at.page) if at.page else None
    if isinstance(data, dict) and isinstance(data.get("versions"), dict):
        path = urlsplit(at.url).path
        package = str(data.get("name") or path.strip("/").rpartition("/")[2])
        yield Candidate(watch={"kind": "npm", "url": at.url, "project": package}, name=package)


NPM = Kind(
    name="npm",
    about="a package in a registry of npm's kind",
    read=read,
    settings={
        **URL,
        **PROJECT,
        **PATTERN,
        **FILE_URL,
        "dist_tag": keys.text("the dist-tag that names the newest version; latest if not given"),
    },
    orders=True,
    needs=("project",),
    home=_home,
    clues=(Clue(likely=Likely.STATED, give=_stated),),
)
