"""Check an archive's tree as a whole: paths, sizes, and where links lead.

Reads no files: each member is passed to it in the archive's order, and what no honest archive
has is refused. Links are judged when all members are known, since a link may lead through another
that comes later. Where debian/copyright may leave members out, a first guard only counts and notes;
what stays is then admitted to a second one.
"""

from __future__ import annotations

from toolsync.archives.member import ASK, Kind, Member, refusal, shown
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile

_BESIDE = (".DS_Store", "pax_global_header")
_FOLLOWED = 40
"""Links that Linux follows in one path before it says ELOOP (path_resolution(7))."""
_LOOKED_AT = 100_000_000
"""Bytes of names that following links may cost in one archive; honest ones need a few MB."""


class Guard:
    """The checks of one archive's tree."""

    def __init__(self, limits: Limits, *, rooted: bool = False, forgiving: bool = False) -> None:
        """Begin; ``rooted`` says that the archive's root is the tree's, whatever its top is.

        A ``forgiving`` one refuses nothing but too many members, and tells in ``faulty`` whether
        it had a reason to.
        """
        self._limits, self._rooted, self._forgiving = limits, rooted, forgiving
        self.faulty = False
        self._kinds: dict[str, Kind] = {}
        self._links: dict[str, str] = {}
        self._looked_at = 0

    def admit(self, member: Member) -> None:
        """Check the next member; raise Hostile if it must not be there."""
        misplaced = self._placed(member)
        fault = member.fault or misplaced
        if member.kind is Kind.SYMLINK:
            self._links[member.path] = member.target
        elif member.kind is Kind.HARDLINK:
            fault = fault or self._linked(member)
        if fault is not None and not self._forgiving:
            raise fault
        self.faulty = self.faulty or fault is not None

    def _linked(self, member: Member) -> Hostile | None:
        """Return the fault of a hard link that repeats no earlier file."""
        found = self._kinds.get(member.target)
        if found in (Kind.FILE, Kind.HARDLINK) and member.target != member.path:
            return None
        what = f"is a {found}" if found else "is no earlier member"
        return refusal(member.path, f"is a hard link to {shown(member.target)}, which {what}")

    def _placed(self, member: Member) -> Hostile | None:
        """Note a member's place; return what is wrong with it or the folders above."""
        parent = member.path.rpartition("/")[0]
        # Above a known folder all is known: deep trees must not cost their depth each time.
        end = -1 if self._kinds.get(parent) is Kind.FOLDER else member.path.find("/")
        while end >= 0:
            above = member.path[:end]
            found = self._kinds.get(above) or self._add(above, Kind.FOLDER)
            if found is not Kind.FOLDER:
                return refusal(member.path, f"lies below {shown(above)}, which is a {found}")
            end = member.path.find("/", end + 1)
        standing = self._kinds.get(member.path)
        if standing is None:
            self._add(member.path, member.kind)
        elif standing is not member.kind:
            return refusal(member.path, f"is there twice, as a {standing} and as a {member.kind}")
        elif member.kind is not Kind.FOLDER:
            return refusal(member.path, "is there twice, so its content is ambiguous")
        return None

    def _add(self, path: str, kind: Kind) -> Kind:
        """Note a new path, also a folder that is only part of a name: it costs as much."""
        self._kinds[path] = kind
        if len(self._kinds) > self._limits.members:
            raise Hostile(
                f"the archive has more than {self._limits.members} members, the limit",
                resolution="If upstream really ships so many, raise [limits] members.",
            )
        return kind

    @property
    def top(self) -> str:
        """The one folder that holds everything, or ``""`` where there is none or are several.

        What macOS keeps beside it about its files does not count: ``__MACOSX`` of its zips,
        ``._NAME`` of its tars (AppleDouble), and ``.DS_Store``; nor what an old tar makes of
        git's global header.
        """
        tops = {path.partition("/")[0] for path in self._kinds}
        tops = {name for name in tops if not self._is_apples(name)} or tops
        if self._rooted or len(tops) != 1:
            return ""
        (top,) = tops
        return top if self._kinds[top] is Kind.FOLDER else ""

    def _is_apples(self, name: str) -> bool:
        folder = self._kinds[name] is Kind.FOLDER
        return name == "__MACOSX" if folder else name.startswith("._") or name in _BESIDE

    def finish(self) -> None:
        """Judge the tree when all members were admitted."""
        if not self._kinds:
            raise Hostile("the archive has no member at all", resolution=ASK)
        if not self._forgiving:
            self.judge_links()

    def judge_links(self) -> None:
        """Raise Hostile for a symlink that leaves the tree."""
        root = self.top
        for path, target in self._links.items():
            self._follow(path, target, root)

    def _follow(self, path: str, target: str, root: str) -> None:
        """Walk where a symlink leads, through other links, as the kernel would."""
        here = path.rpartition("/")[0]
        ahead = self._parts(path, target)
        followed = 0
        while ahead:
            part = ahead.pop()
            if part == "..":
                if here == root:
                    raise refusal(path, f"is a link to {shown(target)}, which leaves the tree")
                here = here.rpartition("/")[0]
                continue
            there = f"{here}/{part}" if here else part
            self._work(path, len(there))
            onward = self._links.get(there)
            if onward is None:
                here = there
                continue
            followed += 1
            if followed > _FOLLOWED:  # the kernel gives up here: it leads nowhere
                return
            ahead += self._parts(there, onward)

    def _parts(self, path: str, target: str) -> list[str]:
        """Return a target's parts, last first."""
        if target.startswith("/"):
            raise refusal(path, f"is a link to {shown(target)}, which leaves the tree")
        self._work(path, len(target))
        return [part for part in reversed(target.split("/")) if part not in ("", ".")]

    def _work(self, path: str, size: int) -> None:
        """Count what following links costs, in bytes of names looked at."""
        self._looked_at += size
        if self._looked_at > _LOOKED_AT:
            raise refusal(path, "is one of too many links through links to be followed")
