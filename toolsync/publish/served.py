"""Get a package as an instance would: with apt, from a private root, by one stanza alone.

apt's whole world (state, cache, configuration, keys) is one folder, so neither the machine's
sources nor its keys have a say. apt verifies index and digests itself; afterwards every file
is compared with what was built, and the index's signature is judged once more by gpgv.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.model.errors import Held, Replaced, Unreachable, Unverified
from toolsync.model.release import Blob, Built, SourcePackage
from toolsync.system.apt import DISTRUST, private_apt
from toolsync.system.gpg import open_signed
from toolsync.system.run import Done, run
from toolsync.system.store import Store, digest_of

_SECONDS = 300
_TROUBLE = re.compile(r"^(?:[WE]|Err):.*", re.MULTILINE)
_NETWORK = re.compile(
    r"Could not (?:resolve|connect)|Connection (?:failed|timed out|refused)|Unable to connect"
    r"|Temporary failure|Could not handshake|HTTP(?:S)? error|\b(?:40[348]|429|5\d\d)  ",
)
_EPOCH = re.compile(r"_\d+%3a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an instance is told about an archive."""

    stanza: str
    key: str
    """The public keys, armored."""
    fingerprints: tuple[str, ...]
    """Those of all keys that sign the index, and no others may."""
    newest: str | None
    """The newest version of this source package that the archive names for the series."""


def fetch_all(built: Built, offer: Offer, *, store: Store, folder: Path) -> tuple[Blob, ...]:
    """Let apt get every file of ``built`` and return them as apt got them.

    Raises Held when another version or other bytes are served, Unverified when apt or gpgv do
    not accept the index, Unreachable when the archive's server does not answer.
    """
    source = built.source
    if offer.newest != source.version:
        raise Held(
            f"{source.series} serves {source.name} {offer.newest or '(nothing)'},"
            f" wanted {source.version}",
            resolution="Publish it again; if a newer one took its place, nothing is to be done.",
        )
    debs = [_name_and_version(store.path(blob)) for blob in built.debs]
    got = fetch_source(source, built.served, debs, offer, folder=folder, of=built.made_for)
    return (
        *got,
        *(blob for other in built.others for blob in _binaries(other, offer, store, folder)),
    )


def _binaries(built: Built, offer: Offer, store: Store, folder: Path) -> tuple[Blob, ...]:
    """Let the apt of another architecture get its binaries; return them as it got them."""
    place = folder / built.made_for
    place.mkdir()
    env = look(offer, place, of=built.made_for)
    debs = [_name_and_version(store.path(blob)) for blob in built.debs]
    _apt("download", *debs, env=env, folder=place)
    return tuple(_same(blob, place) for blob in built.debs)


def fetch_source(
    source: SourcePackage,
    known: Sequence[Blob],
    debs: Sequence[str],
    offer: Offer,
    *,
    folder: Path,
    of: str = "",
) -> tuple[Blob, ...]:
    """Let apt get a source package and ``debs`` (``name=version``); return files as it got them.

    It is the apt ``of`` an architecture, this machine's own if empty. The files are ``known``, byte
    for byte, and what else it got: binaries that were made elsewhere, for which apt's own judgment
    by the signed index counts. Raises as `fetch_all`.
    """
    env = look(offer, folder, of=of)
    if debs:
        _apt("download", *debs, env=env, folder=folder)
    _apt(
        *("source", "--download-only", "--only-source", f"{source.name}={source.version}"),
        env=env,
        folder=folder,
    )
    names = {blob.name for blob in known}
    others = sorted(p for p in folder.glob("*.deb") if _EPOCH.sub("_", p.name) not in names)
    return (*(_same(blob, folder) for blob in known), *map(_got, others))


def look(offer: Offer, folder: Path, *, of: str = "") -> Mapping[str, str]:
    """Let apt read the archive's index and judge who signed it; return apt's environment.

    It is the apt ``of`` an architecture, this machine's own if empty.
    """
    env = private_apt(folder, offer.stanza, of)
    _apt("update", env=env, folder=folder)
    _check_signature(folder, offer)
    return env


