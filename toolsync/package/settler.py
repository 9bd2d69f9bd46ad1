"""Try each patch of debian/patches on a release, hunk by hunk where it does not apply as a whole.

patch(1) decides, asked as dpkg-source asks it; fuzz is allowed where nothing else helps. All is
done on copies of the files that the patches name.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.model.release import Finding
from toolsync.model.versions import upstream_key
from toolsync.package.hunks import Part, Patch, taken_away
from toolsync.package.needless import Needless
from toolsync.package.wording import has_change
from toolsync.system.run import run

_SECONDS = 120
_FUZZ = 2
"""Lines of context that may differ, as patch(1) has it where nothing is asked."""
_ALL_FUZZ = 3
"""Lines of context that a hunk has at most; none of them counts then."""
_SHARE = 0.75
"""Of the lines that upstream's own patch adds; with these in the release it is called applied."""
_FEWEST = 6
"""Words by which lines are told from others of a file."""
_TELLING = 5
"""Characters without which an added line tells nothing."""
_HUNK_LINES, _HUNKS = 12, 4
"""What is told of a patch that does not apply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one patch, where it is not carried as it is."""

    patch: str
    code: str
    """``patch-upstream``, ``patch-refreshed``, ``patch-conflict``, or ``patches-later``."""
    why: str
    surely: bool = True
    """Whether the hunks say so; not where fuzz or a header was relied on."""
    hunks: str = ""
    """The hunks that fail, for a person to read."""
    link: str = ""

    @property
    def sentence(self) -> str:
        """It in one sentence, for changelog and evidence."""
        if self.code == "patches-later":
            return f"Patches are those of {self.why}, for of ours do not apply: {self.patch}"
        act = "left out" if self.code == "patch-upstream" else "refreshed"
        return f"Patch {self.patch} is {act}: {self.why}"

    @property
    def finding(self) -> Finding:
        """It for the evidence."""
        severity = "info" if self.surely else "risky"
        return Finding(stage="package", code=self.code, severity=severity, message=self.sentence)


