"""Prove one file by a tool's method and the signature that lies beside it, without a release."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.model.patterns import match_path, version_pattern
from toolsync.model.release import Fetched, Release, Verified
from toolsync.system.store import Store
from toolsync.verify.method import Given, Method


def beside(path: Path, method: Method) -> Path | None:
    """Return the signature of the method's kind that lies beside a file, if there is one."""
    places = (path.with_name(path.name + ending) for ending in method.endings)
    return next((place for place in places if place.is_file()), None)


def prove(path: Path, proof: Path | None, tool: Tool, method: Method, now: datetime) -> Verified:
    """Return the file at ``path`` as proved; raises as `Method.verify` does.

    The method is given what a release would bring: copies of the file and of its signature.
    """
    with tempfile.TemporaryDirectory(prefix="toolsync-verify-") as folder:
        store = Store(Path(folder))
        extras = (store.add_file(proof, "signature"),) if proof else ()
        item = Fetched(
            release=_release(path, tool),
            archive=store.add_file(path),
            final_url="",
            extras=extras,
        )
        return method.verify(Given(item=item, tool=tool, store=store, now=now, limits=Limits()))


def _release(path: Path, tool: Tool) -> Release:
    """Return what a file's path tells: its version, where the tool's pattern knows its name."""
    found = (
        match_path(version_pattern(tool.watch.pattern), path.name) if tool.watch.pattern else None
    )
    version = (found.groupdict().get("version") or "") if found else ""
    return Release(
        tool=tool.name,
        version=version,
        raw_version=version,
        url=path.absolute().as_uri(),
        filename=path.name,
        page="",
    )
