"""Prove a release by the signed tag of its git repository.

A tag's signature stands over the tag's name and its commit, so three things must fit: a pinned key
(OpenPGP's, or one of ``verify.ssh``) has signed, the tag calls itself what the release is called
(else an old signed tag could be passed off as a new one), and the archive was made of that very
commit, which git writes into its head (git-get-tar-commit-id(1)) and had checked against every
object that it received.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolsync.config.definition import Tool, Verify
from toolsync.config.record import PageKind, Table
from toolsync.model.errors import Unverified
from toolsync.model.plan import Plan
from toolsync.model.release import Finding, Release, Verified
from toolsync.system.git import tag_named
from toolsync.system.gpg import SIGNATURE_LIMIT, check_detached
from toolsync.system.ssh import MARK, SshKey, is_signed, signer_of
from toolsync.verify.method import Given, Method, is_tree
from toolsync.verify.openpgp import accept, trust_of
from toolsync.verify.refusal import MissingProof
from toolsync.verify.ssh import KEYS
from toolsync.verify.trust import date_of, findings, statement

_ASK = "Ask upstream; a tag that was moved or passed on under another name proves nothing."
_COMMENT = re.compile(rb"\d+ comment=([0-9a-f]{40}|[0-9a-f]{64})\n")


def verify(given: Given) -> Verified:
    """Return the release as proved by a pinned key's tag, or raise Unverified or SetupError."""
    item, tool, store = given.item, given.tool, given.store
    text, signature = item.extra(role="tag"), item.extra(role="signature")
    subject = f"the tag {item.release.tag}"
    if text is None or signature is None:
        raise MissingProof(
            f"{subject} is not signed; wanted: a tag signed by {_wanted(tool)}",
            resolution="Ask upstream to sign its tags, or prove the release in another way.",
        )
    signed = _signed(given, store.path(text), store.path(signature), subject)
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
        statement=f"tag {name} of commit {commit} {signed.statement}",
        fingerprint=signed.fingerprint,
        signed_at=signed.at,
        findings=signed.findings,
    )


@dataclass(frozen=True, slots=True)
class _Signed:
    """Who signed a tag."""

    statement: str
    fingerprint: str
    at: str = ""
    findings: tuple[Finding, ...] = ()


def _signed(given: Given, text: Path, signature: Path, subject: str) -> _Signed:
    """Return who signed; raise Unverified where it is nobody who is pinned."""
    tool = given.tool
    if kind := other_kind(signature):
        return _by_ssh(tool, text, signature, f"{subject} is signed {kind}")
    if not tool.verify.keys:
        raise Unverified(
            f"{subject} is signed with OpenPGP; wanted: a signature by {_wanted(tool)}",
            resolution="Ask upstream, or pin its OpenPGP key in verify.keys, too.",
        )
    trust = trust_of(tool, given.now)
    good = accept(check_detached(signature, text, tool.keyring), trust, subject)
    made = date_of(good)
    return _Signed(statement(good, trust), good.primary, made, findings(good, trust))


def _by_ssh(tool: Tool, text: Path, signature: Path, told: str) -> _Signed:
    """Judge a signature by an SSH key; ``told`` says that it is one, and whose."""
    pinned = [SshKey.read(line) for line in tool.verify.own.get("ssh", ())]
    said = signer_of(signature.read_bytes())
    ours = next((key for key in pinned if said and key.blob == said.blob), None)
    if ours is None:
        raise Unverified(
            f"{told}; wanted: a signature by {_wanted(tool)}",
            resolution="Compare that key with a second source, such as the signer's account at the"
            " forge, and then pin its line (KIND BASE64) in verify.ssh in tool.toml.",
        )
    if not is_signed(text, signature, [ours], "git"):
        raise Unverified(
            f"{told}, but the signature is bad: it was made over other bytes than these, or for"
            " another use than git's",
            resolution=_ASK,
        )
    name = f" ({ours.comment})" if ours.comment else ""
    return _Signed(f"signed by the SSH key {ours.fingerprint}{name}", ours.fingerprint)


def other_kind(signature: Path) -> str:
    """Return with what other than OpenPGP a tag is signed, in words; empty where it is not."""
    with signature.open("rb") as file:
        content = file.read(SIGNATURE_LIMIT)
    if content.startswith(b"-----BEGIN SIGNED MESSAGE-----"):
        return "with X.509 (S/MIME), which toolsync does not read"
    if not content.startswith(MARK):
        return ""
    said = signer_of(content)
    return f"by the SSH key {said.fingerprint} ({said.kind})" if said else "with SSH, unreadably"


def _wanted(tool: Tool) -> str:
    """Return the pinned keys as a phrase."""
    keys = [SshKey.read(line).fingerprint for line in tool.verify.own.get("ssh", ())]
    return " or ".join((*sorted(tool.verify.keys), *keys))


def commit_of(archive: Path) -> str:
    """Return the commit that git says a tar was made of, empty where it says none."""
    with archive.open("rb") as file:
        found = _COMMENT.search(file.read(4096))
    return found[1].decode() if found else ""


def plan(_tool: Tool, _release: Release) -> Plan:
    """Ask for what the tag's signature stands over; git brings it with the tree."""
    return Plan(method="tag")


def _is_no_tree(watch: Table, _kind: PageKind) -> Iterator[str]:
    if not is_tree(watch):
        yield "verify.method: tag proves a git tag's own tree: watch.kind = git, and no file_url"


def programs(policy: Verify) -> tuple[str, ...]:
    """Return the programs that verify."""
    return ("git", "ssh-keygen") if "ssh" in policy.own else ("git",)


TAG = Method(
    name="tag",
    about="the signature of the git tag whose tree is the release, by a pinned key",
    verify=verify,
    plan=plan,
    needs=(("keys", "ssh"),),
    settings={"ssh": KEYS},
    signers=("keys", "ssh"),
    programs=programs,
    faults=_is_no_tree,
)
