"""Choose what of an archive goes into the orig tarball, and judge that, not what is left out.

debian/copyright speaks first: a member that no honest tree should have, or that nobody can read,
harms nobody once it is left out. Names that lead outside and sizes were judged for all by the
readers already. Then the top folder is looked for, and what is kept is admitted to a strict guard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from toolsync.archives.guard import Guard
from toolsync.archives.member import Kind, Member, refusal, shown
from toolsync.model.errors import Held
from toolsync.unpack.exclusions import Exclusions


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is kept, and why other things are not."""

    kept: tuple[Member, ...]
    left_out: frozenset[str]
    """Paths that debian/copyright leaves out."""
    unused: tuple[str, ...]
    """Its patterns that match nothing."""
    beside: tuple[str, ...]
    """Paths of what macOS keeps beside the top folder about its files."""
    top: str
    """The one folder that holds all that is kept, or ``""``."""


def choose(
    members: Sequence[Member],
    seen: Guard,
    origins: Mapping[str, str],
    exclusions: Exclusions,
    guard: Callable[[bool], Guard],
    *,
    tidy: bool,
) -> Choice:
    """Return what is kept of ``members``; raise Hostile for its faults, Held where it is nothing.

    ``seen`` is the forgiving guard that they were admitted to, ``origins`` what hard links repeat;
    ``guard`` makes another guard, a forgiving one for True. With ``tidy`` what macOS has put
    beside the top folder goes, in any case where something is left out.
    """
    left_out, unused, top = _left_out(members, seen.top, exclusions, guard)
    kept = [member for member in members if member.path not in left_out]
    if left_out and all(member.kind is Kind.FOLDER for member in kept):
        raise Held(
            f"Files-Excluded in debian/copyright leaves nothing of {len(left_out)} members; "
            "wanted an orig tarball that holds something",
            resolution="Narrow the patterns there, or name what stays in Files-Included.",
        )
    beside: list[str] = []
    if top and (tidy or left_out):
        beside = [m.path for m in kept if m.path != top and not m.path.startswith(f"{top}/")]
    gone = left_out.union(beside)
    if not gone and not seen.faulty:
        seen.judge_links()
    else:
        kept = _judged(members, gone, origins, guard(False))
    return Choice(kept=tuple(kept), left_out=left_out, unused=unused, beside=tuple(beside), top=top)


def _left_out(
    members: Sequence[Member], top: str, exclusions: Exclusions, guard: Callable[[bool], Guard]
) -> tuple[frozenset[str], tuple[str, ...], str]:
    """Return what is left out, unused patterns, and the top folder of what is kept.

    That folder may show itself only when others are gone; patterns then count below it, too.
    """
    paths = [member.path for member in members]
    left_out, unused = exclusions.select(paths, top)
    if not left_out:
        return left_out, unused, top
    inner = guard(True)
    for member in members:
        if member.path not in left_out:
            inner.admit(member)
    if inner.top != top:
        more, unused_there = exclusions.select(paths, inner.top)
        left_out |= more
        unused = tuple(pattern for pattern in unused if pattern in unused_there)
    return left_out, unused, inner.top


def _judged(
    members: Sequence[Member], gone: frozenset[str], origins: Mapping[str, str], guard: Guard
) -> list[Member]:
    """Return what is kept, judged; a hard link whose file is gone is kept as that file."""
    count = Counter(member.path for member in members)
    kinds = {member.path: member for member in members}
    kept = []
    for member in members:
        if member.path in gone:
            continue
        origin = kinds.get(origins.get(member.path, ""))
        if origin is not None and member.target in gone:
            if origin.kind is not Kind.FILE or origin.fault or count[origin.path] > 1:
                what = (
                    f"is a hard link to {shown(origin.path)}, which is left out and no plain file"
                )
                raise refusal(member.path, what)
            kept.append(replace(member, kind=Kind.FILE, target=""))
        else:
            kept.append(member)
        guard.admit(kept[-1])
    guard.finish()
    return kept
