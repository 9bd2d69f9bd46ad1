"""Prove a release by a checksum file, signed where the tool pins keys.

Reads the forms that `sumlines` knows, plain or clear-signed; of a clear-signed file only the
signed text counts. Only SHA-256 and SHA-512 prove anything. A file is looked up by the name that
the release page gives it, never by one that a redirect chose: else an old file could be passed
off as a new one. For the same reason a line that names a folder, ``old/NAME``, is for the file
at such a path and for no other, and nothing but a newline ends a line.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from toolsync.config import keys
from toolsync.config.definition import Tool
from toolsync.model.errors import Unverified
from toolsync.model.plan import Plan, Wanted
from toolsync.model.release import Fetched, Finding, Release, Verified
from toolsync.system.gpg import Signature, check_detached, is_clear_signed, open_signed
from toolsync.verify import openpgp
from toolsync.verify.method import Given, Method, over_a_file, words_of
from toolsync.verify.refusal import MissingProof, missing_signature
from toolsync.verify.sumlines import Sum, as_text, parse_sums
from toolsync.verify.trust import Trust, date_of, findings, statement

LIMIT = 8 * 1024 * 1024
"""Bytes of a checksum file."""

_STRONG = ("sha256", "sha512")


def verify(given: Given) -> Verified:
    """Return the release as listed in its checksum file, or raise Unverified or SetupError.

    With verify.keys the list must be signed by one of them: in ``checksums-signature``, or
    by being clear-signed. Without, a finding says that the sums are unsigned.
    """
    item, tool, store = given.item, given.tool, given.store
    trust = openpgp.trust_of(tool, given.now) if tool.verify.keys else None
    sums, proof = item.extra(role="checksums"), item.extra(role="checksums-signature")
    if sums is None:
        raise MissingProof(
            f"{item.archive.name} has no checksum file: none was found beside it",
            resolution="Look whether upstream has moved it; verify.checksums in tool.toml names"
            " the place.",
        )
    label = f"the checksum file of {item.archive.name}"
    text, signature = read_list(
        store.path(sums), store.path(proof) if proof else None, tool.keyring, trust, label
    )
    found = match(text, store.path(item.archive), _names(tool, item.release))
    used = found.used
    if signature is None or trust is None:
        return Verified(
            fetched=item,
            method="checksums",
            statement=f"{used} as stated by upstream's unsigned checksum file",
            findings=(_unsigned(item, tool),),
        )
    return Verified(
        fetched=item,
        method="checksums",
        listed=found.name,
        statement=f"{used} as stated by a checksum file {statement(signature, trust)}",
        fingerprint=signature.primary,
        signed_at=date_of(signature),
        findings=findings(signature, trust),
    )


def plan(tool: Tool, release: Release) -> Plan:
    """Return where the list and its signature lie."""
    words, policy = words_of(release), tool.verify
    words["checksums"] = policy.checksums.format(**words)
    files = [Wanted(role="checksums", url=words["checksums"])]
    if policy.checksums_signature:
        url = policy.checksums_signature.format(**words)
        files.append(Wanted(role="checksums-signature", url=url))
    return Plan(method="checksums", ways=(tuple(files),))


CHECKSUMS = Method(
    name="checksums",
    about="a checksum file beside the release, signed where keys are pinned",
    verify=verify,
    plan=plan,
    needs=("checksums",),
    settings={
        "listed_as": keys.text(
            "the name of the file in the list, such as dist/{filename}, where it is neither the"
            " file's own nor the end of its address; may hold {version}, {tag} and {filename}"
        ),
        "unsigned": keys.flag(
            "says that nobody signs the list, which then proves no origin; needs a reason"
        ),
        "reason": keys.text("why an unsigned list will do"),
    },
    signers=("keys",),
    faults=over_a_file,
)


def names_at(url: str, filename: str) -> tuple[str, ...]:
    """Return the names under which a list may have a file: its own, its paths, its address."""
    return (*paths_of(filename, [unquote(part) for part in urlsplit(url).path.split("/")]), url)


def paths_of(filename: str, parts: Sequence[str]) -> tuple[str, ...]:
    """Return a file's name and the ends of its path, whose folders and name are ``parts``."""
    names = [filename]
    for at in range(len(parts) - 1, -1, -1):
        if not parts[at] or "/" in parts[at]:
            break
        names.append("/".join(parts[at:]))
    return tuple(dict.fromkeys(names))


def _names(tool: Tool, release: Release) -> tuple[str, ...]:
    given = tool.verify.own.get("listed_as", "")
    if given:
        return (given.format(**words_of(release)),)
    return names_at(release.url, release.filename)


