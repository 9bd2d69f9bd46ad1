"""Propose a release on a branch of its own, and compare what was merged with what was proposed.

Before a person has said yes nothing but that branch has a release's files, and nothing is signed.
"""

from __future__ import annotations

from dataclasses import replace
from email.utils import parseaddr

from toolsync.git.bringing import Known, require_ours, require_same
from toolsync.git.importer import Imported, Importer, give, upstream_of, who
from toolsync.git.place import HEADS, Place, debian_tag, proposal_branch, upstream_tag
from toolsync.model.errors import Held
from toolsync.model.release import SourcePackage


def propose(importer: Importer, source: SourcePackage, place: Place, known: Known) -> Imported:
    """Import a source package on a branch of its own beside the packaging's; raises likewise.

    A person may have added to what was proposed of the same version before.
    """
    branch = proposal_branch(source.version)
    own, base = f"{HEADS}{branch}", f"{HEADS}{place.settings.debian_branch}"
    with importer.clone(place) as clone:
        there = clone.remote()
        importer.take(clone, place, source, there)
        require_ours(clone, place, known)
        empty = importer.begin(clone, place, source)
        if base not in there:
            clone.git("branch", place.settings.debian_branch, empty)
        if own in there:
            clone.fetch((own,))
        else:
            clone.git("branch", branch, base)
        before = clone.object(f"{own}^{{tree}}") if own in there else ""
        made = importer.made(clone, place, source, branch, signed=False)
        if before == made.tree:
            return replace(made, commit=there[own], given=False)
        if before and before != known.tree:
            raise Held(
                f"the branch {branch} of {place.url} is not as toolsync left it: {there[own]}",
                resolution="Take over what was changed there into the tool's packaging, delete"
                " the branch, and run again.",
            )
        # Where there is no packaging yet, an empty commit is what it is merged into.
        give(clone, place, there, (own, *(() if base in there else (base,))))
        return made


def tag(importer: Importer, source: SourcePackage, place: Place, commit: str) -> None:
    """Tag what was merged as the version that it is, with what belongs to it, and push that.

    Upstream's branch and tag and pristine-tar's delta come with it; done already is no error.
    Raises Held where the tag is another's.
    """
    tag, upstream = debian_tag(source.version), upstream_tag(upstream_of(source))
    with importer.clone(place) as clone:
        there = clone.remote()
        importer.take(clone, place, source, there)
        if tag in there:
            require_same(clone, tag, source, clone.object(f"{commit}^{{tree}}"))
            if upstream in there:
                return
        importer.begin(clone, place, source)
        branch = proposal_branch(source.version)
        clone.git("branch", branch, commit)
        importer.made(clone, place, source, branch, signed=True)
        with importer.signing(place.settings) as (env, key):
            name, mail = parseaddr(importer.maintainer)
            how = ("--sign", f"--local-user={key}") if key else ("--annotate",)
            text = f"Debian release {source.version}"
            short = tag.removeprefix("refs/tags/")
            if tag not in there:
                clone.git("tag", *how, "-m", text, short, commit, env={**env, **who(name, mail)})
        give(clone, place, there, (*place.branches[1:], upstream, tag))


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
