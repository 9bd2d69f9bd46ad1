"""The table of ways to prove a release; no other can be named."""

from __future__ import annotations

from collections.abc import Mapping

from toolsync.config.definition import Tool, Verify
from toolsync.config.record import Table
from toolsync.model.plan import Plan
from toolsync.model.release import Release
from toolsync.verify.checksum import CHECKSUMS
from toolsync.verify.method import Method
from toolsync.verify.minisign import MINISIGN
from toolsync.verify.openpgp import OPENPGP
from toolsync.verify.pins import INDEX, PINS
from toolsync.verify.signify import SIGNIFY
from toolsync.verify.sigstore import SIGSTORE
from toolsync.verify.ssh import SSH
from toolsync.verify.tag import TAG
from toolsync.verify.watch import WATCH

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (OPENPGP, MINISIGN, SIGNIFY, SSH, SIGSTORE, CHECKSUMS, PINS, INDEX, TAG, WATCH)
}


def method_of(policy: Verify) -> Method | None:
    """Return the record that a definition was read with, else the one in `METHODS`, if any."""
    record = policy.record
    if isinstance(record, Method) and record.name == policy.method:
        return record
    return METHODS.get(policy.method)


def programs_of(policy: Verify) -> tuple[str, ...]:
    """Return what must be on this machine to prove what a definition says."""
    method = method_of(policy)
    return method.programs(policy) if method else ()


def pinned_in(policy: Table) -> list[str]:
    """Return who must have signed, as a policy in the evidence pins it (a dumped `Verify`)."""
    method = METHODS.get(policy["method"])
    keys = {**policy, **policy.get("own", {})}
    return [pin for name in (method.signers if method else ()) for pin in keys.get(name, ())]


def plans_of(tool: Tool, release: Release) -> tuple[Plan, ...]:
    """Return how each of a release's tarballs is to be proved, the main one first.

    Parts of a release bring plans of their own; else the tool's method makes one for the file.
    """
    if release.parts:
        return tuple(part.plan for part in release.parts)
    method = method_of(tool.verify)
    return (method.plan(tool, release) if method else Plan(),)
