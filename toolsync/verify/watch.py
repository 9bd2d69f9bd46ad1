"""Prove the tarballs of a watch file, each by its pgpmode: with a keyring, or by what lies beside.

A keyring in debian/ always means "verify": with one, a tarball without a good signature (or
checksums that are signed) is refused, unless pgpmode=none says that nobody looks. Without one,
checksums that upstream publishes must still be right, and what nothing proves is `Unproved`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolsync.model.errors import Unverified
from toolsync.model.plan import Plan
from toolsync.model.release import Blob, FetchedPart, Part, Proof, Verified
from toolsync.system.git import tag_named
from toolsync.system.store import digest_of
from toolsync.verify.checksum import names_at
from toolsync.verify.file import Checked, verify_file, verify_signed
from toolsync.verify.method import Given, Method
from toolsync.verify.openpgp import OPENPGP
from toolsync.verify.refusal import MissingProof, NoKeyring
from toolsync.verify.tag import commit_of, other_kind

_PACKED = (".gz", ".xz", ".bz2", ".zst", ".lzma", ".lz")
_REFUSALS = {"missing-signature": MissingProof, "no-keyring": NoKeyring}


def verify(given: Given) -> Verified:
    """Return the release with each tarball proved, or found to be unchecked.

    Raises Unverified for the first one that is refused.
    """
    release = given.item.release
    parts = zip((release.main, *release.components), given.item.parts, strict=True)
    found = [_judged(given, part, fetched) for part, fetched in parts]
    main, components = found[0][1], tuple(proof for _, proof in found[1:])
    good = all(checked.verdict == "good" for checked, _ in found)
    return Verified(
        fetched=given.item,
        method="watch",
        statement="; ".join(checked.sentence for checked, _ in found),
        fingerprint=main.fingerprint,
        signed_at=main.signed_at,
        verdict="good" if good else "unchecked",
        content=main.content,
        listed=main.listed,
        plain=main.plain,
        components=components,
    )


def _judged(given: Given, part: Part, fetched: FetchedPart) -> tuple[Checked, Proof]:
    """Return the verdict on one tarball; raise Unverified where it is refused."""
    with _laid_out(given, fetched) as place:
        checked, content = _check(given, part, place)
        checked = _pinned(given, part, fetched, checked)
        if checked.verdict not in ("good", "unchecked"):
            refused = _REFUSALS.get(checked.verdict, Unverified)
            raise refused(checked.sentence, resolution=checked.resolution)
        blob = given.store.add_file(content, content.name) if content else None
        plain = place.plain
        proof = Proof(
            component=part.component,
            statement=checked.sentence,
            fingerprint=checked.fingerprint,
            signed_at=checked.signed_at,
            content=blob,
            listed=checked.listed,
            plain=digest_of(plain)[0] if plain.is_file() else "",
        )
    return checked, proof


def _pinned(given: Given, part: Part, fetched: FetchedPart, checked: Checked) -> Checked:
    """Return that a pin proves the main tarball, where it has no proof of upstream's that counts.

    A signature that is bad, or another's, is refused whatever is pinned.
    """
    digest = fetched.archive.sha256
    pin = given.tool.verify.pins.get(given.item.release.version)
    if part.component or pin != digest or not (checked.lacks or checked.verdict == "unchecked"):
        return checked
    return Checked(verdict="good", sentence=f"sha256 {digest} as pinned; {checked.sentence}")


@dataclass(frozen=True, slots=True)
class _Place:
    """A tarball under its own name, and what was fetched beside it by role."""

    folder: Path
    archive: Path
    extras: dict[str, Path]

    @property
    def plain(self) -> Path:
        """Where the tar lies without its compression, if it is taken off."""
        return self.folder / "plain" / self.archive.stem


@contextmanager
def _laid_out(given: Given, fetched: FetchedPart) -> Iterator[_Place]:
    """Give the files of a part under the names that lists and sentences know them by."""
    with tempfile.TemporaryDirectory(prefix="toolsync-verify-") as name:
        folder = Path(name)
        archive = _link(given, fetched.archive, folder)
        (folder / "beside").mkdir()
        extras = {blob.name: _link(given, blob, folder / "beside") for blob in fetched.extras}
        yield _Place(folder, archive, extras)


def _link(given: Given, blob: Blob, folder: Path) -> Path:
    path = folder / blob.name
    path.symlink_to(given.store.path(blob))
    return path


def _check(given: Given, part: Part, place: _Place) -> tuple[Checked, Path | None]:
    """Return the verdict by the plan, and the tarball inside a signed message where it is one."""
    plan = part.plan
    if plan.mode == "none":
        return _unchecked(place, "pgpmode=none: nothing was checked"), None
    if plan.mode == "untagged":
        return _unchecked(place, "no signed tag was asked for"), None
    if plan.mode == "self":
        return _inside(given, place)
    if plan.mode == "tag":
        return _tag(given, place, part), None
    return _beside(given, part, place), None


def _unchecked(place: _Place, sentence: str) -> Checked:
    return Checked(verdict="unchecked", sentence=f"{place.archive.name} is unchecked: {sentence}")


def _beside(given: Given, part: Part, place: _Place) -> Checked:
    """Judge by the signature or the checksums that were found."""
    plan = part.plan
    signature, sums = place.extras.get("signature"), place.extras.get("checksums")
    keys = given.tool.keyring
    if signature is not None:
        path = _signed_form(given, plan, place)
        return verify_file(path, now=given.now, keyring=keys, signature=signature)
    if sums is not None:
        proof = place.extras.get("checksums-signature")
        return verify_file(
            place.archive,
            now=given.now,
            keyring=keys,
            checksums=sums,
            checksums_signature=proof,
            names=names_at(part.url, part.filename),
        )
    if keys or plan.mode == "detached":
        return _missing(place.archive.name, plan)
    return _unchecked(place, "upstream publishes no signature that debian/watch names")


def _signed_form(given: Given, plan: Plan, place: _Place) -> Path:
    """Return the file that is signed: the plain tar where the watch file says decompress."""
    archive = place.archive
    if not plan.decompress or archive.suffix not in _PACKED:
        return archive
    from toolsync.archives.extract import archive_form  # readers of archives are heavy
    from toolsync.archives.streams import Meter, expand

    plain = place.plain
    plain.parent.mkdir()
    form, meter = archive_form(archive), Meter(given.limits, archive.stat().st_size)
    with archive.open("rb") as packed, plain.open("wb") as out:
        out.writelines(expand(packed, form, meter))
    return plain


def _inside(given: Given, place: _Place) -> tuple[Checked, Path | None]:
    """Judge a signed message that holds the tarball; return that, where it is good."""
    name = place.archive.name
    for ending in OPENPGP.endings:
        name = name.removesuffix(ending)
    into = place.folder / "inside" / name
    into.parent.mkdir()
    checked = verify_signed(
        place.archive,
        into=into,
        keyring=given.tool.keyring,
        now=given.now,
        limit=given.limits.file_bytes,
    )
    return checked, into if checked.verdict == "good" else None


def _tag(given: Given, place: _Place, part: Part) -> Checked:
    """Judge a signed tag: it is signed, calls itself so, and the tarball was made of its commit."""
    keys = given.tool.keyring
    text, signature = place.extras.get("tag"), place.extras.get("signature")
    if text is None or signature is None:
        return Checked(
            verdict="bad" if keys else "no-keyring",
            sentence=f"{part.tag} is not signed; wanted: a tag signed by a key of debian/upstream",
            resolution="Ask upstream to sign its tags, or set pgpmode=none.",
        )
    if kind := other_kind(signature):
        return Checked(
            verdict="bad" if keys else "no-keyring",
            sentence=f"{part.tag} is signed {kind}; a keyring in debian/upstream holds OpenPGP keys"
            " alone, so it proves nothing here",
            resolution="Ask upstream to sign its tags with OpenPGP, or write a tool.toml with"
            ' method = "tag" and that key in verify.ssh.',
        )
    named, commit = tag_named(text.read_bytes())
    if named != part.tag.removeprefix("refs/tags/"):
        return Checked(
            verdict="bad",
            sentence=f"{part.tag} was signed as {named!r}; wanted: its own name",
            resolution="Ask upstream: an old tag under a new name proves nothing.",
        )
    made_of = commit_of(place.archive)
    if made_of not in ("", commit):
        return Checked(
            verdict="bad",
            sentence=f"{place.archive.name} was made of the commit {made_of}, wanted: {commit},"
            f" which {part.tag} names",
            resolution="Ask upstream; a tag that was moved proves nothing.",
        )
    path = place.folder / part.version
    path.symlink_to(text.resolve())
    return verify_file(path, now=given.now, keyring=keys, signature=signature)


def _missing(name: str, plan: Plan) -> Checked:
    urls = [group[0].url for group in plan.ways]
    where = urls[0] if urls else "the address that debian/watch means"
    return Checked(
        verdict="missing-signature",
        sentence=f"{name} has a missing signature: none is at {where}",
        resolution="Look whether upstream has moved it; a release that used to be signed and no"
        " longer is, is a warning. One that was checked by hand can be pinned: [verify.pins].",
        lacks=True,
    )


WATCH = Method(
    name="watch",
    about="what debian/watch says of signatures, by the keys of debian/upstream",
    verify=verify,
    signers=("keys",),
)