class Settler:
    """The files that patches touch, copied to where they can be tried."""

    def __init__(self, place: Path, tree: Path, version: str, patches: Sequence[Patch]) -> None:
        self._place, self._tree, self._version, self._patches = place, tree, version, patches
        self._names = sorted({name for patch in patches for name in patch.names})
        self._needless = Needless(tree)
        self.refreshed: dict[str, bytes] = {}

    def fates(self) -> tuple[Fate, ...]:
        """Return what becomes of the patches that are not carried as they are."""
        there = self._there()
        found: list[Fate] = []
        now = self._copy("now")
        for patch in self._patches:
            if patch.name in there:
                why = "this release has its change"
                found.append(Fate(patch=patch.name, code="patch-upstream", why=why))
            elif fate := self._fate(patch, now):
                found.append(fate)
        return tuple(found)

    def _there(self) -> set[str]:
        """Return the patches that can all be taken off the release, the last first."""
        now = self._copy("forward")
        failing = [patch for patch in self._patches if self._applied(patch, now) is None]
        now = self._copy("backward")
        return {
            patch.name
            for patch in reversed(failing)
            if patch.parts and self._try(patch.data, now, reverse=True) is not None
        }

    def _applied(self, patch: Patch, now: Path) -> str | None:
        """Apply a whole patch as dpkg-source does; return what patch(1) says, None if not."""
        return self._try(patch.data, now)

    def _fate(self, patch: Patch, now: Path) -> Fate | None:
        before = self._place / "before"
        shutil.rmtree(before, ignore_errors=True)
        shutil.copytree(now, before, symlinks=True)
        said = self._applied(patch, now)
        if said is not None and ("(offset" not in said or not patch.is_plain):
            return None
        if said is not None:
            return self._renew(patch, before, now, "its lines have moved")
        if not patch.parts:
            return Fate(patch=patch.name, code="patch-conflict", why="it is no unified patch")
        return self._by_hunks(patch, before, now)

    def _by_hunks(self, patch: Patch, before: Path, now: Path) -> Fate:
        """Return the fate of a patch that does not apply as a whole."""
        lost: list[tuple[Part, bytes, str]] = []
        applied = there = fuzzy = 0
        needless: dict[str, None] = {}
        for part in patch.parts:
            for at, hunk in enumerate(part.hunks, 1):
                text = part.only(hunk)
                if self._try(text, now) is not None:
                    applied += 1
                elif self._try(text, now, reverse=True, dry=True) is not None:
                    there += 1
                elif self._try(text, now, fuzz=_FUZZ) is not None:
                    applied, fuzzy = applied + 1, fuzzy + 1
                elif self._is_there(part, hunk, now):
                    there, fuzzy = there + 1, fuzzy + 1
                elif self._stands_once(part, hunk, now) and (
                    self._try(text, now, fuzz=_ALL_FUZZ) is not None
                ):
                    applied, fuzzy = applied + 1, fuzzy + 1
                elif why := self._needless.why(part, hunk):
                    needless[why] = None
                else:
                    said = self._said(text, now).replace("Hunk #1", f"Hunk #{at}")
                    lost.append((part, hunk, said))
        if lost or (applied and not patch.is_plain):
            shutil.rmtree(now)
            before.rename(now)
            return self._claimed(patch) or Fate(
                patch=patch.name,
                code="patch-conflict",
                why=_why(patch, lost),
                hunks=_shown(lost),
                link=patch.link,
            )
        if not applied:
            why = "; ".join(needless) or "this release has its change"
            sure = not (fuzzy or needless)
            return Fate(patch=patch.name, code="patch-upstream", why=why, surely=sure)
        words = [f"{there} of its {there + applied} hunks are in this release"] if there else []
        words += [f"lines around {fuzzy} of its hunks have changed"] if fuzzy else []
        why = "; ".join((*words, *needless)) or "its lines have moved"
        return self._renew(patch, before, now, why, surely=not (fuzzy or needless))

    def _is_there(self, part: Part, hunk: bytes, now: Path) -> bool:
        """Say whether the release has a hunk's change, in other surroundings."""
        off = self._try(part.only(hunk), now, fuzz=_FUZZ, reverse=True, dry=True)
        return off is not None or has_change(_bytes(now / part.old), hunk)

    def _stands_once(self, part: Part, hunk: bytes, now: Path) -> bool:
        """Say whether a hunk's place is known by the very lines that it takes away."""
        gone = taken_away(hunk)
        told = len(gone.split()) >= _FEWEST
        return told and (b"\n" + _bytes(now / part.old)).count(b"\n" + gone) == 1

    def _renew(
        self, patch: Patch, before: Path, now: Path, why: str, *, surely: bool = True
    ) -> Fate:
        """Keep a patch's header, and write its hunks anew by what it did."""
        names = dict.fromkeys(part.name for part in patch.parts)
        data = b"".join(self._diff(name, before, now) for name in names)
        self.refreshed[patch.name] = patch.header + data
        return Fate(patch=patch.name, code="patch-refreshed", why=why, surely=surely)

    def _claimed(self, patch: Patch) -> Fate | None:
        """Return that its header calls a patch upstream's, and that the release has it.

        It is so by the version that the header names, or as most of the lines that it adds are
        there; how they are indented does not count.
        """
        found = all_ = 0
        for part in patch.parts:
            has = _lines(self._tree / part.new)
            hunks = (line for hunk in part.hunks for line in hunk.splitlines()[1:])
            added = [b"".join(line[1:].split()) for line in hunks if line.startswith(b"+")]
            added = [line for line in added if len(line) >= _TELLING]
            all_, found = all_ + len(added), found + sum(line in has for line in added)
        since = patch.applied_in
        if since and upstream_key(since) <= upstream_key(self._version):
            why = f"its header says that upstream has it since {since}"
        elif patch.source and all_ and found >= _SHARE * all_:
            why = f"its header says {patch.source}, and {found} of the {all_} lines that it adds"
            why += " are here"
        else:
            return None
        return Fate(patch=patch.name, code="patch-upstream", why=why, surely=False)

    def _copy(self, name: str) -> Path:
        """Return a folder with the release's own state of all files that patches name."""
        folder = self._place / name
        folder.mkdir()
        for file in self._names:
            if (self._tree / file).is_file():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self._tree / file, folder / file)
        return folder

    def _try(
        self, text: bytes, folder: Path, *, fuzz: int = 0, reverse: bool = False, dry: bool = False
    ) -> str | None:
        """Apply a patch where all of it can be; return what patch(1) says, None where not."""
        if self._run(text, folder, fuzz=fuzz, reverse=reverse, dry=True)[0]:
            return None
        return self._run(text, folder, fuzz=fuzz, reverse=reverse, dry=dry)[1]

    def _said(self, text: bytes, folder: Path) -> str:
        return self._run(text, folder, fuzz=_FUZZ, reverse=False, dry=True)[1]

    def _run(
        self, text: bytes, folder: Path, *, fuzz: int, reverse: bool, dry: bool
    ) -> tuple[int, str]:
        given = self._place / "patch"
        given.write_bytes(text)
        # What dpkg-source asks of patch(1), but that it does not guess: --force for --batch.
        done = run(
            *("patch", "--strip=1", f"--fuzz={fuzz}", "--force", "--unified"),
            *("--version-control=never", "--remove-empty-files", "--reject-file=-"),
            *(("--reverse",) if reverse else ()),
            *(("--dry-run",) if dry else ()),
            cwd=folder,
            given=given,
            env={"LC_ALL": "C"},
            timeout=_SECONDS,
            ok=range(256),
        )
        return done.code, done.out

    def _diff(self, name: str, before: Path, now: Path) -> bytes:
        """Return the change of one file as a unified diff."""
        old, new = before / name, now / name
        words: list[str | Path] = []
        for label, path in ((f"a/{name}", old), (f"b/{name}", new)):
            words += ["--label", label if path.is_file() else "/dev/null"]
        files = [path if path.is_file() else Path("/dev/null") for path in (old, new)]
        out = self._place / "diff"
        out.unlink(missing_ok=True)
        run(
            *("diff", "-u", *words, *files),
            timeout=_SECONDS,
            log=out,
            ok=(0, 1),
        )
        return out.read_bytes()


