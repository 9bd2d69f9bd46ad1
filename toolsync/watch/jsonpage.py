"""Read releases out of any JSON, by a JMESPath expression.

``watch.path`` (jmespath.org) selects texts (versions, or the files' addresses) or objects. An
object's fields are named as ours: ``version``, ``url``, ``tag``, ``published``, ``sha256``,
``size``, ``prerelease``, ``yanked``; others are passed over. The expression is the operator's,
and only what it selects is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from toolsync.config import keys
from toolsync.config.definition import Tool
from toolsync.config.record import Table
from toolsync.http.answer import Page
from toolsync.model.errors import SetupError
from toolsync.model.patterns import LONGEST_SUBJECT, Expression, match_path, version_pattern
from toolsync.model.release import Release
from toolsync.watch.addresses import filled, http_address, joined
from toolsync.watch.kind import FILE_URL, PATTERN, URL, Kind
from toolsync.watch.reading import Found, Get, drifted, is_html, json_of, moment, sha256_of
from toolsync.watch.selecting import select

ACCEPT = "application/json, */*;q=0.5"


def read(tool: Tool, get: Get) -> list[Release]:
    """Return what ``watch.path`` selects and ``watch.pattern``, if there is one, fits."""
    watch = tool.watch
    page = get(watch.url, ACCEPT)
    found = Found(tool, page)
    pattern = version_pattern(watch.pattern) if watch.pattern else None
    for entry in _selected(page, watch.path):
        found.look_at(str(entry.get("version") or entry.get("url"))[:200])
        raw = _version(pattern, page, entry)
        if raw:
            add(found, tool, page, raw, entry)
    what = f" that matches {watch.pattern}" if pattern else ""
    return found.releases(f"version{what} at {watch.path}")


def json_page(page: Page) -> Any:
    """Return a page's JSON; raises Drifted where it is HTML, as error pages are, or no JSON."""
    if is_html(page):
        raise drifted(page.url, "answered with an HTML page; JSON was wanted")
    return json_of(page)


def _selected(page: Page, path: str) -> Iterator[dict[str, Any]]:
    """Give what the expression selects, each as an object; raises SetupError at none."""
    from jmespath.exceptions import JMESPathError

    data = json_page(page)
    try:
        chosen = select(data, path)
    except (JMESPathError, RecursionError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise drifted(page.url, f"is not of the form that {path} reads: {said}") from error
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


def add(found: Found, tool: Tool, page: Page, raw: str, entry: Mapping[str, object]) -> None:
    """Take an entry, whose fields are named as ours."""
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
        spelled=str(entry.get("spelled") or ""),
        sha512=str(entry.get("sha512") or ""),
        sha256=sha256_of(str(entry.get("sha256") or "").removeprefix("sha256:")),
        size=size if type(size) is int and 0 <= size < 1 << 60 else None,
    )


def _reason(yanked: object) -> str:
    if isinstance(yanked, str) and yanked.strip():
        return " ".join(yanked.split())[:500]
    return "no reason given" if yanked is True else ""


def _faults(watch: Table) -> Iterator[str]:
    if "path" not in watch:
        return
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(watch["path"])
    except JMESPathError as error:
        said = " ".join(str(error).split())[:200]
        yield f"watch.path: {watch['path']!r} is no JMESPath expression: {said}"


JSON = Kind(
    name="json",
    about="any JSON, by a JMESPath expression",
    read=read,
    settings={
        **URL,
        **PATTERN,
        "path": keys.text(
            "a JMESPath expression that selects versions, addresses, or objects with version, url,"
            " tag, published, sha256, size, prerelease, yanked"
        ),
        **FILE_URL,
    },
    needs=("url", "path"),
    faults=_faults,
)
