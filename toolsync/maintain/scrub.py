"""Digest what is kept, name what is damaged, and get its bytes anew where they can be had.

Bytes may be had from the archive's pool, or from upstream: the release is taken again as far as
its orig tarballs, by the same stages, and counts only if the digest is the one that is known. What
is damaged is put aside first, so that nothing uses it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from toolsync.config.definition import Tool
from toolsync.maintain.scrubbed import Damage, Scrubbed, read_scrubbed, write_scrubbed
from toolsync.model.errors import Damaged, ToolsyncError
from toolsync.model.release import Blob
from toolsync.pipeline.accepted import accepted_releases
from toolsync.pipeline.context import Context
from toolsync.pipeline.loghead import log_faults
from toolsync.pipeline.memory import NoMemory
from toolsync.pipeline.road import fetched, unpacked, verified
from toolsync.pipeline.work import work_on
from toolsync.publish.intact import REPAIR, Fault, compare
from toolsync.publish.local import LocalArchive
from toolsync.publish.rebuild import Pool
from toolsync.system.clock import stamp

_LEAST = 64 * 1024 * 1024
_ROUND = 60
"""A run digests this part of all there is, or `_LEAST` bytes: with six runs a day ten days."""
_LOST = (
    "It is in store/damaged. Take the file out of a backup (tar -xf FILE store/sha256/…) into the"
    " state folder, or run this again when upstream has it; then toolsync scrub."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrub:
    """What one scrub came to."""

    files: int
    size: int
    """Bytes that were digested."""
    complete: bool
    """Whether everything was looked at, or a share of it."""
    damage: tuple[Damage, ...]
    """What was found damaged now, and what has been since another scrub."""

    @property
    def lost(self) -> tuple[Damage, ...]:
        """What is not mended."""
        return tuple(item for item in self.damage if not item.mended)


@dataclass(frozen=True, slots=True)
class _Item:
    """A file to look at."""

    key: str
    """By which all are ordered: a scrub goes on after the last one."""
    size: int
    look: Callable[[], Fault | None]


def scrub(
    context: Context,
    tools: Sequence[Tool],
    *,
    share: bool = False,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Scrub:
    """Look at store and archive, at a share of them that a run can afford, or at all.

    ``tools`` are those by whose definitions upstream can be asked again. The caller holds the
    state's lock. Killed at any moment, the next one goes on.
    """
    state = context.config.state
    before, items = read_scrubbed(state), sorted(_items(context), key=lambda item: item.key)
    total = sum(item.size for item in items)
    due = [item for item in items if not share or item.key > before.cursor]
    left = max(_LEAST, total // _ROUND) if share else total + 1
    files = size = 0
    found: list[Fault] = []
    cursor = ""
    for item in due:
        if left <= 0:
            break
        if fault := item.look():
            found.append(fault)
        files, size, left, cursor = files + 1, size + item.size, left - item.size, item.key
        progress(size, min(total, size + left) if share else total)
    complete = files == len(due)
    damage = _mended(context, tools, found, before.lost)
    lost = tuple(item for item in damage if not item.mended and item.place == "store")
    counted = before if share and before.cursor else Scrubbed(finished=before.finished)
    write_scrubbed(
        state,
        Scrubbed(
            cursor="" if complete else cursor,
            finished=stamp(context.clock.now()) if complete else before.finished,
            files=counted.files + files,
            size=counted.size + size,
            lost=lost,
        ),
    )
    return Scrub(files=files, size=size, complete=complete, damage=damage)


def _items(context: Context) -> Iterator[_Item]:
    for digest, size in context.store.files():
        blob = Blob(name="", sha256=digest, size=size)
        yield _Item(f"store/{digest}", size, lambda blob=blob: _of_store(context, blob))  # type: ignore[misc]
    for path, message in log_faults(context.config, context.journal):
        fault = Fault(path=path, message=message)
        yield _Item(f"archive/{path}", 0, lambda fault=fault: fault)  # type: ignore[misc]
    archive = context.target
    if isinstance(archive, LocalArchive):
        root = context.config.archive
        faults = archive.inspector.look_and_keep()
        yield from (_Item(f"archive/{f.path}", 0, lambda f=f: f) for f in faults)  # type: ignore[misc]
        told = {fault.path for fault in faults}
        suites = archive.inspector.checked().suites
        entries = {e.path: e for suite in suites for e in suite.entries if e.path not in told}
        for path, entry in entries.items():
            look = lambda entry=entry: compare(root, entry)[0]  # noqa: E731
            yield _Item(f"archive/{path}", entry.size, look)


def _of_store(context: Context, blob: Blob) -> Fault | None:
    path = context.store.where(blob)
    try:
        context.store.digest_again(blob)
    except Damaged as error:
        if not path.exists():
            return None  # a clean-up was faster
        return Fault(path=str(path), message=str(error).partition(str(path))[2].strip(" ()"),
                     sha256=blob.sha256)  # fmt: skip
    return None


def _mended(
    context: Context, tools: Sequence[Tool], found: Sequence[Fault], before: Sequence[Damage]
) -> tuple[Damage, ...]:
    """Return all damage, that of earlier scrubs too, mended where it could be."""
    kept = context.config.state / "store"
    stored = [fault for fault in found if fault.path.startswith(str(kept))]
    served = [fault for fault in found if fault not in stored]
    for fault in stored:
        context.store.put_aside(fault.sha256)
    damage = {fault.sha256: _damage("store", fault, "") for fault in stored}
    damage = {item.sha256: item for item in before} | damage
    users = _users(context, damage.keys())
    pool = Pool(context.config.archive, context.store)
    done = [
        _tried(context, tools, pool, item, users[digest])
        for digest, item in damage.items()
        if users[digest] or digest in {fault.sha256 for fault in stored}
    ]
    if served and isinstance(context.target, LocalArchive):
        context.target.inspector.doubt({fault.path for fault in served})
    return (*done, *(_damage("archive", fault, REPAIR) for fault in served))


def _damage(place: str, fault: Fault, resolution: str) -> Damage:
    user = f"{fault.source} {fault.version}" if fault.source else ""
    return Damage(
        place=place,
        path=fault.path,
        sha256=fault.sha256,
        message=fault.message,
        users=(user,) if user else (),
        resolution=resolution,
    )


@dataclass(frozen=True, slots=True)
class _Use:
    tool: str
    version: str
    stage: str
    blob: Blob


def _users(context: Context, digests: Collection[str]) -> Mapping[str, list[_Use]]:
    """Return what uses each of these files, by what the journal tells."""
    found: dict[str, list[_Use]] = {digest: [] for digest in digests}
    if not found:
        return found
    for tool in context.journal.results.tools():
        for result in context.journal.results.of(tool):
            for blob in blobs_in(result.data):
                if blob.sha256 in found:
                    use = _Use(tool, result.key.version, result.key.stage, blob)
                    found[blob.sha256].append(use)
    for blob in context.journal.evidence.all():
        if blob.sha256 in found:
            tool, _, rest = blob.name.partition("_")
            found[blob.sha256].append(_Use(tool, rest.partition(".intoto")[0], "evidence", blob))
    return found


def blobs_in(data: object) -> Iterator[Blob]:
    """Yield the files that a stage's result names."""
    if isinstance(data, Mapping):
        if isinstance(data.get("sha256"), str) and isinstance(data.get("size"), int):
            name = str(data.get("name", ""))
            yield Blob(name=name, sha256=data["sha256"], size=data["size"])
        for value in data.values():
            yield from blobs_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from blobs_in(value)