def read_list(
    sums: Path, proof: Path | None, keyring: Sequence[Path], trust: Trust | None, subject: str
) -> tuple[str, Signature | None]:
    """Return the text of a checksum file and the pinned signature over it.

    ``proof`` is a detached signature. With ``trust`` the list must be signed, without it the
    signature is None. Raises Unverified.
    """
    size = sums.stat().st_size
    if size > LIMIT:
        raise Unverified(
            f"{subject} is too large: {size} bytes, at most {LIMIT} are read",
            resolution="See that [verify] checksums names the list of digests.",
        )
    if proof is not None and trust is not None:
        signature = openpgp.accept(check_detached(proof, sums, keyring), trust, subject)
        return _text(sums), signature
    if not is_clear_signed(sums):
        if trust is not None:
            raise missing_signature(subject, trust.wanted())
        return _text(sums), None
    with tempfile.TemporaryDirectory(prefix="toolsync-sums-") as folder:
        into = Path(folder, "text")
        found = open_signed(sums, keyring, into, limit=LIMIT)
        accepted = openpgp.accept(found, trust, subject) if trust is not None else None
        return (_text(into) if into.exists() else ""), accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a checksum file says of a file that it proves."""

    used: str
    """The digests that agree, as words."""
    name: str
    """The name that the list gives it, empty where the list holds a digest and no name."""


def match(text: str, path: Path, names: Sequence[str]) -> Listed:
    """Return what proves the file at ``path`` under one of ``names``, or raise Unverified.

    The first of ``names`` is its own, others are such paths as a list may have. All strong digests
    listed for it must be its own; a name listed twice with different ones proves nothing.
    """
    name = names[0]
    listed = [entry for entry in parse_sums(text) if entry.name in ("", *names)]
    if not listed:
        raise _not_listed(text, name, names)
    strong = {(entry.algorithm, entry.digest) for entry in listed if entry.algorithm in _STRONG}
    if not strong:
        weak = ", ".join(sorted({entry.algorithm.upper() for entry in listed}))
        raise Unverified(
            f"the checksum file gives only a weak hash for {name}: {weak}; wanted: SHA-256 or"
            " SHA-512",
            resolution="Declare another method under [verify] in tool.toml, such as pins.",
        )
    if len(strong) > len({algorithm for algorithm, _ in strong}):
        raise Unverified(
            f"the checksum file lists {name} more than once, with different digests",
            resolution="Ask upstream which one is meant; pin the checked file meanwhile.",
        )
    return Listed(used=_compare(dict(strong), path, name), name=listed[0].name)


def _not_listed(text: str, name: str, names: Sequence[str]) -> MissingProof:
    """Return the refusal of a file that no line names; tell of one of that name elsewhere."""
    sums = parse_sums(text)
    paths = (entry.name for entry in sums)
    other = next((path for path in paths if path.rpartition("/")[2] in names), "")
    if other:
        return MissingProof(
            f"the checksum file does not list {name}: it lists {other!r}, which is a file at"
            " another path",
            resolution="Look at the list; if that is how upstream names this very file, say so with"
            " verify.listed_as in tool.toml.",
        )
    return MissingProof(
        f"the checksum file does not list {name}: {_what_it_is(text, sums, names)}",
        resolution="Look at the list; verify.checksums in tool.toml names its place.",
    )


def _what_it_is(text: str, sums: Sequence[Sum], names: Sequence[str]) -> str:
    """Return what was read instead of a line for the file."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    word = re.compile("|".join(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)" for name in names))
    named = next((line for line in lines if word.search(line)), "")
    if named:
        return f"it names it, but no line of it has a form that is known: {named[:100]!r}"
    if not lines:
        return "it is empty"
    if lines[0].startswith("<"):
        return "it is an HTML or XML page"
    if not sums:
        return f"of its {len(lines)} lines none is a checksum; the first is {lines[0][:100]!r}"
    others = [entry.name for entry in sums if entry.name]
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return f"it is a list of other files: {others[0][:100]!r}{more}"


def _compare(strong: dict[str, str], path: Path, name: str) -> str:
    for algorithm, wanted in sorted(strong.items()):
        with path.open("rb") as source:
            found = hashlib.file_digest(source, algorithm).hexdigest()
        if found != wanted:
            raise Unverified(
                f"{name} does not match its checksum file: its {algorithm} is {found}, wanted"
                f" {wanted}",
                resolution="Run again; if it stays so, upstream has changed the file or the list:"
                " ask.",
            )
    return " and ".join(sorted(strong))


def _text(path: Path) -> str:
    # As it is: read in text mode a lone \r would become a newline.
    return as_text(path.read_bytes())


def _unsigned(item: Fetched, tool: Tool) -> Finding:
    known = tool.verify.own.get("unsigned", False)
    more = "; say so with unsigned = true and a reason in [verify], or pin a key"
    return Finding(
        stage="verify",
        code="checksums-unsigned",
        severity="info" if known else "risky",
        message=f"the checksum file of {item.archive.name} is not signed by a pinned key: whoever"
        " can change the file can change its sums"
        + (f", as is known: {tool.verify.own.get('reason', '')}" if known else more),
    )
