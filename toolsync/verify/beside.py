"""What proofs by one signature beside a file have in common: where it lies, and what it is."""

from __future__ import annotations

from pathlib import Path

from toolsync.config import keys
from toolsync.config.definition import Tool
from toolsync.model.errors import Unverified
from toolsync.model.plan import Plan, Wanted
from toolsync.model.release import Release
from toolsync.verify.method import Given, words_of
from toolsync.verify.refusal import missing_signature

RAW_KEY = r"^RW[A-Za-z0-9+/]{54}$"
"""A public key of signify or minisign, 56 digits in base 64: a kind of two bytes, a number of
eight, and the key (signify.c, minisign's page)."""
LIMIT = 8 * 1024 * 1024
"""Bytes of a proof that is read."""
ASK = "Compare with another copy of the release; if upstream's own page gives these bytes, ask."


def raw_keys(method: str) -> dict[str, dict[str, object]]:
    """Return the setting that pins the keys of signify or minisign."""
    about = f"{method} public keys that may sign, each as in its .pub file: RW… (56 digits)"
    return {method: keys.texts(about, pattern=RAW_KEY, least=1)}


def plan_for(method: str, tool: Tool, release: Release) -> Plan:
    """Return where the signature lies, by ``verify.signature``."""
    url = tool.verify.signature.format(**words_of(release))
    return Plan(method=method, ways=((Wanted(role="signature", url=url),),))


def proof_of(given: Given, wanted: str) -> Path:
    """Return the signature's file; ``wanted`` says in words who must have signed.

    Raises MissingProof where there is none, Unverified where it is too large to be one.
    """
    blob, name = given.item.extra(role="signature"), given.item.archive.name
    if blob is None:
        raise missing_signature(name, wanted)
    if blob.size > LIMIT:
        raise Unverified(
            f"the signature of {name} is too large: {blob.size} bytes, at most {LIMIT} are read",
            resolution="See that verify.signature in tool.toml names the signature.",
        )
    return given.store.path(blob)


def said(text: str, name: str, code: int, folder: str) -> str:
    """Return what a program said as one short line, or how it ended where it was silent.

    ``folder`` held what it was given: a name that differs each time would make it news each time.
    """
    words = (text or f"{name} ended with {code}").replace(f"{folder}/", "the ")
    return " ".join(words.split())[:300]