def _tried(
    context: Context, tools: Sequence[Tool], pool: Pool, item: Damage, uses: Sequence[_Use]
) -> Damage:
    """Return a damage that was mended, if its bytes can be had."""
    users = tuple(dict.fromkeys(f"{use.tool} {use.version}: {use.stage}" for use in uses))
    item = replace(item, users=users)
    if not uses:
        return replace(item, mended="nothing uses it, and it was put aside")
    blob, why = uses[0].blob, ""
    if _is_back(context, blob):
        return replace(item, mended="it was put back")
    if pool.bring_back(blob):
        return replace(item, mended="taken from the archive's pool")
    for use in {(use.tool, use.version): use for use in uses}.values():
        why = _fetch_again(context, tools, use)
        if _is_back(context, blob):
            return replace(item, mended=f"taken anew from upstream's {use.tool} {use.version}")
    return replace(item, resolution=f"{f'Upstream: {why} ' if why else ''}{_LOST}")


def _is_back(context: Context, blob: Blob) -> bool:
    try:
        context.store.require(blob)
    except Damaged:
        return False
    return True


def _fetch_again(context: Context, tools: Sequence[Tool], use: _Use) -> str:
    """Take a release again up to its orig tarballs, and write nothing down; say what fails."""
    tool = next((tool for tool in tools if tool.name == use.tool), None)
    seen = context.journal.releases.of(use.tool)
    release = accepted_releases(seen).get(use.version)
    if tool is None or release is None:
        return "nothing tells where it came from."
    work = work_on(replace(context, memory=NoMemory(lambda _: None)), tool, release)
    try:
        unpacked(work, verified(work, fetched(work, release)))
    except ToolsyncError as error:
        return f"{error}."
    return "its release has other bytes."
