"""The rules for a tree as a whole: what may stand where, how much of it, where links lead.

Reads nothing; it is shown every member in the archive's order and refuses what no honest
archive has. Links are judged when all members are known, since a link may lead through another
that comes later.
"""

from __future__ import annotations

from toolsync.config import Limits
from toolsync.errors import Hostile
from toolsync.unpack.member import ASK, Kind, Member, refusal, shown

_FOLLOWED = 40
"""Links that Linux follows in one path before it says ELOOP (path_resolution(7))."""
_STEPS = 5_000_000
"""Parts of links' targets that are looked at in one archive; honest ones need thousands."""


class Guard:
    """Remembers one archive's tree."""

    def __init__(self, limits: Limits, *, rooted: bool = False) -> None:
        """Begin; ``rooted`` says that the archive's root is the tree's, whatever its top is."""
        self._limits, self._rooted = limits, rooted
        self._kinds: dict[str, Kind] = {}
        self._links: dict[str, str] = {}
        self._count = self._steps = 0

    def admit(self, member: Member) -> None:
        """Take the next member; raise Hostile where it cannot stand."""
        self._count += 1
        if self._count > self._limits.members:
            raise Hostile(
                f"the archive has more than {self._limits.members} members, the limit",
                resolution="If upstream really ships so many, raise [limits] members.",
            )
        self._place(member)
        if member.kind is Kind.SYMLINK:
            self._links[member.path] = member.target
        if member.kind is Kind.HARDLINK:
            found = self._kinds.get(member.target)
            if found not in (Kind.FILE, Kind.HARDLINK) or member.target == member.path:
                what = f"is a {found}" if found else "is no earlier member"
                raise refusal(
                    member.path, f"is a hard link to {shown(member.target)}, which {what}"
                )

    def _place(self, member: Member) -> None:
        """Check the folders above a member, then what stands at its own place."""
        end = member.path.find("/")
        while end >= 0:
            above = member.path[:end]
            found = self._kinds.setdefault(above, Kind.FOLDER)
            if found is not Kind.FOLDER:
                raise refusal(member.path, f"lies below {shown(above)}, which is a {found}")
            end = member.path.find("/", end + 1)
        standing = self._kinds.get(member.path)
        if standing is None:
            self._kinds[member.path] = member.kind
        elif standing is not member.kind:
            raise refusal(member.path, f"is there twice, as a {standing} and as a {member.kind}")
        elif member.kind is not Kind.FOLDER:
            raise refusal(member.path, "is there twice, so its content is ambiguous")

    @property
    def top(self) -> str:
        """The one folder that holds everything, or ``""`` where there is none or are several."""
        tops = {path.partition("/")[0] for path in self._kinds}
        if self._rooted or len(tops) != 1:
            return ""
        (top,) = tops
        return top if self._kinds[top] is Kind.FOLDER else ""

    def finish(self) -> None:
        """Judge the tree when all members were admitted."""
        if not self._kinds:
            raise Hostile("the archive has no member at all", resolution=ASK)
        root = [self.top] if self.top else []
        for path, target in self._links.items():
            self._follow(path, target, root)

    def _follow(self, path: str, target: str, root: list[str]) -> None:
        """Walk where a symlink leads, through other links, as the kernel would."""
        here = path.split("/")[:-1]
        ahead = self._parts(path, target)
        followed = 0
        while ahead:
            self._steps += 1
            if self._steps > _STEPS:
                raise refusal(path, "is one of too many links through links to be looked at")
            part = ahead.pop()
            if part == "..":
                if here == root:
                    raise refusal(path, f"is a link to {shown(target)}, which leaves the tree")
                here.pop()
                continue
            here.append(part)
            onward = self._links.get("/".join(here))
            if onward is not None:
                followed += 1
                if followed > _FOLLOWED:  # the kernel gives up here: it leads nowhere
                    return
                here.pop()
                ahead += self._parts("/".join([*here, part]), onward)

    def _parts(self, path: str, target: str) -> list[str]:
        """Return a target's parts, last first."""
        if target.startswith("/"):
            raise refusal(path, f"is a link to {shown(target)}, which leaves the tree")
        parts = [part for part in target.split("/") if part not in ("", ".")]
        self._steps += len(parts)
        return parts[::-1]