def stanza(url: str, series: str, components: str, key: str) -> str:
    """Return a deb822 stanza with the public key inside (``Signed-By``, sources.list(5))."""
    lines = key.strip().splitlines()
    return (
        "Types: deb deb-src\n"
        f"URIs: {url}\n"
        f"Suites: {series}\n"
        f"Components: {components}\n"
        "Signed-By:\n" + "".join(f" {line.strip() or '.'}\n" for line in lines)
    )


def _apt(*words: str, env: Mapping[str, str], folder: Path) -> None:
    """Run apt-get; a warning counts as a failure, since instances would see it at every update."""
    done = run("apt-get", "-q", *words, timeout=_SECONDS, env=env, cwd=folder, ok=(0, 100))
    trouble = _TROUBLE.findall(f"{done.err}\n{done.out}")
    if done.code or trouble:
        raise _refusal(words[0], done, "\n".join(dict.fromkeys(trouble)))


def _refusal(word: str, done: Done, trouble: str) -> Held | Unreachable:
    text = f"apt-get {word} failed against the published archive:\n{trouble or done.tail}"
    if DISTRUST.search(trouble):
        return Unverified(
            text, resolution="See that the archive is signed by the key in its stanza."
        )
    if _NETWORK.search(trouble):
        return Unreachable(text, resolution="See that the archive's web server answers.")
    return Held(text, resolution="Publish again; `toolsync doctor` looks at the archive's index.")


def _check_signature(folder: Path, offer: Offer) -> None:
    releases = sorted((folder / "lists").glob("*_InRelease"))
    check_signers(releases, offer.key, offer.fingerprints, folder=folder)


def check_signers(
    releases: Sequence[Path], key: str, fingerprints: Sequence[str], *, folder: Path
) -> str:
    """Return the signed text of the last of an archive's InRelease files.

    Raises Unverified unless all are signed by the keys in ``key`` (armored), and by nobody else.
    """
    keyring, text = folder / "key.asc", folder / "Release"
    keyring.write_text(key, encoding="ascii")
    signers = {
        signature.primary
        for release in releases
        for signature in open_signed(release, [keyring], text)
        if signature.status == "good"
    }
    if signers != set(fingerprints):
        raise Unverified(
            f"the archive's index is signed by {', '.join(sorted(signers)) or 'nobody known'},"
            f" wanted {', '.join(fingerprints)}",
            resolution="Publish again; if it stays so, somebody else writes to the archive.",
        )
    return text.read_text(encoding="utf-8", errors="replace")


def _name_and_version(deb: Path) -> str:
    """Return ``name=version`` of a binary package, as apt wants it named."""
    form = "${Package}=${Version}"
    return run("dpkg-deb", "--show", f"--showformat={form}", deb, timeout=60).out.strip()


def _got(path: Path) -> Blob:
    digest, size = digest_of(path)
    return Blob(name=_EPOCH.sub("_", path.name), sha256=digest, size=size)


def _same(blob: Blob, folder: Path) -> Blob:
    """Return a file as apt got it, or raise Replaced when it is not the file that was built."""
    # apt puts the epoch into a .deb's name (1%3a…), which no file in a pool carries.
    names = {_EPOCH.sub("_", found.name): found for found in folder.iterdir() if found.is_file()}
    path = names.get(blob.name)
    if path is None:
        got = sorted(names)
        raise Held(
            f"apt was not offered {blob.name}; it got {', '.join(got)}",
            resolution="Publish it again.",
        )
    digest, size = digest_of(path)
    if digest != blob.sha256:
        raise Replaced(
            f"apt got {blob.name} with sha256 {digest}, wanted {blob.sha256}",
            resolution="Somebody else writes to the archive; find out who, then publish again.",
        )
    return Blob(name=blob.name, sha256=digest, size=size)
