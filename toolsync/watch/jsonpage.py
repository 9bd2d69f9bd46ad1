"""Read releases out of any JSON: by a JMESPath expression, or as a registry of npm's kind has them.

``watch.path`` (jmespath.org) selects texts (versions, or the files' addresses) or objects. An
object's fields are named as ours: ``version``, ``url``, ``tag``, ``published``, ``sha256``,
``size``, ``prerelease``, ``yanked``; others are passed over. The expression is the operator's,
and only what it selects is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from toolsync.config.definition import Tool
from toolsync.http.client import Page
from toolsync.model.errors import SetupError
from toolsync.model.patterns import LONGEST_SUBJECT, Expression, match_path, version_pattern
from toolsync.model.release import Release
from toolsync.watch.addresses import filled, http_address, joined
from toolsync.watch.reading import Found, Get, drifted, is_html, json_of, moment, sha256_of
from toolsync.watch.selecting import select

_ACCEPT = "application/json, */*;q=0.5"


def read(tool: Tool, get: Get) -> list[Release]:
    """Return what ``watch.path`` selects and ``watch.pattern``, if there is one, fits."""
    watch = tool.watch
    page = get(watch.url, _ACCEPT)
    found = Found(tool, page)
    pattern = version_pattern(watch.pattern) if watch.pattern else None
    for entry in _selected(page, watch.path):
        found.look_at(str(entry.get("version") or entry.get("url"))[:200])
        raw = _version(pattern, page, entry)
        if raw:
            _add(found, tool, page, raw, entry)
    what = f" that matches {watch.pattern!r}" if pattern else ""
    return found.releases(f"version{what} at {watch.path}")


def npm(tool: Tool, get: Get) -> list[Release]:
    """Return the versions of ``watch.project`` in the registry at ``watch.url``.

    A version that is deprecated, while not all are, counts as withdrawn.
    """
    watch = tool.watch
    page = get(_package(watch.url, watch.project), _ACCEPT)
    data = _json(page)
    versions = data.get("versions") if isinstance(data, dict) else None
    if not isinstance(versions, dict):
        raise drifted(page.url, "answered with JSON that has no versions; npm's form was wanted")
    times = data.get("time")
    told = {v: e.get("deprecated") for v, e in versions.items() if isinstance(e, dict)}
    all_gone = all(told.values())
    pattern = version_pattern(watch.pattern) if watch.pattern else None
    found = Found(tool, page)
    for version, entry in versions.items():
        found.look_at(version[:200])
        match = pattern.fullmatch(version[:LONGEST_SUBJECT]) if pattern else None
        dist = entry.get("dist") if isinstance(entry, dict) else None
        url = dist.get("tarball") if isinstance(dist, dict) else None
        if (pattern and not match) or not isinstance(url, str):
            continue
        published = times.get(version) if isinstance(times, dict) else ""
        _add(
            found, tool, page, match["version"] if match else version,
            {"url": url, "published": published, "yanked": told[version] and not all_gone
             and (told[version] if isinstance(told[version], str) else True)},
        )  # fmt: skip
    return found.releases(f"version of {watch.project}")


def _package(registry: str, project: str) -> str:
    """Return the address of a package's document; a scope's slash is escaped, as npm does."""
    base = registry or os.environ.get("NPM_CONFIG_REGISTRY", "")
    if not http_address(base):
        raise SetupError(
            "no registry is named for a page of kind npm",
            resolution="Set watch.url in tool.toml, or NPM_CONFIG_REGISTRY.",
        )
    whole = unquote(base).rstrip("/").endswith(f"/{project}")
    return base if whole else f"{base.rstrip('/')}/{quote(project, safe='@')}"


def _json(page: Page) -> Any:
    if is_html(page):
        raise drifted(page.url, "answered with an HTML page; JSON was wanted")
    return json_of(page)


def _selected(page: Page, path: str) -> Iterator[dict[str, Any]]:
    """Give what the expression selects, each as an object; raises SetupError at none."""
    from jmespath.exceptions import JMESPathError

    data = _json(page)
    try:
        chosen = select(data, path)
    except (JMESPathError, RecursionError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise drifted(page.url, f"is not of the form that {path!r} reads: {said}") from error
    for item in chosen if isinstance(chosen, list) else [chosen]:
        if isinstance(item, Mapping):
            yield dict(item)
        elif isinstance(item, str):
            yield {"url": item} if http_address(item) else {"version": item}


def _version(pattern: Expression | None, page: Page, entry: Mapping[str, Any]) -> str:
    """Return the version of an entry, by the pattern where there is one."""
    raw, url = entry.get("version"), entry.get("url")
    if isinstance(raw, str | int | float) and not isinstance(raw, bool) and raw != "":
        text = str(raw)[:LONGEST_SUBJECT]
        match = pattern.fullmatch(text) if pattern else None
        return (match["version"] or "" if match else "") if pattern else text
    if pattern and isinstance(url, str):
        match = match_path(pattern, unquote(urlsplit(joined(page.url, url)).path))
        return match["version"] or "" if match else ""
    return ""


def _add(found: Found, tool: Tool, page: Page, raw: str, entry: Mapping[str, object]) -> None:
    tag, url, size = entry.get("tag"), entry.get("url"), entry.get("size")
    tag = tag if isinstance(tag, str) else ""
    if tool.watch.file_url:
        address = filled(tool.watch.file_url, {"version": raw, "tag": tag or raw})
    elif isinstance(url, str):
        address = joined(page.url, url)
    else:
        raise SetupError(
            f"{tool.name}: watch.path selects versions, but no address of a file",
            resolution="Add watch.file_url with {version} to tool.toml, or select url, too.",
        )
    yanked = entry.get("yanked")
    found.add(
        raw,
        address,
        tag=tag,
        published=moment(entry.get("published")),
        prerelease=entry.get("prerelease") is True,
        yanked=_reason(yanked),
        sha256=sha256_of(str(entry.get("sha256") or "").removeprefix("sha256:")),
        size=size if type(size) is int and 0 <= size < 1 << 60 else None,
    )


def _reason(yanked: object) -> str:
    if isinstance(yanked, str) and yanked.strip():
        return " ".join(yanked.split())[:500]
    return "no reason given" if yanked is True else ""
