"""Keep what an archive served, a folder for each change, so that an instance can stay at a moment.

``snapshots/20261127T041500Z`` is an archive of its own that apt reads as any other: ``dists`` as it
was shown at that moment, and ``pool``, a link to ``snapshots/pool``, where every file lies that any
kept snapshot names. Files are hard links of the archive's own, which are never changed in place, so
a snapshot costs room only when the archive has dropped what it names. ``SHA256SUMS`` in it says
what all of its files must be.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from toolsync.model.errors import UsageError
from toolsync.publish.checked import Entry
from toolsync.publish.index import release_digest
from toolsync.system.private import shared_folder
from toolsync.system.store import digest_of, full_disk_is_told, replace_file, sync_folder

FOLDER = "snapshots"
"""Below the archive's folder."""
SUMS = "SHA256SUMS"
_FORM = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"\d{8}T\d{6}Z")
_LINE = re.compile(r"^([0-9a-f]{64})  (\S+)$", re.MULTILINE)


def kept(root: Path) -> list[Path]:
    """Return the folders of an archive's snapshots, oldest first."""
    found = (root / FOLDER).glob("*Z")
    return sorted(path for path in found if _NAME.fullmatch(path.name))


def moment_of(snapshot: Path) -> datetime:
    """Return when a snapshot was taken, in UTC."""
    return datetime.strptime(snapshot.name, _FORM).replace(tzinfo=UTC)


def take(root: Path, entries: Iterable[Entry], now: datetime) -> Path | None:
    """Keep what is served now, unless the newest snapshot shows the same; return its folder.

    ``entries`` are the files of the pool that its indices name. Killed in between, it leaves
    a folder without a moment's name, which the next call takes away.
    """
    present, known = root / "dists", kept(root)
    if not present.is_dir() or (known and _shows(known[-1]) == _shows(root)):
        return None
    moment = max(now, moment_of(known[-1]) + timedelta(seconds=1)) if known else now
    place = root / FOLDER / moment.astimezone(UTC).strftime(_FORM)
    fresh = root / FOLDER / ".new"
    with full_disk_is_told(root):
        shared_folder(root / FOLDER)
        shutil.rmtree(fresh, ignore_errors=True)
        shared_folder(fresh)
        shutil.copytree(present, fresh / "dists", copy_function=_shared)
        (fresh / "pool").symlink_to("../pool")
        sums = {entry.path: entry.sha256 for entry in entries}
        for path in sums:
            _shared_once(root / path, root / FOLDER / path)
        for file in _files(fresh / "dists"):
            sums[file.relative_to(fresh).as_posix()] = digest_of(file)[0]
        lines = (f"{digest}  {path}\n" for path, digest in sorted(sums.items()))
        replace_file(fresh / SUMS, "".join(lines).encode())
        fresh.rename(place)
        sync_folder(place.parent)
    return place


def expire(root: Path, days: int, now: datetime) -> list[Path]:
    """Remove the snapshots that were followed by another ``days`` ago; return their folders.

    The newest one stays while any are wanted. What no snapshot names any longer goes with them.
    """
    known = kept(root)
    ends = {path: moment_of(after) for path, after in pairwise(known)}
    cutoff = now - timedelta(days=days)
    gone = [p for p in known if not days or (p in ends and ends[p] < cutoff)]
    for path in gone:
        _remove(path)
    if gone or any((root / FOLDER).glob(".*")):
        _drop_unnamed(root)
    return gone


def at(root: Path, moment: datetime) -> Path:
    """Return the snapshot of what was served at a moment; raise UsageError where there is none."""
    known = kept(root)
    found = [path for path in known if moment_of(path) <= moment]
    if not found:
        first = f"the oldest is of {moment_of(known[0]):%Y-%m-%d %H:%M:%S} UTC" if known else ""
        raise UsageError(
            f"no snapshot is kept of {moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
            f" or before: {first or 'there is none at all'}",
            resolution="Name a later moment."
            if known
            else "Say for how long they are to be kept: [local] snapshot_days in toolsync.toml.",
        )
    return found[-1]


def faults(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield each snapshot that is not as it was, and what is wrong with it; digests all files."""
    digests: dict[tuple[int, int], str] = {}
    for snapshot in kept(root):
        if fault := _fault(snapshot, digests):
            yield snapshot, fault


def _fault(snapshot: Path, digests: dict[tuple[int, int], str]) -> str:
    sums = _sums(snapshot)
    if not sums:
        return f"{FOLDER}/{snapshot.name}/{SUMS} cannot be read, wanted the digests of its files"
    for path, wanted in sums.items():
        if (found := _digest(snapshot / path, digests)) != wanted:
            how = f"has sha256 {found}" if found else "is gone or cannot be read"
            return f"{FOLDER}/{snapshot.name}/{path} {how}, wanted {wanted}"
    return ""


def mend(root: Path) -> list[str]:
    """Take the files of damaged snapshots from the archive anew; remove those that stay so.

    Returns what was done, a sentence each.
    """
    done = []
    for snapshot, fault in list(faults(root)):
        for path, wanted in _sums(snapshot).items():
            ours = root / path
            if path.startswith("pool/") and ours.is_file() and digest_of(ours)[0] == wanted:
                (root / FOLDER / path).unlink(missing_ok=True)
                _shared_once(ours, root / FOLDER / path)
        if _fault(snapshot, {}):
            _remove(snapshot)
            done.append(f"{fault}: the snapshot was removed, its bytes are nowhere else")
        else:
            done.append(f"{fault}: taken from the archive's pool")
    if done:
        _drop_unnamed(root)
    return done


def _shows(place: Path) -> Mapping[str, str]:
    names = sorted(path.parent.name for path in (place / "dists").glob("*/InRelease"))
    return {name: release_digest(place, name) for name in names}


def _sums(snapshot: Path) -> Mapping[str, str]:
    try:
        text = (snapshot / SUMS).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {path: digest for digest, path in _LINE.findall(text)}


def _digest(path: Path, known: dict[tuple[int, int], str]) -> str:
    """Return the sha256 of a file, read once for all snapshots that share it."""
    try:
        status = path.stat()
        place = (status.st_dev, status.st_ino)
        if place not in known:
            known[place] = digest_of(path)[0]
    except OSError:
        return ""
    return known[place]


def _remove(snapshot: Path) -> None:
    """Remove a snapshot in one step, so that nobody reads a half of it."""
    hidden = snapshot.with_name(f".old-{snapshot.name}")
    snapshot.rename(hidden)
    shutil.rmtree(hidden)


def _drop_unnamed(root: Path) -> None:
    for path in (root / FOLDER).glob(".*"):  # what a killed run has left
        shutil.rmtree(path, ignore_errors=True)
    named = {path for snapshot in kept(root) for path in _sums(snapshot)}
    for file in list(_files(root / FOLDER / "pool")):
        if file.relative_to(root / FOLDER).as_posix() not in named:
            file.unlink()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _shared_once(source: Path, target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _shared(str(source), str(target))


def _shared(source: str, target: str) -> str:
    """Link a file, or copy it where the disk has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
