"""Prove a release by a Sigstore bundle: who signed is an identity that an issuer vouches for.

Read are bundles (``.sigstore.json``), GitHub's attestations and those of a package index (PEP 740).
Pinned are the identity and its issuer. It is judged offline by the program sigstore, against the
root of trust ``keys/trusted_root.json`` in the tool's folder, else the one that the program brings.
The certificate must have been valid when a transparency log had the signature; it may end then.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from toolsync.config import keys
from toolsync.config.definition import Tool, Verify
from toolsync.model.errors import SetupError, Unverified
from toolsync.model.release import Verified
from toolsync.system.clock import stamp
from toolsync.system.run import run
from toolsync.verify import bundles
from toolsync.verify.beside import ASK, plan_for, proof_of
from toolsync.verify.method import Given, Method, over_a_file, words_of

PROGRAM = "sigstore"
_SECONDS = 120
_IDENTITY = r"^\S.{0,500}$"
_WRAPPING = re.compile(r"^\s*(?:\[[\d:]+\])?\s*(?:ERROR|WARNING)?\s*|\s+\w+\.py:\d+\s*$")
_ACTUAL = re.compile(r"SANs do not match .*; actual SANs: \{'?(.*?)'?\}")
_ISSUER = re.compile(r"Issuer\w* does not match \(got '?([^',]*)'?, expected")
_OTHER_BYTES = re.compile(
    "digest mismatch|Signature is invalid for input|no subject for digest|inconsistent with other"
    "|log entry payload hash|signatures do not match|invalid signature for"
)
_OUT_OF_TIME = re.compile("expired at time of signing|not valid at validation time")
_STRANGE = "failed to build timestamp certificate chain"
_NOISE = ("FAIL: ", "For detailed error", "A certificate chain was not valid")
_NO_SIGNING = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "caUrls": [],
    "rekorTlogUrls": [],
    "rekorTlogConfig": {"selector": "ANY"},
    "tsaConfig": {"selector": "ANY"},
}
"""A configuration for signing, which the program wants to read and here never uses."""


def verify(given: Given) -> Verified:
    """Return the release as signed by one of ``verify.identity``, or raise Unverified."""
    item, policy = given.item, given.tool.verify.own
    words, name = words_of(item.release), item.archive.name
    who = tuple(identity.format(**words) for identity in policy["identity"])
    wanted = f"{' or '.join(who)}, by {policy['issuer']}"
    proof = proof_of(given, wanted)
    found = bundles.bundles_in(proof.read_bytes())
    if not found:
        raise Unverified(
            f"the proof of {name} is no Sigstore bundle: it begins with"
            f" {proof.read_bytes()[:40]!r}; wanted: one by {wanted}",
            resolution="Look at what upstream serves there; verify.signature names the place.",
        )
    refused = Unverified("")
    for bundle in found:
        for identity in who:
            try:
                return _proved(given, bundle, identity)
            except Unverified as error:
                refused = error
    raise refused


def _proved(given: Given, bundle: Mapping[str, object], identity: str) -> Verified:
    item, issuer = given.item, given.tool.verify.own["issuer"]
    said = _said(given, bundle, identity)
    if said:
        raise _refusal(said, item.archive.name, identity, issuer)
    statement = bundles.statement_of(bundle)
    names = bundles.subjects_of(statement, item.archive.sha256) if statement else ()
    kind = str(statement.get("predicateType", "")) if statement else ""
    asked = given.tool.verify.own.get("predicate", "")
    if asked and kind != asked:
        raise Unverified(
            f"what {identity} states of {item.archive.name} is {kind or 'no statement'}; wanted:"
            f" {asked}",
            resolution="Look at the statement; verify.predicate in tool.toml says what counts.",
        )
    own = item.release.filename
    listed = next((n for n in names if n.rpartition("/")[2] == own), next(iter(names), ""))
    root = "keys/trusted_root.json" if _root(given.tool) else "Sigstore's own root of trust"
    at = bundles.signed_at(bundle)
    return Verified(
        fetched=item,
        method="sigstore",
        statement=f"{f'stated ({kind})' if kind else 'signed'} by {identity}, for whom {issuer}"
        f" vouches, by {root}",
        fingerprint=identity,
        signed_at=stamp(datetime.fromtimestamp(at, UTC)) if at else "",
        listed=listed,
    )


def _said(given: Given, bundle: Mapping[str, object], identity: str) -> str:
    """Return what the program says against a bundle, empty if nothing.

    It is given names of its own, and a home of its own: what it keeps there would count, too.
    """
    with tempfile.TemporaryDirectory(prefix="toolsync-sigstore-") as folder:
        proof, config = Path(folder, "bundle.json"), Path(folder, "trust.json")
        proof.write_text(json.dumps(bundle), encoding="utf-8")
        words: tuple[str | Path, ...] = ()
        if root := _root(given.tool):
            trust = {
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": root,
                "signingConfig": _NO_SIGNING,
            }
            config.write_text(json.dumps(trust), encoding="utf-8")
            words = ("--trust-config", config)
        done = run(
            *(PROGRAM, *words, "verify", "identity", "--offline", "--bundle", proof),
            *("--cert-identity", identity, "--cert-oidc-issuer", given.tool.verify.own["issuer"]),
            f"sha256:{given.item.archive.sha256}",
            timeout=_SECONDS,
            env={"HOME": folder, "COLUMNS": "2000"},
            ok=range(256),
        )
        text = (done.err or done.out).replace(f"{folder}/", "the ")
    return _words(text, done.code) if done.code else ""


def _words(text: str, code: int) -> str:
    """Return what the program says, without what it writes around each line."""
    lines = [_WRAPPING.sub("", line) for line in text.splitlines()]
    lines = [line for line in lines if not line.startswith(_NOISE)]
    return " ".join(" ".join(lines).split())[:500] or f"{PROGRAM} ended with {code}"


def _root(tool: Tool) -> Mapping[str, object]:
    """Return the tool's own root of trust, empty if it has none; raises SetupError for no JSON."""
    path = tool.trusted_root
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise SetupError(
            f"{path} is no root of trust: {error}",
            resolution="Put Sigstore's trusted_root.json there, or remove it.",
        ) from error
    return found if isinstance(found, dict) else {"mediaType": "none"}


