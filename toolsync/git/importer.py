"""Import a source package into a clone with gbp-import-dsc(1), and give it to the other side.

The commits depend on the source package and on what they are made upon alone, and all refs are
given at once or not at all: killed anywhere, the next import comes to the same. Nothing is ever
forced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path

from toolsync.config.settings import Git
from toolsync.git.place import (
    HEADS,
    PRISTINE,
    Place,
    upstream_tag,
)
from toolsync.model.errors import Held, ProgramFailed, Unreachable
from toolsync.model.release import SourcePackage
from toolsync.system.gitclone import Access, Clone
from toolsync.system.signing import Signer
from toolsync.system.store import Store
from toolsync.system.work import Workshop

_PLAIN = "* -text -eol -ident -filter -working-tree-encoding -export-ignore -export-subst\n"
"""gitattributes(5) that keep a tree's own from changing what is imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a source package has become in git."""

    branch: str
    commit: str
    tree: str
    """The whole tree."""
    packaging: str
    """The tree of debian/."""
    given: bool
    """Whether anything was pushed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """What an import may use."""

    store: Store
    workshop: Workshop
    signer: Signer
    maintainer: str
    limit: int
    """Bytes of the largest file that git may write."""
    seconds: float

    @contextmanager
    def clone(self, place: Place) -> Iterator[Clone]:
        """Yield an empty clone in a folder that lives as long as the block."""
        with self.workshop.folder("git") as folder:
            made = Clone(
                folder, place.url, access_of(place.settings), limit=self.limit, seconds=self.seconds
            )
            attributes = made.tree / ".git" / "info" / "attributes"
            attributes.parent.mkdir(exist_ok=True)
            attributes.write_text(_PLAIN, encoding="ascii")
            yield made

    def take(
        self, clone: Clone, place: Place, source: SourcePackage, there: Mapping[str, str]
    ) -> None:
        """Take what the import builds upon."""
        wanted = (*place.branches, upstream_tag(upstream_of(source)))
        clone.fetch([ref for ref in wanted if ref in there])

    def begin(self, clone: Clone, place: Place, source: SourcePackage) -> str:
        """See that upstream's branch is there, so that an import comes to the same each time.

        It begins at upstream's tag, or at an empty commit, which is returned.
        """
        name, mail = parseaddr(self.maintainer)
        env = who(name, mail, source.licensed.unpacked.epoch)
        tree = clone.git("hash-object", "-t", "tree", "-w", "/dev/null").out.strip()
        empty = clone.git("commit-tree", "-m", "Begin", tree, env=env).out.strip()
        branch = place.settings.upstream_branch
        if not clone.object(f"{HEADS}{branch}"):
            clone.git("branch", branch, _upstream(clone, place, source) or empty)
        return empty

    def made(
        self, clone: Clone, place: Place, source: SourcePackage, branch: str, *, signed: bool
    ) -> Imported:
        """Import into ``branch`` of the clone; see that nothing was lost on the way."""
        if clone.object(f"{HEADS}{branch}"):
            clone.git("checkout", "--quiet", "--force", branch)
        elif begin := _upstream(clone, place, source):
            clone.git("checkout", "--quiet", "--force", "-b", branch, begin)
        folder = clone.folder / "source"
        folder.mkdir()
        dsc, *_ = [self.store.copy_to(blob, folder) for blob in source.files]
        settings = place.settings
        words = [
            *("gbp", "import-dsc", "--allow-unauthenticated", "--author-is-committer"),
            *("--author-date-is-committer-date", "--create-missing-branches"),
            *("--allow-same-version", f"--debian-branch={branch}"),
            f"--upstream-branch={settings.upstream_branch}",
            "--pristine-tar" if settings.pristine_tar else "--no-pristine-tar",
            *("--upstream-tag=upstream/%(version)s", "--debian-tag=debian/%(version)s"),
        ]
        if branch != settings.debian_branch or not signed:
            words.append("--skip-debian-tag")
        with self.signing(settings) as (env, key):
            words += ["--sign-tags", f"--keyid={key}"] if key and signed else ["--no-sign-tags"]
            name, mail = parseaddr(self.maintainer)
            date = {"SOURCE_DATE_EPOCH": f"{source.licensed.unpacked.epoch}"}
            given = {**env, **date, **who(name, mail, source.licensed.unpacked.epoch)}
            given["GBP_CONF_FILES"] = "/dev/null"
            try:
                clone.program(*words, dsc, env=given)
            except ProgramFailed as error:
                raise _refused(source, place, str(error)) from error
        self._require_whole(clone, place, source, branch)
        commit = clone.object(f"{HEADS}{branch}^{{commit}}")
        return Imported(
            branch=branch,
            commit=commit,
            tree=clone.object(f"{commit}^{{tree}}"),
            packaging=clone.object(f"{commit}:debian"),
            given=True,
        )

    def _require_whole(
        self, clone: Clone, place: Place, source: SourcePackage, branch: str
    ) -> None:
        """See that upstream's branch has the release, and pristine-tar the very bytes."""
        tag = upstream_tag(upstream_of(source))
        other = clone.differing(tag, f"{HEADS}{branch}", ".", ":(exclude)debian")
        if other:
            raise Held(
                f"the tag {tag} of {place.url} is of another {upstream_of(source)}: it differs in"
                f" {', '.join(other[:5])}",
                resolution="See who made it, and whether it is of the same files; delete it there"
                " if it is wrong.",
            )
        orig = next(blob for blob in source.files if ".orig.tar." in blob.name)
        if place.settings.pristine_tar and clone.object(f"{HEADS}{PRISTINE}"):
            into = clone.folder / orig.name
            try:
                clone.program("pristine-tar", "checkout", into, env={})
                same = _digest(into) == orig.sha256
            except ProgramFailed:
                same = False
            if not same:
                raise Held(
                    f"pristine-tar does not give {orig.name} back as it is published",
                    resolution="See the branch pristine-tar, or do without it: [git] pristine_tar"
                    " = false.",
                )

    @contextmanager
    def signing(self, settings: Git) -> Iterator[tuple[Mapping[str, str], str]]:
        """Yield the environment in which gpg finds the key of tags, and its fingerprint."""
        with ExitStack() as stack:
            if not settings.sign:
                yield {}, ""
                return
            yield stack.enter_context(self.signer.opened()), self.signer.fingerprint


