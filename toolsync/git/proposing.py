"""Propose a release on a branch of its own, and compare what was merged with what was proposed."""

from __future__ import annotations

from dataclasses import replace
from email.utils import parseaddr

from toolsync.git.bringing import Known
from toolsync.git.importer import Imported, Importer, give, upstream_of, who
from toolsync.git.place import HEADS, Place, debian_tag, proposal_branch, upstream_tag
from toolsync.model.errors import Held
from toolsync.model.release import SourcePackage


def propose(importer: Importer, source: SourcePackage, place: Place, known: Known) -> Imported:
    """Import a source package on a branch of its own beside the packaging's; raises likewise.

    ``known`` is what was proposed of the same version before: a person may have added to it.
    """
    branch = proposal_branch(source.version)
    own, base = f"{HEADS}{branch}", f"{HEADS}{place.settings.debian_branch}"
    with importer.clone(place) as clone:
        there = clone.remote()
        importer.take(clone, place, source, there)
        if own in there:
            clone.fetch((own,))
        elif base in there:
            clone.git("branch", branch, base)
        before = clone.object(f"{own}^{{tree}}") if own in there else ""
        made = importer.made(clone, place, source, branch, signed=True)
        if before == made.tree:
            return replace(made, commit=there[own], given=False)
        if before and before != known.tree:
            raise Held(
                f"the branch {branch} of {place.url} is not as toolsync left it: {there[own]}",
                resolution="Take over what was changed there into the tool's packaging, delete"
                " the branch, and run again.",
            )
        refs = [own, *place.branches[1:], upstream_tag(upstream_of(source))]
        if base not in there:
            refs.append(f"{HEADS}{place.settings.upstream_branch}:{base}")
        give(clone, place, there, tuple(refs))
        return made


def tag(importer: Importer, source: SourcePackage, place: Place, commit: str) -> None:
    """Tag what was merged as the version that it is, and push that; done already is no error."""
    tag = debian_tag(source.version)
    with importer.clone(place) as clone:
        there = clone.remote()
        if tag in there:
            return
        clone.fetch((f"{HEADS}{place.settings.debian_branch}",))
        with importer.signing(place.settings) as (env, key):
            name, mail = parseaddr(importer.maintainer)
            how = ("--sign", f"--local-user={key}") if key else ("--annotate",)
            text = f"Debian release {source.version}"
            short = tag.removeprefix("refs/tags/")
            clone.git("tag", *how, "-m", text, short, commit, env={**env, **who(name, mail)})
        give(clone, place, there, (tag,))


def merged(importer: Importer, place: Place, commit: str, wanted: Imported) -> list[str]:
    """Return the paths by which a merged commit is not what was proposed, at most a hundred.

    Raises Held where the commit is not on the packaging's branch.
    """
    base = f"{HEADS}{place.settings.debian_branch}"
    with importer.clone(place) as clone:
        clone.fetch((base, *(r for r in (f"{HEADS}{wanted.branch}",) if r in clone.remote())))
        found = clone.object(f"{commit}^{{commit}}")
        inside = found and not clone.git("merge-base", "--is-ancestor", found, base, ok=(0, 1)).code
        if not inside:
            raise Held(
                f"{commit or 'what was merged'} is not on {place.settings.debian_branch} of"
                f" {place.url}",
                resolution="See whether it was taken back, or merged into another branch.",
            )
        if clone.object(f"{found}^{{tree}}") == wanted.tree:
            return []
        if not clone.object(f"{wanted.tree}^{{tree}}"):
            return ["(the proposed tree is not there any more)"]
        return clone.differing(wanted.tree, found)