def _refusal(said: str, name: str, identity: str, issuer: str) -> Unverified:
    """Return why a bundle proves nothing, in the words that its kind of fault has here."""
    if other := _ACTUAL.search(said):
        return Unverified(
            f"{name} is signed by another identity: {other[1]}; wanted: {identity}",
            resolution="Compare it with a second source, such as the project's own documentation,"
            " and then pin it in verify.identity in tool.toml.",
        )
    if other := _ISSUER.search(said):
        return Unverified(
            f"{name} is signed by an identity for which another issuer vouches: {other[1]}; wanted:"
            f" {issuer}",
            resolution="Anybody can have that name with another issuer; verify.issuer in tool.toml"
            " says whose word counts.",
        )
    if _OTHER_BYTES.search(said):
        return Unverified(
            f"{name} has a bad Sigstore signature: it was made over another file or over other"
            f" bytes than these ({said})",
            resolution=ASK,
        )
    if _OUT_OF_TIME.search(said):
        return Unverified(
            f"the certificate that signed {name} had expired when it was used, or was not valid"
            f" yet, by the time of the log; wanted: one of {identity} that was valid then",
            resolution="Ask upstream to sign the release anew.",
        )
    if _STRANGE in said:
        return Unverified(
            f"the certificate that signed {name} is by an authority that the root of trust does not"
            f" know; wanted: one of {identity} by it",
            resolution="Look whether upstream signs with Sigstore's public instance; the root of"
            " trust of another one belongs into keys/trusted_root.json.",
        )
    return Unverified(f"{name} has no good Sigstore proof by {identity}: {said}", resolution=ASK)


def programs(_: Verify) -> tuple[str, ...]:
    """Return the program that verifies."""
    return (PROGRAM,)


SIGSTORE = Method(
    name="sigstore",
    about="a Sigstore bundle, a GitHub attestation or one of PEP 740, by a pinned identity",
    verify=verify,
    plan=partial(plan_for, "sigstore"),
    needs=("signature", "identity", "issuer"),
    settings={
        "identity": keys.texts(
            "who may sign, as the certificate names it: a mail address, or a workflow's address"
            " with its ref; may hold {version} or {tag}",
            pattern=_IDENTITY,
            least=1,
        ),
        "issuer": keys.address("who vouches for it, such as https://accounts.google.com"),
        "predicate": keys.text("the type that a statement must have, such as SLSA's address"),
    },
    signers=("identity",),
    programs=programs,
    faults=over_a_file,
    endings=(".sigstore.json", ".sigstore", ".publish.attestation", ".provenance", ".intoto.jsonl"),
    knows=bundles.knows,
)
