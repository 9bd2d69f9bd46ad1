"""What of a tool's definition a schema cannot see: keys that need others, or contradict them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]+")
"""A source package's name (Debian Policy 5.6.1); also keeps a name from being a path."""

_NEEDS = {
    "index": ("project",),
    "s3": ("url", "pattern"),
    "html": ("url",),
    "text": ("url", "pattern", "file_url"),
    "github": ("url", "pattern"),
    "gitlab": ("url", "pattern"),
    "forgejo": ("url", "pattern"),
    "git": ("url", "pattern"),
    "feed": ("url", "pattern"),
    "json": ("url", "path"),
    "npm": ("project",),
    "probe": ("url", "pattern"),
}
"""What each kind of release page must be told."""

_PROOFS = {"openpgp": ("signature", "keys"), "checksums": ("checksums",), "tag": ("keys",)}
"""What each method of verification must be told."""


def tool_faults(folder: Path, raw: dict[str, Any]) -> Iterator[str]:
    """Yield the faults that a schema cannot see."""
    watch, verify = raw["watch"], raw.get("verify", {})
    if not _NAME.fullmatch(folder.name):
        yield f"the folder's name {folder.name!r} is no source package's name"
    for key in _NEEDS[watch["kind"]]:
        if key not in watch:
            yield f"watch.{key}: missing; a page of kind {watch['kind']} needs it"
    if watch["kind"] == "html" and not {"pattern", "xpath"} & set(watch):
        yield "watch.pattern: missing; a page of kind html needs it, or watch.xpath"
    yield from _pattern_faults(watch)
    yield from _path_faults(watch)
    for key in _PROOFS.get(verify.get("method", ""), ()):
        if key not in verify:
            yield f"verify.{key}: missing; the method {verify['method']} needs it"
    if watch["kind"] == "probe" and verify.get("method") == "index":
        yield "verify.method: index needs a page that states digests; a probe's is our own"
    tree = watch["kind"] == "git" and "file_url" not in watch
    if verify.get("method") == "tag" and not tree:
        yield "verify.method: tag proves a git tag's own tree: watch.kind = git, and no file_url"
    if tree and verify.get("method") in ("openpgp", "checksums"):
        yield f"verify.method: a git tag's own tree has no {verify['method']}; use tag or pins"
    if not (folder / "debian" / "control").is_file():
        yield "debian/control: missing; a tool carries its packaging beside tool.toml"


def _pattern_faults(watch: dict[str, Any]) -> Iterator[str]:
    pattern = watch.get("pattern")
    if pattern is None:
        return
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        yield f"watch.pattern: {pattern!r} is no regular expression: {error}"
        return
    if "version" not in compiled.groupindex:
        yield f"watch.pattern: {pattern!r} has no group (?P<version>…)"


def _path_faults(watch: dict[str, Any]) -> Iterator[str]:
    if "path" not in watch:
        return
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(watch["path"])
    except JMESPathError as error:
        said = " ".join(str(error).split())[:200]
        yield f"watch.path: {watch['path']!r} is no JMESPath expression: {said}"