def access_of(settings: Git) -> Access:
    """Return how the repository's server knows us."""
    return Access(
        user=settings.user,
        token_file=settings.token_file,
        identity=settings.identity,
        known_hosts=settings.known_hosts,
    )


def _upstream(clone: Clone, place: Place, source: SourcePackage) -> str:
    """Return upstream's commit, to begin a branch from, empty where there is none.

    What else there is (pristine-tar's deltas) is no ancestor of a packaging.
    """
    names = (f"{HEADS}{place.settings.upstream_branch}", upstream_tag(upstream_of(source)))
    return next(filter(None, (clone.object(f"{name}^{{commit}}") for name in names)), "")


def upstream_of(source: SourcePackage) -> str:
    """Return the upstream version of a source package's tarballs."""
    return source.licensed.unpacked.upstream


def who(name: str, mail: str, at: int | None = None) -> dict[str, str]:
    """Return the variables by which git knows who commits, and when (seconds since 1970, UTC)."""
    found: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        found |= {f"GIT_{role}_NAME": name or mail, f"GIT_{role}_EMAIL": mail}
        found |= {f"GIT_{role}_DATE": f"@{at} +0000"} if at is not None else {}
    return {**found, "DEBFULLNAME": name or mail, "DEBEMAIL": mail}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def give(clone: Clone, place: Place, there: Mapping[str, str], refs: tuple[str, ...]) -> None:
    """Push; where it is not taken say whether somebody else was first."""
    try:
        clone.push([ref for ref in refs if ":" in ref or clone.object(ref)])
    except Unreachable as error:
        now = clone.remote()
        ours = (*place.branches, *(ref for ref in refs if ":" not in ref))
        moved = [ref for ref in dict.fromkeys(ours) if now.get(ref) != there.get(ref)]
        if not moved:
            raise
        raise Unreachable(
            f"{', '.join(moved)} of {place.url} moved while a release was imported; nothing was"
            " forced, and nothing of it was taken",
            resolution="Nothing is to be done: the next run looks at what is there now.",
        ) from error


def _refused(source: SourcePackage, place: Place, said: str) -> Held:
    lines = [line for line in said.splitlines() if "error" in line.lower()] or said.splitlines()
    return Held(
        f"gbp cannot import {source.name} {source.version} into {place.url}:"
        f" {' '.join(lines[-2:])[:400]}",
        resolution="Look at the branches there; where pristine-tar cannot keep the tarball, set"
        " [git] pristine_tar = false.",
    )
