"""Prove a release by the signed tag of its git repository.

A tag's signature stands over the tag's name and its commit, so three things must fit: a pinned key
has signed, the tag calls itself what the release is called (else an old signed tag could be
passed off as a new one), and the archive was made of that very commit, which git writes into
its head (git-get-tar-commit-id(1)) and had checked against every object that it received.
"""

from __future__ import annotations

import re
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.model.errors import Unverified
from toolsync.model.plan import Plan
from toolsync.model.release import Release, Verified
from toolsync.system.clock import stamp
from toolsync.system.git import tag_named
from toolsync.system.gpg import check_detached
from toolsync.verify.method import Given, Method
from toolsync.verify.openpgp import accept, trust_of
from toolsync.verify.refusal import MissingProof
from toolsync.verify.trust import findings, statement

_ASK = "Ask upstream; a tag that was moved or passed on under another name proves nothing."
_COMMENT = re.compile(rb"\d+ comment=([0-9a-f]{40}|[0-9a-f]{64})\n")


def verify(given: Given) -> Verified:
    """Return the release as proved by a pinned key's tag, or raise Unverified or SetupError."""
    item, tool, store = given.item, given.tool, given.store
    trust = trust_of(tool, given.now)
    text, signature = item.extra(role="tag"), item.extra(role="signature")
    subject = f"the tag {item.release.tag}"
    if text is None or signature is None:
        raise MissingProof(
            f"{subject} is not signed; wanted: a tag signed by {trust.wanted()}",
            resolution="Ask upstream to sign its tags, or prove the release in another way.",
        )
    found = check_detached(store.path(signature), store.path(text), tool.keyring)
    good = accept(found, trust, subject)
    name, commit = tag_named(store.path(text).read_bytes())
    if name != item.release.tag:
        raise Unverified(f"{subject} was signed as {name!r}; wanted: its own name", resolution=_ASK)
    if commit_of(store.path(item.archive)) != commit:
        raise Unverified(
            f"{item.archive.name} was not made of the commit {commit} that {subject} names",
            resolution=_ASK,
        )
    return Verified(
        fetched=item,
        method="tag",
        statement=f"tag {name} of commit {commit} {statement(good, trust)}",
        fingerprint=good.primary,
        signed_at=stamp(good.created) if good.created else "",
        findings=findings(good, trust),
    )


def commit_of(archive: Path) -> str:
    """Return the commit that git says a tar was made of, empty where it says none."""
    with archive.open("rb") as file:
        found = _COMMENT.search(file.read(4096))
    return found[1].decode() if found else ""


def plan(_tool: Tool, _release: Release) -> Plan:
    """Ask for what the tag's signature stands over; git brings it with the tree."""
    return Plan(method="tag")


TAG = Method(name="tag", verify=verify, plan=plan, needs=("keys",), looks_at_keys=True)
