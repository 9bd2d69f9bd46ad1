"""Import what is published into the branch of the packaging, over nobody else's work.

Nothing is built upon that somebody else has pushed, unless the set-up says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from toolsync.git.importer import Imported, Importer, give, upstream_of
from toolsync.git.place import HEADS, Place, debian_tag, upstream_tag
from toolsync.model.errors import Held
from toolsync.model.release import SourcePackage
from toolsync.system.gitclone import Clone


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was imported for a tool before."""

    commit: str = ""
    tree: str = ""
    """The whole tree of what was proposed of the same version before."""
    trees: tuple[str, ...] = ()
    """All whole trees that were ever imported or proposed."""


def bring(importer: Importer, source: SourcePackage, place: Place, known: Known) -> Imported:
    """Import a source package into the packaging's branch, with its tags, and push that.

    Raises Held where the branch has what nobody here knows, or a tag is another's; Unreachable
    where the other side does not answer or take it.
    """
    branch = place.settings.debian_branch
    tag = debian_tag(source.version)
    with importer.clone(place) as clone:
        there = clone.remote()
        importer.take(clone, place, source, there)
        if tag not in there:
            require_ours(clone, place, known)
        made = importer.made(clone, place, source, branch, signed=tag not in there)
        if tag in there:
            require_same(clone, tag, source, made.tree)
            return replace(made, commit=clone.object(f"{tag}^{{commit}}"), given=False)
        give(clone, place, there, (*place.branches, upstream_tag(upstream_of(source)), tag))
        return made


def require_ours(clone: Clone, place: Place, known: Known) -> None:
    """Raise Held where the packaging's branch has what somebody else has pushed.

    A release's tree replaces the branch's, so that any other file there would be gone.
    """
    branch = place.settings.debian_branch
    head = clone.object(f"{HEADS}{branch}")
    if head in ("", known.commit, place.settings.over):
        return
    tree = clone.object(f"{head}^{{tree}}")
    if tree in known.trees or not clone.git("ls-tree", tree).out:
        return  # merged or moved on, and the files are as they were; or there is none
    what = f"was left at {known.commit[:12]}" if known.commit else "was not begun by toolsync"
    raise Held(
        f"the branch {branch} of {place.url} is at {head[:12]} and {what}: somebody else has pushed"
        " to it, and nothing was forced",
        resolution="Take over what they changed into the tool's packaging, and say that it may be"
        f' built upon: [git] over = "{head}" in its tool.toml.',
    )


def require_same(clone: Clone, tag: str, source: SourcePackage, tree: str) -> None:
    """Raise Held where a version's tag is of another tree."""
    clone.fetch((tag,))
    if clone.object(f"{tag}^{{tree}}") == tree:
        return
    other = ", ".join(clone.differing(f"{tag}^{{tree}}", tree)[:5])
    raise Held(
        f"{clone.url} has a tag {tag} of another {source.version}: it differs in {other}",
        resolution="See who made it. Delete it there if it is wrong; nothing was changed.",
    )
