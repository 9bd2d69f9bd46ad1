"""Do what uscan does for a folder with debian/watch: every tarball of a release, proved, as origs.

Where uscan is lax this is not: a key in debian/upstream always means that a release must be
signed, whether the watch file says so or not, and a file that lies where a tarball should go
is never trusted. docs/watch-files.md tells all differences.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.http.client import Page
from toolsync.model.engine import LOOK_SECONDS
from toolsync.model.errors import Hostile, Replaced, SetupError, Unverified
from toolsync.model.release import Release
from toolsync.model.versions import upstream_key
from toolsync.pipeline.context import Context
from toolsync.pipeline.proof import Proof, download, names_of_sums, prove
from toolsync.system.effort import Effort
from toolsync.system.git import fetched
from toolsync.system.store import digest_of, full_disk_is_told
from toolsync.unpack.exclusions import Exclusions
from toolsync.unpack.orig import Orig, make_orig
from toolsync.watch.addresses import MAX_NAME
from toolsync.watchfile.bundle import Bundle, Part, gather, orig_version
from toolsync.watchfile.folder import current, package_of

_PAGES = 200
"""Pages that one watch file may make us read."""
_UNZIP_AS_WE_DO = frozenset(("-b", "-n", "-o", "-q", "-qq", "-X", "-UU"))
"""Options of unzip(1) without effect on what comes out here: as bytes, quietly, once."""


class Refused(Unverified):
    """A tarball whose proof is not good; ``verdict`` says how."""

    verdict = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was put into the folder."""

    file: str
    orig: str
    components: tuple[str, ...]
    verdict: str
    sentence: str


def seek(context: Context, tool: Tool, wanted: str) -> Bundle:
    """Return the newest release of a watch file, or version ``wanted``, not yet downloaded."""
    http = context.http.dressed(user_agent=tool.watch.user_agent)
    limits, asked = context.config.limits, iter(range(_PAGES))
    sums: set[str] = set()

    def ask(url: str, accept: str) -> Page:
        if next(asked, None) is None:
            raise Hostile(f"debian/watch makes us read more than {_PAGES} pages, the limit")
        page = http.page(url, limit=limits.page_bytes, seconds=limits.page_seconds, accept=accept)
        sums.update(names_of_sums(page.body or b""))
        return page

    with Effort(LOOK_SECONDS):
        return replace(gather(tool, ask, wanted), sums=frozenset(sums))


def standing(tool: Tool, bundle: Bundle) -> str:
    """Return where the tool stands: ``new``, ``up-to-date`` or ``recalled``."""
    have = current(tool)
    if have is None or upstream_key(bundle.newest) > upstream_key(have):
        return "new"
    if upstream_key(bundle.newest) < upstream_key(have):
        return "recalled"
    return "new" if bundle.has_news(tool) else "up-to-date"


def take(
    context: Context, tool: Tool, bundle: Bundle, output: Path, *, exclude: bool = True
) -> Taken:
    """Download, prove and repack all parts of a release and put them into ``output``.

    Nothing is put there unless all of it may be. Without ``exclude`` debian/copyright's
    Files-Excluded do not count. Raises `Refused` where a proof is not good.
    """
    for part in bundle.parts:
        _refuse_unheeded(part)
    version = orig_version(bundle)
    proofs: list[Proof] = []
    origs: list[tuple[Part, Orig]] = []
    with context.workshop.folder("uscan") as folder:
        archives: list[Path] = []
        for number, part in enumerate(bundle.parts):
            place = folder / str(number)
            place.mkdir()
            archive = _download(context, tool, part, place)
            _refuse_other_bytes(archive, output, tool)
            _refuse_same_name(archive, archives)
            proof = prove(context, tool, part, archive, place, bundle.sums)
            if proof.verdict not in ("good", "unchecked"):
                refusal = Refused(proof.sentence, resolution=proof.resolution)
                refusal.verdict = proof.verdict
                raise refusal
            proofs.append(proof)
            archives.append(archive)
            origs.append((part, _orig(context, tool, part, proof.content, version, place, exclude)))
        suffix = bundle.main.source.words["repacksuffix"]
        if suffix and any(orig.excluded for _, orig in origs):
            suffixed = orig_version(bundle, suffix)
            origs = [(part, _renamed(orig, version, suffixed)) for part, orig in origs]
        placed = {path.name: path for path in (*archives, *(orig.path for _, orig in origs))}
        _place(list(placed.values()), output)
    return Taken(
        file=archives[0].name,
        orig=origs[0][1].name,
        components=tuple(orig.name for _, orig in origs[1:]),
        verdict=_together(proofs),
        sentence="; ".join(proof.sentence for proof in proofs),
    )