def _lines(path: Path) -> set[bytes]:
    return {b"".join(line.split()) for line in _bytes(path).splitlines()}


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _why(patch: Patch, lost: Sequence[tuple[Part, bytes, str]]) -> str:
    """Return which hunks of a patch fail."""
    if not lost:
        return "it changes modes or names of files beside hunks that are in this release"
    words = list(dict.fromkeys(_named(part, said) for part, _, said in lost))
    count = sum(len(part.hunks) for part in patch.parts)
    return f"{'; '.join(words[:_HUNKS])} ({len(lost)} of its {count} hunks fail)"


def _shown(lost: Sequence[tuple[Part, bytes, str]]) -> str:
    """Return the first hunks that fail, each by its first lines."""
    shown = []
    for part, hunk, _ in lost[:_HUNKS]:
        lines = hunk.decode(errors="replace").splitlines()
        more = [f"… {len(lines) - _HUNK_LINES} more lines"] if len(lines) > _HUNK_LINES else []
        shown += [f"    {line[:120]}" for line in (f"{part.name}:", *lines[:_HUNK_LINES], *more)]
    return "\n".join(shown)


def _named(part: Part, said: str) -> str:
    if "can't find file to patch" in said or "No such file" in said or "would delete" in said:
        return f"it changes {part.name}, which this release does not have"
    if "already exists" in said or "would create the file" in said:
        return f"it adds {part.name}, which this release has already"
    failed = [line for line in said.splitlines() if "FAILED" in line or "malformed" in line]
    return "; ".join([f"patching file {part.name}", *failed[:1]])
