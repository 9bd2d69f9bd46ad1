"""The table of ways to prove a release; no other can be named."""

from __future__ import annotations

from collections.abc import Mapping

from toolsync.config.definition import Tool
from toolsync.model.plan import Plan
from toolsync.model.release import Release
from toolsync.verify.checksum import CHECKSUMS
from toolsync.verify.method import Method
from toolsync.verify.openpgp import OPENPGP
from toolsync.verify.pins import INDEX, PINS
from toolsync.verify.tag import TAG
from toolsync.verify.watch import WATCH

METHODS: Mapping[str, Method] = {
    method.name: method for method in (OPENPGP, CHECKSUMS, PINS, INDEX, TAG, WATCH)
}


def plans_of(tool: Tool, release: Release) -> tuple[Plan, ...]:
    """Return how each of a release's tarballs is to be proved, the main one first.

    Parts of a release bring plans of their own; else the tool's method makes one for the file.
    """
    if release.parts:
        return tuple(part.plan for part in release.parts)
    method = METHODS.get(tool.verify.method)
    return (method.plan(tool, release) if method else Plan(),)
