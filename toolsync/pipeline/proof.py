"""Find what proves a tarball that a watch file names, and judge it.

A keyring in debian/ always means "verify": with one, a tarball without a good signature (or
checksums that are signed) is refused, unless pgpmode=none says that nobody looks. Without one,
checksums that upstream publishes must still be right.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin

from toolsync.archives.extract import archive_form
from toolsync.archives.streams import Meter, expand
from toolsync.config.definition import Tool
from toolsync.fetch.stage import fetch
from toolsync.model.errors import NotThere, Unreachable
from toolsync.model.release import Release
from toolsync.pipeline.context import Context
from toolsync.system.git import fetched, tag_named
from toolsync.verify.file import Checked, verify_file, verify_signed
from toolsync.watchfile.bundle import Part, signature_url
from toolsync.watchfile.folder import keyring

_ENDINGS = (".asc", ".sig", ".sign", ".gpg", ".pgp")
_SIDECARS = (".sha256", ".sha512", ".sha256sum", ".sha512sum")
_LISTS = ("SHA256SUMS", "SHA512SUMS", "sha256sums.txt", "SHA256SUMS.txt", "sha256sum.txt")
_WORD = re.compile(rb"[^\s\"'<>/=]{6,255}")
_PACKED = (".gz", ".xz", ".bz2", ".zst", ".lzma", ".lz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is known of a tarball's origin, and where the tarball itself is."""

    verdict: str
    sentence: str
    resolution: str
    content: Path
    """The tarball: what was downloaded, or what stood inside it (pgpmode=self)."""


class _Judge:
    """Judges one part; downloads what it needs into the part's folder."""

    def __init__(
        self,
        context: Context,
        tool: Tool,
        part: Part,
        archive: Path,
        folder: Path,
        sums: frozenset[str],
    ) -> None:
        self._bench, self._tool, self._part = context, tool, part
        self._archive, self._folder, self._sums = archive, folder, sums
        self._keys = keyring(tool)

    def judge(self) -> Proof:
        """Return the proof, by the way that the watch file's pgpmode names."""
        mode = self._part.source.pgpmode
        if mode == "none":
            return self._unchecked("pgpmode=none: nothing was checked")
        if mode == "self":
            return self._inside()
        if self._part.source.is_git:
            return self._tag(mode)
        url = signature_url(self._part)
        if mode in ("next", "mangle") or url:
            return self._detached(url)
        return self._probed(mode)

    def _unchecked(self, sentence: str) -> Proof:
        return Proof(
            verdict="unchecked",
            sentence=f"{self._archive.name} is unchecked: {sentence}",
            resolution="",
            content=self._archive,
        )

    def _proof(self, checked: Checked, content: Path | None = None) -> Proof:
        return Proof(
            verdict=checked.verdict,
            sentence=checked.sentence,
            resolution=checked.resolution,
            content=content or self._archive,
        )

    def _verify(
        self, signature: Path | None = None, sums: Path | None = None, signed: Path | None = None
    ) -> Checked:
        return verify_file(
            self._signed_form() if signature else self._archive,
            now=self._bench.clock.now(),
            keyring=self._keys,
            signature=signature,
            checksums=sums,
            checksums_signature=signed,
        )

    def _signed_form(self) -> Path:
        """Return the file that is signed: the plain tar where the watch file says decompress."""
        archive = self._archive
        if "decompress" not in self._part.source.flags or archive.suffix not in _PACKED:
            return archive
        plain = self._folder / "plain" / archive.stem
        if not plain.exists():
            plain.parent.mkdir()
            form, meter = (
                archive_form(archive),
                Meter(self._bench.config.limits, archive.stat().st_size),
            )
            with archive.open("rb") as packed, plain.open("wb") as out:
                out.writelines(expand(packed, form, meter))
        return plain

    def _detached(self, url: str) -> Proof:
        signature = self._get(url, "signature") if url else None
        if signature is None:
            by = "the next source" if self._part.source.pgpmode == "next" else "pgpsigurlmangle"
            return self._proof(_missing(self._archive.name, url or f"an address by {by}"))
        return self._proof(self._verify(signature=signature))

    def _inside(self) -> Proof:
        name = self._archive.name
        for ending in _ENDINGS:
            name = name.removesuffix(ending)
        into = self._folder / "inside" / name
        into.parent.mkdir()
        limit = self._bench.config.limits.file_bytes
        now = self._bench.clock.now()
        checked = verify_signed(self._archive, into=into, keyring=self._keys, now=now, limit=limit)
        return self._proof(checked, into)

    def _probed(self, mode: str) -> Proof:
        """Look for signatures and checksums where upstreams put them."""
        url = self._part.release.url.partition("#")[0]
        if self._keys or mode == "auto":
            for ending in _ENDINGS:
                signature = self._probe(url + ending, f"signature{ending}")
                if signature is not None:
                    return self._proof(self._verify(signature=signature))
        for sums, proof in self._lists(url):
            checked = self._verify(sums=sums, signed=proof)
            return self._proof(checked)
        if self._keys:
            return self._proof(_missing(self._archive.name, url + ".asc"))
        return self._unchecked("upstream publishes no signature that debian/watch names")

    def _lists(self, url: str) -> Iterator[tuple[Path, Path | None]]:
        """Give checksum files beside the tarball, each with its signature if it has one."""
        base = url.rpartition("/")[0] + "/"
        beside = [url + ending for ending in _SIDECARS] + [base + name for name in _LISTS]
        if "?" in url:
            return
        if not self._keys:
            beside = self._promising(beside, base)
        for number, address in enumerate(beside):
            sums = self._probe(address, f"sums{number}")
            if sums is not None:
                signed = self._signature_of(address, number) if self._keys else None
                yield sums, signed
        for number, name in enumerate(_LISTS):
            sums = self._probe(f"{base}{name}.asc", f"clear{number}") if self._keys else None
            if sums is not None:
                yield sums, None

    def _promising(self, beside: list[str], base: str) -> list[str]:
        """Return those that the pages name, and without a listing of the folder the usual ones.

        Nobody has said that there are checksums: nine questions for each tarball were a nuisance.
        """
        listed = urljoin(self._part.release.page, ".") == base
        usual = () if listed else (beside[0], base + _LISTS[0])
        return [a for a in beside if a in usual or unquote(a.rpartition("/")[2]) in self._sums]

    def _signature_of(self, address: str, number: int) -> Path | None:
        found = (self._probe(address + e, f"sums{number}{e}") for e in (".asc", ".sig", ".gpg"))
        return next((path for path in found if path), None)

    def _tag(self, mode: str) -> Proof:
        release = self._part.release
        named = mode in ("gittag", "auto") or (mode == "default" and self._keys)
        if not named or not release.tag.startswith("refs/tags/"):
            return self._unchecked("no signed tag was asked for")
        with fetched(release.url, release.tag) as tree:
            signed = tree.signed_tag()
        if signed is None:
            return self._proof(
                Checked(
                    verdict="bad" if self._keys else "no-keyring",
                    sentence=f"{release.tag} is not signed; wanted: a tag signed by a key of"
                    " debian/upstream",
                    resolution="Ask upstream to sign its tags, or set pgpmode=none.",
                )
            )
        if tag_named(signed[0])[0] != release.tag.removeprefix("refs/tags/"):
            return self._proof(
                Checked(
                    verdict="bad",
                    sentence=f"{release.tag} was signed as {tag_named(signed[0])[0]!r}; wanted: its"
                    " own name",
                    resolution="Ask upstream: an old tag under a new name proves nothing.",
                )
            )
        text, signature = self._folder / release.version, self._folder / "tag-signature"
        text.write_bytes(signed[0])
        signature.write_bytes(signed[1])
        now = self._bench.clock.now()
        return self._proof(verify_file(text, now=now, keyring=self._keys, signature=signature))

    def _probe(self, url: str, name: str) -> Path | None:
        """Return a file that nobody has named, if it is there and no page of a website.

        Without a key, a server that fails on a name of our own making has no such file.
        """
        try:
            path = self._get(url, name)
        except Unreachable:
            if self._keys:
                raise
            return None
        return path if path and not _is_page(path) else None

    def _get(self, url: str, name: str) -> Path | None:
        """Return the file at an address, None where there is none."""
        release = self._part.release._replace(url=url, filename=name)
        try:
            return download(self._bench, self._tool, release, self._folder / f"proof-{name}")
        except NotThere:
            return None