def _refuse_unheeded(part: Part) -> None:
    """Raise SetupError for an option that would give the tarball other contents than ours."""
    words = part.source.words
    if part.source.is_git and words["gitmodules"]:
        raise SetupError(
            f"debian/watch has gitmodules={words['gitmodules']!r}, but submodules are not fetched:"
            " the tarball would lack their files",
            resolution="Watch each of them as a component of its own.",
        )
    others = set(words["unzipopt"].split()) - _UNZIP_AS_WE_DO
    if others and part.release.filename.lower().endswith((".zip", ".jar", ".xpi")):
        raise SetupError(
            f"debian/watch has unzipopt={words['unzipopt']!r}, but members of a zip are taken as"
            f" they are, which {' '.join(sorted(others))} would change",
            resolution="Leave it out; change files in debian/rules or a patch.",
        )


def _together(proofs: list[Proof]) -> str:
    """Return ``good`` only where every part is."""
    return "good" if all(proof.verdict == "good" for proof in proofs) else "unchecked"


def _download(context: Context, tool: Tool, part: Part, folder: Path) -> Path:
    """Put a part's archive into ``folder`` under its own name and return its path."""
    path = folder / _confined(part.release)
    if part.source.is_git:
        path = path.with_name(path.name.removesuffix(".xz"))
        words = part.source.words
        prefix = f"{tool.source}-{part.release.version}"
        with fetched(part.release.url, part.release.tag, whole=words["gitmode"] == "full") as tree:
            tree.archive(prefix, path, everything=words["gitexport"] == "all")
        return path
    release = part.release._replace(filename=path.name)
    return download(context, tool, release, path)


def _confined(release: Release) -> str:
    name = release.filename
    if "/" in name or "\\" in name or name in ("", ".", "..") or len(name.encode()) > MAX_NAME:
        raise Hostile(
            f"debian/watch names the download {name[:200]!r}, which is no plain file name",
            resolution="Mend filenamemangle in debian/watch.",
        )
    return name


def _refuse_other_bytes(archive: Path, output: Path, tool: Tool) -> None:
    """Raise Replaced where a file of that name has other bytes than upstream's."""
    for place in (output, tool.folder.parent):
        there = place / archive.name
        if there.is_file() and digest_of(there)[0] != digest_of(archive)[0]:
            raise Replaced(
                f"{there} is there already, but with other bytes than upstream now publishes"
                f" (sha256 {digest_of(there)[0]}, not {digest_of(archive)[0]})",
                resolution="One of them was changed. Compare both, then remove the wrong one.",
            )


def _refuse_same_name(archive: Path, others: Sequence[Path]) -> None:
    """Raise SetupError where another part's download has the name and is not the same file."""
    for other in others:
        if other.name == archive.name and digest_of(other) != digest_of(archive):
            raise SetupError(
                f"debian/watch: two tarballs of this release would both be saved as {other.name}",
                resolution="Give one of them another name with filenamemangle.",
            )


def _orig(
    context: Context,
    tool: Tool,
    part: Part,
    content: Path,
    version: str,
    folder: Path,
    exclude: bool,
) -> Orig:
    source = part.source
    exclusions = Exclusions()
    if exclude:
        exclusions = Exclusions.read(tool.debian / "copyright", source.component)
    return make_orig(
        content,
        source=package_of(tool.folder).name,
        version=version,
        exclusions=exclusions,
        limits=context.config.limits,
        folder=folder / "orig",
        compression=_compression(tool, source.words["compression"]),
        component=source.component,
        force="repack" in source.flags or _takes_gz_alone(tool),
        wrap=False,
    )


def _compression(tool: Tool, asked: str) -> str:
    """Return how to compress: as asked, else as the source format takes it (mk-origtargz(1))."""
    if asked not in ("", "default"):
        return asked
    return "gz" if _takes_gz_alone(tool) else "xz"


def _takes_gz_alone(tool: Tool) -> bool:
    """Say whether the source format is 1.0, which has no orig tarball but in gzip's form."""
    try:
        form = (tool.debian / "source" / "format").read_text(encoding="utf-8").strip()
    except OSError:
        return True
    return form == "1.0"


def _renamed(orig: Orig, version: str, suffixed: str) -> Orig:
    name = orig.name.replace(f"_{version}.orig", f"_{suffixed}.orig", 1)
    return replace(orig, name=name, path=orig.path.replace(orig.path.with_name(name)))


def _place(paths: list[Path], output: Path) -> None:
    """Copy all files into ``output``, or none of them."""
    with full_disk_is_told(output):
        output.mkdir(parents=True, exist_ok=True)
        temps = [output / f".{path.name}.part" for path in paths]
        try:
            for path, temp in zip(paths, temps, strict=True):
                shutil.copyfile(path, temp)
            for path, temp in zip(paths, temps, strict=True):
                temp.replace(output / path.name)
        finally:
            for temp in temps:
                temp.unlink(missing_ok=True)