def _is_page(path: Path) -> bool:
    """Say whether a file is markup, which many servers send for what they do not have."""
    with path.open("rb") as file:
        return file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def names_of_sums(page: bytes) -> set[str]:
    """Return the names on a page that may be those of checksum files."""
    words = (found[0] for found in _WORD.finditer(page))
    return {unquote(w.decode("utf-8", "replace")) for w in words if b"sha" in w.lower()}


def prove(
    context: Context,
    tool: Tool,
    part: Part,
    archive: Path,
    folder: Path,
    sums: frozenset[str] = frozenset(),
) -> Proof:
    """Return what proves ``archive``, the file of ``part``; refusals are values here.

    ``folder`` is the part's own, to work in; ``sums`` are names that the pages hold. Raises what a
    download raises, SetupError for a keyring that cannot be read.
    """
    return _Judge(context, tool, part, archive, folder, sums).judge()


def download(context: Context, tool: Tool, release: Release, path: Path) -> Path:
    """Put the file at ``release.url`` to ``path``; raises what `fetch` raises."""
    item = fetch(
        release,
        tool=tool,
        http=context.http.dressed(user_agent=tool.watch.user_agent),
        store=context.store,
        limits=context.config.limits,
        progress=context.progress(release.filename),
    )
    shutil.copyfile(context.store.path(item.archive), path)
    return path


def _missing(name: str, where: str) -> Checked:
    return Checked(
        verdict="missing-signature",
        sentence=f"{name} has a missing signature: none is at {where}",
        resolution="Look whether upstream has moved it; a release that used to be signed and no"
        " longer is, is a warning.",
    )
